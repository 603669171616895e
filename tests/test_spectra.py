"""Derivatives at equal and zero eigenvalues and singular values: right, or refused."""

import gc

import numpy as np
import pytest
from covered import convention
from hypothesis import given
from hypothesis import strategies as st

from autograd import compile, grad, hessian, hvp, jvp

linalg = np.linalg
refused = pytest.raises(linalg.LinAlgError, match=r"np\.linalg\.\w+: a derivative by")
C = np.array([[1.0, 2.0, -1.0], [3.0, 5.0, 7.0], [0.5, -2.0, 4.0]])
S = C + C.T
PERMUTED = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def orthogonal(n, seed):
    return linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0]


def symmetric_of(w, seed=0):
    v = orthogonal(len(w), seed)
    x = (v * w) @ v.T
    return (x + x.T) / 2


def matrix_of(s, m, n, seed=0):
    return (orthogonal(m, seed)[:, : len(s)] * s) @ orthogonal(n, seed + 1)[: len(s)]


def of_symmetric(function):
    """Σ C ∘ f(x) by the eigenvectors, of each of a stack of x."""

    def value(x):
        w, v = linalg.eigh(x)
        t = np.swapaxes(v, -1, -2)
        return np.sum(C * ((v * function(w)[..., np.newaxis, :]) @ t))

    return value


def polar(x):
    u, _, vh = linalg.svd(x, full_matrices=False)
    return np.sum(C[: len(x)] * (u @ vh))


def of_eig(x):
    w, v = linalg.eig(x)
    return np.sum(C * ((v * np.exp(w)) @ linalg.inv(v)))


EQUAL = [
    (of_symmetric(np.sqrt), 4 * np.eye(3)),
    (of_symmetric(np.log), np.eye(3)),
    (of_symmetric(np.exp), np.zeros((3, 3))),
    (of_symmetric(np.exp), symmetric_of([1.0, 1.0, 3.0])),
    (of_symmetric(np.exp), symmetric_of([1.0, 1 + 1e-15, 3.0])),
    (of_symmetric(np.exp), symmetric_of([1.0, 1 + 1e-11, 3.0])),
    (of_symmetric(np.exp), symmetric_of([1.0, 1 + 1e-11, 3.0]) * 1e-150),
    (polar, np.eye(3)),
    (polar, matrix_of([2.0, 2.0, 1.0], 3, 3)),
    (polar, matrix_of([2.0, 0.0], 2, 3)),
    (polar, matrix_of([2.0, 1e-12], 2, 3)),
    (of_eig, np.eye(3)),
    (of_eig, np.diag([2.0, 2.0, 1.0])),
    (lambda x: linalg.eigvals(x)[0], np.eye(3, k=1)),
    (lambda x: np.sum(linalg.eigvals(x) ** 2), np.eye(3) + np.eye(3, k=1)),
    (lambda x: np.sum(linalg.eig(x)[0] ** 2), np.eye(3) + np.eye(3, k=1)),
]


@pytest.mark.parametrize(("function", "x"), EQUAL)
def test_gradients_by_vectors_of_equal_values_are_refused(function, x):
    with refused:
        grad(function)(x)
    with refused:
        jvp(grad(function), (x,), (S[: len(x)],))


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (lambda x: np.sum(linalg.eigvalsh(x) ** 2), np.eye(3)),
        (lambda x: np.sum(linalg.eigh(x)[0] ** 2), np.eye(3)),
        (lambda x: linalg.eigvalsh(x)[0], np.eye(3)),
        (lambda x: np.sum(linalg.eigvals(x) ** 2), np.eye(3)),
        (lambda x: np.sum(linalg.svdvals(x) ** 2), np.eye(3)),
        (lambda x: np.sum(linalg.svdvals(x) ** 2), np.zeros((3, 3))),
        (lambda x: linalg.norm(x @ x.T, "nuc"), np.ones((3, 1))),
        (lambda x: linalg.norm(x @ x.T, "nuc"), np.ones((2, 1))),
        (lambda x: linalg.norm(x, "nuc"), np.diag([3.0, 2.0, 0.0])),
        (lambda x: linalg.norm(x, "nuc"), matrix_of([2.0, 1e-11], 3, 2)),
        (lambda x: linalg.norm(x, -2), np.diag([3.0, 2.0, 2.0])),
        (linalg.cond, np.eye(3)),
    ],
)
def test_second_derivatives_by_equal_values_are_refused(function, x):
    assert np.all(np.isfinite(grad(function)(x)))
    with refused:
        hessian(function)(x)
    with refused:
        jvp(grad(function), (x,), (np.ones_like(x),))


