"""Four routes to the gradients of the recurrent cells: they must agree to 1e-10.

The engine's sweep, the δ derived by hand, forward sensitivity (real-time recurrent
learning, through `jvp`), and the complex step.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Tensor, graph, jvp
from rnn import GRU, LSTM, RNN, WindowMLP, deltas
from rnn.check import relative_difference

STEP = 1e-30
LOSSES = {
    "squares": (lambda h, d: 0.5 * np.sum((h - d) ** 2), lambda h, d: h - d),
    "linear": (lambda h, d: np.sum(h * d), lambda h, d: d),
    "sines": (lambda h, d: np.sum(np.sin(h) * d), lambda h, d: np.cos(h) * d),
}


def logistic(v):
    return 1 / (1 + np.exp(-v))


def forward(kind, p, x, states, mask):
    """The states h (T, B, H) in plain NumPy, also of complex numbers."""
    for k in range(sum(name.startswith("weight_hh") for name in p)):
        h, c, outputs = states[0][k], states[1][k], []
        W_ih, W_hh, b_ih, b_hh = (
            p[f"{name}_l{k}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        for t in range(len(x)):
            a, b = x[t] @ W_ih.T + b_ih, h @ W_hh.T + b_hh
            if kind is RNN:
                after, c_after = np.tanh(a + b), c
            elif kind is GRU:
                (a_r, a_z, a_n), (b_r, b_z, b_n) = np.split(a, 3, 1), np.split(b, 3, 1)
                z = logistic(a_z + b_z)
                n = np.tanh(a_n + logistic(a_r + b_r) * b_n)
                after, c_after = (1 - z) * n + z * h, c
            else:
                i, f, g, o = np.split(a + b, 4, 1)
                c_after = logistic(f) * c + logistic(i) * np.tanh(g)
                after = logistic(o) * np.tanh(c_after)
            keep = mask[t][:, np.newaxis]
            h, c = np.where(keep, after, h), np.where(keep, c_after, c)
            outputs.append(h)
        x = outputs
    return np.stack(x)


@st.composite
def cases(draw):
    kind = draw(st.sampled_from([RNN, GRU, LSTM]))
    sizes = st.integers(1, 4)
    D, H, T, B = (
        draw(sizes),
        draw(sizes),
        draw(st.integers(1, 6)),
        draw(st.integers(1, 3)),
    )
    L = draw(st.integers(1, 3)) if kind is RNN else 1
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    network = kind(D, H, L, rng=rng)
    for p in network.parameters().values():
        p.data = rng.uniform(0.2, 1.0, p.shape) * rng.choice([-1, 1], p.shape)
    lengths = rng.integers(1, T + 1, B)
    lengths[0] = T
    x, d = rng.normal(size=(T, B, D)), rng.normal(size=(T, B, H))
    states = rng.normal(size=(2, L, B, H))
    mask = np.arange(T)[:, np.newaxis] < lengths
    return network, x, d * mask[..., np.newaxis], states, lengths, mask


def by_hand(network, p, x, dE_dh, states, mask):
    bare = {name.removesuffix("_l0"): value for name, value in p.items()}
    if isinstance(network, RNN):
        return deltas.rnn(p, x, dE_dh, states[0], mask)
    if isinstance(network, GRU):
        return deltas.gru(bare, x, dE_dh, states[0][0], mask)
    return deltas.lstm(bare, x, dE_dh, states[0][0], states[1][0], mask)


def engine(network, x, d, states, lengths, loss):
    """E, and its gradients by the sweep, by the names of the oracle."""
    network.zero_grad()
    x = Tensor(x, requires_grad=True)
    h0, c0 = (Tensor(s, requires_grad=True) for s in states)
    output, _ = network(x, (h0, c0) if isinstance(network, LSTM) else h0, lengths)
    E = loss(output, d)
    E.backward()
    found = {name: p.grad for name, p in network.parameters().items()}
    return E, found | {"x": x.grad, "h0": h0.grad, "c0": c0.grad}


@given(cases(), st.sampled_from(sorted(LOSSES)))
def test_four_routes_agree(case, loss):
    network, x, d, states, lengths, mask = case
    kind, p = type(network), network.state_dict()
    E_of, slope = LOSSES[loss]
    E, swept = engine(network, x, d, states, lengths, E_of)

    hand = by_hand(network, p, x, lambda h: slope(h, d) * mask[..., None], states, mask)
    single = kind is not RNN
    for name, g in swept.items():
        key = name.removesuffix("_l0") if single else name
        if g is not None and key in hand:
            expected = (
                hand[key][np.newaxis] if single and key in ("h0", "c0") else hand[key]
            )
            assert relative_difference(g, expected) <= 1e-10, name
    assert all(name in hand for name in ("x", "h0"))

    rng = np.random.default_rng(0)
    u = {name: rng.normal(size=value.shape) for name, value in p.items()}
    terms = [np.sum(swept[name] * u[name]) for name in p]
    size = sum(abs(term) for term in terms) + abs(E.item())

    def of_parameters(values):
        for name, value in values.items():
            setattr(network, name, value)
        start = tuple(states) if kind is LSTM else states[0]
        return E_of(network(x, start, lengths)[0], d)

    tensors = dict(network.parameters())
    _, along = jvp(of_parameters, (p,), (u,))
    of_parameters(tensors)
    assert abs(along - sum(terms)) <= 1e-10 * size

    moved = {name: value + 1j * STEP * u[name] for name, value in p.items()}
    h = np.where(mask[..., None], forward(kind, moved, x, states, mask), 0)
    assert abs(np.imag(E_of(h, d)) / STEP - sum(terms)) <= 1e-10 * size


NODES = {RNN: {"v": "delta_l0"}, LSTM: {"v": "delta_v"}}
NODES[GRU] = {"v_r": "delta_r", "v_z": "delta_z", "v_n": "delta_n", "m": "delta_m"}
VALUES = {
    RNN: {"v": "v_l0"},
    LSTM: {g: g for g in "ifgoch"},
    GRU: {g: g for g in "rznmh"},
}


@given(cases())
def test_every_delta_is_the_gradient_of_its_local_field(case):
    """The δ^t by hand against what the sweep leaves at v^t, step by step; and the values.

    A node's value is also what a masked step would have had; the oracle's is held there.
    """
    network, x, d, states, lengths, mask = case
    if network.config["num_layers"] > 1:
        return
    E, _ = engine(network, x, d, states, lengths, LOSSES["squares"][0])
    slope = lambda h: (h - d) * mask[..., None]  # noqa: E731
    hand = by_hand(network, network.state_dict(), x, slope, states, mask)
    fields = NODES[type(network)]
    values, seen = VALUES[type(network)], 0
    if isinstance(network, LSTM):
        parts = [hand[f"delta_{gate}"] for gate in "ifgo"]
        np.testing.assert_array_equal(np.concatenate(parts, axis=2), hand["delta_v"])
    for node in graph(E):
        t = int(node.scope.removeprefix("t=") or 0) - 1
        if node.name in values:
            there = hand[values[node.name]][t][mask[t]]
            np.testing.assert_allclose(node.value[mask[t]], there, rtol=1e-10, atol=1e-14)
            seen += 1
        if node.name in fields:
            assert relative_difference(node.grad, hand[fields[node.name]][t]) <= 1e-10
            seen += 1
    assert seen == (len(fields) + len(values)) * len(x)


@settings(max_examples=10)
@given(st.integers(1, 3), st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_the_windowed_network(window, more, seed):
    rng = np.random.default_rng(seed)
    network = WindowMLP(2, 3, 1, window, rng=rng)
    x, d = rng.normal(size=(window + more, 2, 2)), rng.normal(size=(1 + more, 2, 1))
    t = Tensor(x, requires_grad=True)
    (0.5 * np.sum((network(t) - d) ** 2)).backward()
    p = network.state_dict()
    layers = [(p["W_1"], p["b_1"], "tanh"), (p["W_2"], p["b_2"], "identity")]
    flat = d.reshape(-1, 1)
    hand = deltas.windowed(layers, x, lambda y: y - flat, window)
    found = {name: q.grad for name, q in network.parameters().items()} | {"x": t.grad}
    for name, g in found.items():
        assert relative_difference(g, hand[name]) <= 1e-10, name


def test_any_pair_of_an_activation_and_its_derivative():
    rng = np.random.default_rng(0)
    p = {name: rng.normal(size=s) for name, s in (
        ("weight_ih_l0", (3, 2)), ("weight_hh_l0", (3, 3)),
    )}  # fmt: skip
    x, d = rng.normal(size=(4, 2, 2)), rng.normal(size=(4, 2, 3))
    found = deltas.rnn(p, x, d, activation=(np.sin, np.cos))

    def E(W):
        h, total = np.zeros((2, 3)), 0
        for t in range(4):
            h = np.sin(x[t] @ p["weight_ih_l0"].T + h @ W.T)
            total = total + np.sum(h * d[t])
        return total

    u = rng.normal(size=(3, 3))
    expected = np.imag(E(p["weight_hh_l0"] + 1j * STEP * u)) / STEP
    assert np.sum(found["weight_hh_l0"] * u) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_without_a_state_the_oracle_starts_from_zeros(kind):
    network = kind(2, 3, rng=0)
    rng = np.random.default_rng(0)
    x, d = rng.normal(size=(4, 2, 2)), rng.normal(size=(4, 2, 3))
    p, zeros = network.state_dict(), np.zeros((2, 1, 2, 3))
    given = by_hand(network, p, x, d, zeros, np.ones((4, 2), bool))
    bare = p if kind is RNN else {k.removesuffix("_l0"): v for k, v in p.items()}
    alone = {RNN: deltas.rnn, GRU: deltas.gru, LSTM: deltas.lstm}[kind](bare, x, d)
    assert alone.keys() == given.keys()
    for name, value in alone.items():
        np.testing.assert_array_equal(value, given[name])
