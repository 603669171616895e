"""Determinants of matrices in the last two axes, of singular ones too."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.primitive import Primitive, implements, rule
from autograd.programs.tracing import as_one_call
from autograd.rules.spectra import power_of_two
from autograd.tensor import Tensor, value_of

__all__: list[str] = []


def _transposed(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _det(g: Any, ans: Any, x: Any) -> Any:
    """The cofactors of x (…, N, N), polynomials with right derivatives of any order.

    They are det x · x⁻ᵀ where x is regular. To first order those of a singular matrix
    come from its singular values, and to higher orders from `_adjugate`.
    """
    again = isinstance(x, Tensor) and x.requires_grad
    weak = _weak(value_of(x), value_of(ans), again)
    if not np.any(weak):
        return (g * ans)[..., np.newaxis, np.newaxis] * _transposed(np.linalg.inv(x))
    cofactors = _transposed(_adjugate(x)) if again else _cofactors(value_of(x))
    return g[..., np.newaxis, np.newaxis] * cofactors


rule(np.linalg.det, _det)


@as_one_call
def _weak(x: Any, det: Any, again: bool) -> Any:
    """Whether x (…, N, N) is too near a singular matrix for det x · x⁻ᵀ.

    To first order both factors have one rounding error, so that any det x serves that
    did not underflow or overflow. The derivative of order k has k factors x⁻¹ that
    cancel, and an error of about ε κ^(k − 1), κ the condition of x: it is ε^½ where κ is
    ε^−¼ and k is 3.
    """
    limits = np.finfo(np.result_type(det))
    lost = (np.absolute(det) < limits.tiny) | np.isinf(det)
    lost = lost & np.all(np.isfinite(x), axis=(-2, -1))
    if not (again and np.all(np.isfinite(x))):
        return lost
    return lost | (_small(np.linalg.svd(x, compute_uv=False)) > 0)


@as_one_call
def _cofactors(x: Any) -> Any:
    u, s, v = np.linalg.svd(x)
    n = s.shape[-1]
    others = [np.prod(np.delete(s, i, axis=-1), axis=-1) for i in range(n)]
    sign = np.linalg.det(u) * np.linalg.det(v)
    cofactors = (u * np.stack(others, axis=-1)[..., np.newaxis, :]) @ v
    return sign[..., np.newaxis, np.newaxis] * cofactors


def _adjugate(x: Any) -> Any:
    """The adjugates of x (…, N, N), to be differentiated to any order.

    With the singular vectors and a power of two c as constants, y = Uᵀ x V / c is near
    diag(s) / c, and adj x = det U det V c^(N − 1) V adj(y) Uᵀ.
    """
    *lead, n, _ = np.shape(x)
    u, s, vh = np.linalg.svd(value_of(x))
    unit = power_of_two(s)[..., np.newaxis]
    sign = (np.linalg.det(u) * np.linalg.det(vh))[..., np.newaxis, np.newaxis]
    y = (_transposed(u) @ x @ _transposed(vh)) / unit
    small = _small(value_of(s) / unit[..., 0])
    flat, counts = np.reshape(y, (-1, n, n)), np.reshape(small, (-1,))
    places, parts = [], []
    for q in np.unique(counts):
        (found,) = np.nonzero(counts == q)
        places.append(found)
        parts.append(_by_schur(flat[found], n - int(q)))
    order = np.argsort(np.concatenate(places))
    adjugate = np.reshape(np.concatenate(parts)[order], (*lead, n, n))
    back = _transposed(vh) @ adjugate @ _transposed(u)
    return sign * np.power(unit, n - 1) * back


def _small(s: Any) -> Any:
    """How many of the singular values s (…, N) are small beside the largest.

    A single one is, so that the only cofactor of a number is the constant 1.
    """
    if s.shape[-1] == 1:
        return np.ones(s.shape[:-1], int)
    return np.sum(s <= np.finfo(s.dtype).eps ** 0.25 * s[..., :1], axis=-1)


def _by_schur(y: Any, r: int) -> Any:
    """The adjugate of y (B, N, N) = (A B; C D), of which A (B, r, r) is regular.

    With W = A⁻¹, Z = D − C W B and J = adj Z it is

        det A · (det Z W + W B J C W   −W B J)
                (−J C W                     J)
    """
    a, b, c, d = y[:, :r, :r], y[:, :r, r:], y[:, r:, :r], y[:, r:, r:]
    w = np.linalg.inv(a)
    wb, cw = w @ b, c @ w
    det, j = _faddeev(d - cw @ b)
    upper = np.concatenate([det * w + wb @ j @ cw, -wb @ j], axis=-1)
    lower = np.concatenate([-j @ cw, j], axis=-1)
    whole = np.concatenate([upper, lower], axis=-2)
    return np.linalg.det(a)[..., np.newaxis, np.newaxis] * whole


def _faddeev(z: Any) -> tuple[Any, Any]:
    """det z (B, 1, 1) and adj z of z (B, q, q), as polynomials (Faddeev and Le Verrier).

    M ← z M + c I and c ← −tr(z M) / k, from M = 0 and c = 1; of small matrices alone.
    """
    q = np.shape(z)[-1]
    eye = np.broadcast_to(np.eye(q, dtype=np.result_type(z)), np.shape(z))
    m, c, sign = 0 * z, np.ones((np.shape(z)[0], 1, 1), np.result_type(z)), 1.0
    for k in range(1, q + 1):
        m = z @ m + c * eye
        c = -np.trace(z @ m, axis1=-2, axis2=-1)[..., np.newaxis, np.newaxis] / k
        sign = -sign
    return sign * c, -sign * m


@as_one_call
def _regular(logdet: Any) -> Any:
    """1 for each regular matrix, NaN for a singular one; of log |det x|, (…, 1, 1).

    Raises:
        LinAlgError: where all are singular.
    """
    singular = np.isneginf(logdet)
    if np.size(singular) and np.all(singular):
        raise np.linalg.LinAlgError(
            "np.linalg.slogdet: the matrix is singular (got log |det| = −∞, expected a "
            "finite number), where log |det| has no gradient. Use np.linalg.det, which "
            "has one, or add to the diagonal"
        )
    return np.where(singular, np.nan, 1.0).astype(logdet.dtype)[
        ..., np.newaxis, np.newaxis
    ]


def _logdet_vjp(g: Any, ans: Any, x: Any) -> Any:
    """x⁻ᵀ, and NaN for a singular matrix of a stack."""
    inverse = np.linalg.inv(x * _regular(value_of(ans)))
    return g[..., np.newaxis, np.newaxis] * _transposed(inverse)


logdet = Primitive(lambda x: np.linalg.slogdet(x)[1], name="logdet").defvjp(_logdet_vjp)
"""log |det x|; its sign has no gradient."""


@implements(np.linalg.slogdet)
def _slogdet(x: Any) -> Any:
    """The sign of det x, an array, and log |det x|, of x (…, N, N).

    Raises:
        LinAlgError: in the sweep, where x is singular; a stack of which only some
            matrices are has NaN there.
    """
    result = type(np.linalg.slogdet(np.eye(1)))
    return result(np.linalg.slogdet(value_of(x)).sign, logdet(x))
