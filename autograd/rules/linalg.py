"""Linear algebra, on matrices in the last two axes."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from autograd.primitive import Primitive, implements, rule
from autograd.tensor import value_of

__all__: list[str] = []


def _transposed(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _inv(g: Any, ans: Any, x: Any) -> Any:
    t = _transposed(ans)
    return -(t @ g @ t)


rule(np.linalg.inv, _inv)


def _det(g: Any, ans: Any, x: Any) -> Any:
    """The cofactors; of a singular matrix from its singular values, to first order."""
    if np.all(value_of(ans) != 0):
        return (g * ans)[..., np.newaxis, np.newaxis] * _transposed(np.linalg.inv(x))
    u, s, v = np.linalg.svd(value_of(x))
    n = s.shape[-1]
    others = [np.prod(np.delete(s, i, axis=-1), axis=-1) for i in range(n)]
    sign = np.linalg.det(u) * np.linalg.det(v)
    cofactors = (u * np.stack(others, axis=-1)[..., np.newaxis, :]) @ v
    return (g * sign)[..., np.newaxis, np.newaxis] * cofactors


rule(np.linalg.det, _det)


def _logdet(x: Any) -> Any:
    return np.linalg.slogdet(x)[1]


logdet = Primitive(_logdet, name="logdet").defvjp(
    lambda g, ans, x: g[..., np.newaxis, np.newaxis] * _transposed(np.linalg.inv(x))
)
"""log |det x|; its sign has no gradient."""


@implements(np.linalg.slogdet)
def _slogdet(x: Any) -> Any:
    result = type(np.linalg.slogdet(np.eye(1)))
    return result(np.linalg.slogdet(value_of(x)).sign, logdet(x))


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
    """
    n = np.shape(x)[-1]
    weights = np.tril(np.ones((n, n))) - 0.5 * np.eye(n)
    p = weights * (_transposed(ans) @ g)
    inverse = np.linalg.inv(ans)
    s = _transposed(inverse) @ p @ inverse
    return (s + _transposed(s)) / 2


rule(np.linalg.cholesky, _cholesky)


