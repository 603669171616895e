"""−log softmax(z)_d as one operation, for logits as wide as a vocabulary.

Composed of log_softmax and a choice of one entry, 700 × 10,001 logits take twice the time
on the way forward. As one operation, which takes a few rows at a time through the cache,
it makes two arrays of their size: one to keep for the sweep, and the gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.blocks import in_rows
from autograd.context import state
from autograd.primitive import Primitive, primitive
from autograd.rules.elementwise import softmax
from autograd.tensor import Tensor, value_of

__all__ = ["nll"]

Array = np.ndarray[Any, Any]


def _rows(z: Any) -> Array:
    return np.reshape(z, (-1, np.shape(z)[-1]))


def nll(z: Any, d: Any) -> Any:
    """−log softmax(z)_d = log Σ_k exp(z_k) − z_d, without overflow.

    Args:
        z: (…, K).
        d: (…) indices from 0 to K − 1.

    Returns:
        (…).
    """
    if not (isinstance(z, Tensor) and z.requires_grad and state.get().recording):
        return _nll(z, d)
    # The sweep needs exp(z − max z) again, of which it makes softmax(z).
    values, indices = value_of(z), value_of(d)
    powers = np.empty_like(values)
    losses, totals = (np.empty_like(values, shape=np.shape(d)) for _ in range(2))
    of_rows = (losses.reshape(-1), totals.reshape(-1), np.reshape(indices, -1))
    for e, rows, out, total, index in in_rows(_rows(powers), _rows(values), *of_rows):
        out[:] = _exponentials(rows, e, total, index)

    def pull(g: Any, ans: Any, z: Any, d: Any) -> Any:
        if isinstance(g, Tensor) or isinstance(z, Tensor):
            return _nll_pull(g, z, d)
        found = powers * (g / totals)[..., np.newaxis]
        rows, index = _rows(found), np.reshape(d, -1)
        rows[np.arange(len(rows)), index] -= np.reshape(g, -1)
        return found

    return Primitive(_nll.function, name="nll").defvjp(pull, None).known(losses, z, d)


def _exponentials(rows: Any, out: Any, total: Any, index: Any) -> Any:
    """exp(z − max z) into `out`, and their sums into `total`; the losses of some rows."""
    np.subtract(rows, rows.max(axis=1, keepdims=True), out=out)
    chosen = out[np.arange(len(rows)), index]
    total[:] = np.exp(out, out=out).sum(axis=1)
    return np.log(total) - chosen


@primitive
def _nll(z: Any, d: Any) -> Any:
    """The same, keeping nothing as large as z."""
    losses = np.empty_like(z, shape=np.shape(d), dtype=np.result_type(z, 1.0))
    for rows, out, index in in_rows(_rows(z), losses.reshape(-1), np.reshape(d, -1)):
        some = np.empty_like(rows, dtype=losses.dtype)
        out[:] = _exponentials(rows, some, np.empty_like(out), index)
    return losses


@primitive
def _nll_pull(g: Any, z: Any, d: Any) -> Any:
    """g (softmax(z) − one-hot(d)), the gradient of `nll` times g (…)."""
    found = np.empty_like(z, dtype=np.result_type(z, 1.0))
    scales, indices = np.reshape(g, -1), np.reshape(d, -1)
    for p, rows, scale, index in in_rows(_rows(found), _rows(z), scales, indices):
        np.subtract(rows, rows.max(axis=1, keepdims=True), out=p)
        np.exp(p, out=p)
        p *= (scale / p.sum(axis=1))[:, np.newaxis]
        p[np.arange(len(p)), index] -= scale
    return found


def _pull_g(h: Any, ans: Any, g: Any, z: Any, d: Any) -> Any:
    chosen = np.take_along_axis(h, d[..., np.newaxis], axis=-1)
    return np.sum(h * softmax(z), axis=-1) - np.squeeze(chosen, axis=-1)


def _pull_z(h: Any, ans: Any, g: Any, z: Any, d: Any) -> Any:
    p, u = softmax(z), np.expand_dims(g, -1) * h
    return p * (u - np.sum(u * p, axis=-1, keepdims=True))


_nll.defvjp(lambda g, ans, z, d: _nll_pull(g, z, d), None)
_nll_pull.defvjp(_pull_g, _pull_z, None)
