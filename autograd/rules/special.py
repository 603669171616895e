"""The ufuncs of scipy.special; read when the first of them meets a Tensor.

Parameters whose derivative is no function of SciPy's, such as the order of a Bessel
function, have no VJP. Sections are those of https://dlmf.nist.gov.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special as sp

from autograd.primitive import primitive, rule
from autograd.programs.tracing import as_one_call
from autograd.rules import bessel as bessel
from autograd.rules.gammas import beta_density, gamma_density, poch_slope, psi_gap
from autograd.rules.scaled import falling_power, log_of_base

__all__: list[str] = []

LOG2, LOG10 = math.log(2), math.log(10)
SQRT2, SQRT_PI = math.sqrt(2), math.sqrt(math.pi)


class _Asking:
    """An argument to which NumPy tells the ufunc that it was given to."""

    def __array_ufunc__(self, ufunc: np.ufunc, *args: Any, **kwargs: Any) -> np.ufunc:
        return ufunc


_zeta = sp.zeta(2, _Asking())
"""What sp.zeta calls; it has no public name."""


def _ratio(x: Any, y: Any) -> Any:
    """x / y, and 1 where both are 0."""
    both = (x == 0) & (y == 0)
    return np.where(both, 1, x) / np.where(both, 1, y)


@primitive
def _less_ratio(x: Any, y: Any) -> Any:
    """1 − x / y, and 0 where both are 0."""
    both = (x == 0) & (y == 0)
    return (y - x) / np.where(both, 1, y)


_less_ratio.defvjp(lambda g, ans, x, y: -g / y, lambda g, ans, x, y: g * (x / y / y))


@primitive
@as_one_call
def _log_ratio(x: Any, y: Any) -> Any:
    """log(x / y), and 0 where both are 0; also where x / y overflows or is near 1."""
    with np.errstate(all="ignore"):  # also elements that do not count are computed
        ratio = _ratio(x, y)
        near = (ratio > 0.5) & (ratio < 2)
        far = (ratio < 1e-30) | (ratio > 1e30)
        apart = np.log(x) - np.log(y)
        close = np.log1p(np.where(near, (x - y) / np.where(y == 0, 1, y), 0))
    return np.where(near, close, np.where(far, apart, np.log(ratio)))


_log_ratio.defvjp(lambda g, ans, x, y: g / x, lambda g, ans, x, y: -g / y)


# Exponentials and logarithms. Where both arguments are 0, xlogy and its kin are 0 by
# convention, and so are their derivatives; elsewhere those are the limits, such as
# entr'(0) = ∞.
rule(sp.exp2, lambda g, ans, x: g * ans * LOG2)
rule(sp.exp10, lambda g, ans, x: g * ans * LOG10)
rule(sp.expm1, lambda g, ans, x: g * (ans + 1))
rule(sp.log1p, lambda g, ans, x: g / (1 + x))
rule(sp.cbrt, lambda g, ans, x: g / (3 * ans * ans))
rule(sp.cosm1, lambda g, ans, x: -g * np.sin(x))
rule(sp.expit, lambda g, ans, x: g * ans * sp.expit(-x))
rule(sp.logit, lambda g, ans, x: g / (x * (1 - x)))
rule(sp.log_expit, lambda g, ans, x: g * sp.expit(-x))
rule(
    sp.powm1,
    lambda g, ans, x, y: g * falling_power(x, y, 1),
    lambda g, ans, x, y: g * np.power(x, y) * log_of_base(x, y),
)
rule(
    sp.xlogy,
    lambda g, ans, x, y: g * np.log(np.where((x == 0) & (y == 0), 1, y)),
    lambda g, ans, x, y: g * x / np.where((x == 0) & (y == 0), 1, y),
)
rule(
    sp.xlog1py,
    lambda g, ans, x, y: g * np.log1p(np.where((x == 0) & (y == -1), 0, y)),
    lambda g, ans, x, y: g * x / (1 + np.where((x == 0) & (y == -1), 0, y)),
)
rule(sp.entr, lambda g, ans, x: g * (-np.log(x) - 1))
rule(
    sp.rel_entr,
    lambda g, ans, x, y: g * np.where((x == 0) & (y == 0), 0, _log_ratio(x, y) + 1),
    lambda g, ans, x, y: -g * np.where((x == 0) & (y == 0), 0, _ratio(x, y)),
)
rule(
    sp.kl_div,
    lambda g, ans, x, y: g * _log_ratio(x, y),
    lambda g, ans, x, y: g * _less_ratio(x, y),
)
rule(sp.wrightomega, lambda g, ans, x: g * ans / (1 + ans))


@primitive
def _moment(x: Any, n: int) -> Any:
    """∫₀¹ tⁿ exp(xt) dt, the n-th derivative of exprel.

    By its power series for |x| < 2, where quotients would lose their digits, and beyond
    by integration by parts.
    """
    near = np.abs(x) < 2
    small, large = np.where(near, x, 0), np.where(near, 2, x)
    series = sum(small**k / (math.factorial(k) * (n + k + 1)) for k in range(28))
    quotient = sp.exprel(large)
    for k in range(1, n + 1):
        quotient = (np.exp(large) - k * quotient) / large
    return np.where(near, series, quotient)


_moment.defvjp(lambda g, ans, x, n: g * _moment(x, n + 1))
rule(sp.exprel, lambda g, ans, x: g * _moment(x, 1))

# With u = log x, boxcox is u exprel(λu); inv_boxcox is its inverse, and its derivative
# by λ that of the implicit function.
rule(
    sp.boxcox,
    lambda g, ans, x, y: g * np.power(x, y - 1),
    lambda g, ans, x, y: g * _by_lambda(np.log(x), y),
)
rule(
    sp.boxcox1p,
    lambda g, ans, x, y: g * np.power(1 + x, y - 1),
    lambda g, ans, x, y: g * _by_lambda(np.log1p(x), y),
)
rule(
    sp.inv_boxcox,
    lambda g, ans, x, y: g * np.power(ans, 1 - y),
    lambda g, ans, x, y: -g * np.power(ans, 1 - y) * _by_lambda(np.log(ans), y),
)
rule(
    sp.inv_boxcox1p,
    lambda g, ans, x, y: g * np.power(1 + ans, 1 - y),
    lambda g, ans, x, y: -g * np.power(1 + ans, 1 - y) * _by_lambda(np.log1p(ans), y),
)


def _by_lambda(u: Any, y: Any) -> Any:
    """∂/∂λ of u exprel(λu), at λ = y; 1 / λ² where u = ∓∞ and the value is −1 / λ."""
    limit = np.isinf(u) & (y * u < 0)
    u = np.where(limit, 1, u)
    return np.where(limit, 1 / np.where(limit, y * y, 1), u * u * _moment(y * u, 1))


# Robust losses. With h = hypot(δ, r), pseudo_huber is δ (h − δ), and h − δ is written
# without its cancellation.
rule(
    sp.huber,
    lambda g, ans, d, r: g * np.maximum(np.absolute(r) - d, 0),
    lambda g, ans, d, r: g * np.clip(r, -d, d),
)


def _pseudo_huber_delta(g: Any, ans: Any, d: Any, r: Any) -> Any:
    """(h − δ)² / h."""
    h = np.hypot(d, r)
    h = np.where(h == 0, 1, h)
    rest = r * (r / (h + d))
    return g * (rest * (rest / h))


@primitive
def _pseudo_huber_residual(d: Any, r: Any) -> Any:
    """δ r / h."""
    h = np.hypot(d, r)
    return d * (r / np.where(h == 0, 1, h))


_pseudo_huber_residual.defvjp(
    lambda g, ans, d, r: g * (r / np.hypot(d, r)) ** 3,
    lambda g, ans, d, r: g * (d / np.hypot(d, r)) ** 3,
)
rule(
    sp.pseudo_huber,
    _pseudo_huber_delta,
    lambda g, ans, d, r: g * _pseudo_huber_residual(d, r),
)


# The error function and the normal distribution. SciPy's log Φ is precise to the last
# digit at −10⁴, where it is −5·10⁷; the exponential of its difference from −x²/2 would
# be wrong in the eighth digit.
@primitive
def _hazard(x: Any) -> Any:
    """φ(x) / Φ(x), the derivative of log Φ."""
    return SQRT2 / SQRT_PI / sp.erfcx(-x / SQRT2)


@primitive
def _gap(x: Any) -> Any:
    """x + φ(x) / Φ(x), for x < −3 by Laplace's continued fraction (7.9.1)."""
    far = np.less(x, -3)
    s = fraction = np.where(far, -x, 3)
    for n in range(60, 1, -1):
        fraction = s + n / fraction
    return np.where(far, 1 / fraction, x + _hazard(np.where(far, 0, x)))


