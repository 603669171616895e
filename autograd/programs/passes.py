"""What a recorded program is rewritten into before it is bound to memory.

Each pass takes steps and gives steps: those that are needed; with a new value wherever
one was changed in place; without joining again what was one input; without making the
same call twice. `placing` then computes the parts of a larger value in their places.
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
    "is_elementwise", "lowered", "narrowed", "needed", "once", "renewed", "shifted",
    "windows", "written",
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


def lowered(before: list[Step], kinds: list[Kind]) -> list[Step]:
    """The steps, with stacks and concatenations as copies into their parts' places."""
    steps: list[Step] = []
    for step in before:
        pieces = _pieces(step, kinds)
        if pieces is None:
            steps.append(step)
            continue
        steps.append(Step(np.empty_like, (), {}, step.result))
        for index, part in pieces:
            args = (step.result, index, part)
            steps.append(Step(operator.setitem, args, {}, None))
    return steps


def windows(
    steps: list[Step], kinds: list[Kind], inputs: set[int]
) -> tuple[list[Step], list[Kind]]:
    """The steps and kinds, with views in place of what joins an input's parts again.

    The inputs of all steps, which one weight's gradient wants joined, are x itself.
    """
    changed = written(steps, kinds)
    found = []
    roots = _Same()
    for step in steps:
        view = None if step.result in changed else _window(step, kinds, inputs)
        if view is not None:
            roots[step.result] = view[0]
            step = Step(_part, view, {}, step.result)
        found.append(step)
    return found, [kind._replace(root=roots[kind.root]) for kind in kinds]


def shifted(
    steps: list[Step], kinds: list[Kind], inputs: set[int]
) -> tuple[list[Step], list[Kind]]:
    """The steps and kinds, with one value for two of the same parts a place apart.

    The states h^1 … h^T are what a network returns, and h^0 … h^{T−1} what the gradient
    of its weight wants joined: all of them once, and two views.
    """
    changed, kinds = written(steps, kinds), list(kinds)
    made = {slot: n for n, step in enumerate(steps) for slot in step.made}
    stacks = {
        tuple(step.args[0][:-1]): number
        for number, step in enumerate(steps)
        if step.function is np.stack
        and len(step.args) == 1
        and step.kwargs in ({}, {"axis": 0})
        and _all_slots(step.args[0])
    }
    found: list[list[Step]] = [[step] for step in steps]
    roots = _Same()
    wholes: dict[int, tuple[Slot, Any]] = {}  # by the number of a stack, with h^0
    for number, step in enumerate(steps):
        if step.function is not np.concatenate or len(step.args) > 1 or step.kwargs:
            continue
        if _slot(step.args[0]) or not _all_slots(step.args[0][1:]):
            continue
        start, *others = step.args[0]
        at = stacks.get(tuple(others), number)
        if at >= number or not kinds[step.result].packed or step.result in changed:
            continue
        stack, parts = steps[at].result, steps[at].args[0]
        if at not in wholes:
            given = not _slot(start) or start in inputs or made[start] < at
            still = all(changed.get(kinds[p].root, -1) < at for p in steps[number].given)
            alike = len({_like(p, kinds) for p in (start, *parts)}) == 1
            ordered = kinds[stack].packed and kinds[parts[0]].packed
            if not (given and still and alike and ordered) or stack in changed:
                continue
            whole = Slot(len(kinds))
            wholes[at] = whole, start
            shape, dtype = (len(parts) + 1, *kinds[parts[0]].shape), kinds[stack].dtype
            strides = c_strides(shape, dtype.itemsize)
            kinds.append(Kind(shape, dtype, strides, whole, 0, False))
            roots[stack] = whole
            found[at] = [
                Step(np.empty_like, (), {}, whole),
                *(
                    Step(operator.setitem, (whole, (i,), part), {}, None)
                    for i, part in enumerate((start, *parts))
                ),
                Step(_part, (whole, math.prod(shape[1:]), kinds[stack].shape), {}, stack),
            ]
        whole, first = wholes[at]
        if first is start or (_slot(start) and first == start):
            roots[step.result] = whole
            again = (whole, 0, kinds[step.result].shape)
            found[number] = [Step(_part, again, {}, step.result)]
    kinds = [kind._replace(root=roots[kind.root]) for kind in kinds]
    return [step for some in found for step in some], kinds


