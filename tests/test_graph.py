"""Properties of the recorded graph and of its sweep."""

import gc
import re

import numpy as np
import pytest
from oracles import tensors

from autograd import (
    Tensor,
    Value,
    contributions,
    detect_anomaly,
    grad,
    graph,
    named,
    no_grad,
    primitive,
    scope,
)
from autograd import sigmoid as logistic


def test_code_written_for_micrograds_value():
    """A neuron of two inputs, and the expression of micrograd's own front page."""
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    assert type(g.data) is float and round(g.data, 4) == 24.7041
    g.backward()
    assert round(a.grad, 4) == 138.8338 and round(b.grad, 4) == 645.5773

    weights, bias = [Value(0.5), Value(-0.25)], Value(0)
    for _ in range(2):
        for p in (*weights, bias):
            p.grad = 0
        out = sum((w * x for w, x in zip(weights, [1.0, 2.0], strict=True)), bias)
        loss = (out.tanh() - 1) ** 2 + out.sigmoid().log() * 0 + out.exp() * 0
        loss.backward()
        for p in (*weights, bias):
            p.data -= 0.1 * p.grad
    assert type(bias.grad) is float and bias.data > 0 and bias.data < 0.5


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
    nodes = graph(x * x, contributions=True).nodes
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
    spread = Tensor(np.ones((2, 1), np.float32), requires_grad=True)
    np.sum(spread * w).backward()
    assert spread.grad.dtype == np.float32


def test_a_rule_may_return_one_number_for_a_whole_array():
    @primitive
    def total(x):
        return np.sum(x)

    total.defvjp(lambda g, ans, x: g)
    np.testing.assert_array_equal(grad(total)(np.ones((2, 3))), np.ones((2, 3)))
    assert grad(lambda x: grad(lambda y: total(y * x))(2.0))(3.0) == 1
    total.defvjp(lambda g, ans, x: float(g))
    np.testing.assert_array_equal(
        grad(total)(np.ones((2, 3))), np.ones((2, 3)), strict=True
    )


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


@primitive
def wrong(x):
    return x * 2


wrong.defvjp(lambda g, ans, x: np.ones((5, 2)) * g)
WRONG_SHAPE = lambda x: np.sum(wrong(x))  # noqa: E731
ERRORS = [
    (lambda: Tensor(np.arange(3), requires_grad=True), TypeError, "int64 values cannot"),
    (lambda: Tensor(np.ones(2, np.float16), requires_grad=True), TypeError, "float16"),
    (lambda: Tensor(np.ones(2) * 1j, requires_grad=True), TypeError, "complex128"),
    (lambda: Tensor("one"), TypeError, "expected numbers, got str"),
    (lambda: Tensor(W), TypeError, "already"),
    (lambda: np.asarray(W), TypeError, r"Tensor W of shape \(2, 2\) requires.*`\.data`"),
    (lambda: np.array([W, W]), TypeError, r"np\.stack"),
    (lambda: float(W), TypeError, r"\.item\(\)"),
    (lambda: np.fft.fft(W), TypeError, r"np\.fft\.fft: no rule"),
    (lambda: np.spacing(W), TypeError, r"np\.spacing: no rule.*primitive"),
    (lambda: np.subtract.reduce(W), TypeError, r"np\.subtract\.reduce: no rule"),
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
    (lambda: np.sum(W, axis=0, out=np.ones(2)), TypeError, "np.sum: out="),
    (lambda: np.sum(W, 0, None, np.ones(2)), TypeError, "np.sum: out="),
    (lambda: np.exp(W, where=W > 0), TypeError, "np.exp: where= has no rule"),
    (lambda: np.add(W, 1, dtype=complex), TypeError, "np.add: dtype= has no rule"),
    (lambda: np.broadcast_to(W, (2, 2), subok=True), TypeError, "broadcast_to: subok="),
    (lambda: np.reshape(W, (4,), order="A"), TypeError, "reshape: order= has no rule"),
    (lambda: W * 1j, TypeError, "multiply: the result is complex128"),
    (lambda: np.sum(W, dtype=int), TypeError, "sum: the result is int64"),
    (lambda: grad(lambda p: None)(1.0), TypeError, "returned NoneType.*`return`"),
    (lambda: grad(lambda p: "p")(1.0), TypeError, "returned str"),
    (lambda: np.sum(W, initial=W[0, 0]), TypeError, "sum: initial= was given as a T"),
    (lambda: grad(lambda p: p, 3)(1.0), IndexError, "range"),
    (lambda: grad(WRONG_SHAPE)(np.ones(2)), ValueError, r"wrong: its VJP .* \(5, 2\)"),
    (
        lambda: setattr(W, "data", np.ones(3)),
        ValueError,
        r"shape \(3,\), expected \(2",
    ),
    (lambda: setattr(W * 1, "data", np.ones((2, 2))), ValueError, "was computed"),
    (lambda: np.tanh(W).data.fill(0), ValueError, "read-only"),
    (lambda: W[:1].data.fill(0), ValueError, "read-only"),
    (lambda: W.detach().data.fill(0), ValueError, "read-only"),
]


