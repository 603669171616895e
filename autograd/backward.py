"""The backward sweep: one traversal of the graph, from its root to its leaves.

Everything that differentiates stands on `sweep`: `Tensor.backward`, `grad`, the
snapshots that pictures are drawn from, and `contributions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import numpy as np

from autograd.anomaly import check_backward
from autograd.context import context
from autograd.primitive import Primitive
from autograd.tensor import Tensor, seal, value_of

__all__ = ["Edge", "backward", "sweep", "topological"]


Edge = tuple[Tensor, Any]
"""(parent, gradient): one use of `parent`, and the gradient that came back along it."""

_BASIC = (int, slice, type(Ellipsis))
"""What NumPy's basic indexing takes: no element is selected twice."""


class Piece:
    """A gradient that is zero but for `array[index]`, not yet written out in full.

    T slices of one array send T of these, which fill one buffer instead of making T
    arrays of its size.
    """

    __slots__ = ("dtype", "g", "index", "shape")

    def __init__(self, g: Any, index: Any, shape: tuple[int, ...]) -> None:
        self.g, self.index, self.shape = g, index, shape
        self.dtype = np.result_type(g)

    def add_to(self, total: Any) -> None:
        parts = self.index if isinstance(self.index, tuple) else (self.index,)
        if all(part is None or isinstance(part, _BASIC) for part in parts):
            total[self.index] += self.g
        else:
            np.add.at(total, self.index, self.g)

    def full(self) -> Any:
        total = np.zeros(self.shape, self.dtype)
        self.add_to(total)
        return total


def topological(root: Tensor) -> list[Tensor]:
    """All that `root` was computed from and carries a gradient, `root` last.

    A Tensor is made after its arguments, so the order of making is a topological one.
    """
    seen, stack = {root}, [root]
    while stack:
        for x in stack.pop()._args:
            if isinstance(x, Tensor) and x._tracked and x not in seen:
                seen.add(x)
                stack.append(x)
    return sorted(seen, key=attrgetter("_order"))


def sweep(
    root: Tensor, gradient: Any, record: bool = False, wanted: set[Tensor] | None = None
) -> Iterator[tuple[Tensor, Any, list[Edge]]]:
    """Yield every node of the graph with its gradient, root first, leaves last.

    A node comes once, after all that used it, so what is yielded with it is its whole
    gradient; and with it the edges to its parents, one for each use.

    Args:
        root: where to start.
        gradient: ∂E/∂root, of root's shape.
        record: make the gradients Tensors, recorded like any computation, so that they
            can be differentiated in turn.
        wanted: sweep only the paths that lead to these; all of the graph if None.
    """
    order = topological(root)
    open_to = None if wanted is None else _above(wanted, order)
    pending: dict[Tensor, list[Any]] = {root: [gradient]}
    for node in reversed(order):
        arrived = pending.pop(node, None)
        if arrived is None:
            continue
        total = accumulate(arrived)
        edges = _edges(node, total, record, open_to)
        for parent, g in edges:
            pending.setdefault(parent, []).append(g)
        yield node, total, edges


def _above(wanted: set[Tensor], order: list[Tensor]) -> set[Tensor]:
    """The nodes of `order` that were computed from something `wanted`, and those."""
    above: set[Tensor] = set()
    for node in order:
        args = node._args
        if node in wanted or any(isinstance(x, Tensor) and x in above for x in args):
            above.add(node)
    return above


def _edges(node: Tensor, g: Any, record: bool, open_to: set[Tensor] | None) -> list[Edge]:
    """The VJP of each argument that carries a gradient, brought to its shape."""
    primitive = node._primitive
    if primitive is None:
        return []
    values = node._values
    if node._seal is not None:
        _check_arrays(node)
    args = node._args if record else values
    ans = node if record else node._data
    edges = []
    for i, x in enumerate(node._args):
        if isinstance(x, Tensor):
            if x._data is not values[i] or x._exposed:
                _check_tensor(node, i)
            if x._tracked and (open_to is None or x in open_to):
                sent = primitive.vjps[i](g, ans, *args, **node._kwargs)
                sent = _fit(sent, x, node)
                if context.lines is not None:
                    check_backward(node, i, value_of(sent))
                edges.append((x, sent))
    return edges


def _check_arrays(node: Tensor) -> None:
    """See that the arrays that `node` was computed from are what they were."""
    for i, then in node._seal.items():
        if not isinstance(node._args[i], Tensor) and seal(node._values[i]) != then:
            shape = node._values[i].shape
            raise ValueError(_CHANGED.format(f"an array {shape}", i, node._title()))


