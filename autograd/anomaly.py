"""Finding where the first NaN or infinity comes from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from autograd.context import Setting, State, state
from autograd.deferred import Deferred

__all__ = ["check_backward", "check_forward", "detect_anomaly"]

OURS = (str(Path(__file__).parent), str(Path(np.__file__).parent))


class detect_anomaly(Setting):
    """Context manager: the first NaN or infinity raises, forward or backward.

    The error names the operation, its scope and the line of the caller's code. Every
    result is looked at, so use it to find a fault, not to train.

    Raises:
        FloatingPointError: from the operation, or from the sweep through it.
    """

    def changed(self, now: State) -> State:
        """The state inside."""
        return now._replace(lines={})


def check_forward(node: Any) -> None:
    """Note the line that computed `node`; see that its value is finite."""
    line = _callers_line()
    lines = state.get().lines
    if lines is not None:
        lines[node._order] = line
    if not np.all(np.isfinite(node._data)):
        raise FloatingPointError(
            f"{node._title()} is {_kind(node._data)}, the first that is; computed at "
            f"{line}"
        )


def check_backward(node: Any, argument: int, gradient: Any) -> None:
    """See that what `node` sends back to one of its arguments is finite."""
    array = gradient.full() if isinstance(gradient, Deferred) else gradient
    if not np.all(np.isfinite(array)):
        line = (state.get().lines or {}).get(
            node._order, "a line outside of detect_anomaly"
        )
        raise FloatingPointError(
            f"backward: the gradient of argument {argument} of {node._title()} is "
            f"{_kind(array)}, the first that is; the operation was recorded at {line}"
        )


def _kind(value: Any) -> str:
    return "NaN" if np.any(np.isnan(value)) else "infinite"


def _callers_line() -> str:
    """File, line and function of the innermost caller outside of the engine and NumPy."""
    frame = sys._getframe()
    while frame.f_back and frame.f_code.co_filename.startswith(OURS):
        frame = frame.f_back
    code = frame.f_code
    return f"{code.co_filename}:{frame.f_lineno} in {code.co_name}"
