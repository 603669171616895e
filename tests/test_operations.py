"""Every operation of the table, against the complex step, to first and second order."""

import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from operations import TABLE as NUMPYS
from oracles import STEP, assert_same_derivative, complex_step, gradients_at, tensors
from special import TABLE as SCIPYS

import autograd
from autograd import Tensor, grad
from autograd.primitive import Primitive
from autograd.rules.plain import IN_PLACE, PLAIN
from autograd.tensor import DISPATCH, value_of

TABLE = NUMPYS + SCIPYS
rows = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
few = settings(max_examples=max(settings.default.max_examples // 3, 1))
"""Of what tests/test_signatures.py holds, too, for every keyword."""


def bound(row, kwargs, plain=False):
    function = (row.plain or row.call) if plain else row.call
    return lambda *args: function(*args, **kwargs)


def draw_like(data, arrays):
    """Arrays of the same shapes, of non-zero numbers."""
    seed = data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    return [
        rng.uniform(0.5, 2, np.shape(x)) * rng.choice([-1, 1], np.shape(x))
        for x in arrays
    ]


@rows
@given(data=st.data())
def test_gradient_is_the_complex_step(row, data):
    args, kwargs = data.draw(row.inputs)
    out = row.call(*args, **kwargs)
    directions = draw_like(data, args)
    (g,) = draw_like(data, [out])
    found = gradients_at(bound(row, kwargs), args, g)
    for x, gradient in zip(args, found, strict=True):
        assert np.shape(gradient) == x.shape
    expected = complex_step(bound(row, kwargs, plain=True), args, directions)
    assert_same_derivative(
        [a * u for a, u in zip(found, directions, strict=True)], [expected * g], g
    )


@rows
@given(data=st.data())
def test_second_derivative(row, data):
    """The gradient, differentiated again, is the complex step of the gradient."""
    args, kwargs = data.draw(row.inputs)
    f = bound(row, kwargs)
    (g,) = draw_like(data, [f(*args)])
    directions = draw_like(data, args)
    every = tuple(range(len(args)))

    def slope(*xs):
        gradients = grad(lambda *ys: np.sum(f(*ys) * g), every)(*xs)
        return sum(np.sum(v * u) for v, u in zip(gradients, directions, strict=True))

    found = grad(lambda *xs: slope(*xs) + 0 * sum(np.sum(x) for x in xs), every)(*args)
    if not row.second:
        assert all(np.all(v == 0) for v in found)
        return
    plain = bound(row, kwargs, plain=True)
    moved = [x + 1j * STEP * u for x, u in zip(args, directions, strict=True)]
    expected = [np.imag(v) / STEP for v in gradients_at(plain, moved, g)]
    again = draw_like(data, args)
    assert_same_derivative(
        [v * w for v, w in zip(found, again, strict=True)],
        [v * w for v, w in zip(expected, again, strict=True)],
        g,
    )


@rows
@few
@given(data=st.data())
def test_dtypes_are_numpys(row, data):
    args, kwargs = data.draw(row.inputs)
    arrays = [x.astype(np.float32) for x in args]
    single = tensors(*arrays)
    out = row.call(*single, **kwargs)
    assert out.dtype == np.result_type(row.call(*arrays, **kwargs))
    out.backward(np.ones(out.shape, out.dtype))
    for t in single:
        assert t.grad.dtype == np.float32 and t.grad.shape == t.shape


@rows
@few
@given(data=st.data())
def test_values_are_numpys(row, data):
    args, kwargs = data.draw(row.inputs)
    expected = row.call(*args, **kwargs)
    found = row.call(*tensors(*args), **kwargs)
    assert isinstance(found, Tensor) and found.shape == np.shape(expected)
    np.testing.assert_allclose(found.data, expected, rtol=1e-14, atol=1e-13)


def test_table_is_complete():
    """Every rule has its row, and every function without one is declared so."""
    covered = {function for row in TABLE for function in row.covers}
    covered -= {autograd.polygamma}  # composed of rules, and called by its own name
    methods = ("relu", "sigmoid", "backward", "by hand")
    unnamed = (operator.getitem, getattr(np, "astype", None), *methods)
    ruled = {f for f in DISPATCH if f not in (*PLAIN, *IN_PLACE, *unnamed)}
    assert ruled == {
        f for f in covered if f != "getitem" and not isinstance(f, Primitive)
    }


@pytest.mark.parametrize("function", PLAIN, ids=lambda f: f.__name__)
def test_functions_without_gradient_give_plain_arrays(function):
    x = Tensor(np.array([0.5, 1.5, 2.5]), requires_grad=True)
    args = (x,) if getattr(function, "nin", 1) == 1 else (x, x)
    if function in (
        np.allclose,
        np.isclose,
        np.array_equal,
        np.searchsorted,
        np.result_type,
        np.array_equiv,
        np.digitize,
        np.isin,
    ):
        args = (x, x)
    options = {"kth": 1} if function is np.argpartition else {}
    found = function(*args, **options)
    expected = function(*(a.data for a in args), **options)
    assert not isinstance(found, Tensor)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        (np.absolute, 0.0, 0.0),
        (DISPATCH[np.positive], 0.0, 1.0),
        (lambda x: np.maximum(x, 0.0), 0.0, 0.5),
        (lambda x: np.power(x, 0.0), 0.0, 0.0),
        (lambda x: np.power(x, 1.0), 0.0, 1.0),
        (lambda x: np.power(x, 2.0), 0.0, 0.0),
        (lambda x: np.power(x, 3.0), 0.0, 0.0),
        (lambda y: np.power(0.0, y), 2.0, 0.0),
        (lambda x: np.minimum(x, 0.0), 0.0, 0.5),
        (lambda x: np.minimum(0.0, x), 0.0, 0.5),
        (lambda x: np.maximum(0.0, x), 0.0, 0.5),
        (lambda x: np.hypot(x, 0.0), 0.0, 0.0),
        (lambda x: np.clip(x, 0.0, 1.0), 0.0, 1.0),
        (lambda x: np.clip(x, -1.0, 0.0), 0.0, 1.0),
        (lambda x: np.clip(x, 5.0, 3.0), 4.0, 0.0),
        (np.tanh, 800.0, 0.0),
    ],
)
def test_conventions_at_the_edges(function, x, expected):
    assert grad(function)(x) == expected


