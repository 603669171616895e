"""From the losses of many places or samples to the one number that is descended."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["reduced"]

REDUCTIONS = ("mean", "sum", "none")


def reduced(loss: str, losses: Any, reduction: str, counted: Any = None) -> Any:
    """The mean or sum of the losses that count, or ("none") each, 0 where it does not.

    Args:
        loss: who asks, for the message.
        losses: of any shape.
        reduction: "mean", "sum" or "none". The mean of none is 0: there is nothing to
            learn from them, and no gradient.
        counted: booleans of the losses' shape; all of them count unless given.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(
            f"{loss}: reduction={reduction!r}, expected one of {', '.join(REDUCTIONS)}"
        )
    number: Any = max(np.size(losses), 1)
    if counted is not None:
        losses = np.where(counted, losses, 0)
        number = np.maximum(np.sum(counted), 1).astype(np.result_type(losses))
    if reduction == "none":
        return losses
    total = np.sum(losses)
    return total / number if reduction == "mean" else total
