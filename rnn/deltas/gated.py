"""The δ^t of layers with gates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rnn.deltas.activations import logistic
from rnn.deltas.layers import forms_of, gradients, layer, there
from rnn.deltas.shapes import checked, sent

__all__ = ["gru", "lstm"]

Array = np.ndarray[Any, Any]

DATA = {"x": "T, B, D", "h0": "B, H?", "c0": "B, H?"}


def _dlogistic(s: Array) -> Array:
    """σ'(v) in terms of s = σ(v)."""
    return s * (1 - s)


def lstm(
    parameters: Mapping[str, Array],
    x: Array,
    dE_dh: Array | Callable[[Array], Array],
    h0: Array | None = None,
    c0: Array | None = None,
    mask: Array | None = None,
) -> dict[str, Array]:
    """Every δ^t and every gradient of an LSTM, gates i, f, g, o.

        dh^t = ∂E/∂h^t + δ_v^{t+1} W_hh
        dc^t = dh^t ⊙ o ⊙ (1 − tanh²(c^t)) + dc^{t+1} ⊙ f^{t+1}
        δ_i = dc ⊙ g ⊙ i(1−i)     δ_f = dc ⊙ c^{t−1} ⊙ f(1−f)
        δ_g = dc ⊙ i ⊙ (1−g²)     δ_o = dh ⊙ tanh(c) ⊙ o(1−o)

    with δ_v = [δ_i δ_f δ_g δ_o]. At a masked step δ_v is 0; h and c are held, and pass on
    what comes back to them, dh and dc.

    Args:
        parameters: weight_ih (4H, D), weight_hh (4H, H), bias_ih (4H,), bias_hh (4H,).
        x: (T, B, D) inputs.
        dE_dh: (T, B, H), ∂E/∂h; or the function of h (T, B, H) that gives it.
        h0, c0: (B, H), zeros unless given.
        mask: (T, B) booleans, False where a step is masked.

    Returns:
        "i", "f", "g", "o", "c", "h" (T, B, H), the forward pass; "dh", "dc", "delta_i",
        "delta_f", "delta_g", "delta_o" (T, B, H), and "delta_v" (T, B, 4H), the last four
        side by side; the gradients under the names of the parameters, "x" (T, B, D), "h0"
        and "c0" (B, H).

    Raises:
        ValueError: for arrays that are missing or of another shape, all of them named.
    """
    given = checked("lstm", parameters, forms_of(4) | DATA, x=x, h0=h0, c0=c0)
    x, (W_ih, W_hh, b_ih, b_hh) = given["x"], layer(given, "")
    T, keep, zero = len(x), there(mask, x), np.zeros((x.shape[1], W_hh.shape[1]), x.dtype)
    h, c, gates = [given.get("h0", zero)], [given.get("c0", zero)], []
    for t in range(T):
        v = x[t] @ W_ih.T + b_ih + h[t] @ W_hh.T + b_hh
        v_i, v_f, v_g, v_o = np.split(v, 4, axis=1)
        i, f, g, o = logistic(v_i), logistic(v_f), np.tanh(v_g), logistic(v_o)
        gates.append((i, f, g, o))
        c.append(np.where(keep[t], f * c[t] + i * g, c[t]))
        h.append(np.where(keep[t], o * np.tanh(c[t + 1]), h[t]))
    hs, cs = np.stack(h), np.stack(c)
    dE = sent("lstm", "dE_dh", dE_dh, hs[1:], "T, B, H")

    delta_v, dh, dc = np.zeros((T, *v.shape)), np.zeros(dE.shape), np.zeros(dE.shape)
    back_h, back_c = np.zeros(zero.shape), np.zeros(zero.shape)
    for t in reversed(range(T)):
        (i, f, g, o), m, tanh_c = gates[t], keep[t], np.tanh(c[t + 1])
        dh[t] = dE[t] + back_h
        dc[t] = m * dh[t] * o * (1 - tanh_c**2) + back_c
        delta_i = dc[t] * g * _dlogistic(i)
        delta_f = dc[t] * c[t] * _dlogistic(f)
        delta_g = dc[t] * i * (1 - g**2)
        delta_o = dh[t] * tanh_c * _dlogistic(o)
        delta_v[t] = m * np.concatenate([delta_i, delta_f, delta_g, delta_o], axis=1)
        back_h = delta_v[t] @ W_hh + ~m * dh[t]
        back_c = np.where(m, dc[t] * f, dc[t])
    forward = dict(zip("ifgo", map(np.stack, zip(*gates, strict=True)), strict=True))
    deltas = _by_gate("ifgo", delta_v) | {"delta_v": delta_v, "dh": dh, "dc": dc}
    ends = {"x": delta_v @ W_ih, "h0": back_h, "c0": back_c}
    sums = gradients(delta_v, delta_v, x, hs, "")
    return forward | {"h": hs[1:], "c": cs[1:]} | deltas | sums | ends


