"""scipy.special on Tensors: where formulas lose their digits, and what is refused."""

import subprocess
import sys

import numpy as np
import pytest
from oracles import tensors
from scipy import special as sp

from autograd import grad

# First and second derivatives by differences of numbers of eighty digits (mpmath).
EDGES = [
    (sp.log_ndtr, -1e4, 10000.000099999998, -0.9999999900000006),
    (sp.log_ndtr, -30, 30.033259667433677, -0.99889622848810991),
    (sp.log_ndtr, 8, 5.0522710835368954e-15, -4.0418168668295189e-14),
    (sp.log_ndtr, 1e4, 0, 0),
    (sp.log_expit, -1e4, 1, 0),
    (sp.log_expit, 1e4, 0, 0),
    (sp.expit, -800, 0, 0),
    (sp.expit, 800, 0, 0),
    (sp.expit, -700, 9.8596765437597709e-305, 9.8596765437597709e-305),
    (sp.expit, 40, 4.248354255291589e-18, -4.248354255291589e-18),
    (sp.erfcx, -20, -4.1771757518113152e175, 1.6729588886004317e177),
    (sp.erfcx, 30, -0.00062583541050748407, 4.1653092384458876e-5),
    (sp.i0, 700, 1.5285003902339007e302, 1.5274097756858253e302),
    (sp.i1, 0, 0.5, 0),
    (sp.j1, 0, 0.5, 0),
    (sp.spence, 1, -1, 0.5),
    (sp.gammaln, 1e-8, -100000000.57721565, 1.00000000000000016e16),
    (sp.gammaln, 1e-150, -1e150, 1e300),
    (sp.ellipk, 0, np.pi / 8, 9 * np.pi / 64),
    (sp.ellipe, 0, -np.pi / 8, -3 * np.pi / 64),
    (sp.ellipkm1, 1e-12, -499999999996.57456, 4.9999999999987502e23),
    (sp.exprel, 1e-12, 0.50000000000033333, 0.33333333333358333),
    (lambda y: sp.boxcox(np.e, y), 1e-12, 0.5 + 1e-12 / 3, 1 / 3 + 1e-12 / 4),
    (lambda y: sp.boxcox1p(np.e - 1, y), 0, 1 / 2, 1 / 3),
    (lambda y: sp.inv_boxcox(1.0, y), 0, -np.e / 2, 11 * np.e / 12),
    (lambda d: sp.pseudo_huber(d, 1e-5), 1, 2.49999999975e-21, -7.49999999875e-21),
]


@pytest.mark.parametrize(("function", "x", "first", "second"), EDGES)
def test_derivatives_where_formulas_lose_their_digits(function, x, first, second):
    slope = grad(function)
    assert slope(float(x)) == pytest.approx(first, rel=3e-13, abs=0)
    with np.errstate(invalid="raise"):
        assert grad(slope)(float(x)) == pytest.approx(second, rel=3e-13, abs=0)


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        (sp.entr, 0.0, np.inf),
        (lambda x: sp.xlogy(x, 0.0), 0.0, 0),
        (lambda y: sp.xlogy(0.0, y), 0.0, 0),
        (lambda x: sp.xlogy(x, 2.0), 0.0, np.log(2)),
        (lambda x: sp.xlogy(x, 0.0), 1.0, -np.inf),
        (lambda x: sp.xlog1py(x, -1.0), 0.0, 0),
        (lambda y: sp.xlog1py(0.0, y), -1.0, 0),
        (lambda x: sp.rel_entr(x, 0.0), 0.0, 0),
        (lambda y: sp.rel_entr(0.0, y), 0.0, 0),
        (lambda x: sp.kl_div(x, 0.0), 0.0, 0),
        (lambda y: sp.kl_div(0.0, y), 0.5, 1),
        (lambda x: sp.huber(1.0, x), -1.0, -1),
        (lambda x: sp.gammainc(1.0, x), 0.0, 1),
        (sp.erfcx, -30.0, -np.inf),
    ],
)
def test_conventions_at_the_edges(function, x, expected):
    with np.errstate(divide="ignore"):
        assert grad(function)(x) == expected


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda x: sp.jv(x, 2.0), "jv: argument 0 .* has no VJP. Pass its value"),
        (lambda x: sp.gammainc(x, 2.0), "gammainc: argument 0 .* has no VJP"),
        (lambda x: sp.betainc(2.0, x, 0.5), "betainc: argument 1 .* has no VJP"),
        (lambda x: sp.zeta(x, 2.0), "_zeta: argument 0 .* has no VJP"),
        (sp.zeta, "_riemann_zeta: no rule for Tensors"),
        (sp.lambertw, "_lambertw: no rule for Tensors"),
        (sp.sici, "sici: no rule for Tensors"),
        (lambda x: sp.erf(x, out=np.zeros(2)), "np.erf: out= .* would drop"),
        (lambda x: sp.polygamma(1, x), "requires a gradient, which an ndarray would"),
        (sp.logsumexp, "requires a gradient, which an ndarray would drop"),
        (sp.softmax, "requires a gradient, which an ndarray would drop"),
        (sp.log_softmax, "requires a gradient, which an ndarray would drop"),
    ],
)
def test_what_has_no_gradient_says_so(call, match):
    (x,) = tensors(np.array([0.3, 0.7]))
    with pytest.raises(TypeError, match=match):
        call(x)


def test_scipy_is_not_imported_before_it_is_used():
    script = (
        "import sys, numpy as np, autograd\n"
        "x = autograd.Tensor(0.0, requires_grad=True)\n"
        "try: np.gcd(x, 1)\n"
        "except TypeError: pass\n"
        "assert not [m for m in sys.modules if m.startswith('scipy')]\n"
        "from scipy.special import expit\n"
        "expit(x).backward()\n"
        "assert x.grad == 0.25\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