def test_relu_at_zero():
    from autograd import relu

    assert grad(relu)(0.0) == 0.0


def test_ties_of_max_share():
    x = np.array([2.0, 1.0, 2.0])
    np.testing.assert_array_equal(grad(np.max)(x), [0.5, 0, 0.5])
    f = lambda x: np.max(x, where=[True, True, False], initial=-9)  # noqa: E731
    np.testing.assert_array_equal(grad(f)(x), [1, 0, 0])


@pytest.mark.parametrize("function", [np.max, np.min])
def test_an_initial_value_ties_like_an_element(function):
    found = grad(lambda x: function(x, initial=2.0))(np.array([2.0, 2.0]))
    np.testing.assert_allclose(found, [1 / 3, 1 / 3])


def test_equal_numbers_have_no_spread_to_grow():
    np.testing.assert_array_equal(grad(np.std)(np.ones(3)), np.zeros(3))


@pytest.mark.parametrize("zeros", [[0], [2], [0, 2], [0, 1, 2, 3]])
def test_products_with_zeros(zeros):
    x = np.array([2.0, 3.0, 5.0, 7.0])
    x[zeros] = 0
    rest = [np.prod(np.delete(x, i)) for i in range(4)]
    np.testing.assert_array_equal(grad(np.prod)(x), rest)
    scan = [sum(np.prod(np.delete(x[: k + 1], i)) for k in range(i, 4)) for i in range(4)]
    np.testing.assert_array_equal(grad(lambda x: np.sum(np.cumprod(x)))(x), scan)


