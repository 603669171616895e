"""Where eigenvectors and singular vectors have derivatives, and where they have none.

The derivative of an eigenvector divides by the differences of its eigenvalue and all
others. Where two are equal, their vectors are one basis of many: a program that uses them
may still compute a smooth function, √A of A = 4 I say, but the gradients by the values
and vectors do not contain its derivative. So the gradient is refused: NaN in the matrices
of a stack where that happens, and LinAlgError where it happens in all.

Nearly equal values are treated as equal. An eigenvalue has a rounding error of about
ε‖x‖, and a derivative of order k divides by a gap k times, so that its relative error is
about ε (‖x‖ / gap)^k. It is refused below gap = ε^(0.6 / k) ‖x‖, where that exceeds
ε^0.4: 5e-7 in float64, 2e-3 in float32.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from autograd.deferred import Deferred, Piece, Sum
from autograd.primitive import Primitive
from autograd.programs.tracing import as_one_call
from autograd.tensor import Tensor, value_of

__all__ = ["Basis", "gaps", "near_pairs", "power_of_two", "reached", "tolerance",
           "usable", "vectors", "weights_of"]  # fmt: skip


class Basis(NamedTuple):
    """Which vectors of a basis have a derivative.

    Attributes:
        name: of the NumPy function, for messages.
        axis: −1 where the vectors are columns, −2 where they are rows.
        near: (…, k, k), the pairs of values that are equal or nearly so.
        lone: (…, k), the values that are equal to those of the null space, or at a kink.
        weights: (…, k), constants if the result is V diag(weights) V⁻¹ or the like, in
            which vectors of equal values with equal weights may be any basis, and those
            of a weight 0 may have a lone value; NaN where a weight is no constant.
        null: (…, n, n − k) or transposed, further vectors that have no derivative.
    """

    name: str
    axis: int
    near: Any
    lone: Any
    weights: Any = None
    null: Any = None


def tolerance(x: Any, order: int) -> float:
    """The gap, relative to the largest value, below which order `order` is refused."""
    return float(np.finfo(np.result_type(x)).eps) ** (0.6 / order)


def power_of_two(x: Any) -> Any:
    """2^e near the largest |x| of the last axis, (…, 1): to scale by it is exact."""
    size = np.max(np.absolute(value_of(x)), axis=-1, keepdims=True, initial=0)
    return np.ldexp(np.ones_like(size), np.frexp(size)[1] - 1)


def _differences(x: Any) -> Any:
    return x[..., np.newaxis, :] - x[..., :, np.newaxis]


def near_pairs(x: Any, order: int, scale: Any = None) -> Any:
    """The pairs i ≠ j of equal or nearly equal values x (…, k), as (…, k, k)."""
    x = value_of(x)
    if scale is None:
        scale = np.max(np.absolute(x), axis=-1, keepdims=True, initial=0)
    unit = power_of_two(x)
    bound = tolerance(x, order) * (scale / unit)[..., np.newaxis]
    others = ~np.eye(np.shape(x)[-1], dtype=bool)
    return (np.absolute(_differences(x / unit)) <= bound) & others


def gaps(x: Any, near: Any) -> Any:
    """1 / (x_j − x_i), and 0 where i = j or the two are near each other."""
    difference = _differences(x)
    equal = near | np.eye(np.shape(x)[-1], dtype=bool)
    return np.where(equal, 0, 1 / np.where(equal, 1, difference))


def reached(g: Any, shape: tuple[int, ...]) -> Any:
    """Where a gradient g of this shape comes from any use, as far as indices show it.

    A use whose gradient happens to be 0 counts, since it may vary.
    """
    uses, places = [g], np.zeros(shape, bool)
    while uses:
        use = uses.pop()
        if isinstance(use, Sum):
            if any(x is not None for x in (use.total, use.products, use.columns)):
                return np.ones(shape, bool)
            uses += use.pieces
            continue
        index = _index_of(use)
        if isinstance(use, Tensor) and use.op == "add":
            uses += use._args
        elif index is None:
            return np.ones(shape, bool)
        else:
            places[index] = True
    return places


def _index_of(use: Any) -> Any:
    """The index under which a part of an array was used; None where it was all."""
    index = None
    if isinstance(use, Piece):
        index = use.index
    elif isinstance(use, Tensor) and use.op == "scatter":
        index = use._args[1]
    parts = index if isinstance(index, tuple) else (index,)
    plain = (int, np.integer, slice, np.ndarray, type(Ellipsis), type(None))
    return index if all(isinstance(part, plain) for part in parts) else None


def weights_of(g: Any) -> Any:
    """G (…, k) as the weights of a `Basis`: NaN where it is not a constant."""
    if isinstance(g, Tensor) and g.requires_grad:
        return np.where(reached(g, np.shape(g)), np.nan, 0)
    return value_of(g)


@as_one_call
def usable(name: str, bad: Any, dtype: Any) -> Any:
    """1 where a vector has a derivative, NaN where `bad` (…, k) says it has none.

    Raises:
        LinAlgError: where each matrix has a bad one.
    """
    if np.size(bad) and np.all(np.any(bad, axis=-1)):
        raise np.linalg.LinAlgError(
            f"{name}: a derivative by eigenvectors or singular vectors whose values are "
            "equal or zero, or nearly (got a gap within the rounding errors, which the "
            "derivative divides by; expected distinct values). Such vectors are one "
            "basis of many. Compute with the matrix itself (products, np.linalg.inv, "
            "np.linalg.det, norms of order 'fro'), or take only the vectors v[:, i] "
            "whose values differ from all others"
        )
    return np.where(bad, np.nan, 1.0).astype(dtype)


def _bad(basis: Basis) -> Any:
    """The vectors that have no derivative, (…, k)."""
    if basis.weights is None:
        return np.any(basis.near, axis=-1) | basis.lone
    w = basis.weights
    equal = w[..., np.newaxis, :] == w[..., :, np.newaxis]
    return np.any(basis.near & ~equal, axis=-1) | (basis.lone & (w != 0))


def _joined(v: Any, basis: Basis) -> Any:
    null = basis.null
    return v if null is None else np.concatenate([v, null], axis=basis.axis)


def _joined_vjp(g: Any, ans: Any, v: Any, basis: Basis) -> Any:
    """Pass g on to the vectors that have a derivative; NaN and errors else."""
    axis, k = basis.axis, np.shape(v)[basis.axis]
    used = np.any(reached(g, np.shape(ans)), axis=-3 - axis)
    g = g.full() if isinstance(g, Deferred) else g
    if basis.null is not None:
        kept = (..., slice(k)) if axis == -1 else (..., slice(k), slice(None))
        rest = (..., slice(k, None)) if axis == -1 else (..., slice(k, None), slice(None))
        if np.any(used[..., k:]):
            _refuse_null_space(g[rest], basis.name, k)
        g, used = g[kept], used[..., :k]
    factor = usable(basis.name, _bad(basis) & used, np.result_type(g))
    return g * np.expand_dims(factor, -3 - axis)


def _refuse_null_space(g: Any, name: str, k: int) -> None:
    varies = isinstance(g, Tensor) and g.requires_grad
    if varies or np.any(value_of(g)):
        raise TypeError(
            f"{name}: a gradient came through column {k} or a later one of the square "
            "factor, which are some basis of a null space and have no derivative. Use "
            f"the first {k} alone, as full_matrices=False gives them"
        )


vectors = Primitive(_joined, name="vectors").defvjp(_joined_vjp)
"""The vectors v, and those of a null space; a `Basis` says which have a derivative."""

vectors.defers = True  # the indices show which vectors were used
