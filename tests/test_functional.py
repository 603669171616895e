"""Transformations of functions, against the complex step and against each other."""

import tracemalloc
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pytest
from oracles import complex_step

from autograd import (
    Tensor,
    checkpoint,
    grad,
    graph,
    hessian,
    hvp,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)

A = np.array([[0.3, -0.8], [1.1, 0.4], [-0.5, 0.9]])
X, U = np.array([0.7, -0.2]), np.array([0.4, 1.3])


def layer(x):
    return np.tanh(A @ x) * x[0]


def energy(x):
    return np.sum(np.tanh(A @ x) ** 2) + x[0] ** 3 * x[1]


def test_vjp_and_jvp_are_transposes():
    value, pull = vjp(layer, X)
    np.testing.assert_array_equal(value, layer(X))
    g = np.array([0.2, -1.0, 0.5])
    same, tangent = jvp(layer, (X,), (U,))
    np.testing.assert_array_equal(same, value)
    np.testing.assert_allclose(tangent, complex_step(layer, [X], [U]), rtol=1e-13)
    assert np.dot(pull(g)[0], U) == pytest.approx(np.dot(g, tangent), rel=1e-13)
    assert type(value) is type(tangent) is np.ndarray


def test_jacobian_is_the_complex_step():
    found = jacobian(layer)(X)
    expected = [complex_step(layer, [X], [unit]) for unit in np.eye(2)]
    np.testing.assert_allclose(found, np.transpose(expected), rtol=1e-13)
    assert jacobian(lambda x: np.outer(x, A @ x))(X).shape == (2, 3, 2)


def test_hessian_and_its_product():
    slope = grad(energy)
    H = hessian(energy)(X)
    np.testing.assert_allclose(H, H.T, rtol=1e-13)
    np.testing.assert_allclose(hvp(energy)(X, U), H @ U, rtol=1e-13)
    _, along = jvp(slope, (X,), (U,))
    np.testing.assert_allclose(along, H @ U, rtol=1e-13)
    step = 1e-5
    near = (slope(X + step * U) - slope(X - step * U)) / (2 * step)
    np.testing.assert_allclose(near, H @ U, rtol=1e-8)


def test_third_derivatives_through_every_transformation():
    cube = lambda x: np.sum(x**3)  # noqa: E731
    found = jacobian(hessian(cube))(X)
    assert found.shape == (2, 2, 2) and found[0, 0, 0] == pytest.approx(6)
    assert grad(lambda x: jvp(cube, (x,), (U,))[1])(X) == pytest.approx(6 * X * U)
    assert grad(lambda x: np.sum(vjp(cube, x)[1](1.0)[0]))(X) == pytest.approx(6 * X)
    assert grad(lambda x: np.sum(hvp(cube)(x, U)))(X) == pytest.approx(6 * U)


def test_nests_of_arguments():
    @dataclass
    class Layer:
        W: np.ndarray
        b: float

    def f(p, x):
        return p["one"].W @ x + p["one"].b + p["two"][0]

    p = {"one": Layer(A, 0.5), "two": (np.ones(3),)}
    in_p, in_x = jacobian(f, (0, 1))(p, X)
    np.testing.assert_array_equal(in_x, A)
    assert in_p["one"].W.shape == (3, 3, 2) and in_p["one"].b.shape == (3,)
    np.testing.assert_array_equal(in_p["two"][0], np.eye(3))
    value, gradient = value_and_grad(lambda p, x: np.sum(f(p, x)))(p, X)
    assert value == pytest.approx(np.sum(A @ X) + 4.5) and gradient["one"].b == 3
    _, tangent = jvp(f, (p, X), (p, X))
    np.testing.assert_allclose(tangent, 2 * A @ X + 1.5)


def test_a_nest_stays_of_its_kind():
    nest = defaultdict(list, w=np.array([1.0, 2.0]))
    found = grad(lambda p: np.sum(p["w"] ** 2))(nest)
    assert type(found) is defaultdict and found["missing"] == []
    np.testing.assert_array_equal(found["w"], [2, 4])
    np.testing.assert_array_equal(nest["w"], [1, 2])


