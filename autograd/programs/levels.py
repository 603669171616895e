"""A program of Python floats alone, replayed many operations at a time.

Operations that wait for nothing but earlier ones, and are the same function, make one
call on arrays: a graph of a hundred thousand numbers becomes some hundred calls. Each
element goes through the same loop of NumPy's as it would by itself, so that the results
are the same to the last bit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any

import numpy as np

from autograd.programs.errors import make
from autograd.programs.steps import Kind, Slot, Step
from autograd.programs.tracing import Tape

__all__ = ["Levels", "of_floats"]


def of_floats(steps: list[Step], kinds: list[Kind]) -> bool:
    """Whether the program does nothing but apply ufuncs to Python floats."""
    return all(
        isinstance(step.function, np.ufunc)
        and step.function.nout == 1
        and not step.kwargs
        and isinstance(step.result, Slot)
        and all(isinstance(x, (Slot, int, float)) for x in step.args)
        and all(kinds[s].dynamic for s in (step.result, *_given(step)))
        and _takes_floats(step.function, tuple(_type(x, kinds) for x in step.args))
        for step in steps
    )


def _given(step: Step) -> list[Slot]:
    return [x for x in step.args if isinstance(x, Slot)]


def _type(x: Any, kinds: list[Kind]) -> Any:
    return kinds[x].dtype if isinstance(x, Slot) else int if type(x) is int else float


@cache
def _takes_floats(function: Any, types: tuple[Any, ...]) -> bool:
    """Whether a ufunc of these types does what it does where all of them are floats."""
    given = (np.dtype(float) if kind is float else kind for kind in types)
    *inside, out = function.resolve_dtypes((*given, None))
    return set(inside) == {np.dtype(float)} and out in (float, bool)


class Levels:
    """The calls of such a program; see `Plan`, whose place it takes.

    Attributes:
        values: by slot, the number that holds it.
    """

    def __init__(self, tape: Tape, steps: list[Step]) -> None:
        self._quiet = tape.quiet
        level: dict[int, int] = {}
        groups: defaultdict[Any, list[Step]] = defaultdict(list)
        places: dict[Any, int] = {slot: i for i, slot in enumerate(sorted(tape.inputs))}
        for step in steps:
            for x in step.args:
                if not isinstance(x, Slot):
                    places.setdefault(_key(x), len(places))
            here = 1 + max(level.get(x, 0) for x in step.args if isinstance(x, Slot))
            level[step.result] = here
            # NumPy squares where all exponents are one number, 2: no other power joins.
            alone = step.args[1] if step.function in POWERS else None
            groups[here, step.function, _key(alone)].append(step)
        first = len(places)
        order = sorted(groups, key=lambda key: key[0])
        for key in order:
            for step in groups[key]:
                places[step.result] = len(places)
        numbers = np.zeros(len(places))
        for key, place in places.items():
            if isinstance(key, str):
                numbers[place] = float.fromhex(key)
        self.values = _Numbers(numbers, places)
        self.calls: list[Callable[[], Any]] = []
        start = first
        for key in order:
            group = groups[key]
            out = numbers[start : start + len(group)]
            start += len(group)
            arguments = [
                self._argument(numbers, [_place(x, places) for x in column])
                for column in zip(*(step.args for step in group), strict=True)
            ]
            self.calls.append(partial(key[1], *arguments, out=out))

    def _argument(self, numbers: Any, column: list[int]) -> Any:
        """The numbers at these places: a part of all where they lie in a row."""
        if column == list(range(column[0], column[0] + len(column))):
            return numbers[column[0] : column[0] + len(column)]
        if len(set(column)) == 1:
            return numbers[column[0] : column[0] + 1]
        gathered = np.empty(len(column))
        self.calls.append(
            partial(np.take, numbers, np.array(column), out=gathered, mode="clip")
        )
        return gathered

    def put(self, slot: int, value: float) -> None:
        """What an input is in the runs to come."""
        self.values[slot] = value

    def forget(self) -> None:
        """Nothing: numbers hold no memory."""

    def results(self, slots: Iterable[int]) -> list[float]:
        """The values of these slots."""
        return [self.values[slot] for slot in slots]

    def run(self) -> None:
        """Make all the calls."""
        make(self.calls, self._quiet)


def _place(x: Any, places: dict[Any, int]) -> int:
    return places[_key(x)]


def _key(x: Any) -> Any:
    """A slot; a constant by its bits, as 0.0 is not −0.0."""
    return x if isinstance(x, Slot) or x is None else float(x).hex()


POWERS = (np.power, np.float_power)


class _Numbers:
    """The numbers of a program by their slots."""

    def __init__(self, numbers: Any, places: dict[Any, int]) -> None:
        self.numbers, self.places = numbers, places

    def __getitem__(self, slot: int) -> float:
        return float(self.numbers[self.places[slot]])

    def __setitem__(self, slot: int, value: float) -> None:
        self.numbers[self.places[slot]] = value
