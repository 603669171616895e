"""States of two values: their energy, the list of them all, and a set to learn from."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.arrays import as_plain
from rnn.checks import check_sizes

__all__ = ["all_states", "bars_and_stripes", "check_states", "pair_energy"]

Array = np.ndarray[Any, Any]

REMEDY = {
    (-1, 1): "From bits, write 2 * s - 1",
    (0, 1): "From ±1, write (s + 1) / 2; from shades of grey, x > 0.5",
}


def pair_energy(s: Any, W: Any, b: Any) -> Any:
    """E(s) = −½ s W sᵀ − b sᵀ: of every pair of units, and of every unit.

    Args:
        s: (…, N).
        W: (N, N), symmetric with a zero diagonal.
        b: (N,).

    Returns:
        (…), a Tensor where one of the arguments is.
    """
    return -0.5 * np.sum((s @ W) * s, axis=-1) - s @ b


def all_states(size: int, start: int = 0, stop: int | None = None) -> Array:
    """The states of `size` units in {0, 1}, counted in binary, the first unit fastest.

    Returns:
        (stop − start, size); (2^size, size) unless told where to start and to stop.

    >>> all_states(2).tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    """
    numbers = np.arange(start, 2**size if stop is None else stop)
    return (numbers[:, np.newaxis] >> np.arange(size) & 1).astype(float)


def bars_and_stripes(height: int = 4, width: int = 4) -> Array:
    """Every picture of whole rows (bars) or of whole columns (stripes), each once.

    Returns:
        (2^height + 2^width − 2, height · width) of {0, 1}: the empty and the full
        picture belong to both kinds.

    >>> bars_and_stripes().shape
    (30, 16)
    """
    check_sizes("bars_and_stripes", height=height, width=width)
    bars = np.repeat(all_states(height), width, axis=1)
    stripes = np.tile(all_states(width)[1:-1], height)
    return np.concatenate([bars, stripes])


def check_states(caller: str, s: Any, size: int, values: tuple[int, int]) -> Array:
    """The rows s (B, `size`) as numbers; ValueError where one is not of `values`."""
    s = as_plain(caller, s)
    if s.ndim != 2 or s.shape[1] != size or not len(s):
        raise ValueError(
            f"{caller}: states have shape {s.shape}, expected (B, N) with N = {size} and "
            "B of at least 1. One state s is s.reshape(1, -1)"
        )
    wrong = np.argwhere(~np.isin(s, values))
    if len(wrong):
        b, i = (int(place) for place in wrong[0])
        raise ValueError(
            f"{caller}: states have {s[b, i]} at [{b}, {i}], expected {values[0]} and "
            f"{values[1]} only. {REMEDY[values]}"
        )
    return s.astype(float)
