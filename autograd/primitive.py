"""How operations are declared, the engine's own and users' alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.tensor import DISPATCH, Primitive

__all__ = ["implements", "primitive", "rule"]


def primitive(function: Callable[..., Any]) -> Primitive:
    """Make `function`, of arrays, an operation that records; a decorator.

    Its VJPs are declared with `defvjp`, one for each argument in turn:

        @primitive
        def cube(x):
            return x**3

        cube.defvjp(lambda g, ans, x: g * 3 * x**2)

    A VJP written in NumPy's own functions can itself be differentiated, so `cube` has
    derivatives of every order.
    """
    return Primitive(function)


def rule(function: Callable[..., Any], *vjps: Callable[..., Any] | None) -> None:
    """Declare the VJPs of one of NumPy's functions, one for each argument in turn."""
    DISPATCH[function] = Primitive(function).defvjp(*vjps)


def implements(function: Callable[..., Any]) -> Callable[..., Any]:
    """Say what runs in place of a NumPy function called with a Tensor; a decorator."""

    def declare(replacement: Callable[..., Any]) -> Callable[..., Any]:
        DISPATCH[function] = replacement
        return replacement

    return declare
