"""The testing kit: it passes what is right, finds what is wrong, and says where."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import STEP, assert_same_derivative, complex_step, gradients_at

from autograd import Tensor, grad, primitive
from autograd.tensor import value_of
from autograd.testing import (
    arrays,
    axes,
    broadcastable,
    check_grads,
    graphs,
    numbers,
    shapes,
)

POINT = np.array([1.0, 2.0])


def rounding(graph, u):
    """What every step may round off, where terms cancel on the way."""
    return np.full(1 + len(graph.steps), max(np.max(np.abs(v)) for v in u))


@given(graphs(), st.integers(0, 2**32 - 1))
def test_gradients_of_random_graphs_are_the_complex_step(graph, seed):
    rng = np.random.default_rng(seed)
    u = [np.asarray(rng.normal(size=x.shape)) for x in graph.inputs]
    found = gradients_at(graph, graph.inputs, np.ones(()))
    terms = [a * b for a, b in zip(found, u, strict=True)]
    expected = complex_step(graph, graph.inputs, u)
    assert_same_derivative(terms, [expected], rounding(graph, u))


@given(graphs(), st.integers(0, 2**32 - 1))
def test_second_derivatives_of_random_graphs(graph, seed):
    rng = np.random.default_rng(seed)
    u = [np.asarray(rng.normal(size=x.shape)) for x in graph.inputs]
    every = tuple(range(len(u)))

    def slope(*xs):
        gradients = grad(graph, every)(*xs)
        return sum(np.sum(g * v) for g, v in zip(gradients, u, strict=True))

    found = grad(lambda *xs: slope(*xs) + 0 * sum(np.sum(x) for x in xs), every)(
        *graph.inputs
    )
    moved = [x + 1j * STEP * v for x, v in zip(graph.inputs, u, strict=True)]
    along = gradients_at(graph, moved, np.ones(()))
    expected = [np.imag(g) / STEP for g in along]
    assert_same_derivative(found, expected, rounding(graph, u))


@settings(max_examples=15)
@given(graphs(max_steps=5))
def test_random_graphs_pass_the_check(graph):
    check_grads(graph, graph.inputs)


@given(graphs())
def test_a_random_graph_prints_as_the_program_it_is(graph):
    given_, *lines = str(graph).splitlines()
    assert given_.startswith("given v0") and len(lines) == len(graph.steps)
    names = {f"v{i}": x for i, x in enumerate(graph.inputs)}
    for line in lines:
        name, expression = line.split(" = ", 1)
        names[name] = eval(expression, {"np": np}, names)
    for found, expected in zip(names.values(), graph.values(*graph.inputs), strict=True):
        np.testing.assert_array_equal(found, expected)


@st.composite
def nests(draw):
    x, y = draw(broadcastable())
    return {"x": x, "rest": [y, (draw(numbers()),)]}


@settings(max_examples=15)
@given(nests(), st.integers(1, 3))
def test_nests_and_constants_pass(nest, power):
    def f(nest, power):
        x, (y, (z,)) = nest["x"], nest["rest"]
        return np.sin(x * y) ** power * z

    check_grads(f, (nest, power), order=3)


def test_live_tensors_around_the_function_do_not_matter():
    W = Tensor(np.array([0.5, -1.5]), requires_grad=True)
    check_grads(lambda x: np.sum(np.sin(x * W)) * W, (POINT,))


@given(arrays(shapes(min_dims=1, min_side=0, max_dims=2), dtype=np.float32))
def test_single_precision_and_empty_arrays_pass(x):
    check_grads(lambda x: np.sin(x) * np.float32(2), (x,))


def cube(vjp):
    return primitive(lambda x: x**3).defvjp(vjp)


@primitive
def scaled(x, y):
    return x * y


scaled.defvjp(lambda g, ans, x, y: g * y, lambda g, ans, x, y: g * x * (y > 1))


@pytest.mark.parametrize(
    ("function", "args", "message"),
    [
        (cube(lambda g, ans, x: g * x**2), (POINT,), "order 1.*by argument 0 is wrong "
         r"in 2 of 2 elements, first at \(0,\): .* 3 times as much"),
        (cube(lambda g, ans, x: -g * 3 * x**2), (POINT,), "-1 times as much"),
        (cube(lambda g, ans, x: g * 3 * value_of(x) ** 2), (POINT,), "order 2"),
        (scaled, (POINT, POINT), r"by argument 1 is wrong in 1 of 2 .* at \(0,\)"),
        (lambda n: scaled(n["a"], n["b"]), ({"a": POINT, "b": POINT},), "argument 0"),
        (lambda x: np.abs(x), (np.zeros(2),), "order 2.*do not settle"),
        (lambda x: np.abs(x - 1.00001), (POINT,), "order 1.*do not settle"),
        (np.sqrt, (np.zeros(2),), "order 1.*do not settle"),
        (lambda x: (x, x), (POINT,), "returned tuple, expected one array"),
        (lambda x: x * (2 if isinstance(x, Tensor) else 3), (POINT,), "for Tensors"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found_and_named(function, args, message):
    with pytest.raises(AssertionError, match="(?s)check_grads: .*" + message):
        check_grads(function, args)


def test_forward_mode_alone_finds_it_too():
    wrong = cube(lambda g, ans, x: g * x**2)
    with pytest.raises(AssertionError, match=r'mode "fwd": .* most at .* 3 times as'):
        check_grads(wrong, (POINT,), modes=("fwd",))


def test_a_large_argument_is_not_looked_through_element_by_element():
    wrong = cube(lambda g, ans, x: g * x**2)
    with pytest.raises(AssertionError, match="along a random direction is wrong"):
        check_grads(wrong, (np.linspace(1, 2, 1001),))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: check_grads(np.sin, (POINT,), modes=("forward",)), "modes="),
        (lambda: check_grads(np.sin, (POINT,), modes=()), "modes="),
        (lambda: check_grads(np.sin, (POINT,), order=0), "order=0"),
        (lambda: check_grads(np.sin, (3,)), "no argument is an array or nest of floats"),
    ],
)
def test_bad_calls(call, match):
    with pytest.raises(ValueError, match=match):
        call()


@given(st.data())
def test_the_strategies_draw_what_they_say(data):
    x, y = data.draw(broadcastable(numbers(1, 2), numbers(-1, 1, without=0.5)))
    np.broadcast_shapes(x.shape, y.shape)
    assert np.all((x >= 1) & (x <= 2)) and np.all((np.abs(y) >= 0.5) & (np.abs(y) <= 1))
    matrix, vector = data.draw(broadcastable(signature="(m,n),(n)->(m)"))
    assert matrix.shape[-1] == vector.shape[-1]
    z = data.draw(arrays(shapes(min_dims=1)))
    for axis in (data.draw(axes(z.ndim)), data.draw(axes(z.ndim, none=False))):
        np.sum(z, axis=axis)
    one = data.draw(axes(z.ndim, several=False, none=False))
    assert isinstance(one, int) and np.cumsum(z, axis=one).shape == z.shape


def test_the_check_needs_no_hypothesis():
    script = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "import numpy as np\n"
        "from autograd.testing import check_grads\n"
        "check_grads(np.sin, (0.5,))\n"
        "try:\n    from autograd.testing import graphs\n"
        "except ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "pip install 'unrolled[test]'" in done.stdout
