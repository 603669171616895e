"""What users of NumPy and of other libraries bring: cases that were, or could be, wrong.

Gradients are held against central differences of NumPy's own function.
"""

import copy
import pickle
import subprocess
import sys
import warnings
import weakref

import numpy as np
import pytest

import autograd
from autograd import (
    Tensor,
    Value,
    checkpoint,
    contributions,
    grad,
    jvp,
    linear,
    linear_steps,
    no_grad,
    primitive,
    times_transposed,
    vjp,
)
from autograd.backward import sweep
from autograd.primitive import Primitive
from rnn import GRU, LSTM, MLP, RNN, ElmanNetwork


def leaf(data, **more):
    return Tensor(data, requires_grad=True, **more)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0.3, 1.5, size=shape)


def along(f, x, u):
    """The central difference of f at x along u."""
    h = 1e-6
    return (f(x + h * u) - f(x - h * u)) / (2 * h)


FORMS = [
    ("power, list", lambda x: x ** [1.0, 2.0, 0.5], (2, 3)),
    ("power, tuple", lambda x: (1.0, 2.0, 0.5) ** x, (2, 3)),
    ("arctan2, list", lambda x: np.arctan2(x, [1.0, 2.0, 0.5]), (2, 3)),
    ("matmul, list", lambda x: np.matmul(x, [[1.0], [2.0], [0.5]]), (2, 3)),
    ("scalars", lambda x: np.float64(2) * x ** np.int64(3) - np.float32(0.5) / x, (2,)),
    ("interp, lists", lambda x: np.interp(x, [0, 1.0, 2], [1.0, 2.0, 4.0]), (4,)),
    ("interp, points", lambda x: np.interp([0.1, 1.1], [0, 1.0, 2], x), (3,)),
    ("interp, one point", lambda x: np.interp([0.1, 1.1], [0.5], x), (1,)),
    ("var, mean=", lambda x: np.var(x, axis=0, mean=np.zeros((1, 3))), (2, 3)),
    ("std, mean=", lambda x: np.std(x, axis=0, mean=np.ones((1, 3))), (4, 3)),
    ("take, booleans", lambda x: np.take(x, [True, False, True]), (3,)),
    ("tril of a vector", np.tril, (3,)),
    ("triu of a vector", lambda x: np.triu(x, 1), (3,)),
    ("convolve, number", lambda x: np.convolve(x, 0.7), (3,)),
    ("cov, list", lambda x: np.cov(x, [[1, 2], [5, 3]], rowvar=False), (2, 2)),
    ("linspace, list", lambda x: np.linspace(x, [3.0, 4.0], 4), (2,)),
    ("bincount, booleans", lambda x: np.bincount(np.array([True, False]), x), (2,)),
    ("pinv, positional", lambda x: np.linalg.pinv(x, 1e-10, False), (3, 2)),
    ("lstsq, singular values", lambda x: np.linalg.lstsq(x, np.ones(3))[3], (3, 2)),
    ("gradient, list", lambda x: np.gradient(x, [0.0, 1.0, 3.0]), (3,)),
]


@pytest.mark.parametrize(
    ("f", "shape"), [f[1:] for f in FORMS], ids=[f[0] for f in FORMS]
)
@pytest.mark.parametrize("layout", [np.asarray, np.asfortranarray, lambda x: x[::-1]])
@pytest.mark.filterwarnings("ignore:Degrees of freedom|invalid value|divide by zero")
def test_forms(f, shape, layout):
    x, u = layout(numbers(*shape)), numbers(*shape, seed=1)
    t = leaf(x)
    out = f(t)
    expected = f(x)
    np.testing.assert_allclose(out.data, expected, rtol=1e-12)
    g = numbers(*np.shape(expected), seed=2)
    if not np.all(np.isfinite(expected)):
        return
    out.backward(g)
    found = np.sum(t.grad * u)
    assert found == pytest.approx(np.sum(g * along(f, x, u)), rel=1e-6)
    tangent = jvp(f, (x,), (u,))[1]
    np.testing.assert_allclose(tangent, along(f, x, u), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.gradient(x, np.array([0, 1.0, 3.0])),
        lambda x: np.polyval([1.0, 2.0], x),
        lambda x: np.insert(x, [1], 5.0),
    ],
)
def test_dtype_is_that_of_numpy(f):
    x = np.ones(3, np.float32)
    assert f(leaf(x)).dtype == f(x).dtype