@pytest.mark.parametrize(("call", "exception", "match"), ERRORS)
def test_errors(call, exception, match):
    with pytest.raises(exception, match=match):
        call()


def leaf():
    return Tensor(np.array([1.0, 2.0]), requires_grad=True, name="w")


def change_operand(w):
    buffer = np.array([3.0, 4.0])
    y = np.sum(w * buffer)
    buffer[:] = 7
    return y


def change_leaf_in_place(w):
    y = np.sum(w * w)
    w.data[0] = 100
    return y


def change_exposed_leaf(w):
    held = w.data
    held += 1
    y = np.sum(w * w)
    held += 1
    return y


def set_leaf(w):
    y = np.sum(w * w)
    w.data = w.data - 0.1
    return y


def step_leaf(w):
    y = np.sum(w * w)
    w.data -= 0.1
    return y


def let_go_of_a_changed_leaf(w):
    y = np.sum(w * w)
    w.data[0] = 100
    np.sum(w * w)
    return y


def change_and_change_back(w):
    w.data[0] = 100
    held = w.data
    y = np.sum(w * w)
    held[0] = 1
    del held
    np.sum(w * w)
    return y


def reverse_operand(w):
    buffer = np.array([3.0, 4.0])
    y = np.sum(w * buffer)
    buffer[:] = buffer[::-1].copy()
    return y


@pytest.mark.parametrize(
    "change",
    [
        reverse_operand,
        change_operand,
        change_leaf_in_place,
        change_exposed_leaf,
        let_go_of_a_changed_leaf,
        change_and_change_back,
        set_leaf,
        step_leaf,
    ],
)
def test_a_value_changed_behind_the_graphs_back_is_an_error(change):
    with pytest.raises(ValueError, match=r"multiply.*was changed after that"):
        change(leaf()).backward()


def test_values_may_change_between_graphs():
    w = leaf()
    held = w.data
    for step in range(3):
        w.zero_grad()
        np.sum(w * w).backward()
        np.testing.assert_array_equal(w.grad, 2 * held)
        held -= 0.1 * w.grad if step else 1
    w.data -= 1
    w.zero_grad()
    np.sum(w * w).backward()
    np.testing.assert_array_equal(w.grad, 2 * (held))


def test_a_change_before_the_operation_loses_no_gradient():
    """It is noticed later, when the array is let go, and the operation is still right."""
    w = leaf()
    held = w.data
    held += 1
    y = np.sum(w * w)
    del held
    z = np.sum(w * w)
    y.backward()
    np.testing.assert_array_equal(w.grad, [4, 6])
    z.backward()
    np.testing.assert_array_equal(w.grad, [8, 12])
    held = w.data
    y = np.sum(w * w)
    w.data = held.copy()
    w.zero_grad()
    y.backward()
    np.testing.assert_array_equal(w.grad, [4, 6])


def test_looking_at_a_value_does_not_cost_a_checksum_for_ever():
    w = leaf()
    assert w.data[0] == 1 and w._exposed
    held = w.data
    y = np.sum(w * w)
    assert w._exposed
    held += 1
    del held
    z = np.sum(w * w)
    assert not w._exposed
    z.backward()
    np.testing.assert_array_equal(w.grad, [4, 6])
    with pytest.raises(ValueError, match="was changed after that"):
        y.backward()