def test_scalars_and_axes_of_inner():
    x, y = np.arange(12.0).reshape(2, 2, 3), np.arange(6.0).reshape(2, 3) + 1
    g = np.arange(8.0).reshape(2, 2, 2)
    in_x, in_y = grad(lambda x, y: np.sum(np.inner(x, y) * g), (0, 1))(x, y)
    np.testing.assert_allclose(in_x, np.einsum("abk,kd->abd", g, y))
    np.testing.assert_allclose(in_y, np.einsum("abk,abd->kd", g, x))
    w = np.arange(6.0).reshape(2, 3)
    for call in (lambda x, c: np.inner(x, c), lambda x, c: np.inner(c, x)):
        in_x, in_c = grad(lambda x, c, f=call: np.sum(f(x, c) * w), (0, 1))(y, 3.0)
        np.testing.assert_array_equal(in_x, 3 * w)
        assert in_c == np.sum(w * y)


def test_joining_and_picking_without_an_axis():
    x, y = np.array([[1.0, 2.0]]), np.array([3.0])
    w = np.array([10.0, 20.0, 30.0])
    join = lambda x, y: np.sum(np.concatenate([x, y], axis=None) * w)  # noqa: E731
    in_x, in_y = grad(join, (0, 1))(x, y)
    np.testing.assert_array_equal(in_x, [[10, 20]])
    np.testing.assert_array_equal(in_y, [30])
    pick = lambda x: np.sum(np.take_along_axis(x, np.array([1]), axis=None))  # noqa: E731
    np.testing.assert_array_equal(grad(pick)(x), [[0, 1]])


@pytest.mark.parametrize("size", [-1e4, 1e4])
def test_large_arguments_do_not_overflow(size):
    from autograd import log_softmax, logsumexp, sigmoid, softmax, softplus

    x = np.array([size, 0.0, -size])
    weights = np.array([1.0, 2.0, 3.0])
    top = np.array([1.0, 0, 0]) if size > 0 else np.array([0, 0, 1.0])
    expected = {
        sigmoid: [0, 0.5, 0],
        softplus: weights * (top + np.array([0, 0.5, 0])),
        softmax: [0, 0, 0],
        log_softmax: weights - 6 * top,
        logsumexp: 6 * top,
    }
    for function, slope in expected.items():
        found = grad(lambda x, function=function: np.sum(function(x) * weights))(x)
        np.testing.assert_allclose(found, slope, atol=1e-15)
        for order in (1, 2):
            f = lambda x, function=function: np.sum(function(x) * weights)  # noqa: E731
            if order == 2:
                first = grad(f)
                f = lambda x, first=first: np.sum(first(x) * weights + 0 * x)  # noqa: E731
            assert np.all(np.isfinite(grad(f)(x)))


def test_where_ignores_nan_in_the_branch_not_taken():
    x = np.array([-1.0, 4.0])
    with np.errstate(invalid="ignore"):
        found = grad(
            lambda x: np.sum(np.where(x > 0, np.sqrt(np.where(x > 0, x, 1)), 0))
        )(x)
    np.testing.assert_array_equal(found, [0, 0.25])


def test_erf_is_the_standard_librarys():
    import math

    from autograd import erf

    x = np.linspace(-7, 7, 4001)
    expected = [math.erf(float(v)) for v in x]
    np.testing.assert_allclose(erf(x), expected, rtol=2e-15)


@pytest.mark.parametrize("order", range(5))
def test_derivatives_of_sinc_at_zero(order):
    f = np.sinc
    for _ in range(order):
        f = grad(f)
    expected = [1, 0, -(np.pi**2) / 3, 0, np.pi**4 / 5][order]
    assert f(0.0) == pytest.approx(expected, rel=1e-14)
    assert f(1e-9) == pytest.approx(expected, rel=1e-14, abs=1e-6)


@pytest.mark.parametrize("order", range(1, 4))
def test_derivatives_of_sinc_are_continuous_where_the_series_ends(order):
    f = np.sinc
    for _ in range(order):
        f = grad(f)
    assert f(1 - 1e-12) == pytest.approx(f(1 + 1e-12), rel=1e-9)


