"""Which parts of a larger value are computed in their places there, and not copied."""

from __future__ import annotations

import operator
from bisect import bisect_left
from collections import defaultdict
from itertools import pairwise
from typing import Any

import numpy as np

from autograd.programs.passes import is_elementwise
from autograd.programs.steps import Kind, Slot, Step, is_basic, slots_in

__all__ = ["Placed", "last_uses", "placed"]


class Placed:
    """Which values are computed in their places within larger ones.

    Attributes:
        inside: by slot, the slot of the larger value, the index in it, and the number of
            the step that would have copied it there.
    """

    def __init__(self) -> None:
        self.inside: dict[int, tuple[int, Any, int]] = {}

    @property
    def dropped(self) -> set[int]:
        """The steps, by number, that are not needed for it."""
        return {number for _, _, number in self.inside.values()}

    def owner(self, root: int) -> int:
        """The value whose memory `root` stands in."""
        while root in self.inside:
            root = self.inside[root][0]
        return root


def placed(steps: list[Step], kinds: list[Kind]) -> Placed:
    """The copies `whole[index] = part` that are not needed where part is computed there.

    That is so where `part` is made by a step of its own and is as large as its place, and
    laid out like it or `loose`; where what is copied into `whole` goes to places apart,
    and nothing else touches `whole` between that step and the copy, or writes into it
    later; and where nothing writes into `part` after the copy.
    """
    uses, found = _Uses(steps, kinds), Placed()
    began: dict[int, int] = {}  # by a value of parts, when the first of them was made
    for whole, numbers in uses.copies.items():
        kind = kinds[whole]
        if not _apart([_box(steps[n].args[1], kind.shape) for n in numbers]):
            continue
        empty = np.lib.stride_tricks.as_strided(
            np.empty(0, kind.dtype), kind.shape, kind.strides
        )
        for number in numbers:
            _, index, part = steps[number].args
            if (
                uses.final(whole, part, number)
                and part not in found.inside
                and found.owner(whole) != part
                and uses.fits(part, empty[index])
                and uses.untouched(whole, began.get(part, uses.made[part]), number, found)
            ):
                found.inside[part] = whole, index, number
                start = began.get(part, uses.made[part])
                began[whole] = min(start, began.get(whole, uses.made[whole]))
    return found


LIKE = (np.empty_like, np.zeros_like, np.ones_like)
"""Functions to which their argument shows a shape and a dtype."""


class _Uses:
    """When values are made, written and looked at: the numbers of these steps.

    Attributes:
        made: of values with memory of their own.
        copies: of the copies into each value that is made of parts.
        touches: of the steps that have to do with each value, but these.
        writes: of the last that writes into each, but these.
        loose: the values that may be laid out otherwise than they were when they were
            recorded: nothing but ufuncs have to do with them. Others hang on the layout,
            as sums do, and products by BLAS in their last digits.
    """

    def __init__(self, steps: list[Step], kinds: list[Kind]) -> None:
        self.kinds = kinds
        self.made: dict[int, int] = {}
        self.copies: defaultdict[int, list[int]] = defaultdict(list)
        self.touches: defaultdict[int, list[int]] = defaultdict(list)
        self.writes: defaultdict[int, int] = defaultdict(lambda: -1)
        strict = {kind.root for slot, kind in enumerate(kinds) if kind.root != slot}
        parted: set[int] = set()
        for number, step in enumerate(steps):
            if isinstance(step.result, Slot) and kinds[step.result].root == step.result:
                self.made[step.result] = number
                if step.function is np.empty_like:
                    parted.add(step.result)
            used = step.given
            if _copies(step) and step.args[0] in parted:
                self.copies[step.args[0]].append(number)
                used = slots_in((step.args[2],))
            else:
                self.writes.update((kinds[slot].root, number) for slot in step.written)
                if not is_elementwise(step) and step.function not in LIKE:
                    strict.update(used)
            for slot in set(used):
                self.touches[kinds[slot].root].append(number)
        ufuncs = {slot for slot, n in self.made.items() if is_elementwise(steps[n])}
        self.loose = ufuncs - strict

    def final(self, whole: int, part: Any, number: int) -> bool:
        """Whether a part is made by a step, and neither is written into from then on."""
        if not isinstance(part, Slot) or part not in self.made:
            return False
        last = max(self.writes[whole], self.writes[part], *self.copies.get(part, ())[-1:])
        return last < number and not self.kinds[part].dynamic

    def fits(self, part: int, place: Any) -> bool:
        """Whether a part may be laid out like its place."""
        kind = self.kinds[part]
        if (place.shape, place.dtype) != (kind.shape, kind.dtype):
            return False
        return place.strides == kind.strides or part in self.loose

    def untouched(self, whole: int, start: int, end: int, found: Placed) -> bool:
        """Whether a part may stand in `whole`, and in what that stands in, from a start.

        It is copied there at `end`, and `whole` into the next larger value later.
        """
        while True:
            touched = self.touches[whole]
            first = bisect_left(touched, start)
            if first < len(touched) and touched[first] < end:
                return False
            if whole not in found.inside:
                return True
            whole, _, end = found.inside[whole]


def _copies(step: Step) -> bool:
    """Whether the step is `whole[index] = part` to a place that is known beforehand."""
    return step.function is operator.setitem and is_basic(step.args[1])


def _box(index: Any, shape: tuple[int, ...]) -> list[tuple[int, int]] | None:
    """From where to where a basic index reaches along each axis; None if it adds one."""
    parts = list(index) if isinstance(index, tuple) else [index]
    if None in parts:
        return None
    if Ellipsis in parts:
        i, missing = parts.index(Ellipsis), len(shape) + 1 - len(parts)
        parts[i : i + 1] = [slice(None)] * missing
    parts += [slice(None)] * (len(shape) - len(parts))
    found = []
    for part, n in zip(parts, shape, strict=True):
        reach = range(n)[part]
        if isinstance(reach, int):
            reach = range(reach, reach + 1)
        found.append((min(reach, default=0), max(reach, default=-1) + 1))
    return found


def _apart(boxes: list[Any]) -> bool:
    """Whether no two of these overlap: along some axis they lie in a row."""
    if len(boxes) < 2:
        return True
    if None in boxes:
        return False
    rows = (sorted(axis) for axis in zip(*boxes, strict=True))
    return any(all(a[1] <= b[0] for a, b in pairwise(row)) for row in rows)


def last_uses(steps: list[Step], kinds: list[Kind], places: Placed) -> dict[int, int]:
    """By the value whose memory it is, the number of the last step to do with it."""
    last: dict[int, int] = {}
    for number, step in enumerate(steps):
        for slot in step.slots:
            last[places.owner(kinds[slot].root)] = number
    return last
