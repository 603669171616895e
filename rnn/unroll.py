"""Unrolling: the same cell laid out once for each instant of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from autograd import checkpoint, scope

__all__ = ["unroll"]

Output = TypeVar("Output")
State = TypeVar("State")


def unroll(
    cell: Callable[[Any, State], tuple[Output, State]],
    xs: Any,
    state: State,
    steps: Iterable[object] | None = None,
    segment: int | None = None,
    prepare: Callable[[Any], Any] | None = None,
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
        segment: keep of every so many steps the outputs and the last state alone, and run
            them again in the sweep: the same values and gradients for one more forward
            pass, out of memory that, with √T of them, grows like √T beside the outputs.
        prepare: of the inputs of all steps, or of a segment's, what `cell` is to get of
            each in place of x^t: what does not depend on the state is computed of many
            steps at once.

    Returns:
        The T outputs, and s^T.

    Raises:
        ValueError: for a segment of less than one step.
    """
    if segment is not None and segment < 1:
        raise ValueError(f"unroll: segment={segment}, expected at least 1 step")
    advance, names = getattr(cell, "step", cell), _names(xs, steps)
    T = len(names)

    def run(first: int, last: int, state: Any) -> tuple[list[Any], Any]:
        part = xs if last - first == T else xs[first:last]
        part = part if prepare is None else prepare(part)
        outputs = []
        for t in range(first, last):
            with scope(f"t={names[t]}"):
                output, state = advance(part[t - first], state)
            outputs.append(output)
        return outputs, state

    if segment is None:
        return run(0, T, state)
    outputs: list[Any] = []
    for first in range(0, T, segment):
        part = checkpoint(partial(run, first, min(first + segment, T)))
        some, state = part(state)
        outputs += some
    return outputs, state


def _names(xs: Any, steps: Iterable[object] | None) -> list[object]:
    return list(range(1, len(xs) + 1) if steps is None else steps)
