"""φ with its derivative, by name or as one's own pair of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["PHI", "Activation", "logistic", "output", "output_delta", "pair"]

Array = np.ndarray[Any, Any]
Function = Callable[[Array], Array]
Activation = str | tuple[Function, Function]
"""A name, or the pair (φ, φ') of functions of the local field."""


def logistic(v: Array) -> Array:
    """σ(v) = 1 / (1 + exp(−v))."""
    return 1 / (1 + np.exp(-v))


PHI: dict[str, tuple[Function, Function]] = {
    "tanh": (np.tanh, lambda v: 1 - np.tanh(v) ** 2),
    "sigmoid": (logistic, lambda v: logistic(v) * (1 - logistic(v))),
    "relu": (lambda v: np.maximum(v, 0), lambda v: (v > 0).astype(v.dtype)),
    "softplus": (lambda v: np.logaddexp(0, v), logistic),
    "identity": (lambda v: v, np.ones_like),
}
"""φ and φ' by name."""


def pair(activation: Activation) -> tuple[Function, Function]:
    """The functions φ and φ'.

    Raises:
        ValueError: for a name that is not there, or no pair of functions.
    """
    if isinstance(activation, tuple) and [*map(callable, activation)] == [True, True]:
        return activation
    if not isinstance(activation, str) or activation not in PHI:
        raise ValueError(
            f"rnn.deltas: activation {activation!r}, expected one of {', '.join(PHI)}, "
            "or the pair of functions (φ, φ'); for outputs also 'softmax'"
        )
    return PHI[activation]


def output(psi: Activation, v: Array) -> Array:
    """ψ(v), where ψ may be "softmax", over the last axis."""
    if psi == "softmax":
        e = np.exp(v - v.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)
    return pair(psi)[0](v)


def output_delta(psi: Activation, v: Array, dE_dy: Array) -> Array:
    """ψ'(v) ⊙ ∂E/∂y; for softmax y ⊙ (∂E/∂y − Σ y ∂E/∂y)."""
    if psi == "softmax":
        y = output(psi, v)
        return y * (dE_dy - (dE_dy * y).sum(axis=-1, keepdims=True))
    return pair(psi)[1](v) * dE_dy
