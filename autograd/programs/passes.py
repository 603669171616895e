"""What a recorded program is rewritten into before it is bound to memory.

Each pass takes steps and gives steps: those that are needed; with a new value wherever
one was changed in place; without making the same call twice; with a copy of what little
is wanted of a large value for long. `joining`, `merging` and `placing` have more.
"""

from __future__ import annotations

import math
import operator
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd.programs.steps import Kind, Slot, Step, c_strides, filled, frozen
from autograd.programs.tracing import Tape

__all__ = [
    "Same", "is_elementwise", "narrowed", "needed", "once", "part_of", "renewed",
    "written",
]  # fmt: skip


def renewed(
    before: list[Step], kinds: list[Kind]
) -> tuple[list[Step], list[Kind], dict[int, Slot]]:
    """The steps and kinds, with a new value for each change of a whole one by a ufunc.

    What is never changed can stand anywhere; a plan puts the new value in the place of
    the old one all the same, where nothing needs that any more.

    Returns:
        The steps, the kinds, and the latest value of each slot that was changed.
    """
    kinds, steps = list(kinds), []
    viewed = {kind.root for slot, kind in enumerate(kinds) if kind.root != slot}
    latest: dict[int, Slot] = {}
    for step in before:
        slot, step = _changed(step, kinds), _renamed(step, latest)
        if slot is not None and slot not in viewed:
            new = Slot(len(kinds))
            kinds.append(kinds[slot]._replace(root=new, offset=0))
            latest[slot] = new
            step = Step(step.function, step.args, {}, new)
        steps.append(step)
    return steps, kinds, latest


def _changed(step: Step, kinds: list[Kind]) -> Slot | None:
    """The value that an elementwise step on arrays of one dtype changes in place."""
    out = step.kwargs.get("out")
    if not is_elementwise(step) or set(step.kwargs) != {"out"} or step.result is not None:
        return None
    (slot,) = out if isinstance(out, tuple) else (out,)
    given = [kinds[x].dtype for x in step.given]
    given += [x.dtype for x in step.args if isinstance(x, np.ndarray)]
    own = kinds[slot].root == slot and not kinds[slot].dynamic
    return slot if own and set(given) == {kinds[slot].dtype} else None


LARGE, FAR = 2**12, 64
"""Elements, and steps of the program, from which on a copy is worth its while."""


def narrowed(
    before: list[Step], kinds: list[Kind], kept: set[int]
) -> tuple[list[Step], list[Kind]]:
    """The steps and kinds, with a copy of a part of a large value that long outlives it.

    Of what a step of a network sends to all gates, a sweep may want that of one.

    Args:
        before: the steps.
        kinds: what their values look like.
        kept: those that are not let go of: inputs, and what is wanted.
    """
    uses, kinds = _uses(before, kinds), list(kinds)
    made = {slot: n for n, step in enumerate(before) for slot in step.made}
    views: defaultdict[int, list[int]] = defaultdict(list)
    for slot, kind in enumerate(kinds):
        if kind.root != slot:
            views[kind.root].append(slot)
    copies: defaultdict[int, list[Step]] = defaultdict(list)
    renamed: dict[int, dict[int, Slot]] = {}
    for root, parts in views.items():
        *others, part = sorted((root, *parts), key=lambda slot: uses[slot][-1])
        end, kind = max(uses[others[-1]][-1], made.get(part, -1)), kinds[part]
        later = [number for number in uses[part] if number > end]
        large = max(LARGE, 2 * math.prod(kind.shape)) <= math.prod(kinds[root].shape)
        if kept & {root, *parts} or not large or uses[part][-1] < end + FAR:
            continue
        if all(is_elementwise(before[number]) for number in later):
            new, strides = Slot(len(kinds)), c_strides(kind.shape, kind.dtype.itemsize)
            kinds.append(Kind(kind.shape, kind.dtype, strides, new, 0, False))
            copies[end].append(Step(np.copy, (Slot(part),), {}, new))
            for number in later:
                renamed.setdefault(number, {})[part] = new
    steps: list[Step] = []
    for number, step in enumerate(before):
        step = _renamed(step, renamed.get(number, {}))
        steps += (step, *copies.get(number, ()))
    return steps, kinds