def test_grad_within_no_grad():
    with no_grad():
        assert grad(lambda x: x * x)(3.0) == 6


def test_a_gradient_may_be_asked_for_later():
    w = Tensor(np.ones(2))
    w.requires_grad = True
    np.sum(w * 2).backward()
    np.testing.assert_array_equal(w.grad, [2, 2])
    with pytest.raises(TypeError, match="int64 values cannot"):
        Tensor(np.arange(2)).requires_grad = True
    with pytest.raises(ValueError, match="was computed"):
        (w * 2).requires_grad = False


def test_contexts_may_be_entered_twice():
    off, inside = no_grad(), scope("a")
    with off, off, inside, inside:
        pass
    assert (W * 1).requires_grad and (W * 1).scope == ""


def test_a_gradient_given_as_a_tensor_is_cast():
    x = Tensor(np.ones(2, np.float32), requires_grad=True)
    x.backward(Tensor(np.array([2.0, 3.0])))
    np.testing.assert_array_equal(x.grad, np.array([2, 3], np.float32), strict=True)


def test_a_root_of_one_element_needs_no_gradient_of_its_own():
    x = Tensor(np.full((1, 1), 3, np.float32), requires_grad=True)
    x.backward()
    np.testing.assert_array_equal(x.grad, np.ones((1, 1), np.float32), strict=True)


@np.errstate(all="ignore")
def test_anomalies_are_named_where_they_arise():
    w = Tensor(np.array([0.0, 1.0]), requires_grad=True, name="w")
    with detect_anomaly(), pytest.raises(FloatingPointError) as forward, scope("t=7"):
        np.sum(np.log(w))
    assert re.search(
        r"from log in t=7 is infinite, the first .*test_graph.py:\d+ in test_anomalies",
        str(forward.value),
    )
    with detect_anomaly():
        y = np.sum(np.sqrt(w * 2))
        with pytest.raises(FloatingPointError) as backward:
            y.backward()
    assert re.search(
        r"argument 0 of Tensor of shape \(2,\) from sqrt is infinite.* in test_anomalies",
        str(backward.value),
    )
    with detect_anomaly():
        np.sum(w[:1] * w[1:]).backward()
    np.sum(np.sqrt(w)).backward()
    assert not np.all(np.isfinite(w.grad))


def test_indices_and_masks_are_copied():
    w = leaf()
    index, mask = np.array([0]), np.array([True, False])
    y = np.sum(w[index]) + np.sum(w, where=mask)
    index[0], mask[:] = 1, True
    y.backward()
    np.testing.assert_array_equal(w.grad, [2, 0])


def test_reused_buffers_are_seen():
    h, inputs, E = leaf(), np.zeros(2), 0
    for t in range(3):
        inputs[:] = t + 1
        E = E + np.sum(h * inputs)
    with pytest.raises(ValueError, match=r"an array .2,., argument 1 of .* was changed"):
        E.backward()


@pytest.mark.parametrize("order", ["C", "F"])
def test_reshape_in_either_order(order):
    x, g = np.arange(6.0).reshape(3, 2), np.arange(6.0).reshape(2, 3)
    for call in (
        lambda x: np.reshape(x, (2, 3), order=order),
        lambda x: x.reshape(2, 3, order=order),
        lambda x: np.reshape(np.ravel(x, order), (2, 3), order=order),
        lambda x: np.reshape(np.ravel(x, order=order), (2, 3), order),
    ):
        found = grad(lambda x, call=call: np.sum(call(x) * g))(x)
        np.testing.assert_array_equal(found, g.reshape((3, 2), order=order))


def test_second_order_through_indexing_and_other_uses():
    f = lambda q: q[0] * q[1] + np.sum(q * q) + q[0]  # noqa: E731
    slope = lambda q: np.sum(grad(f)(q) * np.array([1.0, 10.0]))  # noqa: E731
    np.testing.assert_array_equal(grad(slope)(np.array([1.0, 2.0])), [12, 21])

    def unpacked(x):
        a, b = x
        return a * b * b

    np.testing.assert_array_equal(
        grad(lambda x: np.sum(grad(unpacked)(x)))(np.array([3.0, 5.0])), [10, 16]
    )


