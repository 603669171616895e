"""Calls that are alike made as one: σ of two gates, the slopes of many steps at once.

What a call of NumPy costs beside its arithmetic is as much for one step of a small
network as for fifty. Elementwise calls of one function that do not wait for each other,
and whose arguments lie at equal distances in memory, become one call on all of them.
"""

from __future__ import annotations

import math
import operator
from collections import defaultdict
from typing import Any

import numpy as np

from autograd.programs.passes import is_elementwise, written
from autograd.programs.steps import Kind, Slot, Step, c_strides, frozen

__all__ = ["merged"]

TOGETHER = 2**15
"""Elements of which one call is made at most: they stay in the cache."""

NEAR = 16
"""Steps of the program between two calls of one instant, at most."""

DEPTH = 6
"""How many calls back what plays the same part at two instants is made alike."""

TRIED = 4
"""How many of the latest calls one is tried to be made with."""


def merged(
    steps: list[Step], kinds: list[Kind], kept: set[int]
) -> tuple[list[Step], list[Kind]]:
    """The steps and kinds, with one call in the place of several.

    First those of one instant, on parts of one value; then those of many instants, on
    values that play the same part in each, which are put side by side for it.

    Args:
        steps: of the program.
        kinds: what its values look like.
        kept: the values that are not let go of: inputs, and what is wanted.
    """
    for apart in (False, True):
        steps, kinds = _Round(steps, kinds, kept, apart).result()
    return steps, kinds


class _Merged:
    """Calls made as one, in the place of the first; how far their arguments are apart."""

    def __init__(self, number: int, step: Step) -> None:
        self.number, self.members = number, [step]
        self.distances: list[int] = []


class _Row:
    """Values side by side: the results of one call, or such as are put there.

    Attributes:
        call: whose results they are; None of others.
        values: those that are there.
        whole: the value that they are parts of.
        given: whether that was there before.
    """

    def __init__(self, call: _Merged | None, *values: int, whole: Any = None) -> None:
        self.call, self.values = call, list(values)
        self.whole, self.given = whole, whole is not None


