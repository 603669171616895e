"""Norms of vectors; derivatives of any order where powers of x over- or underflow, too.

There the gradients are those of a norm of kx, with k a power of two: ∂‖x‖/∂x is that of
‖kx‖ by kx. Elsewhere k is 1, and everything is as without it, to the last bit. Values
stay NumPy's, which are infinite or 0 there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.primitive import primitive
from autograd.programs.tracing import as_one_call
from autograd.rules.scaled import lifting
from autograd.tensor import value_of

__all__ = ["euclidean", "over_twice", "valued", "vector_norm"]


def _kept(x: Any, ndim: int, axes: Any, keepdims: bool) -> Any:
    """A result of reducing `ndim` axes, with those that went away as of size 1."""
    if keepdims or np.ndim(x) == ndim:
        return x
    if axes is None:
        return np.reshape(x, (1,) * ndim)
    return np.expand_dims(x, axes)


@primitive
def over_twice(g: Any, size: Any) -> Any:
    """g / (2 size), and 0 where the size is 0: √ is given the derivative 0 at 0.

    By the size, the derivative is NaN there, so that no second derivative of √ is 0.
    """
    zero = size == 0
    return np.where(zero, 0 * g + 0, g / (2 * np.where(zero, 1, size)))


over_twice.defvjp(
    lambda g, ans, h, size: over_twice(g, size),
    lambda g, ans, h, size: g * _slope(ans, size),
)


def _slope(ans: Any, size: Any) -> Any:
    """The derivative of h / (2 size) = ans by the size."""
    zero = value_of(size) == 0
    return np.where(zero, np.nan, -ans / np.where(zero, 1, size))


@primitive
def euclidean(x: Any, axes: Any, keepdims: bool) -> Any:
    """√Σ x² over `axes`."""
    return np.sqrt(np.sum(np.square(x), axis=axes, keepdims=keepdims))


@primitive
@as_one_call
def _length(x: Any, k: Any, known: Any, axes: Any) -> Any:
    """k ‖x‖; where k is 1, that is `known`."""
    if np.all(k == 1):
        return np.array(known)
    y = x * k
    return np.where(k == 1, known, np.sqrt(np.sum(y * y, axis=axes, keepdims=True)))


@as_one_call
def _lifting_of(x: Any, size: Any, axes: Any) -> Any:
    """By which x is to be multiplied, where the norm `size` is not ordinary."""
    return lifting(size, lambda: np.max(np.abs(x), axis=axes, keepdims=True, initial=0))


def _by_x(g: Any, ans: Any, x: Any, axes: Any, keepdims: bool) -> Any:
    g, ans = (_kept(a, np.ndim(x), axes, keepdims) for a in (g, ans))
    known = value_of(ans)
    k = _lifting_of(value_of(x), known, axes)
    length = _length(x, k, known, axes)
    return over_twice(g, length) * (x * (2 * k))


euclidean.defvjp(_by_x)
_length.defvjp(
    lambda g, ans, x, k, known, axes: over_twice(g * k, ans) * (x * (2 * k)),
)


def vector_norm(x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:  # noqa: A002 (NumPy's word)
    """(Σ |x|ᵖ)^(1/p) over `axis`, for p = `ord`, and its limits for p = 0 and ±∞."""
    if ord == 2:
        return euclidean(x, axis, keepdims)
    size = np.absolute(x)
    if ord == np.inf:
        return np.max(size, axis=axis, keepdims=keepdims)
    if ord == -np.inf:
        return np.min(size, axis=axis, keepdims=keepdims)
    if ord == 0:
        return np.sum(value_of(x) != 0, axis=axis, keepdims=keepdims).astype(float)
    if ord == 1:
        return np.sum(size, axis=axis, keepdims=keepdims)
    if 0 < ord < 1:
        return _by_powers(size, ord, axis, keepdims)
    k = _lifting_of_powers(value_of(size), ord, axis)
    found = _by_powers(size * k, ord, axis, True) / k
    known = _numpys(value_of(found), value_of(size), k, ord, axis)
    found = valued(found, known)
    return found if keepdims else np.squeeze(found, axis)


def _by_powers(size: Any, ord: Any, axis: Any, keepdims: bool) -> Any:  # noqa: A002
    total = np.sum(_powers(size, ord), axis=axis, keepdims=keepdims)
    zero = (value_of(total) == 0) & (ord > 0)
    return np.where(zero, 0, np.where(zero, 1, total) ** (1 / ord))


def _powers(size: Any, ord: Any) -> Any:  # noqa: A002
    """|x|ᵖ for `size` = |x|; where it has no derivative, at 0 for p < 1, it has none."""
    if ord >= 1:
        return size**ord
    zero = value_of(size) == 0
    return np.where(zero, 0 if ord > 0 else np.inf, np.where(zero, 1, size) ** ord)


@as_one_call
def _lifting_of_powers(size: Any, ord: Any, axis: Any) -> Any:  # noqa: A002
    """By which |x| is to be multiplied, so that the sum of its powers is ordinary."""
    if np.result_type(size).kind != "f":
        size = np.asarray(size, float)
    if ord > 0:
        most = np.max(size, axis=axis, keepdims=True, initial=0)
    else:
        most = np.min(size, axis=axis, keepdims=True, initial=np.inf)
    return lifting(most, lambda: most, 3 * abs(ord))


@as_one_call
def _numpys(found: Any, size: Any, k: Any, ord: Any, axis: Any) -> Any:  # noqa: A002
    """The norm as NumPy has it, of values whose powers over- or underflow."""
    if np.all(k == 1):
        return np.array(found)
    return np.where(k == 1, found, _by_powers(size, ord, axis, True))


@primitive
def valued(found: Any, known: Any) -> Any:
    """`found`, with another value."""
    return np.positive(known)


valued.defvjp(lambda g, ans, found, known: g)
