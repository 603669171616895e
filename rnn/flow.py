"""How far a gradient reaches back in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.backward import sweep
from rnn.elman import ElmanNetwork, Instant

__all__ = ["GradientFlow", "gradient_flow"]

Array = np.ndarray[Any, Any]

SLOPE = {
    "tanh": 1.0, "sigmoid": 0.25, "relu": 1.0, "softplus": 1.0, "identity": 1.0
}  # fmt: skip
"""γ = max |φ'|."""

VANISHING, EXPLODING = 0.9, 1.1
"""Mean factor per step below and above which the verdict is not "stable"."""


@dataclass(frozen=True)
class GradientFlow:
    """The reach of the gradient of each step's loss.

    Attributes:
        norms: (T, T); norms[t, k] = ‖∂E^t/∂a^k‖ for k ≤ t, NaN elsewhere.
        by_distance: (T,); the geometric mean over t of norms[t, t − d] / norms[t, t],
            the gradient's size d steps back, where it is 1 at d = 0.
        spectral_radius: the largest |eigenvalue| of W_a.
        sigma_max: its largest singular value.
        rate: γ σ_max, so that ‖∂a^t/∂a^k‖ ≤ rate^(t−k).
        factor: what a step back multiplies the gradient by, in the geometric mean.
        verdict: "vanishing", "stable" or "exploding", by `factor`.
    """

    norms: Array
    by_distance: Array
    spectral_radius: float
    sigma_max: float
    rate: float
    factor: float
    verdict: str


def gradient_flow(
    network: ElmanNetwork,
    x: Array,
    loss: Callable[[int, Instant], Any],
    a0: Array | None = None,
) -> GradientFlow:
    """Sweep the unrolled network from every E^t to every a^k before it.

    Since ∂a^t/∂a^k = Π_{i=k+1..t} diag(φ'(v_a^i)) W_a, its norm is at most
    (γ σ_max(W_a))^(t−k): the gradient must vanish where γ σ_max < 1, and can explode only
    where γ σ_max > 1 (Bengio, Simard and Frasconi, 1994; Pascanu et al., 2013).

    Args:
        network: the network.
        x: (T, B, D) inputs, or (T, B) indices.
        loss: (t from 0, the instant t) → E^t, a scalar.
        a0: (B, H), the state before the first step; zeros unless given.

    Raises:
        ValueError: for a single step, which has no step back.
    """
    instants = network.unroll(x, a0)
    T = len(instants)
    if T < 2:
        raise ValueError(f"gradient_flow: {T} step, expected at least 2")
    place = {instant.a: k for k, instant in enumerate(instants)}
    norms = np.full((T, T), np.nan)
    for t, instant in enumerate(instants):
        E = loss(t, instant)
        for node, g, _ in sweep(E, np.ones(E.shape, E.dtype), wanted=set(place)):
            norms[t, place[node]] = np.linalg.norm(g)

    by_distance = np.array([_mean_ratio(norms, d) for d in range(T)])
    W_a = network.W_a.data
    sigma = float(np.linalg.norm(W_a, 2))
    factor = _factor(by_distance)
    return GradientFlow(
        norms=norms,
        by_distance=by_distance,
        spectral_radius=float(np.abs(np.linalg.eigvals(W_a)).max()),
        sigma_max=sigma,
        rate=SLOPE[network.config["activation"]] * sigma,
        factor=factor,
        verdict=(
            "vanishing"
            if factor < VANISHING
            else "exploding"
            if factor > EXPLODING
            else "stable"
        ),
    )


def _mean_ratio(norms: Array, distance: int) -> float:
    """The geometric mean of ‖∂E^t/∂a^{t−d}‖ / ‖∂E^t/∂a^t‖ over t; 0 if one is 0."""
    far, near = np.diagonal(norms, -distance), np.diagonal(norms)[distance:]
    ratios = far[near > 0] / near[near > 0]
    if not ratios.size or np.any(ratios == 0):
        return 0.0
    return float(np.exp(np.mean(np.log(ratios))))


def _factor(by_distance: Array) -> float:
    """The growth per step back: the slope of log by_distance, as a factor."""
    d = np.flatnonzero(by_distance > 0)
    return (
        float(np.exp(np.polyfit(d, np.log(by_distance[d]), 1)[0])) if len(d) > 1 else 0.0
    )
