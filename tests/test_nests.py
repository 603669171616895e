"""Nests of the user's: what a function does to its own changes no gradient."""

import copy
import dataclasses
import pickle
from collections import Counter, OrderedDict, defaultdict, namedtuple
from functools import cached_property
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import (
    Tensor,
    Value,
    checkpoint,
    compile,
    grad,
    hvp,
    jacobian,
    jvp,
    no_grad,
    value_and_grad,
    vjp,
)
from autograd.trees import leaves, map_tree
from rnn import Linear

STEP = 1e-30
X = np.array([1.0, 2.0, 3.0])
Pair = namedtuple("Pair", "a b")


@dataclasses.dataclass
class Layer:
    a: Any
    b: Any


@dataclasses.dataclass(frozen=True)
class Frozen:
    a: Any
    b: Any


@dataclasses.dataclass(slots=True)
class Slots:
    a: Any
    b: Any


@dataclasses.dataclass(frozen=True, slots=True)
class FrozenSlots:
    a: Any
    b: Any = dataclasses.field(kw_only=True)


@dataclasses.dataclass
class Late:
    """One field that `__init__` does not set, one that it only passes on."""

    a: Any
    b: Any = dataclasses.field(init=False, default=None)
    scale: dataclasses.InitVar[float] = 1.0


class Stack(list):
    """A list whose constructor takes two arguments."""

    def __init__(self, a, b):
        super().__init__((a, b))


class Attributes(dict):
    """A dict whose entries are its attributes."""

    def __init__(self, **entries):
        super().__init__(**entries)
        self.__dict__ = self


def late(a, b):
    found = Late(a)
    found.b = b
    return found


MAKERS = [
    lambda a, b: {"a": a, "b": b},
    lambda a, b: OrderedDict(b=b, a=a),
    lambda a, b: defaultdict(list, {0: a, (1, "b"): b}),
    lambda a, b: Attributes(a=a, b=b),
    lambda a, b: [a, b],
    lambda a, b: (a, b, None),
    Stack,
    Pair,
    Layer,
    Frozen,
    Slots,
    lambda a, b: FrozenSlots(a, b=b),
    late,
]
"""Every kind of container, of two parts."""

NUMBERS = st.sampled_from([0.7, -1.3, X, np.ones((2, 2)), np.array(0.4), np.zeros(0)])
NESTS = st.recursive(
    NUMBERS,
    lambda part: st.builds(
        lambda make, *of: make(*of), st.sampled_from(MAKERS), part, part
    ),
    max_leaves=6,
)


def containers(tree):
    """The containers of a nest that can be changed, from the outside in."""
    found = [tree] if isinstance(tree, (dict, list, Layer, Slots, Late)) else []
    parts = (
        list(tree.values()) if isinstance(tree, dict)
        else list(tree) if isinstance(tree, (list, tuple))
        else [getattr(tree, "a", None), getattr(tree, "b", None)]
        if dataclasses.is_dataclass(tree) else []
    )  # fmt: skip
    return found + [inner for part in parts for inner in containers(part)]


def doubled(tree):
    return map_tree(lambda x: x * 2.0, tree)


def change_dict(nest, rng):
    key = rng.choice(list(nest))
    match rng.randrange(6):
        case 0:
            nest[key] = doubled(nest[key])
        case 1:
            return nest.pop(key)
        case 2:
            nest["new"] = doubled(nest[key])
        case 3:
            nest.update({k: doubled(v) for k, v in nest.items()})
        case 4:
            nest[key] = nest.pop(key)  # last, from now on
        case 5:
            parts = list(nest.values())
            nest.clear()
            return parts
    return 0.0


def change_list(nest, rng):
    match rng.randrange(6):
        case 0:
            nest[0] = doubled(nest[0])
        case 1:
            return nest.pop()
        case 2:
            nest.append(doubled(nest[0]))
        case 3:
            nest.sort(key=lambda part: -len(leaves(part)))
        case 4:
            nest.reverse()
        case 5:
            parts = nest[:]
            del nest[:]
            return parts
    return 0.0


def change(nest, rng):
    """Change one container in some way; the parts that it loses."""
    if isinstance(nest, (dict, list)):
        if not nest:
            return 0.0
        return (change_dict if isinstance(nest, dict) else change_list)(nest, rng)
    nest.a, nest.b = doubled(nest.b), nest.a
    return 0.0


