"""Operations that move elements about, and indexing."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autograd.backward import Piece
from autograd.primitive import Primitive, implements, rule
from autograd.tensor import Tensor, value_of

__all__: list[str] = []

rule(np.reshape, lambda g, ans, x, *shape, **kw: np.reshape(g, np.shape(x)))
rule(np.ravel, lambda g, ans, x, *order: np.reshape(g, np.shape(x)))
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
    return np.transpose(g, axes if axes is None else np.argsort(np.mod(axes, x.ndim)))


rule(np.transpose, _transpose)


def _scatter(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    return Piece(g, index, shape).full()


getitem = Primitive(operator.getitem)
scatter = Primitive(_scatter, name="scatter")
"""The adjoint of indexing: zeros of `shape` with g added at [index]."""

getitem.defvjp(
    lambda g, ans, x, index: (
        scatter(g, index, np.shape(x))
        if isinstance(g, Tensor)
        else Piece(g, index, np.shape(x))
    )
)
scatter.defvjp(lambda g, ans, x, index, shape: g[index])


@implements(operator.getitem)
def _index(x: Tensor, index: Any) -> Any:
    """x[index], for every index that an ndarray takes; Tensors of integers too."""
    if isinstance(index, tuple):
        return getitem(x, tuple(map(_plain_index, index)))
    return getitem(x, _plain_index(index))


def _plain_index(part: Any) -> Any:
    return np.asarray(part) if isinstance(part, list) else value_of(part)


@implements(np.take_along_axis)
def _take_along_axis(x: Tensor, indices: Any, axis: int | None = -1) -> Any:
    if axis is None:
        return np.ravel(x)[value_of(indices)]
    grid = list(np.ogrid[tuple(slice(n) for n in np.shape(indices))])
    grid[axis] = value_of(indices)
    return x[tuple(grid)]


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


@implements(np.stack)
def _np_stack(arrays: Any, axis: int = 0) -> Any:
    return stack(*arrays, axis=axis)


@implements(np.concatenate)
def _np_concatenate(arrays: Any, axis: int | None = 0) -> Any:
    if axis is None:
        return concatenate(*(np.ravel(a) for a in arrays))
    return concatenate(*arrays, axis=axis)
