"""Bessel functions of scipy.special (10.6.1 and 10.29.1 of https://dlmf.nist.gov).

In the forms that do not divide by x = 0. Orders have no VJP.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special as sp

from autograd.primitive import primitive, rule

__all__: list[str] = []


@primitive
def _scaled_tail(v: Any, x: Any, sign: int, n: int) -> Any:
    """The n-th derivative of eˣ K_v(x) (`sign` 1) or e⁻ˣ I_v(x) (`sign` −1), large x.

    By the asymptotic series Σ (±1)ᵏ a_k(v) x^(−k − ½) (10.40.1, 10.40.2).
    """
    inverse = 1 / x
    term = inverse**n / np.sqrt(x) * math.sqrt(math.pi / 2 if sign > 0 else 0.5 / math.pi)
    total = 0
    for k in range(14):
        falls = math.prod(-(k + 0.5 + j) for j in range(n))
        total = total + falls * term
        term = term * (sign * (4 * v * v - (2 * k + 1) ** 2) / (8 * (k + 1)) * inverse)
    return total


_scaled_tail.defvjp(
    None, lambda g, ans, v, x, sign, n: g * _scaled_tail(v, x, sign, n + 1), None, None
)


def _scaled_slope(near: Callable[..., Any], v: Any, x: Any, sign: int) -> Any:
    """`near(v, x)`, a difference of almost equal numbers, or the tail for large |x|."""
    size = np.absolute(x)
    far = np.greater(size, np.maximum(1000, 10 * np.square(v)))
    tail = _scaled_tail(v, np.where(far, size, 1000), sign, 1)
    parity = np.where(np.less(x, 0), -np.cos(math.pi * np.asarray(v)), 1.0)
    return np.where(far, tail * parity, near(v, np.where(far, 1, x)))


def _ive_slope(v: Any, x: Any) -> Any:
    return (sp.ive(v - 1, x) + sp.ive(v + 1, x)) / 2 - np.sign(x) * sp.ive(v, x)


def _kve_slope(v: Any, x: Any) -> Any:
    return sp.kve(v, x) - (sp.kve(v - 1, x) + sp.kve(v + 1, x)) / 2


def _i0e_slope(v: int, x: Any) -> Any:
    return sp.i1e(x) - np.sign(x) * sp.i0e(x)


def _i1e_slope(v: int, x: Any) -> Any:
    return (sp.i0e(x) + sp.ive(2, x)) / 2 - np.sign(x) * sp.i1e(x)


def _k0e_slope(v: int, x: Any) -> Any:
    return sp.k0e(x) - sp.k1e(x)


def _k1e_slope(v: int, x: Any) -> Any:
    return sp.k1e(x) - sp.k0e(x) - sp.k1e(x) / x


for _bessel in (sp.jv, sp.yv, sp.yn):
    rule(
        _bessel,
        None,
        lambda g, ans, v, x, f=_bessel: g * (f(v - 1, x) - f(v + 1, x)) / 2,
    )
rule(sp.iv, None, lambda g, ans, v, x: g * (sp.iv(v - 1, x) + sp.iv(v + 1, x)) / 2)
rule(sp.ive, None, lambda g, ans, v, x: g * _scaled_slope(_ive_slope, v, x, -1))
for _bessel in (sp.kv, sp.kn):
    rule(
        _bessel,
        None,
        lambda g, ans, v, x: -g * (sp.kv(v - 1, x) + sp.kv(v + 1, x)) / 2,
    )
rule(sp.kve, None, lambda g, ans, v, x: g * _scaled_slope(_kve_slope, v, x, 1))
rule(sp.j0, lambda g, ans, x: -g * sp.j1(x))
rule(sp.j1, lambda g, ans, x: g * (sp.j0(x) - sp.jv(2, x)) / 2)
rule(sp.y0, lambda g, ans, x: -g * sp.y1(x))
rule(sp.y1, lambda g, ans, x: g * (sp.y0(x) - ans / x))
rule(sp.i0, lambda g, ans, x: g * sp.i1(x))
rule(sp.i1, lambda g, ans, x: g * (sp.i0(x) + sp.iv(2, x)) / 2)
rule(sp.i0e, lambda g, ans, x: g * _scaled_slope(_i0e_slope, 0, x, -1))
rule(sp.i1e, lambda g, ans, x: g * _scaled_slope(_i1e_slope, 1, x, -1))
rule(sp.k0, lambda g, ans, x: -g * sp.k1(x))
rule(sp.k1, lambda g, ans, x: -g * (sp.k0(x) + ans / x))
rule(sp.k0e, lambda g, ans, x: g * _scaled_slope(_k0e_slope, 0, x, 1))
rule(sp.k1e, lambda g, ans, x: g * _scaled_slope(_k1e_slope, 1, x, 1))
