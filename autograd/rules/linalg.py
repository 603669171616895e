"""Linear algebra, on matrices in the last two axes."""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import numpy as np

from autograd.primitive import implements, rule
from autograd.rules.norms import euclidean, vector_norm
from autograd.signature import no_keyword
from autograd.tensor import value_of

__all__: list[str] = []


def _transposed(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _inv(g: Any, ans: Any, x: Any) -> Any:
    t = _transposed(ans)
    return -(t @ g @ t)


rule(np.linalg.inv, _inv)


def _solve_b(g: Any, ans: Any, a: Any, b: Any) -> Any:
    """a⁻ᵀ g; a single vector b is taken for a column."""
    if np.ndim(b) > 1:
        return np.linalg.solve(_transposed(a), g)
    return np.linalg.solve(_transposed(a), g[..., np.newaxis])[..., 0]


def _solve_a(g: Any, ans: Any, a: Any, b: Any) -> Any:
    back = _solve_b(g, ans, a, b)
    if np.ndim(b) > 1:
        return -(back @ _transposed(ans))
    return -(back[..., :, np.newaxis] * ans[..., np.newaxis, :])


rule(np.linalg.solve, _solve_a, _solve_b)


def _cholesky(g: Any, ans: Any, x: Any) -> Any:
    """Murray (2016), equation 10, for the symmetric matrix of the lower half.

    ½ L⁻ᵀ (P + Pᵀ) L⁻¹ with P the lower triangle of Lᵀ g, its diagonal halved.

    Convention: NumPy reads the lower triangle of x. The gradient is that of a function of
    symmetric matrices, itself symmetric, as in PyTorch and JAX: the share of an element
    off the diagonal is halved between both triangles.
    """
    n = np.shape(x)[-1]
    weights = np.tril(np.ones((n, n))) - 0.5 * np.eye(n)
    p = weights * (_transposed(ans) @ g)
    inverse = np.linalg.inv(ans)
    s = _transposed(inverse) @ p @ inverse
    return (s + _transposed(s)) / 2


rule(np.linalg.cholesky, _cholesky)


def _pinv(
    g: Any, ans: Any, x: Any, rcond: Any = None, hermitian: bool = False
) -> Any:  # fmt: skip
    """Golub and Pereyra (1973), for matrices whose rank does not change nearby."""
    s = np.linalg.svd(value_of(x), compute_uv=False)
    top = np.max(s, axis=-1, keepdims=True, initial=0)
    noise = 10 * max(np.shape(x)[-2:]) * np.finfo(s.dtype).eps
    if np.any(
        (s > noise * top) & (s <= np.expand_dims(0 if rcond is None else rcond, -1) * top)
    ):
        raise ValueError(
            "np.linalg.pinv: rcond= cuts off singular values that are no rounding "
            "errors; that has no rule. Compose it of np.linalg.svd"
        )
    t, gt = _transposed(ans), _transposed(g)
    rows, columns = np.eye(np.shape(x)[-2]), np.eye(np.shape(x)[-1])
    left = (rows - x @ ans) @ gt @ ans @ t
    right = t @ ans @ gt @ (columns - ans @ x)
    return left + right - t @ g @ t


rule(np.linalg.pinv, _pinv)


@implements(np.linalg.matrix_power)
def _matrix_power(x: Any, n: int) -> Any:
    if n < 0:
        return _matrix_power(np.linalg.inv(x), -n)
    if n == 0:
        return np.where(False, x, np.eye(np.shape(x)[-1], dtype=np.result_type(x)))
    half = x if n < 2 else _matrix_power(x, n // 2)
    if n < 2:
        return half
    return half @ half @ x if n % 2 else half @ half


@implements(np.linalg.multi_dot)
def _multi_dot(arrays: Any) -> Any:
    """From the left to the right; matmul's vectors at the ends."""
    return np.dot(*arrays) if len(arrays) == 2 else reduce(np.matmul, arrays)


def _extreme(s: Any, ord: int) -> Any:  # noqa: A002 (NumPy's word)
    """The largest or smallest of singular values s (…, k); without any, 0 or an error."""
    if np.shape(s)[-1]:
        return s[..., 0 if ord > 0 else -1]
    return np.sum(s, axis=-1) if ord > 0 else np.min(s, axis=-1)


def _matrix_norm(x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:  # noqa: A002
    """By the sums of rows or columns, or by the singular values; `axis` is a pair."""
    x = np.moveaxis(x, axis, (-2, -1))
    if ord in (1, -1, np.inf, -np.inf):
        sums = np.sum(np.absolute(x), axis=-2 if abs(ord) == 1 else -1)
        found = np.max(sums, axis=-1, initial=0) if ord > 0 else np.min(sums, axis=-1)
    elif ord in (2, -2):
        found = _extreme(np.linalg.svd(x, compute_uv=False), ord)
    elif ord == "nuc":
        found = np.sum(np.linalg.svd(x, compute_uv=False), axis=-1)
    elif ord in (None, "fro"):
        found = euclidean(x, (-2, -1), False)
    else:
        raise ValueError(
            f"np.linalg.norm: ord={ord!r} of matrices, expected 1, -1, 2, -2, inf, -inf, "
            "'fro' or 'nuc'"
        )
    return np.expand_dims(found, axis) if keepdims else found


@implements(np.linalg.norm)
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002
    """Of vectors and matrices.

    Convention: the gradient of the 2-norm of a vector, and of the Frobenius norm, is 0 at
    0. By the orders 2, −2 and "nuc" of a matrix it is that of its singular values.
    """
    if axis is None and ord is None:
        axes = None
    else:
        axes = tuple(range(np.ndim(x)) if axis is None else map(int, np.atleast_1d(axis)))
    if ord is None:
        return vector_norm(x, 2, axes, keepdims)
    if axes is not None and len(axes) == 2:
        return _matrix_norm(x, ord, axes, keepdims)
    if isinstance(ord, str) or axes is None or len(axes) != 1:
        raise ValueError(
            f"np.linalg.norm: ord={ord!r} over axes {axes}; expected a number over one "
            "axis, or a matrix norm over two"
        )
    return vector_norm(x, ord, axes, keepdims)


@implements(np.linalg.vector_norm)
def _np_vector_norm(
    x: Any,
    *,
    axis: Any = None,
    keepdims: bool = False,
    ord: Any = 2,  # noqa: A002
) -> Any:
    if ord is None:
        raise TypeError(no_keyword("linalg.vector_norm", "ord", ord))
    return vector_norm(x, ord, axis, keepdims)


@implements(np.linalg.matrix_norm)
def _np_matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:  # noqa: A002
    return _matrix_norm(x, ord, (-2, -1), keepdims)


@implements(np.linalg.cond)
def _cond(x: Any, p: Any = None) -> Any:
    """The condition of matrices x (…, N, N), of x (…, M, N) for p None, 2 and −2.

    Raises:
        LinAlgError: of an empty matrix; in a derivative of order two, where the largest
            or the smallest singular value equals another.
    """
    if not np.size(x):
        raise np.linalg.LinAlgError(
            f"np.linalg.cond: an empty array has no condition (got shape {np.shape(x)}, "
            "expected at least one element)"
        )
    if p in (None, 2, -2):
        s = np.linalg.svd(x, compute_uv=False)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    inverse = np.linalg.inv(x)
    return _matrix_norm(x, p, (-2, -1), False) * _matrix_norm(inverse, p, (-2, -1), False)


@implements(np.linalg.tensorsolve)
def _tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """X with Σ a x = b, summed over the last axes of a, which have the shape of x."""
    ndim = np.ndim(a)
    if axes is not None:
        a = np.transpose(a, [*(i for i in range(ndim) if i not in axes), *axes])
    shape = np.shape(a)[-(ndim - np.ndim(b)) :]
    square = np.reshape(a, (np.size(b), np.size(b)))
    return np.reshape(np.linalg.solve(square, np.ravel(b)), shape)


@implements(np.linalg.tensorinv)
def _tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse of a as a map from its last axes to its first `ind` ones."""
    first, last = np.shape(a)[:ind], np.shape(a)[ind:]
    return np.reshape(np.linalg.inv(np.reshape(a, (math.prod(last), -1))), last + first)
