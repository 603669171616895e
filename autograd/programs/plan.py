"""A recorded program as a list of calls into memory that is set aside once.

Every value has its place before the first call is made, so a call is a NumPy function
with its arguments and its `out` already bound, a slice of a buffer is a view made once,
and a value that is only copied into a larger one (the states of all steps into one array)
is computed there. Buffers are handed on as soon as their values are not needed any more.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import NoneType
from typing import Any

import numpy as np

from autograd.programs.errors import make
from autograd.programs.joining import lowered, shifted, windows
from autograd.programs.late import Late
from autograd.programs.merging import merged
from autograd.programs.passes import narrowed, once, renewed
from autograd.programs.placing import last_uses, placed
from autograd.programs.steps import Kind, Slot, Step, filled, is_basic, pause, slots_in
from autograd.programs.tracing import Tape, shapes_of

__all__ = ["Plan"]

Call = Callable[[], Any]


class Plan:
    """The calls of a program, and the memory they work in.

    Args:
        tape: what was recorded.
        steps: those of its steps that are needed.
        wanted: the slots that are looked at after a run.
        given: by slot, the arrays that the program reads where they are.

    Attributes:
        values: by slot, the array that holds it in every run; or the latest value of
            what stands in no array of its own.
        parts: the calls up to each `pause`, and those after the last.
        nbytes: how much memory is set aside.
    """

    def __init__(
        self,
        tape: Tape,
        steps: list[Step],
        wanted: Sequence[int],
        given: dict[int, Any],
    ) -> None:
        self.values: dict[int, Any] = dict(given)
        self.kinds: Any
        self.calls: list[Call] = []
        self.parts = [self.calls]
        self._quiet = tape.quiet
        steps = self._rewritten(tape, steps, wanted)
        wanted = [self._latest.get(slot, slot) for slot in wanted]
        places = placed(steps, self.kinds)
        dropped = places.dropped
        steps = [step for i, step in enumerate(steps) if i not in dropped]
        kept = {places.owner(self.kinds[slot].root) for slot in wanted} | tape.inputs
        last = last_uses(steps, self.kinds, places)
        memory, copied = _Memory(), tape.inputs - set(given)
        asked = {*wanted, *_paused(steps)}
        results = {places.owner(self.kinds[slot].root) for slot in asked}
        self._late = Late(
            steps, self.kinds, places, copied - results, results - tape.inputs
        )
        self.values |= self._late.standing
        kept |= self._late.standing.keys()
        for slot in sorted(copied - set(self.values)):
            if not self.kinds[slot].dynamic:
                self.values[slot] = memory.take(self.kinds[slot])
        self._places, self._memory = places, memory
        for number, step in enumerate(steps):
            ending = [
                root
                for root in dict.fromkeys(self._roots(step))
                if last.get(root) == number and root not in kept
            ]
            self._plan(step, ending)
        self.nbytes = memory.nbytes
        del self._places, self._memory
        self._tidy(steps, asked | tape.inputs)

    def _rewritten(
        self, tape: Tape, steps: list[Step], wanted: Sequence[int]
    ) -> list[Step]:
        """The steps as they are bound; `kinds`, and where each value is found then."""
        steps, kinds, latest = renewed(steps, tape.kinds)
        steps, kinds = windows(steps, kinds, tape.inputs)
        steps, kinds, same = once(steps, kinds)
        self._latest = same | {old: same.get(new, new) for old, new in latest.items()}
        kept = tape.inputs | {self._latest.get(slot, slot) for slot in wanted}
        steps, kinds = shifted(steps, kinds, tape.inputs)
        steps, kinds = narrowed(steps, kinds, kept)
        steps, self.kinds = merged(steps, kinds, kept)
        return lowered(steps, self.kinds)

    def _tidy(self, steps: list[Step], asked: set[int]) -> None:
        """Forget all values but those that are asked for by their slots."""
        self._late_results: dict[int, Any] = {}
        for slot in asked:
            value = self.values.get(slot)
            if (place := self._late.view(value)) is not None:
                self._late_results[slot] = self._late.root_of(value), *place
        for step in steps:
            slots = step.slots
            if (
                step.expected is not None
                or any(self.kinds[s].dynamic for s in slots)
                or not isinstance(step.result, (Slot, NoneType))
            ):
                asked.update(slots)
        self.kinds = {slot: self.kinds[slot] for slot in asked}
        kept = asked - set(self._late_results) - set(self._late.standing)
        self.values = {slot: x for slot, x in self.values.items() if slot in kept}
        self._late.standing.clear()
        self._latest = {old: new for old, new in self._latest.items() if new in asked}

    def put(self, slot: int, value: Any) -> None:
        """What an input is in the runs to come, until all parts have been run."""
        if slot in self._late:
            self._late.put(slot, value)
        elif self.kinds[slot].dynamic:
            self.values[slot] = value
        else:
            np.copyto(self.values[slot], value)

    def run(self, part: int = 0) -> None:
        """Make the calls of a part."""
        self._late.begin(part)
        make(self.parts[part], self._quiet)

    def forget(self) -> None:
        """Hold nothing any longer of what was put in, nor of what is given away."""
        self._late.forget()

    def results(self, slots: Iterable[int]) -> list[Any]:
        """The values of these slots, each in an array of its own: once after a run."""
        found, given_away = [], set()
        for slot in slots:
            slot = self._latest.get(slot, slot)
            if slot not in self._late_results:
                x = self.values[slot]
                found.append(np.copy(x) if isinstance(x, np.ndarray) else x)
                continue
            root, views, n = self._late_results[slot]
            found.append(views[n].copy() if root in given_away else views[n])
            given_away.add(root)
        return found

    def _roots(self, step: Step) -> Iterable[int]:
        for slot in step.slots:
            yield self._places.owner(self.kinds[slot].root)

    def _plan(self, step: Step, ending: list[int]) -> None:
        """Bind a step to its places; those of `ending` are free after it."""
        function, args, kwargs = step.function, step.args, step.kwargs
        result, expected = step.result, step.expected
        dynamic = any(self.kinds[slot].dynamic for slot in step.given)
        elementwise = isinstance(function, np.ufunc) and function.nout == 1
        if elementwise and isinstance(result, Slot):
            # A result may take the place of an argument that ends here.
            early = [
                root
                for root in ending
                if any(type(a) is Slot and a == root for a in args)
                and self._memory.alike(self.kinds[root], self.kinds[result])
            ]
            self._release(early)
            ending = [root for root in ending if root not in early]
        if function is pause:
            self.calls = []
            self.parts.append(self.calls)
        elif expected is not None and result is None:
            self._add(partial(_check, self, step))
        elif isinstance(result, Slot) and not self.kinds[result].dynamic:
            self._fill(step, result, dynamic)
        elif result is not None:
            self._several(step)
        elif dynamic:
            self._add(partial(self._write, step))
        else:
            self._add(self._writing(function, args, kwargs))
        self._release(ending)

    def _add(self, call: Call) -> None:
        self.calls.append(self._late.bound(call))

    def _release(self, roots: list[int]) -> None:
        for root in roots:
            if root in self.values and not self.kinds[root].dynamic:
                self._memory.give(self.values[root])

    def _place(self, slot: int) -> Any:
        """Where a value is to stand: an array of its own, or part of one."""
        if slot in self._places.inside:
            whole, index, _ = self._places.inside[slot]
            if whole not in self.values:
                self.values[whole] = self._place(whole)
            parts = index if isinstance(index, tuple) else (index,)
            return self.values[whole][(*parts, ...) if ... not in parts else parts]
        return self._memory.take(self.kinds[slot])

    def _fill(self, step: Step, result: int, dynamic: bool) -> None:
        function, args, kwargs = step.function, step.args, step.kwargs
        if self._fixed(step) and not dynamic:
            whole = filled(args, self.values)
            view = function(*whole, **filled(kwargs, self.values))
            if any(np.may_share_memory(view, x) for x in whole if hasattr(x, "strides")):
                self.values[result] = view  # made now, and never again
                return
        if result not in self.values:
            self.values[result] = self._place(result)
        place = self.values[result]
        if dynamic or step.expected is not None:
            self._add(partial(self._loose_into, step, place))
            return
        if function is np.empty_like:
            return
        if function in (np.zeros_like, np.ones_like) and set(kwargs) <= {
            "shape",
            "dtype",
        }:
            self._add(partial(place.fill, function is np.ones_like))
            return
        args, kwargs = filled(args, self.values), filled(kwargs, self.values)
        name = getattr(function, "__name__", "")
        if isinstance(function, np.ufunc):
            args = _strong(function, args, place.dtype)
        if isinstance(function, np.ufunc) and not kwargs and function not in BY_KEYWORD:
            self._add(partial(function, *args, place))
        elif isinstance(function, np.ufunc) or name == "reduce":
            self._add(partial(function, *args, **kwargs, out=place))
        elif function is np.dot and place.ndim == 2 and place.flags.c_contiguous:
            # The method spares NumPy the look for others' arrays among the arguments.
            self._add(partial(args[0].dot, args[1], place))
        elif name == "copy" and not kwargs and len(args) == 1:
            self._add(partial(np.copyto, place, args[0]))
        elif name == "astype" and len(args) == 2:
            self._add(partial(np.copyto, place, args[0], casting="unsafe"))
        else:
            self._add(partial(_into, place, step, kwargs, *args))

    def _fixed(self, step: Step) -> bool:
        """Whether the results are views of the same places whatever the values are."""
        kinds = self.kinds
        roots = {kinds[slot].root for slot in step.made}
        if roots & set(step.made) or step.expected is not None:
            return False
        index = step.args[1] if step.function is operator.getitem else ()
        within = all(kinds[slot].root in roots for slot in step.given)
        return within and not slots_in((index,))

    def _several(self, step: Step) -> None:
        """A step of several results, or of one in no array of its own."""
        slots = step.made
        if self._fixed(step):
            views = step.function(
                *filled(step.args, self.values), **filled(step.kwargs, self.values)
            )
            self.values.update(zip(slots, _flat(views), strict=True))
            return
        for slot in slots:
            if not self.kinds[slot].dynamic:
                self.values[slot] = self._place(slot)
        self._add(partial(self._loose, step))

    def _writing(self, function: Any, args: Any, kwargs: Any) -> Call:
        args, kwargs = filled(args, self.values), filled(kwargs, self.values)
        if function is operator.setitem and is_basic(args[1]):
            target = args[0][args[1]]
            if isinstance(target, np.ndarray):
                if getattr(args[2], "dtype", None) == target.dtype:
                    return partial(np.copyto, target, args[2])
                return partial(np.copyto, target, args[2], casting="unsafe")
        if isinstance(function, np.ufunc) and set(kwargs) == {"out"}:
            (out,) = kwargs["out"]
            if all(getattr(x, "dtype", out.dtype) == out.dtype for x in args):
                args = _strong(function, args, out.dtype)
            if function not in BY_KEYWORD:
                return partial(function, *args, out)
        return partial(function, *args, **kwargs)

    def _loose(self, step: Step) -> None:
        """A call with its arguments as they stand by then."""
        found = self._called(step)
        if isinstance(step.result, Slot):
            number = not self.kinds[step.result].shape and isinstance(found, np.floating)
            self.values[step.result] = float(found) if number else found
            return
        for slot, part in zip(step.made, _flat(found), strict=True):
            if not self.kinds[slot].dynamic:
                self.values[slot][...] = part
            else:
                self.values[slot] = part

    def _loose_into(self, step: Step, place: Any) -> None:
        args, kwargs = filled(step.args, self.values), filled(step.kwargs, self.values)
        _into(place, step, kwargs, *args)

    def _write(self, step: Step) -> None:
        self._called(step)

    def _called(self, step: Step) -> Any:
        args, kwargs = filled(step.args, self.values), filled(step.kwargs, self.values)
        found = step.function(*args, **kwargs)
        if step.expected is not None and shapes_of(found) != step.expected[0]:
            raise _steered(step, step.expected[0], shapes_of(found))
        return found


BY_KEYWORD = (np.maximum, np.minimum)
"""NumPy is about to refuse an `out` of these that is not named."""


ARITHMETIC = (np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum)


def _strong(function: Any, args: Any, dtype: Any) -> Any:
    """The arguments, with numbers as NumPy reads them beside arrays, read once."""
    if function not in ARITHMETIC or dtype.kind != "f":
        return args
    numbers = (int, float)
    return tuple(np.asarray(x, dtype) if type(x) in numbers else x for x in args)


def _into(place: Any, step: Step, kwargs: Any, *args: Any) -> None:
    found = step.function(*args, **kwargs)
    if type(found) is not np.ndarray:
        found = np.asarray(found)
    if found.shape != place.shape:
        raise _steered(step, place.shape, found.shape)
    if found.dtype != place.dtype:
        raise _steered(step, place.dtype, found.dtype)
    np.copyto(place, found)


def _paused(steps: list[Step]) -> list[int]:
    """The values that are asked for at a pause."""
    return [slot for s in steps if s.function is pause for slot in s.given]


def _check(plan: Plan, step: Step) -> None:
    """A guard: what steered the program when it was recorded steers it the same way."""
    found = step.function(
        *filled(step.args, plan.values), **filled(step.kwargs, plan.values)
    )
    if found != step.expected[0]:
        raise _steered(step, step.expected[0], found)


def _steered(step: Step, then: Any, now: Any) -> ValueError:
    name = getattr(step.function, "__name__", repr(step.function))
    what = "a truth value" if name == "bool" else f"the result of {name}"
    if step.result is not None:
        what = f"the {'dtype' if isinstance(then, np.dtype) else 'shape'} of {what}"
    return ValueError(
        f"compile: {what} was {then} when the program was recorded, and is {now} now, so "
        "that it would take another way. Compile each way as a function of its own, or "
        "choose with np.where"
    )


def _flat(x: Any) -> list[Any]:
    return [p for part in x for p in _flat(part)] if isinstance(x, (tuple, list)) else [x]


class _Memory:
    """Buffers, handed on to the next value of their layout once they are free."""

    def __init__(self) -> None:
        self.free: defaultdict[Any, list[Any]] = defaultdict(list)
        self.nbytes = 0

    def take(self, kind: Kind) -> Any:
        """An array of this layout."""
        key = (kind.shape, kind.dtype, kind.strides)
        if self.free[key]:
            return self.free[key].pop()
        order = sorted(range(len(kind.shape)), key=lambda a: -abs(kind.strides[a]))
        array = np.empty([kind.shape[a] for a in order], kind.dtype)
        self.nbytes += array.nbytes
        return array.transpose(np.argsort(order)) if order else array

    def give(self, array: Any) -> None:
        """Take it back."""
        self.free[(array.shape, array.dtype, array.strides)].append(array)

    @staticmethod
    def alike(one: Kind, other: Kind) -> bool:
        """Whether two values fit into the same buffer."""
        return one[:3] == other[:3]