def test_plain_arguments_give_plain_results_however_nested():
    inner = lambda w: grad(lambda z: z * z * w)(3.0)  # noqa: E731
    found = grad(inner)(2.0)
    assert type(found) is float and found == 6


def test_argnums_count_from_the_end_too():
    f = lambda a, b: np.sum(a * b * b)  # noqa: E731
    x = np.array([1.0, 2.0])
    first, last = grad(f, (0, -1))(x, x)
    np.testing.assert_array_equal(first, x**2)
    np.testing.assert_array_equal(last, 2 * x**2)


def test_what_is_not_used_has_gradient_zero_even_where_it_is_infinite():
    found = grad(lambda p: p[0] * 2)([1.0, np.array([np.inf, np.nan])])
    assert found[0] == 2 and np.all(found[1] == 0)


def test_in_place_forms_rebind_or_raise():
    t = u = logistic(W)
    t += 1
    assert t is not u and t.requires_grad
    with pytest.raises(TypeError, match="not changed in place"):
        t[0] = 1
    array = np.ones((2, 2))
    with pytest.raises(TypeError, match="in-place"):
        array += W


@pytest.mark.parametrize("kind", ["rows", "slices", "both"])
@pytest.mark.parametrize("twice", [False, True])
def test_gradients_of_parts_are_written_out_when_looked_at(kind, twice):
    """What a few rows of a table send stays that until `.grad` is read."""
    table = Tensor(np.arange(300.0).reshape(100, 3), requires_grad=True)
    index, g = np.array([7, 0, 7, -1]), np.arange(12.0).reshape(4, 3)
    expected = np.zeros((100, 3))
    for _ in range(1 + twice):
        sent = g.copy()
        if kind in ("rows", "both"):
            np.add.at(expected, index, g)
        if kind in ("slices", "both"):
            expected[10:14] += g
        parts = {"rows": [table[index]], "slices": [table[10:14]]}
        parts["both"] = parts["rows"] + parts["slices"]
        sum(parts[kind][1:], parts[kind][0]).backward(sent)
        sent[:] = np.nan
    np.testing.assert_array_equal(table.grad, expected)
    assert table.grad is table.grad and table.grad.dtype == np.float64


def test_pieces_products_and_arrays_meet_at_one_leaf():
    rng = np.random.default_rng(0)
    w, x = rng.normal(size=(6, 6)), rng.normal(size=(2, 6))
    W = Tensor(w, requires_grad=True)

    def f(W):
        y = x @ W + x @ W.T + W[[1, 1]] + np.inner(x, W) + x @ np.transpose(W, (1, 0))
        return np.sum(y * y) + np.sum(W * W) + np.sum(W[2:4]) + np.sum((W.T @ W)[0])

    f(W).backward()
    np.testing.assert_allclose(W.grad, grad(f)(w), rtol=1e-12)
    step = 1e-30j
    for i, j in ((1, 0), (2, 5), (0, 3)):
        moved = w.astype(complex)
        moved[i, j] += step
        assert W.grad[i, j] == pytest.approx(np.imag(f(moved)) / 1e-30, rel=1e-12)


@pytest.mark.parametrize(
    "expression",
    [
        "x % 2", "5 % x", "x // 2", "5 // x", "divmod(x, 2)[1]", "divmod(5, x)[0]",
        "x.round()", "x.mT", "x.all()", "x.any(axis=0)", "x.nonzero()[0]",
        "x.compress([True, False], axis=0)", "x[0].searchsorted(1.5)", "x**-1", "2**x",
        "np.vecdot(x, x, axis=0)", "x.var(axis=0, ddof=1)", "x.clip(1, 2)", "x.T @ x",
    ],
)  # fmt: skip
def test_operators_and_methods_are_those_of_arrays(expression):
    x = np.array([[1.5, 2.0, 0.25], [4.0, 0.5, 3.0]])
    found = eval(expression, {"x": Tensor(x, requires_grad=True), "np": np})
    expected = eval(expression, {"x": x, "np": np})
    np.testing.assert_array_equal(getattr(found, "data", found), expected)