def _all_slots(parts: Any) -> bool:
    return isinstance(parts, (list, tuple)) and len(parts) > 0 and all(map(_slot, parts))


def _slot(x: Any) -> bool:
    return isinstance(x, Slot)


def _like(part: Any, kinds: list[Kind]) -> Any:
    """Shape, dtype and strides of a part, a slot or an array; None of anything else."""
    if _slot(part):
        return None if kinds[part].dynamic else kinds[part][:3]
    return (part.shape, part.dtype, part.strides) if type(part) is np.ndarray else None


def written(steps: list[Step], kinds: list[Kind]) -> dict[int, int]:
    """By the values that are written into, the numbers of the last steps to do so."""
    return {
        kinds[slot].root: number
        for number, step in enumerate(steps)
        for slot in step.written
    }


def _window(step: Step, kinds: list[Kind], inputs: set[int]) -> Any:
    if step.function is not np.concatenate or step.kwargs or len(step.args) > 1:
        return None
    parts, result = step.args[0], kinds[step.result]
    if isinstance(parts, Slot) or not all(isinstance(p, Slot) for p in parts):
        return None
    root, end = kinds[parts[0]].root, kinds[parts[0]].offset
    if end is None:
        return None
    start = end
    for kind in (kinds[p] for p in parts):
        size = math.prod(kind.shape) * kind.dtype.itemsize
        same = kind.root == root and kind.offset == end and kind.dtype == result.dtype
        if not same or kind.dynamic or not kind.packed:
            return None
        end += size
    whole = kinds[root]
    if root not in inputs or whole.dtype != result.dtype or not whole.packed:
        return None
    return Slot(root), start // result.dtype.itemsize, result.shape


def _part(x: Any, first: int, shape: tuple[int, ...]) -> Any:
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
    roots = _Same(same)
    return steps, [kind._replace(root=roots[kind.root]) for kind in kinds], same


def _is_pure(step: Step) -> bool:
    """Whether it is a call that gives the same array whenever it is made of the same."""
    named = getattr(step.function, "__name__", "") in ("reduce", "transpose")
    return step.expected is None and (
        named
        or isinstance(step.function, np.ufunc)
        or step.function in (np.concatenate, np.dot, operator.getitem, _part)
    )


def _renamed(step: Step, same: dict[int, Slot]) -> Step:
    """The step, with other slots in the places of some."""
    if not same or not any(slot in same for slot in step.given):
        return step
    names = _Same(same)
    return step.of(filled(step.args, names), filled(step.kwargs, names))


class _Same(dict[int, Slot]):
    def __missing__(self, slot: int) -> int:
        return slot


def _pieces(step: Step, kinds: list[Kind]) -> list[tuple[Any, Slot]] | None:
    """Index and part of each piece of a stack or concatenation; None for other steps."""
    if step.function not in (np.stack, np.concatenate) or len(step.args) not in (1, 2):
        return None
    parts, result = step.args[0], step.result
    axis = step.args[1] if len(step.args) == 2 else step.kwargs.get("axis", 0)
    if set(step.kwargs) - {"axis"} or not isinstance(axis, int):
        return None
    if isinstance(parts, Slot):  # the rows of an array
        return None
    if any(isinstance(p, Slot) and kinds[p].dynamic for p in parts):
        return None
    ndim = len(kinds[result].shape)
    axis %= ndim
    lead = (slice(None),) * axis
    if step.function is np.stack:
        return [((*lead, i), p) for i, p in enumerate(parts)]
    found, start = [], 0
    for p in parts:
        stop = start + (kinds[p].shape if isinstance(p, Slot) else np.shape(p))[axis]
        found.append(((*lead, slice(start, stop)), p))
        start = stop
    return found


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
