"""The δ of backpropagation through time, derived by hand, in plain NumPy.

This is the oracle that the engine is held against, so it shares no code with it.
Rows are samples; T steps, B samples, D inputs, H hidden units, O outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = [
    "boltzmann", "elman", "feedforward", "gru", "lstm", "rbm", "rnn", "windowed"
]  # fmt: skip

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


def windowed(
    layers: list[tuple[Array, Array, str]],
    x: Array,
    dE_dy: Array | Callable[[Array], Array],
    window: int,
) -> dict[str, Array]:
    """Every δ and every gradient of a feed-forward network over the last n inputs.

    Instant t of a sample is one more sample of `feedforward`, so that an input gets what
    all the windows that it stands in send back.

    Args:
        layers, dE_dy: as in `feedforward`, with B · (T − n + 1) samples, those of one
            instant together.
        x: (T, B, D) inputs.
        window: n.

    Returns:
        What `feedforward` does, with "x" (T, B, D) in place of "u".
    """
    T, B, D = x.shape
    n, places = window, T - window + 1
    u = np.concatenate([x[k : k + places] for k in range(n)], axis=2)
    found = feedforward(layers, u.reshape(places * B, n * D), dE_dy)
    dE_du = found.pop("u").reshape(places, B, n, D)
    dE_dx = np.zeros(x.shape, dE_du.dtype)
    for k in range(n):
        dE_dx[k : k + places] += dE_du[:, :, k]
    return found | {"x": dE_dx}


Activation = str | tuple[Callable[[Array], Array], Callable[[Array], Array]]


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
    top. A masked step leaves the state as it was, and passes its δ on unchanged.

    Args:
        parameters: weight_ih_l0 (H, D), weight_hh_l0 (H, H), bias_ih_l0 (H,), bias_hh_l0
            (H,), and so on; the widths of later layers are (H, H).
        x: (T, B, D) inputs.
        dE_dh: (T, B, H), ∂E/∂h of the last layer; or the function of h that gives it.
        h0: (L, B, H), zeros unless given.
        mask: (T, B) booleans, False where a step is masked.
        activation: φ by name, or the pair (φ, φ').

    Returns:
        "h" (T, B, H) of the last layer; "delta_l0" (T, B, H), …; the gradients under the
        names of the parameters, "x" (T, B, D) and "h0" (L, B, H).
    """
    phi, dphi = PHI[activation] if isinstance(activation, str) else activation
    T, B, _ = x.shape
    L = sum(name.startswith("weight_hh") for name in parameters)
    m = np.ones((T, B, 1)) if mask is None else mask[..., np.newaxis].astype(x.dtype)
    us, vs, hs = [x], [], []
    for k in range(L):
        W_ih, W_hh, b_ih, b_hh = _layer(parameters, f"_l{k}")
        start = np.zeros((B, len(W_hh)), x.dtype) if h0 is None else h0[k]
        v, h = [], [start]
        for t in range(T):
            v.append(us[k][t] @ W_ih.T + b_ih + h[t] @ W_hh.T + b_hh)
            h.append(m[t] * phi(v[t]) + (1 - m[t]) * h[t])
        vs.append(v)
        hs.append(np.stack(h))
        us.append(hs[k][1:])
    found = {"h": us[L], "h0": np.zeros((L, *hs[0].shape[1:]))}
    above = dE_dh(us[L]) if callable(dE_dh) else dE_dh
    for k in reversed(range(L)):
        W_ih, W_hh, _, _ = _layer(parameters, f"_l{k}")
        delta, back = np.zeros((T, *hs[k].shape[1:])), np.zeros(hs[k].shape[1:])
        for t in reversed(range(T)):
            dE_dht = above[t] + back
            delta[t] = m[t] * dphi(vs[k][t]) * dE_dht
            back = delta[t] @ W_hh + (1 - m[t]) * dE_dht
        found |= {f"delta_l{k}": delta} | _gradients(delta, delta, us[k], hs[k], f"_l{k}")
        found["h0"][k] = back
        above = delta @ W_ih
    return found | {"x": above}


def _layer(
    parameters: Mapping[str, Array], suffix: str
) -> tuple[Array, Array, Array, Array]:
    """W_ih, W_hh, b_ih, b_hh; the biases are zero where there are none."""
    W_ih, W_hh = parameters[f"weight_ih{suffix}"], parameters[f"weight_hh{suffix}"]
    zero = np.zeros(len(W_hh), W_hh.dtype)
    b_ih, b_hh = (parameters.get(f"bias_{k}h{suffix}", zero) for k in "ih")
    return W_ih, W_hh, b_ih, b_hh