@primitive
def _gap_slope(x: Any) -> Any:
    """1 − (φ(x) / Φ(x)) (x + φ(x) / Φ(x)), likewise.

    With the continued fraction F = s + 2 / F₂ of s = −x, the two are s + 1 / F and 1 / F.
    """
    far = np.less(x, -3)
    s = second = np.where(far, -x, 3)
    for n in range(60, 2, -1):
        second = s + n / second
    first = s + 2 / second
    near = np.where(far, 0, x)
    return np.where(far, (2 / second - 1 / first) / first, 1 - _hazard(near) * _gap(near))


_hazard.defvjp(lambda g, ans, x: -g * ans * _gap(x))
_gap.defvjp(lambda g, ans, x: g * _gap_slope(x))
_gap_slope.defvjp(lambda g, ans, x: g * (_hazard(x) * (np.square(_gap(x)) - ans)))


@primitive
def _dawson_slope(x: Any, n: int) -> Any:
    """The n-th derivative of Dawson's integral D.

    By D' = 1 − 2xD (7.5.1) for |x| < 7, where the recurrence D⁽ⁿ⁾ = −2x D⁽ⁿ⁻¹⁾ −
    2(n − 1) D⁽ⁿ⁻²⁾ follows, and by its asymptotic series beyond (7.12.1).
    """
    far = np.abs(x) > 7
    small, inverse = np.where(far, 0, x), 1 / np.where(far, x, 7)
    before = sp.dawsn(small)
    near = 1 - 2 * small * before
    for k in range(1, n):
        before, near = near, -2 * (small * near + k * before)
    half = inverse * inverse / 2
    term = (-1) ** n * math.factorial(n) * inverse ** (n + 1) / 2
    series = term
    for k in range(1, 42):
        term = term * half * ((2 * k + n) * (2 * k + n - 1) / (2 * k))
        series = series + term
    return np.where(far, series, near)