class _Round:
    """Finds what can be merged.

    Attributes:
        made: by value, the number of the step that makes it, or the latest that writes
            into it; of the results of a merged call, that of the first.
        place: by value, the row that it stands in, and where.
        calls: by the number of a step, the call that it has become part of.
    """

    def __init__(
        self, steps: list[Step], kinds: list[Kind], kept: set[int], apart: bool
    ) -> None:
        self.steps, self.kinds, self.apart = steps, list(kinds), apart
        self.made: dict[int, int] = {}
        self.place: dict[int, tuple[_Row, int]] = {}
        self.calls: dict[int, _Merged] = {}
        self.roles: dict[int, list[int]] = {}
        self.given: dict[int, _Row] = {}
        self.fixed = {kinds[slot].root for slot in kept}
        self.fixed |= written(steps, kinds).keys() | _copied(steps, kinds)
        latest: defaultdict[Any, list[_Merged]] = defaultdict(list)
        for number, step in enumerate(steps):
            if apart:
                self._note(step)
            self._find(step, number)
            self.made.update((kinds[slot].root, number) for slot in step.written)
            if not _one(step) or kinds[step.result].root != step.result:
                continue
            self.made[step.result] = number
            if self._eligible(step):
                calls = latest[self._key(step)]
                joined = (
                    call for call in calls[: -TRIED - 1 : -1] if self._join(call, number)
                )
                call = next(joined, None)
                if call is None:
                    call = _Merged(number, step)
                    calls.append(call)
                self.calls[number] = call

    def _find(self, step: Step, number: int) -> None:
        """Take note of rows that are there, and of what is copied into them."""
        if step.function is np.empty_like and not step.args:  # of an earlier pass
            self.given[step.result] = _Row(None, whole=step.result)
        if step.function is operator.setitem and step.args[0] in self.given:
            whole, index, part = step.args
            if isinstance(part, Slot) and self.kinds[part].root == part:
                self.place[part] = self.given[whole], index[0]
                self.made[part] = number  # it is there from now on

    def _eligible(self, step: Step) -> bool:
        """Whether the step is one that could be made with others."""
        kind = self.kinds[step.result]
        if not is_elementwise(step) or step.kwargs or step.expected is not None:
            return False
        if kind.dynamic or not kind.packed or step.result in self.fixed:
            return False
        given = [self.kinds[slot] for slot in step.given]
        flat = all(isinstance(x, (Slot, int, float, np.ndarray)) for x in step.args)
        return flat and all(k.offset is not None and not k.dynamic for k in given)

    def _key(self, step: Step) -> Any:
        """What must be equal of calls made as one."""
        kind = self.kinds[step.result]
        forms = []
        for x in step.args:
            if isinstance(x, Slot):
                role = self.roles[x][-1] if self.apart and x in self.roles else None
                forms.append(("slot", *self.kinds[x][:3], role))
            else:
                forms.append(frozen(x))
        return step.function, kind.shape, kind.dtype, *forms

    def _note(self, step: Step) -> None:
        """What part the results play: by what calls they are made, some calls back."""
        name = getattr(step.function, "__name__", "")
        own = hash((name, _outline(step.args)))
        given = [self.roles.get(slot, UNKNOWN) for slot in step.given]
        deeper = [hash((own, *(role[d] for role in given))) for d in range(DEPTH)]
        for slot in step.made:
            self.roles[slot] = [own, *deeper]

    def _join(self, call: _Merged, number: int) -> bool:
        """Make the step with a call, if that can be."""
        step, last = self.steps[number], call.members[-1]
        size, count = math.prod(self.kinds[step.result].shape), len(call.members)
        row, _ = self.place.get(last.result, NOWHERE)
        moved = row is not None and row.call is not call
        if moved or (count + 1) * size > TOGETHER:
            return False
        if not self.apart and number > call.number + NEAR:
            return False
        roots = [self.kinds[slot].root for slot in step.given]
        if any(self.made.get(root, -1) >= call.number for root in roots):
            return False
        moves: dict[int, int] = {}
        distances = []
        for x, y in zip(last.args, step.args, strict=True):
            found = self._distance(x, y, moves) if isinstance(x, Slot) else 0
            whole = not found or self.kinds[x].shape == self.kinds[step.result].shape
            if found is None or not whole:
                return False
            distances.append(found)
        if count > 1 and distances != call.distances:
            return False
        for one, other in moves.items():
            if one not in self.place:
                self.place[one] = _Row(None, one), 0
            row = self.place[one][0]
            row.values.append(other)
            self.place[other] = row, len(row.values) - 1
        if count == 1:
            self.place[last.result] = _Row(call, last.result), 0
        row = self.place[last.result][0]
        row.values.append(step.result)
        self.place[step.result] = row, count
        call.members.append(step)
        call.distances, self.made[step.result] = distances, call.number
        return True

    def _distance(self, x: int, y: int, moves: dict[int, int]) -> int | None:
        """How many bytes y lies behind x, where it is put side by side if need be."""
        one, other = self.kinds[x].root, self.kinds[y].root
        between = _start(self.kinds[y]) - _start(self.kinds[x])
        if one == other:
            return between
        size = _bytes(self.kinds[one])
        row, n = self.place.get(one, NOWHERE)
        if row is not None and self.place.get(other, NOWHERE)[0] is row:
            return (self.place[other][1] - n) * size + between
        if moves.get(one) == other:
            return size + between
        free = self._movable(other) and (row is not None or self._movable(one))
        alike = self.kinds[one][:3] == self.kinds[other][:3]
        used = {*moves, *moves.values()} & {one, other}
        if not self.apart or not free or not alike or used:
            return None
        if row is not None and (row.call or row.given or row.values[-1] != one):
            return None
        count = 1 if row is None else len(row.values)
        if (count + 1) * math.prod(self.kinds[one].shape) > TOGETHER:
            return None
        moves[one] = other
        return size + between

    def _movable(self, root: int) -> bool:
        """Whether a value may be put side by side with others."""
        own = root in self.made and root not in self.fixed and root not in self.place
        return own and self.kinds[root].packed and not self.kinds[root].dynamic

    def result(self) -> tuple[list[Step], list[Kind]]:
        """The steps and kinds, merged."""
        before = list(self.kinds)
        rows = {id(row): row for row, _ in self.place.values() if not row.given}
        for row in rows.values():
            kind, n = before[row.values[0]], len(row.values)
            row.whole = self._value(kind.dtype, (n, *kind.shape))
        for slot, kind in enumerate(before):
            row, n = self.place.get(kind.root, NOWHERE)
            if row is not None and row.call is not None:
                offset = n * _bytes(before[kind.root]) + _start(kind)
                self.kinds[slot] = kind._replace(root=row.whole, offset=offset)
        steps: list[Step] = []
        begun: set[int] = set()
        for number, step in enumerate(self.steps):
            call = self.calls.get(number)
            if call is not None and len(call.members) > 1:
                if call.number == number:
                    steps += self._together(call, before)
                continue
            row, n = self.place.get(step.result, NOWHERE) if _one(step) else NOWHERE
            moved = row is not None and not row.given
            if moved and row.whole not in begun:
                begun.add(row.whole)
                steps.append(Step(np.empty_like, (), {}, row.whole))
            steps.append(step)
            if moved:
                args = row.whole, (n,), step.result
                steps.append(Step(operator.setitem, args, {}, None))
        return steps, self.kinds

    def _together(self, call: _Merged, before: list[Kind]) -> list[Step]:
        """The steps of a merged call."""
        steps: list[Step] = []
        args: list[Any] = []
        for x, distance in zip(call.members[0].args, call.distances, strict=True):
            if not distance:
                args.append(x)
                continue
            kind, root, offset = before[x], Slot(before[x].root), _start(before[x])
            row, n = self.place.get(root, NOWHERE)
            if row is not None:
                root, offset = row.whole, n * _bytes(before[root]) + offset
            shape = len(call.members), *kind.shape
            strides = distance, *kind.strides
            whole = self.kinds[root]
            if (offset, shape, strides) == (0, whole.shape, whole.strides):
                args.append(root)
                continue
            view = Slot(len(self.kinds))
            self.kinds.append(Kind(shape, kind.dtype, strides, root, offset, False))
            steps.append(Step(_view, (root, offset, shape, strides), {}, view))
            args.append(view)
        whole = self.place[call.members[0].result][0].whole
        steps.append(Step(call.members[0].function, tuple(args), {}, whole))
        for n, step in enumerate(call.members):
            steps.append(Step(operator.getitem, (whole, (n,)), {}, step.result))
        return steps

    def _value(self, dtype: Any, shape: tuple[int, ...]) -> Slot:
        """A further value, with memory of its own."""
        slot, strides = Slot(len(self.kinds)), c_strides(shape, dtype.itemsize)
        self.kinds.append(Kind(shape, dtype, strides, slot, 0, False))
        return slot


