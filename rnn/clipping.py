"""Gradients that are too large, cut down between the sweep and the step."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor

__all__ = ["clip_grad_norm", "clip_grad_value"]

Array = np.ndarray[Any, Any]


def clip_grad_norm(parameters: dict[str, Tensor], max_norm: float) -> float:
    """Scale all gradients by one factor so that their joint norm is at most `max_norm`.

    Returns:
        The norm as it was.

    Raises:
        ValueError: where `max_norm` is not above 0.
        FloatingPointError: where the norm is not finite, naming the parameters at fault.
    """
    grads = _gradients("clip_grad_norm", parameters, "max_norm", max_norm)
    norms = [float(np.linalg.norm(np.asarray(g, float))) for g in grads.values()]
    norm = float(np.linalg.norm(norms))
    _check_finite("clip_grad_norm", grads, norm)
    if norm > max_norm:
        for name, g in grads.items():
            parameters[name].grad = g * (max_norm / norm)
    return norm


def clip_grad_value(parameters: dict[str, Tensor], max_value: float) -> float:
    """Bring every element of every gradient into −max_value … max_value.

    This changes the gradient's direction, which `clip_grad_norm` keeps.

    Returns:
        The largest size of an element, as it was.

    Raises:
        ValueError: where `max_value` is not above 0.
        FloatingPointError: where a gradient is not finite, naming the parameter.
    """
    grads = _gradients("clip_grad_value", parameters, "max_value", max_value)
    sizes = [float(np.max(np.abs(g), initial=0.0)) for g in grads.values()]
    largest = float(np.max(sizes, initial=0.0))
    _check_finite("clip_grad_value", grads, largest)
    if largest > max_value:
        for name, g in grads.items():
            parameters[name].grad = np.clip(g, -max_value, max_value)
    return largest


def _gradients(
    function: str, parameters: dict[str, Tensor], name: str, limit: float
) -> dict[str, Array]:
    if not limit > 0:
        raise ValueError(f"{function}: {name}={limit}, expected above 0")
    return {name: p.grad for name, p in parameters.items() if p.grad is not None}


def _check_finite(function: str, grads: dict[str, Array], size: float) -> None:
    if not np.isfinite(size):
        bad = [name for name, g in grads.items() if not np.isfinite(g).all()]
        raise FloatingPointError(
            f"{function}: the gradient of {', '.join(bad) or 'all'} is not finite; "
            "lower the learning rate, or look for NaN in the data"
        )
