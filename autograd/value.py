"""The scalar of micrograd, for code written for that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.programs.tracing import Traced
from autograd.tensor import DISPATCH, Tensor, value_of

__all__ = ["Value"]

SYMBOLS = {
    "add": "+",
    "subtract": "-",
    "negative": "-",
    "multiply": "*",
    "divide": "/",
    "power": "**",
    "square": "**2",
    "relu": "ReLU",
}
"""What micrograd calls operations, where NumPy has another name."""


class Value(Tensor):
    """The scalar of micrograd: a Tensor of a Python float that requires a gradient.

    Code written for micrograd's `Value` runs with it. What is computed from Values and
    numbers alone is a Value; what is computed with arrays is a Tensor.

    Args:
        data: a number.
        _children: the Values that it was computed from, where an operation of one's own
            made it. Its `_backward` is a function that adds to their `grad`:

                out = Value(math.sin(x.data), (x,), "sin")

                def _backward():
                    x.grad += math.cos(x.data) * out.grad

                out._backward = _backward

            Such an operation has derivatives of first order alone.
        _op: what that operation is called.
        label: a name for pictures and messages.

    Attributes:
        data: the number, a float.
        grad: ∂root/∂self; 0.0 before a sweep, and kept in every node after it. A second
            sweep adds the same again to all, the root included, where micrograd sends
            the sums of both through the graph.
        label: the name.

    Equality and hash are those of the object, as in micrograd; `<` and `>` compare the
    numbers.

    Raises:
        TypeError: for anything but a number, and for children that are no Values.
    """

    __slots__ = ("_constant_of", "_kept", "_step")
    _constant_of: tuple[Value, int]  # where a number went in, of a Value for that
    __hash__ = object.__hash__
    __eq__ = object.__eq__
    __ne__ = object.__ne__

    def __init__(
        self,
        data: Any,
        _children: Any = (),
        _op: str = "",
        label: str = "",
    ) -> None:
        if isinstance(data, (str, bytes)) or not hasattr(type(data), "__float__"):
            kind = type(data).__name__
            raise TypeError(f"Value: data is of type {kind}, expected a number")
        super().__init__(float(data), requires_grad=True, name=label or None)
        if isinstance(_children, Tensor):
            raise TypeError(
                f"Value: _children is a {type(_children).__name__}, expected a tuple of "
                "Values. Pass (x,)"
            )
        children = tuple(_children)
        if not all(isinstance(x, Value) for x in children):
            kinds = ", ".join(type(x).__name__ for x in children)
            raise TypeError(f"Value: _children are {kinds}, expected Values")
        self._kept = children, _op
        if children:
            DISPATCH["by hand"](self, tuple(dict.fromkeys(children)), _op)

    @property
    def grad(self) -> Any:
        """∂root/∂self, a float; 0.0 before a sweep."""
        found = super().grad
        if found is None:
            use = getattr(self, "_constant_of", None)
            return 0.0 if use is None else use[0]._sent(use[1])
        return found

    @grad.setter
    def grad(self, value: Any) -> None:
        Tensor.grad.__set__(self, value)  # type: ignore[attr-defined]

    @property
    def label(self) -> str:
        """The name; "" where there is none."""
        return self.name or ""

    @label.setter
    def label(self, label: str) -> None:
        self.name = label or None

    @property
    def _prev(self) -> set[Tensor]:
        """What it was computed from; a number among that as a Value of its own."""
        return set(self._parts()[0])

    @property
    def _op(self) -> str:
        """The operation that made it, by micrograd's name; "" where none did."""
        return self._parts()[1]

    def _parts(self) -> tuple[tuple[Any, ...], str]:
        found: tuple[tuple[Any, ...], str] | None = getattr(self, "_kept", None)
        if found is None:
            shown, symbol = self._args, SYMBOLS.get(self.op, self.op)
            if self.op == "power" and not isinstance(self._y, Tensor):
                shown, symbol = (self._x,), f"**{self._y}"
            children = (
                x if isinstance(x, Tensor) else self._constant_child(i, x)
                for i, x in enumerate(shown)
            )
            found = self._kept = tuple(children), symbol if self._args else ""
        return found

    def _constant_child(self, place: int, x: Any) -> Value:
        """A Value of a number that went in; its gradient comes from this one's."""
        found = Value(x)
        found._constant_of = self, place
        return found

    @property
    def _backward(self) -> Callable[[], None]:
        """A function that adds to the `grad` of what this was computed from."""
        step: Callable[[], None] | None = getattr(self, "_step", None)
        return step or self._send

    @_backward.setter
    def _backward(self, step: Callable[[], None]) -> None:
        self._step = step

    def _send(self) -> None:
        if self._primitive is None:
            return
        for i, x in enumerate(self._args):
            if isinstance(x, Tensor) and x._tracked:
                x.grad = (x.grad or 0.0) + self._sent(i)

    def _sent(self, place: int) -> Any:
        """What this gradient contributes to that of an argument."""
        assert self._primitive is not None
        values = [value_of(x) for x in self._args]
        kwargs = self._rest[1] if self._rest else {}
        return self._primitive.vjp(place)(self.grad, self._data, *values, **kwargs)

    def _by_hand(self, g: Any, children: tuple[Value, ...]) -> list[Any]:
        """What `_backward` adds to the gradients of the children, for the gradient g."""
        before = [(x, x._grad) for x in (self, *children)]
        try:
            self._grad = g
            for x in children:
                x._grad = 0.0
            step = getattr(self, "_step", None)
            if step is not None:
                step()
            return [x._grad for x in children]
        finally:
            for x, grad in before:
                x._grad = grad

    def __repr__(self) -> str:
        value = self._data.value if isinstance(self._data, Traced) else self._data
        return f"Value(data={value}, grad={self.grad})"
