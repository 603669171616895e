"""The catalogue of bugs: each can be planted, shows, and shows where it says."""

import dataclasses
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn import deltas
from rnn.bugs import BUGS, first_difference
from rnn.bugs import bug as bug_module

GRADIENTS = ("W_x", "W_a", "b_a", "W_y", "b_y", "x", "a0")
ELMAN = [bug for bug in BUGS if "elman" in bug.of]
ORACLES = ("elman", "lstm", "gru")
bugs = pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug.of[0]}, {bug.name}")


def random_case(seed, T=4, B=2, H=3, of="elman"):
    """Arguments of an oracle: D = 2, H units, O = 2, nothing of them zero."""
    rng = np.random.default_rng(seed)
    G = {"lstm": 4, "gru": 3}.get(of)
    shapes = {"W_x": (H, 2), "W_a": (H, H), "b_a": (H,), "W_y": (2, H), "b_y": (2,)}
    if G:
        shapes = {"weight_ih": (G * H, 2), "weight_hh": (G * H, H)}
        shapes |= {"bias_ih": (G * H,), "bias_hh": (G * H,)}
    parameters = {
        name: rng.uniform(0.3, 1, shape) * rng.choice([-1, 1], shape)
        for name, shape in shapes.items()
    }
    d = rng.normal(size=(T, B, H if G else 2))
    states = rng.normal(size=(1 + (of == "lstm"), B, H))
    return parameters, rng.normal(size=(T, B, 2)), lambda y: y - d, *states


@bugs
@given(st.integers(0, 2**32 - 1), st.integers(3, 6), st.integers(2, 3), st.integers(2, 3))
def test_each_bug_shows_and_shows_first_where_it_says(bug, seed, T, B, H):
    case = random_case(seed, T, B, H, bug.of[0])
    right, wrong = getattr(deltas, bug.of[0])(*case), bug.oracle()(*case)
    assert first_difference(wrong, right) == bug.first_wrong
    gradients = {name: g for name, g in wrong.items() if name in bug_module.GRADIENTS}
    assert len(gradients) >= 6 and first_difference(gradients, right)
    assert wrong.keys() == right.keys()
    for name in wrong.keys() - set(bug_module.STEPS) - gradients.keys():
        np.testing.assert_array_equal(wrong[name], right[name])  # the forward pass


@given(st.sampled_from(ORACLES), st.integers(0, 2**32 - 1), st.integers(3, 6))
def test_two_bugs_are_told_apart(of, seed, T):
    case, there = random_case(seed, T, of=of), [bug for bug in BUGS if of in bug.of]
    results = [bug.oracle(of)(*case) for bug in there]
    for one, other in combinations(results, 2):
        assert first_difference(one, other)
    assert len({(bug.right, bug.wrong) for bug in there}) == len(there) >= 11
    assert len({bug.name for bug in there}) == len(there)


@pytest.mark.parametrize("of", ORACLES)
def test_they_are_sorted_by_what_goes_wrong_first(of):
    steps = [bug_module.symbol(key) for key in bug_module.STEPS]
    order = [f"{key}^{t}" for t in ("T", "{T-1}", "1") for key in steps]
    order += [f"∂E/∂{name}" for name in bug_module.GRADIENTS]
    places = [order.index(bug.first_wrong) for bug in BUGS if of in bug.of]
    assert places == sorted(places)


def by_name(name):
    (bug,) = (bug for bug in ELMAN if bug.name == name)
    return bug


@pytest.mark.parametrize(
    ("name", "H", "activation", "output"),
    [
        ("derivative at the wrong argument", 3, "relu", "tanh"),
        ("derivative at the wrong argument", 3, "identity", "tanh"),
        ("derivative of the output activation forgotten", 3, "tanh", "identity"),
        ("W_a in place of its transpose", 1, "tanh", "tanh"),
        ("Jacobians in the wrong order", 1, "tanh", "tanh"),
    ],
)
def test_what_the_lessons_say_does_not_show(name, H, activation, output):
    case = (*random_case(0, H=H), activation, output)
    assert first_difference(by_name(name).oracle()(*case), deltas.elman(*case)) is None


def test_what_the_lessons_say_shows():
    case = random_case(0)
    right = deltas.elman(*case)
    assert np.all(by_name("immediate term missing").oracle()(*case)["delta_a"] == 0)
    overwritten = by_name("overwritten instead of added").oracle()(*case[:3])
    assert np.all(overwritten["W_a"] == 0)
    backwards = by_name("sign of the error").oracle()(*case)
    assert all(np.allclose(backwards[name], -right[name]) for name in GRADIENTS)
    with_biases = by_name("bias not summed over the batch").oracle()(*case)["b_a"]
    assert with_biases.shape == (2, 3)


def test_a_bug_whose_line_is_gone_says_so():
    stale = dataclasses.replace(BUGS[0], right="delta_z[t]")
    with pytest.raises(ValueError, match=r"'delta_z\[t\]' 0 times, expected once"):
        stale.oracle()
    twice = dataclasses.replace(BUGS[0], right="delta_a[t]")
    with pytest.raises(ValueError, match=r"[2-9] times, expected once"):
        twice.planted()