@pytest.mark.parametrize(
    "expression",
    [
        "np.sum(x)", "np.sum(x, axis=0)", "np.prod(x)", "np.prod(x, axis=1)",
        "np.cumsum(x, axis=0)", "np.cumprod(x, axis=0)", "np.cumprod(x, axis=1)",
        "np.mean(x, axis=1)", "np.std(x, axis=1)", "np.max(x, axis=1)",
        "np.median(x, axis=1)", "np.sort(x, axis=0)", "np.concatenate([x, x])",
        "np.stack([x, x])", "x @ np.ones((3, 2))", "np.ones((2, 0)) @ x",
        "np.inner(x, x)",
        "np.einsum('ij->j', x)", "np.tensordot(x, x)", "np.outer(x, x)", "np.kron(x, x)",
        "np.reshape(x, (3, 0))", "x[:, 1]", "x[x > 0]", "x[[]]", "np.take(x, [], axis=1)",
        "np.pad(x, 1)", "np.tile(x, 2)", "np.roll(x, 1)", "np.diff(x, axis=1)",
        "np.gradient(x, axis=1)", "np.trapezoid(x, axis=1)", "np.linalg.norm(x)",
        "np.where(x > 0, x, 0)", "np.clip(x, 0, 1)", "np.nansum(x)", "np.trace(x)",
        "np.sum(x, where=np.zeros((0, 3), bool))", "np.split(x, [0])[0]",
    ],
)  # fmt: skip
def test_empty_arrays_have_empty_gradients(expression):
    def f(x):
        return eval(expression, {"x": x, "np": np})

    x = np.zeros((0, 3))
    t = Tensor(x, requires_grad=True)
    found = f(t)
    np.testing.assert_array_equal(found.data, f(x))
    found.backward(np.ones(found.shape))
    assert t.grad.shape == (0, 3)
    slope = grad(lambda x: np.sum(f(x) ** 2))
    assert grad(lambda x: np.sum(slope(x) * 2))(x).shape == (0, 3)


@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("function", [np.sum, np.prod, np.max, np.cumsum, np.cumprod])
def test_axes_of_a_scalar(function, axis):
    found = grad(lambda x: np.sum(function(x, axis=axis) * 2))(np.array(3.0))
    assert found.shape == () and found == 2


X24 = np.random.default_rng(3).normal(size=(2, 4))


@pytest.mark.parametrize(
    "f",
    [
        lambda Wt: np.sum(np.sin(X24 @ Wt)),
        lambda Wt: np.sum(np.sin(X24 @ Wt)) + np.sum(np.cos(2 * X24 @ Wt)),
        lambda Wt: np.sum(np.sin(X24 @ Wt) + np.cos(X24 @ Wt)) + np.sum(Wt * Wt),
        lambda Wt: np.sum(np.sin(X24 @ Wt) + np.cos(X24 @ Wt)) + np.sum(Wt[1:3] ** 2),
        lambda Wt: np.sum(Wt[1:3] ** 2),
        lambda Wt: np.sum(Wt[1:3] ** 2) + np.sum(Wt[[0, -1, 3, 1]] ** 3),
        lambda Wt: np.sum(Wt[[0, -1, 3]] ** 3) + np.sum(Wt * Wt) + np.sum(Wt * 3),
    ],
)
@pytest.mark.parametrize("axes", [None, (1, 0)])
def test_what_comes_deferred_to_one_transpose(f, axes):
    """Products, pieces and whole arrays, alone and together, through W.T to W."""
    w = np.random.default_rng(4).normal(size=(3, 4))
    W = Tensor(w, requires_grad=True)
    f(np.transpose(W, axes)).backward()
    for i, j in np.ndindex(3, 4):
        moved = w.astype(complex)
        moved[i, j] += 1e-30j
        expected = np.imag(f(moved.T)) / 1e-30
        assert W.grad[i, j] == pytest.approx(expected, rel=1e-12, abs=1e-14)