def _view(x: Any, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    """The elements of x, without gaps in memory, from some byte on, in another form."""
    order = np.argsort([-stride for stride in x.strides], kind="stable")
    return np.ndarray(shape, x.dtype, x.transpose(order), offset, strides)


def _one(step: Step) -> bool:
    return isinstance(step.result, Slot)


def _start(kind: Kind) -> int:
    return kind.offset or 0


def _bytes(kind: Kind) -> int:
    return math.prod(kind.shape) * kind.dtype.itemsize


def _copied(steps: list[Step], kinds: list[Kind]) -> set[int]:
    """The values that are parts of others, where they have their places already."""
    copies = [s for s in steps if s.function in (np.stack, np.concatenate)]
    copies += [s for s in steps if s.function is operator.setitem]
    return {kinds[slot].root for step in copies for slot in step.given}


NOWHERE: tuple[Any, int] = (None, 0)
"""The place of what stands in no row."""

UNKNOWN = [0] * (DEPTH + 1)


def _outline(x: Any) -> Any:
    """A nest of arguments without what tells one instant from another."""
    if isinstance(x, slice):
        return "slice", x.start, x.stop, x.step
    if isinstance(x, (list, tuple)):
        return tuple(map(_outline, x))
    if isinstance(x, Slot) or type(x) is int:
        return "slot"
    return x if isinstance(x, (str, float)) else type(x).__name__
