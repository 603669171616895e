"""Factorisations of matrices, in the last two axes.

They give several arrays. Packed into one, below each other, they are one operation with
one rule; the parts are slices of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.primitive import Primitive, implements
from autograd.programs.tracing import as_one_call
from autograd.rules.spectra import (
    Basis,
    gaps,
    near_pairs,
    power_of_two,
    tolerance,
    usable,
    vectors,
    weights_of,
)
from autograd.tensor import Tensor, value_of

__all__: list[str] = []


def _transposed(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _gaps_of(w: Any, order: int) -> Any:
    return gaps(w, near_pairs(w, order))


def _eigh_packed(x: Any, order: int = 1) -> Any:
    w, v = np.linalg.eigh(x)
    return np.concatenate([w[..., np.newaxis, :], v], axis=-2)


def _eigh_vjp(g: Any, ans: Any, x: Any, order: int = 1) -> Any:
    """Giles (2008), 3.1, for a symmetric x: V (diag ∂w + F ∘ (Vᵀ ∂V)) Vᵀ."""
    w, v = _eigh_parts(_again(eigh, ans, x, order), order + 1)
    t = _transposed(v)
    inner = _gaps_of(w, order) * (t @ g[..., 1:, :])
    inner = inner + g[..., :1, :] * np.eye(np.shape(w)[-1])
    out = v @ inner @ t
    return (out + _transposed(out)) / 2


def _again(factors: Primitive, ans: Any, x: Any, order: int) -> Any:
    """The factors `ans` of x, to be differentiated to the next order."""
    if not isinstance(ans, Tensor):
        return ans
    return factors.known(value_of(ans), x, order + 1)


eigh = Primitive(_eigh_packed, name="eigh").defvjp(_eigh_vjp)


def _eigh_parts(packed: Any, order: int = 1, weights: Any = None) -> Any:
    """The eigenvalues, and the eigenvectors for a derivative of this order."""
    w, v = packed[..., 0, :], packed[..., 1:, :]
    if not isinstance(packed, Tensor):
        return w, v
    near = near_pairs(w, order)
    name = "np.linalg.eigh" if weights is None else "np.linalg.eigvalsh"
    return w, vectors(v, Basis(name, -1, near, False, weights))


@implements(np.linalg.eigh)
def _eigh(x: Any, UPLO: str = "L") -> Any:
    """Eigenvalues w (…, N) and eigenvectors V (…, N, N) of symmetric x (…, N, N).

    Convention: NumPy reads one triangle of x. The gradient is that of a function of
    symmetric matrices, itself symmetric, as in PyTorch and JAX: the share of an element
    off the diagonal is halved between both triangles.

    Raises:
        LinAlgError: in the sweep, where a gradient comes through eigenvectors whose
            eigenvalues are equal or nearly so; see `autograd.rules.spectra`.
    """
    if UPLO.upper() != "L":
        x = _transposed(x)
    return type(np.linalg.eigh(np.eye(1)))(*_eigh_parts(eigh(x)))


@implements(np.linalg.eigvalsh)
def _eigvalsh(x: Any, UPLO: str = "L") -> Any:
    """Eigenvalues w (…, N) of symmetric x (…, N, N).

    Convention: NumPy reads one triangle of x. The gradient is symmetric, as in PyTorch
    and JAX; by one of several equal eigenvalues it is v vᵀ, with NumPy's eigenvector v.

    Raises:
        LinAlgError: in a second derivative, where eigenvalues that are equal or nearly
            so have different gradients, or gradients that vary.
    """
    return eigvalsh(x if UPLO.upper() == "L" else _transposed(x))


def _eigvalsh_vjp(g: Any, ans: Any, x: Any) -> Any:
    _, v = _eigh_parts(eigh(x), 1, weights_of(g))
    return (v * g[..., np.newaxis, :]) @ _transposed(v)


eigvalsh = Primitive(np.linalg.eigvalsh).defvjp(_eigvalsh_vjp)


def _eig_packed(x: Any, order: int = 1) -> Any:
    w, v = np.linalg.eig(x)
    return np.concatenate([w[..., np.newaxis, :], v], axis=-2)


@as_one_call
def _eig_near(x: Any, w: Any, v: Any, order: int) -> tuple[Any, Any]:
    """The pairs of near eigenvalues, (…, N, N), and the defective ones, (…, N).

    The errors of a derivative are larger by κ², κ the condition of V (…, N, N), whose
    columns have length 1. Balancing leaves |x_ij x_ji| as it is, and so does `scale`.
    A double eigenvalue within δ of having one eigenvector has κ = 1 / δ.
    """
    if not np.size(w):
        return np.zeros((*w.shape, w.shape[-1]), bool), np.zeros(w.shape, bool)
    eps = np.finfo(v.dtype).eps
    least = np.linalg.svd(v, compute_uv=False)[..., -1:]
    unit = power_of_two(np.reshape(x, (*w.shape[:-1], -1)))
    x = x / unit[..., np.newaxis]
    products = np.sqrt(np.absolute(x * _transposed(x)))
    scale = np.max(products, axis=(-2, -1))[..., np.newaxis]
    scale = np.maximum(scale, np.max(np.absolute(w / unit), axis=-1, keepdims=True))
    near = near_pairs(w / unit, order, scale / np.maximum(least, eps) ** (2 / order))
    return near, np.any(near, axis=-1) & (least < eps**0.2)


def _eig_vjp(g: Any, ans: Any, x: Any, order: int = 1) -> Any:
    """V⁻ᵀ (diag ∂w + F ∘ (Vᵀ ∂V − VᵀV diag(Vᵀ ∂V))) Vᵀ, for columns of length 1.

    Giles (2008), 3.1, less the part of ∂V along V, which keeps the lengths.
    """
    packed = _again(eig, ans, x, order)
    w, v = _eig_parts(packed, x, order + 1)
    gv, t = g[..., 1:, :], _transposed(v)
    near, defective = _eig_near(value_of(x), value_of(w), value_of(v), order)
    along = np.sum(v * gv, axis=-2, keepdims=True)
    inner = gaps(w, near) * (t @ gv - (t @ v) * along)
    inner = inner + g[..., :1, :] * np.eye(np.shape(w)[-1])
    simple = usable("np.linalg.eig", defective, np.result_type(g))
    return np.linalg.solve(t * simple[..., np.newaxis], inner @ t)


eig = Primitive(_eig_packed, name="eig").defvjp(_eig_vjp)
"""Of real spectra alone: through complex numbers no gradient passes."""


def _eig_parts(packed: Any, x: Any, order: int = 1, weights: Any = None) -> Any:
    """The eigenvalues, and the eigenvectors for a derivative of this order."""
    w, v = packed[..., 0, :], packed[..., 1:, :]
    if not isinstance(packed, Tensor):
        return w, v
    near, _ = _eig_near(value_of(x), value_of(w), value_of(v), order)
    name = "np.linalg.eig" if weights is None else "np.linalg.eigvals"
    return w, vectors(v, Basis(name, -1, near, False, weights))


@implements(np.linalg.eig)
def _eig(x: Any) -> Any:
    """Real eigenvalues w (…, N) and eigenvectors V (…, N, N) of x (…, N, N).

    Raises:
        TypeError: where an eigenvalue is complex.
        LinAlgError: in the sweep, where a gradient comes through eigenvectors whose
            eigenvalues are equal or nearly so, or through eigenvalues of a matrix
            without a basis of eigenvectors; see `autograd.rules.spectra`.
    """
    return type(np.linalg.eig(np.eye(1)))(*_eig_parts(eig(x), x))


def _eigvals_vjp(g: Any, ans: Any, x: Any) -> Any:
    w, v = _eig_parts(eig(x), x, 1, weights_of(g))
    _, defective = _eig_near(value_of(x), value_of(w), value_of(v), 1)
    simple = usable("np.linalg.eigvals", defective, np.result_type(g))
    t = _transposed(v)
    return np.linalg.solve(t * simple[..., np.newaxis], g[..., np.newaxis] * t)


eigvals = Primitive(np.linalg.eigvals).defvjp(_eigvals_vjp)
implements(np.linalg.eigvals, trial=None)(eigvals)


def _svd_packed(x: Any, order: int = 1) -> Any:
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return np.concatenate([u, s[..., np.newaxis, :], _transposed(vh)], axis=-2)


def _svd_vjp(g: Any, ans: Any, x: Any, order: int = 1) -> Any:
    """Townsend (2016), equation 23, for singular values that differ and are not zero.

    The squares are those of s / 2^e, which neither overflow nor underflow.
    """
    m = np.shape(x)[-2]
    u, s, vh = _svd_parts(_again(svd, ans, x, order), m, order + 1)
    v = _transposed(vh)
    gu, gs, gv = g[..., :m, :], g[..., m : m + 1, :], g[..., m + 1 :, :]
    of_u, of_v = _transposed(u) @ gu, _transposed(v) @ gv
    inner = _svd_inner(s, of_u - _transposed(of_u), of_v - _transposed(of_v), order)
    inner = inner + gs * np.eye(np.shape(s)[-1])
    out = u @ inner @ _transposed(v)
    zero = _zeros(s, tolerance(s, order))[..., np.newaxis, :]
    row = np.where(zero, np.inf, s[..., np.newaxis, :])
    out = out + (gu - u @ of_u) / row @ _transposed(v)
    return out + u @ _transposed((gv - v @ of_v) / row)


def _svd_inner(s: Any, of_u: Any, of_v: Any, order: int) -> Any:
    """F ∘ of_u S + S (F ∘ of_v), F = 1 / (s_j² − s_i²), for antisymmetric of_u, of_v.

    It is P / (s_j − s_i) + Q / (s_j + s_i) with P, Q half the sum and half the
    difference of the two; of near pairs, where `vectors` lets P = 0 pass alone, Q is
    left.
    """
    near, unit = near_pairs(s, order), power_of_two(s)
    row = (s / unit)[..., np.newaxis, :]
    factors = gaps(np.square(s / unit), near)
    inner = factors * of_u * row + _transposed(row) * (factors * of_v)
    alone = near & ~_zeros(s, tolerance(s, order))[..., np.newaxis]
    both = np.where(alone, row + _transposed(row), np.inf)
    return (inner + (of_u - of_v) / (2 * both)) / unit[..., np.newaxis]


def _zeros(s: Any, bound: float) -> Any:
    """The singular values s (…, k), the largest first, that are zero or nearly so."""
    s = value_of(s)
    return s <= bound * s[..., :1]


svd = Primitive(_svd_packed, name="svd").defvjp(_svd_vjp)


def _svd_parts(
    packed: Any, m: int, order: int = 1, weights: Any = None, null: Any = (None, None)
) -> Any:
    """U (…, M, k), s (…, k) and Vᵀ (…, k, N), for a derivative of this order.

    With `weights`, of U diag(weights) Vᵀ, it is the zero itself that has none; without,
    the vectors that the null space of x or xᵀ is mixed with.
    """
    u, s, v = packed[..., :m, :], packed[..., m, :], packed[..., m + 1 :, :]
    vh = _transposed(v)
    if not isinstance(packed, Tensor):
        return u, s, vh
    near, (k, n) = near_pairs(s, order), np.shape(vh)[-2:]
    zero = _zeros(s, tolerance(s, order) if m != n else 10 * n * _eps(s))
    kink = weights is not None
    name = "np.linalg.svdvals" if kink else "np.linalg.svd"
    left = Basis(name, -1, near, zero & (kink or m > k), weights, null[0])
    right = Basis(name, -2, near, zero & (kink or n > k), weights, null[1])
    return vectors(u, left), s, vectors(vh, right)


def _eps(x: Any) -> float:
    return float(np.finfo(np.result_type(x)).eps)


@implements(np.linalg.svdvals)
def _svdvals(x: Any) -> Any:
    """Singular values s (…, k) of x (…, M, N), the largest first.

    Convention: by one of several equal singular values, or by one that is zero, the
    gradient is u vᵀ, with NumPy's singular vectors u and v, as in PyTorch.

    Raises:
        LinAlgError: in a second derivative, where singular values that are equal or
            nearly so have different gradients, or gradients that vary; or where one that
            is zero has a gradient.
    """
    return np.linalg.svd(x, compute_uv=False)


def _svdvals_vjp(g: Any, ans: Any, x: Any) -> Any:
    """The vectors' own derivatives do not enter: right for equal and zero values too."""
    u, _, vh = _svd_parts(svd(x), np.shape(x)[-2], 1, weights_of(g))
    return (u * g[..., np.newaxis, :]) @ vh


