"""The δ of networks without a state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rnn.deltas.activations import Activation, output, output_delta
from rnn.deltas.shapes import checked, sent

__all__ = ["feedforward", "windowed"]

Array = np.ndarray[Any, Any]
Layer = tuple[Array, Array, Activation]


def feedforward(
    layers: list[Layer],
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

    Raises:
        ValueError: for an unknown activation; for arrays whose shapes do not go together.
    """
    forms, given = {"u": "B, N0"}, {"u": u}
    for number, (W, b, _) in enumerate(layers, start=1):
        forms |= {f"W_{number}": f"N{number}, N{number - 1}", f"b_{number}": f"N{number}"}
        given |= {f"W_{number}": W, f"b_{number}": b}
    checked("feedforward", given, forms)
    us, vs = [np.asarray(u)], []
    for W, b, phi in layers:
        vs.append(us[-1] @ W.T + b)
        us.append(output(phi, vs[-1]))
    found = {"y": us[-1]}
    dE_du = sent("feedforward", "dE_dy", dE_dy, us[-1], "B, O")
    for number in range(len(layers), 0, -1):
        W, _, phi = layers[number - 1]
        delta = output_delta(phi, vs[number - 1], dE_du)
        found[f"delta_{number}"] = delta
        found[f"W_{number}"] = delta.T @ us[number - 1]
        found[f"b_{number}"] = delta.sum(axis=0)
        dE_du = delta @ W
    return found | {"u": dE_du}


def windowed(
    layers: list[Layer],
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

    Raises:
        ValueError: as in `feedforward`; for a window that is not within T.
    """
    x = checked("windowed", {"x": x}, {"x": "T, B, D"})["x"]
    T, B, D = x.shape
    if window not in range(1, T + 1):
        raise ValueError(f"rnn.deltas.windowed: window={window!r}, expected 1 to T = {T}")
    n, places = window, T - window + 1
    u = np.concatenate([x[k : k + places] for k in range(n)], axis=2)
    found = feedforward(layers, u.reshape(places * B, n * D), dE_dy)
    dE_du = found.pop("u").reshape(places, B, n, D)
    dE_dx = np.zeros(x.shape, dE_du.dtype)
    for k in range(n):
        dE_dx[k : k + places] += dE_du[:, :, k]
    return found | {"x": dE_dx}
