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
from autograd.programs.tracing import as_one_call
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
    powers = np.empty_like(values, order="C")
    losses, totals = (np.empty_like(values, shape=np.shape(d)) for _ in range(2))
    _exponentials(values, indices, out=(powers, losses, totals))

    def pull(g: Any, ans: Any, z: Any, d: Any) -> Any:
        if isinstance(g, Tensor) or isinstance(z, Tensor):
            return _nll_pull(g, z, d)
        found = powers * (g / totals)[..., np.newaxis]
        rows, index = _rows(found), np.reshape(d, -1)
        rows[np.arange(len(rows)), index] -= np.reshape(g, -1)
        return found

    return Primitive(_nll.function, name="nll").defvjp(pull, None).known(losses, z, d)


@as_one_call
def _exponentials(z: Any, d: Any, *, out: tuple[Array, Array, Array]) -> None:
    """exp(z − max z), −log softmax(z)_d and Σ exp(z − max z) into the arrays of `out`."""
    powers, losses, totals = out
    rows = _rows(powers), _rows(z), *map(np.ravel, (losses, totals, d))
    for e, some, loss, total, index in in_rows(*rows):
        np.subtract(some, some.max(axis=1, keepdims=True), out=e)
        chosen = e[np.arange(len(e)), index]
        total[:] = np.exp(e, out=e).sum(axis=1)
        np.subtract(np.log(total), chosen, out=loss)


@primitive
def _nll(z: Any, d: Any) -> Any:
    """The same, keeping nothing as large as z."""
    losses = np.empty_like(z, shape=np.shape(d), dtype=np.result_type(z, 1.0))
    _losses(z, d, out=(losses,))
    return losses


@as_one_call
def _losses(z: Any, d: Any, *, out: tuple[Array]) -> None:
    for some, loss, index in in_rows(_rows(z), np.ravel(out[0]), np.ravel(d)):
        e = np.empty_like(some, dtype=loss.dtype)
        _exponentials(some, index, out=(e, loss, np.empty_like(loss)))


@primitive
def _nll_pull(g: Any, z: Any, d: Any) -> Any:
    """g (softmax(z) − one-hot(d)), the gradient of `nll` times g (…)."""
    found = np.empty_like(z, dtype=np.result_type(z, 1.0), order="C")
    _slope(g, z, d, out=(found,))
    return found


@as_one_call
def _slope(g: Any, z: Any, d: Any, *, out: tuple[Array]) -> None:
    rows = _rows(out[0]), _rows(z), np.ravel(g), np.ravel(d)
    for p, some, scale, index in in_rows(*rows):
        np.subtract(some, some.max(axis=1, keepdims=True), out=p)
        np.exp(p, out=p)
        p *= (scale / p.sum(axis=1))[:, np.newaxis]
        p[np.arange(len(p)), index] -= scale


def _pull_g(h: Any, ans: Any, g: Any, z: Any, d: Any) -> Any:
    chosen = np.take_along_axis(h, d[..., np.newaxis], axis=-1)
    return np.sum(h * softmax(z), axis=-1) - np.squeeze(chosen, axis=-1)


def _pull_z(h: Any, ans: Any, g: Any, z: Any, d: Any) -> Any:
    p, u = softmax(z), np.expand_dims(g, -1) * h
    return p * (u - np.sum(u * p, axis=-1, keepdims=True))


_nll.defvjp(lambda g, ans, z, d: _nll_pull(g, z, d), None)
_nll_pull.defvjp(_pull_g, _pull_z, None)
