"""What joins values of a program: where they are joined already, and where each goes.

The sweep of a network wants, for the gradient of a weight, what all steps sent and got in
one array each: the inputs of all steps, which were one array; the states, which are one
that is returned. `placing` then has the parts of what is left computed in their places.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from autograd.programs.passes import Same, part_of, written
from autograd.programs.steps import Kind, Slot, Step, c_strides

__all__ = ["lowered", "shifted", "windows"]


def windows(
    steps: list[Step], kinds: list[Kind], inputs: set[int]
) -> tuple[list[Step], list[Kind]]:
    """The steps and kinds, with views in place of what joins an input's parts again.

    The inputs of all steps, which one weight's gradient wants joined, are x itself.
    """
    changed = written(steps, kinds)
    found = []
    roots = Same()
    for step in steps:
        view = None if step.result in changed else _window(step, kinds, inputs)
        if view is not None:
            roots[step.result] = view[0]
            step = Step(part_of, view, {}, step.result)
        found.append(step)
    return found, [kind._replace(root=roots[kind.root]) for kind in kinds]


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


def shifted(
    steps: list[Step], kinds: list[Kind], inputs: set[int]
) -> tuple[list[Step], list[Kind]]:
    """The steps and kinds, with one value for two of the same parts a place apart.

    The states h^1 … h^T are what a network returns, and h^0 … h^{T−1} what the gradient
    of its weight wants joined: all of them once, and two views.
    """
    changed, kinds = written(steps, kinds), list(kinds)
    made = {slot: n for n, step in enumerate(steps) for slot in step.made}
    stacks = _stacks(steps)
    found: list[list[Step]] = [[step] for step in steps]
    roots = Same()
    wholes: dict[int, tuple[Slot, Any]] = {}  # by the number of a stack, with h^0
    for number, step in enumerate(steps):
        if not _is_joined(step):
            continue
        start, *others = step.args[0]
        at = stacks.get(tuple(others), number)
        if at >= number or not kinds[step.result].packed or step.result in changed:
            continue
        stack, parts = steps[at].result, steps[at].args[0]
        if at not in wholes:
            given = not _is_slot(start) or start in inputs or made[start] < at
            still = all(changed.get(kinds[p].root, -1) < at for p in step.given)
            alike = len({_like(p, kinds) for p in (start, *parts)}) == 1
            ordered = kinds[stack].packed and kinds[parts[0]].packed
            if not (given and still and alike and ordered) or stack in changed:
                continue
            whole = Slot(len(kinds))
            kinds.append(_longer(kinds[stack], whole))
            wholes[at], roots[stack] = (whole, start), whole
            found[at] = _filling(whole, (start, *parts), stack, kinds)
        whole, first = wholes[at]
        if first is start or (_is_slot(start) and first == start):
            roots[step.result] = whole
            again = (whole, 0, kinds[step.result].shape)
            found[number] = [Step(part_of, again, {}, step.result)]
    kinds = [kind._replace(root=roots[kind.root]) for kind in kinds]
    return [step for some in found for step in some], kinds


def _stacks(steps: list[Step]) -> dict[tuple[int, ...], int]:
    """By their parts, the numbers of the steps that stack values along a first axis."""
    return {
        tuple(step.args[0][:-1]): number
        for number, step in enumerate(steps)
        if step.function is np.stack
        and len(step.args) == 1
        and step.kwargs in ({}, {"axis": 0})
        and _all_slots(step.args[0])
    }


def _is_joined(step: Step) -> bool:
    """Whether a step joins values along their first axis, after one that may be given."""
    plain = step.function is np.concatenate and len(step.args) == 1 and not step.kwargs
    return plain and not _is_slot(step.args[0]) and _all_slots(step.args[0][1:])


def _longer(stack: Kind, slot: Slot) -> Kind:
    """What a stack looks like that has one part more."""
    shape = (stack.shape[0] + 1, *stack.shape[1:])
    return Kind(
        shape, stack.dtype, c_strides(shape, stack.dtype.itemsize), slot, 0, False
    )


def _filling(whole: Slot, parts: Any, stack: Slot, kinds: list[Kind]) -> list[Step]:
    """The steps that make a value of these parts, and a stack of all but the first."""
    size = math.prod(kinds[stack].shape[1:])
    return [
        Step(np.empty_like, (), {}, whole),
        *(
            Step(operator.setitem, (whole, (i,), p), {}, None)
            for i, p in enumerate(parts)
        ),
        Step(part_of, (whole, size, kinds[stack].shape), {}, stack),
    ]


def _all_slots(parts: Any) -> bool:
    return (
        isinstance(parts, (list, tuple)) and len(parts) > 0 and all(map(_is_slot, parts))
    )


def _is_slot(x: Any) -> bool:
    return isinstance(x, Slot)


def _like(part: Any, kinds: list[Kind]) -> Any:
    """Shape, dtype and strides of a part, a slot or an array; None of anything else."""
    if _is_slot(part):
        return None if kinds[part].dynamic else kinds[part][:3]
    return (part.shape, part.dtype, part.strides) if type(part) is np.ndarray else None


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
