"""Operations that take many elements to one, scans, and what is made of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.backward import cast
from autograd.primitive import Primitive, implements, rule
from autograd.tensor import DISPATCH, listed, value_of

__all__ = ["count_of", "expand"]


def expand(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """Put back the axes that a reduction of x over `axis` took away, with size 1."""
    if keepdims:
        return g
    if axis is None or not np.ndim(x):  # NumPy takes axis=0 of a scalar, too
        return np.reshape(g, (1,) * np.ndim(x))
    return np.expand_dims(g, axis)


def _sum(
    g: Any, ans: Any, x: Any, axis: Any = None, dtype: Any = None, out: Any = None,
    keepdims: bool = False, initial: Any = 0, where: Any = True,
) -> Any:  # fmt: skip
    g = np.broadcast_to(expand(g, x, axis, keepdims), np.shape(x))
    return g if where is True else np.where(where, g, 0)


def count_of(x: Any, axis: Any, where: Any) -> Any:
    """How many elements of x a reduction takes, with the axes kept as size 1."""
    return np.sum(np.broadcast_to(where, np.shape(x)), axis=axis, keepdims=True)


def _mean(
    g: Any, ans: Any, x: Any, axis: Any = None, dtype: Any = None, out: Any = None,
    keepdims: bool = False, *, where: Any = True,
) -> Any:  # fmt: skip
    count = count_of(x, axis, where).astype(np.result_type(x))
    g = np.broadcast_to(expand(g, x, axis, keepdims) / count, np.shape(x))
    return g if where is True else np.where(where, g, 0)


def _extremum(
    g: Any, ans: Any, x: Any, axis: Any = None, out: Any = None, keepdims: bool = False,
    initial: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    """Elements that tie for the extremum share its gradient, an initial value too."""
    ans = expand(ans, x, axis, keepdims)
    ties = ((x == ans) | (np.isnan(x) & np.isnan(ans))) & where
    count = np.sum(ties, axis=axis, keepdims=True)
    if initial is not None:
        count = count + (ans == initial)
    share = ties / np.maximum(count, 1)
    return expand(g, x, axis, keepdims) * share.astype(np.result_type(x))


rule(np.sum, _sum)
rule(np.mean, _mean)
rule(np.max, _extremum)
rule(np.min, _extremum)
DISPATCH[np.amax], DISPATCH[np.amin] = DISPATCH[np.max], DISPATCH[np.min]


def _reversed_cumsum(g: Any, axis: int) -> Any:
    return np.flip(np.cumsum(np.flip(g, axis), axis), axis)


def _cumsum(g: Any, ans: Any, x: Any, axis: Any = None, *args: Any, **kwargs: Any) -> Any:
    if axis is None:
        return np.reshape(_reversed_cumsum(g, 0), np.shape(x))
    return _reversed_cumsum(g, axis)


rule(np.cumsum, _cumsum)


def _cumprod_along(x: Any) -> Any:
    return np.cumprod(x, axis=-1)


cumprod = Primitive(_cumprod_along, name="cumprod")
"""Products of the first 1, 2, … elements along the last axis."""


def _cumprod_vjp(g: Any, ans: Any, x: Any) -> Any:
    """Σ_k≥j g_k Π_i≤k, i≠j x_i, without dividing by an x that may be zero.

    That is the product before j, times S_j with S_j = g_j + x_j+1 S_j+1.
    """
    n = np.shape(x)[-1]
    if not n:
        return g
    before = np.concatenate([np.ones_like(x[..., :1]), ans[..., :-1]], axis=-1)
    tail = g[..., n - 1]
    tails = [tail]
    for j in range(n - 2, -1, -1):
        tail = g[..., j] + x[..., j + 1] * tail
        tails.append(tail)
    return before * np.stack(tails[::-1], axis=-1)


cumprod.defvjp(_cumprod_vjp)


@implements(np.cumprod)
def _np_cumprod(x: Any, axis: int | None = None) -> Any:
    if axis is None or not np.ndim(x):
        return cumprod(np.ravel(x))
    return np.moveaxis(cumprod(np.moveaxis(x, axis, -1)), -1, axis)


def _rows(x: Any, axes: tuple[int, ...], kept: list[int]) -> Any:
    """The given axes of x laid out as one, the last; `kept` are the sizes of the rest."""
    size = math.prod(np.shape(x)[a] for a in axes)
    return np.reshape(np.moveaxis(x, axes, range(-len(axes), 0)), (*kept, size))


@implements(np.prod)
def _prod(
    x: Any, axis: Any = None, *, keepdims: bool = False, initial: Any = 1,
    where: Any = True,
) -> Any:  # fmt: skip
    """The last of the running products of the reduced axes, laid out as one."""
    initial = 1 if initial is None else initial
    if where is not True:
        x = np.where(where, x, 1)
    ndim = np.ndim(x)
    axes = tuple(range(ndim)) if axis is None or not ndim else np.atleast_1d(axis)
    axes = tuple(int(a) % ndim for a in axes)
    kept = [n for i, n in enumerate(np.shape(x)) if i not in axes]
    rows = _rows(x, axes, kept)
    if np.shape(rows)[-1] == 0:
        product = np.sum(rows, axis=-1) + 1
    else:
        product = cumprod(rows)[..., -1]
    shape = [1 if i in axes else n for i, n in enumerate(np.shape(x))]
    return (np.reshape(product, shape) if keepdims else product) * initial


@implements(np.ptp)
def _ptp(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return np.max(x, axis=axis, keepdims=keepdims) - np.min(
        x, axis=axis, keepdims=keepdims
    )


@implements(np.average, by_value=True)
def _average(
    x: Any, axis: Any = None, weights: Any = None, returned: bool = False,
    *, keepdims: bool = False,
) -> Any:  # fmt: skip
    """Σ w x / Σ w; weights of fewer axes go along `axis`."""
    weights = listed(weights)
    if weights is None:
        weights = np.ones(np.shape(x), np.result_type(x))
    elif np.shape(weights) != np.shape(x):
        axes = [int(a) % np.ndim(x) for a in np.atleast_1d(axis)]
        weights = np.transpose(weights, np.argsort(axes))
        shape = [n if i in axes else 1 for i, n in enumerate(np.shape(x))]
        weights = np.broadcast_to(np.reshape(weights, shape), np.shape(x))
    scale = np.sum(weights, axis=axis, keepdims=keepdims)
    mean = np.sum(x * weights, axis=axis, keepdims=keepdims) / scale
    return (mean, scale) if returned else mean


def _replaces_nan(
    nan_function: Callable[..., Any], function: Callable[..., Any], fill: float
) -> None:
    """Declare nan_function as `function` of x with `fill` in the place of NaN."""

    @implements(nan_function)
    def replacing(x: Any, axis: Any = None, **kwargs: Any) -> Any:
        return function(np.where(np.isnan(x), fill, x), axis=axis, **kwargs)


_replaces_nan(np.nansum, np.sum, 0)
_replaces_nan(np.nanprod, np.prod, 1)
_replaces_nan(np.nancumsum, np.cumsum, 0)
_replaces_nan(np.nancumprod, np.cumprod, 1)
rule(np.nanmax, _extremum)
rule(np.nanmin, _extremum)


def _numbers(x: Any, where: Any) -> tuple[Any, Any]:
    """X with 0 in the place of NaN, and where it has a number that counts."""
    number = ~np.isnan(x)
    return np.where(number, x, 0), number if where is True else number & where


@implements(np.nanmean)
def _nanmean(
    x: Any, axis: Any = None, *, keepdims: Any = False, where: Any = True
) -> Any:
    x, where = _numbers(x, where)
    return np.mean(x, axis=axis, keepdims=keepdims, where=where)


def _spread_of_numbers(
    nan_function: Callable[..., Any], function: Callable[..., Any]
) -> None:
    """Declare the variance or deviation of the numbers alone: NaN of ddof or fewer."""

    @implements(nan_function)
    def spread(
        x: Any, axis: Any = None, *, ddof: Any = 0, keepdims: Any = False,
        where: Any = True, mean: Any = None, correction: Any = None,
    ) -> Any:  # fmt: skip
        x, where = _numbers(x, where)
        ddof = ddof if correction is None else correction
        about = {} if mean is None else {"mean": mean}
        count = np.sum(np.broadcast_to(where, np.shape(x)), axis=axis, keepdims=keepdims)
        found = function(x, axis=axis, ddof=ddof, keepdims=keepdims, where=where, **about)
        return found + np.where(count > ddof, 0, np.nan)


_spread_of_numbers(np.nanvar, np.var)
_spread_of_numbers(np.nanstd, np.std)


@implements(np.sort)
def _sort(x: Any, axis: int | None = -1, kind: Any = None, *, stable: Any = None) -> Any:
    if axis is None:
        x, axis = np.ravel(x), -1
    order = np.argsort(value_of(x), axis=axis, kind=kind, stable=stable)
    return np.take_along_axis(x, order, axis)


@implements(np.partition)
def _partition(x: Any, kth: Any, axis: int | None = -1, kind: Any = "introselect") -> Any:
    if axis is None:
        x, axis = np.ravel(x), -1
    order = np.argpartition(value_of(x), kth, axis=axis, kind=kind)
    return np.take_along_axis(x, order, axis)


def _quantile(
    x: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False,
    skip_nan: bool = False,
) -> Any:  # fmt: skip
    """Between two neighbouring order statistics, whatever the method.

    NumPy's own quantile of 0, 1, …, n − 1 is the place among them, and the part of the
    way to the next.
    """
    zero = np.zeros(1, np.result_type(x))
    dtype = np.quantile(zero, q, method=method).dtype  # type: ignore[call-overload]
    q, ndim = np.asarray(q), np.ndim(x)
    axes = tuple(range(ndim)) if axis is None else np.atleast_1d(axis)
    axes = tuple(int(a) % max(ndim, 1) for a in axes)
    kept = [n for i, n in enumerate(np.shape(x)) if i not in axes]
    rows = _rows(x, axes, kept)
    shape = [1 if i in axes else n for i, n in enumerate(np.shape(x))]
    shape = [*q.shape, *(shape if keepdims else kept)]
    if not np.shape(rows)[-1]:  # of no number
        return np.broadcast_to(np.reshape(np.sum(x) + np.nan, (1,) * len(shape)), shape)
    ordered = np.moveaxis(np.sort(rows, axis=-1), -1, 0)
    size = np.shape(ordered)[0]
    counts = np.sum(~np.isnan(ordered), axis=0)
    place = np.empty((*q.shape, *kept))
    for n in np.unique(counts):
        among = np.quantile(np.arange(max(n, 1.0)), q, method=method)  # type: ignore[call-overload]
        place[..., counts == n] = among[..., np.newaxis]
    if not skip_nan:
        place[..., counts < size] = size - 1  # where sorting puts NaN
    below = np.reshape(np.floor(place).astype(int), (q.size, *kept))
    low = np.take_along_axis(ordered, below, 0)
    high = np.take_along_axis(ordered, np.minimum(below + 1, size - 1), 0)
    part = np.reshape(place, np.shape(below)) - below
    found = low + np.where(part > 0, high - low, 0) * part.astype(dtype)
    return np.reshape(found, shape)


def _quantiles(function: Callable[..., Any], per: float, skip_nan: bool) -> None:
    @implements(function, by_value=True)
    def quantile(
        x: Any, q: Any, axis: Any = None, *, method: str = "linear",
        keepdims: bool = False,
    ) -> Any:  # fmt: skip
        q = q / per if isinstance(q, (int, float)) else np.asarray(q) / per
        return _quantile(x, q, axis, method=method, keepdims=keepdims, skip_nan=skip_nan)


_quantiles(np.quantile, 1, False)
_quantiles(np.percentile, 100, False)
_quantiles(np.nanquantile, 1, True)
_quantiles(np.nanpercentile, 100, True)


def _medians(function: Callable[..., Any], skip_nan: bool) -> None:
    @implements(function)
    def median(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        return _quantile(x, 0.5, axis, keepdims=keepdims, skip_nan=skip_nan)


_medians(np.median, False)
_medians(np.nanmedian, True)


@implements(np.diff)
def _diff(
    x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None
) -> Any:
    if n == 0:
        return x

    def like(edge: Any) -> Any:
        edge = listed(edge)
        shape = list(np.shape(x))
        shape[axis] = 1
        return np.broadcast_to(edge, shape) if np.ndim(edge) == 0 else edge

    parts = [like(prepend)] if prepend is not None else []
    parts += [x, *([like(append)] if append is not None else [])]
    x = np.moveaxis(np.concatenate(parts, axis=axis) if len(parts) > 1 else x, axis, -1)
    for _ in range(n):
        x = x[..., 1:] - x[..., :-1]
    return np.moveaxis(x, -1, axis)


@implements(np.trapezoid)
def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y, dx = listed(y), listed(dx)
    lead, ndim = (slice(None),) * (axis % np.ndim(y)), np.ndim(y)
    if x is not None and np.ndim(x) == 1:
        dx = np.reshape(np.diff(x), [-1 if a == len(lead) else 1 for a in range(ndim)])
    elif x is not None:
        dx = np.diff(x, axis=axis)
    sides = y[(*lead, slice(1, None))] + y[(*lead, slice(None, -1))]
    return np.sum(dx * sides / 2, axis=axis)


@implements(np.gradient)
def _gradient(f: Any, *spacing: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Second-order differences inside, one-sided ones of `edge_order` at the edges."""
    ndim = np.ndim(f)
    axes = range(ndim) if axis is None else [int(a) % ndim for a in np.atleast_1d(axis)]
    steps = list(spacing) * len(list(axes)) if len(spacing) == 1 else list(spacing)
    steps = steps or [1.0] * len(list(axes))
    found = [
        np.moveaxis(_slope(np.moveaxis(f, a, -1), listed(h), edge_order), -1, a)
        for a, h in zip(axes, steps, strict=True)
    ]
    dtype = np.result_type(f)
    found = [cast(x, dtype) for x in found] if dtype.kind == "f" else found
    return found[0] if len(found) == 1 else tuple(found)


def _slope(f: Any, h: Any, edge_order: int) -> Any:
    """Differences along the last axis, for a step h or coordinates h."""
    n = np.shape(f)[-1]
    d = np.diff(h) if np.ndim(h) else np.ones(n - 1, np.result_type(f)) * h
    rise = (f[..., 1:] - f[..., :-1]) / d
    a, b = d[:-1], d[1:]
    if np.ndim(h):
        inside = (b * rise[..., :-1] + a * rise[..., 1:]) / (a + b)
    else:
        inside = (f[..., 2:] - f[..., :-2]) / (2 * h)
    first, last = rise[..., :1], rise[..., -1:]
    if edge_order != 1:
        first = first - (rise[..., 1:2] - first) * d[:1] / (d[:1] + d[1:2])
        last = last + (last - rise[..., -2:-1]) * d[-1:] / (d[-1:] + d[-2:-1])
    return np.concatenate([first, inside, last], axis=-1)
