"""NumPy's own signatures: names, defaults, and the messages for what has no rule."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "ABSENT", "LAYOUT", "Signature", "arranged", "drops_gradient", "is_default",
    "no_keyword", "no_rule", "public_name", "signature_of",
]  # fmt: skip

ABSENT = np._NoValue  # NumPy's own mark of "not given"

UFUNC: dict[str, Any] = {
    "out": None, "where": True, "casting": "same_kind", "order": "K", "dtype": None,
    "subok": True, "signature": None, "sig": None, "axes": ABSENT, "axis": ABSENT,
}  # fmt: skip
"""The keywords of every ufunc, with their defaults."""

LAYOUT = frozenset({"casting", "order", "subok"})
"""Keywords of ufuncs that NumPy checks, and that change no value."""


class Signature(NamedTuple):
    """The parameters of a NumPy function.

    Attributes:
        names: those that may be given by position, in order.
        required: how many of them, the first ones, have no default.
        defaults: the defaults of all others, by name.
        spread: whether it takes any number of positional arguments.
    """

    names: tuple[str, ...]
    required: int
    defaults: dict[str, Any]
    spread: bool


@functools.cache
def signature_of(function: Callable[..., Any]) -> Signature:
    """The parameters of a NumPy function, or of a primitive of the user's."""
    if isinstance(function, np.ufunc):
        return Signature(("x1", "x2", "x3")[: function.nin], function.nin, UFUNC, False)
    if isinstance(getattr(function, "__self__", None), np.ufunc):
        return _of_method(function.__name__)
    parameters = inspect.signature(function).parameters.values()
    placed = [
        p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    return Signature(
        tuple(p.name for p in placed),
        sum(p.default is p.empty for p in placed),
        defaults,
        any(p.kind is p.VAR_POSITIONAL for p in parameters),
    )


def _of_method(name: str) -> Signature:
    """The parameters of a method of all ufuncs, such as np.add.reduce."""
    defaults: dict[str, Any] = {"axis": 0, "dtype": None, "out": None}
    if name == "reduce":
        defaults |= {"keepdims": False, "initial": ABSENT, "where": True}
    return Signature(("array", *defaults), 1, defaults, False)


def public_name(function: Callable[..., Any]) -> str:
    """The name of a NumPy function as users write it, without the leading `np.`"""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):  # np.add.reduce
        return f"{owner.__name__}.{function.__name__}"
    module = getattr(function, "__module__", None) or ""
    return f"{module.replace('numpy', '', 1)}.{function.__name__}".lstrip(".")


def is_default(value: Any, default: Any) -> bool:
    """Whether an argument is what NumPy takes where it is not given."""
    if value is default or value is ABSENT:
        return True
    if isinstance(value, np.bool_):
        value = bool(value)
    plain = (bool, int, float, str)
    return type(value) is type(default) and type(value) in plain and value == default


def arranged(
    signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The required arguments by position, and all others by NumPy's names."""
    if signature.spread:
        return list(args), dict(kwargs)
    required, names = signature.required, signature.names
    given = dict(zip(names[required:], args[required:], strict=False))
    if len(args) > len(names) or given.keys() & kwargs.keys():
        raise TypeError(
            f"expected at most {len(names)} arguments by position, each of them once "
            f"(got {len(args)}, and {', '.join(kwargs) or 'none'} by keyword)"
        )
    given |= kwargs
    placed = list(args[:required])
    for name in names[len(placed) : required]:
        if name in given:
            placed.append(given.pop(name))
    return placed, given


def no_keyword(function: str, name: str, value: Any) -> str:
    """The message for a keyword that has no rule."""
    return (
        f"np.{function}: {name}= has no rule for Tensors (got {name}={value!r:.60}). "
        "Leave it out, and compose what it does of other functions"
    )


def drops_gradient(function: str) -> str:
    """The message for out=, into which a result would be written without a gradient."""
    return (
        f"np.{function}: out= (and in-place forms such as `array += tensor`) would drop "
        "the gradient. Use the result: `array = array + tensor`"
    )


def no_rule(function: str) -> str:
    """The message for a function that has no rule."""
    if function.startswith("fft."):
        return (
            f"np.{function}: no rule for Tensors, since no gradient passes through "
            "complex numbers. Multiply by the cosines and sines of the frequencies, "
            "x @ np.cos(angles) and x @ np.sin(angles), or leave the graph with `.data`"
        )
    return (
        f"{function}: no rule for Tensors, so its gradient would be lost. Compose it "
        "of functions that have one, declare one with autograd.primitive, or leave the "
        "graph with `.data`"
    )
