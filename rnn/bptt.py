"""Backpropagation through time, truncated: where a sequence is cut, and what shows it."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Graph, Node, Tensor
from autograd import graph as snapshot
from autograd.trees import map_tree
from rnn.checks import check_sizes

__all__ = ["CUT", "cut", "cuts", "segments"]

CUT = "cut"
"""The last name in the scope of a state that was cut off from its past."""


def cut(state: Any) -> Any:
    """A state as plain values, through which no gradient goes back.

    The cut is on record: a Tensor a of `scope("t=35")` becomes a leaf that requires no
    gradient, of the same name, in the scope "t=35/cut". It is a node of every graph that
    is computed from it, which `cuts` finds and a picture marks.

    Args:
        state: a Tensor, or a nest of dicts, lists and tuples of them. Whatever is none,
            and a Tensor that was cut already, stays as it is.
    """
    return map_tree(_cut, state)


def _cut(x: Any) -> Any:
    if not isinstance(x, Tensor) or x.scope.split("/")[-1] == CUT:
        return x
    leaf = x.detach()
    leaf.name = x.name or "state"
    leaf.scope = f"{x.scope}/{CUT}" if x.scope else CUT
    return leaf


def cuts(graph: Graph | Tensor) -> tuple[Node, ...]:
    """The nodes at which a graph, or that below a Tensor, was cut off from its past."""
    recorded = graph if isinstance(graph, Graph) else snapshot(graph)
    return tuple(node for node in recorded if node.scope.split("/")[-1] == CUT)


def segments(steps: int, *arrays: Any) -> list[tuple[Any, ...]]:
    """Arrays cut along time, for `fit`: BPTT truncated after so many steps.

    Args:
        steps: the length of a piece; the last may be shorter.
        arrays: (T, …) each, for example the inputs and the targets.

    Returns:
        The pieces in order, each a tuple of one part of every array.

    Raises:
        ValueError: where `steps` is below 1, or the arrays have no steps or not as many.
    """
    check_sizes("segments", steps=steps)
    lengths = [np.shape(x)[0] if np.ndim(x) else 0 for x in arrays]
    if len(set(lengths)) != 1 or not lengths[0]:
        raise ValueError(
            f"segments: arrays of {', '.join(map(str, lengths)) or 'no'} steps, expected "
            "the same number along the first axis, at least 1"
        )
    starts = range(0, lengths[0], steps)
    return [tuple(x[s : s + steps] for x in arrays) for s in starts]
