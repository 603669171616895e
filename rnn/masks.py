"""Sequences of unequal lengths in one batch: which steps each of them has."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.tensor import array_of

__all__ = ["held", "mask_of"]


def mask_of(lengths: Any, T: int, B: int, kind: str, form: str) -> Any:
    """Which steps each sequence has, (T, B, 1); None where all have all.

    Args:
        lengths: (B,) integers, or None.
        kind: the network that is called.
        form: how its input is laid out, as a message has it.

    Raises:
        ValueError: for lengths of another shape or type, or not from 1 to T.
    """
    if lengths is None:
        return None
    lengths = array_of(lengths)
    if lengths.shape != (B,) or lengths.dtype.kind not in "iu":
        swapped = lengths.shape == (T,) and T != B
        raise ValueError(
            f"{kind}: lengths are {lengths.dtype} of shape {lengths.shape}, expected "
            f"integers of shape (B,) = {(B,)}"
            + (f"; of one sequence they are [{lengths}]" if B == 1 > lengths.ndim else "")
            + (f"; there are T = {T} of them: is x really {form}?" if swapped else "")
        )
    if lengths.size and not (lengths.min() >= 1 and lengths.max() <= T):
        swapped = lengths.min() >= 1 and lengths.max() <= B
        raise ValueError(
            f"{kind}: lengths from {lengths.min()} to {lengths.max()}, expected 1 to "
            f"T = {T}" + (f"; is x really {form}?" if swapped else "")
        )
    return None if (lengths == T).all() else (np.arange(T)[:, None] < lengths)[..., None]


def held(mask: Any, after: Any, before: Any) -> Any:
    """The state after a step where the sequence has it, before it elsewhere."""
    if isinstance(after, tuple):
        return tuple(held(mask, a, b) for a, b in zip(after, before, strict=True))
    return np.where(mask, after, before)
