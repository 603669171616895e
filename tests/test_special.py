"""scipy.special on Tensors: where formulas lose their digits, and what is refused."""

import subprocess
import sys

import numpy as np
import pytest
from oracles import tensors
from scipy import interpolate, linalg, optimize
from scipy import special as sp

import autograd as ag
from autograd import Tensor, grad

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
    (lambda d: sp.pseudo_huber(d, 1e200), 1, 1e200, -2),
    (lambda r: sp.pseudo_huber(1e-10, r), 1e-5, 9.9999999995e-11, 9.9999999985e-16),
    (sp.dawsn, 1e8, -5e-17, 1e-24),
    (sp.dawsn, 10, -0.005076943751970560655, 0.0010311806642141570339),
    (sp.erfcx, 1e8, -5.641895835477561e-17, 1.1283791670955123e-24),
    (lambda x: sp.betaln(x, 2.0), 1e15, -2e-15, 2e-30),
    (lambda x: sp.betaln(x, 1e-10), 2, -6.4493406682802077e-11, 4.0411380629449162e-11),
    (
        lambda x: sp.gammainc(1e10, x),
        1e10,
        3.9894228039810816e-6,
        -3.9894228039810816e-16,
    ),
    (lambda x: sp.gammainc(5.0, x), 1e-100, 0, 1e-300 / 6),
    (lambda x: sp.poch(x, 2.0), 0, 1, 2),
    (lambda x: sp.poch(x, 4.0), -3, -6, 22),
    (lambda x: sp.poch(x, 2.0), -3, -5, 2),
    (sp.i0e, 1e10, -1.994711402081965e-16, 2.992067103197749e-26),
    (sp.i1e, -1e10, -1.9947114017827584e-16, -2.992067102449733e-26),
    (sp.k1e, 1e17, -1.981663648803005e-26, 2.97249547320450e-43),
    (sp.ellipk, -1e10, 5.949609912611339e-15, 8.6744148685020374e-25),
    (lambda x: sp.rel_entr(x, 1e-200), 1e200, 922.0340371976183, 1e-200),
    (lambda x: sp.kl_div(x, 1 + 2.0**-40), 1, -9.094947017725135e-13, 1),
    (lambda y: sp.kl_div(1e-20, y), 1, 1, 1e-20),
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
        (lambda y: sp.boxcox(0.0, y), 0.5, 4),
        (lambda y: sp.boxcox(np.inf, y), -0.5, 4),
        (lambda d: sp.pseudo_huber(d, 3.0), 0.0, 3),
        (lambda r: sp.pseudo_huber(0.0, r), 3.0, 0),
        (lambda x: sp.gammainc(2.0, x), 0.0, 0),
        (lambda x: sp.poch(x, 3.0), -1.0, -1),
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
        (sp.zeta, "^scipy.special.zeta: no rule for Tensors"),
        (sp.lambertw, "^scipy.special.lambertw: no rule for Tensors"),
        (sp.sici, "^scipy.special.sici: no rule for Tensors"),
        (lambda x: sp.erf(x, out=np.zeros(2)), "np.erf: out= .* would drop"),
        (lambda x: sp.polygamma(1, x), r"^scipy.special.polygamma: .*autograd.polygamma"),
        (sp.logsumexp, r"^scipy.special.logsumexp: no rule.*Use autograd.logsumexp\("),
        (sp.softmax, r"^scipy.special.softmax: no rule .* Use autograd.softmax\("),
        (sp.log_softmax, r"^scipy.special.log_softmax: .* Use autograd.log_softmax\("),
        (lambda x: sp.multigammaln(x + 5, 2), "^scipy.special.multigammaln: .*gammaln"),
        (sp.factorial, r"^scipy.special.factorial: .* Use scipy.special.gamma\(n \+ 1"),
        (lambda x: sp.comb(x, 2), "^scipy.special.comb: .* Use 1 / "),
        (lambda x: sp.perm(x, 2), "^scipy.special.perm: .* Use scipy.special.poch"),
        (linalg.inv, "^scipy.linalg.inv: no rule for Tensors"),
        (lambda x: interpolate.CubicSpline(x, x), "^scipy.interpolate.CubicSpline: no r"),
        (lambda x: ag.polygamma(x, 1.0), "polygamma: n was given as a Tensor that requ"),
    ],
)
def test_what_has_no_gradient_says_so(call, match):
    (x,) = tensors(np.array([0.3, 0.7]))
    with pytest.raises(TypeError, match=match):
        call(x)


def test_polygamma_is_scipys_and_refuses_other_orders():
    x, orders = np.array([0.3, 1.5, 4.0]), np.array([0, 1, 3])
    np.testing.assert_array_equal(ag.polygamma(orders, x), sp.polygamma(orders, x))
    found = grad(lambda x: np.sum(ag.polygamma(orders, x)))(x)
    np.testing.assert_allclose(found, sp.polygamma(orders + 1, x), rtol=1e-13)
    for n in (0, 2):
        third = grad(grad(grad(lambda x, n=n: ag.polygamma(n, x))))
        assert third(2.7) == pytest.approx(sp.polygamma(n + 3, 2.7), rel=1e-13)
    assert ag.polygamma(2, Tensor(2.7)).item() == sp.polygamma(2, 2.7)
    assert ag.polygamma(2, x.astype(np.float32)).dtype == np.float32
    for order in (-1, 0.5, [1, -2]):
        with pytest.raises(ValueError, match=r"polygamma: n is no order .* integers ≥ 0"):
            ag.polygamma(order, x)


def test_scipys_functions_give_arrays_of_tensors_without_a_gradient():
    x = np.array([0.3, 0.7])
    for f in (sp.logsumexp, sp.softmax, sp.log_softmax, lambda x: sp.polygamma(1, x)):
        np.testing.assert_array_equal(f(Tensor(x)), f(x))


@pytest.mark.parametrize(
    ("function", "called"),
    [
        (
            lambda a: sp.gammaln(a) + sp.gammaln(a - 0.5) + np.log(np.pi) / 2,
            lambda a: sp.multigammaln(a, 2),
        ),
        (lambda n: sp.gamma(n + 1), sp.factorial),
        (lambda n: 1 / ((n + 1) * sp.beta(n - 1, 3)), lambda n: sp.comb(n, 2)),
        (lambda n: sp.poch(n - 1, 2), lambda n: sp.perm(n, 2)),
    ],
)
def test_ways_out_of_refusals_are_what_was_called(function, called):
    x, h = 5.3, 1e-6
    assert function(x) == pytest.approx(called(x), rel=1e-13)
    slope = (called(x + h) - called(x - h)) / (2 * h)
    assert grad(function)(x) == pytest.approx(slope, rel=1e-8)


def test_compile_names_scipys_function():
    with pytest.raises(
        TypeError, match=r"^compile: scipy.special.softmax: .* would take"
    ):
        ag.compile(lambda x: np.sum(sp.softmax(x)))(np.ones(2))


def test_a_callback_of_scipys_is_not_taken_for_its_function():
    def objective(x):
        return np.asarray(Tensor(x, requires_grad=True))

    with pytest.raises(TypeError, match=r"^Tensor of shape .* an ndarray would drop"):
        optimize.minimize(objective, np.ones(2))


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
