"""What was recorded, as plain data: for pictures, for tests, for the curious."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from autograd.backward import Use, seed, sweep, topological
from autograd.deferred import Deferred
from autograd.tensor import Tensor, value_of

__all__ = ["Contribution", "Graph", "Node", "contributions", "graph"]


@dataclass(frozen=True, eq=False)
class Node:
    """One recorded operation, or a leaf.

    Attributes:
        index: its place in `Graph.nodes`.
        op: the operation's name; "leaf" where there is none.
        name: the Tensor's name, if it was given one.
        scope: the path of the `scope`s it was recorded in, "" outside of all.
        shape, dtype: of the value, and of the gradient.
        value: a read-only copy.
        grad: ∂root/∂value, a read-only copy; None where no gradient comes.
        requires_grad: False for constants.
        arguments: its positional arguments in order: the index of a node, or a few words
            on a constant that is none ("0.5", "array (3, 2)", "…, 0:4" for an index).
        parents: the indices among them, as often as they are used.
        contributions: for each parent, the gradient that this use sent back to it;
            None where none was sent.
    """

    index: int
    op: str
    name: str | None
    scope: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    value: Any
    grad: Any
    requires_grad: bool
    arguments: tuple[int | str, ...]
    contributions: tuple[Any, ...]

    @property
    def parents(self) -> tuple[int, ...]:
        return tuple(a for a in self.arguments if isinstance(a, int))


@dataclass(frozen=True)
class Graph:
    """The nodes below a Tensor, in topological order: the root is the last."""

    nodes: tuple[Node, ...]

    @property
    def root(self) -> Node:
        return self.nodes[-1]

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)


def graph(tensor: Tensor, gradient: Any = None, *, contributions: bool = False) -> Graph:
    """A snapshot of all that `tensor` was computed from, with values and gradients.

    Constants are part of it where they are Tensors with a name.

    Args:
        tensor: the root.
        gradient: ∂E/∂tensor, of its shape; may be left out for a root of one element
            (it is 1 then) and for any other (there are no gradients then).
        contributions: keep what each edge carried back, too.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"graph: expected a Tensor, got {type(tensor).__name__}, for which nothing "
            "was recorded"
        )
    nodes = topological(tensor)
    constants = {
        x
        for node in nodes
        for x in node._args
        if isinstance(x, Tensor) and not x._tracked and x.name
    }
    nodes = sorted((*constants, *nodes), key=lambda x: x._order)
    index = {x: i for i, x in enumerate(nodes)}
    gradients: dict[Tensor, Any] = {}
    uses: list[Use] = []
    if tensor._tracked and (gradient is not None or tensor.size == 1):
        start = value_of(seed(tensor, gradient))
        for x, g, _ in sweep(tensor, start, wanted=set(nodes), uses=uses):
            gradients[x] = _frozen(g)
    sent = {(use.node, use.place): use.gradient for use in uses if contributions}
    return Graph(tuple(_node(x, index, gradients.get(x), sent) for x in nodes))


def _node(
    x: Tensor, index: dict[Tensor, int], grad: Any, sent: dict[tuple[Tensor, int], Any]
) -> Node:
    inside = [isinstance(a, Tensor) and a in index for a in x._args]
    return Node(
        index=index[x],
        op=x.op,
        name=x.name,
        scope=x.scope,
        shape=x.shape,
        dtype=x.dtype,
        value=_frozen(x._data),
        grad=grad,
        requires_grad=x._tracked,
        arguments=tuple(
            index[a] if parent else _words(a)
            for a, parent in zip(x._args, inside, strict=True)
        ),
        contributions=tuple(
            _frozen(sent.get((x, i))) for i, parent in enumerate(inside) if parent
        ),
    )


def _words(constant: Any) -> str:
    value = value_of(constant)
    if isinstance(value, np.ndarray):
        return f"array {value.shape}"
    if isinstance(value, tuple):
        return ", ".join(map(_words, value))
    if isinstance(value, slice):
        parts = (value.start, value.stop, value.step)
        shown = ["" if part is None else _words(part) for part in parts]
        return ":".join(shown if shown[2] else shown[:2])
    if value is Ellipsis:
        return "…"
    if value is None or isinstance(value, (bool, int, str, np.integer)):
        return str(value)
    return f"{value:.3g}" if isinstance(value, float) else type(value).__name__


def _frozen(value: Any) -> Any:
    if value is None:
        return None
    copy = np.array(value.full() if isinstance(value, Deferred) else value)
    copy.flags.writeable = False
    return copy


class Contribution(NamedTuple):
    """What one use of a parameter adds to its gradient.

    Attributes:
        scope: where the use was recorded, "t=3" for a step of an unrolled network.
        op: the operation that used it.
        gradient: of the parameter's shape.
    """

    scope: str
    op: str
    gradient: Any


def contributions(loss: Tensor, parameter: Tensor) -> list[Contribution]:
    """The terms whose sum is ∂loss/∂parameter, one for each use, in order of recording.

    For a network unrolled in time that is one term for each step, since
    ∂E/∂W = Σ_t (∂E/∂W through its use at step t).
    """
    uses: list[Use] = []
    for _ in sweep(loss, seed(loss, None), wanted={parameter}, uses=uses):
        pass
    return [
        Contribution(use.node.scope, use.node.op, _frozen(use.gradient))
        for use in sorted(uses, key=lambda use: (use.node._order, use.place))
        if use.node._args[use.place] is parameter
    ]
