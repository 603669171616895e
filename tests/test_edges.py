"""Derivatives at the edges: zeros, infinities, NaN, the largest and smallest numbers."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from oracles import tensors
from test_operations import TABLE

from autograd import Tensor, Value, compile, grad, hessian, jvp, logsumexp, relu, vjp

INF, NAN = np.inf, np.nan
POINTS = [0.0, -0.0, 1.0, -1.0, 0.5, -3.0, INF, -INF, NAN, 5e-324, 1e200]
FEWER = [0.0, -3.0, INF, NAN]

quiet = np.errstate(all="ignore")


def scalar_calls(row, most=12):
    """The first call of the row whose arguments have no axes, as a function; or None."""
    found = []

    @settings(
        max_examples=most,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(row.inputs)
    def draw(drawn):
        args, kwargs = drawn
        if not found and args and all(np.shape(x) == () for x in args):
            found.append((lambda *xs: np.sum(row.call(*xs, **kwargs)), len(args)))

    draw()
    return found[0] if found else None


def outcome(function, *args):
    """The bits of the results, or the type of the error."""
    try:
        found = function(*args)
    except Exception as error:  # whatever it is, the same of floats and arrays
        return type(error)
    parts = found if isinstance(found, tuple) else (found,)
    parts = [np.asarray(getattr(x, "data", x), float) for x in parts]
    return [np.where(np.isnan(x), NAN, x).tobytes() for x in parts]  # one NaN for all


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
@quiet
def test_python_floats_have_the_derivatives_of_arrays_without_axes(row):
    call = scalar_calls(row)
    if call is None:
        pytest.skip("takes no arrays without axes")
    f, n = call
    every = tuple(range(n))

    def value(*xs):
        return f(*tensors(*xs))

    def twice(*xs):
        return grad(lambda *ys: sum(grad(f, every)(*ys)), every)(*xs)

    def forward(*xs):
        return jvp(f, xs, tuple(np.ones_like(x) * 1.0 for x in xs))[1]

    for point in itertools.product(POINTS if n == 1 else FEWER, repeat=min(n, 2)):
        point = (*point, *[0.5] * (n - 2))
        arrays = [np.array(x) for x in point]
        for function in (value, grad(f, every), twice, forward):
            assert outcome(function, *point) == outcome(function, *arrays), point


@pytest.mark.parametrize(
    ("function", "args", "expected"),
    [
        (np.maximum, (NAN, 1.0), (1, 0)),
        (np.minimum, (1.0, NAN), (0, 1)),
        (np.maximum, (NAN, NAN), (0.5, 0.5)),
        (np.fmax, (NAN, 1.0), (0, 1)),
        (np.fmin, (NAN, NAN), (0.5, 0.5)),
        (np.maximum, (INF, INF), (0.5, 0.5)),
        (np.heaviside, (NAN, 1.0), (NAN, 0)),
        (np.logaddexp, (INF, 0.0), (1, 0)),
        (np.logaddexp, (-INF, 3.0), (0, 1)),
        (np.logaddexp, (-INF, -INF), (0.5, 0.5)),
        (np.logaddexp2, (INF, INF), (0.5, 0.5)),
        (np.logaddexp, (1e16, 1e16), (0.5, 0.5)),
        (np.logaddexp2, (1e17, 1e17), (0.5, 0.5)),
        (np.logaddexp, (NAN, 1.0), (NAN, NAN)),
        (np.hypot, (1e200, 0.0), (1, 0)),
        (np.hypot, (3e-320, 4e-320), (0.6, 0.8)),
        (np.arctan2, (1e-200, 1e-200), (5e199, -5e199)),
        (np.arctan2, (1e200, 1e200), (5e-201, -5e-201)),
        (np.arctan2, (3.0, INF), (0, 0)),
        (np.arctan2, (0.0, -2.0), (-0.5, 0)),
        (np.power, (0.0, 0.0), (0, 0)),
        (np.power, (1e-310, 0.0), (0, math.log(1e-310))),
        (np.power, (0.0, 0.5), (INF, 0)),
        (np.power, (INF, -1.0), (0, 0)),
        (np.power, (0.0, -1.0), (-INF, -INF)),
        (np.float_power, (1e-320, 1.0), (1, 1e-320 * math.log(1e-320))),
        (np.divide, (1.0, 0.0), (INF, -INF)),
        (np.fmod, (5.0, INF), (1, 0)),
    ],
)
@quiet
def test_edges_of_functions_of_two_arguments(function, args, expected):
    np.testing.assert_allclose(grad(function, (0, 1))(*args), expected, rtol=1e-13)
    arrays = [np.array(x) for x in args]
    np.testing.assert_allclose(grad(function, (0, 1))(*arrays), expected, rtol=1e-13)
    program = compile(grad(function, (0, 1)))
    for _ in range(3):
        np.testing.assert_array_equal(program(*arrays), grad(function, (0, 1))(*arrays))


@pytest.mark.parametrize(
    ("function", "x", "first", "second"),
    [
        (np.sqrt, 0.0, INF, -INF),
        (np.arctanh, 1.0, INF, None),
        (np.log, 0.0, INF, -INF),
        (np.arctan, 1e85, 1e-170, -2e-255),
        (np.arctan, -1e100, 1e-200, 2e-300),
        (np.arcsinh, 1e200, 1e-200, None),
        (np.arcsinh, -1e150, 1e-150, 1e-300),
        (lambda x: np.hypot(x, 1.0), 1e100, 1, 1e-300),
        (lambda x: x**0, 1e-320, 0, 0),
        (lambda x: x**1, 1e-320, 1, 0),
        (lambda x: x**1, 0.0, 1, 0),
        (lambda x: np.power(x, 3), 0.0, 0, 0),
        (lambda x: np.logaddexp(x, 0.0), 60.0, 1, math.exp(-60)),
        (relu, NAN, 1, None),
        (relu, INF, 1, 0),
        (lambda x: x / 0.0, 1.0, INF, 0),
        (lambda x: 0.0 / x, 0.0, NAN, NAN),
        (np.arcsin, 1e-50, 1, 1e-50),
        (np.arccos, -1e-10, -1, 1e-10),
        (np.arctanh, 1e-200, 1, 2e-200),
    ],
)
@quiet
def test_edges_of_functions_of_one_argument(function, x, first, second):
    for point in (x, np.array(x)):
        np.testing.assert_allclose(grad(function)(point), first, rtol=1e-14)
        np.testing.assert_allclose(vjp(function, point)[1](1.0)[0], first, rtol=1e-14)
        if second is not None:
            np.testing.assert_allclose(grad(grad(function))(point), second, rtol=1e-13)


@pytest.mark.parametrize(
    ("function", "args", "expected"),
    [
        (lambda x: np.arctan2(x, np.float32(1e-25)), 1e-25, 5e24),
        (np.arcsinh, 1e20, 1e-20),
        (lambda x: x**0, 1e-40, 0),
        (lambda x: np.hypot(x, np.float32(3e-40)), 4e-40, 0.8),
        (lambda x: np.logaddexp(x, np.float32(1e9)), 1e9, 0.5),
    ],
)
@quiet
def test_edges_in_single_precision(function, args, expected):
    found = grad(function)(np.float32(args))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("order", [0, 0.5, 1, 1.5, 2, 2.5, 3, 4, -1, -0.5, INF, -INF])
@quiet
def test_norms_of_every_order_have_a_gradient_at_zeros(order):
    norm = lambda x: np.linalg.norm(x, order)  # noqa: E731
    np.testing.assert_array_equal(grad(norm)(np.zeros(3)), np.zeros(3))
    x = np.array([0.0, 1.0, -4.0])
    found = grad(norm)(x)
    assert found[0] == 0
    step = 1e-6
    for i in (1, 2) if order > 0 else ():
        moved = [norm(x + h * np.eye(3)[i]) for h in (step, -step)]
        assert found[i] == pytest.approx((moved[0] - moved[1]) / (2 * step), rel=1e-6)


NORMS = {
    "norm": np.linalg.norm,
    "norm 3": lambda x: np.linalg.norm(x, 3),
    "norm 1.5": lambda x: np.linalg.norm(x, 1.5),
    "norm -2": lambda x: np.linalg.norm(x, -2),
    "fro": lambda x: np.linalg.norm(np.reshape(x, (2, 2)), "fro"),
    "norm along": lambda x: np.sum(np.linalg.norm(np.reshape(x, (2, 2)), axis=1)),
    "vector_norm": lambda x: np.linalg.vector_norm(x, keepdims=True)[0],
    "matrix_norm": lambda x: np.linalg.matrix_norm(np.reshape(x, (2, 2))),
    "std": np.std,
    "std, ddof": lambda x: np.std(x, ddof=1),
    "std, where": lambda x: np.std(x, where=np.array([True, True, False, True])),
    "std, mean": lambda x: np.std(x, mean=np.mean(x, keepdims=True)),
    "nanstd": np.nanstd,
}


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@quiet
def test_norms_of_numbers_whose_squares_overflow_or_underflow(name, dtype):
    f, x, u = (
        NORMS[name],
        np.array([3, -4, 2, 0.5], dtype),
        np.array([1, 2, -1, 0.7], dtype),
    )

    def turn(x):
        return grad(lambda y: np.sum(grad(f)(y) * u))(x)

    top = np.finfo(dtype).maxexp
    rtol = 1e-12 if dtype is np.float64 else 1e-5
    program, first, second = compile(grad(f)), grad(f)(x), turn(x)
    for exponent in (-top * 7 // 8, -top * 5 // 8, top // 3, top * 5 // 8, top * 7 // 8):
        scale = np.ldexp(dtype(1), exponent)
        found = grad(f)(x * scale)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, first, rtol)
        np.testing.assert_array_equal(program(x * scale), found)
        np.testing.assert_allclose(turn(x * scale) * scale, second, rtol, rtol)
        np.testing.assert_array_equal(f(Tensor(x * scale)).data, f(x * scale))


@quiet
def test_shares_of_infinite_and_equal_elements():
    found = grad(np.nanmax)(np.array([-INF, NAN]))
    np.testing.assert_array_equal(found, [1, 0])
    np.testing.assert_array_equal(
        grad(np.nanmin)(np.array([NAN, INF, INF])), [0, 0.5, 0.5]
    )
    np.testing.assert_array_equal(
        grad(logsumexp)(np.array([INF, 0.0, INF])), [0.5, 0, 0.5]
    )
    np.testing.assert_allclose(grad(logsumexp)(np.full(4, 1e16)), np.full(4, 0.25))


def test_exponents_of_small_integer_types_do_not_wrap_around():
    x = np.array([2.0, 3.0])
    for dtype in (np.int8, np.uint8):
        n = np.array([12, 0], dtype)
        f = lambda x, n=n: np.sum(x**n)  # noqa: E731
        np.testing.assert_allclose(grad(f)(x), [12 * 2.0**11, 0])
        second = grad(lambda x, f=f: np.sum(grad(f)(x)))(x)
        np.testing.assert_allclose(second, [132 * 2.0**10, 0])


def test_conversions_of_a_tensor_to_a_number():
    assert int(Tensor(3.7)) == 3 and float(Tensor(3.7)) == 3.7
    assert round(Tensor(3.2)) == 3 and round(Tensor(3.26), 1) == 3.3
    np.testing.assert_array_equal(round(Tensor(np.array([1.26, 2.5])), 1), [1.3, 2.5])
    assert round(Value(2.6)) == 3
    assert [10, 20, 30][Tensor(np.array(1))] == 20
    assert divmod(Value(7.0), 2)[0] == 3 and Value(7.0) // 2 == 3


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (int, r"int\(\): Tensor .* requires a gradient.*np.trunc"),
        (float, r"float\(\): Tensor .* requires a gradient.*np.tanh"),
        (lambda t: [1, 2][t], r"index: Tensor .* is a float \(got 1.5, expected an int"),
        (lambda t: t * 1j, "multiply: the result is complex128"),
    ],
)
def test_conversions_that_would_drop_a_gradient_raise(call, match):
    with pytest.raises(TypeError, match=match):
        call(Value(1.5))


@pytest.mark.parametrize("size", [np.linalg.norm, np.std])
@quiet
def test_squares_of_a_norm_have_no_finite_wrong_second_derivative_at_zero(size):
    """√ is given the derivative 0 at 0; in a second derivative that would be wrong."""
    x = np.array([[1.0, 1.0], [0.0, 0.0]][size is np.linalg.norm])
    rows = np.stack([x, [3.0, 4.0]])
    np.testing.assert_array_equal(grad(size)(x), np.zeros(2))
    assert jvp(size, (x,), (np.array([1.0, 0]),))[1] == 0
    assert np.isnan(hessian(lambda x: size(x) ** 2)(x)).all()
    found = hessian(lambda X: np.sum(size(X, axis=1) ** 2))(rows).reshape(2, 2, 2, 2)
    assert np.isnan(found[0, :, 0]).all()
    expected = hessian(lambda x: size(x) ** 2)(rows[1])
    np.testing.assert_allclose(found[1, :, 1], expected, atol=1e-14)