_dawson_slope.defvjp(lambda g, ans, x, n: g * _dawson_slope(x, n + 1))


rule(sp.erf, lambda g, ans, x: g * (2 / SQRT_PI) * np.exp(-x * x))
rule(sp.erfc, lambda g, ans, x: -g * (2 / SQRT_PI) * np.exp(-x * x))
rule(sp.erfi, lambda g, ans, x: g * (2 / SQRT_PI) * np.exp(x * x))
rule(sp.erfcx, lambda g, ans, x: g * ans * (-SQRT2 * _gap(-SQRT2 * x)))
rule(sp.dawsn, lambda g, ans, x: g * _dawson_slope(x, 1))
rule(sp.erfinv, lambda g, ans, x: g * (SQRT_PI / 2) * np.exp(ans * ans))
rule(sp.erfcinv, lambda g, ans, x: -g * (SQRT_PI / 2) * np.exp(ans * ans))
rule(sp.ndtr, lambda g, ans, x: g * np.exp(-x * x / 2) / (SQRT2 * SQRT_PI))
rule(sp.ndtri, lambda g, ans, x: g * np.exp(ans * ans / 2) * (SQRT2 * SQRT_PI))
rule(sp.log_ndtr, lambda g, ans, x: g * _hazard(x))
rule(sp.ndtri_exp, lambda g, ans, x: g / _hazard(ans))


