"""Code in the style of micrograd, held against calculations by hand."""

import copy
import math
import pickle

import numpy as np
import pytest

from autograd import Tensor, Value, compile
from autograd.backward import sweep


def traced(root):
    """All nodes and edges below a Value, as the lecture's pictures gather them."""
    nodes, edges = set(), set()

    def build(v):
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(root)
    return nodes, edges


class Neuron:
    """tanh(w · x + b), or the sum alone."""

    def __init__(self, weights, bias, nonlinear=True):
        self.w, self.b = [Value(w) for w in weights], Value(bias)
        self.nonlinear = nonlinear

    def __call__(self, x):
        total = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
        return total.tanh() if self.nonlinear else total

    def parameters(self):
        return [*self.w, self.b]


class Perceptron:
    """Two inputs, two hidden neurons, one output."""

    def __init__(self):
        self.hidden = [Neuron([0.5, -0.25], 0.1), Neuron([-0.75, 0.4], 0)]
        self.out = Neuron([1.5, -2], 0.3, nonlinear=False)

    def __call__(self, x):
        return self.out([neuron(x) for neuron in self.hidden])

    def parameters(self):
        return [p for n in (*self.hidden, self.out) for p in n.parameters()]


def gradients_by_hand(network, x, target):
    """∂(y − d)²/∂p for all parameters, in their order."""
    h = [
        math.tanh(sum(w.data * v for w, v in zip(n.w, x, strict=True)) + n.b.data)
        for n in network.hidden
    ]
    weights = [w.data for w in network.out.w]
    y = sum(w * v for w, v in zip(weights, h, strict=True)) + network.out.b.data
    slope = 2 * (y - target)
    found = []
    for w, v in zip(weights, h, strict=True):
        inner = slope * w * (1 - v * v)
        found += [inner * x[0], inner * x[1], inner]
    return [*found, slope * h[0], slope * h[1], slope]


def test_training_a_perceptron_by_micrograds_loop():
    network, x, target = Perceptron(), [2.0, -1.0], 1.0
    losses = []
    for _ in range(20):
        loss = (network(x) - target) ** 2
        for p in network.parameters():
            p.grad = 0
        loss.backward()
        expected = gradients_by_hand(network, x, target)
        found = [p.grad for p in network.parameters()]
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-13)
        for p in network.parameters():
            p.data += -0.05 * p.grad
        losses.append(loss.data)
    assert losses[-1] < 1e-3 * losses[0]


def test_gradients_are_kept_in_every_node():
    a, b, c = Value(2.0, label="a"), Value(-3.0, label="b"), Value(10.0, label="c")
    e = a * b
    d = e + c
    f = d.relu() * 0.5
    assert [v.grad for v in (a, b, c, d, e, f)] == [0.0] * 6
    f.backward()
    assert [v.grad for v in (a, b, c, d, e, f)] == [-1.5, 1.0, 0.5, 0.5, 0.5, 1.0]
    assert all(type(v.grad) is float for v in (a, d, f))
    f.backward()
    assert (a.grad, e.grad) == (-3.0, 1.0)
    a.zero_grad()
    assert a.grad == 0.0


def test_a_node_that_is_used_twice_gets_the_sum():
    a = Value(3.0)
    b = a + a
    c = b * b * a
    c.backward()
    assert (c.data, b.grad, a.grad) == (108.0, 36.0, 108.0)


