"""The gradients of machines without inputs, by sums over all of their states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnn.deltas.activations import logistic
from rnn.deltas.shapes import checked

__all__ = ["boltzmann", "rbm"]

Array = np.ndarray[Any, Any]


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

    Raises:
        ValueError: for arrays that are missing or of another shape, all of them named.
    """
    forms = {"w": "P", "b": "N", "data": "B, V"}
    w, b, data = checked("boltzmann", parameters, forms, data=data).values()
    V = data.shape[1]
    i, j = np.triu_indices(len(b), 1)
    if len(w) != len(i) or len(b) < V:
        raise ValueError(
            f"rnn.deltas.boltzmann: b has N = {len(b)} units, w {len(w)} weights and the "
            f"data {V} columns; expected {len(i)}, one for each pair, and at most N"
        )
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

    Raises:
        ValueError: for arrays that are missing or of another shape, all of them named.
    """
    forms = {"W": "H, V", "b": "V", "c": "H", "data": "B, V"}
    W, b, c, data = checked("rbm", parameters, forms, data=data).values()
    B, V = data.shape
    v = np.concatenate([data, _bits(V)])
    h = logistic(v @ W.T + c)
    F = -v @ b - np.logaddexp(0, v @ W.T + c).sum(axis=1)
    Z = np.exp(-F[B:]).sum()
    difference = np.concatenate([np.full(B, 1 / B), -np.exp(-F[B:]) / Z])
    return {
        "W": (difference[:, np.newaxis] * h).T @ v,
        "b": difference @ v,
        "c": difference @ h,
        "log_likelihood": np.mean(-F[:B]) - np.log(Z),
    }