def _uses(steps: list[Step], kinds: list[Kind]) -> dict[int, list[int]]:
    """By slot, the steps that use it, but those that make views; −1 before all."""
    found: defaultdict[int, list[int]] = defaultdict(lambda: [-1])
    for number, step in enumerate(steps):
        result = kinds[step.result].root if isinstance(step.result, Slot) else None
        for slot in step.given:
            if kinds[slot].root != result:
                found[slot].append(number)
    return found


def is_elementwise(step: Step) -> bool:
    """Whether the step is a ufunc's, which gives the same wherever its result stands."""
    return isinstance(step.function, np.ufunc) and step.function.signature is None


def written(steps: list[Step], kinds: list[Kind]) -> dict[int, int]:
    """By the values that are written into, the numbers of the last steps to do so."""
    return {
        kinds[slot].root: number
        for number, step in enumerate(steps)
        for slot in step.written
    }


def part_of(x: Any, first: int, shape: tuple[int, ...]) -> Any:
    """The elements of x from the first on, in another shape; a view."""
    return x.reshape(-1)[first : first + math.prod(shape)].reshape(shape)


def once(
    before: list[Step], kinds: list[Kind]
) -> tuple[list[Step], list[Kind], dict[int, Slot]]:
    """The steps and kinds, with one call where several are the same.

    The δ of all steps, joined, stand in the gradient of each weight and bias.

    Returns:
        The steps, the kinds, and by slot what has taken its place.
    """
    changed = written(before, kinds)
    seen: dict[Any, Slot] = {}
    same: dict[int, Slot] = {}
    steps = []
    for number, step in enumerate(before):
        step = _renamed(step, same)
        if step.given and isinstance(step.result, Slot) and _is_pure(step):
            # What is changed in place is another value before and after.
            touched = {kinds[slot].root for slot in step.slots}
            if all(changed.get(root, -1) < number for root in touched):
                key = step.function, frozen(step.args), frozen(step.kwargs)
                first = seen.setdefault(key, step.result)
                if first is not step.result:
                    same[step.result] = first
                    continue
        steps.append(step)
    roots = Same(same)
    return steps, [kind._replace(root=roots[kind.root]) for kind in kinds], same


def _is_pure(step: Step) -> bool:
    """Whether it is a call that gives the same array whenever it is made of the same."""
    named = getattr(step.function, "__name__", "") in ("reduce", "transpose")
    return step.expected is None and (
        named
        or isinstance(step.function, np.ufunc)
        or step.function in (np.concatenate, np.dot, operator.getitem, part_of)
    )


def _renamed(step: Step, same: dict[int, Slot]) -> Step:
    """The step, with other slots in the places of some."""
    if not same or not any(slot in same for slot in step.given):
        return step
    names = Same(same)
    return step.of(filled(step.args, names), filled(step.kwargs, names))


class Same(dict[int, Slot]):
    """What has taken the place of a slot: by default itself."""

    def __missing__(self, slot: int) -> int:
        return slot


def needed(tape: Tape, wanted: Iterable[int]) -> list[Step]:
    """The steps that something wanted hangs on, guards included."""
    kinds = tape.kinds
    live = {kinds[slot].root for slot in wanted} | set(wanted)
    kept = []
    for step in reversed(tape.steps):
        if step.result is None and step.expected is None:
            hangs = any(kinds[slot].root in live for slot in step.written)
        else:
            drawn = not step.args  # whether or not it counts, the next draw is another
            hangs = (
                step.expected is not None
                or drawn
                or any(s in live or kinds[s].root in live for s in step.made)
            )
        if hangs:
            for slot in step.slots:
                live |= {slot, kinds[slot].root}
            kept.append(step)
    return kept[::-1]
