"""What a compiled function returns: values, and in what form."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from numbers import Number
from typing import Any

import numpy as np

from autograd.primitive import Primitive
from autograd.programs.tracing import Traced
from autograd.tensor import ABSENT, Tensor, value_of, wrap
from autograd.trees import leaves, map_tree

__all__ = ["Results", "agree"]

CONSTANT = (Number, str, bytes, np.generic, np.dtype, type, Enum)
"""What a function may return besides Tensors and arrays: nothing in it can change."""


class Results:
    """The nest that a recorded function returned, to be made again from other values.

    Args:
        name: of the function, for messages.
        out: what it returned.
        known: the Tensors of before that it uses.
        start: the clock when it ran; Tensors of before are returned as they are.

    Attributes:
        slots: those of the values in it, in turn.

    Raises:
        TypeError: for anything that may hold values unseen.
    """

    def __init__(self, name: str, out: Any, known: list[Tensor], start: float) -> None:
        self.name, self.start = name, start
        self.wanted = tuple(x for x in known if x.requires_grad)
        self.tree = map_tree(self._form, out)
        forms = [r for r in leaves(self.tree) if isinstance(r, _Form)]
        parts = [part for r in forms for part in (r.value, r.grad)]
        self.slots = [int(part.slot) for part in parts if isinstance(part, _Slot)]
        self.ungraphed = Primitive(value_of, name=f"compiled {name}").defvjp_each(
            lambda i: self._refuse
        )

    def of(self, values: Iterator[Any]) -> Any:
        """The nest with the next of these values, each in an array of its own."""
        return map_tree(
            lambda r: self._made(r, values) if isinstance(r, _Form) else r, self.tree
        )

    def _form(self, x: Any) -> Any:
        if isinstance(x, Tensor) and x._order >= self.start:
            return _Form(_held(x._data), _held(x._grad), type(x), x.requires_grad)
        if isinstance(x, (Traced, np.ndarray)):
            return _Form(_held(x), None, None, False)
        if isinstance(x, (Tensor, *CONSTANT)):
            return x
        raise TypeError(
            f"compile: {self.name} returned a {type(x).__name__}, in which values may be "
            "that the program does not know of; expected Tensors, arrays and constants, "
            "and dicts, lists, tuples and dataclasses of them"
        )

    def _made(self, form: _Form, values: Iterator[Any]) -> Any:
        value = _own(form.value, values)
        if form.kind is None:
            return value
        found = wrap(value, form.kind)
        found._grad = _own(form.grad, values)
        if form.tracked:
            found._tracked, found._primitive = True, self.ungraphed
            found._x, found._y, found._rest = None, ABSENT, (self.wanted, {})
        return found

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            f"backward: {self.name} is compiled, and what a compiled function returns "
            "has no graph. Call .backward() inside of the function that is compiled; in "
            "place of grad(compile(fun)), use compile(grad(fun))"
        )


class _Slot:
    """A value of the program; of a scalar of NumPy's, the dtype."""

    def __init__(self, x: Traced) -> None:
        self.slot = x.slot
        self.scalar = x.dtype if isinstance(x.value, np.generic) else None


class _Form:
    """A Tensor or an array: where its value and gradient come from."""

    def __init__(
        self, value: Any, grad: Any, kind: type[Tensor] | None, tracked: bool
    ) -> None:
        self.value, self.grad, self.kind, self.tracked = value, grad, kind, tracked


def _held(x: Any) -> Any:
    return _Slot(x) if isinstance(x, Traced) else x


def _own(x: Any, values: Iterator[Any]) -> Any:
    if isinstance(x, _Slot):
        value = next(values)
        return value if x.scalar is None else np.asarray(value, x.scalar)[()]
    return x.copy() if isinstance(x, np.ndarray) else x


def agree(one: Any, other: Any) -> bool:
    """Whether nests are equal, up to rounding: what BLAS rounds may hang on alignment."""
    one, other = leaves(one), leaves(other)
    return len(one) == len(other) and all(map(_near, one, other))


def _near(x: Any, y: Any) -> bool:
    x, y = value_of(x), value_of(y)
    if not isinstance(x, (np.ndarray, Number)):
        return type(x) is type(y) and bool(x == y)
    x, y = np.asarray(x), np.asarray(y)
    if x.shape != y.shape:
        return False
    if x.dtype != y.dtype or x.dtype.kind not in "fc":
        return x.dtype == y.dtype and bool(np.array_equal(x, y))
    finite = np.abs(x[np.isfinite(x)])
    digits = float(np.sqrt(np.finfo(x.dtype).eps))
    scale = digits * float(np.max(finite, initial=0.0))
    return bool(np.allclose(x, y, rtol=digits, atol=scale, equal_nan=True))