def test_pseudo_inverse_cut_short_is_refused():
    x = leaf(np.diag([1.0, 0.3]))
    with pytest.raises(ValueError, match="pinv: rcond="):
        np.sum(np.linalg.pinv(x, 0.5)).backward()
    a, b = np.diag([1.0, 0.3]), np.ones(2)
    found = np.linalg.lstsq(Tensor(a), b, rcond=0.5)[0]
    np.testing.assert_allclose(found.data, np.linalg.lstsq(a, b, rcond=0.5)[0])


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint64])
def test_rows_by_indices_of_a_small_type(dtype):
    t = leaf(np.ones((300, 2)))
    np.sum(t[np.array([1, 2, 1], dtype)]).backward()
    assert t.grad[1].tolist() == [2, 2] and t.grad.sum() == 6


# What is changed behind the graph's back.


def reshaped(x):
    with no_grad():
        return x.reshape(-1)


def same(x):
    with no_grad():
        return np.atleast_1d(x)


@pytest.mark.parametrize("seen", [Tensor.detach, reshaped, same])
@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.data.__setitem__(0, 9),
        lambda x: x.data.reshape(2, 2).fill(9),
        lambda x: memoryview(x.data).__setitem__(0, 9.0),
    ],
)
def test_change_of_the_owner_of_what_was_used(seen, change):
    x, w = leaf(np.ones(4)), leaf(np.ones(4))
    y = np.sum(w * seen(x))
    y.backward()  # nothing was changed yet
    change(x)
    with pytest.raises(ValueError, match="was changed after"):
        y.backward()


@pytest.mark.parametrize(
    "f",
    [
        lambda x, c: x * c,
        lambda x, c: c - x * x,
        lambda x, c: np.where(x > 1, x, c) ** 2,
        lambda x, c: np.where(c, x, 0),
        lambda x, c: np.stack([x, c]) ** 2,
        lambda x, c: np.concatenate([c, x, x]),
        lambda x, c: np.einsum("i,i,i->", x, c, c),
    ],
)
def test_change_of_an_array_among_the_arguments(f):
    c, x = np.ones(3), leaf(np.array([0.5, 1.2, 1.7]))
    y = np.sum(f(x, c))
    y.backward()
    c[:] = 0
    with pytest.raises(ValueError, match="was changed after"):
        y.backward()


def test_change_through_asarray():
    x, w = Tensor(np.ones(3)), leaf(np.ones(3))
    y = np.sum(w * x)
    np.asarray(x)[0] = 9
    with pytest.raises(ValueError, match="was changed after"):
        y.backward()


def test_change_of_an_array_of_a_subclass(tmp_path):
    m = np.memmap(tmp_path / "numbers", dtype=float, mode="w+", shape=(3,))
    w = leaf(np.ones(3))
    y = np.sum(w * m)
    y.backward()
    m[0] = 9
    with pytest.raises(ValueError, match="was changed after"):
        y.backward()


@pytest.mark.parametrize(
    ("f", "given", "later"),
    [
        (lambda x, v: x * v, [1.0, 2.0, 3.0], [9.0, 9.0, 9.0]),
        (lambda x, v: v - x * x, [1.0, 2.0, 3.0], [9.0, 9.0, 9.0]),
        (lambda x, v: np.repeat(x, v), [1, 2, 1], [2, 1, 1]),
        (lambda x, v: np.repeat(x, repeats=v), [1, 2, 1], [2, 1, 1]),
        (lambda x, v: np.sum(x * x, where=v), [True, False, True], [False] * 3),
        (lambda x, v: np.where(v, x, 0), [True, False, True], [False] * 3),
        (lambda x, v: x[v], [0, 0, 1], [2, 2, 2]),
        (lambda x, v: np.stack([x, v]), [1.0, 2.0, 3.0], [9.0, 9.0, 9.0]),
    ],
)
def test_list_is_as_it_was(f, given, later):
    x, values = leaf(np.arange(1.0, 4)), [*given]
    expected = grad(lambda x: np.sum(f(x, given)))(x.data)
    y = np.sum(f(x, values))
    values[:] = later
    y.backward()
    assert np.array_equal(x.grad, expected)


def test_value_of_vjp_is_the_users_own():
    out, pull = vjp(np.exp, np.zeros(3))
    out *= 5
    assert pull(np.ones(3))[0].tolist() == [1, 1, 1]


