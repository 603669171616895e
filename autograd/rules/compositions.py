"""NumPy's functions that others compose: no derivative is written here."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.backward import cast
from autograd.primitive import implements
from autograd.rules.shapes import scatter
from autograd.tensor import Tensor, array_of, listed, value_of

__all__: list[str] = []


@implements(np.divmod)
def _divmod(x: Any, y: Any) -> tuple[Any, Any]:
    return np.floor_divide(x, y), np.remainder(x, y)


@implements(np.modf)
def _modf(x: Any) -> tuple[Any, Any]:
    whole = np.trunc(x)
    return np.where(np.isinf(x), 0, x - np.where(np.isinf(x), 0, whole)), whole


@implements(np.frexp)
def _frexp(x: Any) -> tuple[Any, Any]:
    exponent = np.frexp(value_of(x))[1]
    return np.ldexp(x, -exponent), exponent


@implements(np.unwrap)
def _unwrap(x: Any, *args: Any, **kwargs: Any) -> Any:
    value = array_of(x)
    return x + (np.unwrap(value, *args, **kwargs) - value)


def _cumulative(function: Any, scan: Any, start: float) -> None:
    @implements(function)
    def cumulative(
        x: Any, *, axis: int | None = None, include_initial: bool = False
    ) -> Any:
        axis = 0 if axis is None and np.ndim(x) == 1 else axis
        if axis is None:
            raise ValueError(
                f"np.{function.__name__}: axis=None with {np.ndim(x)} axes; expected one"
            )
        found = scan(x, axis=axis)
        if not include_initial:
            return found
        shape = list(np.shape(x))
        shape[axis] = 1
        first = np.full(shape, start, np.result_type(x))
        return np.concatenate([first, found], axis=axis)


if hasattr(np, "cumulative_sum"):  # from NumPy 2.1 on
    _cumulative(np.cumulative_sum, np.cumsum, 0)
    _cumulative(np.cumulative_prod, np.cumprod, 1)

    @implements(np.unstack)
    def _unstack(x: Any, *, axis: int = 0) -> tuple[Any, ...]:
        return tuple(np.moveaxis(x, axis, 0))


@implements(np.ediff1d)
def _ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    parts = (to_begin, np.diff(np.ravel(x)), to_end)
    joined = np.concatenate([np.ravel(part) for part in parts if part is not None])
    return cast(joined, np.result_type(x))


@implements(np.linspace)
def _linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False,
    *, axis: int = 0, device: Any = None,
) -> Any:  # fmt: skip
    start, stop = listed(start), listed(stop)
    parts = num - 1 if endpoint else num
    steps = np.reshape(
        np.arange(num) / max(parts, 1), (-1, *(1,) * np.ndim(start + stop))
    )
    found = start + (stop - start) * steps
    if endpoint and num > 1:  # where start + (stop − start) may be another number
        found = np.concatenate([found[:-1], np.broadcast_to(stop, np.shape(found[:1]))])
    found = np.moveaxis(found, 0, axis)
    return (found, (stop - start) / (parts or np.nan)) if retstep else found


@implements(np.logspace)
def _logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0,
    *, axis: int = 0,
) -> Any:  # fmt: skip
    """`base` to the power of evenly spaced numbers."""
    start, stop, base = listed(start), listed(stop), listed(base)
    if np.ndim(base):
        start, stop = (
            np.broadcast_to(x, np.shape(start + stop + base)) for x in (start, stop)
        )
        base = np.expand_dims(np.broadcast_to(base, np.shape(start)), axis)
    return np.power(base, np.linspace(start, stop, num, endpoint=endpoint, axis=axis))


@implements(np.geomspace, by_value=True)
def _geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, *, axis: int = 0
) -> Any:
    """From start to stop, both of one sign, by a constant factor."""
    start, stop = listed(start), listed(stop)
    sign = np.sign(value_of(start))
    ends = np.log10(start / sign), np.log10(stop / sign)
    found = np.power(10.0, np.linspace(*ends, num, endpoint=endpoint)) * sign
    first, last = (np.broadcast_to(x, np.shape(found[:1])) for x in (start, stop))
    if num > 1:  # the ends themselves are without rounding
        inside = found[1:-1] if endpoint else found[1:]
        found = np.concatenate([first, inside, last][: 3 if endpoint else 2])
    elif num == 1:
        found = first
    return np.moveaxis(found, 0, axis)


@implements(np.cov, by_value=True)
def _cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None,
    fweights: Any = None, aweights: Any = None,
) -> Any:  # fmt: skip
    """Of the rows, or the columns: Σ w (x − x̄)(x − x̄)ᵀ over a normalising constant."""
    if ddof is None:
        ddof = 1 if bias == 0 else 0
    rows = [
        np.atleast_2d(x) if rowvar or np.ndim(x) < 2 else x.T
        for x in (listed(m), listed(y))
        if x is not None
    ]
    x = cast(np.concatenate(rows), np.result_type(np.float64, *rows))
    if fweights is aweights is None:
        x = x - np.mean(x, axis=1, keepdims=True)
        return np.squeeze(x @ x.T / np.maximum(np.shape(x)[1] - ddof, 0.0))
    weights = listed(1 if fweights is None else fweights)
    if aweights is not None:
        weights = weights * listed(aweights)
    total = np.sum(weights)
    x = x - np.sum(x * weights, axis=1, keepdims=True) / total
    less = ddof if aweights is None else ddof * np.sum(weights * listed(aweights)) / total
    return np.squeeze((x * weights) @ x.T / np.maximum(total - less, 0.0))


@implements(np.corrcoef)
def _corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Any:
    covariance = np.atleast_2d(_cov(x, y, rowvar))
    deviation = np.sqrt(np.diagonal(covariance))
    return np.squeeze(covariance / deviation / deviation[:, np.newaxis])


@implements(np.broadcast_arrays)
def _broadcast_arrays(*arrays: Any, subok: bool = False) -> tuple[Any, ...]:
    shape = np.broadcast_shapes(*map(np.shape, arrays))
    return tuple(np.broadcast_to(x, shape) for x in arrays)


@implements(np.meshgrid)
def _meshgrid(
    *arrays: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> tuple[Any, ...]:
    n = len(arrays)
    axes = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else range(n)
    open_ = [
        np.reshape(x, [-1 if a == axis else 1 for a in range(n)])
        for x, axis in zip(arrays, axes, strict=True)
    ]
    return tuple(open_) if sparse else _broadcast_arrays(*open_)


@implements(np.block)
def _block(arrays: Any) -> Any:
    """Nested lists: the innermost joined along the last axis, and so on outwards."""
    depth, inner = 0, arrays
    while isinstance(inner, list):
        depth, inner = depth + 1, inner[0]

    def joined(part: Any, axis: int) -> Any:
        if isinstance(part, list):
            return np.concatenate([joined(p, axis + 1) for p in part], axis=axis)
        missing = max(depth - np.ndim(part), 0)
        return np.reshape(part, (1,) * missing + np.shape(part))

    return joined(arrays, -depth)


@implements(np.insert, by_value=True)
def _insert(x: Any, places: Any, values: Any, axis: int | None = None) -> Any:
    """The elements' numbers, and −1, −2, … for the values', tell what went where."""
    n, numbers = np.size(x), np.arange(np.size(x)).reshape(np.shape(x))
    new = -1 - np.arange(np.size(values)).reshape(np.shape(values))
    source = np.insert(numbers, value_of(places), new, axis=axis)
    return np.concatenate([np.ravel(x), cast(np.ravel(values), np.result_type(x))])[
        np.where(source < 0, n - 1 - source, source)
    ]


@implements(np.unique, by_value=True)
def _unique(
    x: Any, return_index: bool = False, *, axis: Any = None, **others: Any
) -> Any:
    """Of equal elements the gradient is the first's, whose index NumPy tells."""
    found = np.unique(value_of(x), return_index=True, axis=axis, **others)
    first = np.take(x, found[1], axis=axis)
    rest = found[1:] if return_index else found[2:]
    return (first, *rest) if rest else first


