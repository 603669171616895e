"""Large inputs of a program, which are read where they are, not copied for every run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from autograd.passes import slots_in
from autograd.tracing import Kind, Slot, Step

__all__ = ["Late"]

LARGE = 2**16
"""Elements of an input whose copy takes longer than making views of it in every run."""


class Late:
    """The inputs that are large, and used by nothing but calls that can wait for them.

    A plan binds its calls to memory before there is anything in it. Of these inputs it is
    given arrays that stand for them; a call that got one, or a view of one, is bound
    again here, so that it makes the same view of the input when it is run.

    Args:
        steps: of the program.
        kinds: what its values look like.
        inputs: its inputs, of which these are some.
        wanted: values that are looked at after a run.

    Attributes:
        standing: by slot, the arrays that stand for them while the plan is made; emptied
            by whoever makes it.
    """

    def __init__(
        self,
        steps: list[Step],
        kinds: list[Kind],
        inputs: Iterable[int],
        wanted: Iterable[int],
    ) -> None:
        large = {slot for slot in inputs if _is_large(kinds[slot])}
        large -= {kinds[slot].root for slot in wanted}
        for step in steps if large else ():
            if not _waits(step, kinds):
                used = slots_in((step.args, step.kwargs, step.result))
                large -= {kinds[slot].root for slot in used}
        self.standing: dict[int, Any] = {
            slot: np.empty(kinds[slot].shape, kinds[slot].dtype) for slot in large
        }
        self._given: dict[int, list[Any]] = {slot: [None] for slot in large}

    def __contains__(self, slot: int) -> bool:
        return slot in self._given

    def put(self, slot: int, array: Any) -> None:
        """What the input is in the runs to come."""
        self._given[slot][0] = np.ascontiguousarray(array)

    def forget(self) -> None:
        """Hold the inputs no longer."""
        for cell in self._given.values():
            cell[0] = None

    def bound(self, call: Callable[[], Any]) -> Callable[[], Any]:
        """The call itself, or one that makes its views of these inputs when it is run."""
        if not self.standing or not isinstance(call, partial):
            return call
        function, args = call.func, call.args
        owner = getattr(function, "__self__", None)
        if isinstance(owner, np.ndarray):  # a method
            function, args = getattr(np.ndarray, function.__name__), (owner, *args)
        readers = [(i, read) for i, x in enumerate(args) if (read := self._reader(x))]
        if not readers:
            return call
        keywords, template = call.keywords, list(args)
        for i, _ in readers:
            template[i] = None

        def late() -> None:
            given = template.copy()
            for i, read in readers:
                given[i] = read()
            function(*given, **keywords)

        return late

    def _reader(self, x: Any) -> Callable[[], Any] | None:
        """What gives, of the input, the view that x is of what stands for it."""
        if not isinstance(x, np.ndarray):
            return None
        owner = x if x.base is None else x.base
        slot = next((s for s, array in self.standing.items() if array is owner), None)
        if slot is None:
            return None
        cell, offset = self._given[slot], _start(x) - _start(self.standing[slot])
        shape, dtype, strides = x.shape, x.dtype, x.strides
        return lambda: np.ndarray(shape, dtype, cell[0], offset, strides)


def _start(x: Any) -> int:
    return int(x.__array_interface__["data"][0])


def _is_large(kind: Kind) -> bool:
    return not kind.dynamic and math.prod(kind.shape) >= LARGE


def _waits(step: Step, kinds: list[Kind]) -> bool:
    """Whether the step is one call that a plan binds to its arrays, and no nests of them.

    Steps with numbers among their values, of several results, and guards look at values
    by their slots.
    """
    slots = slots_in((step.args, step.kwargs, step.result))
    if step.expected is not None or any(kinds[slot].dynamic for slot in slots):
        return False
    flat = all(isinstance(x, Slot) or not slots_in((x,)) for x in step.args)
    one = step.result is None or isinstance(step.result, Slot)
    return flat and one and not _nested(step.kwargs)


def _nested(kwargs: dict[str, Any]) -> bool:
    return any(name != "out" and slots_in((x,)) for name, x in kwargs.items())
