"""The forward and the full backward pass of the recurrent networks, written by hand.

The rival that the engine is measured against: NumPy as fast as we could make it, with
buffers made beforehand, results written in place, the products with the input and those
of the weights' gradients taken for all steps at once. Nobody should have to read such
code to learn what δ is; `rnn/deltas` says that, and these are checked against it.

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


def _parts(x: Array, H: int) -> list[Array]:
    """The columns of each gate, as views."""
    return [x[..., k : k + H] for k in range(0, x.shape[-1], H)]


def rnn(p: Parameters, x: Array) -> dict[str, Array]:
    T, B, _ = x.shape
    W = p["weight_hh_l0"]
    WT = np.ascontiguousarray(W.T)
    v = _fields(p, x, both=True)
    h = np.zeros((T + 1, B, len(W)), x.dtype)
    new = np.empty_like(h[0])
    for field, before, after in zip(v, h[:-1], h[1:], strict=True):
        before.dot(WT, new)
        np.add(new, field, new)
        np.tanh(new, after)
    delta = np.multiply(h[1:], h[1:], v)
    np.subtract(1, delta, delta)
    back = np.zeros_like(new)
    for d, dh in zip(delta[::-1], h[:0:-1], strict=True):
        np.add(back, dh, back)
        np.multiply(d, back, d)
        d.dot(W, back)
    return _gradients(p, x, h, delta, delta) | {"h": h[1:]}


def lstm(p: Parameters, x: Array) -> dict[str, Array]:
    gates, h, c, r = _lstm_forward(p, x)
    delta = _lstm_backward(p["weight_hh_l0"], gates, h, c, r)
    return _gradients(p, x, h, delta, delta) | {"h": h[1:]}


def _lstm_forward(p: Parameters, x: Array) -> tuple[Array, Array, Array, Array]:
    """The gates (T, B, 4·H), h and c (T + 1, B, H), and tanh(c) (T, B, H)."""
    T, B, _ = x.shape
    W = p["weight_hh_l0"]
    H, WT = W.shape[1], np.ascontiguousarray(W.T)
    v = _fields(p, x, both=True)
    h, c = np.zeros((T + 1, B, H), x.dtype), np.zeros((T + 1, B, H), x.dtype)
    r, product, new = np.empty_like(h[1:]), np.empty_like(h[0]), np.empty_like(v[0])
    # σ(v) = ½ tanh(½ v) + ½ for i, f and o, and tanh(v) for g, in four calls for all.
    factor, term = np.full(4 * H, 0.5, x.dtype), np.full(4 * H, 0.5, x.dtype)
    factor[2 * H : 3 * H], term[2 * H : 3 * H] = 1, 0
    rows = zip(v, *_parts(v, H), h[:-1], c[:-1], h[1:], c[1:], r, strict=True)
    for gates, i, f, g, o, h_before, c_before, h_after, c_after, tanh_c in rows:
        h_before.dot(WT, new)
        np.add(new, gates, new)
        np.multiply(new, factor, new)
        np.tanh(new, new)
        np.multiply(new, factor, new)
        np.add(new, term, gates)
        np.multiply(f, c_before, c_after)
        np.multiply(i, g, product)
        np.add(c_after, product, c_after)
        np.tanh(c_after, tanh_c)
        np.multiply(o, tanh_c, h_after)
    return v, h, c, r


def _lstm_backward(W: Array, gates: Array, h: Array, c: Array, r: Array) -> Array:
    """δ_v (T, B, 4·H)."""
    H = W.shape[1]
    delta = np.empty_like(gates)
    back, dc, product = (np.zeros_like(h[0]) for _ in range(3))
    slope = np.empty_like(gates[0])
    slope_g = _parts(slope, H)[2]
    arrays = (h[1:], c[:-1], r, delta, gates, *_parts(delta, H), *_parts(gates, H))
    rows = zip(*(array[::-1] for array in arrays), strict=True)
    for h_t, c_before, tanh_c, d, all_, d_i, d_f, d_g, d_o, i, f, g, o in rows:
        np.add(back, h_t, back)
        # dc += dh ⊙ o ⊙ (1 − tanh²(c)), where o tanh²(c) = h tanh(c)
        np.multiply(h_t, tanh_c, product)
        np.subtract(o, product, product)
        np.multiply(product, back, product)
        np.add(dc, product, dc)
        np.subtract(1, all_, slope)
        np.multiply(slope, all_, slope)
        np.multiply(g, g, slope_g)
        np.subtract(1, slope_g, slope_g)
        np.multiply(dc, g, d_i)
        np.multiply(dc, c_before, d_f)
        np.multiply(dc, i, d_g)
        np.multiply(back, tanh_c, d_o)
        np.multiply(d, slope, d)
        np.multiply(dc, f, dc)
        d.dot(W, back)
    return delta


def gru(p: Parameters, x: Array) -> dict[str, Array]:
    gates, h, m = _gru_forward(p, x)
    of_x, of_h = _gru_backward(p["weight_hh_l0"], gates, h, m)
    return _gradients(p, x, h, of_x, of_h) | {"h": h[1:]}


def _gru_forward(p: Parameters, x: Array) -> tuple[Array, Array, Array]:
    """The gates (T, B, 3·H), h (T + 1, B, H) and m (T, B, H)."""
    T, B, _ = x.shape
    W = p["weight_hh_l0"]
    H, WT, b = W.shape[1], np.ascontiguousarray(W.T), p["bias_hh_l0"]
    v = _fields(p, x, both=False)
    h, m = np.zeros((T + 1, B, H), x.dtype), np.empty((T, B, H), x.dtype)
    new, product, half = np.empty_like(v[0]), np.empty_like(h[0]), x.dtype.type(0.5)
    new_rz, new_n, rz = new[:, : 2 * H], new[:, 2 * H :], v[..., : 2 * H]
    rows = zip(rz, *_parts(v, H), h[:-1], h[1:], m, strict=True)
    for both, r, z, n, before, after, of_h in rows:
        before.dot(WT, new)
        np.add(new, b, new)
        np.add(both, new_rz, both)
        np.multiply(both, half, both)
        np.tanh(both, both)
        np.multiply(both, half, both)
        np.add(both, half, both)
        np.copyto(of_h, new_n)
        np.multiply(r, of_h, product)
        np.add(n, product, n)
        np.tanh(n, n)
        # h = n + z (h − n)
        np.subtract(before, n, product)
        np.multiply(product, z, product)
        np.add(n, product, after)
    return v, h, m


def _gru_backward(W: Array, gates: Array, h: Array, m: Array) -> tuple[Array, Array]:
    """The δ of W_ih x + b_ih and of W_hh h + b_hh, (T, B, 3·H) each."""
    H = W.shape[1]
    of_x, of_h = np.empty_like(gates), np.empty_like(gates)
    rz, of_x_rz, of_h_rz = (x[..., : 2 * H] for x in (gates, of_x, of_h))
    back, product = np.zeros_like(h[0]), np.empty_like(h[0])
    slope = np.empty((len(back), 2 * H), h.dtype)
    slope_z = slope[:, H:]
    arrays = (h[1:], h[:-1], m, rz, of_x_rz, of_h_rz, of_h)
    parts = (*_parts(gates, H), *_parts(of_x, H), of_h[..., 2 * H :])
    rows = zip(*(array[::-1] for array in (*arrays, *parts)), strict=True)
    for dh, before, m_t, both, d_both, e_both, e, r, z, n, d_r, d_z, d_n, e_n in rows:
        np.add(back, dh, back)
        np.subtract(1, both, slope)
        np.multiply(n, n, d_n)
        np.subtract(1, d_n, d_n)
        np.multiply(d_n, back, d_n)
        np.multiply(d_n, slope_z, d_n)
        np.multiply(slope, both, slope)
        np.multiply(d_n, m_t, d_r)
        np.subtract(before, n, product)
        np.multiply(product, back, d_z)
        np.multiply(d_both, slope, d_both)
        np.copyto(e_both, d_both)
        np.multiply(d_n, r, e_n)
        np.multiply(back, z, back)
        e.dot(W, product)
        np.add(back, product, back)
    return of_x, of_h


PASSES: dict[str, Callable[[Parameters, Array], dict[str, Array]]] = {
    "RNN": rnn,
    "GRU": gru,
    "LSTM": lstm,
}
"""(parameters, x) → "h" and the gradients under the names of the parameters and "x"."""
