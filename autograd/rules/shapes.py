"""Operations that move elements about, and indexing."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.arrays import check_plain
from autograd.backward import cast
from autograd.composition import in_dtype, plain
from autograd.context import state
from autograd.deferred import Deferred, Piece, Rows
from autograd.primitive import Primitive, implements, rule
from autograd.programs.tracing import FLOATS
from autograd.signature import no_keyword
from autograd.tensor import DISPATCH, Tensor, array_of, listed, value_of

__all__: list[str] = []


def _reshape(x: Any, shape: Any, order: str) -> Any:
    return np.reshape(x, shape, order=order)  # type: ignore[call-overload]


reshape: Primitive = Primitive(_reshape, name="reshape").defvjp(
    lambda g, ans, x, shape, order: reshape(g, np.shape(x), order)
)


@implements(np.reshape, trial=None)
def _np_reshape(x: Any, shape: Any, order: str = "C", copy: bool | None = None) -> Any:
    """The copy that copy=True asks for is never needed: a Tensor's value is read-only."""
    if isinstance(copy, str) or (copy is not None and not copy):
        raise TypeError(no_keyword("reshape", "copy", copy))
    return reshape(x, value_of(shape), _as_c_or_f("reshape", order))


@implements(np.ravel, trial=None)
def _ravel(x: Any, order: str = "C") -> Any:
    return reshape(x, -1, _as_c_or_f("ravel", order))


def _as_c_or_f(function: str, order: Any) -> Any:
    """The order of elements; "A" and "K", which ask for that in memory, have no rule."""
    if order in ("A", "K", "a", "k"):
        raise TypeError(no_keyword(function, "order", order))
    return order


rule(np.squeeze, lambda g, ans, x, axis=None: np.reshape(g, np.shape(x)))
rule(np.expand_dims, lambda g, ans, x, axis: np.reshape(g, np.shape(x)))
rule(np.flip, lambda g, ans, x, axis=None: np.flip(g, axis))
rule(np.broadcast_to, lambda g, ans, x, shape: g)
rule(np.swapaxes, lambda g, ans, x, axis1, axis2: np.swapaxes(g, axis1, axis2))
rule(
    np.moveaxis,
    lambda g, ans, x, source, destination: np.moveaxis(g, destination, source),
)


def _transpose(g: Any, ans: Any, x: Any, axes: Any = None) -> Any:
    if isinstance(g, Deferred):
        if axes is None:
            return g.T
        g = g.full()
    return np.transpose(g, axes if axes is None else np.argsort(np.mod(axes, np.ndim(x))))


transpose = rule(np.transpose, _transpose)
transpose.defers = True  # of products, the factors change places


@implements(np.ndarray.astype, trial=None)
def _astype_of(
    x: Any, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: Any = True,
    copy: Any = True,
) -> Any:  # fmt: skip
    if (order, casting) != ("K", "unsafe"):
        np.ndarray.astype(np.asarray(plain(x)), dtype, order, casting)
    return cast(x, dtype)


if hasattr(np, "astype"):  # from NumPy 2.1 on

    @implements(np.astype)
    def _astype(x: Any, dtype: Any, *, copy: Any = True, device: Any = None) -> Any:
        return cast(x, dtype)


@implements(np.copy)
def _copy(x: Any, order: str = "K", subok: bool = False) -> Any:
    return np.positive(x)


@implements(np.full_like)
def _full_like(
    x: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True,
    shape: Any = None, *, device: Any = None,
) -> Any:  # fmt: skip
    dtype = np.result_type(x) if dtype is None else np.dtype(dtype)
    filled = np.broadcast_to(fill_value, np.shape(x) if shape is None else shape)
    if isinstance(filled, Tensor):
        return cast(filled, dtype)
    return np.array(filled, dtype)


