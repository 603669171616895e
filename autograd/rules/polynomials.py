"""Polynomials by their coefficients, the highest power first, as np.poly1d has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.primitive import implements
from autograd.tensor import listed, value_of

__all__: list[str] = []


@implements(np.polyval)
def _polyval(p: Any, x: Any) -> Any:
    x = listed(x)
    total = np.zeros_like(x)
    for coefficient in listed(p):
        total = total * x + coefficient
    return total


@implements(np.polyder)
def _polyder(p: Any, m: int = 1) -> Any:
    """The m-th derivative."""
    p = listed(p)
    for _ in range(m):
        p = p[:-1] * np.arange(np.size(p) - 1, 0, -1)
    return p


@implements(np.polyint)
def _polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """The m-th antiderivative, with the constants k."""
    p = listed(p)
    constants = np.broadcast_to(listed(0 if k is None else k), (m,))
    for i in range(m):
        powers = np.arange(np.size(p), 0, -1)
        p = np.concatenate([p / powers, constants[i : i + 1]])
    return p


def _aligned(p: Any, q: Any) -> tuple[Any, Any]:
    """Both with as many coefficients, zeros in front of the shorter one."""
    p, q = np.atleast_1d(listed(p)), np.atleast_1d(listed(q))
    n = max(np.size(p), np.size(q))
    return tuple(  # type: ignore[return-value]
        np.concatenate([np.zeros(n - np.size(x), np.result_type(x)), x]) for x in (p, q)
    )


@implements(np.polyadd)
def _polyadd(p: Any, q: Any) -> Any:
    return np.add(*_aligned(p, q))


@implements(np.polysub)
def _polysub(p: Any, q: Any) -> Any:
    return np.subtract(*_aligned(p, q))


@implements(np.polymul, by_value=True)
def _polymul(p: Any, q: Any) -> Any:
    """Without the leading zeros of either, as NumPy has it."""
    return np.convolve(_trimmed(p), _trimmed(q))


def _trimmed(p: Any) -> Any:
    """Without leading zeros; one zero stays of nothing else."""
    p = np.atleast_1d(listed(p))
    kept = np.flatnonzero(value_of(p))
    if not kept.size:
        return p[-1:] if np.size(p) else np.zeros(1)
    return p[int(kept[0]) :]


@implements(np.poly)
def _poly(roots: Any) -> Any:
    """The coefficients of Π (x − r) over the roots r, or the eigenvalues of a matrix."""
    roots = listed(roots)
    if np.ndim(roots) == 2:
        roots = np.linalg.eigvals(roots)
    found = np.ones(1, np.result_type(roots))
    for r in np.atleast_1d(roots):
        shifted = np.concatenate([found * -r, np.zeros(1)])
        found = np.concatenate([found, np.zeros(1)]) + np.roll(shifted, 1)
    return found


@implements(np.polyfit, by_value=True)
def _polyfit(x: Any, y: Any, deg: int, rcond: Any = None, *, w: Any = None) -> Any:
    """By least squares of the powers of x, each scaled to length 1."""
    x, y = listed(x) + 0.0, listed(y) + 0.0
    rcond = np.size(x) * np.finfo(np.result_type(x)).eps if rcond is None else rcond
    powers, lead = np.vander(x, deg + 1), (-1,) + (1,) * (np.ndim(y) - 1)
    if w is not None:
        w = listed(w) + 0.0
        powers, y = powers * np.reshape(w, (-1, 1)), y * np.reshape(w, lead)
    scale = np.sqrt(np.sum(np.square(powers), axis=0))
    return np.linalg.lstsq(powers / scale, y, rcond)[0] / np.reshape(scale, lead)


@implements(np.vander)
def _vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    n = np.shape(x)[0] if N is None else N
    powers = np.arange(n) if increasing else np.arange(n)[::-1]
    return np.power(x[:, np.newaxis], powers)
