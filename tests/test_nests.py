"""Nests of the user's: what a function does to its own changes no gradient."""

import copy
import dataclasses
import pickle
from collections import Counter, OrderedDict, defaultdict, namedtuple
from functools import cached_property, partial
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
    hessian,
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


def test_fields_of_a_dict_are_attributes_that_hold_numbers():
    @dataclasses.dataclass
    class Scaled(dict):
        scale: Any = None

    p = Scaled(scale=X)
    p["w"] = X
    with pytest.raises(TypeError, match=r"argument 0\.scale is an attribute that holds"):
        grad(lambda p: np.sum(p["w"] * p.scale))(p)
    p.scale = "two"
    assert grad(lambda p: np.sum(p["w"]) if p.scale == "two" else 0.0)(p)["w"][0] == 1


def endless():
    """A dict and a list that contain themselves, and 5,000 lists in one another."""
    table, elements, deep = {"w": X}, [X], [X]
    table["self"] = {"again": table}
    elements.append(elements)
    for _ in range(5000):
        deep = [deep]
    return [
        (table, r'a dict contains itself, at .*\["self"\]\["again"\]'),
        (elements, r"a list contains itself, at .*\[1\]"),
        (deep, r"nested deeper than Python's recursion limit"),
    ]


@pytest.mark.parametrize(("tree", "match"), endless())
def test_nests_without_an_end_are_refused(tree, match):
    def first(p):
        return np.sum(X)

    for call in (
        lambda: grad(first)(tree),
        lambda: vjp(first, tree),
        lambda: jvp(first, (tree,), (tree,)),
        lambda: hvp(first)(tree, tree),
        lambda: jacobian(lambda x: tree)(X),
        lambda: grad(lambda x: (np.sum(x), tree), has_aux=True)(X),
        lambda: compile(first)(tree),
        lambda: checkpoint(first)(tree),
    ):
        with pytest.raises(ValueError, match=match):
            call()


def test_a_container_that_stands_in_many_places_has_an_end():
    tree = [X]
    for _ in range(10):
        tree = [tree, tree]
    assert len(leaves(grad(lambda p: np.sum(leaves(p)[0]))(tree))) == 1024


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


def test_tangents_in_lists_are_plain_numbers_of_one_length():
    masked = [np.ma.array([1.0, 2.0], mask=[1, 0])] * 2
    for other, error, match in (
        (masked, TypeError, r"jvp: tangents\[0\]: got a numpy\.ma.*mask"),
        ([[1.0, 2.0], [1.0]], ValueError, r"tangents\[0\]: lists of several lengths"),
    ):
        with pytest.raises(error, match=match):
            jvp(np.sum, (np.eye(2),), (other,))
    pull = vjp(np.sum, X)[1]
    with pytest.raises(TypeError, match=r"^vjp_fun\(\) missing"):
        pull()


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


# Nests as results, several arguments.


def mixed(p, x):
    """A nest of every kind of shape: (3,), (2, 3), () and a constant."""
    return {
        "s": Pair(np.sin(x) * p["a"], np.outer(p["b"], x) * p["a"]),
        "e": [np.sum(x**3) * p["b"][0] * p["a"], None, 2.0],
    }


ARGUMENTS = ({"b": np.array([0.3, -1.2]), "a": 0.7}, np.array([0.2, 1.1, -0.4]))


def by_complex_step(fun, args, path):
    """∂fun/∂arg for the leaf that `path` reads, as a list over the leaves of fun."""
    at = path(args)
    columns = []
    for unit in np.eye(np.size(at)).reshape(-1, *np.shape(at)):
        by = map_tree(np.zeros_like, args)
        spot = {id(path(by)): unit}
        by = map_tree(lambda x, spot=spot: spot.get(id(x), x), by)
        columns.append([np.imag(z) / STEP for z in leaves(fun(*moved(args, by)))])
    shaped = [np.stack(rows, -1) for rows in zip(*columns, strict=True)]
    return [m.reshape(m.shape[:-1] + np.shape(at)) for m in shaped]


PATHS = {
    (0, "a"): lambda t: t[0]["a"],
    (0, "b"): lambda t: t[0]["b"],
    (1, None): lambda t: t[1],
}


def test_the_jacobian_of_nests_is_a_nest_of_nests():
    args = map_tree(np.asarray, ARGUMENTS)
    found = jacobian(mixed, (0, 1))(*args)
    assert type(found["s"]) is Pair and found["e"][1] is None
    parts = [*found["s"], found["e"][0], found["e"][2]]
    for (i, key), path in PATHS.items():
        ours = [part[i] if key is None else part[i][key] for part in parts]
        for one, other in zip(ours, by_complex_step(mixed, args, path), strict=True):
            assert one.shape == other.shape
            np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-14)
    alone = jacobian(mixed, np.int64(-1))(*args)
    np.testing.assert_array_equal(alone["s"].b, found["s"].b[1])