svdvals = Primitive(lambda x: np.linalg.svd(x, compute_uv=False), name="svdvals")
svdvals.defvjp(_svdvals_vjp)


@implements(np.linalg.svd)
def _svd(
    x: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    """Full matrices too, as long as no gradient comes through the null space's vectors.

    Those are one basis of many, so that they have no derivative, and what depends on
    more than the space they span is refused in the sweep.

    Raises:
        TypeError: in the sweep, where a gradient comes through a null space's vectors.
        LinAlgError: in the sweep, where one comes through vectors whose singular values
            are equal or nearly so; or zero, where x is not square.
    """
    m, n = np.shape(x)[-2:]
    if hermitian:
        raise TypeError(
            "np.linalg.svd: hermitian=True has no rule for Tensors; leave it out"
        )
    if not compute_uv:
        return svdvals(x)
    null: list[Any] = [None, None]
    if full_matrices and m != n:
        u, _, vh = np.linalg.svd(value_of(x))
        null = [u[..., n:], None] if m > n else [None, vh[..., m:, :]]
    return type(np.linalg.svd(np.eye(1)))(*_svd_parts(svd(x), m, null=null))


def _qr_packed(x: Any, order: int = 1) -> Any:
    q, r = np.linalg.qr(x)
    return np.concatenate([q, _transposed(r)], axis=-2)


def _qr_vjp(g: Any, ans: Any, x: Any, order: int = 1) -> Any:
    """Walter and Lehmann (2010), equation 3.12, for independent columns."""
    m = np.shape(x)[-2]
    independent = _independent(_transposed(value_of(ans)[..., m:, :]), order)
    ans = _again(qr, ans, x, order)
    q, r = ans[..., :m, :], _transposed(ans[..., m:, :])
    gq, gr = g[..., :m, :], _transposed(g[..., m:, :])
    inner = r @ _transposed(gr) - _transposed(gq) @ q
    symmetric = np.tril(inner) + _transposed(np.tril(inner, -1))
    return (gq + q @ symmetric) @ _transposed(np.linalg.inv(r * independent))


@as_one_call
def _independent(r: Any, order: int) -> Any:
    """1 for each factor r (…, N, N) of independent columns, NaN for others, (…, 1, 1).

    Column j depends on those before it where |r_jj| is within the rounding errors of its
    length; a derivative of order k divides by it k times, as by the gaps of spectra.

    Raises:
        LinAlgError: where no matrix of the stack has independent columns.
    """
    size = np.absolute(r) / power_of_two(r.reshape((*r.shape[:-2], -1)))[..., np.newaxis]
    lengths = np.linalg.norm(size, axis=-2)
    diagonal = np.diagonal(size, axis1=-2, axis2=-1)
    dependent = np.any(diagonal <= tolerance(r, order) * lengths, axis=-1)
    if np.size(dependent) and np.all(dependent):
        raise np.linalg.LinAlgError(
            "np.linalg.qr: the columns are linearly dependent, or nearly, of a wide "
            "matrix the first that make a square (got a diagonal element of R within the "
            "rounding errors, which the derivative divides by). Leave out or reorder "
            "columns"
        )
    return np.where(dependent, np.nan, 1.0).astype(r.dtype)[..., np.newaxis, np.newaxis]


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


@implements(np.linalg.lstsq, by_value=True)
def _lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """By the pseudo-inverse."""
    rank = np.linalg.lstsq(value_of(a), value_of(b), rcond=rcond)[2]
    m, n = np.shape(a)
    eps = np.finfo(np.result_type(a, 0.0)).eps
    if rcond is None:
        rcond = max(m, n) * eps
    elif not 0 < rcond < 1:  # LAPACK's meaning of these
        rcond = eps
    x = np.matmul(np.linalg.pinv(a, rcond), b)
    residuals = np.sum(np.square(b - np.matmul(a, x)), axis=0)
    if rank < n or m <= n:
        residuals = np.zeros(0, np.result_type(x))
    elif np.ndim(b) == 1:
        residuals = np.reshape(residuals, (1,))
    return x, residuals, rank, np.linalg.svd(a, compute_uv=False)