def test_pulled_back_gradient_has_the_dtype_of_the_primal():
    for f in (lambda x: x, lambda x: 2 * x):
        _, pull = vjp(f, np.zeros(3, np.float32))
        for g in (np.ones(3), np.ones(3, int), [1, 1, 1]):
            assert pull(g)[0].dtype == np.float32


def test_nothing_changed_nothing_raised():
    x = leaf(np.ones(4))
    held, y = x.data, np.sum(x * x)
    held[0] = 5
    held[0] = 1
    y.backward()
    z = np.sum(x.detach() * x + np.asarray(Tensor(np.ones(4))))
    assert repr(x) and x.data[::-1].sum() == 4 and copy.copy(x) is not x
    z.backward()
    assert x.grad.tolist() == [3] * 4


# Checkpoints.


def test_checkpoint_closes_over_its_own_argument():
    x = leaf(0.7)
    checkpoint(lambda y: np.sin(y) * x)(x).backward()
    assert x.grad == pytest.approx(np.cos(0.7) * 0.7 + np.sin(0.7))


@pytest.mark.parametrize("order", [1, 2, 3])
def test_checkpoint_closes_over_what_its_argument_came_from(order):
    def plain(x):
        return np.sin(x * x) * x * x

    def one(x):
        return checkpoint(lambda h: np.sin(h) * x)(x * x) * x

    def nested(x):
        return checkpoint(lambda x: checkpoint(lambda y: np.sin(y * y) * x)(x) * x)(x)

    fs = [plain, one, nested]
    for _ in range(order):
        fs = [grad(f) for f in fs]
    expected, *found = (f(0.7) for f in fs)
    assert found == pytest.approx([expected] * 2, rel=1e-12)


def test_checkpoint_closes_over_a_leaf_changed_in_place():
    W, x = leaf(np.ones(3)), leaf(np.ones(3))
    np.sum(W * W)
    W.data[0] = 2
    checkpoint(lambda x: np.sum(x * W * W))(x).backward()
    assert W.grad.tolist() == [4, 2, 2] and x.grad.tolist() == [4, 1, 1]


def test_checkpoint_over_an_array_changed_since():
    c, x = np.ones(3), leaf(np.zeros(3))

    def closes_over(x, _):
        return x * c

    for f in (closes_over, np.multiply):
        y = np.sum(checkpoint(f)(x, c))
        y.backward()
        c += 1
        with pytest.raises(ValueError, match="not what it was"):
            y.backward()


def test_checkpoint_that_draws_random_numbers_inside():
    rng, x = np.random.default_rng(0), leaf(np.ones(3))
    y = np.sum(checkpoint(lambda x: x * rng.normal(size=3))(x))
    with pytest.raises(ValueError, match="draw random numbers outside"):
        y.backward()


# Copies.


COPIES = (copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x)))


@pytest.mark.parametrize("copied", COPIES)
def test_copies_are_leaves_of_their_own(copied):
    x = leaf(np.ones(3), name="x")
    np.sum(x * x).backward()
    y, z = copied(x), copied(Value(2.0))
    y.data[0] = 9
    y.grad[0] = 9
    assert x.data[0] == 1 and x.grad[0] == 2 and y.name == "x" and y.requires_grad
    y.zero_grad()
    np.sum(y * y).backward()
    assert y.grad.tolist() == [18, 2, 2]
    assert type(z) is Value and type(z.data) is float
    assert copied((x * x).detach()).data.tolist() == [1, 1, 1]


def test_pickle_from_a_process_that_made_many_tensors():
    writes = (
        "import pickle, sys, numpy as np; from autograd import Tensor\n"
        "for _ in range(10**5): Tensor(1.0)\n"
        "t = Tensor(np.ones(3), requires_grad=True)\n"
        "sys.stdout.buffer.write(pickle.dumps(t))"
    )
    text = subprocess.run([sys.executable, "-c", writes], capture_output=True, check=True)
    x = pickle.loads(text.stdout)
    np.sum(x * x).backward()
    assert x.grad.tolist() == [2, 2, 2]


# Users' own operations.