def test_the_hessian_of_nests_and_arguments_is_a_nest_of_nests():
    def energy(p, x):
        return np.sum(np.sin(x) * p["a"]) + np.prod(p["b"]) * np.sum(x * x) * p["a"] ** 3

    args = map_tree(np.asarray, ARGUMENTS)
    found = hessian(energy, (0, 1))(*args)
    slope = grad(energy, (0, 1))
    for (i, key), first in PATHS.items():
        for (j, other), second in PATHS.items():
            block = found[i] if key is None else found[i][key]
            block = block[j] if other is None else block[j][other]
            unit = map_tree(np.zeros_like, args)
            for at in np.ndindex(np.shape(second(args))):
                along = map_tree(np.copy, unit)
                second(along)[at] = 1.0
                _, column = jvp(slope, args, along)
                np.testing.assert_allclose(
                    block[(..., *at)], first(column), rtol=1e-13, atol=1e-14
                )
    p = {"a": 2.0, "b": 3.0}
    assert hessian(product)(p) == {"a": {"a": 0, "b": 6}, "b": {"a": 6, "b": 4}}
    assert hessian(product, (0,))(p)[0]["b"][0]["a"] == 6


def test_vjp_and_jvp_of_nests_are_transposes():
    args = map_tree(np.asarray, ARGUMENTS)
    out, pull = vjp(mixed, *args)
    assert type(out["s"]) is Pair and out["e"][1] is None and out["e"][2] == 2
    u, g = directions(args, 0), directions(out, 1)
    again, tangent = jvp(mixed, args, u)
    assert_equal_nests(again, out)
    slopes = map_tree(lambda z: np.imag(z) / STEP, mixed(*moved(args, u)))
    assert_equal_nests(tangent, slopes, 1e-13)
    assert inner(pull(g), u) == pytest.approx(inner(g, tangent), rel=1e-13)
    assert tangent["e"][1] is None and tangent["e"][2] == 0


@pytest.mark.parametrize("wrapped", [lambda f: f, checkpoint])
def test_derivatives_of_every_order_go_through_nests(wrapped):
    def cubes(p):
        p["y"] = p.pop("x") ** 3
        return {"y": [p["y"] * p["w"]]}

    f, at = wrapped(cubes), {"x": X, "w": 2.0}
    ones = {"y": [np.ones(3)]}
    one = lambda p: vjp(f, p)[1](ones)[0]  # noqa: E731
    np.testing.assert_allclose(one(at)["x"], 6 * X**2)
    two = lambda p: jvp(one, (p,), ({"w": 0.0, "x": np.ones(3)},))[1]  # noqa: E731
    np.testing.assert_allclose(two(at)["x"], 12 * X)
    np.testing.assert_allclose(two(at)["w"], np.sum(3 * X**2))
    three = grad(lambda p: np.sum(two(p)["x"]))
    np.testing.assert_allclose(three(at)["x"], 12 * np.ones(3))
    np.testing.assert_allclose(compile(three)(at)["x"], 12 * np.ones(3))
    by_g = grad(lambda g: np.sum(vjp(f, at)[1](g)[0]["x"]))(ones)
    np.testing.assert_allclose(by_g["y"][0], 6 * X**2)


def test_results_in_many_parts_take_one_traversal():
    def states(w):
        found = [w]
        for _ in range(3000):
            found.append(np.tanh(found[-1]))
        return found

    _, pull = vjp(states, 0.5)
    assert pull([1.0] + [0.0] * 3000) == (1.0,)
    tensor = Tensor(1.0, requires_grad=True)
    outs, _ = vjp(lambda w: [w, *(w * tensor for _ in range(3)), 2.0], 0.5)
    assert [isinstance(x, Tensor) for x in outs] == [False, True, True, True, False]


@pytest.mark.parametrize(
    ("result", "match"),
    [
        (None, "returned None, expected numbers. Does it end in `return`"),
        ([X, "tanh"], r"returned str, at result\[1\], expected numbers in dicts"),
        ({"h": {1, 2}}, r'returned set, at result\["h"\]'),
        ([X, np.array(["a"])], r"returned <U1, at result\[1\], expected real numbers"),
        (np.array([1.0, None], object), "returned object, at result"),
        (np.array([1j]), "returned complex128, at result, expected real numbers"),
        ((X, np.ma.array(X, mask=X > 1)), r"at result\[1\]: got a numpy\.ma.*mask"),
    ],
)
def test_results_that_are_no_numbers_are_refused_by_their_path(result, match):
    for call in (
        lambda f: vjp(f, X),
        lambda f: jvp(f, (X,), (X,)),
        lambda f: jacobian(f)(X),
    ):
        with pytest.raises(TypeError, match=match):
            call(lambda x: result)