def test_the_series_of_sinc_has_enough_terms_for_high_orders():
    from autograd.rules.elementwise import _sinc_slope

    near, far = _sinc_slope(np.array([1 - 1e-12, 1 + 1e-12]), 16)
    assert near == pytest.approx(far, rel=1e-8)


def test_broadcast_indices_along_an_axis():
    x, indices = np.arange(12.0).reshape(3, 4), np.array([[0, 0, 3]])
    g = np.arange(9.0).reshape(3, 3)
    (t,) = tensors(x)
    found = np.take_along_axis(t, indices, 1)
    np.testing.assert_array_equal(found.data, np.take_along_axis(x, indices, 1))
    found.backward(g)
    expected = np.zeros((3, 4))
    expected[:, 0], expected[:, 3] = g[:, 0] + g[:, 1], g[:, 2]
    np.testing.assert_array_equal(t.grad, expected)
    picked = np.take_along_axis(arr=t, indices=indices, axis=1)
    np.testing.assert_array_equal(picked.data, found.data)


def test_infinite_arguments():
    from autograd import logsumexp, relu, sigmoid

    inf = np.inf
    assert relu(-inf) == 0 and sigmoid(-800.0) == 0 == sigmoid(-inf)
    assert abs(sigmoid(-40.0) / np.exp(-40) - 1) < 1e-15
    assert logsumexp(np.array([-inf, -inf])) == -inf
    np.testing.assert_array_equal(grad(logsumexp)(np.array([-inf, -inf])), [0, 0])
    assert logsumexp(np.array([inf, 0])) == inf
    x = np.array([1.0, np.nan, 3.0])
    np.testing.assert_array_equal(grad(np.max)(x), [0, 1, 0])


def test_heaviside_takes_its_value_at_zero():
    f = lambda w: np.sum(np.heaviside(np.array([0.0, 1.0]), w) * 3)  # noqa: E731
    np.testing.assert_array_equal(grad(f)(np.array([0.5, 0.5])), [3, 0])


def test_quantiles_of_nan_are_nan():
    x = np.array([[1.0, np.nan, 3.0], [4.0, 5.0, 7.0]])
    (t,) = tensors(x)
    np.testing.assert_array_equal(np.median(t, axis=1).data, [np.nan, 5])
    np.testing.assert_array_equal(np.nanmedian(t, axis=1).data, [2, 5])
    np.testing.assert_array_equal(
        np.nanquantile(t, [0, 1], axis=0).data, np.nanquantile(x, [0, 1], axis=0)
    )
    single = Tensor(x.astype(np.float32))
    for method, dtype in (("linear", np.float64), ("lower", np.float32)):
        assert np.quantile(single, [0.5], method=method).dtype == dtype


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (
            lambda x: np.quantile([1.0, 2.0], x / 4),
            "np.quantile: q was given as a Tensor",
        ),
        (lambda x: np.percentile([1.0, 2.0], x), "np.percentile: q was given as a"),
        (lambda x: np.fill_diagonal(x, 0.0), "np.fill_diagonal: .* np.where"),
        (lambda x: np.copyto(np.zeros(3), x), "np.copyto: .* not changed in place"),
        (lambda x: np.put(x, [0], 1.0), "np.put: .* not changed in place"),
        (lambda x: operator.setitem(x, 0, 1.0), "not changed in place.*np.where"),
        (lambda x: np.add(x, 1, out=np.zeros(3)), "np.add: out= .* Use the result"),
        (lambda x: np.sum(x, out=np.zeros(())), "np.sum: out= .* Use the result"),
        (lambda x: np.zeros(3).__iadd__(x), "np.add: out= .* in-place forms"),
        (lambda x: np.add.at(np.zeros(3), [0], x), "np.add.at: no rule"),
        (lambda x: np.fft.fft(x), "np.fft.fft: no rule for Tensors"),
        (lambda x: np.histogram(x), "np.histogram: no rule for Tensors"),
        (lambda x: np.quantile(x, 0.5, weights=[1, 2, 3]), "np.quantile: weights="),
        (lambda x: np.percentile(x, 50, weights=[1, 2, 3]), "np.percentile: weights="),
        (
            lambda x: np.pad(x, 1, constant_values=(x[0], 1.0)),
            "which an ndarray would drop",
        ),
        (lambda x: np.pad(x, 1, mode="empty"), "np.pad: mode='empty' has no rule"),
    ],
)
def test_options_without_a_rule_say_so(call, match):
    (x,) = tensors(np.arange(3.0))
    with pytest.raises(TypeError, match=match):
        call(x)


