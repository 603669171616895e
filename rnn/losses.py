"""Losses E(y, d) of an output y and a target d."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import log_softmax

__all__ = ["cross_entropy", "mse", "squared_error"]


def _same_shape(loss: str, y: Any, d: Any) -> None:
    if np.shape(y) != np.shape(d):
        raise ValueError(
            f"{loss}: y has shape {np.shape(y)} and d {np.shape(d)}, expected the same"
        )


def squared_error(y: Any, d: Any) -> Any:
    """The lecture's E = ½ Σ (y − d)², over all elements of y and d of one shape."""
    _same_shape("squared_error", y, d)
    return 0.5 * np.sum(np.square(y - d))


def mse(y: Any, d: Any) -> Any:
    """The mean of (y − d)² over all elements of y and d of one shape."""
    _same_shape("mse", y, d)
    return np.mean(np.square(y - d))


def cross_entropy(logits: Any, target: Any) -> Any:
    """The mean of −log softmax(logits)[target].

    Args:
        logits: (…, K), the local fields v_y of K classes.
        target: (…) integers, the indices of the right classes.

    Raises:
        ValueError: where the leading axes differ, or an index is not in 0 … K−1.
    """
    target = np.asarray(target)
    K = np.shape(logits)[-1]
    if np.shape(logits)[:-1] != target.shape or target.dtype.kind not in "iu":
        raise ValueError(
            f"cross_entropy: logits have shape {np.shape(logits)} and the target is "
            f"{target.dtype} of shape {target.shape}; expected integers of shape "
            f"{np.shape(logits)[:-1]}"
        )
    if target.size and not (target.min() >= 0 and target.max() < K):
        raise ValueError(
            f"cross_entropy: the target has indices from {target.min()} to "
            f"{target.max()}, expected 0 to {K - 1}"
        )
    log_p = log_softmax(logits)
    return -np.mean(np.take_along_axis(log_p, target[..., np.newaxis], axis=-1))