@pytest.mark.parametrize(
    "result", [np.array("a"), np.array(1j), np.array(None), np.ma.masked, np.float64(1)]
)
def test_a_value_that_is_no_real_number_has_no_gradient(result):
    if isinstance(result, np.float64):
        assert grad(lambda x: result)(X).tolist() == [0.0] * 3
        return
    with pytest.raises(TypeError, match=r"real numbers|mask would be dropped"):
        grad(lambda x: result)(X)


# A value, and other results.


def test_other_results_come_beside_the_value_and_the_gradient():
    def f(w, x):
        h = np.tanh(w * x)
        return np.sum(h), {"h": h, "name": "tanh", "none": None, "w": w}

    (value, aux), gradient = value_and_grad(f, (0, 1), has_aux=True)(X, 2.0)
    assert value == np.sum(np.tanh(2 * X)) and type(aux["h"]) is np.ndarray
    assert (aux["name"], aux["none"], type(aux["w"])) == ("tanh", None, np.ndarray)
    np.testing.assert_array_equal(aux["h"], np.tanh(2 * X))
    both = grad(lambda w, x: f(w, x)[0], (0, 1))(X, 2.0)
    assert_equal_nests(gradient, both)
    gradient, aux = grad(f, has_aux=True)(X, 2.0)
    np.testing.assert_array_equal(gradient, both[0])
    compiled = compile(value_and_grad(f, has_aux=True))
    for scale in (1.0, 0.5):
        (value, aux), gradient = compiled(X * scale, 2.0)
        assert value == np.sum(np.tanh(2 * X * scale)) and aux["name"] == "tanh"
        np.testing.assert_array_equal(gradient, grad(f, 0, True)(X * scale, 2.0)[0])


def test_other_results_stay_in_the_graph_of_an_outer_derivative():
    def outer(x):
        (value, aux), slope = value_and_grad(lambda y: (y**3 * x, y * x), 0, True)(x)
        return value + aux + slope  # x⁴ + x² + 3x³

    assert grad(outer)(2.0) == 4 * 8 + 2 * 2 + 9 * 4
    for result in (1.0, (1.0, 2.0, 3.0), X, {"a": 1.0, "b": 2.0}):
        with pytest.raises(TypeError, match=r"grad: has_aux=True, .* expected a pair"):
            grad(lambda x, result=result: result, has_aux=True)(1.0)
    with pytest.raises(TypeError, match=r"grad: .*tuple, .*returned with has_aux=True"):
        grad(lambda x: (x, x))(1.0)


# Which arguments, of what can be called.


def test_argnums_are_integers_of_any_kind():
    f = lambda x, y: np.sum(x * y)  # noqa: E731
    for argnums in (np.int64(1), 1, -1, np.int8(-1)):
        np.testing.assert_array_equal(grad(f, argnums)(X, 2 * X), X)
    assert [g.tolist() for g in grad(f, (0, np.int64(-2)))(X, 2 * X)] == [[2, 4, 6]] * 2
    assert grad(f, ())(X, X) == ()
    assert grad(f, [1])(X, 2 * X)[0].tolist() == [1, 2, 3]


@pytest.mark.parametrize("argnums", [True, np.True_, 1.0, "x", None, (0, 1.0), (0, (1,))])
def test_argnums_that_are_no_integers_are_refused(argnums):
    for call in (grad, value_and_grad, jacobian, hessian):
        with pytest.raises(
            TypeError, match=r"argnums=.*, expected an integer or a tuple"
        ):
            call(lambda x, y: x * y, argnums)(1.0, 2.0)


def test_argnums_of_arguments_that_were_not_given_are_refused():
    f = lambda x, y=1.0: x * y  # noqa: E731
    for call in (grad, value_and_grad, jacobian, hessian):
        for argnums in (1, -2, (0, 1), np.int64(5)):
            with pytest.raises(
                IndexError, match=r"argnums=.* is out of range \(got 1 arg"
            ):
                call(f, argnums)(2.0)
        with pytest.raises(
            IndexError, match="got 0 arguments by position and x, y by key"
        ):
            call(f)(x=2.0, y=3.0)


class Scaled:
    """A callable object."""

    def __init__(self, scale):
        self.scale = scale

    def __call__(self, x):
        return np.sum(x**2) * self.scale

    def method(self, x):
        return self(x)


CALLABLES = [
    Scaled(2.0),
    Scaled(2.0).method,
    partial(Scaled.method, Scaled(2.0)),
    partial(partial(lambda k, x: np.sum(x**2) * k, 2.0)),
]