def _pinv(g: Any, ans: Any, x: Any, rcond: Any = None) -> Any:
    """Golub and Pereyra (1973), for matrices whose rank does not change nearby."""
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
        return x * 0 + np.eye(np.shape(x)[-1])
    half = x if n < 2 else _matrix_power(x, n // 2)
    if n < 2:
        return half
    return half @ half @ x if n % 2 else half @ half


@implements(np.linalg.multi_dot)
def _multi_dot(arrays: Any) -> Any:
    """From the left to the right; matmul's vectors at the ends."""
    return reduce(np.matmul, arrays)


def _root(x: Any) -> Any:
    return np.sqrt(x)


root = Primitive(_root, name="sqrt")
"""√x with the derivative 0 at 0, which a norm is given there."""

root.defvjp(lambda g, ans, x: np.where(ans == 0, 0, g / (2 * np.where(ans == 0, 1, ans))))


@implements(np.linalg.norm)
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002 (NumPy's word)
    """Of vectors of any order, of matrices "fro"; the derivative at 0 is 0."""
    axes = np.atleast_1d(range(np.ndim(x)) if axis is None else axis)
    matrix = len(axes) == 2 and (axis is not None or ord is not None)
    where = None if axis is None else tuple(int(a) for a in axes)
    if ord in (None, "fro") or (ord == 2 and not matrix):
        return root(np.sum(np.square(x), axis=where, keepdims=keepdims))
    if matrix or isinstance(ord, str):
        raise TypeError(
            f"np.linalg.norm: ord={ord!r} of matrices has no rule for Tensors; expected "
            "'fro', or vectors"
        )
    size = np.absolute(x)
    if ord == np.inf:
        return np.max(size, axis=where, keepdims=keepdims)
    if ord == -np.inf:
        return np.min(size, axis=where, keepdims=keepdims)
    if ord == 0:
        return np.sum(value_of(x) != 0, axis=where, keepdims=keepdims).astype(float)
    if ord == 1:
        return np.sum(size, axis=where, keepdims=keepdims)
    return np.sum(size**ord, axis=where, keepdims=keepdims) ** (1 / ord)


# Factorisations give several arrays. Packed into one, below each other, they are one
# operation with one rule; the parts are slices of it.


def _gaps(x: Any) -> Any:
    """1 / (x_j − x_i), and 0 where i = j or the two are equal."""
    difference = x[..., np.newaxis, :] - x[..., :, np.newaxis]
    equal = difference == 0
    return np.where(equal, 0, 1 / np.where(equal, 1, difference))


def _eigh_packed(x: Any) -> Any:
    w, v = np.linalg.eigh(x)
    return np.concatenate([w[..., np.newaxis, :], v], axis=-2)


def _eigh_vjp(g: Any, ans: Any, x: Any) -> Any:
    """Giles (2008), 3.1, for a symmetric x: V (diag ∂w + F ∘ (Vᵀ ∂V)) Vᵀ."""
    w, v, t = ans[..., 0, :], ans[..., 1:, :], _transposed(ans[..., 1:, :])
    inner = _gaps(w) * (t @ g[..., 1:, :])
    inner = inner + g[..., :1, :] * np.eye(np.shape(w)[-1])
    out = v @ inner @ t
    return (out + _transposed(out)) / 2


eigh = Primitive(_eigh_packed, name="eigh").defvjp(_eigh_vjp)


@implements(np.linalg.eigh)
def _eigh(x: Any, UPLO: str = "L") -> Any:
    if UPLO != "L":
        x = _transposed(x)
    packed = eigh(x)
    return type(np.linalg.eigh(np.eye(1)))(packed[..., 0, :], packed[..., 1:, :])


def _svd_packed(x: Any) -> Any:
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return np.concatenate([u, s[..., np.newaxis, :], _transposed(vh)], axis=-2)


def _svd_vjp(g: Any, ans: Any, x: Any) -> Any:
    """Townsend (2016), equation 23, for singular values that differ and are not zero."""
    m = np.shape(x)[-2]
    u, s, v = ans[..., :m, :], ans[..., m, :], ans[..., m + 1 :, :]
    gu, gs, gv = g[..., :m, :], g[..., m : m + 1, :], g[..., m + 1 :, :]
    gaps, row = _gaps(np.square(s)), s[..., np.newaxis, :]
    of_u, of_v = _transposed(u) @ gu, _transposed(v) @ gv
    inner = gaps * (of_u - _transposed(of_u)) * row
    inner = inner + _transposed(row) * (gaps * (of_v - _transposed(of_v)))
    inner = inner + gs * np.eye(np.shape(s)[-1])
    out = u @ inner @ _transposed(v)
    out = out + (gu - u @ of_u) / row @ _transposed(v)
    return out + u @ _transposed((gv - v @ of_v) / row)


svd = Primitive(_svd_packed, name="svd").defvjp(_svd_vjp)


@implements(np.linalg.svd)
def _svd(
    x: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    m, n = np.shape(x)[-2:]
    if hermitian or (full_matrices and compute_uv and m != n):
        raise TypeError(
            "np.linalg.svd: for Tensors that are not square only full_matrices=False has "
            "a rule, and hermitian=True has none"
        )
    packed = svd(x)
    if not compute_uv:
        return packed[..., m, :]
    parts = packed[..., :m, :], packed[..., m, :], _transposed(packed[..., m + 1 :, :])
    return type(np.linalg.svd(np.eye(1)))(*parts)


def _qr_packed(x: Any) -> Any:
    q, r = np.linalg.qr(x)
    return np.concatenate([q, _transposed(r)], axis=-2)


def _qr_vjp(g: Any, ans: Any, x: Any) -> Any:
    """Walter and Lehmann (2010), equation 3.12, for independent columns."""
    m = np.shape(x)[-2]
    q, r = ans[..., :m, :], _transposed(ans[..., m:, :])
    gq, gr = g[..., :m, :], _transposed(g[..., m:, :])
    inner = r @ _transposed(gr) - _transposed(gq) @ q
    symmetric = np.tril(inner) + _transposed(np.tril(inner, -1))
    return (gq + q @ symmetric) @ _transposed(np.linalg.inv(r))


qr = Primitive(_qr_packed, name="qr").defvjp(_qr_vjp)


@implements(np.linalg.qr)
def _np_qr(x: Any, mode: str = "reduced") -> Any:
    m, n = np.shape(x)[-2:]
    if mode not in ("reduced", "r") or m < n:
        raise TypeError(
            f"np.linalg.qr: mode={mode!r} of a {m}×{n} matrix has no rule for Tensors; "
            "expected 'reduced' or 'r', and no more columns than rows"
        )
    packed = qr(x)
    r = _transposed(packed[..., m:, :])
    if mode == "r":
        return r
    return type(np.linalg.qr(np.eye(1)))(packed[..., :m, :], r)


@implements(np.linalg.lstsq)
def _lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """By the pseudo-inverse; rank and singular values are plain, without a gradient."""
    _, _, rank, s = np.linalg.lstsq(value_of(a), value_of(b), rcond=rcond)
    x = np.matmul(np.linalg.pinv(a), b)
    m, n = np.shape(a)
    residuals = np.sum(np.square(b - np.matmul(a, x)), axis=0)
    if rank < n or m <= n:
        residuals = np.zeros(0, np.result_type(x))
    elif np.ndim(b) == 1:
        residuals = np.reshape(residuals, (1,))
    return x, residuals, rank, s
