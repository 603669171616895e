"""The forward and the full backward pass of the recurrent networks, written by hand.

The rival that the engine is measured against: NumPy as fast as we could make it, with
buffers made beforehand, results written in place, the products with the input and those
of the weights' gradients taken for all steps at once. Nobody should have to read such
code to learn what δ is; `rnn/deltas.py` says that, and these are checked against it.

Shapes as in PyTorch: x (T, B, D), h (T + 1, B, H) with h^0 first, weight_ih (G·H, D).
E = ½ Σ h², so that ∂E/∂h = h.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["PASSES"]

Array = np.ndarray[Any, Any]
Parameters = Mapping[str, Array]


def _fields(p: Parameters, x: Array, both: bool) -> Array:
    """W_ih x + b for all steps at once, (T, B, G·H)."""
    T, B, D = x.shape
    v = x.reshape(T * B, D) @ p["weight_ih_l0"].T
    v += p["bias_ih_l0"] + p["bias_hh_l0"] if both else p["bias_ih_l0"]
    return v.reshape(T, B, -1)


def _gradients(p: Parameters, x: Array, h: Array, of_x: Array, of_h: Array) -> Any:
    """Of the weights, the biases and x, from the δ of all steps, (T, B, G·H)."""
    T, B, D = x.shape
    rows_x, rows_h = of_x.reshape(T * B, -1), of_h.reshape(T * B, -1)
    bias = rows_x.sum(axis=0)
    return {
        "weight_ih_l0": rows_x.T @ x.reshape(T * B, D),
        "weight_hh_l0": rows_h.T @ h[:-1].reshape(T * B, -1),
        "bias_ih_l0": bias,
        "bias_hh_l0": bias.copy() if of_h is of_x else rows_h.sum(axis=0),
        "x": (rows_x @ p["weight_ih_l0"]).reshape(T, B, D),
    }


def rnn(p: Parameters, x: Array) -> dict[str, Array]:
    T, B, _ = x.shape
    W = p["weight_hh_l0"]
    WT = np.ascontiguousarray(W.T)
    v = _fields(p, x, both=True)
    h = np.zeros((T + 1, B, len(W)), x.dtype)
    new = np.empty_like(h[0])
    for t in range(T):
        np.dot(h[t], WT, new)
        new += v[t]
        np.tanh(new, h[t + 1])
    delta = np.multiply(h[1:], h[1:])
    np.subtract(1, delta, delta)
    back = np.zeros_like(new)
    for t in range(T - 1, -1, -1):
        back += h[t + 1]
        delta[t] *= back
        np.dot(delta[t], W, back)
    return _gradients(p, x, h, delta, delta) | {"h": h[1:]}


def _sigmoid(v: Array) -> None:
    """Σ(v) = ½ tanh(v / 2) + ½, in place."""
    v *= 0.5
    np.tanh(v, v)
    v *= 0.5
    v += 0.5


def lstm(p: Parameters, x: Array) -> dict[str, Array]:
    T, B, _ = x.shape
    W = p["weight_hh_l0"]
    H, WT = W.shape[1], np.ascontiguousarray(W.T)
    v = _fields(p, x, both=True)
    h, c = np.zeros((T + 1, B, H), x.dtype), np.zeros((T + 1, B, H), x.dtype)
    r, new, product = np.empty_like(h), np.empty_like(v[0]), np.empty_like(h[0])
    for t in range(T):
        gates = v[t]
        np.dot(h[t], WT, new)
        gates += new
        _sigmoid(gates[:, : 2 * H])
        np.tanh(gates[:, 2 * H : 3 * H], gates[:, 2 * H : 3 * H])
        _sigmoid(gates[:, 3 * H :])
        i, f, g, o = (gates[:, k * H : (k + 1) * H] for k in range(4))
        np.multiply(f, c[t], c[t + 1])
        np.multiply(i, g, product)
        c[t + 1] += product
        np.tanh(c[t + 1], r[t])
        np.multiply(o, r[t], h[t + 1])
    delta = np.empty_like(v)
    back, dc = np.zeros_like(product), np.zeros_like(product)
    slope = np.empty_like(new)
    for t in range(T - 1, -1, -1):
        gates, d = v[t], delta[t]
        i, f, g, o = (gates[:, k * H : (k + 1) * H] for k in range(4))
        back += h[t + 1]
        # dc += dh ⊙ o ⊙ (1 − r²), where o r² = h r
        np.multiply(h[t + 1], r[t], product)
        np.subtract(o, product, product)
        product *= back
        dc += product
        np.subtract(1, gates, slope)
        slope *= gates
        g2 = slope[:, 2 * H : 3 * H]
        np.multiply(g, g, g2)
        np.subtract(1, g2, g2)
        np.multiply(dc, g, d[:, :H])
        np.multiply(dc, c[t], d[:, H : 2 * H])
        np.multiply(dc, i, d[:, 2 * H : 3 * H])
        np.multiply(back, r[t], d[:, 3 * H :])
        d *= slope
        dc *= f
        np.dot(d, W, back)
    return _gradients(p, x, h, delta, delta) | {"h": h[1:]}


def gru(p: Parameters, x: Array) -> dict[str, Array]:
    T, B, _ = x.shape
    W = p["weight_hh_l0"]
    H, WT, b = W.shape[1], np.ascontiguousarray(W.T), p["bias_hh_l0"]
    v = _fields(p, x, both=False)
    h, m = np.zeros((T + 1, B, H), x.dtype), np.empty((T, B, H), x.dtype)
    new, product = np.empty_like(v[0]), np.empty_like(h[0])
    for t in range(T):
        gates = v[t]
        np.dot(h[t], WT, new)
        new += b
        rz, n = gates[:, : 2 * H], gates[:, 2 * H :]
        rz += new[:, : 2 * H]
        _sigmoid(rz)
        m[t] = new[:, 2 * H :]
        np.multiply(rz[:, :H], m[t], product)
        n += product
        np.tanh(n, n)
        # h = n + z (h − n)
        np.subtract(h[t], n, product)
        product *= rz[:, H:]
        np.add(n, product, h[t + 1])
    of_x, of_h = np.empty_like(v), np.empty_like(v)
    back, slope = np.zeros_like(product), np.empty_like(new[:, : 2 * H])
    for t in range(T - 1, -1, -1):
        gates, d, e = v[t], of_x[t], of_h[t]
        rz, z, n = gates[:, : 2 * H], gates[:, H : 2 * H], gates[:, 2 * H :]
        back += h[t + 1]
        np.subtract(1, rz, slope)
        delta = d[:, 2 * H :]
        np.multiply(n, n, delta)
        np.subtract(1, delta, delta)
        delta *= back
        delta *= slope[:, H:]
        slope *= rz
        np.multiply(delta, m[t], d[:, :H])
        np.subtract(h[t], n, product)
        np.multiply(product, back, d[:, H : 2 * H])
        d[:, : 2 * H] *= slope
        e[:, : 2 * H] = d[:, : 2 * H]
        np.multiply(delta, gates[:, :H], e[:, 2 * H :])
        back *= z
        np.dot(e, W, product)
        back += product
    return _gradients(p, x, h, of_x, of_h) | {"h": h[1:]}


PASSES: dict[str, Callable[[Parameters, Array], dict[str, Array]]] = {
    "RNN": rnn,
    "GRU": gru,
    "LSTM": lstm,
}
"""(parameters, x) → "h" and the gradients under the names of the parameters and "x"."""