def test_second_derivatives_by_other_values_are_right_beside_equal_ones():
    """λ, σ and functions of them whose own value differs from all the others."""
    w, v = np.array([1.0, 1.0, 4.0]), orthogonal(3, 2)
    x = (v * w) @ v.T
    for s in (np.array([4.0, 1.0, 1.0]), np.array([4.0, 0.0, 0.0])):
        x = symmetric_of(s)
        u = linalg.eigh(x)[1]
        e = u.T @ S @ u
        second = 2 * np.sum(e[-1, :2] ** 2) / (s[0] - s[1])
        for function in (lambda x: linalg.eigvalsh(x)[-1], lambda x: linalg.norm(x, 2)):
            assert np.sum(hvp(function)(x, S) * S) == pytest.approx(second, rel=1e-9)
            square = hvp(lambda x, f=function: f(x) ** 2)(x, S)
            expected = 2 * s[0] * second + 2 * e[-1, -1] ** 2
            assert np.sum(square * S) == pytest.approx(expected, rel=1e-9)


def test_sums_of_equal_values_have_second_derivatives():
    for x in (np.eye(3), symmetric_of([2.0, 2.0, 1.0])):
        found = hvp(lambda x: np.sum(linalg.eigvalsh(x)))(x, S)
        np.testing.assert_allclose(found, np.zeros((3, 3)), atol=1e-14)
    found = hvp(lambda x: linalg.norm(x, "nuc"))(3 * np.eye(3), C)
    np.testing.assert_allclose(found, (C - C.T) / 6, atol=1e-14)


def test_single_vectors_have_derivatives_beside_equal_ones():
    x = symmetric_of([1.0, 1.0, 4.0])
    top = lambda x: (linalg.eigh(x)[1][:, -1] @ C[0]) ** 2  # noqa: E731
    v = linalg.eigh(x)[1]
    turned = v[:, :2] @ (v[:, :2].T @ S @ v[:, -1]) / 3
    expected = 2 * (v[:, -1] @ C[0]) * (turned @ C[0])
    assert np.sum(grad(top)(x) * S) == pytest.approx(expected, rel=1e-12)
    assert jvp(top, (x,), (S,))[1] == pytest.approx(expected, rel=1e-12)
    for vector in (lambda x: linalg.svd(x)[0][:, 0], lambda x: linalg.svd(x)[2][0]):
        found = grad(lambda x, f=vector: (f(x) @ C[0]) ** 2)(x)
        assert np.sum(found * S) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "function",
    [
        of_symmetric(np.exp),
        lambda x: np.sum(linalg.svd(x)[0] ** 2 * C),
        lambda x: np.sum(linalg.eig(x)[1] ** 2 * C),
        lambda x: np.sum(linalg.qr(x)[0] ** 2 * C),
        lambda x: np.sum(linalg.slogdet(x)[1]),
        lambda x: np.sum(np.sum(linalg.eigvalsh(x) ** 3, axis=-1) ** 2),
        lambda x: np.sum(np.sum(linalg.svdvals(x) ** 3, axis=-1) ** 2),
    ],
)
def test_each_matrix_of_a_stack_is_refused_by_itself(function):
    good, bad = symmetric_of([1.0, 2.0, 4.0]), np.zeros((3, 3))
    stack = np.stack([good, bad, good @ good])
    first = grad(function)(stack)
    second = hvp(function)(stack, np.broadcast_to(S, stack.shape))
    assert np.all(np.isnan(second[1]))
    for i in (0, 2):
        np.testing.assert_allclose(first[i], grad(function)(stack[i]), rtol=1e-12)
        alone = hvp(function)(stack[i], S)
        np.testing.assert_allclose(second[i], alone, rtol=1e-9, atol=1e-9)


