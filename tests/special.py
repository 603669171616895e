"""The table's rows for scipy.special, in formulas that take complex numbers."""

import numpy as np
from hypothesis import strategies as st
from operations import (
    ANY,
    LOG2,
    NONZERO,
    POSITIVE,
    Operation,
    binary,
    erf_series,
    numbers,
    real,
    sign,
    ufunc,
    unary,
)
from oracles import by_cauchy, by_newton
from scipy import special as sp

import autograd as ag
from autograd.rules.special import _zeta

INSIDE = numbers(0.02, 0.98)
FRACTIONS = st.integers(-3, 3).map(lambda n: n + 0.37)
"""Numbers on both sides of zero, where no gamma function has its poles."""
MODULI = numbers(-3, 0.9)


def to_zero(x):
    """A fifth of the way to the singularity at 0."""
    return np.abs(x) / 5


def to_integers(x):
    return np.abs(x - np.round(x)) / 5


log_gamma = by_cauchy(sp.loggamma, to_zero)
exp1 = by_cauchy(sp.exp1, to_zero)


def fixed(function, order, elements, cauchy=None, radius=lambda x: 1.0, **kwargs):
    """The row of a function whose first argument is a number of no gradient."""
    known = cauchy or function
    return Operation(
        f"{function.__name__} {order}",
        lambda x: function(order, x),
        unary(elements),
        (function,),
        plain=by_cauchy(lambda z: known(order, z), radius),
        **kwargs,
    )


def entire(function, elements=ANY, known=None):
    return ufunc(function, unary(elements), plain=by_cauchy(known or function))


def towards_zero(function, known=None, elements=POSITIVE):
    return ufunc(function, unary(elements), plain=by_cauchy(known or function, to_zero))


def normal(x):
    return 0.5 * (1 + erf_series(x / np.sqrt(2)))


def density(x):
    return np.exp(-x * x / 2) / np.sqrt(2 * np.pi)


def erf_slope(x):
    return 2 / np.sqrt(np.pi) * np.exp(-x * x)


def hurwitz(x, q):
    """ζ(x, q) by Euler and Maclaurin."""
    bernoulli = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
    n, total, factor = 12, 0, 1.0
    for k in range(n):
        total = total + (q + k) ** -x
    end = q + n
    total = total + end ** (1 - x) / (x - 1) + end**-x / 2
    for j, b in enumerate(bernoulli):
        factor = factor * (x + 2 * j - 1) * (x + 2 * j) if j else x * 1.0
        total = total + b / sp.factorial(2 * j + 2) * factor * end ** (-x - 2 * j - 1)
    return total


def lower_gamma(a, x):
    """P(a, x) by its series, 8.7.1 of the DLMF."""
    term = total = 1 / sp.gamma(a + 1)
    for k in range(1, 60):
        term = term * x / (a + k)
        total = total + term
    return x**a * np.exp(-x) * total


def lower_beta(a, b, x):
    """I_x(a, b) by its series, 8.17.8 of the DLMF."""
    term = total = 1 / (a * sp.beta(a, b))
    for k in range(160):
        term = term * x * (a + b + k) / (a + 1 + k)
        total = total + term
    return x**a * (1 - x) ** b * total


def elliptic(m, second=False):
    """K(m) by the arithmetic-geometric mean; E(m), 19.8.6 of the DLMF."""
    a, g, half, rest = 1.0, np.sqrt(1 - m), 0.5, m / 2
    for _ in range(8):
        c = (a - g) / 2
        a, g, half = (a + g) / 2, np.sqrt(a * g), half * 2
        rest = rest + half * c * c
    k = np.pi / (2 * a)
    return k * (1 - rest) if second else k


def expn(n):
    """E_n by its recurrence from E₁, 8.19.12 of the DLMF."""
    found = lambda x: exp1(x)  # noqa: E731
    for k in range(1, n):
        found = lambda x, e=found, k=k: (np.exp(-x) - x * e(x)) / k  # noqa: E731
    return found if n else lambda x: np.exp(-x) / x


def integral(n):
    return Operation(
        f"expn {n}", lambda x: sp.expn(n, x), unary(POSITIVE), (sp.expn,), plain=expn(n)
    )


def moduli(m):
    """The distance of m to the singularity at 1, a fifth of it."""
    return (1 - m) / 5