@implements(np.extract, by_value=True)
def _extract(condition: Any, x: Any) -> Any:
    return np.compress(np.ravel(value_of(condition)), np.ravel(x))


@implements(np.diagflat)
def _diagflat(x: Any, k: int = 0) -> Any:
    return np.diag(np.ravel(x), k)


@implements(np.bincount, by_value=True)
def _bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    places = array_of(x).astype(np.intp, casting="safe")
    if weights is None:
        return np.bincount(places, minlength=minlength)
    size = np.size(np.bincount(places, minlength=minlength))
    return scatter(cast(weights, np.float64), places, (size,))


def _piecewise_of_values(
    x: Any, conditions: Any, functions: Any, *args: Any, **kwargs: Any
) -> Any:
    """np.piecewise without a call of the functions, for its checks alone."""
    return np.piecewise(x, conditions, [0 if callable(f) else f for f in functions])


@implements(np.piecewise, trial=_piecewise_of_values)
def _piecewise(x: Any, conditions: Any, functions: Any, *args: Any, **kwargs: Any) -> Any:
    """Each function is called on the elements where its condition holds, if any."""
    alone = np.isscalar(conditions) or np.ndim(conditions[0]) < np.ndim(x)
    shape, x, functions = np.shape(x), np.atleast_1d(x), list(functions)
    conditions = [
        array_of(c).astype(bool) for c in ([conditions] if alone else conditions)
    ]
    if len(functions) == len(conditions) + 1:
        conditions.append(~np.any(np.stack(conditions), axis=0))
    result = np.zeros_like(x)
    for condition, function in zip(conditions, functions, strict=True):
        condition = condition if condition.ndim else condition[np.newaxis]
        if callable(function):
            if not np.any(condition):
                continue
            chosen = x[condition]
            part = np.broadcast_to(function(chosen, *args, **kwargs), np.shape(chosen))
            function = scatter(part, condition, np.shape(x))
        inner = (1,) * (np.ndim(x) - condition.ndim)
        mask = np.reshape(condition, condition.shape + inner)
        result = np.where(mask, function, result)
    if not isinstance(result, Tensor):  # of x no element was asked for
        result = np.where(False, x, result)
    return np.reshape(result, shape)


def _along_axis_of_values(
    function: Callable[..., Any], axis: int, x: Any, *args: Any, **kwargs: Any
) -> None:
    """np.apply_along_axis without a call of the function, for its checks alone."""
    np.apply_along_axis(lambda row: 0.0, axis, x)


@implements(np.apply_along_axis, trial=_along_axis_of_values)
def _apply_along_axis(
    function: Callable[..., Any], axis: int, x: Any, *args: Any, **kwargs: Any
) -> Any:
    x = np.moveaxis(x, axis, -1)
    *kept, n = np.shape(x)
    rows = np.reshape(x, (math.prod(kept), n))
    parts = [listed(function(row, *args, **kwargs)) for row in rows]
    found = cast(np.stack(parts), np.result_type(parts[0]))
    found = np.reshape(found, (*kept, *np.shape(found)[1:]))
    place, new = axis % (len(kept) + 1), range(len(kept), np.ndim(found))
    return np.moveaxis(found, new, [place + i for i in range(len(new))])
