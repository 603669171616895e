"""What arguments must be, told at the call that is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor

__all__ = [
    "as_number",
    "check_array",
    "check_callable",
    "check_dropout",
    "check_finite",
    "check_reached",
    "check_sizes",
    "check_step",
]


def check_sizes(caller: str, *, least: int = 1, **sizes: Any) -> None:
    """See that sizes are whole numbers of at least `least`; ValueError else."""
    for name, size in sizes.items():
        whole = isinstance(size, int | np.integer) and not isinstance(size, bool)
        if not whole or size < least:
            raise ValueError(
                f"{caller}: {name}={size!r}, expected at least {least}, a whole number"
            )


def as_number(value: Any) -> float:
    """A number as a float; NaN, which fails every comparison, where it is none."""
    array = np.asarray(None if isinstance(value, Tensor | list | tuple) else value)
    return float(array) if array.ndim == 0 and array.dtype.kind in "iuf" else np.nan


def check_array(caller: str, name: str, value: Any) -> None:
    """Check that a value may be an array: no tuple of Tensors, Instant, list or network.

    Raises:
        TypeError: naming the mistake and the way out.
    """
    kind = type(value).__name__
    first = value[0] if isinstance(value, list | tuple) and value else None
    fields = getattr(value, "_fields", None)
    mistake = None
    if fields is not None:
        mistake = f"is the {kind} ({', '.join(fields)}); give one, {name}.{fields[-1]}"
    elif hasattr(first, "_fields"):
        mistake = f"is a {kind} of {type(first).__name__}s; np.stack one field of each"
    elif isinstance(value, tuple) and any(isinstance(x, Tensor | tuple) for x in value):
        mistake = (
            f"is a tuple of {len(value)}. A recurrent network returns (output, state): "
            f"unpack it, {name}, state = network(x)"
        )
    elif isinstance(value, list) and any(isinstance(x, Tensor) for x in value):
        mistake = f"is a list of Tensors; np.stack({name}) makes one of them"
    elif callable(value) or hasattr(value, "parameters"):
        mistake = f"is a {kind}, expected numbers, such as the result of a call of it"
    if mistake is not None:
        raise TypeError(f"{caller}: {name} {mistake}")


def check_callable(caller: str, name: str, function: Any, form: str) -> None:
    """See that an argument is a function; TypeError with the form it is to have else."""
    if not callable(function):
        raise TypeError(
            f"{caller}: {name} is a {type(function).__name__}, expected a function {form}"
        )


def check_dropout(caller: str, p: Any) -> None:
    """See that a probability of dropping leaves something to keep; ValueError else."""
    if not 0 <= as_number(p) < 1:
        raise ValueError(f"{caller}: dropout={p!r}, expected 0 to 1, and below 1")


def check_finite(caller: str, name: str, array: Any) -> None:
    """See that an array has numbers alone; ValueError with the first that is none."""
    if not np.isfinite(np.sum(array)):
        bad = np.argwhere(~np.isfinite(array))
        if len(bad):  # and the sum has not merely overflowed
            place = [int(i) for i in bad[0]]
            what = "NaN" if np.isnan(array[tuple(bad[0])]) else "∞"
            raise ValueError(
                f"{caller}: {name} has {what}, the first at {place} of {np.shape(array)}"
            )


def check_reached(caller: str, parameters: dict[str, Any]) -> None:
    """See that a sweep left one of the parameters a gradient; ValueError else."""
    if all(p.grad is None for p in parameters.values()):
        raise ValueError(
            f"{caller}: the loss was computed from none of the optimizer's parameters, "
            f"{', '.join(parameters)}. Make the optimizer of the network that is trained"
        )


def check_step(caller: str, what: str, arrays: dict[str, Any], when: str) -> None:
    """Check the numbers of a step of descent before they are used.

    Args:
        caller: the function that is called.
        what: "gradient" or "parameter".
        arrays: by the parameters' names.
        when: at which step, as the message has it.

    Raises:
        FloatingPointError: if one is not finite, naming the parameters.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # the sum is only looked at
        sums = {name: np.sum(x) for name, x in arrays.items()}
    bad = [n for n, x in sums.items() if not np.isfinite(x)]
    bad = [name for name in bad if not np.isfinite(arrays[name]).all()]
    if bad:
        raise FloatingPointError(
            f"{caller}: the {what} of {', '.join(bad)} is not finite {when}. Lower the "
            "learning rate, clip with max_norm=, or look for NaN in the data; under "
            "autograd.detect_anomaly() the operation is named"
        )