def test_nested_calls_do_not_confuse_their_variables():
    constant = lambda x: jvp(lambda y: x, (1.0,), (1.0,))[1]  # noqa: E731
    assert grad(lambda x: x * constant(x))(2.0) == 0
    inner = lambda x: x * jvp(lambda y: x * y * y, (3.0,), (1.0,))[1]  # noqa: E731
    assert grad(inner)(2.0) == 24
    assert jvp(lambda x: grad(lambda y: x * y)(1.0), (2.0,), (1.0,))[1] == 1


def test_what_does_not_depend():
    _, pull = vjp(lambda x: np.ones(2), X)
    np.testing.assert_array_equal(pull(np.ones(2))[0], [0, 0])
    np.testing.assert_array_equal(jvp(lambda x: np.ones(3), (X,), (U,))[1], np.zeros(3))
    np.testing.assert_array_equal(jacobian(lambda x: np.ones(3))(X), np.zeros((3, 2)))
    assert jacobian(lambda x: x[:0])(X).shape == (0, 2)


def test_a_closed_over_tensor_stays_in_the_graph():
    w = Tensor(2.0, requires_grad=True)
    found = grad(lambda x: w * x * x)(3.0)
    assert isinstance(found, Tensor)
    found.backward()
    assert w.grad == 6


ERRORS = [
    (
        lambda: vjp(layer, X)[1](np.ones(2)),
        ValueError,
        r"g has shape \(2,\), expected .*\(3",
    ),
    (
        lambda: jvp(layer, (X,), (A,)),
        ValueError,
        r"jvp: tangents\[0\] has shape \(3, 2\), expected \(2,\)",
    ),
    (
        lambda: jacobian(lambda x: None)(X),
        TypeError,
        "jacobian: the function returned None",
    ),
    (lambda: hessian(layer)(X), ValueError, r"returned shape \(3,\)"),
]


@pytest.mark.parametrize(("call", "exception", "match"), ERRORS)
def test_errors(call, exception, match):
    with pytest.raises(exception, match=match):
        call()


def outer_weights():
    rng = np.random.default_rng(0)
    return Tensor(rng.normal(size=(3, 3)), requires_grad=True, name="W")


def run(W, x, wrapped):
    """Three layers of a function that closes over W, and what went through x before."""
    layer = wrapped(lambda h, scale: np.tanh(h @ W) * scale)
    h = x * 2.0
    for scale in (1.0, 0.5, 2.0):
        h = layer(h, scale)
    return np.sum(h * h)


def test_a_checkpoint_changes_no_value_and_no_gradient():
    found = []
    for wrapped in (lambda f: f, checkpoint):
        W, x = outer_weights(), Tensor(np.ones((2, 3)), requires_grad=True)
        loss = run(W, x, wrapped)
        loss.backward()
        found.append((loss.data, W.grad, x.grad, len(graph(loss))))
    for plain, saved in zip(found[0][:3], found[1][:3], strict=True):
        np.testing.assert_allclose(saved, plain, rtol=1e-13)
    assert found[1][3] < found[0][3]


def test_second_derivatives_go_through_checkpoints():
    def slope(x, wrapped):
        return np.sum(grad(lambda x: run(A3, x, wrapped))(x) * V3)

    A3, V3 = np.eye(3) * 0.7 + 0.1, np.arange(6.0).reshape(2, 3)
    x = np.ones((2, 3)) * 0.3
    plain, saved = (
        grad(lambda x, w=w: slope(x, w))(x) for w in (lambda f: f, checkpoint)
    )
    np.testing.assert_allclose(saved, plain, rtol=1e-12)