def changing(seed):
    """A function that changes its nest at random, and returns two nests of it."""

    def fun(nest):
        rng, lost = Random(seed), []
        for _ in range(rng.randrange(1, 6)):
            within = containers(nest)
            if within:
                lost.append(change(rng.choice(within), rng))
        weights = iter(range(1, 1000))
        curved = map_tree(lambda x: np.sin(x) * x * next(weights), (nest, lost))
        return {"nest": nest, "curved": curved}

    return fun


def total(tree):
    return sum(np.sum(x) for x in leaves(tree))


def directions(tree, seed):
    rng = np.random.default_rng(seed)
    return map_tree(lambda x: rng.normal(size=np.shape(x)), tree)


def moved(tree, by):
    """The nest at x + ihu, for the complex step."""
    along = iter(leaves(by))
    return map_tree(lambda x: x + 1j * STEP * next(along), tree)


def assert_equal_nests(found, expected, rtol=0.0):
    assert type(found) is type(expected) or not isinstance(found, (dict, list, tuple))
    assert len(leaves(found)) == len(leaves(expected))
    for one, other in zip(leaves(found), leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol)


def inner(one, other):
    return sum(np.sum(x * y) for x, y in zip(leaves(one), leaves(other), strict=True))


@given(NESTS, st.integers(0, 10**6))
def test_a_function_that_changes_its_nest_has_its_derivative(nest, seed):
    fun, before = changing(seed), copy.deepcopy(nest)
    u = directions(nest, seed)
    value, pull = vjp(fun, nest)
    assert_equal_nests(nest, before)
    assert_equal_nests(value, fun(copy.deepcopy(nest)), 1e-15)
    g = directions(value, seed + 1)
    (pulled,) = pull(g)
    again, tangent = jvp(fun, (nest,), (u,))
    assert_equal_nests(nest, before)
    assert_equal_nests(map_tree(np.zeros_like, pulled), map_tree(np.zeros_like, nest))
    assert_equal_nests(again, value)
    slopes = map_tree(lambda z: np.imag(z) / STEP, fun(moved(nest, u)))
    assert_equal_nests(tangent, slopes, 1e-12)
    assert inner(pulled, u) == pytest.approx(inner(g, slopes), rel=1e-10, abs=1e-10)


@given(NESTS, st.integers(0, 10**6))
def test_every_transformation_leaves_the_nest_alone(nest, seed):
    before = copy.deepcopy(nest)
    energy = lambda nest: total(changing(seed)(nest))  # noqa: E731
    v = directions(nest, seed)
    gradient = grad(energy)(nest)
    assert_equal_nests(value_and_grad(checkpoint(energy))(nest)[1], gradient, 1e-14)
    assert_equal_nests(hvp(energy)(nest, v), jvp(grad(energy), (nest,), (v,))[1], 1e-12)
    assert_equal_nests(nest, before)


@given(NESTS, st.integers(0, 10**6))
def test_compile_hands_the_function_a_nest_of_its_own(nest, seed):
    before = copy.deepcopy(nest)
    energy = lambda nest: total(changing(seed)(nest))  # noqa: E731
    for fun in (grad(energy), value_and_grad(checkpoint(energy))):
        compiled = compile(fun)
        for scale in (1.0, 0.5):
            at = map_tree(lambda x, scale=scale: x * scale, nest)
            assert_equal_nests(compiled(at), fun(at), 1e-14)
    assert_equal_nests(nest, before)


# What the nests are.


def squares(nest):
    return sum(np.sum(x**2) for x in leaves(nest))


@pytest.mark.parametrize("make", MAKERS)
def test_gradients_keep_the_type_of_every_container(make):
    nest = make(X, make(2.0, X))
    found = grad(squares)(nest)
    assert type(found) is type(nest)
    for g, x in zip(leaves(found), leaves(nest), strict=True):
        np.testing.assert_array_equal(g, 2 * x)


def test_attributes_that_are_entries_stay_entries():
    found = grad(lambda p: np.sum(p.w * p["w"]))(Attributes(w=X))
    np.testing.assert_array_equal(found.w, 2 * X)
    assert found.w is found["w"]


def test_no_constructor_of_the_users_runs():
    @dataclasses.dataclass
    class Normal:
        w: Any

        def __post_init__(self):
            self.w = np.asarray(self.w) / np.sum(self.w)

    p = Normal(X)
    np.testing.assert_array_equal(grad(lambda p: np.sum(p.w**2))(p).w, X / 3)