def _gradients(
    of_x: Array, of_h: Array, x: Array, h: Array, suffix: str
) -> dict[str, Array]:
    """Σ_t δᵀ x^t and Σ_t δᵀ h^{t−1}, and the sums of δ; h has h^0 first."""
    return {
        f"weight_ih{suffix}": np.einsum("tbg,tbd->gd", of_x, x),
        f"weight_hh{suffix}": np.einsum("tbg,tbh->gh", of_h, h[:-1]),
        f"bias_ih{suffix}": of_x.sum(axis=(0, 1)),
        f"bias_hh{suffix}": of_h.sum(axis=(0, 1)),
    }


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

    A masked step leaves h and c as they were, and passes dh and dc on unchanged.

    Args:
        parameters: weight_ih (4H, D), weight_hh (4H, H), bias_ih (4H,), bias_hh (4H,).
        x: (T, B, D) inputs.
        dE_dh: (T, B, H), ∂E/∂h; or the function of h (T, B, H) that gives it.
        h0, c0: (B, H), zeros unless given.
        mask: (T, B) booleans, False where a step is masked.

    Returns:
        "h", "c" (T, B, H); "delta_v" (T, B, 4H), "dh" and "dc" (T, B, H); the gradients
        under the names of the parameters, "x" (T, B, D), "h0" and "c0" (B, H).
    """
    W_ih, W_hh, b_ih, b_hh = _layer(parameters, "")
    T, B, _ = x.shape
    zero = np.zeros((B, W_hh.shape[1]), x.dtype)
    h, c, gates = [zero if h0 is None else h0], [zero if c0 is None else c0], []
    m = np.ones((T, B, 1)) if mask is None else mask[..., np.newaxis].astype(x.dtype)
    for t in range(T):
        v = x[t] @ W_ih.T + b_ih + h[t] @ W_hh.T + b_hh
        v_i, v_f, v_g, v_o = np.split(v, 4, axis=1)
        i, f, g, o = _logistic(v_i), _logistic(v_f), np.tanh(v_g), _logistic(v_o)
        gates.append((i, f, g, o))
        after = f * c[t] + i * g
        c.append(m[t] * after + (1 - m[t]) * c[t])
        h.append(m[t] * o * np.tanh(after) + (1 - m[t]) * h[t])
    hs, cs = np.stack(h), np.stack(c)
    dE = dE_dh(hs[1:]) if callable(dE_dh) else dE_dh

    delta_v, dh, dc = np.zeros((T, B, len(W_hh))), np.zeros(dE.shape), np.zeros(dE.shape)
    back_h, back_c = np.zeros(zero.shape), np.zeros(zero.shape)
    for t in reversed(range(T)):
        i, f, g, o = gates[t]
        r = np.tanh(cs[t + 1])
        dh[t] = dE[t] + back_h
        dc[t] = m[t] * dh[t] * o * (1 - r * r) + back_c
        delta_v[t] = m[t] * np.concatenate(
            [
                dc[t] * g * i * (1 - i),
                dc[t] * cs[t] * f * (1 - f),
                dc[t] * i * (1 - g * g),
                dh[t] * r * o * (1 - o),
            ],
            axis=1,
        )
        back_h = delta_v[t] @ W_hh + (1 - m[t]) * dh[t]
        back_c = (m[t] * f + (1 - m[t])) * dc[t]
    states = {"h": hs[1:], "c": cs[1:], "delta_v": delta_v, "dh": dh, "dc": dc}
    ends = {"x": delta_v @ W_ih, "h0": back_h, "c0": back_c}
    return states | _gradients(delta_v, delta_v, x, hs, "") | ends


def gru(
    parameters: Mapping[str, Array],
    x: Array,
    dE_dh: Array | Callable[[Array], Array],
    h0: Array | None = None,
    mask: Array | None = None,
) -> dict[str, Array]:
    """Every δ^t and every gradient of a GRU, gates r, z, n.

        dh' = ∂E/∂h^t + what comes back from t + 1
        δ_n = dh' ⊙ (1 − z) ⊙ (1 − n²)     δ_z = dh' ⊙ (h − n) ⊙ z(1−z)
        δ_r = δ_n ⊙ m ⊙ r(1−r)             with h = h^{t−1} and m = h W_hnᵀ + b_hn
        back to h: dh' ⊙ z + δ_r W_hr + δ_z W_hz + (δ_n ⊙ r) W_hn

    A masked step leaves h as it was, and passes dh' on unchanged.

    Args:
        parameters: weight_ih (3H, D), weight_hh (3H, H), bias_ih (3H,), bias_hh (3H,).
        x, dE_dh, h0, mask: as in `lstm`.

    Returns:
        "h" (T, B, H); "delta_r", "delta_z", "delta_n" and "dh" (T, B, H); the gradients
        under the names of the parameters, "x" (T, B, D) and "h0" (B, H).
    """
    W_ih, W_hh, b_ih, b_hh = _layer(parameters, "")
    T, B, _ = x.shape
    h = [np.zeros((B, W_hh.shape[1]), x.dtype) if h0 is None else h0]
    keep = np.ones((T, B, 1)) if mask is None else mask[..., np.newaxis].astype(x.dtype)
    gates = []
    for t in range(T):
        x_r, x_z, x_n = np.split(x[t] @ W_ih.T + b_ih, 3, axis=1)
        h_r, h_z, m = np.split(h[t] @ W_hh.T + b_hh, 3, axis=1)
        r, z = _logistic(x_r + h_r), _logistic(x_z + h_z)
        n = np.tanh(x_n + r * m)
        gates.append((r, z, n, m))
        h.append(keep[t] * ((1 - z) * n + z * h[t]) + (1 - keep[t]) * h[t])
    hs = np.stack(h)
    dE = dE_dh(hs[1:]) if callable(dE_dh) else dE_dh

    of_x, of_h, dh = np.zeros((T, B, len(W_hh))), np.zeros((T, B, len(W_hh))), dE * 0.0
    back = np.zeros(hs[0].shape)
    for t in reversed(range(T)):
        r, z, n, m = gates[t]
        dh[t] = dE[t] + back
        inside = keep[t] * dh[t]
        delta_n = inside * (1 - z) * (1 - n * n)
        delta_z = inside * (hs[t] - n) * z * (1 - z)
        delta_r = delta_n * m * r * (1 - r)
        of_x[t] = np.concatenate([delta_r, delta_z, delta_n], axis=1)
        of_h[t] = np.concatenate([delta_r, delta_z, delta_n * r], axis=1)
        back = inside * z + of_h[t] @ W_hh + (1 - keep[t]) * dh[t]
    delta_r, delta_z, delta_n = np.split(of_x, 3, axis=2)
    deltas = {"delta_r": delta_r, "delta_z": delta_z, "delta_n": delta_n, "dh": dh}
    ends = {"h": hs[1:], "x": of_x @ W_ih, "h0": back}
    return deltas | _gradients(of_x, of_h, x, hs, "") | ends


def _bits(n: int) -> Array:
    """All 2^n rows of n numbers in {0, 1}."""
    return np.array(list(np.ndindex(*(2,) * n)), float).reshape(2**n, n)


def boltzmann(parameters: Mapping[str, Array], data: Array) -> dict[str, Array]:
    """The gradient of the mean of log p(v): moments of the data less those of the model.

        ∂ log p(data)/∂W_ij = ⟨s_i s_j⟩_data − ⟨s_i s_j⟩_model        p(s) ∝ exp(−E(s))

    with E(s) = −Σ_{i<j} W_ij s_i s_j − Σ_i b_i s_i. Under the data the visible units are
    given, and the hidden ones follow p(h | v).

    Args:
        parameters: w (N (N − 1) / 2,), W_ij for i < j, row by row; b (N,).
        data: (B, V) of {0, 1}, the first V of the N units.

    Returns:
        "w" and "b", the gradients; "log_likelihood", the mean of log p(v).
    """
    w, b = parameters["w"], parameters["b"]
    V = data.shape[1]
    i, j = np.triu_indices(len(b), 1)
    s = _bits(len(b))
    weight = np.exp((s[:, i] * s[:, j]) @ w + s @ b)
    # same[n, m]: whether state m has the visible units of row n.
    same = np.all(s[:, :V] == data[:, np.newaxis], axis=2)
    given = same * weight
    p_data = np.mean(given / given.sum(axis=1, keepdims=True), axis=0)
    difference = p_data - weight / weight.sum()
    return {
        "w": difference @ (s[:, i] * s[:, j]),
        "b": difference @ s,
        "log_likelihood": np.mean(np.log(given.sum(axis=1) / weight.sum())),
    }


def rbm(parameters: Mapping[str, Array], data: Array) -> dict[str, Array]:
    """The same for the restricted machine, summed over all states of its visible units.

        ∂(−log p)/∂W = −⟨hᵀ v⟩_data + ⟨hᵀ v⟩_model        ⟨h_j | v⟩ = σ(c_j + v W_jᵀ)

    Args:
        parameters: W (H, V), b (V,), c (H,).
        data: (B, V) of {0, 1}.

    Returns:
        "W", "b", "c", the gradients of the mean of log p(v); "log_likelihood", that mean.
    """
    W, b, c = parameters["W"], parameters["b"], parameters["c"]
    B, V = data.shape
    v = np.concatenate([data, _bits(V)])
    h = _logistic(v @ W.T + c)
    F = -v @ b - np.logaddexp(0, v @ W.T + c).sum(axis=1)
    Z = np.exp(-F[B:]).sum()
    difference = np.concatenate([np.full(B, 1 / B), -np.exp(-F[B:]) / Z])
    return {
        "W": (difference[:, np.newaxis] * h).T @ v,
        "b": difference @ v,
        "c": difference @ h,
        "log_likelihood": np.mean(-F[:B]) - np.log(Z),
    }
