"""Large arrays that a program does not keep: its inputs, and what it gives away.

The first are read where they are, and not copied for every run; the others are made anew
in every run, and handed over, not copied.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from autograd.programs.placing import Placed
from autograd.programs.steps import Kind, Slot, Step, pause, slots_in

__all__ = ["Late"]

LARGE = 2**16
"""Elements of an array whose copy takes longer than making views of it in every run."""


class Late:
    """The arrays of a program that are there only while it is run.

    A plan binds its calls to memory before there is anything in it. Of these arrays it is
    given others that stand for them; a call that got one, or a view of one, is bound
    again here, so that it makes the same view of the right one when it is run. That is
    done where all that has to do with an array are calls that can wait for it.

    Args:
        steps: of the program.
        kinds: what its values look like.
        places: where parts of larger values are made.
        inputs: the values that are put in for every run, of which these are some.
        results: those that are asked for after it, which may lie in some others.

    Attributes:
        standing: by value, the arrays that stand for them while the plan is made; emptied
            by whoever makes it.
    """

    def __init__(
        self,
        steps: list[Step],
        kinds: list[Kind],
        places: Placed,
        inputs: set[int],
        results: set[int],
    ) -> None:
        large = {root for root in inputs | results if _is_large(kinds[root])}
        part, begun = 0, dict[int, int]()
        for step in steps if large else ():
            part += step.function is pause
            roots = {places.owner(kinds[slot].root) for slot in step.slots}
            if step.function is not pause and not _waits(step, kinds):
                large -= roots
            for root in roots:
                begun.setdefault(root, part)
        self.standing = {r: np.empty(kinds[r].shape, kinds[r].dtype) for r in large}
        self._arrays = {root: _Array() for root in large}
        self._made = {r: (begun[r], kinds[r]) for r in large & results if r in begun}

    def __contains__(self, root: int) -> bool:
        return root in self._arrays

    def put(self, slot: int, array: Any) -> None:
        """What an input is in the run to come."""
        self._arrays[slot].be(np.ascontiguousarray(array))

    def begin(self, part: int) -> None:
        """Make the arrays that this part of the program is the first to fill."""
        for root, (first, kind) in self._made.items():
            if first == part:
                self._arrays[root].forget()
                self._arrays[root].be(np.empty(kind.shape, kind.dtype))

    def forget(self) -> None:
        """Hold nothing any longer."""
        for array in self._arrays.values():
            array.forget()

    def bound(self, call: Callable[[], Any]) -> Callable[[], Any]:
        """The call itself, or one that takes its views of these arrays when it is run."""
        if not self.standing or not isinstance(call, partial):
            return call
        function, args, named = call.func, call.args, call.keywords
        owner = getattr(function, "__self__", None)
        if isinstance(owner, np.ndarray):  # a method
            function, args = getattr(np.ndarray, function.__name__), (owner, *args)
        places = [(i, *found) for i, x in enumerate(args) if (found := self.view(x))]
        names = [(k, *found) for k, x in named.items() if (found := self.view(x))]
        if not places and not names:
            return call
        template, keywords = list(args), dict(named)
        for i, *_ in places:
            template[i] = None  # whose memory goes with what stands for it
        for name, *_ in names:
            keywords[name] = None

        def late() -> None:
            given = template.copy()
            for i, views, n in places:
                given[i] = views[n]
            if keywords:
                function(*given, **keywords | {k: views[n] for k, views, n in names})
            else:
                function(*given)

        late.func = function  # type: ignore[attr-defined]  # as `partial` has it
        return late

    def view(self, x: Any) -> tuple[list[Any], int] | None:
        """Where, in a run, the view is that x is of what stands for an array."""
        root = self.root_of(x)
        if root is None:
            return None
        return self._arrays[root].place(x, self.standing[root])

    def root_of(self, x: Any) -> int | None:
        """Of which of these arrays x is one that stands for it, or a view of one."""
        if not isinstance(x, np.ndarray):
            return None
        owner = x if x.base is None else x.base
        return next((r for r, array in self.standing.items() if array is owner), None)


class _Array:
    """One of these arrays, and the views of it that a run takes."""

    def __init__(self) -> None:
        self._rows: list[Any] = []
        self._others: list[Any] = []
        self._by_row, self._forms = False, list[Any]()

    def place(self, x: Any, whole: Any) -> tuple[list[Any], int]:
        """Where, in a run, the view will be that x is of `whole`."""
        offset = _start(x) - _start(whole)
        if 0 < x.ndim == whole.ndim - 1 and x.shape == whole.shape[1:]:
            row, within = divmod(offset, whole.strides[0])
            if not within and x.flags.c_contiguous:
                self._by_row = True
                return self._rows, row
        self._forms.append((x.shape, x.dtype, offset, x.strides))
        return self._others, len(self._forms) - 1

    def be(self, array: Any) -> None:
        """What it is in the run to come."""
        if self._by_row:
            self._rows[:] = array  # in a quarter of the time that other views take
        self._others[:] = [np.ndarray(s, d, array, o, t) for s, d, o, t in self._forms]

    def forget(self) -> None:
        """Hold nothing any longer."""
        self._rows.clear()
        self._others.clear()


def _start(x: Any) -> int:
    return int(x.__array_interface__["data"][0])


def _is_large(kind: Kind) -> bool:
    return not kind.dynamic and kind.packed and math.prod(kind.shape) >= LARGE


def _waits(step: Step, kinds: list[Kind]) -> bool:
    """Whether the step is one call that a plan binds to its arrays, and no nests of them.

    Steps with numbers among their values, of several results, and guards look at values
    by their slots.
    """
    if step.expected is not None or any(kinds[slot].dynamic for slot in step.slots):
        return False
    flat = all(isinstance(x, Slot) or not slots_in((x,)) for x in step.args)
    one = step.result is None or isinstance(step.result, Slot)
    nested = any(name != "out" and slots_in((x,)) for name, x in step.kwargs.items())
    return flat and one and not nested
