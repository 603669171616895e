"""Losses E(y, d) of an output y and a target d."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor, log_softmax, nll
from autograd.arrays import as_plain
from autograd.tensor import value_of
from rnn.checks import check_array
from rnn.ctc import ctc
from rnn.reduction import reduced

__all__ = ["cross_entropy", "ctc", "mse", "squared_error"]


def _real(loss: str, name: str, value: Any) -> Any:
    """A Tensor as it is, and all else as an array of real numbers; ValueError else."""
    check_array(loss, name, value)
    try:
        array = value if isinstance(value, Tensor) else as_plain(f"{loss}: {name}", value)
    except ValueError as error:
        raise ValueError(f"{loss}: {name} is no array of numbers: {error}") from error
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{loss}: {name} is {array.dtype}, expected real numbers")
    return array


def _pair(loss: str, y: Any, d: Any) -> tuple[Any, Any]:
    """Real y and d of one shape."""
    y, d = _real(loss, "y", y), _real(loss, "d", d)
    if y.shape != d.shape:
        raise ValueError(
            f"{loss}: y has shape {y.shape} and d {d.shape}, expected the same"
            f"{_remedy('y[..., 0]', y.shape, 'd[..., 0]', d.shape)}"
        )
    if not y.size:
        raise ValueError(f"{loss}: y and d have shape {y.shape}, no elements")
    return y, d


def _remedy(y: str, y_shape: Any, d: str, d_shape: Any) -> str:
    """What makes one shape of the other, where it is one of the usual two.

    `y` and `d` say how either loses an axis of one.
    """
    if len(d_shape) > 1 and (*d_shape[1::-1], *d_shape[2:]) == y_shape:
        return "; are the axes of time and batch swapped?"
    for less, shape, other in ((y, y_shape, d_shape), (d, d_shape, y_shape)):
        if shape == (*other, 1):
            return f"; {less} would fit"
    return ""


def squared_error(y: Any, d: Any) -> Any:
    """The lecture's E = ½ Σ (y − d)², over all elements of y and d of one shape.

    Raises:
        ValueError: for other shapes, no elements, or what are no real numbers.
    """
    y, d = _pair("squared_error", y, d)
    return 0.5 * np.sum(np.square(y - d))


def mse(y: Any, d: Any) -> Any:
    """The mean of (y − d)² over all elements of y and d of one shape.

    Raises:
        ValueError: as `squared_error`.
    """
    y, d = _pair("mse", y, d)
    return np.mean(np.square(y - d))


def cross_entropy(
    logits: Any,
    target: Any,
    *,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Any:
    """−log softmax(logits)[target], or −Σ_k target_k log softmax(logits)_k.

    No one-hot vector is made of an index, whatever K is.

    Args:
        logits: (…, K), the local fields v_y of K classes.
        target: (…) integers, the indices of the right classes; or (…, K) floating-point
            numbers, a probability of each class.
        ignore_index: an index, of a class or not (−1), that stands for no target: such
            places add nothing, and do not count in the mean.
        reduction: "mean" over the places that count, and 0 where none does; "sum"; or
            "none" for the losses (…), 0 where ignored.

    Raises:
        ValueError: for shapes or dtypes other than these, an index not in 0 … K−1,
            numbers that are no probabilities, an ignore_index that is no integer, or an
            unknown reduction.
    """
    logits = _real("cross_entropy", "logits", logits)
    if not logits.ndim:
        raise ValueError("cross_entropy: logits is a number, expected shape (…, K)")
    if not logits.shape[-1]:
        raise ValueError(
            f"cross_entropy: logits have shape {logits.shape}, expected (…, K) with K of "
            "at least 1"
        )
    if logits.dtype.kind != "f":
        logits = logits.astype(float)
    check_array("cross_entropy", "target", target)
    target = (
        target
        if isinstance(target, Tensor)
        else as_plain("cross_entropy: target", target)
    )
    counted: Any = None
    if target.dtype.kind == "f":
        _check_probabilities(logits, target, ignore_index)
        log_p = log_softmax(logits)
        # A class ruled out by a logit of −∞ and by its probability of 0 costs nothing.
        impossible = (value_of(log_p) == -np.inf) & (value_of(target) == 0)
        losses = -np.sum(target * np.where(impossible, 0, log_p), axis=-1)
    else:
        target = value_of(target)
        counted = _check_indices(logits, target, ignore_index)
        target = target if counted is None else np.where(counted, target, 0)
        losses = nll(logits, target)
    return reduced("cross_entropy", losses, reduction, counted)


def _misfit(logits: Any, target: Any) -> ValueError:
    places, less = logits.shape[:-1], "logits[..., 0, :]"
    if target.shape == places and target.dtype.kind == "f":
        way = "; indices are integers: target.astype(int)"
    elif target.shape == logits.shape:
        way = "; of one-hot rows, np.argmax(target, axis=-1) has the indices"
    elif target.ndim and target.shape[:-1] == logits.shape:
        way = "; are logits and target swapped?"
    else:
        way = ""
    if target.dtype.kind == "f":
        places, less = logits.shape, "logits[..., 0]"
    return ValueError(
        f"cross_entropy: logits have shape {logits.shape} and the target is "
        f"{target.dtype} of shape {target.shape}; expected integers of shape "
        f"{logits.shape[:-1]}, or probabilities of shape {logits.shape}"
        f"{way or _remedy(less, places, 'target[..., 0]', target.shape)}"
    )


def _check_indices(logits: Any, target: Any, ignore_index: int | None) -> Any:
    """Where a target counts, (…) booleans; None where all do."""
    whole = isinstance(ignore_index, int | np.integer | None)
    if not whole or isinstance(ignore_index, bool):
        raise ValueError(
            f"cross_entropy: ignore_index={ignore_index!r}, expected an integer, or None"
        )
    *leading, K = np.shape(logits)
    if tuple(leading) != target.shape or target.dtype.kind not in "iu":
        raise _misfit(logits, target)
    counted = None if ignore_index is None else target != ignore_index
    outside = (target < 0) | (target >= K)
    outside = outside if counted is None else outside & counted
    if np.any(outside):
        indices = target if counted is None else target[counted]
        but = "" if ignore_index is None else f", or {ignore_index} to ignore"
        raise ValueError(
            f"cross_entropy: the target has indices from {indices.min()} to "
            f"{indices.max()}, expected 0 to {K - 1}{but}"
        )
    return counted


def _check_probabilities(logits: Any, target: Any, ignore_index: int | None) -> None:
    if target.shape != logits.shape:
        raise _misfit(logits, target)
    if ignore_index is not None:
        raise ValueError(
            f"cross_entropy: ignore_index={ignore_index} goes with indices of classes; a "
            "target of probabilities that is 0 throughout adds nothing"
        )
    p = value_of(target)
    off = np.abs(np.sum(p, axis=-1) - 1) > 1e-3
    if np.any(p < 0) or np.any(off & np.any(p != 0, axis=-1)) or np.isnan(p).any():
        raise ValueError(
            "cross_entropy: the target is floating-point, but no probabilities: expected "
            "numbers from 0 whose sum over the last axis is 1 (or all 0)"
        )
