"""Properties of the recorded graph and of its sweep."""

import gc

import numpy as np
import pytest
from oracles import tensors

from autograd import Tensor, contributions, grad, graph, named, no_grad, primitive, scope
from autograd import sigmoid as logistic


def test_fan_out_on_a_leaf_and_on_an_interior_node():
    (x,) = tensors(np.array([0.3, -0.7]))
    y = np.tanh(x)
    np.sum(y * y + y * x + x).backward()
    t = np.tanh(x.data)
    slope = 1 - t**2
    np.testing.assert_allclose(x.grad, 2 * t * slope + slope * x.data + t + 1, rtol=1e-15)


def test_backward_twice_adds_exactly_twice():
    (x,) = tensors(np.array([0.3, -0.7]))
    loss = np.sum(np.exp(x) * x)
    loss.backward()
    once = x.grad.copy()
    loss.backward()
    np.testing.assert_array_equal(x.grad, 2 * once)


def test_gradients_of_two_leaves_are_not_one_array():
    a, b = tensors(np.ones(2), np.ones(2))
    np.sum(a + b).backward()
    a.grad += 5
    np.testing.assert_array_equal(b.grad, [1, 1])


def test_a_chain_of_50000_operations_needs_no_recursion():
    (x,) = tensors(np.array(0.5))
    y = x
    for _ in range(50_000):
        y = y + 0.5 * (x - y)
    y.backward()
    assert x.grad == pytest.approx(1, rel=1e-12)
    del y
    gc.collect()


def test_parents_keep_order_and_multiplicity():
    (x,) = tensors(np.array(3.0))
    nodes = graph(x * x).nodes
    assert [n.op for n in nodes] == ["leaf", "multiply"]
    assert nodes[1].parents == (0, 0)
    assert [float(c) for c in nodes[1].contributions] == [3, 3]
    assert float(nodes[0].grad) == 6


def test_graph_has_names_scopes_values_and_gradients():
    W = Tensor(np.ones((2, 2)), requires_grad=True, name="W")
    x = Tensor(np.array([[1.0, 2.0]]), name="x")
    with scope("t=1"), scope("inside"):
        v = named("v", x @ W)
    loss = np.sum(v)
    found = graph(loss)
    assert [n.name for n in found] == ["W", "x", "v", None]
    assert [n.scope for n in found] == ["", "", "t=1/inside", ""]
    assert found.root.op == "sum" and float(found.root.value) == 6
    assert found.nodes[1].grad is None and not found.nodes[1].requires_grad
    np.testing.assert_array_equal(found.nodes[0].grad, [[1, 1], [2, 2]])
    with pytest.raises(ValueError, match="read-only"):
        found.nodes[0].value[0] = 7


def test_graph_of_a_root_that_is_no_scalar_has_no_gradients_unless_given_one():
    (x,) = tensors(np.ones(3))
    y = x * 2
    assert all(n.grad is None for n in graph(y))
    np.testing.assert_array_equal(graph(y, np.ones(3)).nodes[0].grad, [2, 2, 2])


def test_contributions_sum_to_the_gradient():
    (W,) = tensors(np.array([[0.3, -0.2], [0.5, 0.1]]))
    h = np.ones((1, 2))
    for t in range(1, 4):
        with scope(f"t={t}"):
            h = np.tanh(np.inner(h, W))
    loss = np.sum(h)
    terms = contributions(loss, W)
    loss.backward()
    assert [term.scope for term in terms] == ["t=1", "t=2", "t=3"]
    np.testing.assert_allclose(sum(t.gradient for t in terms), W.grad, rtol=1e-15)


def test_retain_grad_keeps_an_interior_gradient():
    (x,) = tensors(np.array([1.0, 2.0]))
    y = (x * 3).retain_grad()
    z = y * y
    np.sum(z).backward()
    np.testing.assert_array_equal(y.grad, 2 * y.data)
    assert z.grad is None


def test_no_grad_records_nothing():
    (x,) = tensors(np.ones(2))
    with no_grad():
        y = x * 2

    @no_grad()
    def doubled():
        return x * 2

    assert not y.requires_grad and not doubled().requires_grad
    assert (x * 2).requires_grad


def test_a_float_stays_a_float():
    x = Tensor(2.0, requires_grad=True)
    y = 3 * x + 1 / x
    assert type(y.data) is float
    y.backward()
    assert type(x.grad) is float and x.grad == 3 - 0.25


def test_a_float_adds_up_over_sweeps():
    x = Tensor(2.0, requires_grad=True)
    for _ in range(2):
        (x * x).backward()
    assert x.grad == 8


def test_a_gradient_has_its_tensors_dtype():
    x = Tensor(np.ones(3, np.float32), requires_grad=True)
    w = Tensor(np.full(3, 2.0), requires_grad=True)
    np.sum(x * w).backward()
    assert x.grad.dtype == np.float32 and w.grad.dtype == np.float64
    y = (x * np.float32(2)).retain_grad()
    y.backward(np.ones(3))
    assert y.grad.dtype == np.float32


