"""What a recorded program consists of: steps, and what their values look like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "Kind", "Slot", "Step", "c_strides", "filled", "frozen", "is_basic", "pause",
    "slots_in",
]  # fmt: skip


class Kind(NamedTuple):
    """What a value looks like in memory.

    Attributes:
        shape, dtype, strides: of the array; a number has shape ().
        root: the number of the value whose memory this is a view of, or its own.
        offset: how many bytes from the start of that memory it begins; None where that
            hangs on values.
        dynamic: whether it stands in no memory of its own: a Python float, which takes
            part in NumPy's promotion otherwise than an array.
    """

    shape: tuple[int, ...]
    dtype: Any
    strides: tuple[int, ...]
    root: int
    offset: int | None
    dynamic: bool

    @property
    def packed(self) -> bool:
        """Whether its elements lie one behind the other, row by row."""
        return self.strides == c_strides(self.shape, self.dtype.itemsize)

    @property
    def dense(self) -> bool:
        """Whether its elements lie one behind the other, in whatever order of axes."""
        size = self.dtype.itemsize
        for stride, n in sorted(zip(self.strides, self.shape, strict=True)):
            if n > 1 and stride != size:
                return False
            size *= n
        return True


def c_strides(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """The strides of an array whose elements lie one behind the other, row by row.

    >>> c_strides((2, 3, 5), 8)
    (120, 40, 8)
    """
    found = [itemsize]
    for n in reversed(shape[1:]):
        found.append(found[-1] * n)
    return tuple(reversed(found)) if shape else ()


class Slot(int):
    """The number of a value, where it stands among the arguments of a `Step`."""


class Step:
    """One call: the function, its arguments with `Slot`s in them, the slots it fills.

    Attributes:
        function, args, kwargs: what is called, with what.
        result: a slot, or a nest of them where there are several results; None for a call
            that only writes into an argument, and for a guard.
        expected: what a guard must find; of a function whose results' shapes hang on the
            values, the shapes.
        given: the slots among the arguments.
        made: the slots of the results.
    """

    __slots__ = ("args", "expected", "function", "given", "kwargs", "made", "result")

    def __init__(
        self,
        function: Callable[..., Any],
        args: Any,
        kwargs: dict[str, Any],
        result: Any,
        expected: Any = None,
    ) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs
        self.result, self.expected = result, expected
        self.given = slots_in((args, kwargs) if kwargs else args)
        self.made = [result] if type(result) is Slot else slots_in(result)

    @property
    def slots(self) -> list[int]:
        """All slots that it has to do with."""
        return self.given + self.made

    @property
    def written(self) -> list[int]:
        """The slots whose values it changes in place."""
        if self.result is not None or self.expected is not None:
            return []
        return slots_in((self.kwargs.get("out") or self.args[0],))

    def of(self, args: Any, kwargs: Any) -> Step:
        """The same call of other arguments."""
        return Step(self.function, args, kwargs, self.result, self.expected)


def pause(*values: Any) -> None:
    """The function of a step at which a program stops, with these values at hand."""


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
    kind = type(x)
    if kind is Slot:
        return values[x]
    if kind in SIMPLE:
        return x
    if isinstance(x, (tuple, list)):
        parts = [filled(part, values) for part in x]
        return kind(*parts) if hasattr(x, "_fields") else kind(parts)
    if isinstance(x, dict):
        return {k: filled(v, values) for k, v in x.items()}
    if isinstance(x, slice):
        return slice(*(filled(part, values) for part in (x.start, x.stop, x.step)))
    return x


def frozen(x: Any) -> Any:
    """A nest of arguments as a key: equal for equal slots and numbers, arrays by name."""
    if isinstance(x, (list, tuple)):
        return type(x).__name__, *map(frozen, x)
    if isinstance(x, dict):
        return tuple((name, frozen(value)) for name, value in x.items())
    if isinstance(x, slice):
        return "slice", *map(frozen, (x.start, x.stop, x.step))
    if isinstance(x, np.ndarray):
        return "array", id(x)
    return type(x), repr(x) if isinstance(x, float) else x


def is_basic(index: Any) -> bool:
    """Whether an index is one of NumPy's basic ones, known beforehand."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(x is None or x is Ellipsis or type(x) in (int, slice) for x in parts)
