"""Connectionist temporal classification: a loss for outputs of no known alignment."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor, log_softmax, logsumexp
from autograd.arrays import as_plain
from autograd.tensor import value_of
from rnn.checks import check_array
from rnn.reduction import reduced
from rnn.unroll import unroll

__all__ = ["ctc"]

Array = np.ndarray[Any, Any]


def ctc(
    logits: Any,
    targets: Any,
    input_lengths: Any = None,
    target_lengths: Any = None,
    blank: int = 0,
    *,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """−log p(l | y), summed over all ways to lay the labels l along the outputs (Graves).

    A path has one class a step; merging its repeats and then leaving out its blanks
    gives its labels. With l' the labels and a blank before, between and after them, and
    y^t = softmax(logits^t), the paths that have come to l'_s after t steps weigh

        α^t(s) = y^t_{l'_s} (α^{t−1}(s) + α^{t−1}(s−1) + [l'_s ≠ l'_{s−2}] α^{t−1}(s−2))

    and p(l | y) is the sum of the last two α^T. All of it in logarithms: a recurrent
    network of its own, recorded step by step in `scope("t=…")`.

    Args:
        logits: (T, B, K) of K classes. Log-probabilities serve as well, since
            log softmax leaves them as they are.
        targets: (B, L) integers, the labels; none of them `blank`. What follows a
            sample's last label may be anything.
        input_lengths: (B,) integers, the steps of each sample; T unless given.
        target_lengths: (B,) integers, the labels of each sample; L unless given.
        blank: the class that stands for no label.
        reduction: "mean" over the samples of loss / number of labels (at least 1), which
            is PyTorch's; "sum"; or "none" for the losses (B,).
        zero_infinity: take labels that cannot be laid along the steps for 0. They cost
            ∞ without it; their gradient is 0 either way.

    Raises:
        ValueError: for other shapes or dtypes, and lengths or labels out of range.
    """
    check_array("ctc", "logits", logits)
    check_array("ctc", "targets", targets)
    logits = logits if isinstance(logits, Tensor) else as_plain("ctc: logits", logits)
    targets = _targets(targets)
    _check(logits, targets, blank)
    T, B, _ = np.shape(logits)
    steps = _lengths("input_lengths", input_lengths, B, T)
    labels = _lengths("target_lengths", target_lengths, B, targets.shape[1])
    inside = np.arange(targets.shape[1]) < labels[:, np.newaxis]
    _check_labels(targets[inside], blank, np.shape(logits)[2])
    places = np.full((B, 2 * targets.shape[1] + 1), blank)
    places[:, 1::2] = np.where(inside, targets, blank)
    losses = -_log_p(log_softmax(logits), places, steps, labels)
    if zero_infinity:
        losses = np.where(np.isinf(losses), 0, losses)
    if reduction == "mean":
        losses = losses / np.maximum(labels, 1).astype(losses.dtype)
    return reduced("ctc", losses, reduction)


def _log_p(log_y: Any, places: Array, steps: Array, labels: Array) -> Any:
    """(B,) log p(l | y) from log y (T, B, K) and l' (B, S)."""
    (B, S), T = places.shape, len(log_y)
    log_y = np.take_along_axis(log_y, np.broadcast_to(places, (T, B, S)), axis=-1)
    skips = np.zeros(places.shape, bool)
    skips[:, 2:] = places[:, 2:] != places[:, :-2]
    nothing = np.full((B, 2), -np.inf, log_y.dtype)

    def advance(x: Any, log_alpha: Any) -> tuple[Any, Any]:
        log_y_t, running = x
        before = np.concatenate([nothing, log_alpha], axis=1)
        jumped = np.where(skips, before[:, :-2], nothing[:, :1])
        ways = np.stack([log_alpha, before[:, 1:-1], jumped])
        after = log_y_t + logsumexp(ways, axis=0)
        return None, np.where(running[:, np.newaxis], after, log_alpha)

    # Before the first step all of it stands on the first blank, from where it may stay,
    # or come to the first label, but not jump: α^1 is as it should be.
    start = np.where(np.arange(S) == 0, np.zeros((B, S), log_y.dtype), nothing[:, :1])
    running = np.arange(T)[:, np.newaxis] < steps
    last = 2 * labels[:, np.newaxis] - np.arange(S)
    with np.errstate(divide="ignore"):  # log 0 = −∞ is meant: no path has come there yet
        _, log_alpha = unroll(advance, list(zip(log_y, running, strict=True)), start)
        return logsumexp(
            np.where((last == 0) | (last == 1), log_alpha, nothing[:, :1]), axis=1
        )


def _targets(targets: Any) -> Array:
    """(B, L) labels; those of no labels at all are integers too."""
    try:
        array = as_plain("ctc: targets", value_of(targets))
    except ValueError as error:
        raise ValueError(
            "ctc: the targets have different lengths, expected integers (B, L): pad them "
            "with any label, and let target_lengths= say how long each is"
        ) from error
    return array if array.size else array.astype(np.intp)


def _check(logits: Any, targets: Array, blank: int) -> None:
    if np.ndim(logits) != 3 or np.result_type(logits).kind != "f":
        raise ValueError(
            f"ctc: logits are {np.result_type(logits)} of shape {np.shape(logits)}, "
            "expected floating-point numbers (T, B, K). One sequence (T, K) is "
            "logits[:, np.newaxis]"
        )
    T, B, K = np.shape(logits)
    if targets.ndim != 2 or len(targets) != B or targets.dtype.kind not in "iu":
        raise ValueError(
            f"ctc: targets are {targets.dtype} of shape {targets.shape}, expected "
            f"integers (B, L) with B = {B}. Targets of different lengths are padded, and "
            "target_lengths says how long each is"
            + "; are the axes of time and batch swapped in logits?"
            * (T != B and len(np.atleast_1d(targets)) == T)
        )
    if not isinstance(blank, int | np.integer) or not 0 <= blank < K:
        raise ValueError(
            f"ctc: blank={blank!r}, expected one of the classes 0 to {K - 1}"
        )


def _check_labels(labels: Array, blank: int, K: int) -> None:
    bad = labels[(labels < 0) | (labels >= K) | (labels == blank)]
    if bad.size:
        raise ValueError(
            f"ctc: the targets have the label {bad[0]}, expected 0 to {K - 1} without "
            f"the blank, {blank}. Padding is what target_lengths= cuts off"
        )


def _lengths(name: str, given: Any, B: int, most: int) -> Array:
    lengths = np.full(B, most) if given is None else as_plain("ctc: lengths", given)
    if lengths.shape != (B,) or lengths.dtype.kind not in "iu":
        raise ValueError(
            f"ctc: {name} are {lengths.dtype} of shape {lengths.shape}, expected "
            f"integers (B,) = {(B,)}"
        )
    if B and not (lengths.min() >= 0 and lengths.max() <= most):
        raise ValueError(
            f"ctc: {name} are from {lengths.min()} to {lengths.max()}, expected 0 to "
            f"{most}"
        )
    return lengths
