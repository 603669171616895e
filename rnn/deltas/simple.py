"""The δ^t of layers that feed themselves one instant later, without gates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rnn.deltas.activations import Activation, Function, output, output_delta, pair
from rnn.deltas.layers import forms_of, gradients, layer, there
from rnn.deltas.shapes import checked, sent

__all__ = ["elman", "rnn"]

Array = np.ndarray[Any, Any]

ELMAN = {
    "W_a": "H, H", "W_x": "H, D", "b_a": "H", "W_y": "O, H", "b_y": "O", "x": "T, B, D",
    "a0": "B, H?",
}  # fmt: skip


def _forward(
    u: Array, W_x: Array, W_a: Array, b_a: Array, a0: Array, m: Array, phi: Function
) -> tuple[Array, Array]:
    """v_a (T, B, H) and a (T + 1, B, H), a^0 first; a masked step holds the state."""
    v_a, a = [], [a0]
    for t in range(len(u)):
        v_a.append(u[t] @ W_x.T + a[t] @ W_a.T + b_a)
        a.append(np.where(m[t], phi(v_a[t]), a[t]))
    return np.stack(v_a), np.stack(a)


def _backward(
    above: Array, v_a: Array, W_a: Array, m: Array, dphi: Function
) -> tuple[Array, Array]:
    """The lecture's recursion: δ_a (T, B, H), and ∂E/∂a^0 (B, H).

        δ_a^t = φ'(v_a^t) ⊙ (above^t + δ_a^{t+1} W_a)          δ_a^{T+1} = 0

    `above` (T, B, H) is what the layer after sends back at the same instant, δ W of it.
    A masked step has no δ; the state that it holds passes on what comes back to it.
    """
    (T, *shape), slope, elsewhere = v_a.shape, m * dphi(v_a), ~m
    delta_a, held = np.zeros((T + 1, *shape), above.dtype), np.zeros(shape, above.dtype)
    for t in reversed(range(T)):
        dE_da = above[t] + delta_a[t + 1] @ W_a + held
        delta_a[t] = slope[t] * dE_da
        held = elsewhere[t] * dE_da
    return delta_a[:T], delta_a[0] @ W_a + held


def elman(
    parameters: Mapping[str, Array],
    x: Array,
    dE_dy: Array | Callable[[Array], Array],
    a0: Array | None = None,
    activation: Activation = "tanh",
    output_activation: Activation = "tanh",
    mask: Array | None = None,
) -> dict[str, Array]:
    """Every δ^t and every gradient of the Elman network.

        δ_y^t = ψ'(v_y^t) ⊙ ∂E^t/∂y^t
        δ_a^t = φ'(v_a^t) ⊙ (δ_y^t W_y + δ_a^{t+1} W_a)          δ_a^{T+1} = 0

    At a masked step both are 0, and so is y; the state is held, and passes on what comes
    back to it.

    Args:
        parameters: W_x (H, D), W_a (H, H), b_a (H,), W_y (O, H), b_y (O,).
        x: (T, B, D) inputs.
        dE_dy: (T, B, O), ∂E/∂y; or the function of y (T, B, O) that gives it.
        a0: (B, H), zeros unless given.
        activation, output_activation: φ and ψ by name, or as the pair of functions
            (φ, φ'); ψ may be "softmax".
        mask: (T, B) booleans, False where a step is masked, such as those beyond a
            sample's length.

    Returns:
        "v_a", "a" (T, B, H), "v_y", "y" (T, B, O), the forward pass; "delta_a" (T, B, H)
        and "delta_y" (T, B, O); the gradients of E under the names of the parameters, and
        "x" (T, B, D) and "a0" (B, H).

    Raises:
        ValueError: for an unknown activation; for arrays that are missing or of another
            shape, all of them named.
    """
    found = checked("elman", parameters, ELMAN, x=x, a0=a0)
    W_a, W_x, b_a, W_y, b_y, x = (found[name] for name in ELMAN if name != "a0")
    T, B, _ = x.shape
    (phi, dphi), psi, m = pair(activation), output_activation, there(mask, x)
    a0 = found.get("a0", np.zeros((B, len(W_a)), x.dtype))

    v_a, a = _forward(x, W_x, W_a, b_a, a0, m, phi)
    v_y = a[1:] @ W_y.T + b_y
    y = np.where(m, output(psi, v_y), 0)
    dE_dy = sent("elman", "dE_dy", dE_dy, y, "T, B, O")

    delta_y = m * output_delta(psi, v_y, dE_dy)
    delta_a, dE_da0 = _backward(delta_y @ W_y, v_a, W_a, m, dphi)
    return {
        "v_a": v_a,
        "a": a[1:],
        "v_y": v_y,
        "y": y,
        "delta_a": delta_a,
        "delta_y": delta_y,
        "W_x": sum(delta_a[t].T @ x[t] for t in range(T)),
        "W_a": sum(delta_a[t].T @ a[t] for t in range(T)),
        "b_a": delta_a.sum(axis=(0, 1)),
        "W_y": sum(delta_y[t].T @ a[t + 1] for t in range(T)),
        "b_y": delta_y.sum(axis=(0, 1)),
        "x": delta_a @ W_x,
        "a0": dE_da0,
    }


def rnn(
    parameters: Mapping[str, Array],
    x: Array,
    dE_dh: Array | Callable[[Array], Array],
    h0: Array | None = None,
    mask: Array | None = None,
    activation: Activation = "tanh",
) -> dict[str, Array]:
    """Every δ^{t,l} and every gradient of a stack of L recurrent layers.

        v^{t,l} = u^{t,l} W_ihᵀ + b_ih + h^{t−1,l} W_hhᵀ + b_hh    h^{t,l} = φ(v^{t,l})
        δ^{t,l} = φ'(v^{t,l}) ⊙ (δ^{t,l+1} W_ih^{l+1} + δ^{t+1,l} W_hh)

    with u^{t,1} = x^t and u^{t,l+1} = h^{t,l}; in place of the first term ∂E/∂h^t at the
    top. At a masked step δ is 0; the state is held, and passes on what comes back to it.

    Args:
        parameters: weight_ih_l0 (H, D), weight_hh_l0 (H, H), bias_ih_l0 (H,), bias_hh_l0
            (H,), and so on; the widths of later layers are (H, H).
        x: (T, B, D) inputs.
        dE_dh: (T, B, H), ∂E/∂h of the last layer; or the function of h that gives it.
        h0: (L, B, H), zeros unless given.
        mask: (T, B) booleans, False where a step is masked.
        activation: φ by name, or the pair of functions (φ, φ').

    Returns:
        "v_l0", … (T, B, H), "h" (T, B, H) of the last layer; "delta_l0" (T, B, H), …; the
        gradients under the names of the parameters, "x" (T, B, D) and "h0" (L, B, H).

    Raises:
        ValueError: for an unknown activation; for arrays that are missing or of another
            shape, all of them named.
    """
    names = parameters if isinstance(parameters, Mapping) else ()
    L = max(1, sum(name.startswith("weight_hh") for name in names))
    given = checked("rnn", parameters, _stack(L), L, x=x, h0=h0)
    x = given["x"]
    (phi, dphi), m = pair(activation), there(mask, x)
    us, vs, hs, rest = [x], [], [], (x.shape[1], len(given["weight_hh_l0"]))
    for k in range(L):
        W_ih, W_hh, b_ih, b_hh = layer(given, f"_l{k}")
        start = given["h0"][k] if "h0" in given else np.zeros(rest, x.dtype)
        v, h = _forward(us[k], W_ih, W_hh, b_ih + b_hh, start, m, phi)
        vs.append(v)
        hs.append(h)
        us.append(h[1:])
    found = {f"v_l{k}": v for k, v in enumerate(vs)}
    found |= {"h": us[L], "h0": np.zeros((L, *hs[0].shape[1:]))}
    above = sent("rnn", "dE_dh", dE_dh, us[L], "T, B, H")
    for k in reversed(range(L)):
        W_ih, W_hh, _, _ = layer(given, f"_l{k}")
        delta, found["h0"][k] = _backward(above, vs[k], W_hh, m, dphi)
        found |= {f"delta_l{k}": delta} | gradients(delta, delta, us[k], hs[k], f"_l{k}")
        above = delta @ W_ih
    return found | {"x": above}


def _stack(L: int) -> dict[str, str]:
    """The shapes of what a stack of L layers is given, by name."""
    forms: dict[str, str] = {}
    for k in range(L):
        forms |= forms_of(1, f"_l{k}", "H" if k else "D")
    return forms | {"x": "T, B, D", "h0": "L, B, H?"}
