"""The methods of ufuncs: reduce and accumulate, by the functions that are the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.primitive import Primitive, implements, rule
from autograd.tensor import listed, value_of

__all__: list[str] = []


def _reduces(ufunc: np.ufunc, function: Callable[..., Any]) -> None:
    """Declare that reducing by `ufunc`, over the first axis, is `function`."""

    @implements(ufunc.reduce)
    def reduce(
        array: Any, axis: Any = 0, *, keepdims: bool = False, initial: Any = np._NoValue,
        where: Any = np._NoValue,
    ) -> Any:  # fmt: skip
        options = {"initial": initial, "where": where}
        given = {n: v for n, v in options.items() if v is not np._NoValue}
        return function(listed(array), axis=axis, keepdims=keepdims, **given)


_reduces(np.add, np.sum)
_reduces(np.multiply, np.prod)
_reduces(np.maximum, np.max)
_reduces(np.minimum, np.min)


@implements(np.add.accumulate)
def _sums(array: Any, axis: int = 0) -> Any:
    return np.cumsum(array, axis=axis)


@implements(np.multiply.accumulate)
def _products(array: Any, axis: int = 0) -> Any:
    return np.cumprod(array, axis=axis)


def _extremes(ufunc: np.ufunc) -> None:
    """Declare a running extremum: of equal elements the last one has the gradient."""

    @implements(ufunc.accumulate)
    def accumulate(array: Any, axis: int = 0) -> Any:
        x = value_of(array)
        found = ufunc.accumulate(x, axis=axis)
        is_it = (x == found) | (np.isnan(x) & np.isnan(found))
        shape = [1] * np.ndim(x)
        shape[axis] = -1
        place = np.reshape(np.arange(np.shape(x)[axis]), shape)
        place = np.maximum.accumulate(np.where(is_it, place, 0), axis=axis)
        return np.take_along_axis(array, place, axis)


_extremes(np.maximum)
_extremes(np.minimum)


def _bessel_of(x: Any, order: int) -> Any:
    """The derivative of I₀ of an order n: the mean of cosⁿ θ exp(x cos θ) over θ.

    A mean over equally spaced θ converges faster than any power of their distance; the
    error over N of them is I_N(x), which 256 make vanish wherever exp(x) is finite. θ
    and π − θ are taken together, so that nothing cancels near 0.
    """
    cosines = np.cos(np.arange(64) * (2 * math.pi / 256))
    weights = np.where(np.arange(64) == 0, 2, 4) * cosines**order / 256
    wave = np.sinh if order % 2 else np.cosh
    found = np.sum(weights * wave(np.multiply.outer(x, cosines)), axis=-1)
    at_right_angle = 0.0 if order else 2 / 256  # cos θ = 0
    return (found + at_right_angle).astype(np.result_type(x))


bessel = Primitive(_bessel_of, name="i0")
bessel.defvjp(lambda g, ans, x, order: g * bessel(x, order + 1))
rule(np.i0, lambda g, ans, x: g * bessel(x, 1))
