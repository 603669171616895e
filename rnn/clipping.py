"""Gradients that are too large, cut down between the sweep and the step."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor
from rnn.checks import as_number
from rnn.grouping import by_name

__all__ = ["clip_grad_norm", "clip_grad_value"]

Array = np.ndarray[Any, Any]


def clip_grad_norm(parameters: Any, max_norm: float) -> float:
    """Scale all gradients by one factor so that their joint norm is at most `max_norm`.

    They are scaled in place.

    Args:
        parameters: as an `Optimizer` takes them; a parameter given twice counts once.
        max_norm: the largest norm.

    Returns:
        The norm as it was.

    Raises:
        ValueError: where `max_norm` is not above 0.
        FloatingPointError: where the norm is not finite, naming the parameters at fault.
    """
    parameters = by_name("clip_grad_norm", parameters)
    grads = _gradients("clip_grad_norm", parameters, "max_norm", max_norm)
    unit, share = 1.0, _norm(grads)
    if not 1e-12 < share < 1e18:
        # Elements whose squares may be no numbers of float32, or not even of float64,
        # are measured in units of the largest.
        unit = _largest("clip_grad_norm", grads) or 1.0
        share = _norm(grads, unit)
    if unit * share > max_norm:
        for name, g in grads.items():
            if isinstance(g, np.ndarray):
                if unit != 1.0:
                    g /= unit
                g *= float(max_norm) / share
            else:
                parameters[name].grad = g / unit * (float(max_norm) / share)
    return unit * share


def _norm(grads: dict[str, Array], unit: float = 1.0) -> float:
    """Of all elements in some unit: the squares of a row are summed in its own dtype,
    the rows in float64.
    """
    squares = 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # the caller looks at what comes
        for g in grads.values():
            rows = np.atleast_1d(g if unit == 1.0 else np.asarray(g, float) / unit)
            squares += float(np.sum(np.vecdot(rows, rows), dtype=float))
    return squares**0.5


def clip_grad_value(parameters: Any, max_value: float) -> float:
    """Bring every element of every gradient into −max_value … max_value.

    This changes the gradient's direction, which `clip_grad_norm` keeps.

    Args:
        parameters: as an `Optimizer` takes them.
        max_value: the largest size of an element.

    Returns:
        The largest size of an element, as it was.

    Raises:
        ValueError: where `max_value` is not above 0.
        FloatingPointError: where a gradient is not finite, naming the parameter.
    """
    parameters = by_name("clip_grad_value", parameters)
    grads = _gradients("clip_grad_value", parameters, "max_value", max_value)
    largest, limit = _largest("clip_grad_value", grads), float(max_value)
    if largest > limit:
        for name, g in grads.items():
            parameters[name].grad = np.clip(g, -limit, limit)
    return largest


def _gradients(
    function: str, parameters: dict[str, Tensor], name: str, limit: float
) -> dict[str, Array]:
    """The gradients that there are, that of a parameter with two names once."""
    if not as_number(limit) > 0:
        raise ValueError(f"{function}: {name}={limit!r}, expected above 0")
    first = {id(p): name for name, p in reversed(parameters.items())}
    return {
        name: p.grad
        for name, p in parameters.items()
        if p.grad is not None and first[id(p)] == name
    }


def _largest(function: str, grads: dict[str, Array]) -> float:
    """The largest size of an element; FloatingPointError where one is not finite."""
    sizes = [float(np.max(np.abs(g), initial=0.0)) for g in grads.values()]
    bad = [n for n, size in zip(grads, sizes, strict=True) if not np.isfinite(size)]
    if bad:
        raise FloatingPointError(
            f"{function}: the gradient of {', '.join(bad)} is not finite; lower the "
            "learning rate, or look for NaN in the data"
        )
    return max(sizes, default=0.0)
