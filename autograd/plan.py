"""A recorded program as a list of calls into memory that is set aside once.

Every value has its place before the first call is made, so a call is a NumPy function
with its arguments and its `out` already bound, a slice of a buffer is a view made once,
and a value that is only copied into a larger one (the states of all steps into one array)
is computed there. Buffers are handed on as soon as their values are not needed any more.
"""

from __future__ import annotations

import math
import operator
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from autograd.tracing import Kind, Slot, Step, Tape, shapes_of

__all__ = ["Plan", "needed"]

Call = Callable[[], Any]


def slots_in(x: Any) -> list[int]:
    """The slots within a nest of arguments."""
    found: list[int] = []
    _collect(x, found)
    return found


def _collect(x: Any, found: list[int]) -> None:
    kind = type(x)
    if kind is Slot:
        found.append(x)
    elif kind is dict:
        for part in x.values():
            _collect(part, found)
    elif kind is slice:
        _collect((x.start, x.stop, x.step), found)
    elif isinstance(x, (tuple, list)):
        for part in x:
            if type(part) is Slot:
                found.append(part)
            elif type(part) not in SIMPLE:
                _collect(part, found)


SIMPLE = frozenset({int, float, bool, str, type(None), type(Ellipsis), np.ndarray})
"""Types of arguments without slots in them."""