@pytest.mark.parametrize(
    "update",
    [
        operator.iadd,
        operator.isub,
        operator.imul,
        operator.itruediv,
        operator.ipow,
        operator.imatmul,
    ],
)
def test_augmented_assignment_binds_a_new_tensor(update):
    (old,) = tensors(np.array([2.0, 3.0]))
    new = update(old, np.array([2.0, 4.0]))
    assert isinstance(new, Tensor) and new is not old
    np.testing.assert_array_equal(old.data, [2, 3])
    np.testing.assert_array_equal(
        new.data, getattr(operator, update.__name__[1:])(old.data, np.array([2.0, 4.0]))
    )


def test_equal_elements_of_unique_send_the_gradient_to_the_first():
    x = np.array([2.0, 1.0, 2.0])
    np.testing.assert_array_equal(grad(lambda x: np.sum(np.unique(x)))(x), [1, 1, 0])
    (t,) = tensors(x)
    found, expected = (
        np.unique(v, return_index=True, return_inverse=True, return_counts=True)
        for v in (t, x)
    )
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(getattr(ours, "data", ours), theirs)


def test_logsumexp_over_everything():
    from autograd import logsumexp, softmax

    x = np.arange(6.0).reshape(2, 3)
    found = grad(lambda x: logsumexp(x, axis=None))(x)
    np.testing.assert_allclose(found, softmax(x.ravel(), -1).reshape(2, 3))


def test_an_empty_list_selects_nothing():
    (x,) = tensors(np.ones(3))
    assert x[[]].shape == (0,)


def test_norms_at_zero_and_by_name():
    x = np.zeros(3)
    np.testing.assert_array_equal(grad(np.linalg.norm)(x), x)
    f = lambda x: np.linalg.norm(x, np.inf) + np.linalg.norm(x, 1)  # noqa: E731
    np.testing.assert_array_equal(grad(f)(np.array([1.0, -3.0])), [1, -2])
    rows = np.array([[1.0, -3.0, 0.0], [2.0, 4.0, -5.0]])
    for order in (np.inf, -np.inf, 0, 1):
        of = lambda x, order=order: np.linalg.norm(x, order, axis=1)  # noqa: E731
        np.testing.assert_array_equal(value_of(of(*tensors(rows))), of(rows))
    smallest = grad(lambda x: np.sum(np.linalg.norm(x, -np.inf, axis=1)))(rows)
    np.testing.assert_array_equal(smallest, [[0, 0, 0], [1, 0, 0]])
    (t,) = tensors(np.eye(2))
    assert np.linalg.norm(t, "fro").item() == pytest.approx(np.sqrt(2))
    for order, axis in (("fro", 0), (3, None), ("max", None)):
        with pytest.raises(ValueError, match=r"Invalid norm order"):
            np.linalg.norm(t, order, axis)