def _check_tensor(node: Tensor, i: int) -> None:
    """See that argument i of `node`, whose value others hold, is what it was."""
    x, value = node._args[i], node._values[i]
    sealed = node._seal[i] if node._seal and i in node._seal else x._seal
    if x._data is not value or (sealed is not None and seal(value) != sealed):
        raise ValueError(_CHANGED.format(x._title(), i, node._title()))


_CHANGED = (
    "backward: {}, argument {} of {}, was changed after that was computed, so the "
    "gradient would be wrong. Change a copy, or change it after backward"
)


def _fit(g: Any, x: Tensor, node: Tensor) -> Any:
    """The adjoint of broadcasting and of promotion: g in the shape and dtype of x."""
    data = x._data
    if type(data) is float and isinstance(g, float):
        return g
    if type(g) is type(data) is np.ndarray and g.shape == data.shape:
        return g if g.dtype == data.dtype else g.astype(data.dtype)
    if isinstance(g, Piece):
        return g
    if np.shape(g) != x.shape:
        if np.ndim(g) > max(node.ndim, x.ndim):
            raise ValueError(
                f"{node.op}: its VJP returned shape {np.shape(g)} for an argument of "
                f"shape {x.shape} and a result of shape {node.shape}; expected the "
                "argument's"
            )
        g = unbroadcast(g, x.shape)
    if type(data) is not float and np.result_type(g) != data.dtype:
        g = cast(g, data.dtype)
    return g


def _cast(x: Any, dtype: Any) -> Any:
    return np.asarray(x).astype(dtype)


cast = Primitive(_cast, name="astype").defvjp(lambda g, ans, x, dtype: g)
"""x in another dtype; its gradient returns to x's own dtype on the edge."""


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """The adjoint of np.broadcast_to: sum g over the axes that broadcasting added.

    Where g is itself still to be broadcast to `shape` (a rule may return one number for
    a whole array), it is.
    """
    lead = np.ndim(g) - len(shape)
    if lead > 0:
        g = np.sum(g, axis=tuple(range(lead)))
    if lead >= 0:
        sizes = np.shape(g)
        added = tuple(i for i, n in enumerate(shape) if n == 1 and sizes[i] != 1)
        if added:
            g = np.sum(g, axis=added, keepdims=True)
    return g if np.shape(g) == shape else np.broadcast_to(g, shape)


def accumulate(pieces: list[Any]) -> Any:
    """The sum of the gradients that reached a node, in one buffer where it is ours."""
    first = pieces[0]
    if len(pieces) == 1:
        return first.full() if isinstance(first, Piece) else first
    if isinstance(first, float):
        return sum(pieces[1:], first)
    if any(isinstance(piece, Tensor) for piece in pieces):
        whole = [p.full() if isinstance(p, Piece) else p for p in pieces]
        return sum(whole[1:], whole[0])
    total = first.full() if isinstance(first, Piece) else np.array(first)
    for piece in pieces[1:]:
        if isinstance(piece, Piece):
            piece.add_to(total)
        else:
            total += piece
    return total


def seed(root: Tensor, gradient: Any) -> Any:
    """Check the gradient given for `root`, or make it where it can only be 1."""
    if not root._tracked:
        raise ValueError(
            f"backward: {root._title()} does not require a gradient. Make a Tensor that "
            "it is computed from with requires_grad=True, outside of no_grad()"
        )
    if gradient is None:
        if root.size != 1:
            raise ValueError(
                f"backward: the root has shape {root.shape}, but only a root of one "
                "element has a gradient of its own. Reduce it (np.sum, np.mean), or "
                f"pass gradient= of shape {root.shape}"
            )
        if type(root._data) is float:
            return 1.0
        return np.ones(root.shape, root.dtype)
    shape = np.shape(value_of(gradient))
    if shape != root.shape:
        raise ValueError(
            f"backward: the gradient has shape {shape}, the root {root.shape}; they must "
            "be equal"
        )
    if np.result_type(gradient) == root.dtype:
        return gradient
    return cast(gradient, root.dtype)


def backward(root: Tensor, gradient: Any = None) -> None:
    """Add ∂root/∂leaf to the `.grad` of every leaf below; see `Tensor.backward`."""
    for node, g, _ in sweep(root, value_of(seed(root, gradient))):
        if node._primitive is None or node._retains:
            _deposit(node, g)


def _deposit(node: Tensor, g: Any) -> None:
    if type(node._data) is float:
        node.grad = (node.grad or 0.0) + float(g)
    elif node.grad is None:
        node.grad = np.array(g)
    else:
        node.grad = node.grad + g
