"""The δ of backpropagation through time, derived by hand, in plain NumPy.

This is the oracle that the engine is held against, so it shares no code with it.
Rows are samples; T steps, B samples, D inputs, H hidden units, O outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["elman", "feedforward"]

Array = np.ndarray[Any, Any]


def _logistic(v: Array) -> Array:
    return 1 / (1 + np.exp(-v))


PHI: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "tanh": (np.tanh, lambda v: 1 - np.tanh(v) ** 2),
    "sigmoid": (_logistic, lambda v: _logistic(v) * (1 - _logistic(v))),
    "relu": (lambda v: np.maximum(v, 0), lambda v: (v > 0).astype(v.dtype)),
    "softplus": (lambda v: np.logaddexp(0, v), _logistic),
    "identity": (lambda v: v, np.ones_like),
}
"""φ and φ' by name."""


def _output(psi: str, v: Array) -> Array:
    if psi == "softmax":
        e = np.exp(v - v.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)
    return PHI[psi][0](v)


def _output_delta(psi: str, v: Array, dE_dy: Array) -> Array:
    """ψ'(v) ⊙ ∂E/∂y; for softmax y ⊙ (∂E/∂y − Σ y ∂E/∂y)."""
    if psi == "softmax":
        y = _output(psi, v)
        return y * (dE_dy - (dE_dy * y).sum(axis=-1, keepdims=True))
    return PHI[psi][1](v) * dE_dy


def elman(
    parameters: Mapping[str, Array],
    x: Array,
    dE_dy: Array | Callable[[Array], Array],
    a0: Array | None = None,
    activation: str = "tanh",
    output_activation: str = "tanh",
) -> dict[str, Array]:
    """Every δ^t and every gradient of the Elman network.

        δ_y^t = ψ'(v_y^t) ⊙ ∂E^t/∂y^t
        δ_a^t = φ'(v_a^t) ⊙ (δ_y^t W_y + δ_a^{t+1} W_a)          δ_a^{T+1} = 0

    Args:
        parameters: W_x (H, D), W_a (H, H), b_a (H,), W_y (O, H), b_y (O,).
        x: (T, B, D) inputs.
        dE_dy: (T, B, O), ∂E/∂y; or the function of y (T, B, O) that gives it.
        a0: (B, H), zeros unless given.
        activation, output_activation: φ and ψ by name; ψ may be "softmax".

    Returns:
        "a" (T, B, H), "y" (T, B, O), the forward pass; "delta_a" (T, B, H) and "delta_y"
        (T, B, O); the gradients of E under the names of the parameters, and "x"
        (T, B, D) and "a0" (B, H).
    """
    W_x, W_a, b_a, W_y, b_y = (parameters[k] for k in ("W_x", "W_a", "b_a", "W_y", "b_y"))
    T, B, _ = x.shape
    phi, dphi = PHI[activation]
    a0 = np.zeros((B, len(W_a)), x.dtype) if a0 is None else a0

    v_a, a = [], [a0]
    for t in range(T):
        v_a.append(x[t] @ W_x.T + a[t] @ W_a.T + b_a)
        a.append(phi(v_a[t]))
    v_y = np.stack(a[1:]) @ W_y.T + b_y
    y = _output(output_activation, v_y)
    delta_y = _output_delta(
        output_activation, v_y, dE_dy(y) if callable(dE_dy) else dE_dy
    )

    delta_a = np.zeros((T + 1, *a0.shape), np.result_type(W_a, x))
    for t in reversed(range(T)):
        delta_a[t] = dphi(v_a[t]) * (delta_y[t] @ W_y + delta_a[t + 1] @ W_a)
    delta_a = delta_a[:T]
    return {
        "a": np.stack(a[1:]),
        "y": y,
        "delta_a": delta_a,
        "delta_y": delta_y,
        "W_x": sum(delta_a[t].T @ x[t] for t in range(T)),
        "W_a": sum(delta_a[t].T @ a[t] for t in range(T)),
        "b_a": delta_a.sum(axis=(0, 1)),
        "W_y": sum(delta_y[t].T @ a[t + 1] for t in range(T)),
        "b_y": delta_y.sum(axis=(0, 1)),
        "x": delta_a @ W_x,
        "a0": delta_a[0] @ W_a,
    }


def feedforward(
    layers: list[tuple[Array, Array, str]],
    u: Array,
    dE_dy: Array | Callable[[Array], Array],
) -> dict[str, Array]:
    """Every δ and every gradient of a feed-forward network, the lecture's first rule.

        δ = φ'(v) ⊙ (δ_next W_next)            δ_out = φ'(v_out) ⊙ ∂E/∂y

    Args:
        layers: (W (N_out, N_in), b (N_out,), φ) for each layer, the first one first.
        u: (B, N), the input.
        dE_dy: (B, O), ∂E/∂y; or the function of y (B, O) that gives it.

    Returns:
        "y" (B, O); for layer l = 1 … L, "delta_l", "W_l" and "b_l"; and "u" (B, N).
    """
    us, vs = [u], []
    for W, b, phi in layers:
        vs.append(us[-1] @ W.T + b)
        us.append(_output(phi, vs[-1]))
    found = {"y": us[-1]}
    dE_du = dE_dy(us[-1]) if callable(dE_dy) else dE_dy
    for number in range(len(layers), 0, -1):
        W, _, phi = layers[number - 1]
        delta = _output_delta(phi, vs[number - 1], dE_du)
        found[f"delta_{number}"] = delta
        found[f"W_{number}"] = delta.T @ us[number - 1]
        found[f"b_{number}"] = delta.sum(axis=0)
        dE_du = delta @ W
    return found | {"u": dE_du}