@pytest.mark.parametrize(
    ("make", "data", "op", "children"),
    [
        (lambda a, b: a + b, 5.0, "+", {2.0, 3.0}),
        (lambda a, b: a + 4, 6.0, "+", {2.0, 4.0}),
        (lambda a, b: 4 * a, 8.0, "*", {2.0, 4.0}),
        (lambda a, b: a - b, -1.0, "-", {2.0, 3.0}),
        (lambda a, b: -a, -2.0, "-", {2.0}),
        (lambda a, b: b / a, 1.5, "/", {2.0, 3.0}),
        (lambda a, b: 1 / a, 0.5, "/", {2.0, 1.0}),
        (lambda a, b: a**2, 4.0, "**2", {2.0}),
        (lambda a, b: a**-1, 0.5, "**-1", {2.0}),
        (lambda a, b: a**0.5, 2**0.5, "**0.5", {2.0}),
        (lambda a, b: a**b, 8.0, "**", {2.0, 3.0}),
        (lambda a, b: a.relu(), 2.0, "ReLU", {2.0}),
        (lambda a, b: a.tanh(), math.tanh(2.0), "tanh", {2.0}),
        (lambda a, b: a.exp(), np.exp(2.0), "exp", {2.0}),
        (lambda a, b: np.log(a), np.log(2.0), "log", {2.0}),
        (lambda a, b: sum([a]), 2.0, "+", {0.0, 2.0}),
        (lambda a, b: Value(7), 7, "", set()),
    ],
)
def test_nodes_show_their_operation_and_children(make, data, op, children):
    v = make(Value(2.0), Value(3.0))
    assert type(v) is Value and (v.data, v._op) == (data, op)
    assert {x.data for x in v._prev} == children and v._prev == v._prev


def test_a_graph_is_walked_as_the_lecture_walks_it():
    x, w, b = Value(2.0, label="x"), Value(-3, label="w"), Value(6.5, label="b")
    n = x * w + b
    n.label = "n"
    o = (n - 1) / 2
    o.backward()
    nodes, edges = traced(o)
    assert sorted(v._op for v in nodes) == ["", "", "", "", "", "*", "+", "-", "/"]
    assert len(edges) == 8 and {v.label for v in nodes} == {"", "x", "w", "b", "n"}
    assert "{ n | data 0.5000 | grad 0.5000 }" in {
        f"{{ {v.label} | data {v.data:.4f} | grad {v.grad:.4f} }}" for v in nodes
    }
    assert traced(o) == (nodes, edges)
    deep = x
    for _ in range(300):
        deep = deep + deep
    assert len(traced(deep)[0]) == 301


def test_the_printed_form_has_data_and_gradient():
    a = Value(2)
    b = a * 3
    assert repr(a) == "Value(data=2.0, grad=0.0)" and f"{a:.2f}" == "2.00"
    b.backward()
    assert repr(a) == str(a) == "Value(data=2.0, grad=3.0)" and Value(2).data == 2


def test_equality_and_hash_are_those_of_the_object():
    a, b = Value(1.0), Value(1.0)
    assert a != b and a == a and len({a, b, a}) == 2 and a in [b, a] and a not in [b]
    assert max([a, Value(3.0), b]).data == 3.0 and Value(1) < Value(2)


def test_backward_by_hand_node_by_node():
    x, w = Value(2.0), Value(-0.5)
    n = x * w
    o = n.tanh()
    o.grad = 1.0
    o._backward()
    assert n.grad == 1 - math.tanh(-1.0) ** 2
    n._backward()
    assert (x.grad, w.grad) == (-0.5 * n.grad, 2.0 * n.grad)
    x._backward()


def tanh_of_the_lecture(x):
    t = math.tanh(x.data)
    out = Value(t, (x,), "tanh")

    def _backward():
        x.grad += (1 - t**2) * out.grad

    out._backward = _backward
    return out


def product_of_the_lecture(x, y):
    out = Value(x.data * y.data, (x, y), "*")

    def _backward():
        x.grad += y.data * out.grad
        y.grad += x.data * out.grad

    out._backward = _backward
    return out


@pytest.mark.parametrize("twice", [False, True])
def test_operations_in_micrograds_style(twice):
    found = []
    for tanh, product in (
        (tanh_of_the_lecture, product_of_the_lecture),
        (np.tanh, lambda x, y: x * y),
    ):
        a, b = Value(0.5), Value(-1.5)
        h = tanh(a * 2 + b)
        loss = product(h, h) + product(a, tanh(h)) * 3
        loss.backward()
        if twice:
            loss.backward()
        found.append([loss.data, a.grad, b.grad, h.grad])
    np.testing.assert_allclose(*found, rtol=1e-14)
    out = tanh_of_the_lecture(Value(0.5))
    assert out._op == "tanh" and [x.data for x in out._prev] == [0.5]


