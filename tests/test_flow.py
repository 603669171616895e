"""How far back a gradient reaches, in every kind of network."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn import GRU, LSTM, RNN, ElmanNetwork, gradient_flow

STEP = 1e-30


def run_of(kind, T=5, B=2, seed=0):
    rng = np.random.default_rng(seed)
    x, d = rng.normal(size=(T, B, 2)), rng.normal(size=(T, B, 3))
    sizes = (2, 3, 3) if kind is ElmanNetwork else (2, 3)
    network = kind(*sizes, rng=seed)
    for p in network.parameters().values():
        p.data = rng.normal(size=p.shape)
    output = (lambda i: i.a) if kind is ElmanNetwork else (lambda h: h)
    return network, x, lambda t, y: np.sum(np.sin(output(y)) * d[t - 1])


@settings(max_examples=10)
@given(st.sampled_from([ElmanNetwork, RNN, GRU, LSTM]), st.integers(0, 10**6))
def test_norms_are_those_of_the_jacobians_products(kind, seed):
    """‖∂E^t/∂a^k‖ = ‖∂E^t/∂a^t ∂a^t/∂a^k‖, for one sample, path by path."""
    network, x, loss = run_of(kind, B=1, seed=seed)
    flow = gradient_flow(network, x, loss)
    T, H = len(x), 3
    start = flow.norms[np.arange(T), np.arange(T)]
    N = 2 * H if kind is LSTM else H
    assert flow.jacobians.shape == (T, N, N)
    for path in (flow, flow.cell):
        if path is None:
            assert kind is not LSTM
            continue
        assert np.all(np.isnan(path.norms[np.triu_indices(T, 1)]))
        s = path.singular_values
        assert s.shape == (T, T, H) and np.all(np.isnan(s[np.triu_indices(T)]))
        assert path.verdict in ("vanishing", "stable", "exploding")
    if kind is not LSTM:
        for t in range(T):
            for k in range(t):
                largest, least = flow.singular_values[t, k, [0, -1]]
                assert flow.norms[t, k] <= largest * start[t] * (1 + 1e-9) + 1e-15
                assert flow.norms[t, k] >= least * start[t] * (1 - 1e-9) - 1e-15
                assert largest <= flow.rate ** (t - k) * (1 + 1e-9)


@pytest.mark.parametrize("kind", [ElmanNetwork, RNN, GRU, LSTM])
def test_a_steps_jacobian_is_what_differences_say(kind):
    network, x, loss = run_of(kind)
    flow = gradient_flow(network, x, loss)
    state = np.random.default_rng(1).normal(size=(2, 2, 3))

    def after(x, state):
        if kind is ElmanNetwork:
            return np.asarray(network.instant(x, state[0])[1].data)
        cell = network.only_cell()
        found = cell.step(x, tuple(state) if kind is LSTM else state[0])[1]
        parts = found if isinstance(found, tuple) else (found,)
        return np.concatenate([part.data for part in parts], axis=1)

    count = 2 if kind is LSTM else 1
    begin = tuple(state) if kind is LSTM else state[0]
    flow = gradient_flow(network, x, loss, begin)
    for i in range(3 * count):
        moved = state[:count].copy()
        ahead, behind = moved.copy(), moved.copy()
        ahead[i // 3, 0, i % 3] += 1e-6
        behind[i // 3, 0, i % 3] -= 1e-6
        slope = (after(x[0], ahead)[0] - after(x[0], behind)[0]) / 2e-6
        np.testing.assert_allclose(flow.jacobians[0][:, i], slope, atol=1e-8)


def test_an_lstm_remembers_along_its_cell_state():
    """Forget gates near 1: the gradient stays along c, and fades along h."""
    network, x, loss = run_of(LSTM, T=12)
    for name, p in network.parameters().items():
        p.data = 0 * p.data if "weight_hh" in name else 0.1 * p.data
    bias = np.zeros(12)
    bias[3:6] = 8.0
    network.bias_ih_l0.data = bias
    flow = gradient_flow(network, x, loss)
    assert flow.cell.verdict == "stable" and flow.cell.factor > 0.99
    assert np.all(flow.norms[np.tril_indices(12, -1)] < 1e-12)
    assert flow.cell.singular_values[11, 0, 0] > 0.99


def test_several_layers_are_refused():
    with pytest.raises(ValueError, match="2 layers and directions, expected one"):
        gradient_flow(GRU(2, 3, 2), np.zeros((3, 1, 2)), lambda t, h: np.sum(h))
    with pytest.raises(ValueError, match="1 step, expected at least 2"):
        gradient_flow(GRU(2, 3), np.zeros((1, 1, 2)), lambda t, h: np.sum(h))


def test_a_batch_first_network_takes_its_own_layout():
    """As (T, B, D) its first two axes would be swapped, and nobody would know."""
    x = np.random.default_rng(0).normal(size=(5, 2, 2))
    plain, swapped = GRU(2, 3, rng=0), GRU(2, 3, batch_first=True, rng=0)
    expected = gradient_flow(plain, x, lambda t, h: np.sum(h))
    found = gradient_flow(swapped, np.swapaxes(x, 0, 1), lambda t, h: np.sum(h))
    np.testing.assert_array_equal(found.norms, expected.norms)


@pytest.mark.parametrize("kind", [GRU, ElmanNetwork])
def test_jacobians_have_the_networks_dtype(kind):
    sizes = (2, 3, 1) if kind is ElmanNetwork else (2, 3)
    network, x = kind(*sizes, dtype="float32", rng=0), np.ones((4, 1, 2), np.float32)
    flow = gradient_flow(network, x, lambda t, i: np.sum(getattr(i, "y", i)))
    assert flow.jacobians.dtype == np.float32