def filled(x: Any, values: Any) -> Any:
    """A nest of arguments with the values in the places of their slots."""
    if isinstance(x, Slot):
        return values[x]
    if isinstance(x, (tuple, list)):
        parts = [filled(part, values) for part in x]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    if isinstance(x, dict):
        return {k: filled(v, values) for k, v in x.items()}
    if isinstance(x, slice):
        return slice(*(filled(part, values) for part in (x.start, x.stop, x.step)))
    return x


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
    """

    def __init__(
        self,
        tape: Tape,
        steps: list[Step],
        wanted: Iterable[int],
        given: dict[int, Any],
    ) -> None:
        self.values: dict[int, Any] = dict(given)
        self.calls: list[Call] = []
        steps, self.kinds = _joined_once(*_windows(steps, tape), set(wanted))
        steps = _lowered(steps, self.kinds)
        places = _placed(steps, self.kinds)
        steps = [step for i, step in enumerate(steps) if i not in places.dropped]
        kept = {places.owner(self.kinds[slot].root) for slot in wanted} | tape.inputs
        last = _last_uses(steps, self.kinds, places)
        memory = _Memory()
        for slot in sorted(tape.inputs - set(given)):
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
        del self._places, self._memory

    def run(self) -> None:
        """Make all the calls."""
        with np.errstate(over="ignore"):  # as σ has it when it is recorded
            for call in self.calls:
                call()

    def _roots(self, step: Step) -> Iterable[int]:
        for slot in slots_in((step.args, step.kwargs, step.result)):
            yield self._places.owner(self.kinds[slot].root)

    def _plan(self, step: Step, ending: list[int]) -> None:
        """Bind a step to its places; those of `ending` are free after it."""
        function, args, kwargs, result, expected = step
        dynamic = any(self.kinds[s].dynamic for s in slots_in((args, kwargs)))
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
        if expected is not None and result is None:
            self.calls.append(partial(_check, self, step))
        elif isinstance(result, Slot) and not self.kinds[result].dynamic:
            self._fill(step, result, dynamic)
        elif result is not None:
            self._several(step)
        elif dynamic:
            self.calls.append(partial(self._write, step))
        else:
            self.calls.append(self._writing(function, args, kwargs))
        self._release(ending)

    def _release(self, roots: list[int]) -> None:
        for root in roots:
            if root in self.values and not self.kinds[root].dynamic:
                self._memory.give(self.values[root])

    def _place(self, slot: int) -> Any:
        """Where a value is to stand: an array of its own, or part of one."""
        if slot in self._places.inside:
            whole, index = self._places.inside[slot]
            if whole not in self.values:
                self.values[whole] = self._place(whole)
            parts = index if isinstance(index, tuple) else (index,)
            return self.values[whole][(*parts, ...) if ... not in parts else parts]
        return self._memory.take(self.kinds[slot])

    def _fill(self, step: Step, result: int, dynamic: bool) -> None:
        function, args, kwargs = step.function, step.args, step.kwargs
        if self._fixed(step) and not dynamic:
            view = function(*filled(args, self.values), **filled(kwargs, self.values))
            if np.may_share_memory(view, self.values[self.kinds[result].root]):
                self.values[result] = view  # made now, and never again
                return
        if result not in self.values:
            self.values[result] = self._place(result)
        place = self.values[result]
        if dynamic or step.expected is not None:
            self.calls.append(partial(self._loose_into, step, place))
            return
        if function is np.empty_like:
            return
        if function in (np.zeros_like, np.ones_like) and set(kwargs) <= {
            "shape",
            "dtype",
        }:
            self.calls.append(partial(place.fill, function is np.ones_like))
            return
        args, kwargs = filled(args, self.values), filled(kwargs, self.values)
        if isinstance(function, np.ufunc):
            args = _strong(function, args, place.dtype)
        if isinstance(function, np.ufunc) and not kwargs and function not in BY_KEYWORD:
            self.calls.append(partial(function, *args, place))
        elif (
            isinstance(function, np.ufunc)
            or getattr(function, "__name__", "") == "reduce"
            or (function is np.dot and place.ndim == 2 and place.flags.c_contiguous)
        ):
            self.calls.append(partial(function, *args, **kwargs, out=place))
        elif (
            getattr(function, "__name__", "") == "copy" and not kwargs and len(args) == 1
        ):
            self.calls.append(partial(np.copyto, place, args[0]))
        elif getattr(function, "__name__", "") == "astype" and len(args) == 2:
            self.calls.append(partial(np.copyto, place, args[0], casting="unsafe"))
        else:
            self.calls.append(partial(_into, place, step, args, kwargs))

    def _fixed(self, step: Step) -> bool:
        """Whether the results are views of the same places whatever the values are."""
        kinds = self.kinds
        roots = {kinds[slot].root for slot in slots_in(step.result)}
        if roots & set(slots_in(step.result)) or step.expected is not None:
            return False
        given = slots_in((step.args, step.kwargs))
        index = step.args[1] if step.function is operator.getitem else ()
        return all(kinds[s].root in roots for s in given) and not slots_in(index)

    def _several(self, step: Step) -> None:
        """A step of several results, or of one in no array of its own."""
        slots = list(slots_in(step.result))
        if self._fixed(step):
            views = step.function(
                *filled(step.args, self.values), **filled(step.kwargs, self.values)
            )
            self.values.update(zip(slots, _flat(views), strict=True))
            return
        for slot in slots:
            if not self.kinds[slot].dynamic:
                self.values[slot] = self._place(slot)
        self.calls.append(partial(self._loose, step))

    def _writing(self, function: Any, args: Any, kwargs: Any) -> Call:
        args, kwargs = filled(args, self.values), filled(kwargs, self.values)
        if function is operator.setitem and _basic(args[1]):
            target = args[0][args[1]]
            if isinstance(target, np.ndarray):
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
        for slot, part in zip(slots_in(step.result), _flat(found), strict=True):
            if not self.kinds[slot].dynamic:
                self.values[slot][...] = part
            else:
                self.values[slot] = part

    def _loose_into(self, step: Step, place: Any) -> None:
        args, kwargs = filled(step.args, self.values), filled(step.kwargs, self.values)
        _into(place, step, args, kwargs)

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


def _into(place: Any, step: Step, args: Any, kwargs: Any) -> None:
    found = step.function(*args, **kwargs)
    if type(found) is not np.ndarray:
        found = np.asarray(found)
    if found.shape != place.shape:
        raise _steered(step, place.shape, found.shape)
    if found.dtype != place.dtype:
        raise _steered(step, place.dtype, found.dtype)
    np.copyto(place, found)


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


def _basic(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(x is None or x is Ellipsis or type(x) in (int, slice) for x in parts)


def _lowered(before: list[Step], kinds: list[Kind]) -> list[Step]:
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


def _windows(steps: list[Step], tape: Tape) -> tuple[list[Step], list[Kind]]:
    """The steps and kinds, with views in place of what joins an input's parts again.

    The inputs of all steps, which one weight's gradient wants joined, are x itself.
    """
    written = _written(steps, tape.kinds)
    found = []
    roots = _Same()
    for step in steps:
        view = None if step.result in written else _window(step, tape)
        if view is not None:
            roots[step.result] = view[0]
            step = Step(_part, view, {}, step.result)
        found.append(step)
    return found, [kind._replace(root=roots[kind.root]) for kind in tape.kinds]


def _written(steps: list[Step], kinds: list[Kind]) -> dict[int, int]:
    """By the values that are written into, the numbers of the last steps to do so."""
    return {
        kinds[slot].root: number
        for number, step in enumerate(steps)
        if step.result is None and step.expected is None
        for slot in slots_in(step.kwargs.get("out") or step.args[0])
    }


def _window(step: Step, tape: Tape) -> Any:
    if step.function is not np.concatenate or step.kwargs or len(step.args) > 1:
        return None
    parts, result = step.args[0], tape.kinds[step.result]
    if isinstance(parts, Slot) or not all(isinstance(p, Slot) for p in parts):
        return None
    kinds = [tape.kinds[p] for p in parts]
    root, end = kinds[0].root, kinds[0].offset
    for kind in kinds:
        size = math.prod(kind.shape) * kind.dtype.itemsize
        rows = _c_strides(kind.shape, kind.dtype.itemsize)
        same = kind.root == root and kind.offset == end and kind.dtype == result.dtype
        if not same or kind.dynamic or kind.strides != rows:
            return None
        end += size
    whole = tape.kinds[root]
    packed = whole.strides == _c_strides(whole.shape, whole.dtype.itemsize)
    if root not in tape.inputs or whole.dtype != result.dtype or not packed:
        return None
    first = kinds[0].offset // result.dtype.itemsize
    return Slot(root), first, result.shape


def _c_strides(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    found = [itemsize]
    for n in reversed(shape[1:]):
        found.append(found[-1] * n)
    return tuple(reversed(found)) if shape else ()


def _part(x: Any, first: int, shape: tuple[int, ...]) -> Any:
    """The elements of x from the first on, in another shape; a view."""
    return x.reshape(-1)[first : first + math.prod(shape)].reshape(shape)


def _joined_once(
    steps: list[Step], kinds: list[Kind], wanted: set[int]
) -> tuple[list[Step], list[Kind]]:
    """The steps and kinds, with one concatenation where several are of the same parts.

    The δ of all steps stand in the gradient of each weight and bias.
    """
    written = _written(steps, kinds)
    kept_apart = wanted | set(written)
    seen: dict[Any, Slot] = {}
    same: dict[int, Slot] = {}
    kept = []
    for number, step in enumerate(steps):
        if step.function is np.concatenate and not step.kwargs:
            (parts, *rest) = step.args
            own = not isinstance(parts, Slot) and step.result not in kept_apart
            own = own and all(isinstance(p, Slot) for p in parts)
            if own and all(written.get(kinds[p].root, -1) < number for p in parts):
                first = seen.setdefault((tuple(parts), *rest), step.result)
                if first is not step.result:
                    same[step.result] = first
                    continue
        if same:
            args, kwargs = _renamed(step.args, same), _renamed(step.kwargs, same)
            step = step._replace(args=args, kwargs=kwargs)
        kept.append(step)
    roots = _Same(same)
    return kept, [kind._replace(root=roots[kind.root]) for kind in kinds]


def _renamed(x: Any, same: dict[int, Slot]) -> Any:
    return filled(x, _Same(same))


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
            target = step.kwargs.get("out") or step.args[0]
            hangs = any(kinds[s].root in live for s in slots_in(target))
        else:
            results = list(slots_in(step.result))
            drawn = not step.args  # whether or not it counts, the next draw is another
            hangs = (
                step.expected is not None
                or drawn
                or any(s in live or kinds[s].root in live for s in results)
            )
        if hangs:
            for slot in slots_in((step.args, step.kwargs, step.result)):
                live |= {slot, kinds[slot].root}
            kept.append(step)
    return kept[::-1]


class _Placed:
    """Which values are computed in their places within larger ones.

    Attributes:
        inside: by slot, the slot of the larger value and the index in it.
        dropped: the steps, by number, that would have copied them.
    """

    def __init__(self) -> None:
        self.inside: dict[int, tuple[int, Any]] = {}
        self.dropped: set[int] = set()

    def owner(self, root: int) -> int:
        """The value whose memory `root` stands in."""
        while root in self.inside:
            root = self.inside[root][0]
        return root


def _placed(steps: list[Step], kinds: list[Kind]) -> _Placed:
    """The copies `whole[index] = part` that are not needed where part is computed there.

    That is so where `part` is made by a step of its own, is as large as its place and
    laid out like it; where what is copied into `whole` goes to places apart, and nothing
    else touches `whole` between that step and the copy, or writes into it later; and
    where nothing writes into `part` after the copy.
    """
    placed = _Placed()
    made: dict[int, int] = {}
    fresh: set[int] = set()
    copies: defaultdict[int, list[int]] = defaultdict(list)
    touches: defaultdict[int, list[int]] = defaultdict(list)
    writes: defaultdict[int, int] = defaultdict(lambda: -1)  # the last into each
    for number, step in enumerate(steps):
        target: Any = ()
        if isinstance(step.result, Slot) and kinds[step.result].root == step.result:
            made[step.result] = number
            if step.function is np.empty_like:
                fresh.add(step.result)
        elif step.result is None and step.expected is None:
            target = step.kwargs.get("out") or step.args[0]
        copied = isinstance(target, Slot) and target in fresh
        if copied and step.function is operator.setitem and _basic(step.args[1]):
            copies[target].append(number)
            used: Any = (step.args[2],)
        else:
            used = (step.args, step.kwargs)
            writes.update((kinds[slot].root, number) for slot in slots_in(target))
        for slot in set(slots_in(used)):
            touches[kinds[slot].root].append(number)
    for whole, numbers in copies.items():
        shape, strides = kinds[whole].shape, kinds[whole].strides
        if not _apart([_box(steps[n].args[1], shape) for n in numbers]):
            continue
        empty = np.lib.stride_tricks.as_strided(
            np.empty(0, kinds[whole].dtype), shape, strides
        )
        for number in numbers:
            _, index, part = steps[number].args
            if (
                not isinstance(part, Slot)
                or part not in made
                or part in placed.inside
                or placed.owner(whole) == part
                or writes[whole] > number
                or writes[part] > number
                or part in fresh
                or kinds[part].dynamic
            ):
                continue
            place = empty[index]
            same = (place.shape, place.dtype, place.strides) == kinds[part][:3]
            touched = touches[whole]
            first = bisect_left(touched, made[part])
            if same and not (first < len(touched) and touched[first] < number):
                placed.inside[part] = (whole, index)
                placed.dropped.add(number)
    return placed


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


def _last_uses(steps: list[Step], kinds: list[Kind], places: _Placed) -> dict[int, int]:
    last: dict[int, int] = {}
    for number, step in enumerate(steps):
        for slot in slots_in((step.args, step.kwargs, step.result)):
            last[places.owner(kinds[slot].root)] = number
    return last


class _Memory:
    """Buffers, handed on to the next value of their layout once they are free."""

    def __init__(self) -> None:
        self.free: defaultdict[Any, list[Any]] = defaultdict(list)

    def take(self, kind: Kind) -> Any:
        """An array of this layout."""
        key = (kind.shape, kind.dtype, kind.strides)
        if self.free[key]:
            return self.free[key].pop()
        order = sorted(range(len(kind.shape)), key=lambda a: -abs(kind.strides[a]))
        array = np.empty([kind.shape[a] for a in order], kind.dtype)
        return array.transpose(np.argsort(order)) if order else array

    def give(self, array: Any) -> None:
        """Take it back."""
        self.free[(array.shape, array.dtype, array.strides)].append(array)

    @staticmethod
    def alike(one: Kind, other: Kind) -> bool:
        """Whether two values fit into the same buffer."""
        return one[:3] == other[:3]
