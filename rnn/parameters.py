"""Parameters by name: joined, or others put in their places."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import partial
from types import MethodType
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.arrays import as_plain
from autograd.programs.tracing import Traced
from autograd.tensor import array_of

__all__ = ["Parameters", "replaced", "replacements"]


class Parameters(dict[str, Tensor]):
    """Tensors by name, a dict.

    Joining two (`a | b`, `a |= b`, `a.update(b)`) raises ValueError where one name stands
    for two Tensors, since one of them would be lost. `{**a, **b}` cannot tell; give an
    optimizer the list of networks instead.
    """

    def __or__(self, other: Any) -> Any:
        if not isinstance(other, Mapping):
            return NotImplemented
        return Parameters(dict(self) | self._joined(self, other))

    def __ror__(self, other: Any) -> Any:
        if not isinstance(other, Mapping):
            return NotImplemented
        return Parameters(dict(other) | self._joined(other, self))

    def __ior__(self, other: Any) -> Any:
        self.update(other)
        return self

    def update(self, *others: Any, **more: Any) -> None:
        """Take others up; ValueError for a name that is here, of another Tensor."""
        super().update(self._joined(self, dict(*others, **more)))

    def copy(self) -> Parameters:
        """A shallow copy."""
        return Parameters(self)

    @staticmethod
    def _joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
        """The second, checked against the first."""
        both = [n for n in second if n in first and first[n] is not second[n]]
        if both:
            raise ValueError(
                f"parameters: {', '.join(map(str, both))} is the name of two different "
                "Tensors, one of which would be lost. Give the optimizer a list of the "
                "networks, [first, second], or put a prefix to the names of one: "
                '{f"second.{name}": p for name, p in second.parameters().items()}'
            )
        return dict(second)


def replacements(
    caller: str, own: Mapping[str, Tensor], given: Mapping[str, Any]
) -> dict[Tensor, Tensor]:
    """What is to stand in the place of each parameter, checked; see `Module.having`.

    Args:
        caller: the function, for messages.
        own: the parameters under all their names.
        given: Tensors or arrays by name.
    """
    found: dict[Tensor, Tensor] = {}
    names: dict[Tensor, str] = {}
    wrong = []
    for name, value in given.items():
        if name not in own:
            known = ", ".join(own) or "none, since it has no parameters"
            wrong.append(f"{name} is unknown, expected of {known}")
            continue
        p = own[name]
        if (misfit := _misfit(name, value, p)) is not None:
            wrong.append(misfit)
        elif p in found and value is not given[names[p]]:
            wrong.append(
                f"{names[p]} and {name} are one parameter; give it under one name"
            )
        else:
            names[p] = name
            tensor = isinstance(value, Tensor)
            found[p] = value if tensor else _as_parameter(value, p)
    if wrong:
        raise ValueError(f"{caller}: {'; '.join(wrong)}")
    return found


def _misfit(name: str, value: Any, p: Tensor) -> str | None:
    """What keeps a value from standing in the place of a parameter, if anything."""
    try:
        array = array_of(value if isinstance(value, Tensor) else _plain(value))
    except (TypeError, ValueError) as error:
        return f"{name} is no array of numbers: {error}"
    if array.dtype.kind not in "fiu":
        return f"{name} is {array.dtype}, expected {p.dtype}"
    if array.shape != p.shape:
        return f"{name} has shape {array.shape}, expected {p.shape}"
    if isinstance(value, Tensor) and array.dtype != p.dtype:
        return (
            f"{name} is a Tensor of {array.dtype}, expected {p.dtype}; "
            f'.astype("{p.dtype}") makes it one'
        )
    return None


def _plain(value: Any) -> Any:
    """An array without a mask and the like; one that a program records as it is."""
    return value if isinstance(value, Traced) else as_plain("having", value)


def _as_parameter(value: Any, p: Tensor) -> Tensor:
    """An array of real numbers as a Tensor of the dtype of p, without a gradient."""
    return Tensor(np.astype(array_of(value), p.dtype), name=p.name)


def replaced(
    x: Any, values: Mapping[Tensor, Tensor], done: dict[int, Any], module: type
) -> Any:
    """A copy of a nest in which Tensors have given way to others.

    Modules, lists, tuples, dicts, methods of Modules and partial functions are copied,
    each once, so that what was shared stays shared; all else is the same object.

    Args:
        x: the nest.
        values: what stands in the place of which Tensor.
        done: the copies made so far, by the id of the original.
        module: the class of networks.
    """
    again = partial(replaced, values=values, done=done, module=module)
    if isinstance(x, Tensor):
        return values.get(x, x)
    if id(x) in done:
        return done[id(x)]
    if isinstance(x, module):
        done[id(x)] = found = copy.copy(x)
        vars(found).update({name: again(part) for name, part in vars(x).items()})
    elif isinstance(x, list | dict):
        done[id(x)] = found = copy.copy(x)
        for key, part in list(x.items() if isinstance(x, dict) else enumerate(x)):
            found[key] = again(part)
    elif isinstance(x, tuple):
        parts = [again(part) for part in x]
        found = x if all(map(_same, parts, x)) else _tuple_like(x, parts)
    elif isinstance(x, MethodType):
        found = MethodType(x.__func__, again(x.__self__))
    elif isinstance(x, partial):
        keywords = {name: again(part) for name, part in x.keywords.items()}
        found = partial(again(x.func), *map(again, x.args), **keywords)
    else:
        return x
    return found


def _same(a: Any, b: Any) -> bool:
    return a is b


def _tuple_like(x: Any, parts: list[Any]) -> Any:
    """A tuple of the class of x, which may be a named one."""
    return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
