"""Factorisations of matrices, in the last two axes.

They give several arrays. Packed into one, below each other, they are one operation with
one rule; the parts are slices of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.primitive import Primitive, implements
from autograd.tensor import DISPATCH, value_of

__all__: list[str] = []


def _transposed(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


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


@implements(np.linalg.eigvalsh)
def _eigvalsh(x: Any, UPLO: str = "L") -> Any:
    return eigvalsh(x if UPLO == "L" else _transposed(x))


def _eigvalsh_vjp(g: Any, ans: Any, x: Any) -> Any:
    _, v = np.linalg.eigh(x)
    return (v * g[..., np.newaxis, :]) @ _transposed(v)


eigvalsh = Primitive(np.linalg.eigvalsh).defvjp(_eigvalsh_vjp)


def _eig_packed(x: Any) -> Any:
    w, v = np.linalg.eig(x)
    return np.concatenate([w[..., np.newaxis, :], v], axis=-2)


def _eig_vjp(g: Any, ans: Any, x: Any) -> Any:
    """V⁻ᵀ (diag ∂w + F ∘ (Vᵀ ∂V − VᵀV diag(Vᵀ ∂V))) Vᵀ, for columns of length 1.

    Giles (2008), 3.1, less the part of ∂V along V, which keeps the lengths.
    """
    w, v, gv = ans[..., 0, :], ans[..., 1:, :], g[..., 1:, :]
    t = _transposed(v)
    along = np.sum(v * gv, axis=-2, keepdims=True)
    inner = _gaps(w) * (t @ gv - (t @ v) * along)
    inner = inner + g[..., :1, :] * np.eye(np.shape(w)[-1])
    return np.linalg.solve(t, inner @ t)


eig = Primitive(_eig_packed, name="eig").defvjp(_eig_vjp)
"""Of real spectra alone: through complex numbers no gradient passes."""


@implements(np.linalg.eig)
def _eig(x: Any) -> Any:
    packed = eig(x)
    return type(np.linalg.eig(np.eye(1)))(packed[..., 0, :], packed[..., 1:, :])


def _eigvals_vjp(g: Any, ans: Any, x: Any) -> Any:
    t = _transposed(np.linalg.eig(x)[1])
    return np.linalg.solve(t, g[..., np.newaxis] * t)


eigvals = Primitive(np.linalg.eigvals).defvjp(_eigvals_vjp)
DISPATCH[np.linalg.eigvals] = eigvals


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


@implements(np.linalg.svdvals)
def _svdvals(x: Any) -> Any:
    return np.linalg.svd(x, compute_uv=False)


def _svdvals_vjp(g: Any, ans: Any, x: Any) -> Any:
    """The vectors' own derivatives do not enter: right for equal and zero values too."""
    u, _, vh = np.linalg.svd(x, full_matrices=False)
    return (u * g[..., np.newaxis, :]) @ vh


svdvals = Primitive(lambda x: np.linalg.svd(x, compute_uv=False), name="svdvals")
svdvals.defvjp(_svdvals_vjp)


def _null_space(x: Any, k: int) -> Any:
    return np.linalg.svd(x)[0][..., k:]


def _null_space_vjp(g: Any, ans: Any, x: Any, k: int) -> Any:
    if np.any(value_of(g)):
        raise TypeError(
            f"np.linalg.svd: a gradient came through column {k} or a later one of the "
            "square factor, which are some basis of a null space and have no "
            f"derivative. Use the first {k} alone, as full_matrices=False gives them"
        )
    return np.zeros_like(x)


null_space = Primitive(_null_space, name="svd").defvjp(_null_space_vjp)
"""The left singular vectors after the first k, up to which all values are."""


@implements(np.linalg.svd)
def _svd(
    x: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    """Full matrices too, as long as no gradient comes through the null space's vectors.

    Those are one basis of many, so that they have no derivative, and what depends on
    more than the space they span is refused in the sweep.
    """
    m, n = np.shape(x)[-2:]
    if hermitian:
        raise TypeError(
            "np.linalg.svd: hermitian=True has no rule for Tensors; leave it out"
        )
    if not compute_uv:
        return svdvals(x)
    packed = svd(x)
    u, s, v = packed[..., :m, :], packed[..., m, :], packed[..., m + 1 :, :]
    if full_matrices and m > n:
        u = np.concatenate([u, null_space(x, n)], axis=-1)
    if full_matrices and m < n:
        v = np.concatenate([v, null_space(_transposed(x), m)], axis=-1)
    return type(np.linalg.svd(np.eye(1)))(u, s, _transposed(v))


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
    """Of wide matrices the square part is factored; the rest of R is Qᵀ times x's."""
    m, n = np.shape(x)[-2:]
    if mode not in ("reduced", "r", "complete") or (mode == "complete" and m > n):
        raise TypeError(
            f"np.linalg.qr: mode={mode!r} of a {m}×{n} matrix has no rule for Tensors; "
            "expected 'reduced' or 'r'"
        )
    packed = qr(x[..., :m])
    q, r = packed[..., :m, :], _transposed(packed[..., m:, :])
    if m < n:
        r = np.concatenate([r, _transposed(q) @ x[..., m:]], axis=-1)
    return r if mode == "r" else type(np.linalg.qr(np.eye(1)))(q, r)


@implements(np.linalg.lstsq)
def _lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """By the pseudo-inverse."""
    rank = np.linalg.lstsq(value_of(a), value_of(b), rcond=rcond)[2]
    m, n = np.shape(a)
    if rcond is None:
        rcond = max(m, n) * np.finfo(np.result_type(a, 0.0)).eps
    x = np.matmul(np.linalg.pinv(a, rcond), b)
    residuals = np.sum(np.square(b - np.matmul(a, x)), axis=0)
    if rank < n or m <= n:
        residuals = np.zeros(0, np.result_type(x))
    elif np.ndim(b) == 1:
        residuals = np.reshape(residuals, (1,))
    return x, residuals, rank, np.linalg.svd(a, compute_uv=False)