TABLE = [
    ufunc(sp.exp2, unary(), plain=lambda x: np.exp(x * LOG2)),
    ufunc(sp.exp10, unary(), plain=lambda x: np.exp(x * np.log(10))),
    ufunc(sp.expm1, unary()),
    ufunc(sp.log1p, unary(POSITIVE)),
    ufunc(sp.cbrt, unary(NONZERO), plain=lambda x: sign(x) * (x * sign(x)) ** (1 / 3)),
    ufunc(sp.cosm1, unary(), plain=lambda x: np.cos(x) - 1),
    ufunc(sp.expit, unary(), plain=lambda x: 1 / (1 + np.exp(-x))),
    ufunc(sp.logit, unary(INSIDE), plain=lambda x: np.log(x / (1 - x))),
    ufunc(sp.log_expit, unary(), plain=lambda x: -np.log(1 + np.exp(-x))),
    ufunc(sp.powm1, binary(POSITIVE), plain=lambda x, y: x**y - 1),
    ufunc(sp.xlogy, binary(right=POSITIVE), plain=lambda x, y: x * np.log(y)),
    ufunc(sp.xlog1py, binary(right=POSITIVE), plain=lambda x, y: x * np.log(1 + y)),
    ufunc(sp.entr, unary(POSITIVE), plain=lambda x: -x * np.log(x)),
    ufunc(sp.rel_entr, binary(POSITIVE, POSITIVE), plain=lambda x, y: x * np.log(x / y)),
    ufunc(
        sp.kl_div,
        binary(POSITIVE, POSITIVE),
        plain=lambda x, y: x * np.log(x / y) - x + y,
    ),
    ufunc(
        sp.wrightomega,
        unary(),
        plain=by_newton(
            lambda x: x + np.log(x), lambda x: 1 + 1 / x, lambda y: sp.wrightomega(y)
        ),
    ),
    ufunc(
        sp.exprel, unary(), plain=by_cauchy(lambda z: np.expm1(z) / z, lambda x: 0.7005)
    ),
    ufunc(sp.boxcox, binary(POSITIVE, NONZERO), plain=lambda x, y: (x**y - 1) / y),
    ufunc(
        sp.boxcox1p, binary(POSITIVE, NONZERO), plain=lambda x, y: ((1 + x) ** y - 1) / y
    ),
    ufunc(
        sp.inv_boxcox,
        binary(POSITIVE, POSITIVE),
        plain=lambda x, y: (x * y + 1) ** (1 / y),
    ),
    ufunc(
        sp.inv_boxcox1p,
        binary(POSITIVE, POSITIVE),
        plain=lambda x, y: (x * y + 1) ** (1 / y) - 1,
    ),
    ufunc(
        sp.huber,
        binary(st.just(1.0005), ANY),
        plain=lambda d, r: np.where(
            np.abs(real(r)) < real(d), r * r / 2, d * (r * sign(r) - d / 2)
        ),
    ),
    ufunc(
        sp.pseudo_huber,
        binary(POSITIVE, ANY),
        plain=lambda d, r: d * d * (np.sqrt(1 + (r / d) ** 2) - 1),
    ),
    entire(sp.erf),
    entire(sp.erfc),
    entire(sp.erfi),
    entire(sp.erfcx, numbers(-2, 12)),
    entire(sp.dawsn),
    ufunc(
        sp.erfinv,
        unary(numbers(-0.98, 0.98)),
        plain=by_newton(erf_series, erf_slope, sp.erfinv),
    ),
    ufunc(
        sp.erfcinv,
        unary(numbers(0.02, 1.98)),
        plain=by_newton(lambda x: 1 - erf_series(x), lambda x: -erf_slope(x), sp.erfcinv),
    ),
    ufunc(sp.ndtr, unary(), plain=normal),
    ufunc(sp.ndtri, unary(INSIDE), plain=by_newton(normal, density, sp.ndtri)),
    ufunc(
        sp.log_ndtr,
        unary(numbers(-12, 2)),
        plain=lambda x: np.log(by_cauchy(sp.erfcx)(-x / np.sqrt(2)) / 2) - x * x / 2,
    ),
    ufunc(
        sp.ndtri_exp,
        unary(numbers(-4, -0.1)),
        plain=lambda x: by_newton(normal, density, sp.ndtri)(np.exp(x)),
    ),
    ufunc(sp.gamma, unary(FRACTIONS), plain=by_cauchy(sp.gamma, to_integers)),
    ufunc(sp.gammaln, unary(POSITIVE), plain=log_gamma),
    ufunc(sp.loggamma, unary(POSITIVE), plain=log_gamma),
    ufunc(sp.psi, unary(FRACTIONS), plain=by_cauchy(sp.psi, to_integers)),
    Operation(
        "_zeta of q",
        lambda q: sp.zeta(2.5, q),
        unary(POSITIVE),
        (_zeta,),
        plain=lambda q: hurwitz(2.5, q),
    ),
    *(
        Operation(
            f"polygamma {n}",
            lambda x, n=n: ag.polygamma(n, x),
            unary(POSITIVE),
            (ag.polygamma,),
            plain=plain,
        )
        for n, plain in (
            (0, by_cauchy(sp.psi, to_zero)),
            (2, lambda q: -2 * hurwitz(3.0, q)),
        )
    ),
    ufunc(
        sp.poch,
        binary(POSITIVE, POSITIVE),
        plain=lambda x, y: np.exp(log_gamma(x + y) - log_gamma(x)),
    ),
    ufunc(
        sp.beta,
        binary(POSITIVE, POSITIVE),
        plain=lambda x, y: np.exp(log_gamma(x) + log_gamma(y) - log_gamma(x + y)),
    ),
    ufunc(
        sp.betaln,
        binary(POSITIVE, POSITIVE),
        plain=lambda x, y: log_gamma(x) + log_gamma(y) - log_gamma(x + y),
    ),
    Operation(
        "gammainc",
        lambda x: sp.gammainc(1.7, x),
        unary(POSITIVE),
        (sp.gammainc,),
        plain=lambda x: lower_gamma(1.7, x),
    ),
    Operation(
        "gammaincc",
        lambda x: sp.gammaincc(0.6, x),
        unary(POSITIVE),
        (sp.gammaincc,),
        plain=lambda x: 1 - lower_gamma(0.6, x),
    ),
    Operation(
        "gammaincinv",
        lambda p: sp.gammaincinv(1.7, p),
        unary(INSIDE),
        (sp.gammaincinv,),
        plain=by_newton(
            lambda x: lower_gamma(1.7, x),
            lambda x: x**0.7 * np.exp(-x) / sp.gamma(1.7),
            lambda p: sp.gammaincinv(1.7, p),
        ),
    ),
    Operation(
        "gammainccinv",
        lambda p: sp.gammainccinv(1.7, p),
        unary(INSIDE),
        (sp.gammainccinv,),
        plain=by_newton(
            lambda x: 1 - lower_gamma(1.7, x),
            lambda x: -(x**0.7) * np.exp(-x) / sp.gamma(1.7),
            lambda p: sp.gammainccinv(1.7, p),
        ),
    ),
    Operation(
        "betainc",
        lambda x: sp.betainc(1.7, 0.6, x),
        unary(numbers(0.02, 0.7)),
        (sp.betainc,),
        plain=lambda x: lower_beta(1.7, 0.6, x),
    ),
    Operation(
        "betaincc",
        lambda x: sp.betaincc(1.7, 2.6, x),
        unary(numbers(0.02, 0.7)),
        (sp.betaincc,),
        plain=lambda x: 1 - lower_beta(1.7, 2.6, x),
    ),
    Operation(
        "betaincinv",
        lambda p: sp.betaincinv(1.7, 2.6, p),
        unary(numbers(0.02, 0.9)),
        (sp.betaincinv,),
        plain=by_newton(
            lambda x: lower_beta(1.7, 2.6, x),
            lambda x: x**0.7 * (1 - x) ** 1.6 / sp.beta(1.7, 2.6),
            lambda p: sp.betaincinv(1.7, 2.6, p),
        ),
    ),
    fixed(sp.jv, 2, ANY),
    fixed(sp.jv, 1.3, POSITIVE, radius=to_zero),
    fixed(sp.yv, 1.3, POSITIVE, radius=to_zero),
    fixed(sp.yn, 2, POSITIVE, sp.yv, radius=to_zero),
    fixed(sp.iv, 2, ANY),
    fixed(sp.iv, 1.3, POSITIVE, radius=to_zero),
    Operation(
        "ive",
        lambda x: sp.ive(2, x),
        unary(NONZERO),
        (sp.ive,),
        plain=lambda x: np.exp(-x * sign(x)) * by_cauchy(lambda z: sp.iv(2, z))(x),
    ),
    fixed(sp.kv, 1.3, POSITIVE, radius=to_zero),
    fixed(sp.kn, 2, POSITIVE, sp.kv, radius=to_zero),
    fixed(sp.kve, 1.3, POSITIVE, radius=to_zero),
    entire(sp.j0, known=lambda z: sp.jv(0, z)),
    entire(sp.j1, known=lambda z: sp.jv(1, z)),
    towards_zero(sp.y0, lambda z: sp.yv(0, z)),
    towards_zero(sp.y1, lambda z: sp.yv(1, z)),
    entire(sp.i0, known=lambda z: sp.iv(0, z)),
    entire(sp.i1, known=lambda z: sp.iv(1, z)),
    ufunc(
        sp.i0e,
        unary(NONZERO),
        plain=lambda x: np.exp(-x * sign(x)) * by_cauchy(lambda z: sp.iv(0, z))(x),
    ),
    ufunc(
        sp.i1e,
        unary(NONZERO),
        plain=lambda x: np.exp(-x * sign(x)) * by_cauchy(lambda z: sp.iv(1, z))(x),
    ),
    towards_zero(sp.k0, lambda z: sp.kv(0, z)),
    towards_zero(sp.k1, lambda z: sp.kv(1, z)),
    towards_zero(sp.k0e, lambda z: sp.kve(0, z)),
    towards_zero(sp.k1e, lambda z: sp.kve(1, z)),
    integral(0),
    integral(1),
    integral(3),
    towards_zero(sp.exp1),
    towards_zero(sp.expi),
    towards_zero(sp.spence),
    Operation(
        "hyp2f1",
        lambda x: sp.hyp2f1(0.5, 1.5, 2.5, x),
        unary(MODULI),
        (sp.hyp2f1,),
        plain=by_cauchy(lambda z: sp.hyp2f1(0.5, 1.5, 2.5, z), moduli),
    ),
    ufunc(sp.ellipk, unary(MODULI), plain=elliptic),
    ufunc(sp.ellipe, unary(MODULI), plain=lambda m: elliptic(m, second=True)),
    ufunc(sp.ellipkm1, unary(POSITIVE), plain=lambda p: elliptic(1 - p)),
]
