"""Unrolling: the same cell laid out once for each instant of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from autograd import scope

__all__ = ["unroll"]

Output = TypeVar("Output")
State = TypeVar("State")


def unroll(
    cell: Callable[[Any, State], tuple[Output, State]],
    xs: Any,
    state: State,
    steps: Iterable[object] | None = None,
) -> tuple[list[Output], State]:
    """Run `cell` over a sequence; what it records is the unrolled network.

    There is nothing more to backpropagation through time: the graph that this loop
    leaves behind is a feed-forward network, and a sweep of it is plain backpropagation.

    Args:
        cell: a function (x^t, s^{t−1}) → (output^t, s^t), or an `RNNCell`, `GRUCell` or
            `LSTMCell`, whose output is h^t.
        xs: the inputs, T of them along the first axis; an array, Tensor or list.
        state: s^0.
        steps: what to call the T instants, 1 … T unless given. The operations of each
            are recorded in `scope(f"t={step}")`.

    Returns:
        The T outputs, and s^T.
    """
    step, outputs = getattr(cell, "step", cell), []
    for t, name in enumerate(range(1, len(xs) + 1) if steps is None else steps):
        with scope(f"t={name}"):
            output, state = step(xs[t], state)
        outputs.append(output)
    return outputs, state