@given(st.integers(-16, -1), st.integers(0, 100))
def test_derivatives_near_equal_values_are_right_or_refused(exponent, seed):
    """Of tr x⁴: 4 x³, then 4 Σ x S x, then 24 tr x S³, by the eigenvalues alone."""
    x = symmetric_of([1.0, 1 + 10.0**exponent, 3.0], seed)
    along = lambda t: np.sum(linalg.eigvalsh(x + t * S) ** 4)  # noqa: E731
    exact = [
        4 * x @ x @ x @ S,
        4 * (x @ x @ S @ S * 2 + x @ S @ x @ S),
        24 * x @ S @ S @ S,
    ]
    slope = along
    for wanted in exact:
        slope = grad(slope)
        try:
            found = slope(0.0)
        except linalg.LinAlgError:
            continue
        assert found == pytest.approx(np.trace(wanted), rel=1e-5)


@pytest.mark.parametrize(
    "shape",
    [(3, 2), (2, 3), (4, 1), (1, 1), (3, 3), (0, 0), (0, 3), (3, 0), (2, 0, 3, 3)],
)
def test_factors_of_every_shape_have_gradients(shape):
    x = np.arange(np.prod(shape), dtype=float).reshape(shape) ** 2 % 7 + 0.5
    values = lambda x: np.sum(linalg.svdvals(x) ** 2)  # noqa: E731
    np.testing.assert_allclose(grad(values)(x), 2 * x, atol=1e-12)
    product = lambda x: np.sum((lambda u, s, vh: (u * s[..., None, :]) @ vh)(  # noqa: E731
        *linalg.svd(x, full_matrices=False)
    ))  # fmt: skip
    np.testing.assert_allclose(grad(product)(x), np.ones(shape), atol=1e-9)


@pytest.mark.parametrize("part", [0, 2])
def test_vectors_of_a_null_space_are_refused_in_every_mode(part):
    x = matrix_of([2.0, 1.0], 3, 2) if part == 0 else matrix_of([2.0, 1.0], 2, 3)
    function = lambda x: linalg.svd(x)[part] ** 2  # noqa: E731
    for derivative in (
        lambda: grad(lambda x: np.sum(function(x) * C))(x),
        lambda: jvp(function, (x,), (np.ones_like(x),)),
        lambda: hvp(lambda x: np.sum(function(x) * C))(x, x),
    ):
        with pytest.raises(TypeError, match="a gradient came through column 2"):
            derivative()
    cut = (slice(None), slice(2)) if part == 0 else (slice(2),)
    full = lambda x: np.sum(linalg.svd(x)[part][cut] ** 4)  # noqa: E731
    thin = lambda x: np.sum(linalg.svd(x, full_matrices=False)[part] ** 4)  # noqa: E731
    for f in (lambda f: grad(f)(x), lambda f: hvp(f)(x, x + 1)):
        np.testing.assert_array_equal(f(full), f(thin))


def determinant(x):
    """By permutations."""
    a, b, c = x[..., 0, :], x[..., 1, :], x[..., 2, :]
    return np.sum(a * np.cross(b, c), axis=-1)


SINGULAR = [
    *(matrix_of(s, 3, 3) for s in ([3.0, 2.0, 0.0], [3.0, 0.0, 0.0], [0.0] * 3)),
    *(matrix_of([3.0, 2.0, e], 3, 3) for e in (1e-17, 1e-12, 1e-9, 1e-6, 1e-3, 1.0)),
    np.arange(9.0).reshape(3, 3),
    PERMUTED * [1.0, 1e-9, 2e-9],
]