def test_a_cached_property_is_computed_again_from_the_variables():
    @dataclasses.dataclass
    class Cached:
        w: Any

        @cached_property
        def square(self):
            return self.w * self.w

    p = Cached(X)
    assert p.square.tolist() == [1, 4, 9]
    np.testing.assert_array_equal(grad(lambda p: np.sum(p.square))(p).w, 2 * X)


def test_an_array_in_an_attribute_that_is_no_field_is_refused():
    p = Layer(X, 1.0)
    p.transposed = X[::-1]
    with pytest.raises(TypeError, match=r"grad: argument 0\[1\]\.transposed is an attr"):
        grad(squares)([X, p])
    p.transposed = "by hand"
    assert grad(lambda p: np.sum(p.a) if p.transposed == "by hand" else 0.0)(p).a[0] == 1


def test_a_field_that_is_not_set_stays_so():
    @dataclasses.dataclass
    class Unset:
        w: Any
        cache: Any = dataclasses.field(init=False)

    found = grad(lambda p: np.sum(p.w**2))(Unset(X))
    assert found.w.tolist() == [2, 4, 6] and not hasattr(found, "cache")


def test_arguments_that_are_not_differentiated_are_handed_on_as_they_are():
    log, options = [], {"scale": 2.0}

    def f(w, log, *, options):
        log.append(np.shape(w))
        options["calls"] = options.get("calls", 0) + 1
        return np.sum(w * options["scale"])

    grad(f)(X, log, options=options)
    assert log == [(3,)] and options == {"scale": 2.0, "calls": 1}


def test_numbers_that_are_none_are_refused_by_their_path():
    for nest, match in (
        ({"w": X, "name": "tanh"}, r'grad: argument 0\["name"\]: .*got str'),
        ([X, np.arange(3)], r"argument 0\[1\]: .*int64 values cannot require"),
        (Pair(X, {True: {1, 2}}), r"argument 0\.b\[True\]: .*got set"),
    ):
        with pytest.raises(TypeError, match=match):
            grad(squares)(nest)


# Copies of Tensors.

COPIED = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "nest": lambda x: copy.deepcopy({"x": [x]})["x"][0],
    "asdict": lambda x: dataclasses.asdict(Layer(x, 1.0))["a"],
    "astuple": lambda x: dataclasses.astuple(Frozen([x], 1.0))[0][0],
    "replace": lambda x: dataclasses.replace(Layer(x, 1.0), b=2.0).a,
}


@pytest.mark.parametrize("copied", COPIED.values(), ids=COPIED)
def test_a_copy_inside_of_a_function_is_the_identity(copied):
    def cube(x):
        return np.sum(copied(copied(x) * x) * x)

    for at in (X, 2.0, Value(2.0), Tensor(X, requires_grad=True)):
        x = at.data if isinstance(at, Tensor) else at
        g = grad(cube)(at)
        np.testing.assert_allclose(g.data if isinstance(g, Tensor) else g, 3 * x**2)
        h = grad(lambda x: np.sum(grad(cube)(x)))(at)
        np.testing.assert_allclose(h.data if isinstance(h, Tensor) else h, 6 * x)
    np.testing.assert_allclose(jvp(cube, (X,), (X,))[1], 3 * np.sum(X**3))
    np.testing.assert_allclose(grad(checkpoint(cube))(X), 3 * X**2)
    np.testing.assert_allclose(compile(grad(cube))(X), 3 * X**2)
    loss = cube(leaf := Tensor(X, requires_grad=True))
    loss.backward()
    assert leaf.grad is not None
    with no_grad():
        assert not copied(loss * 2).requires_grad


def test_a_deep_copy_keeps_names_and_takes_each_tensor_once():
    def f(x):
        x.name = "W"
        one, other = copy.deepcopy([x, x])
        assert one is other and one is not x and one.name == "W" and one.requires_grad
        return np.sum(one * other)

    np.testing.assert_array_equal(grad(f)(X), 2 * X)


def test_a_network_copied_outside_is_a_network_of_its_own():
    net = Linear(3, 2, rng=0)
    twin = copy.deepcopy(net)
    assert all(p.op == "leaf" for p in twin.parameters().values())
    np.sum(twin(X)).backward()
    assert net.weight.grad is None and twin.weight.grad.shape == (2, 3)


def test_a_network_copied_with_variables_inside_keeps_their_gradients():
    net = Linear(3, 2, rng=0)

    def f(weight):
        return np.sum(copy.deepcopy(net.having(weight=weight))(X) ** 2)

    def plain(weight):
        return np.sum(net.having(weight=weight)(X) ** 2)

    found = grad(f)(net.weight.data)
    np.testing.assert_allclose(value_of(found), value_of(grad(plain)(net.weight.data)))