def test_the_determinant_of_a_singular_matrix_has_a_gradient():
    x = np.array([[1.0, 2.0], [2.0, 4.0]])
    np.testing.assert_allclose(grad(np.linalg.det)(x), [[4, -2], [-2, 1]], atol=1e-14)
    zero = np.zeros((1, 1))
    np.testing.assert_allclose(grad(np.linalg.det)(zero), [[1]])
    several, w = np.stack([x, x[::-1], [[0.0, 0.0], [0.0, 3.0]]]), np.array([2, 3, 5])
    found = grad(lambda x: np.sum(np.linalg.det(x) * w))(several)
    cofactors = [[[4, -2], [-2, 1]], [[2, -1], [-4, 2]], [[3, 0], [0, 0]]]
    np.testing.assert_allclose(found, w[:, None, None] * cofactors, atol=1e-14)


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_python_floats_are_computed_as_numpy_would(x, y):
    ruled = {f: getattr(rule, "__self__", None) for f, rule in DISPATCH.items()}
    scalars = {f: p.scalar for f, p in ruled.items() if getattr(p, "scalar", None)}
    assert set(scalars) == {np.add, np.subtract, np.multiply, np.negative}
    for function, scalar in scalars.items():
        args = (x, y)[: function.nin]
        with np.errstate(all="ignore"):
            np.testing.assert_equal(scalar(*args), float(function(*args)))


FACTORS = [
    (lambda x: np.linalg.svd(x[1:], hermitian=True), "hermitian=True has no rule"),
    (lambda x: np.linalg.svd(x)[0].sum().backward(), "a gradient came through column 2"),
    (lambda x: np.linalg.svd(x.T)[2].sum().backward(), "full_matrices=False"),
    (lambda x: np.linalg.eig(x[1:] * [[0, 1], [-1, 0]]), "eig: the result is complex128"),
    (
        lambda x: np.linalg.eigvals(x[1:] * [[0, 1], [-1, 0]]),
        "eigvals: the result is complex128",
    ),
    (lambda x: np.linalg.qr(x, "complete"), "mode='complete'"),
]


@pytest.mark.parametrize(("call", "match"), FACTORS)
def test_factorisations_without_a_rule_say_so(call, match):
    (x,) = tensors(np.arange(6.0).reshape(3, 2))
    with pytest.raises(TypeError, match=match):
        call(x)


def test_factorisations_come_as_numpys():
    x = np.array([[2.0, 1.0], [1.0, 3.0], [0.0, 1.0]])
    (t,) = tensors(x)
    for function in (np.linalg.qr, lambda x: np.linalg.svd(x, full_matrices=False)):
        found, expected = function(t), function(x)
        assert type(found) is type(expected)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_array_equal(ours.data, theirs)
    for b in (x[:, 0] + 1, np.stack([x[:, 0] + 1, x[:, 1] ** 2, x[:, 1]], axis=1)):
        found = np.linalg.lstsq(t, b)
        for ours, theirs in zip(found, np.linalg.lstsq(x, b), strict=True):
            np.testing.assert_allclose(getattr(ours, "data", ours), theirs, atol=1e-12)
    sign, logdet = np.linalg.slogdet(t[1:])
    np.testing.assert_allclose((sign, logdet.data), np.linalg.slogdet(x[1:]))


def test_singular_values_alone():
    x, w = np.array([[[2.0, 1.0], [1.0, 3.0], [0.0, 1.0]]] * 2), np.array([1.0, 10.0])
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    values = lambda x: np.linalg.svd(x, full_matrices=False, compute_uv=False)  # noqa: E731
    np.testing.assert_allclose(values(*tensors(x)).data, s)
    found = grad(lambda x: np.sum(values(x) * w))(x)
    np.testing.assert_allclose(found, (u * w) @ vh)


@pytest.mark.parametrize("half", ["L", "U"])
def test_one_half_of_a_matrix_makes_its_eigenvalues(half):
    x = np.array([[1.0, 7.0], [0.5, 3.0]])
    found = np.linalg.eigh(*tensors(x), UPLO=half)
    np.testing.assert_allclose(
        found.eigenvalues.data, np.linalg.eigh(x, UPLO=half).eigenvalues
    )


def test_products_of_nothing_are_one():
    x, matrix = tensors(np.ones((2, 0)), np.full((2, 2), 3.0))
    product, power = np.prod(x, axis=1), np.linalg.matrix_power(matrix, 0)
    np.testing.assert_array_equal(product.data, [1, 1])
    np.testing.assert_array_equal(power.data, np.eye(2))
    np.testing.assert_array_equal(np.linalg.matrix_power(matrix, 1).data, matrix.data)
    (np.sum(product) + np.sum(power)).backward()
    assert x.grad.shape == (2, 0)
    np.testing.assert_array_equal(matrix.grad, np.zeros((2, 2)))