@pytest.mark.parametrize(
    ("rule", "error", "match"),
    [
        (lambda g, ans, x: None, TypeError, "double: its VJP returned None"),
        (lambda g, ans, x: np.ones((3, 2)), ValueError, r"double: .*\(3, 2\)"),
        (lambda g, ans, x: np.ones(2), ValueError, r"double: .*\(2,\)"),
        (lambda g, ans, x: np.ones((1, 2, 3)), ValueError, r"double: .*\(1, 2, 3\)"),
    ],
)
def test_wrong_rules_are_named(rule, error, match):
    @primitive
    def double(x):
        return 2 * x

    double.defvjp(rule)
    with pytest.raises(error, match=match):
        np.sum(double(leaf(np.ones((2, 3))))).backward()


# Every function of NumPy's.

ARGUMENTS = [
    (numbers(4),), (numbers(2, 3),), (numbers(3, 3),), (0.7,),
    (numbers(4), numbers(4, seed=1)), (numbers(3, 3), numbers(3, 3, seed=1)),
    (numbers(4), 0.7), (0.7, numbers(4)), (numbers(4), [2.0, 0.5, 1.0, 0.2]),
    ([numbers(4), numbers(4, seed=1)],), (numbers(3), np.array([0, 2])),
    (numbers(4), np.array([True, False, True, True])), (numbers(2, 3), 1),
    ("i,i", numbers(4), numbers(4, seed=1)), (numbers(2, 3), (3, 2)),
]  # fmt: skip
# They show themselves by their printed results, or give None whatever comes.
NO_FUNCTIONS = {
    "info",
    "bmat",
    "save",
    "savez",
    "savez_compressed",
    "savetxt",
    "load",
    "test",
}


def namespace(module):
    for name in sorted(dir(module)):
        function = getattr(module, name)
        wanted = not name.startswith("_") and name not in NO_FUNCTIONS
        if wanted and callable(function) and not isinstance(function, type):
            yield pytest.param(function, id=f"{module.__name__}.{name}")


@pytest.mark.parametrize(
    "function", [*namespace(np), *namespace(np.linalg), *namespace(np.fft)]
)
def test_no_function_drops_a_gradient(function):
    """A float result is a Tensor, or does not move with the argument; or it raises."""
    for arguments in ARGUMENTS:
        for place, x in enumerate(arguments):
            if not isinstance(x, (float, np.ndarray)) or np.result_type(x).kind != "f":
                continue

            def call(x, arguments=arguments, place=place):
                given = copy.deepcopy(arguments)  # the last may be taken for out=
                found = function(*given[:place], x, *given[place + 1 :])
                return found if isinstance(found, (tuple, list)) else [found]

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    expected, nearby = call(copy.copy(x)), call(x * (1 + 1e-5))
                    found = call(leaf(x))
                except Exception:  # most arguments fit few functions
                    continue
            for got, want, near in zip(found, expected, nearby, strict=True):
                if isinstance(got, Tensor) and got.requires_grad:
                    assert got.shape == np.shape(want)
                    np.testing.assert_allclose(got.data, want, rtol=1e-10)
                elif isinstance(want, (np.ndarray, np.floating)):
                    assert np.result_type(got).kind != "O"
                    if np.result_type(want).kind in "fc":
                        same = np.allclose(want, near, rtol=1e-9, atol=1e-9)
                        assert same or np.shape(want) != np.shape(near)


# The sweep's shortcuts, on random graphs.


STEPS = [
    lambda x, y, at: x + y,
    lambda x, y, at: x * y,
    lambda x, y, at: x @ y,
    lambda x, y, at: x.T @ y,
    lambda x, y, at: np.inner(x, y),
    lambda x, y, at: x[-at[0]] if x.ndim > 1 else 2 * x,
    lambda x, y, at: x[at],
    lambda x, y, at: x[::-1][at[0] :],
    lambda x, y, at: x @ numbers(x.shape[-1], 3),
]


