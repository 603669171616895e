"""Variances and standard deviations; of numbers whose squares over- or underflow, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.composition import in_dtype, plain
from autograd.primitive import primitive, rule
from autograd.programs.tracing import as_one_call
from autograd.rules.norms import over_twice, valued
from autograd.rules.reductions import count_of, expand
from autograd.rules.scaled import lifting
from autograd.tensor import DISPATCH, Tensor, value_of

__all__: list[str] = []


def _var(
    g: Any, ans: Any, x: Any, axis: Any = None, dtype: Any = None, out: Any = None,
    ddof: Any = 0, keepdims: bool = False, *, where: Any = True, mean: Any = None,
    correction: Any = None,
) -> Any:  # fmt: skip
    if mean is None:
        mean = np.mean(x, axis=axis, keepdims=True, where=where)
    ddof = ddof if correction is None else correction
    return _about_mean(expand(g, x, axis, keepdims), x - mean, axis, ddof, where)


def _about_mean(g: Any, deviation: Any, axis: Any, ddof: Any, where: Any) -> Any:
    """The gradient of the mean square of the deviations from a mean."""
    dtype = np.result_type(deviation)
    count = np.maximum(count_of(deviation, axis, where) - ddof, 0).astype(dtype)
    out = g * (2 / count) * deviation
    return out if where is True else np.where(where, out, 0)


def _std(
    g: Any, ans: Any, x: Any, axis: Any = None, dtype: Any = None, out: Any = None,
    ddof: Any = 0, keepdims: bool = False, *, where: Any = True, mean: Any = None,
    correction: Any = None,
) -> Any:  # fmt: skip
    """0 for equal numbers, where the root has no derivative; as in PyTorch."""
    ddof = ddof if correction is None else correction
    g, ans = (expand(a, x, axis, keepdims) for a in (g, ans))
    k = _lifting_of_spread(value_of(x), value_of(ans), axis, where, mean)
    of = {"axis": axis, "dtype": dtype, "ddof": ddof, "where": where, "mean": mean}
    return _by_spread(g, _spread(x, k, value_of(ans), **of), x, k, of)


def _by_spread(g: Any, spread: Any, x: Any, k: Any, of: dict[str, Any]) -> Any:
    """The gradient of np.std of kx, which is `spread`, by kx; see `norms`."""
    axis, where, mean = of["axis"], of["where"], of["mean"]
    if mean is None:
        mean = np.mean(x, axis=axis, keepdims=True, where=where)
    half = over_twice(g, spread)
    return _about_mean(half, _lifted(x, mean, k), axis, of["ddof"], where)


@as_one_call
def _lifting_of_spread(x: Any, known: Any, axis: Any, where: Any, mean: Any) -> Any:
    """By which x is to be multiplied, where its deviation `known` is not ordinary."""

    def largest() -> Any:
        about = (
            np.mean(x, axis=axis, keepdims=True, where=where) if mean is None else mean
        )
        away = np.abs(x - about)
        return np.max(away, axis=axis, keepdims=True, initial=0, where=where)

    return lifting(known, largest)


@primitive
@as_one_call
def _lifted(x: Any, mean: Any, k: Any) -> Any:
    """k (x − mean)"""
    return x - mean if np.all(k == 1) else (x - mean) * k


_lifted.defvjp(lambda g, ans, x, mean, k: g * k, lambda g, ans, x, mean, k: -g * k)


@primitive
@as_one_call
def _spread(x: Any, k: Any, known: Any, *, mean: Any, **of: Any) -> Any:
    """The standard deviation of kx; where k is 1, that is `known`."""
    if np.all(k == 1):
        return np.array(known)
    about = {} if mean is None else {"mean": mean * k}
    return np.where(k == 1, known, np.std(x * k, keepdims=True, **of, **about))


_spread.defvjp(lambda g, ans, x, k, known, **of: _by_spread(g * k, ans, x, k, of))


def _spreads(function: Callable[..., Any], vjp: Callable[..., Any]) -> None:
    """Declare np.var or np.std, which are compositions where the mean is a Tensor."""
    declared = rule(function, vjp)

    def spread(*args: Any, **kwargs: Any) -> Any:
        if not isinstance(kwargs.get("mean"), Tensor):
            return declared(*args, **kwargs)
        expected = function(*plain(args), **plain(kwargs))
        composed = _about if function is np.var else _about_root
        return np.reshape(composed(*args, **kwargs), np.shape(expected))

    DISPATCH[function] = spread


def _about(
    x: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
    keepdims: bool = False, *, where: Any = True, mean: Any, correction: Any = None,
    k: Any = None,
) -> Any:  # fmt: skip
    """The mean of (x − mean)², or of k² (x − mean)², with the axes kept."""
    x = in_dtype(x, dtype)
    ddof = ddof if correction is None else correction
    count = np.maximum(count_of(x, axis, where) - ddof, 0).astype(np.result_type(x))
    deviation = x - mean if k is None else _lifted(x, mean, k)
    return np.sum(np.square(deviation), axis=axis, keepdims=True, where=where) / count


def _about_root(x: Any, axis: Any = None, *args: Any, mean: Any, **kwargs: Any) -> Any:
    """√ of the mean of (x − mean)², with the axes kept; see `norms` for k."""
    values = value_of(x), value_of(mean)
    known = np.sqrt(_about(values[0], axis, *args, mean=values[1], **kwargs))
    k = _lifting_of_spread(values[0], known, axis, kwargs.get("where", True), values[1])
    squares = _about(x, axis, *args, mean=mean, k=k, **kwargs)
    zero = value_of(squares) == 0
    return valued(np.where(zero, 0, np.sqrt(np.where(zero, 1, squares))) / k, known)


_spreads(np.var, _var)
_spreads(np.std, _std)