def test_one_array_may_be_joined():
    x = np.arange(6.0).reshape(2, 3)
    for join in (np.hstack, np.vstack, np.dstack, np.column_stack, np.stack):
        np.testing.assert_array_equal(join(tensors(x)).data, join([x]))


def test_singular_values_need_not_differ():
    """Their vectors have no derivative there, the values do."""
    g = np.array([2.0, 1.0])
    found = grad(lambda x: np.sum(np.linalg.svd(x, compute_uv=False) * g))(np.eye(2))
    u, _, vh = np.linalg.svd(np.eye(2))
    np.testing.assert_allclose(found, (u * g) @ vh)
    found = grad(lambda x: np.linalg.norm(x, 2))(np.diag([3.0, 0.0]))
    np.testing.assert_allclose(found, np.diag([1.0, 0.0]))


def test_gradients_by_symmetric_matrices_are_symmetric():
    x = np.array([[4.0, 1.0, 0.5], [1.0, 5.0, -1.0], [0.5, -1.0, 6.0]])
    g = np.arange(9.0).reshape(3, 3)
    for function in (np.linalg.cholesky, lambda x: np.linalg.eigh(x).eigenvectors):
        found = grad(lambda x, f=function: np.sum(f(x) * g))(x)
        assert np.any(found)
        np.testing.assert_array_equal(found, found.T)


def test_counts_and_halves_and_the_whole_basis_are_numpys():
    """What has no gradient to be tested by still has its value."""
    places = np.array([0, 2, 2, 5])
    np.testing.assert_array_equal(np.bincount(Tensor(places)), np.bincount(places))
    x = np.array([[1.0, 7.0], [0.5, 3.0]])
    for half in ("L", "U"):
        found = np.linalg.eigvalsh(*tensors(x), UPLO=half)
        np.testing.assert_allclose(found.data, np.linalg.eigvalsh(x, UPLO=half))
    tall = np.arange(6.0).reshape(3, 2) ** 2
    for found, expected in zip(
        np.linalg.svd(*tensors(tall)), np.linalg.svd(tall), strict=True
    ):
        np.testing.assert_allclose(found.data, expected, atol=1e-14)
    deep = [[[np.ones(1)], [np.zeros(1)]]]
    (t,) = tensors(np.array([2.0]))
    with_t = [[[t], [np.zeros(1)]]]
    assert np.block(with_t).shape == np.block(deep).shape
    matrix = np.arange(6.0).reshape(2, 3)
    for axis in (0, 1):
        found = np.cumulative_sum(*tensors(matrix), axis=axis)
        np.testing.assert_array_equal(found.data, np.cumulative_sum(matrix, axis=axis))
    cube = np.arange(24.0).reshape(2, 3, 4)
    for found, expected in zip(
        np.unstack(*tensors(cube), axis=2), np.unstack(cube, axis=2), strict=True
    ):
        np.testing.assert_array_equal(found.data, expected)
    row = np.block([Tensor(tall), tall])
    np.testing.assert_array_equal(row.data, np.block([tall, tall]))


def test_what_a_cut_of_singular_values_leaves():
    """Each matrix of a stack has its own scale; lstsq cuts off as it is told."""
    x = np.diag([1.0, 0.5])
    stack = np.stack([x, 1e-6 * x])
    found = np.linalg.pinv(*tensors(stack), rcond=0.1)
    np.testing.assert_allclose(found.data, np.linalg.pinv(stack, rcond=0.1))
    found.backward(np.ones(found.shape))
    b = np.array([1.0, 2.0])
    for rcond in (None, 1e-3, 0.7):
        found = np.linalg.lstsq(*tensors(x), b, rcond=rcond)[0]
        np.testing.assert_allclose(found.data, np.linalg.lstsq(x, b, rcond=rcond)[0])