def compose(rng, pool):
    """A scalar of random matrix products, slices and transposes of shared arrays."""
    for _ in range(12):
        x, y = (pool[i] for i in rng.integers(len(pool), size=2))
        at = rng.integers(0, len(x), size=rng.integers(1, 4))
        try:
            z = STEPS[rng.integers(len(STEPS))](x, y, at)
        except ValueError:
            continue
        if z.ndim and 0 < z.size < 200:
            pool.append(0.5 * z)
    return sum(np.sum(np.sin(z)) for z in pool)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shortcuts_of_the_sweep_agree_with_the_recorded_one(dtype):
    shapes = [(3, 3), (3,), (3, 4), (2, 3, 3)]
    tight = 1e-11 if dtype is np.float64 else 2e-3
    for seed in range(40):
        leaves = [leaf(np.random.default_rng(seed).normal(size=s).astype(dtype))
                  for s in shapes]  # fmt: skip
        loss = compose(np.random.default_rng(seed), [*leaves])
        loss.backward()
        one = np.ones(loss.shape, loss.dtype)
        recorded = {x: g for x, g, _ in sweep(loss, one, record=True)}
        for x in leaves:
            expected = recorded[x].data
            scale = tight * (1 + np.abs(expected).max())
            terms = sum(term.gradient for term in contributions(loss, x))
            assert x.grad.dtype == dtype and x.grad.flags.writeable
            np.testing.assert_allclose(x.grad, expected, rtol=0, atol=scale)
            np.testing.assert_allclose(terms, expected, rtol=0, atol=scale)
        assert not any(
            np.shares_memory(x.grad, y.grad) for x in leaves for y in leaves if x is not y
        )


def test_graph_is_freed_without_the_garbage_collector():
    x = leaf(np.ones(3))
    constant = np.ones(3)
    gone = weakref.ref(constant)
    y = np.sum(checkpoint(np.tanh)(x * constant) ** 2)
    y.backward()
    del y, constant
    assert gone() is None


OPERATIONS = [x for x in vars(autograd).values() if isinstance(x, Primitive)]


@pytest.mark.parametrize("copied", COPIES)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda x: x.name)
def test_a_copied_operation_is_the_operation(operation, copied):
    assert copied(operation) is operation
    # … by the name that users have for it, wherever its rule is kept.
    assert b"autograd.rules" not in pickle.dumps(operation)


@pytest.mark.parametrize("copied", COPIES)
@pytest.mark.parametrize(
    "network",
    [
        ElmanNetwork(2, 3, 2, "relu", "softmax", rng=0), RNN(2, 3, nonlinearity="relu"),
        MLP([2, 3, 1], "sigmoid"), LSTM(2, 3), GRU(2, 3),
    ],
    ids=lambda x: type(x).__name__,
)  # fmt: skip
def test_a_copied_network_gives_the_same(network, copied):
    x = np.random.default_rng(0).normal(size=(4, 1, 2))
    first = lambda y: (y[0] if isinstance(y, tuple) else y).data  # noqa: E731
    assert np.array_equal(first(network(x)), first(copied(network)(x)))


def test_an_operation_that_no_name_leads_to_is_still_copied():
    cube = primitive(lambda x: x**3)
    assert copy.deepcopy({"cube": cube})["cube"] is copy.copy(cube) is cube


@pytest.mark.parametrize("shape", [(5,), (1,), (), (1, 5), (4, 1), (4, 5)], ids=str)
def test_a_bias_of_any_shape_has_its_own_gradient(shape):
    rng = np.random.default_rng(0)
    x, W, g = (rng.normal(size=s) for s in ((4, 3), (5, 3), (4, 5)))
    b, c = (Tensor(rng.normal(size=shape), requires_grad=True) for _ in "bc")
    before, after = (Tensor(rng.normal(size=5), requires_grad=True) for _ in "ba")
    linear(x, W, before, b, after).backward(g)
    (np.inner(x, W) + before + c + after).backward(g)
    np.testing.assert_allclose(b.grad, c.grad, rtol=1e-14)
    b.grad *= 0.5  # as a clipping does


def test_a_bias_of_more_digits_keeps_them():
    rng = np.random.default_rng(0)
    x, W = (rng.normal(size=s).astype(np.float32) for s in ((4, 3), (5, 3)))
    b = rng.normal(size=5)
    found = linear(Tensor(x), W, b).data
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, np.dot(x, W.T) + b)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layers_are_their_formula(dtype):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 2, 3)).astype(np.float32)
    W, b, c = (rng.normal(size=s).astype(dtype) for s in ((5, 3), (5,), (5,)))
    right, tolerance = x @ W.T + b + c, 1e-5 if dtype is np.float32 else 1e-12
    steps = [step.data for step in map(linear_steps(Tensor(x), W, b, c), range(4))]
    for found, expected in (
        (linear(Tensor(x), W, b, c).data, right),
        (linear(Tensor(x[0, 0]), W, b, c).data, right[0, 0]),
        (np.stack(steps), right),
        (times_transposed(Tensor(W))(x[1]).data, x[1] @ W.T),
    ):
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
        assert found.dtype == dtype
