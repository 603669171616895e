"""The engine held against the δ derived by hand, on a network and data of one's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn import deltas
from rnn.elman import ElmanNetwork, Instant

__all__ = ["Agreement", "check_deltas", "relative_difference"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Agreement:
    """How closely two routes to one quantity agree.

    Attributes:
        quantity: "∂E/∂W_a", "δ_a", ….
        step: the instant, counted from 1; None for a parameter.
        norm: the quantity's Euclidean norm.
        difference: the largest difference of an element, relative to the largest element.
    """

    quantity: str
    step: int | None
    norm: float
    difference: float


def relative_difference(found: Array, expected: Array) -> float:
    """The quotient max |found − expected| / max |expected|.

    It is 0 where both are zero throughout, infinite where anything is not finite.

    Raises:
        ValueError: where the shapes differ.
    """
    if np.shape(found) != np.shape(expected):
        raise ValueError(
            f"relative_difference: shapes {np.shape(found)} and {np.shape(expected)}, "
            "expected the same"
        )
    if not (np.all(np.isfinite(found)) and np.all(np.isfinite(expected))):
        return np.inf
    scale = float(np.max(np.abs(expected), initial=0.0))
    gap = float(np.max(np.abs(found - expected), initial=0.0))
    return gap / scale if scale else (np.inf if gap else 0.0)


def check_deltas(
    network: ElmanNetwork,
    x: Array,
    loss: Callable[[list[Instant]], Any],
    dE_dy: Callable[[Array], Array],
    output_activation: str | None = None,
) -> list[Agreement]:
    """Compare the engine's sweep of the unrolled network with `rnn.deltas.elman`.

    Args:
        network: float64, for differences near 1e-15 rather than 1e-6.
        x: (T, B, D) inputs.
        loss: E, of the T instants.
        dE_dy: y (T, B, O) → ∂E/∂y, by hand; of v_y where `output_activation` says so.
        output_activation: ψ as the formulas are to see it; the network's own unless
            given. "identity" for losses of the local field v_y, such as cross-entropy
            from logits.

    Returns:
        One `Agreement` for every parameter, then for δ_a^t and δ_y^t at every step t.
    """
    psi = output_activation or network.config["output_activation"]
    network.zero_grad()
    instants = network.unroll(x)
    for instant in instants:
        instant.v_a.retain_grad()
        instant.v_y.retain_grad()
    loss(instants).backward()
    dense = x if x.dtype.kind == "f" else np.eye(network.config["input_size"])[x]
    phi = network.config["activation"]
    oracle = deltas.elman(network.state_dict(), dense, dE_dy, None, phi, psi)

    rows = [
        _agreement(f"∂E/∂{name}", None, p.grad, oracle[name])
        for name, p in network.parameters().items()
    ]
    for t, instant in enumerate(instants):
        rows.append(_agreement("δ_a", t + 1, instant.v_a.grad, oracle["delta_a"][t]))
        rows.append(_agreement("δ_y", t + 1, instant.v_y.grad, oracle["delta_y"][t]))
    network.zero_grad()
    return rows


def _agreement(quantity: str, step: int | None, found: Any, expected: Array) -> Agreement:
    norm = float(np.linalg.norm(expected))
    return Agreement(quantity, step, norm, relative_difference(found, expected))