def test_a_rule_may_return_one_number_for_a_whole_array():
    @primitive
    def total(x):
        return np.sum(x)

    total.defvjp(lambda g, ans, x: g)
    np.testing.assert_array_equal(grad(total)(np.ones((2, 3))), np.ones((2, 3)))
    assert grad(lambda x: grad(lambda y: total(y * x))(2.0))(3.0) == 1


def test_slices_and_repeated_indices_fill_one_gradient():
    (x,) = tensors(np.arange(5.0))
    (np.sum(x[1:3]) + 10 * x[1] + np.sum(x[[0, 0, 4]]) + x[x > 3][0]).backward()
    np.testing.assert_array_equal(x.grad, [2, 11, 1, 0, 2])


def test_grad_of_grad_does_not_confuse_its_variables():
    assert grad(lambda x: x * grad(lambda y: x * y)(2.0))(3.0) == 6
    assert grad(grad(grad(lambda x: x**4)))(2.0) == 48
    assert grad(lambda x: x * grad(lambda y: y * y)(x))(3.0) == 12


def test_grad_over_nests_and_argnums():
    f = lambda p, c: c * p["a"] * np.sum(p["b"][0] ** 2) + p["none"]  # noqa: E731
    nest = {"a": 2.0, "b": [np.array([1.0, 2.0]), np.ones(2)], "none": 0.0}
    in_p, in_c = grad(f, (0, 1))(nest, 3.0)
    assert in_p["a"] == 15 and in_c == 10
    np.testing.assert_array_equal(in_p["b"][0], [12, 24])
    np.testing.assert_array_equal(in_p["b"][1], [0, 0])


def test_a_users_own_primitive_has_every_order():
    @primitive
    def cube(x):
        return x**3

    cube.defvjp(lambda g, ans, x: g * 3 * x**2)
    assert grad(cube)(2.0) == 12 and grad(grad(cube))(2.0) == 12
    assert grad(grad(grad(cube)))(2.0) == 6


def test_tensors_among_keyword_arguments_are_recorded():
    (x,) = tensors(np.ones((2, 2)))
    np.sum(a=x * 3, axis=None).backward()
    np.testing.assert_array_equal(x.grad, np.full((2, 2), 3.0))


def test_repr_format_and_item():
    x = Tensor(np.array([1.5]), requires_grad=True, name="x")
    assert repr(x) == "Tensor(x: [1.5], requires_grad=True)"
    assert f"{x:.2f}" == "1.50" and x.item() == 1.5
    assert len(x) == 1 and [float(v.data) for v in x] == [1.5]


W = Tensor(np.ones((2, 2)), requires_grad=True, name="W")
NO_VJP = primitive(lambda x: x)
ERRORS = [
    (lambda: Tensor(np.arange(3), requires_grad=True), TypeError, "int64 values cannot"),
    (lambda: Tensor(np.ones(2, np.float16), requires_grad=True), TypeError, "float16"),
    (lambda: Tensor(np.ones(2) * 1j, requires_grad=True), TypeError, "complex128"),
    (lambda: Tensor("one"), TypeError, "expected numbers, got str"),
    (lambda: Tensor(W), TypeError, "already"),
    (lambda: np.asarray(W), TypeError, r"Tensor W of shape \(2, 2\) requires.*`\.data`"),
    (lambda: np.array([W, W]), TypeError, r"np\.stack"),
    (lambda: float(W), TypeError, r"\.item\(\)"),
    (lambda: np.fft.fft(W), TypeError, r"np\.fft: no rule"),
    (lambda: np.spacing(W), TypeError, r"np\.spacing: no rule.*primitive"),
    (lambda: np.add.reduce(W), TypeError, r"np\.add\.reduce: no rule"),
    (lambda: np.add(W, 1, out=np.ones((2, 2))), TypeError, "out="),
    (lambda: W.backward(), ValueError, r"shape \(2, 2\), but only a root of one"),
    (
        lambda: (W * 1).backward(np.ones(3)),
        ValueError,
        r"shape \(3,\), the root \(2, 2\)",
    ),
    (lambda: Tensor(1.0).backward(), ValueError, "does not require a gradient"),
    (lambda: grad(lambda w: w * 2)(np.ones(2)), ValueError, r"returned shape \(2,\)"),
    (lambda: NO_VJP(W), TypeError, "argument 0 .* has no VJP"),
    (lambda: len(Tensor(1.0)), TypeError, "without axes"),
]


@pytest.mark.parametrize(("call", "exception", "match"), ERRORS)
def test_errors(call, exception, match):
    with pytest.raises(exception, match=match):
        call()


def test_in_place_forms_rebind_or_raise():
    t = u = logistic(W)
    t += 1
    assert t is not u and t.requires_grad
    with pytest.raises(TypeError, match="item assignment"):
        t[0] = 1
    array = np.ones((2, 2))
    with pytest.raises(TypeError, match="in-place"):
        array += W
