"""What the oracles of recurrent layers share: parameters, masks, sums over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["forms_of", "gradients", "layer", "there"]

Array = np.ndarray[Any, Any]


def forms_of(gates: int, suffix: str = "", below: str = "D") -> dict[str, str]:
    """The shapes of a layer's parameters, by name; it has inputs of size `below`.

    >>> forms_of(4)["weight_ih"]
    '4H, D'
    """
    H = f"{gates}H" if gates > 1 else "H"
    return {
        f"weight_hh{suffix}": f"{H}, H",
        f"weight_ih{suffix}": f"{H}, {below}",
        f"bias_ih{suffix}": f"{H}?",
        f"bias_hh{suffix}": f"{H}?",
    }


def layer(parameters: Mapping[str, Array], suffix: str) -> tuple[Array, ...]:
    """W_ih, W_hh, b_ih, b_hh; the biases are zero where there are none."""
    W_ih, W_hh = parameters[f"weight_ih{suffix}"], parameters[f"weight_hh{suffix}"]
    zero = np.zeros(len(W_hh), W_hh.dtype)
    b_ih, b_hh = (parameters.get(f"bias_{k}h{suffix}", zero) for k in "ih")
    return W_ih, W_hh, b_ih, b_hh


def there(mask: Array | None, x: Array) -> Array:
    """Which steps a sample has, (T, B, 1) booleans, from (T, B); all without a mask.

    Raises:
        ValueError: for a mask of another shape, or of numbers.
    """
    if mask is None:
        return np.ones((*x.shape[:2], 1), bool)
    mask = np.asarray(mask)
    if mask.shape != x.shape[:2] or mask.dtype != bool:
        raise ValueError(
            f"rnn.deltas: the mask is {mask.dtype} of shape {mask.shape}, expected "
            f"booleans of shape (T, B) = {x.shape[:2]}, False where a step is masked; "
            "for lengths (B,): np.arange(T)[:, None] < lengths"
        )
    return mask[..., np.newaxis]


def gradients(
    of_x: Array, of_h: Array, x: Array, h: Array, suffix: str
) -> dict[str, Array]:
    """Σ_t δᵀ x^t and Σ_t δᵀ h^{t−1}, and the sums of δ; h has h^0 first."""
    return {
        f"weight_ih{suffix}": np.einsum("tbg,tbd->gd", of_x, x),
        f"weight_hh{suffix}": np.einsum("tbg,tbh->gh", of_h, h[:-1]),
        f"bias_ih{suffix}": of_x.sum(axis=(0, 1)),
        f"bias_hh{suffix}": of_h.sum(axis=(0, 1)),
    }
