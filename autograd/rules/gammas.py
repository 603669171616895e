"""Differences of digamma functions and densities, for arguments of any size.

Read by `rules/special.py` alone. Sections are those of https://dlmf.nist.gov.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special as sp

from autograd.primitive import primitive
from autograd.programs.tracing import as_one_call
from autograd.rules.scaled import falling_power
from autograd.tensor import value_of

__all__ = ["beta_density", "gamma_density", "poch_slope", "psi_gap"]

BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
"""B₂, B₄, …"""

SHIFT = 15
"""From here on the asymptotic series of log Γ and ψ are precise to the last digit."""


@primitive
@as_one_call
def psi_gap(x: Any, y: Any, m: int) -> Any:
    """ψ⁽ᵐ⁾(x + y) − ψ⁽ᵐ⁾(x), with ψ⁽⁰⁾ = ψ; for positive x and y without cancellation.

    By the recurrence from x to x + 15 (5.5.2, 5.15.5) and the asymptotic series there
    (5.11.2, 5.15.8), term by term: (x + y)⁻ᵖ − x⁻ᵖ = x⁻ᵖ expm1(−p log1p(y / x)).
    """
    dtype = np.result_type(x, y)
    x, y = np.asarray(x, float), np.asarray(y, float)
    positive = (x > 0) & (y > 0)
    with np.errstate(all="ignore"):  # also elements that do not count are computed
        direct = _polygamma(m, x + y) - _polygamma(m, x)
        a, b = np.where(positive, x, 1), np.where(positive, y, 1)
        sign = (-1.0) ** (m + 1)
        steps = sum(_power_gap(a + k, b, m + 1) for k in range(SHIFT))
        found = sign * math.factorial(m) * steps
        a = a + SHIFT
        top = _power_gap(a, b, m) * math.factorial(m - 1) if m else -np.log1p(b / a)
        rest = sum(
            c * math.factorial(2 * k + m - 1) / math.factorial(2 * k)
            * _power_gap(a, b, 2 * k + m)
            for k, c in enumerate(BERNOULLI, 1)
        )  # fmt: skip
        half = math.factorial(m) / 2 * _power_gap(a, b, m + 1)
        found = found + sign * (top + half + rest)
        return np.where(positive, found, direct).astype(dtype)


def _power_gap(x: Any, y: Any, p: int) -> Any:
    """(x + y)⁻ᵖ − x⁻ᵖ for positive x and y."""
    return x**-p * np.expm1(-p * np.log1p(y / x))


def _polygamma(m: int, x: Any) -> Any:
    """ψ⁽ᵐ⁾(x) (25.11.12)."""
    if m == 0:
        return sp.psi(x)
    return (-1.0) ** (m + 1) * math.factorial(m) * sp.zeta(m + 1, x)


def _by_end(g: Any, ans: Any, x: Any, y: Any, m: int) -> Any:
    return g * ((-1.0) ** m * math.factorial(m + 1) * sp.zeta(m + 2, x + y))


psi_gap.defvjp(lambda g, ans, x, y, m: g * psi_gap(x, y, m + 1), _by_end, None)


def poch_slope(ans: Any, x: Any, y: Any) -> Any:
    """∂(x)_y/∂x = (x)_y (ψ(x + y) − ψ(x)).

    Near x = 0, a pole of ψ, by (x)_y = x (1 + x)_(y − 1); at poles by
    the limit where x + y is positive, and by reflection (5.5.4) where y is an integer.
    """
    a, b = value_of(x), value_of(y)
    origin = (np.abs(a) < 0.5) & (2 * np.abs(a) < b) & (b > 0.5)
    pole = (a <= 0) & (a == np.floor(a)) & (a + b > 0) & ~origin
    mirrored = (a + b <= 0) & (b == np.floor(b)) & (b >= 0)
    skipped = origin | pole | mirrored
    usual = ans * _psi_difference(np.where(skipped, 1.0, x), np.where(skipped, 1.0, y))
    at, by = np.where(origin, x, 0.0), np.where(origin, y, 1.0)
    near = sp.poch(1 + at, by - 1) * (1 + at * _psi_difference(1 + at, by - 1))
    mirror = ans * _mirrored_difference(x, y, mirrored)
    found = np.where(origin, near, np.where(mirrored, mirror, usual))
    return np.where(
        pole, _at_pole(np.where(pole, x, -1.0), np.where(pole, y, 2.0)), found
    )


def _at_pole(x: Any, y: Any) -> Any:
    """(−1)ⁿ n! Γ(x + y) at x = −n, in a form whose derivatives are right as well.

    With c = (−1)ⁿ n!, 1 / Γ is 0 there, its slope c and its second derivative
    −2c ψ(n + 1), so ∂²(x)_y/∂x² = 2c Γ(x + y) (ψ(x + y) − ψ(n + 1)): twice the slope of
    c Γ(x + y) / n! · Γ(1 − x).
    """
    n = -value_of(x)
    factorial, end = sp.gamma(1 - x), sp.gamma(x + y)
    sign = np.where(n % 2, -1.0, 1.0)
    return (
        sign * (factorial * factorial / sp.gamma(1 + n)) * (end * end / sp.gamma(y - n))
    )


def _psi_difference(x: Any, y: Any) -> Any:
    """ψ(x + y) − ψ(x), from the smaller of the two on."""
    back = value_of(y) < 0
    start, way = np.where(back, x + y, x), np.where(back, -y, y)
    return np.where(back, -1.0, 1.0) * psi_gap(start, way, 0)


def _mirrored_difference(x: Any, y: Any, where: Any) -> Any:
    """ψ(x + y) − ψ(x) = ψ(1 − x − y) − ψ(1 − x) for an integer y, x + y ≤ 0."""
    x, y = np.where(where, x, -1.0), np.where(where, y, 0.0)
    some = value_of(y) > 0
    return np.where(some, -psi_gap(1 - x - y, np.where(some, y, 1.0), 0), 0)


def _correction(a: Any) -> Any:
    """log Γ(a) − (a − ½) log a + a − ½ log 2π, which Stirling neglects (5.11.1)."""
    large = np.where(a < SHIFT, SHIFT, a)
    series = sum(
        c / (2 * k * (2 * k - 1)) * large ** (1.0 - 2 * k)
        for k, c in enumerate(BERNOULLI, 1)
    )
    small = np.where(a < SHIFT, a, 1)
    direct = sp.gammaln(small) - sp.xlogy(small - 0.5, small) + small
    return np.where(a < SHIFT, direct - math.log(2 * math.pi) / 2, series)


def _deviance(a: Any, mean: Any, gap: Any) -> Any:
    """A log(a / mean) + mean − a ≥ 0, without cancellation near mean = a = mean − gap.

    There, with d = (mean − a) / a, it is a (d − log1p(d)), and with v = d / (2 + d)
    log1p(d) = 2 (v + v³/3 + …): Loader (2000), Fast and accurate computation of
    binomial probabilities.
    """
    near = np.abs(gap) < 0.3 * a
    d = np.where(near, gap / a, 0)
    v = d / (2 + d)
    odd = sum(v ** (2 * k + 1) / (2 * k + 1) for k in range(1, 13))
    far = a * (np.log(a) - np.log(mean)) + gap
    return np.where(near, a * (d * v - 2 * odd), far)


@primitive
@as_one_call
def gamma_density(a: Any, x: Any) -> Any:
    """xᵃ⁻¹ exp(−x) / Γ(a); for a ≥ 15 by Stirling's formula and the deviance."""
    dtype = np.result_type(a, x)
    a, x = np.asarray(a, float), np.asarray(x, float)
    with np.errstate(all="ignore"):
        direct = np.exp(sp.xlogy(a - 1, x) - x - sp.gammaln(a))
        exponent = -_correction(a) - _deviance(a, x, x - a) - np.log(x)
        large = np.sqrt(a / (2 * math.pi)) * np.exp(exponent)
    return np.where((a < SHIFT) | (x <= 0), direct, large).astype(dtype)