@pytest.mark.parametrize("fun", CALLABLES)
def test_whatever_can_be_called_is_differentiated(fun):
    for call in (
        grad(fun), grad(checkpoint(fun)), compile(grad(fun)),
        lambda x: vjp(fun, x)[1](1.0)[0], lambda x: jacobian(fun)(x),
        lambda x: value_and_grad(fun)(x)[1], lambda x: hvp(fun)(x, x),
    ):  # fmt: skip
        np.testing.assert_array_equal(call(X), 4 * X)
    assert compile(fun)(X).item() == checkpoint(fun)(Tensor(X)).item() == 28
    made = checkpoint(Layer)(Tensor(X, requires_grad=True), 2.0)
    assert type(made) is Layer and made.a.requires_grad and made.b == 2


# One object in several places, under no_grad, and in compiled functions.


def test_a_container_in_several_places_may_be_used_and_not_changed():
    def f(p):
        return np.sum(2 * p["a"][0]) + np.sum(3 * p["b"][0])

    def changes(p):
        p["a"][0] = p["a"][0] * 2
        return f(p)

    shared = [X]
    p = {"a": shared, "b": shared}
    found = grad(f)(p)
    assert found["a"][0].tolist() == [2] * 3 and found["b"][0].tolist() == [3] * 3
    for call in (grad(changes), compile(changes), checkpoint(changes)):
        with pytest.raises(ValueError, match=r'list arguments\[0\]\["a"\], which is one'):
            call(p)
    np.testing.assert_array_equal(grad(changes)({"a": [X], "b": [X]})["a"][0], [4] * 3)


def test_derivatives_are_the_same_within_no_grad():
    w = Tensor(2.0, requires_grad=True)
    with no_grad():
        assert jvp(lambda x: x**3, (2.0,), (1.0,))[1] == 12
        assert value_of(jvp(lambda x: x**3 * w, (2.0,), (1.0,))[1]) == 24
        assert value_of(jvp(lambda x: x**3, (w,), (1.0,))[1]) == 12
        assert hvp(lambda x: x**3)(2.0, 1.0) == 12 == hessian(lambda x: x**3)(2.0)
        assert value_of(grad(lambda x: x**3)(w)) == 12


def test_a_checkpoint_is_run_again_on_the_nest_as_it_was():
    w = Tensor(X, requires_grad=True)
    p = {"w": w, "k": 2.0, "more": [w]}
    E = checkpoint(lambda p: np.sum(p["w"] ** 2) * p["k"] + np.sum(p["more"].pop()))(p)
    p.update(w=1.0, k=5.0)
    p["more"].clear()
    E.backward()
    np.testing.assert_array_equal(w.grad, 4 * X + 1)


def test_copies_in_a_compiled_function_are_copies_of_the_value():
    def f(p):
        one, other = copy.deepcopy(p)["w"], copy.copy(p["w"].data)
        other *= 2
        return np.sum(one * other) + np.sum(p["w"])

    compiled = compile(f)
    for scale in (1.0, 3.0):
        x = X * scale
        assert compiled({"w": x}).item() == np.sum(2 * x * x) + np.sum(x)
    with pytest.raises(TypeError, match="compile: pickle would take a value out"):
        compile(lambda x: np.sum(pickle.loads(pickle.dumps(x))))(X)


def test_attributes_are_part_of_what_a_program_was_compiled_for():
    @dataclasses.dataclass(eq=False)
    class Power:
        w: Any

    p = Power(X)
    p.k = 2
    compiled = compile(lambda p: np.sum(p.w) ** p.k)
    assert compiled(p).item() == 36
    p.w = 2 * X
    assert compiled(p).item() == 144
    for p.k in (3, X, 2.0):
        with pytest.raises(ValueError, match=r"nested otherwise than .*, or not equal"):
            compiled(p)
    with pytest.raises(TypeError, match=r"compile: arguments\[0\]\.k is an attribute"):
        compile(lambda p: np.sum(p.w))(p)


def test_a_compiled_function_may_go_through_a_dict_in_its_order():
    def f(layers, **more):
        x = X
        for w in (*layers.values(), *more.values()):
            x = np.tanh(x * w) + w
        return np.sum(x)

    compiled, a, b = compile(f), {"a": X, "b": 2 * X}, {"b": 2 * X, "a": X}
    for nest in (a, b, a, b):
        for more in ({"c": X, "d": 3 * X}, {"d": 3 * X, "c": X}):
            found = compiled(nest, **more).item()
            assert found == pytest.approx(f(nest, **more), rel=1e-14)
    assert f(a) != f(b)