# Gamma functions; ψ⁽ⁿ⁾(x) = (−1)ⁿ⁺¹ n! ζ(n + 1, x) (25.11.12).
rule(sp.gamma, lambda g, ans, x: g * ans * sp.psi(x))
rule(sp.gammaln, lambda g, ans, x: g * sp.psi(x))
rule(sp.loggamma, lambda g, ans, x: g * sp.psi(x))
rule(sp.psi, lambda g, ans, x: g * sp.zeta(2, x))
rule(_zeta, None, lambda g, ans, x, q: -g * x * sp.zeta(x + 1, q))
rule(
    sp.poch,
    lambda g, ans, x, y: g * poch_slope(ans, x, y),
    lambda g, ans, x, y: g * ans * sp.psi(x + y),
)
rule(
    sp.beta,
    lambda g, ans, x, y: -g * ans * psi_gap(x, y, 0),
    lambda g, ans, x, y: -g * ans * psi_gap(y, x, 0),
)
rule(
    sp.betaln,
    lambda g, ans, x, y: -g * psi_gap(x, y, 0),
    lambda g, ans, x, y: -g * psi_gap(y, x, 0),
)
rule(sp.gammainc, None, lambda g, ans, a, x: g * gamma_density(a, x))
rule(sp.gammaincc, None, lambda g, ans, a, x: -g * gamma_density(a, x))
rule(sp.gammaincinv, None, lambda g, ans, a, p: g / gamma_density(a, ans))
rule(sp.gammainccinv, None, lambda g, ans, a, p: -g / gamma_density(a, ans))
rule(sp.betainc, None, None, lambda g, ans, a, b, x: g * beta_density(a, b, x))
rule(sp.betaincc, None, None, lambda g, ans, a, b, x: -g * beta_density(a, b, x))
rule(sp.betaincinv, None, None, lambda g, ans, a, b, p: g / beta_density(a, b, ans))


# Integrals. With u = log x, log(x) / (x − 1) is 1 / exprel(u), also at x = 1.
def _expn(g: Any, ans: Any, n: Any, x: Any) -> Any:
    """−E_{n−1} (8.19.13), which SciPy lacks for n = 0."""
    last = np.equal(n, 0)
    below = (np.exp(-x) + ans) / np.where(last, x, 1)
    return -g * np.where(last, below, sp.expn(np.maximum(n, 1) - 1, x))


rule(sp.expn, None, _expn)
rule(sp.exp1, lambda g, ans, x: -g * np.exp(-x) / x)
rule(sp.expi, lambda g, ans, x: g * np.exp(x) / x)
rule(sp.spence, lambda g, ans, x: -g / sp.exprel(np.log(x)))


# Elliptic integrals as hypergeometric functions (19.5.1), whose derivative is another
# (15.5.1). At m = 1 − p, for small p, those lose p, and (19.4.1) takes their place.
def _ellipkm1(g: Any, ans: Any, p: Any) -> Any:
    near = np.less(p, 0.5) | np.greater(p, 2)
    small, m = np.where(near, p, 0.5), 1 - np.where(near, 1, p)
    by_parts = (sp.ellipe(1 - small) / small - sp.ellipkm1(small)) / (2 * (1 - small))
    return -g * np.where(near, by_parts, math.pi / 8 * sp.hyp2f1(1.5, 1.5, 2, m))


def _ellipk(g: Any, ans: Any, m: Any) -> Any:
    """By (19.4.1) also for m < −1, where SciPy's hyp2f1 is precise to 1e−9 alone."""
    far = np.less(m, -1)
    at, near = np.where(far, m, -1), np.where(far, 0, m)
    by_parts = (sp.ellipe(at) / (1 - at) - sp.ellipk(at)) / (2 * at)
    return g * np.where(far, by_parts, math.pi / 8 * sp.hyp2f1(1.5, 1.5, 2, near))


rule(
    sp.hyp2f1,
    None,
    None,
    None,
    lambda g, ans, a, b, c, z: (
        g * np.divide(a * b, c) * sp.hyp2f1(a + 1, b + 1, c + 1, z)
    ),
)
rule(sp.ellipk, _ellipk)
rule(sp.ellipe, lambda g, ans, m: -g * (math.pi / 8) * sp.hyp2f1(0.5, 1.5, 2, m))
rule(sp.ellipkm1, _ellipkm1)