@primitive
@as_one_call
def beta_density(a: Any, b: Any, x: Any) -> Any:
    """xᵃ⁻¹ (1 − x)ᵇ⁻¹ / B(a, b); for a or b ≥ 15 likewise."""
    dtype = np.result_type(a, b, x)
    a, b, x = np.asarray(a, float), np.asarray(b, float), np.asarray(x, float)
    n = a + b
    long = x.astype(np.longdouble)
    gap = (b * long - a * (1 - long)).astype(float)
    with np.errstate(all="ignore"):
        powers = sp.xlogy(a - 1, x) + sp.xlog1py(b - 1, -x)
        direct = np.exp(powers - sp.betaln(a, b))
        exponent = (
            (_correction(n) - _correction(a) - _correction(b))
            - (_deviance(a, n * x, gap) + _deviance(b, n * (1 - x), -gap))
            - (np.log(x) + np.log1p(-x))
        )
        large = np.sqrt(a / n * b / (2 * math.pi)) * np.exp(exponent)
    small = (a < SHIFT) & (b < SHIFT)
    return np.where(small | (x <= 0) | (x >= 1), direct, large).astype(dtype)


def _gamma_by_x(g: Any, ans: Any, a: Any, x: Any) -> Any:
    """p (a − 1 − x) / x; for small x the density of a − 1 less that of a."""
    low = x < (a - 1) / 2
    zero = ~low & (x == 0)
    edge = np.where(np.equal(a, 1), -1.0, -np.inf)
    away = np.where(low | zero, 1, x)
    slope = ans * ((a - 1 - away) / away)
    below = gamma_density(np.where(low, a - 1, 1), np.where(low, x, 1))
    return g * np.where(low, below - ans, np.where(zero, edge, slope))


def _beta_by_x(g: Any, ans: Any, a: Any, b: Any, x: Any) -> Any:
    """p ((a − 1) (1 − x) − (b − 1) x) / (x (1 − x)); at 0 and 1 term by term."""
    edge = (x == 0) | (x == 1)
    inside, at = np.where(edge, 0.5, x), np.where(edge, x, 0.5)
    excess = (a - 1) * (1 - inside) - (b - 1) * inside
    ratio = excess / inside
    ratio = np.where((ans == 0) & np.isinf(ratio), 0, ratio)
    slope = ans * ratio / (1 - inside)
    terms = falling_power(at, a - 1, 1) * np.power(1 - at, b - 1) - np.power(
        at, a - 1
    ) * falling_power(1 - at, b - 1, 1)
    return g * np.where(edge, terms / sp.beta(a, b), slope)


gamma_density.defvjp(None, _gamma_by_x)
beta_density.defvjp(None, None, _beta_by_x)
