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

__all__: list[str] = []

LOG2, LOG10 = math.log(2), math.log(10)
SQRT2, SQRT_PI = math.sqrt(2), math.sqrt(math.pi)


class _Asking:
    """An argument to which NumPy tells the ufunc that it was given to."""

    def __array_ufunc__(self, ufunc: np.ufunc, *args: Any, **kwargs: Any) -> np.ufunc:
        return ufunc


_zeta = sp.zeta(2, _Asking())
"""What sp.zeta calls; it has no public name."""

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
    lambda g, ans, x, y: g * (y * np.power(np.where((x == 0) & (y == 0), 1, x), y - 1)),
    lambda g, ans, x, y: g * (ans + 1) * np.log(np.where(x == 0, 1, x)),
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
    lambda g, ans, x, y: g * np.where((x == 0) & (y == 0), 0, np.log(_ratio(x, y)) + 1),
    lambda g, ans, x, y: -g * np.where((x == 0) & (y == 0), 0, _ratio(x, y)),
)
rule(
    sp.kl_div,
    lambda g, ans, x, y: g * np.log(_ratio(x, y)),
    lambda g, ans, x, y: g * (1 - _ratio(x, y)),
)
rule(sp.wrightomega, lambda g, ans, x: g * ans / (1 + ans))


def _ratio(x: Any, y: Any) -> Any:
    """x / y, and 1 where both are 0."""
    both = (x == 0) & (y == 0)
    return np.where(both, 1, x) / np.where(both, 1, y)


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
    """∂/∂λ of u exprel(λu), at λ = y."""
    return u * u * _moment(y * u, 1)


# Robust losses. In pseudo_huber √(1 + (r/δ)²) − 1 is written without its cancellation.
rule(
    sp.huber,
    lambda g, ans, d, r: g * np.maximum(np.absolute(r) - d, 0),
    lambda g, ans, d, r: g * np.clip(r, -d, d),
)


def _pseudo_huber_delta(g: Any, ans: Any, d: Any, r: Any) -> Any:
    u = r / d
    s = np.hypot(1, u)
    return g * d * (u * u / (1 + s)) ** 2 / s


rule(
    sp.pseudo_huber, _pseudo_huber_delta, lambda g, ans, d, r: g * r / np.hypot(1, r / d)
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


_hazard.defvjp(lambda g, ans, x: -g * ans * _gap(x))
_gap.defvjp(lambda g, ans, x: g * (1 - _hazard(x) * ans))
rule(sp.erf, lambda g, ans, x: g * (2 / SQRT_PI) * np.exp(-x * x))
rule(sp.erfc, lambda g, ans, x: -g * (2 / SQRT_PI) * np.exp(-x * x))
rule(sp.erfi, lambda g, ans, x: g * (2 / SQRT_PI) * np.exp(x * x))
rule(sp.erfcx, lambda g, ans, x: g * ans * (-SQRT2 * _gap(-SQRT2 * x)))
rule(sp.dawsn, lambda g, ans, x: g * (1 - 2 * x * ans))
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
    lambda g, ans, x, y: g * ans * (sp.psi(x + y) - sp.psi(x)),
    lambda g, ans, x, y: g * ans * sp.psi(x + y),
)
rule(
    sp.beta,
    lambda g, ans, x, y: g * ans * (sp.psi(x) - sp.psi(x + y)),
    lambda g, ans, x, y: g * ans * (sp.psi(y) - sp.psi(x + y)),
)
rule(
    sp.betaln,
    lambda g, ans, x, y: g * (sp.psi(x) - sp.psi(x + y)),
    lambda g, ans, x, y: g * (sp.psi(y) - sp.psi(x + y)),
)


def _gamma_density(a: Any, x: Any) -> Any:
    return np.exp(sp.xlogy(a - 1, x) - x - sp.gammaln(a))


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    return np.exp(sp.xlogy(a - 1, x) + sp.xlog1py(b - 1, -x) - sp.betaln(a, b))