def test_backward_by_hand_runs_once_for_each_sweep():
    a, b, other = Value(2.0), Value(3.0), Value(5.0)
    out = Value(a.data * b.data * other.data, (a, b), "*")
    runs = []

    def _backward():
        runs.append(out.grad)
        a.grad += b.data * other.data * out.grad
        b.grad += a.data * other.data * out.grad
        other.grad += a.data * b.data * out.grad

    out._backward = _backward
    (out * 2).backward()
    assert runs == [2.0] and (a.grad, b.grad, other.grad) == (30.0, 20.0, 12.0)
    (out * 2).backward()
    assert runs == [2.0, 2.0] and (a.grad, b.grad, other.grad) == (60.0, 40.0, 24.0)


NUMBERS = [np.float64(3), np.int64(3), np.float32(3), np.int8(3), True, np.bool_(True), 3]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda x: type(x).__name__)
def test_numbers_of_numpy_and_python_give_values(number):
    for call in (
        lambda a, k: a + k, lambda a, k: k * a, lambda a, k: a - k, lambda a, k: k / a,
        lambda a, k: np.maximum(a, k), lambda a, k: np.hypot(k, a),
    ):  # fmt: skip
        a, b = Value(2.0), Value(2.0)
        out, expected = call(a, number), call(b, float(number))
        out.backward()
        expected.backward()
        assert type(out) is Value and type(out.data) is float
        np.testing.assert_allclose([out.data, a.grad], [expected.data, b.grad], 1e-7)
        assert type(a.grad) is float and len(out._prev) == 2


def test_numbers_in_the_graph_show_their_gradients():
    a = Value(2.0)
    out = (a * 5.0 + 7.0) / 4.0
    found = {v.data: v for v in traced(out)[0]}
    assert all(found[k].grad == 0 for k in (5.0, 7.0, 4.0))
    (out * 3.0).backward()
    assert [found[k].grad for k in (5.0, 7.0, 4.0)] == [1.5, 0.75, -17 * 3 / 16]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Value("2"), "data is of type str, expected a number"),
        (lambda: Value(None), "data is of type NoneType, expected a number"),
        (lambda: Value([1.0]), "data is of type list, expected a number"),
        (lambda: Value(1.0, Value(2.0), "+"), r"_children is a Value.*Pass \(x,\)"),
    ],
)
def test_a_value_is_made_of_a_number_and_a_tuple_of_values(make, match):
    with pytest.raises(TypeError, match=f"Value: {match}"):
        make()


def test_an_operation_without_backward_sends_nothing():
    a = Value(2.0)
    out = Value(4.0, (a,), "mine") * 3
    out.backward()
    assert a.grad == 0.0


def test_operations_in_micrograds_style_refuse_higher_orders():
    a = Value(0.5)
    with pytest.raises(TypeError, match=r"Value tanh: .*first order.*primitive"):
        list(sweep(tanh_of_the_lecture(a) * a, 1.0, record=True))
    with pytest.raises(TypeError, match="_children are int, expected Values"):
        Value(1.0, (2,), "+")
    with pytest.raises(TypeError, match="take a value out"):
        compile(lambda x: tanh_of_the_lecture(Value(x)))(0.5)


def test_values_mix_with_numpy_and_tensors():
    a = Value(2.0)
    y = np.sum(a * np.arange(3.0)) + np.stack([a, a * 2])[1]
    assert type(y) is Tensor
    y.backward()
    assert a.grad == 5.0
    b = np.maximum(a, 0) * Tensor(np.ones(2))
    assert type(b) is Tensor and b.shape == (2,)
    assert type(np.tanh(a)) is Value


def test_values_are_copied_as_leaves():
    a = Value(2.0, label="a")
    (a * 3).backward()
    for b in (copy.deepcopy(a), pickle.loads(pickle.dumps(a))):
        assert type(b) is Value and (b.data, b.grad, b.label) == (2.0, 3.0, "a")


def test_compiled_functions_return_values():
    w = Value(2.0)

    def loss(x):
        w.grad = 0.0
        E = (w * x - 1) ** 2
        E.backward()
        return E

    compiled = compile(loss)
    for x in (1.5, -0.5, 3.0):
        found, slope = compiled(x), w.grad
        assert type(found) is Value and found.data == loss(x).data
        assert slope == w.grad and found.grad == 1.0