def test_a_checkpoint_keeps_its_arguments_alone():
    inside = []

    @checkpoint
    def heavy(x):
        inside.append(None)
        for _ in range(50):
            x = np.sin(x)
        return x

    x = Tensor(np.array(0.5), requires_grad=True)
    y = heavy(x)
    assert len(graph(y)) == 2 and len(inside) >= 1
    y.backward()
    assert x.grad == pytest.approx(grad(heavy.__wrapped__)(0.5), rel=1e-13)
    assert heavy(0.5) == y.data and not heavy(Tensor(0.5)).requires_grad


@pytest.mark.parametrize("wrapped", [lambda f: f, checkpoint])
def test_a_checkpoint_takes_and_returns_nests(wrapped):
    W = outer_weights()

    @wrapped
    def step(state, *, scale, words):
        h, (c, rest) = state["h"], state["c"]
        h = np.tanh(h @ W) * scale
        return {"h": h, "c": (c + h[0], rest), "W": W, "words": words, "none": None}

    h, c, scale = (Tensor(v, requires_grad=True) for v in (np.ones((2, 3)), 0.5, 2.0))
    out = step({"h": h, "c": (c, 3)}, scale=scale, words="as they are")
    assert out["words"] == "as they are" and out["c"][1] == 3 and out["none"] is None
    again = step({"h": out["h"], "c": out["c"]}, scale=scale, words="")
    E = np.sum(again["h"] ** 2) + np.sum(again["c"][0]) + np.sum(again["W"] * W)
    E.backward()
    found = [x.grad for x in (W, h, c, scale)]
    assert [np.shape(g) for g in found] == [(3, 3), (2, 3), (), ()]

    plain = step.__wrapped__ if wrapped is checkpoint else step
    W.zero_grad()
    inputs = [Tensor(x.data, requires_grad=True) for x in (h, c, scale)]
    first = plain({"h": inputs[0], "c": (inputs[1], 3)}, scale=inputs[2], words="")
    last = plain({"h": first["h"], "c": first["c"]}, scale=inputs[2], words="")
    (np.sum(last["h"] ** 2) + np.sum(last["c"][0]) + np.sum(W * W)).backward()
    for g, expected in zip(found, [W.grad, *(x.grad for x in inputs)], strict=True):
        np.testing.assert_allclose(g, expected, rtol=1e-13)


def test_results_of_one_shape_come_apart_again():
    x = Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)
    first, second, third = checkpoint(lambda x: (x * x, 2 * x, np.sin(x)))(x)
    np.testing.assert_array_equal(second.data, [2, 4, 6])
    np.testing.assert_array_equal(third.data, np.sin([1.0, 2.0, 3.0]))
    (np.sum(first) + 10 * np.sum(third)).backward()
    np.testing.assert_allclose(x.grad, 2 * x.data + 10 * np.cos(x.data))


def test_a_checkpoint_of_two_dtypes_is_refused():
    x = Tensor(np.ones(2), requires_grad=True)
    with pytest.raises(TypeError, match="Tensors of float32 and float64; expected one"):
        checkpoint(lambda x: (x, x.astype(np.float32)))(x)


def test_a_checkpoint_lets_go_of_the_gradients_it_sent():
    W = Tensor(np.full((300, 300), 0.01), requires_grad=True)
    tracemalloc.start()
    h = checkpoint(lambda h: np.tanh(h @ W))(Tensor(np.ones((1, 300))))
    before = tracemalloc.get_traced_memory()[0]
    np.sum(h).backward()
    W.zero_grad()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after - before < W.data.nbytes / 2


def test_a_checkpoint_of_several_arguments_runs_once_more_in_the_sweep():
    runs = []

    @checkpoint
    def weighted(x, y, z, unused):
        runs.append(None)
        return x + 2 * y + 3 * z

    xs = [Tensor(np.ones(2), requires_grad=True) for _ in range(4)]
    np.sum(weighted(*xs)).backward()
    assert [list(x.grad) for x in xs] == [[1, 1], [2, 2], [3, 3], [0, 0]]
    assert len(runs) == 2