rule(sp.gammainc, None, lambda g, ans, a, x: g * _gamma_density(a, x))
rule(sp.gammaincc, None, lambda g, ans, a, x: -g * _gamma_density(a, x))
rule(sp.gammaincinv, None, lambda g, ans, a, p: g / _gamma_density(a, ans))
rule(sp.gammainccinv, None, lambda g, ans, a, p: -g / _gamma_density(a, ans))
rule(sp.betainc, None, None, lambda g, ans, a, b, x: g * _beta_density(a, b, x))
rule(sp.betaincc, None, None, lambda g, ans, a, b, x: -g * _beta_density(a, b, x))
rule(sp.betaincinv, None, None, lambda g, ans, a, b, p: g / _beta_density(a, b, ans))

# Bessel functions (10.6.1 and 10.29.1), in the forms that do not divide by x = 0.
for _bessel in (sp.jv, sp.yv, sp.yn):
    rule(
        _bessel,
        None,
        lambda g, ans, v, x, f=_bessel: g * (f(v - 1, x) - f(v + 1, x)) / 2,
    )
rule(sp.iv, None, lambda g, ans, v, x: g * (sp.iv(v - 1, x) + sp.iv(v + 1, x)) / 2)
rule(
    sp.ive,
    None,
    lambda g, ans, v, x: (
        g * ((sp.ive(v - 1, x) + sp.ive(v + 1, x)) / 2 - np.sign(x) * ans)
    ),
)
for _bessel in (sp.kv, sp.kn):
    rule(
        _bessel,
        None,
        lambda g, ans, v, x: -g * (sp.kv(v - 1, x) + sp.kv(v + 1, x)) / 2,
    )
rule(
    sp.kve,
    None,
    lambda g, ans, v, x: g * (ans - (sp.kve(v - 1, x) + sp.kve(v + 1, x)) / 2),
)
rule(sp.j0, lambda g, ans, x: -g * sp.j1(x))
rule(sp.j1, lambda g, ans, x: g * (sp.j0(x) - sp.jv(2, x)) / 2)
rule(sp.y0, lambda g, ans, x: -g * sp.y1(x))
rule(sp.y1, lambda g, ans, x: g * (sp.y0(x) - ans / x))
rule(sp.i0, lambda g, ans, x: g * sp.i1(x))
rule(sp.i1, lambda g, ans, x: g * (sp.i0(x) + sp.iv(2, x)) / 2)
rule(sp.i0e, lambda g, ans, x: g * (sp.i1e(x) - np.sign(x) * ans))
rule(sp.i1e, lambda g, ans, x: g * ((sp.i0e(x) + sp.ive(2, x)) / 2 - np.sign(x) * ans))
rule(sp.k0, lambda g, ans, x: -g * sp.k1(x))
rule(sp.k1, lambda g, ans, x: -g * (sp.k0(x) + ans / x))
rule(sp.k0e, lambda g, ans, x: g * (ans - sp.k1e(x)))
rule(sp.k1e, lambda g, ans, x: g * (ans - sp.k0e(x) - ans / x))


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
    near = np.less(p, 0.5)
    small, m = np.where(near, p, 0.5), 1 - p
    by_parts = (sp.ellipe(1 - small) / small - ans) / (2 * (1 - small))
    return -g * np.where(near, by_parts, math.pi / 8 * sp.hyp2f1(1.5, 1.5, 2, m))


rule(
    sp.hyp2f1,
    None,
    None,
    None,
    lambda g, ans, a, b, c, z: g * (a * b / c) * sp.hyp2f1(a + 1, b + 1, c + 1, z),
)
rule(sp.ellipk, lambda g, ans, m: g * (math.pi / 8) * sp.hyp2f1(1.5, 1.5, 2, m))
rule(sp.ellipe, lambda g, ans, m: -g * (math.pi / 8) * sp.hyp2f1(0.5, 1.5, 2, m))
rule(sp.ellipkm1, _ellipkm1)
