"""What NumPy says of overflow and of division by zero while a program is run.

A function that means its infinities says so where it computes them, in np.errstate. A
program has its calls in a row, and no such places: NumPy calls back, and what it is to
say of which function is looked up then.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.programs.steps import Step

__all__ = ["make", "meant"]

Call = Callable[[], Any]

ERRORS = {
    "over": "overflow",
    "divide": "divide by zero",
    "under": "underflow",
    "invalid": "invalid value",
}
"""What NumPy calls them, by what `np.errstate` calls them."""


def meant(outside: dict[str, Any]) -> set[str]:
    """The errors of which nothing is said here, though it is outside.

    Args:
        outside: what `np.geterr` is there.
    """
    here: dict[str, Any] = dict(np.geterr())
    return {ERRORS[k] for k in ("over", "divide") if here[k] == "ignore" != outside[k]}


def make(calls: list[Call], quiet: set[tuple[Any, str]]) -> None:
    """Make the calls.

    Args:
        calls: those of a program.
        quiet: the functions and their errors of which nothing is said.
    """
    if not quiet:
        for call in calls:
            call()
        return
    outside, handler = dict(np.geterr()), np.geterrcall()

    def report(error: str, flag: int) -> None:
        function = _function(call)
        mode = next(outside[k] for k, name in ERRORS.items() if name == error)
        if (function, error) in quiet or mode == "ignore":
            return
        if mode == "call" and callable(handler):
            handler(error, flag)
            return
        message = f"{error} encountered in {getattr(function, '__name__', function)}"
        if mode == "raise":
            raise FloatingPointError(message)
        warnings.warn(message, RuntimeWarning, stacklevel=2)

    with np.errstate(over="call", divide="call", call=report):
        for call in calls:
            call()


def _function(call: Any) -> Any:
    """Which of NumPy's functions a call is one of."""
    steps = (x.function for x in getattr(call, "args", ()) if isinstance(x, Step))
    return next(steps, getattr(call, "func", call))