def value_of(x):
    return x.data if isinstance(x, Tensor) else x


def test_a_pickle_inside_of_a_function_is_refused():
    for call in (grad, jacobian, checkpoint):
        with pytest.raises(
            TypeError, match=r"pickle: Tensor .* was computed: .*deepcopy"
        ):
            call(lambda x: np.sum(pickle.loads(pickle.dumps(x))))(
                Tensor(X, requires_grad=True) if call is checkpoint else X
            )


# Pairs.


def product(p):
    return p["a"] * p["b"] ** 2


P = {"a": 2.0, "b": 3.0}


def test_tangents_are_paired_by_key():
    for kind in (dict, OrderedDict, Counter):
        along = kind({"b": 10.0, "a": 1.0})
        assert jvp(product, (P,), (along,))[1] == 9 + 10 * 12
        assert hvp(product)(P, along) == {"a": 60.0, "b": 6.0 + 40.0}
    out, pull = vjp(lambda p: {"x": 2 * p["a"], "y": 3 * p["b"]}, P)
    assert out == {"x": 4.0, "y": 9.0}
    assert pull({"y": 10.0, "x": 1.0}) == ({"a": 2.0, "b": 30.0},)


@pytest.mark.parametrize(
    ("other", "error", "match"),
    [
        ([1.0, 2.0], TypeError, " is of type list, expected dict, as "),
        (1.0, TypeError, " is of type float, expected dict"),
        (None, TypeError, " is of type None, expected dict"),
        (
            {"a": 1.0},
            ValueError,
            r" has the keys \['a'\], expected the keys \['a', 'b'\]",
        ),
        ({"a": 1.0, "b": X, "c": X}, ValueError, " has the keys .*'c'"),
        ({"a": 1.0, "b": 1.0}, ValueError, r'\["b"\] has shape \(\), expected \(3,\)'),
        ({"a": X, "b": X}, ValueError, r'\["a"\] has shape \(3,\), expected \(\)'),
        ({"a": 1.0, "b": 1j * X}, TypeError, r'\["b"\] is of dtype complex128'),
        ({"a": 1.0, "b": None}, TypeError, r'\["b"\] is None, expected numbers of shape'),
        (
            {"a": "1", "b": X},
            TypeError,
            r'\["a"\] is str, expected numbers of shape \(\)',
        ),
        ({"a": [1.0, 2.0], "b": X}, ValueError, r'\["a"\] has shape \(2,\), expected'),
        ({"a": 1.0, "b": {"c": X}}, TypeError, r'\["b"\] is dict, expected numbers'),
    ],
)
def test_another_structure_or_shape_is_an_error_that_names_the_path(other, error, match):
    at = {"a": 2.0, "b": X}
    with pytest.raises(error, match=rf"jvp: tangents\[0\].*{match.lstrip()}"):
        jvp(squares, (at,), (other,))
    with pytest.raises(error, match=f"hvp: v{match}"):
        hvp(squares)(at, other)
    with pytest.raises(error, match=f"vjp: g{match}"):
        vjp(lambda p: p, at)[1](other)


def test_sequences_are_paired_with_their_own_type_and_length():
    pair = Pair(1.0, 2.0)
    for at, other, error in (
        (pair, (1.0, 2.0), "of type tuple, expected Pair"),
        ((1.0, 2.0), [1.0, 2.0], "of type list, expected tuple"),
        ([1.0, 2.0], [1.0], "1 elements, expected 2 elements"),
        (Layer(1.0, 2.0), Slots(1.0, 2.0), "of type Slots, expected Layer"),
        (None, 1.0, "of type float, expected None"),
    ):
        with pytest.raises((TypeError, ValueError), match=error):
            jvp(squares, ({"p": at},), ({"p": other},))
    assert jvp(squares, (pair,), (Pair(1, 2),))[1] == 10
    assert jvp(squares, [X], [[1, 2, 3]])[1] == 28
    for primals, tangents, error in (
        ((X,), (X, X), "tangents has 2 elements, expected 1 elements"),
        (X, X, "primals is of type ndarray, expected a tuple"),
        ((X,), X, "tangents is of type ndarray, expected a tuple"),
    ):
        with pytest.raises((TypeError, ValueError), match=f"jvp: {error}"):
            jvp(squares, primals, tangents)
