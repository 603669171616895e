"""Credit in time, the lecture's architectures, and δ^t in words."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import draw_network

from autograd import Tensor, graph, scope
from rnn import (
    GRU,
    LSTM,
    RNN,
    ElmanNetwork,
    GRUCell,
    Linear,
    LSTMCell,
    RNNCell,
    architecture_of,
    credit,
    encoder_decoder,
    losses,
    many_to_many,
    many_to_one,
    one_to_many,
    one_to_one,
)


@st.composite
def elman_cases(draw, least=1):
    network, rng = draw_network(draw, ("identity", "tanh"))
    T, B = draw(st.integers(least, 7)), draw(st.integers(1, 2))
    D, O = network.config["input_size"], network.config["output_size"]  # noqa: E741
    return network, rng.normal(size=(T, B, D)), rng.normal(size=(T, B, O))


def step_losses(network, x, d, a0=None):
    instants = network.unroll(x, a0)
    return [losses.squared_error(i.y, d[t]) for t, i in enumerate(instants)], instants


NAMES = ("W_a", "W_x", "b_a", "W_y")


@given(elman_cases(), st.sampled_from(NAMES))
def test_the_credit_matrix_sums_to_the_gradient(case, name):
    network, x, d = case
    E, _ = step_losses(network, x, d)
    found = credit(E, network.parameters()[name])
    sum(E[1:], E[0]).backward()
    np.testing.assert_allclose(
        found.gradient, network.parameters()[name].grad, atol=1e-12, rtol=1e-10
    )
    T = len(x)
    assert found.G.shape[:2] == (T, T) and found.steps == tuple(
        f"t={t + 1}" for t in range(T)
    )
    for t in range(T):
        assert not np.any(found.G[t, t + 1 :])
        network.zero_grad()
        step_losses(network, x, d)[0][t].backward()
        np.testing.assert_allclose(
            found.G[t].sum(axis=0),
            network.parameters()[name].grad,
            atol=1e-12,
            rtol=1e-10,
        )
    np.testing.assert_allclose(
        found.norms**2, np.sum(found.G**2, axis=tuple(range(2, found.G.ndim)))
    )


@given(elman_cases(least=2), st.integers(1, 4), st.integers(0, 3))
def test_truncation_is_the_sum_over_the_pairs_its_cuts_leave(case, k1, more):
    """Against truncated BPTT itself: every block run again from a state cut off."""
    network, x, d = case
    k2, T = k1 + more, len(x)
    E, instants = step_losses(network, x, d)
    found = credit(E, network.W_a).truncated(k1, k2)
    network.zero_grad()
    for start in range(0, T, k1):
        begin, stop = max(start - more, 0), min(start + k1, T)
        before = None if begin == 0 else instants[begin - 1].a.detach()
        again, _ = step_losses(network, x[begin:stop], d[begin:stop], before)
        kept = again[start - begin :]
        sum(kept[1:], kept[0]).backward()
    expected = network.W_a.grad
    np.testing.assert_allclose(found.gradient, expected, atol=1e-12, rtol=1e-10)


@pytest.mark.parametrize(
    "network", [RNN(2, 3, rng=0), GRU(2, 3, rng=0), LSTM(2, 3, rng=0)]
)
def test_cells_with_gates_have_credit_too(network):
    rng = np.random.default_rng(0)
    x, d = rng.normal(size=(5, 2, 2)), rng.normal(size=(5, 2, 3))
    y, _ = network(x)
    E = [losses.squared_error(y[t], d[t]) for t in range(5)]
    for name, p in network.parameters().items():
        found = credit(E, p)
        network.zero_grad()
        sum(E[1:], E[0]).backward()
        np.testing.assert_allclose(found.gradient, p.grad, atol=1e-12, err_msg=name)
        assert found.G.shape[:2] == (5, 5) and not np.any(found.G[0, 1:])


def test_a_cut_that_leaves_everything_is_exact_and_a_report_says_so():
    network = ElmanNetwork(2, 3, 1, rng=0)
    rng = np.random.default_rng(0)
    x, d = rng.normal(size=(6, 2, 2)), rng.normal(size=(6, 2, 1))
    a0 = rng.normal(size=(2, 3))
    found = credit(step_losses(network, x, d, a0)[0], network.W_a)
    whole, one = found.truncated(6, 6), found.truncated(1, 1)
    assert whole.error == 0 and whole.cosine == pytest.approx(1)
    diagonal = np.einsum("tt...->...", found.G)
    np.testing.assert_allclose(one.gradient, diagonal)
    full = found.gradient
    assert one.error == pytest.approx(
        np.linalg.norm(diagonal - full) / np.linalg.norm(full)
    )
    lines = found.report().splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "4", "6"]
    assert found.report([(2, 4)]).splitlines()[1].split()[:2] == ["2", "4"]


W = Tensor(np.ones(2), requires_grad=True, name="W")


def stepped():
    with scope("t=1"):
        return np.sum(W * 2)


BAD = [
    (lambda: credit([], W), "no losses"),
    (lambda: credit([np.sum(W)], W), "W is used outside of all steps"),
    (lambda: credit([np.sum(Tensor(np.ones(2)))], W), "no loss depends on"),
    (lambda: credit([stepped()], W).truncated(0, 1), "k1=0, k2=1, expected 1 ≤ k1"),
    (lambda: credit([stepped()], W).truncated(3, 2), "k1=3, k2=2, expected 1 ≤ k1"),
    (lambda: credit([stepped(), stepped()], W).truncated(1, 1), "2 losses and 1 steps"),
    (lambda: one_to_many(GRUCell(1, 2), np.ones((1, 1)), 0), "steps=0"),
    (
        lambda: encoder_decoder(GRUCell(1, 2), GRUCell(1, 2), np.ones((1, 1, 1)), 0),
        "steps=0",
    ),
    (lambda: architecture_of(graph(np.sum(W * 2))), "0 steps with an input called x"),
]
X = np.ones((3, 1, 1))


@pytest.mark.parametrize(("call", "match"), BAD)
def test_bad_calls(call, match):
    with pytest.raises(ValueError, match=match):
        call()


@settings(max_examples=15)
@given(
    st.sampled_from([RNNCell, GRUCell, LSTMCell]), st.integers(2, 5), st.integers(2, 4)
)
def test_the_five_architectures_are_told_from_their_graphs(kind, T, steps):
    rng = np.random.default_rng(T)
    xs = rng.normal(size=(T, 2, 3))
    cell, decoder, readout = kind(3, 4, rng=0), kind(3, 4, rng=1), Linear(4, 3, rng=2)
    runs = {
        "one to one": (one_to_one(cell, xs[0], None, readout), (2, 3)),
        "one to many": (one_to_many(cell, xs[0], steps, None, readout), (steps, 2, 3)),
        "many to one": (many_to_one(cell, xs, None, readout), (2, 3)),
        "many to many": (many_to_many(cell, xs, None, readout), (T, 2, 3)),
        "encoder-decoder": (
            encoder_decoder(cell, decoder, xs, steps, None, readout, lambda y: y),
            (steps, 2, 3),
        ),
    }
    for name, ((y, _), shape) in runs.items():
        assert y.shape == shape
        assert architecture_of(graph(np.sum(y))) == name
    np.testing.assert_array_equal(
        runs["many to one"][0][0].data, runs["many to many"][0][0].data[-1]
    )
    fed, _ = one_to_many(cell, xs[0], steps, None, readout, lambda y: y)
    told = np.concatenate([xs[:1], fed.data[:-1]])
    np.testing.assert_allclose(
        fed.data, many_to_many(cell, told, None, readout)[0].data, atol=1e-14
    )
    state = many_to_many(cell, xs)[1]
    silent = np.zeros((steps, 2, 3))
    np.testing.assert_allclose(
        encoder_decoder(cell, decoder, xs, steps)[0].data,
        many_to_many(decoder, silent, state)[0].data,
        atol=1e-14,
    )


def test_whole_networks_have_architectures_too():
    x = np.random.default_rng(0).normal(size=(4, 1, 2))
    for network in (GRU(2, 3, rng=0), LSTM(2, 3, 2, rng=0)):
        y, last = network(x)
        h = last[0] if isinstance(last, tuple) else last
        assert architecture_of(graph(np.sum(y))) == "many to many"
        assert architecture_of(graph(np.sum(y[-1]))) == "many to one"
        assert architecture_of(graph(np.sum(h[-1]))) == "many to one"
    elman = ElmanNetwork(2, 3, 1, rng=0)
    assert architecture_of(graph(np.sum(elman(x)))) == "many to many"


def test_an_architecture_needs_no_batch_and_no_array():
    """(T, D) for one sample; lists of the same numbers; a Tensor for its graph."""
    x, cell = np.random.default_rng(0).normal(size=(3, 2, 2)), GRUCell(2, 4, rng=0)
    ys, _ = encoder_decoder(cell, cell, x, 2)
    alone, _ = encoder_decoder(cell, cell, x[:, 0], 2)
    np.testing.assert_allclose(alone.data, ys.data[:, 0], rtol=1e-13)
    listed, _ = encoder_decoder(cell, cell, x.tolist(), 2)
    np.testing.assert_array_equal(listed.data, ys.data)
    assert architecture_of(ys) == architecture_of(graph(ys)) == "encoder-decoder"


@pytest.mark.parametrize("T", [2, 4])
@pytest.mark.parametrize("steps", [1, 3])
def test_the_decoder_begins_after_the_encoders_end(T, steps):
    """An output at the encoder's last step makes it another architecture."""
    xs = np.random.default_rng(0).normal(size=(T, 2, 3))
    cell, decoder = GRUCell(3, 4, rng=0), GRUCell(3, 4, rng=1)
    ys, _ = encoder_decoder(cell, decoder, xs, steps)
    assert architecture_of(graph(np.sum(ys))) == "encoder-decoder"
    ys, h = many_to_many(cell, xs)
    assert architecture_of(graph(np.sum(ys[-1]))) == "many to one"
    with scope(f"t={T + 1}"):
        after = np.tanh(h)
    assert architecture_of(graph(np.sum(after))) == "encoder-decoder"
    assert architecture_of(graph(np.sum(h) + np.sum(after))) == "many to many"