def gru(
    parameters: Mapping[str, Array],
    x: Array,
    dE_dh: Array | Callable[[Array], Array],
    h0: Array | None = None,
    mask: Array | None = None,
) -> dict[str, Array]:
    """Every δ^t and every gradient of a GRU, gates r, z, n.

        dh' = ∂E/∂h' + what comes back from t + 1
        δ_n = dh' ⊙ (1 − z) ⊙ (1 − n²)     δ_z = dh' ⊙ (h − n) ⊙ z(1−z)
        δ_r = δ_n ⊙ m ⊙ r(1−r)             δ_m = δ_n ⊙ r
        back to h: dh' ⊙ z + δ_r W_hr + δ_z W_hz + δ_m W_hn

    with h' = h^t, h = h^{t−1} and m = h W_hnᵀ + b_hn. At a masked step all δ are 0; h is
    held, and passes on what comes back to it, dh'.

    Args:
        parameters: weight_ih (3H, D), weight_hh (3H, H), bias_ih (3H,), bias_hh (3H,).
        x, dE_dh, h0, mask: as in `lstm`.

    Returns:
        "r", "z", "n", "m", "h" (T, B, H), the forward pass; "delta_r", "delta_z",
        "delta_n", "delta_m" and "dh" (T, B, H); the gradients under the names of the
        parameters, "x" (T, B, D) and "h0" (B, H).

    Raises:
        ValueError: for arrays that are missing or of another shape, all of them named.
    """
    given = checked("gru", parameters, forms_of(3) | DATA, x=x, h0=h0)
    x, (W_ih, W_hh, b_ih, b_hh) = given["x"], layer(given, "")
    T, keep, zero = len(x), there(mask, x), np.zeros((x.shape[1], W_hh.shape[1]), x.dtype)
    h, gates = [given.get("h0", zero)], []
    for t in range(T):
        x_r, x_z, x_n = np.split(x[t] @ W_ih.T + b_ih, 3, axis=1)
        h_r, h_z, m = np.split(h[t] @ W_hh.T + b_hh, 3, axis=1)
        r, z = logistic(x_r + h_r), logistic(x_z + h_z)
        n = np.tanh(x_n + r * m)
        gates.append((r, z, n, m))
        h.append(np.where(keep[t], (1 - z) * n + z * h[t], h[t]))
    hs = np.stack(h)
    dE = sent("gru", "dE_dh", dE_dh, hs[1:], "T, B, H")

    of_x, of_h = np.zeros((2, T, len(zero), len(W_hh)))
    dh, back = np.zeros(dE.shape), np.zeros(zero.shape)
    for t in reversed(range(T)):
        r, z, n, m = gates[t]
        dh[t] = dE[t] + back
        inside = keep[t] * dh[t]
        delta_n = inside * (1 - z) * (1 - n**2)
        delta_z = inside * (h[t] - n) * _dlogistic(z)
        delta_r = delta_n * m * _dlogistic(r)
        delta_m = delta_n * r
        of_x[t] = np.concatenate([delta_r, delta_z, delta_n], axis=1)
        of_h[t] = np.concatenate([delta_r, delta_z, delta_m], axis=1)
        back = inside * z + of_h[t] @ W_hh + ~keep[t] * dh[t]
    forward = dict(zip("rznm", map(np.stack, zip(*gates, strict=True)), strict=True))
    deltas = _by_gate("rzn", of_x) | _by_gate("rzm", of_h) | {"dh": dh}
    ends = {"x": of_x @ W_ih, "h0": back}
    sums = gradients(of_x, of_h, x, hs, "")
    return forward | {"h": hs[1:]} | deltas | sums | ends


def _by_gate(names: str, delta: Array) -> dict[str, Array]:
    """delta_i, … (T, B, H), from all the gates' δ side by side."""
    parts = np.split(delta, len(names), axis=2)
    return {f"delta_{name}": part for name, part in zip(names, parts, strict=True)}
