"""The engine held against the δ derived by hand, on a network and data of one's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn import deltas
from rnn.derived import check_unchanged
from rnn.elman import ElmanNetwork, Instant
from rnn.language_model import LanguageModel, Reading

__all__ = [
    "Agreement", "check_deltas", "check_language_model", "relative_difference",
    "surprise_slope",
]  # fmt: skip

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

    Raises:
        TypeError: for another network, and for one of a derived class that changes what
            is computed.
    """
    if not isinstance(network, ElmanNetwork):
        raise TypeError(
            f"check_deltas: the network is a {type(network).__name__}, expected an "
            "ElmanNetwork"
        )
    check_unchanged("check_deltas", network)
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


def surprise_slope(v_y: Array, d: Array) -> Array:
    """Of −Σ log softmax(v_y)_d, v_y (…, K) and d (…): softmax(v_y) − one-hot(d)."""
    p = np.exp(v_y - v_y.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    return p - np.eye(v_y.shape[-1])[d]


ORACLES: dict[str, Callable[..., Any]] = {
    "rnn": deltas.rnn,
    "gru": deltas.gru,
    "lstm": deltas.lstm,
}


def check_language_model(
    model: LanguageModel,
    x: Array,
    d: Array,
    loss: Callable[[list[Reading]], Any],
) -> list[Agreement]:
    """Compare the engine's sweep of an unrolled model with the formulas of its cell.

    What is above and below the cells is by hand here: ∂E/∂h^t = δ_y^t W, and a row of the
    table has the sum of what came to it.

    Args:
        model: of one layer, in float64.
        x, d: (T, B) indices, read and foretold.
        loss: E = −Σ log p(d), of the T readings.

    Returns:
        One `Agreement` for every parameter, then for δ_y^t and ∂E/∂x^t, the gradient that
        reaches the input of the cells, at every step t.

    Raises:
        ValueError: for several layers.
        TypeError: as `check_deltas`.
    """
    if not isinstance(model, LanguageModel):
        raise TypeError(
            f"check_language_model: the model is a {type(model).__name__}, expected a "
            "LanguageModel"
        )
    parts = model.embedding, model.recurrent, model.recurrent.only_cell(), model.output
    check_unchanged("check_language_model", model, *parts)
    model.zero_grad()
    readings = model.unroll(x)
    for reading in readings:
        reading.x.retain_grad()
        reading.v_y.retain_grad()
    loss(readings).backward()

    state = model.state_dict()
    W, table = state["output.weight"], state["embedding.weight"]
    suffix = "_l0" if model.config["cell"] == "rnn" else ""  # the one of several layers
    names = {
        name: name.removeprefix("recurrent.").removesuffix("_l0") + suffix
        for name in state
        if name.startswith("recurrent.")
    }
    cell = {own: state[name] for name, own in names.items()}

    def delta_y(h: Array) -> Array:
        return surprise_slope(h @ W.T + state["output.bias"], d)

    found = ORACLES[model.config["cell"]](cell, table[x], lambda h: delta_y(h) @ W)
    delta = delta_y(found["h"])
    rows_of_table = np.zeros_like(table)
    np.add.at(rows_of_table, x, found["x"])
    expected = {name: found[own] for name, own in names.items()} | {
        "embedding.weight": rows_of_table,
        "output.weight": np.einsum("tbv,tbh->vh", delta, found["h"]),
        "output.bias": delta.sum(axis=(0, 1)),
    }
    rows = [
        _agreement(f"∂E/∂{name.removeprefix('recurrent.')}", None, p.grad, expected[name])
        for name, p in model.parameters().items()
    ]
    for t, reading in enumerate(readings):
        rows.append(_agreement("∂E/∂x", t + 1, reading.x.grad, found["x"][t]))
        rows.append(_agreement("δ_y", t + 1, reading.v_y.grad, delta[t]))
    model.zero_grad()
    return rows


def _agreement(quantity: str, step: int | None, found: Any, expected: Array) -> Agreement:
    norm = float(np.linalg.norm(expected))
    return Agreement(quantity, step, norm, relative_difference(found, expected))
