"""Truncated backpropagation through time: the cut is exact, and it is on record."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import cases

import viz
from autograd import Tensor, graph, no_grad, scope
from rnn import ElmanNetwork
from rnn.bptt import cut, cuts, segments
from rnn.losses import squared_error
from rnn.optim import SGD
from rnn.training import fit

K = 3


def sequence(T=8):
    rng = np.random.default_rng(0)
    return ElmanNetwork(2, 3, 1, rng=0), *(rng.normal(size=(T, 2, n)) for n in (2, 1))


def objective(network, seen):
    def E(segment, state):
        x, d = segment
        instants = network.unroll(x, state)
        loss = squared_error(np.stack([i.y for i in instants]), d)
        seen.append(graph(loss))
        return loss, instants[-1].a

    return E


@given(cases(), st.integers(1, 8))
def test_a_cut_changes_no_value(case, steps):
    network, x, _, a0, _, _ = case
    state, found = a0, []
    for (part,) in segments(steps, x):
        instants = network.unroll(part, state)
        found += [i.y.data for i in instants]
        state = cut(instants[-1].a)
    np.testing.assert_array_equal(np.stack(found), network(x, a0).data)


def test_no_gradient_goes_back_through_a_cut():
    """Each segment's gradient is that of a run from the state as a constant."""
    network, x, d = sequence()
    with no_grad():
        _, a = network(x, states=True)
    expected = dict.fromkeys(network.parameters(), 0.0)
    for (xs, ds), a0 in zip(segments(K, x, d), [None, a.data[2], a.data[5]], strict=True):
        network.zero_grad()
        squared_error(network(xs, a0), ds).backward()
        expected = {n: expected[n] + p.grad for n, p in network.parameters().items()}
    network.zero_grad()
    state = None
    for segment in segments(K, x, d):
        E, state = objective(network, [])(segment, state)
        state = cut(state)
        E.backward()
    for name, p in network.parameters().items():
        np.testing.assert_allclose(p.grad, expected[name], rtol=1e-13)


def test_fit_cuts_and_the_graph_tells_where():
    network, x, d = sequence()
    seen = []
    fit(objective(network, seen), segments(K, x, d),
        SGD(network.parameters(), 1e-9), epochs=1)  # fmt: skip
    first, *later = seen
    assert cuts(first) == () and len(later) == 2
    for recorded in later:
        (node,) = cuts(recorded)
        assert (node.name, node.scope, node.op) == ("a", f"t={K}/cut", "leaf")
        assert not node.requires_grad and node.grad is None and node.shape == (2, 3)
        users = {n.scope for n in recorded if node.index in n.parents}
        assert users == {"t=1"}


def test_a_picture_marks_the_cut():
    network, x, _ = sequence(4)
    state = cut(network.unroll(x[:2], steps=[1990, 1991])[-1].a)
    y = network.unroll(x[2:], state, steps=[1992, 1993])[-1].y
    source = viz.graph(np.sum(y)).source
    assert "<B>a</B> (t=1991, cut)" in source and "(t=1990" not in source


def test_a_cut_takes_nests_and_leaves_the_rest():
    with scope("t=9"):
        c = Tensor(np.ones(2), requires_grad=True) * 2
    done = cut({"h": (c, None), "steps": 3, "x": np.zeros(1)})
    assert done["steps"] == 3 and isinstance(done["x"], np.ndarray)
    h, nothing = done["h"]
    assert nothing is None and not h.requires_grad
    assert (h.name, h.scope) == ("state", "t=9/cut")
    assert cut(h) is h and cut(None) is None
    assert cut(Tensor(1.0, requires_grad=True) * 1).scope == "cut"
    np.testing.assert_array_equal(h.data, [2, 2])


@given(st.integers(1, 20), st.integers(1, 25))
def test_segments_are_the_arrays_in_order(T, steps):
    x, d = np.arange(T), np.arange(2 * T).reshape(T, 2)
    pieces = segments(steps, x, d)
    assert [len(p[0]) for p in pieces[:-1]] == [steps] * (len(pieces) - 1)
    for i, whole in enumerate((x, d)):
        np.testing.assert_array_equal(np.concatenate([p[i] for p in pieces]), whole)


@pytest.mark.parametrize(
    ("steps", "arrays", "match"),
    [
        (0, (np.ones(3),), "segments: steps=0, expected at least 1"),
        (2, (), "arrays of no steps"),
        (2, (np.ones(3), np.ones(4)), "arrays of 3, 4 steps, expected the same"),
        (2, (np.ones((0, 4)),), "arrays of 0 steps"),
        (2, (1.0,), "arrays of 0 steps"),
    ],
)
def test_mistakes(steps, arrays, match):
    with pytest.raises(ValueError, match=match):
        segments(steps, *arrays)