def _scatter(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    return Piece(g, index, shape).full()


getitem = Primitive(operator.getitem)
scatter = Primitive(_scatter, name="scatter")
"""The adjoint of indexing: zeros of `shape` with g added at [index]."""


def _getitem(g: Any, ans: Any, x: Any, index: Any) -> Any:
    if isinstance(g, Deferred) and not (type(g) is Rows and type(index) is int):
        g = g.full()
    if isinstance(g, Tensor):
        return scatter(g, index, np.shape(x))
    return Piece(g, index, np.shape(x))


getitem.defvjp(_getitem)
getitem.defers = True  # of the products of all steps, one is made
scatter.defvjp(lambda g, ans, x, index, shape: g[index])


def _index(x: Tensor, index: Any) -> Any:
    """x[index], for every index that an ndarray takes; Tensors of integers too."""
    if type(x._data) in FLOATS:
        x = reshape(x, (), "C")
    if type(index) is int:
        return getitem.two(x, index)
    if isinstance(index, tuple):
        return getitem(x, tuple(map(_plain_index, index)))
    return getitem(x, _plain_index(index))


DISPATCH[operator.getitem] = _index


def _plain_index(part: Any) -> Any:
    if isinstance(part, list):
        return np.asarray(part, None if part else np.intp)
    part = value_of(part)
    if not isinstance(part, np.ndarray):
        return part
    check_plain("index", part)
    # A graph keeps the index of its recording; a program reads the array at each run.
    return np.array(part) if state.get().tape is None else part


def _moves(function: Callable[..., Any]) -> None:
    """Declare a function whose every result is a copy of one element of its argument.

    Run on the elements' numbers instead, it tells where each came from, which is all
    that its gradient needs to know.
    """

    def vjp(g: Any, ans: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        if not np.size(x):
            return np.zeros_like(x)  # np.resize of nothing gives zeros, made of nothing
        numbers = np.arange(np.size(x)).reshape(np.shape(x))
        source = function(numbers, *args, **kwargs)
        return np.reshape(scatter(g, source, (np.size(x),)), np.shape(x))

    rule(function, vjp)


for _function in (
    np.diagonal, np.repeat, np.rollaxis, np.rot90, np.roll, np.tile, np.atleast_1d,
    np.atleast_2d, np.atleast_3d, np.resize, np.delete,
):  # fmt: skip
    _moves(_function)


def _atleast(function: Callable[..., Any]) -> None:
    one = DISPATCH[function]

    @implements(function, trial=None)
    def each(*arrays: Any) -> Any:
        found = tuple(one(a) if isinstance(a, Tensor) else function(a) for a in arrays)
        return found[0] if len(found) == 1 else found


for _function in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
    _atleast(_function)


@implements(np.diag)
def _diag(x: Any, k: int = 0) -> Any:
    if np.ndim(x) == 2:
        return np.diagonal(x, k)
    if np.ndim(x) != 1:
        raise ValueError(f"np.diag: shape {np.shape(x)}, expected one or two axes")
    n = np.size(x)
    rows = np.arange(n) + max(-k, 0)
    return scatter(x, (rows, rows + k), (n + abs(k), n + abs(k)))


@implements(np.trace)
def _trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return np.sum(np.diagonal(x, offset, axis1, axis2), axis=-1)


@implements(np.linalg.diagonal)
def _matrix_diagonal(x: Any, *, offset: int = 0) -> Any:
    return np.diagonal(x, offset, -2, -1)


@implements(np.linalg.trace)
def _matrix_trace(x: Any, *, offset: int = 0) -> Any:
    return _trace(x, offset, -2, -1)


@implements(np.linalg.matrix_transpose)
@implements(np.matrix_transpose)
def _matrix_transpose(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _lower(shape: tuple[int, ...], k: int) -> Any:
    """Where a matrix has its lower triangle; a vector stands for a square of its rows."""
    return np.tri(shape[-min(len(shape), 2)], shape[-1], k, dtype=bool)


@implements(np.triu)
def _triu(x: Any, k: int = 0) -> Any:
    return np.where(_lower(np.shape(x), k - 1), 0, x)


@implements(np.tril)
def _tril(x: Any, k: int = 0) -> Any:
    return np.where(_lower(np.shape(x), k), x, 0)


@implements(np.fliplr)
def _fliplr(x: Any) -> Any:
    return np.flip(x, 1)


@implements(np.flipud)
def _flipud(x: Any) -> Any:
    return np.flip(x, 0)


@implements(np.take)
def _take(x: Any, indices: Any, axis: int | None = None, *, mode: str = "raise") -> Any:
    if axis is None or not np.ndim(x):
        x, axis = np.ravel(x), 0
    indices, n = array_of(indices), np.shape(x)[axis]
    if not indices.size or indices.dtype.kind in "bf":  # 0 and 1, here no mask
        indices = indices.astype(np.intp)
    if mode != "raise":
        indices = np.take(np.arange(n), indices, mode=mode)  # type: ignore[call-overload]
    return x[_along(axis, np.ndim(x), indices)]


@implements(np.compress, by_value=True)
def _compress(condition: Any, x: Any, axis: int | None = None) -> Any:
    if axis is None or not np.ndim(x):
        x, axis = np.ravel(x), 0
    return x[_along(axis, np.ndim(x), np.flatnonzero(value_of(condition)))]


@implements(np.take_along_axis)
def _take_along_axis(x: Tensor, indices: Any, axis: int | None = -1) -> Any:
    if axis is None:
        return np.ravel(x)[value_of(indices)]
    grid = list(np.ogrid[tuple(slice(n) for n in np.shape(x))])
    grid[axis] = value_of(indices)
    return x[tuple(grid)]


@implements(np.select)
def _select(conditions: Any, choices: Any, default: Any = 0) -> Any:
    found = default
    for condition, choice in reversed(list(zip(conditions, choices, strict=True))):
        found = np.where(condition, choice, found)
    return found


@implements(np.choose, by_value=True)
def _choose(which: Any, choices: Any, *, mode: str = "raise") -> Any:
    which, n = array_of(which), len(choices)
    if mode != "raise":
        which = np.choose(which, range(n), mode=mode)  # type: ignore[call-overload]
    cases = [which == i for i in range(n)]
    shape = np.broadcast_shapes(*map(np.shape, (which, *choices)))
    return np.broadcast_to(_select(cases[:-1], choices[:-1], choices[-1]), shape)


PADDED_BY: dict[str, Any] = {
    "mean": np.mean, "maximum": np.max, "minimum": np.min, "median": np.median,
}  # fmt: skip


@implements(np.pad)
def _pad(x: Any, pad_width: Any, mode: str = "constant", **kwargs: Any) -> Any:
    """Of NumPy's modes all but "empty", and functions."""
    if kwargs.get("reflect_type", "even") != "even":
        raise TypeError(no_keyword("pad", "reflect_type", kwargs["reflect_type"]))
    numbers = np.arange(np.size(x)).reshape(np.shape(x))
    if mode == "constant":
        pairs = (np.ndim(x), 2)
        values = np.broadcast_to(listed(kwargs.get("constant_values", 0)), pairs)
        new = -1 - np.arange(2 * np.ndim(x)).reshape(pairs)
        source = np.pad(numbers, pad_width, constant_values=new)
        flat = np.concatenate([np.ravel(x), cast(np.ravel(values), np.result_type(x))])
        return flat[np.where(source < 0, np.size(x) - 1 - source, source)]
    if mode in ("edge", "reflect", "symmetric", "wrap"):
        return np.ravel(x)[np.pad(numbers, pad_width, mode=mode, **kwargs)]  # type: ignore[call-overload]
    if mode != "linear_ramp" and mode not in PADDED_BY:
        raise TypeError(
            f"np.pad: mode={mode!r} has no rule for Tensors; expected constant, edge, "
            f"reflect, symmetric, wrap, linear_ramp, {', '.join(PADDED_BY)}"
        )
    widths = np.broadcast_to(pad_width, (np.ndim(x), 2))
    option = kwargs.get("end_values", kwargs.get("stat_length"))
    options = np.broadcast_to(0 if option is None else listed(option), (np.ndim(x), 2))
    for axis, ends in enumerate(zip(widths, options, strict=True)):
        moved = np.moveaxis(x, axis, 0)
        before, after = (
            _margin(part, int(width), mode, option)
            for part, width, option in zip((moved, moved[::-1]), *ends, strict=True)
        )
        x = np.moveaxis(np.concatenate([before, moved, after[::-1]]), 0, axis)
    return x


def _margin(x: Any, width: int, mode: str, option: Any) -> Any:
    """What np.pad puts before x along its first axis."""
    if mode == "linear_ramp":
        steps = np.arange(width) / max(width, 1)
        steps = steps.astype(np.result_type(x)).reshape(-1, *(1,) * (np.ndim(x) - 1))
        return option + (x[:1] - option) * steps
    edge = PADDED_BY[mode](x[: option or None], axis=0, keepdims=True)
    return np.repeat(edge, width, axis=0)


def _stack(*arrays: Any, axis: int = 0) -> Any:
    return np.stack(arrays, axis=axis)


def _concatenate(*arrays: Any, axis: int = 0) -> Any:
    return np.concatenate(arrays, axis=axis)


def _along(axis: int, ndim: int, part: Any) -> tuple[Any, ...]:
    """The index that takes `part` of one axis and all of the others."""
    return (*(slice(None),) * (axis % ndim), part)


def _concatenate_vjp(i: int) -> Any:
    def vjp(g: Any, ans: Any, *arrays: Any, axis: int = 0) -> Any:
        start = sum(np.shape(a)[axis] for a in arrays[:i])
        stop = start + np.shape(arrays[i])[axis]
        return g[_along(axis, np.ndim(g), slice(start, stop))]

    return vjp


stack = Primitive(_stack, name="stack").defvjp_each(
    lambda i: lambda g, ans, *arrays, axis=0: g[_along(axis, np.ndim(g), i)]
)
concatenate = Primitive(_concatenate, name="concatenate").defvjp_each(_concatenate_vjp)


def _in_dtype(function: Any, arrays: Any, axis: Any, dtype: Any, casting: Any) -> Any:
    """What is to be joined, in a dtype, where NumPy's function takes the keywords."""
    function(plain(arrays), axis=axis, dtype=dtype, casting=casting)
    if dtype is not None and np.dtype(dtype).kind != "f":
        raise TypeError(no_keyword(function.__name__, "dtype", dtype))
    return in_dtype(arrays, dtype)


@implements(np.stack, trial=None)
def _np_stack(
    arrays: Any, axis: int = 0, *, dtype: Any = None, casting: str = "same_kind"
) -> Any:
    if dtype is not None or casting != "same_kind":
        arrays = _in_dtype(np.stack, arrays, axis, dtype, casting)
    return stack(*arrays, axis=axis)


@implements(np.concatenate, trial=None)
def _np_concatenate(
    arrays: Any, axis: int | None = 0, *, dtype: Any = None, casting: str = "same_kind"
) -> Any:
    if dtype is not None or casting != "same_kind":
        arrays = _in_dtype(np.concatenate, arrays, axis, dtype, casting)
    if axis is None:
        return concatenate(*(np.ravel(a) for a in arrays))
    return concatenate(*arrays, axis=axis)


@implements(np.append)
def _append(x: Any, values: Any, axis: int | None = None) -> Any:
    return _np_concatenate((x, listed(values)), axis)


@implements(np.vstack)
def _vstack(arrays: Any, *, casting: str = "same_kind") -> Any:
    return concatenate(*(np.atleast_2d(a) for a in arrays), axis=0)


@implements(np.hstack)
def _hstack(arrays: Any, *, casting: str = "same_kind") -> Any:
    flat = [np.atleast_1d(a) for a in arrays]
    return concatenate(*flat, axis=0 if np.ndim(flat[0]) == 1 else 1)


@implements(np.dstack)
def _dstack(arrays: Any) -> Any:
    return concatenate(*(np.atleast_3d(a) for a in arrays), axis=2)


@implements(np.column_stack)
def _column_stack(arrays: Any) -> Any:
    columns = [np.reshape(a, (-1, 1)) if np.ndim(a) < 2 else a for a in arrays]
    return concatenate(*columns, axis=1)


def _splits(function: Callable[..., Any]) -> None:
    """Declare a function that cuts an array along one axis: each part is a slice."""

    @implements(function, trial=None)
    def split(x: Any, sections: Any, axis: Any = 0) -> list[Any]:
        numbers = np.arange(np.size(x)).reshape(np.shape(x))
        along = () if function in (np.hsplit, np.vsplit, np.dsplit) else (axis,)
        parts = function(numbers, value_of(sections), *along)
        return [np.ravel(x)[part] for part in parts]


for _cut in (np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit):
    _splits(_cut)
