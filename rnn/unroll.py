"""Unrolling: the same cell laid out once for each instant of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from autograd import checkpoint, scope
from autograd.programs.replaying import Replayed
from rnn.checks import check_callable, check_sizes

__all__ = ["in_parts", "instants", "is_ours", "unroll"]

PART = 256
"""So many steps are replayed as one program; of longer sequences, one part of them after
the other."""

Output = TypeVar("Output")
State = TypeVar("State")


def unroll(
    cell: Callable[[Any, State], tuple[Output, State]],
    xs: Any,
    state: State,
    steps: Iterable[object] | None = None,
    segment: int | None = None,
    *,
    prepare: Callable[[Any], Any] | None = None,
    layer: str = "",
    reverse: bool = False,
) -> tuple[list[Output], State]:
    """Run `cell` over a sequence; what it records is the unrolled network.

    There is nothing more to backpropagation through time: the graph that this loop
    leaves behind is a feed-forward network, and a sweep of it is plain backpropagation.

    Args:
        cell: a function (x^t, s^{t−1}) → (output^t, s^t), or an `RNNCell`, `GRUCell` or
            `LSTMCell`, whose output is h^t.
        xs: the inputs, T of them along the first axis; an array, Tensor or list.
        state: s^0; s^{T+1} where `reverse`.
        steps: what to call the T instants, 1 … T unless given. The operations of each
            are recorded in `scope(f"t={step}")`.
        segment: keep of every so many steps the outputs and the last state alone, and run
            them again in the sweep: the same values and gradients for one more forward
            pass, out of memory that, with √T of them, grows like √T beside the outputs.
            A segment is one operation, in `scope("t=1…4")`.
        prepare: of the inputs of all steps, or of a segment's, what `cell` is to get of
            each in place of x^t: what does not depend on the state is computed of many
            steps at once.
        layer: the scope within each step's in which the operations are recorded.
        reverse: run from the last step to the first: (x^t, s^{t+1}) → (output^t, s^t).

    Returns:
        The T outputs in the order of xs, and the state after the last step that was run.

    Raises:
        ValueError: for a segment of less than one step, and for more or fewer names in
            `steps` than inputs.
        TypeError: for inputs that are no sequence, and for a cell that is no function or
            does not return an output and a state.
    """
    check_callable("unroll", "cell", cell, "(x, state) → (output, next state)")
    names = _names(xs, steps)
    T, titles = len(names), instants(names, segment)
    advance = getattr(cell, "step", cell)
    inner = f"/{layer}" if layer else ""

    def run(first: int, last: int, state: Any) -> tuple[list[Any], Any]:
        part = xs if last - first == T else xs[first:last]
        part = part if prepare is None else prepare(part)
        outputs = []
        for t in range(first, last)[::order]:
            with scope(f"t={names[t]}{inner}"):
                output, state = _pair(advance(part[t - first], state))
            outputs.append(output)
        return outputs, state

    order = -1 if reverse else 1
    if segment is None:
        outputs, state = run(0, T, state)
        return outputs[::order], state
    outputs = []
    for first in range(0, T, segment)[::order]:
        part = checkpoint(partial(run, first, min(first + segment, T)))
        with scope(titles[first] + inner):
            some, state = part(state)
        outputs += some
    return outputs[::order], state


def is_ours(*objects: object) -> bool:
    """Whether objects are of classes of this library, which do nothing but compute.

    What others do beside that (keep what they come by, draw random numbers, follow a
    schedule) they could not do when they are replayed.
    """
    return all(type(x).__module__.startswith("rnn.") for x in objects)


def in_parts(
    calls: Replayed,
    run: Callable[..., tuple[Any, Any]],
    weights: Any,
    x: Any,
    state: Any,
    mask: Any = None,
    segment: int | None = None,
    *,
    whole: bool = False,
) -> tuple[Any, Any]:
    """A network over a sequence, or over one part of it after the other, replayed.

    What a part leaves in memory is the next one's once it has been run, and is made again
    in the sweep.

    Args:
        calls: those of the network.
        run: the network, a function of (weights, x, state, mask, segment=, first=) to the
            outputs, one array or a tuple of them along the first axis of time, and the
            last state. `first` says how many steps there are before its own.
        weights, state: nests of Tensors and arrays.
        x, mask: along the first axis of time; no mask is None.
        segment: steps that are run again in the sweep rather than kept; the length of a
            part unless that is `whole`.
        whole: take no parts: of what runs over the sequence from its end, too.

    Returns:
        The outputs of all steps and the last state, as `run` has them.

    Raises:
        ValueError: for a segment of less than one step.
    """
    if segment is not None:
        check_sizes("unroll", segment=segment)
    size = len(x) if whole else segment or PART
    parts = []
    for first in range(0, len(x), size):
        part = slice(first, first + size)
        recorded = partial(run, first=first)
        outputs, state = calls(
            partial(recorded, segment=segment),
            weights,
            x if size >= len(x) else x[part],
            state,
            mask if mask is None else mask[part],
            recorded=recorded,
        )
        parts.append(outputs)
    if len(parts) == 1:
        return parts[0], state
    if isinstance(parts[0], tuple):
        return tuple(map(np.concatenate, zip(*parts, strict=True))), state
    return np.concatenate(parts), state


def instants(names: Sequence[object], segment: int | None = None) -> list[str]:
    """The scope of each of the T steps: its own, or its segment's.

    >>> instants([1, 2, 3])
    ['t=1', 't=2', 't=3']
    >>> instants([1, 2, 3], segment=2)
    ['t=1…2', 't=1…2', 't=3']

    Raises:
        ValueError: for a segment of less than one step.
    """
    size = 1 if segment is None else segment
    check_sizes("unroll", segment=size)
    found = []
    for first in range(0, len(names), size):
        part = names[first : first + size]
        ends = [part[0], part[-1]] if len(part) > 1 else part
        found += [f"t={'…'.join(map(str, ends))}"] * len(part)
    return found


def _names(xs: Any, steps: Iterable[object] | None) -> list[object]:
    """What the steps are called, once there is seen to be one name for each input."""
    if not (isinstance(xs, Sequence) or getattr(xs, "ndim", None)):
        scalar = hasattr(xs, "ndim") or isinstance(xs, int | float)
        mend = "x.reshape(1, …)" if scalar else "list(xs)"
        raise TypeError(
            f"unroll: xs is a {type(xs).__name__}, expected the inputs of all steps, an "
            f"array or Tensor (T, …) or a list; {mend} makes one"
        )
    if steps is None:
        return list(range(1, len(xs) + 1))
    if not isinstance(steps, Iterable):
        raise TypeError(
            f"unroll: steps is a {type(steps).__name__}, expected a name for each of the "
            f"T = {len(xs)} steps"
        )
    names = list(steps)
    if len(names) != len(xs):
        raise ValueError(
            f"unroll: steps has {len(names)} names and xs T = {len(xs)} inputs, expected "
            "one name for each"
        )
    return names


def _pair(found: Any) -> tuple[Any, Any]:
    """What a step of the cell returned, once it is seen to be two things."""
    if isinstance(found, tuple) and len(found) == 2:
        return found
    what = f" of {len(found)}" if isinstance(found, tuple) else ""
    raise TypeError(
        f"unroll: the cell returned a {type(found).__name__}{what}, expected the two "
        "(output, next state)"
    )