@pytest.mark.parametrize("x", [*SINGULAR, np.stack(SINGULAR), np.stack(SINGULAR)[None]])
@pytest.mark.parametrize("scale", [1.0, 1e100, 1e-100])
def test_determinants_have_derivatives_of_every_order_at_singular_matrices(x, scale):
    e = np.broadcast_to(C, x.shape)

    def slopes(f, scale):
        first = lambda x: grad(lambda x: np.sum(f(x)))(x)  # noqa: E731
        second = lambda x: hvp(lambda x: np.sum(f(x)))(x, e)  # noqa: E731
        third = grad(lambda x: np.sum(second(x) * S))
        along = jvp(first, (scale * x,), (e,))[1] * scale
        y = scale * x
        orders = [first(y), second(y) * scale, along, third(y) * scale**2]
        return [found / scale**2 for found in orders]

    found, expected = slopes(linalg.det, scale), slopes(determinant, 1.0)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-12 + 1e-7 * np.max(abs(b)))


def test_determinants_that_underflow_have_cofactors():
    for scale in (1e-160, 1e160):
        with np.errstate(over="ignore"):
            found = grad(linalg.det)(scale * np.diag([2.0, 3.0]))
        np.testing.assert_allclose(found, scale * np.diag([3.0, 2.0]), rtol=1e-12)
    numbers = np.array([[0.0]]), np.array([[1e-17]])
    for x in numbers:
        assert hessian(linalg.det)(x) == 0


def test_the_logarithm_of_a_determinant_of_zero_is_refused_by_name():
    with pytest.raises(linalg.LinAlgError, match=r"np\.linalg\.slogdet: the matrix is"):
        grad(lambda x: linalg.slogdet(x)[1])(np.ones((3, 3)))


@pytest.mark.parametrize(
    "x", [np.ones((3, 2)), np.zeros((2, 2)), np.diag([1.0, 0.0]), np.ones((2, 3)),
          matrix_of([1.0, 1e-12], 3, 2)]
)  # fmt: skip
@pytest.mark.parametrize("part", [0, 1])
def test_orthogonal_factors_of_dependent_columns_are_refused(x, part):
    function = lambda x: np.sum(linalg.qr(x)[part] ** 2)  # noqa: E731
    for derivative in (grad(function), lambda x: jvp(grad(function), (x,), (x,))):
        with pytest.raises(linalg.LinAlgError, match="qr: the columns are linearly"):
            derivative(x)
    scaled = np.array([[1.0, 2e-30], [3.0, 4e-30]])
    assert np.all(np.isfinite(grad(function)(scaled)))


@pytest.mark.parametrize(
    ("dtype", "scale"), [("f4", 1e19), ("f4", 1e-19), (float, 1e150), (float, 1e-150)]
)
def test_squares_of_singular_values_neither_overflow_nor_underflow(dtype, scale):
    x = matrix_of([4.0, 2.0, 1.0], 4, 3)
    weights = np.arange(12.0).reshape(4, 3)
    rtol = 1e-3 if dtype == "f4" else 1e-10

    def vectors(x):
        u, _, vh = linalg.svd(x, full_matrices=False)
        return np.sum((u @ vh) * weights.astype(x.dtype))

    def total(x):
        return np.sum(linalg.svdvals(x) * np.arange(3).astype(x.dtype))

    large = (scale * x).astype(dtype)
    expected = grad(vectors)(x)
    found = grad(vectors)(large).astype(float) * scale
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol)
    expected = hvp(total)(x, weights)
    found = hvp(total)(large, weights.astype(dtype)).astype(float) * scale
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * 10)


@pytest.fixture
def no_collection():
    """Hypothesis times each garbage collection, for which `compile` refuses."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
def test_compiled_programs_refuse_equal_values():
    step = compile(grad(of_symmetric(np.exp)))
    good = symmetric_of([1.0, 2.0, 4.0])
    for _ in range(3):
        np.testing.assert_array_equal(step(good), grad(of_symmetric(np.exp))(good))
    with refused:
        step(np.eye(3))


@pytest.mark.parametrize("function", [linalg.eigh, linalg.eigvalsh, linalg.cholesky])
def test_conventions_stand_in_the_table_of_coverage(function):
    assert "symmetric" in convention(function) and "triangle" in convention(function)
