"""The engine's sweep of the unrolled network against the formulas derived by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import SMOOTH, cases
from oracles import complex_step

from autograd import Tensor
from rnn import ElmanNetwork, WindowMLP, deltas, losses, windows
from rnn.check import check_deltas, relative_difference

TOLERANCE = 1e-12


def assert_agree(found, expected, largest):
    """Relative to the largest element of its kind, which products of many steps keep."""
    assert found.shape == expected.shape
    assert np.max(np.abs(found - expected), initial=0) <= TOLERANCE * max(largest, 1e-300)


@given(cases())
def test_every_delta_and_gradient_of_the_elman_network(case):
    network, x, d, a0, loss, by_hand = case
    inputs = Tensor(x, requires_grad=True)
    state = None if a0 is None else Tensor(a0, requires_grad=True)
    instants = network.unroll(inputs, state)
    for instant in instants:
        instant.v_a.retain_grad()
        instant.v_y.retain_grad()
    loss(np.stack([i.y for i in instants]), d).backward()

    c = network.config
    oracle = deltas.elman(
        network.state_dict(), x, lambda y: by_hand(y, d), a0, c["activation"],
        c["output_activation"],
    )  # fmt: skip
    # δ^t is held to the δ of its own time and those after it, which it is made of.
    for t, instant in enumerate(instants):
        own = np.max(np.abs(oracle["delta_y"][t]))
        later = np.max(np.abs(oracle["delta_a"][t:]))
        assert_agree(instant.v_y.grad, oracle["delta_y"][t], own)
        assert_agree(instant.v_a.grad, oracle["delta_a"][t], max(own, later))
        assert_agree(instant.a.data, oracle["a"][t], np.max(np.abs(oracle["a"])))
        assert_agree(instant.y.data, oracle["y"][t], np.max(np.abs(oracle["y"])))
    largest = {k: np.max(np.abs(oracle[k])) for k in ("delta_a", "delta_y", "a")}
    states = max(largest["a"], 0 if a0 is None else np.max(np.abs(a0)))
    scales = {
        "W_y": largest["delta_y"] * largest["a"],
        "b_y": largest["delta_y"],
        "W_x": largest["delta_a"] * np.max(np.abs(x)),
        "W_a": largest["delta_a"] * states,
        "b_a": largest["delta_a"],
    }
    for name, p in network.parameters().items():
        assert_agree(p.grad, oracle[name], scales[name])
    assert_agree(inputs.grad, oracle["x"], largest["delta_a"])
    if state is not None:
        assert_agree(state.grad, oracle["a0"], largest["delta_a"])


@given(cases())
def test_the_oracle_is_the_complex_step(case):
    """The formulas themselves, against a third route that neither of them knows."""
    network, x, d, a0, _, _ = case
    c = network.config
    if "relu" in (c["activation"], c["output_activation"]):
        return
    parameters = network.state_dict()
    names = sorted(parameters)
    start = np.zeros((x.shape[1], c["hidden_size"])) if a0 is None else a0
    rng = np.random.default_rng(0)
    activations = c["activation"], c["output_activation"]
    plain = {
        "tanh": np.tanh,
        "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
        "softplus": lambda v: np.log(1 + np.exp(v)),
        "identity": lambda v: v,
        "softmax": lambda v: np.exp(v) / np.exp(v).sum(-1, keepdims=True),
    }
    phi, psi = (plain[name] for name in activations)

    def E(x, a, *values):
        p = dict(zip(names, values, strict=True))
        total = 0
        for t in range(len(x)):
            a = phi(x[t] @ p["W_x"].T + a @ p["W_a"].T + p["b_a"])
            total = total + np.sum(psi(a @ p["W_y"].T + p["b_y"]) * d[t])
        return total

    args = [x, start, *(parameters[n] for n in names)]
    directions = [rng.normal(size=a.shape) for a in args]
    oracle = deltas.elman(parameters, x, d, a0, *activations)
    by_name = [oracle[n] for n in ("x", "a0", *names)]
    terms = [g * u for g, u in zip(by_name, directions, strict=True)]
    expected = complex_step(E, args, directions)
    size = sum(np.sum(np.abs(t)) for t in terms)
    assert abs(sum(np.sum(t) for t in terms) - expected) <= 1e-11 * size


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 4),
    st.integers(1, 5),
    st.sampled_from((*SMOOTH, "relu")),
    st.sampled_from((*SMOOTH, "softmax")),
)
def test_the_window_network_is_the_feedforward_rule(seed, n, B, phi, psi):
    rng = np.random.default_rng(seed)
    network = WindowMLP(2, 3, 2, n, phi, psi, rng=rng)
    x = rng.normal(size=(n + 2, B, 2))
    d = rng.normal(size=(3, B, 2))
    losses.squared_error(network(x), d).backward()
    p = network.state_dict()
    u = windows(x, n)
    oracle = deltas.feedforward(
        [(p["W_1"], p["b_1"], phi), (p["W_2"], p["b_2"], psi)],
        u.reshape(-1, u.shape[-1]),
        lambda y: y - d.reshape(-1, 2),
    )
    scale = max(np.max(np.abs(oracle[name])) for name in p)
    for name, parameter in network.parameters().items():
        assert_agree(parameter.grad, oracle[name], scale)
    np.testing.assert_allclose(oracle["y"], network(x).data.reshape(-1, 2), rtol=1e-12)
    for number, fan_in in ((1, u.reshape(-1, u.shape[-1])), (2, None)):
        assert_agree(oracle[f"delta_{number}"].sum(axis=0), oracle[f"b_{number}"], scale)
        if fan_in is not None:
            assert_agree(oracle["delta_1"].T @ fan_in, oracle["W_1"], scale)
    assert_agree(oracle["delta_1"] @ p["W_1"], oracle["u"], np.max(np.abs(oracle["u"])))


def test_three_layers_are_the_complex_step():
    rng = np.random.default_rng(0)
    shapes = (3, 2), (4, 3), (2, 4)
    layers = [(rng.normal(size=s), rng.normal(size=s[0]), "tanh") for s in shapes]
    u, d = rng.normal(size=(2, 5, 2))
    oracle = deltas.feedforward(layers, u, d)
    names = ["u", "W_1", "b_1", "W_2", "b_2", "W_3", "b_3"]
    args = [u, *(p for layer in layers for p in layer[:2])]
    directions = [rng.normal(size=a.shape) for a in args]

    def E(u, *parameters):
        for W, b in zip(parameters[::2], parameters[1::2], strict=True):
            u = np.tanh(u @ W.T + b)
        return np.sum(u * d)

    found = sum(np.sum(oracle[n] * v) for n, v in zip(names, directions, strict=True))
    assert found == pytest.approx(complex_step(E, args, directions), rel=1e-12)


def test_the_oracles_softmax_does_not_overflow():
    layer = np.array([[1000.0], [2000.0]]), np.zeros(2), "softmax"
    found = deltas.feedforward([layer], np.ones((1, 1)), lambda y: y - [0, 1])
    np.testing.assert_array_equal(found["y"], [[0, 1]])


def test_windows_hold_the_oldest_first():
    x = np.arange(5.0).reshape(5, 1, 1)
    np.testing.assert_array_equal(windows(x, 3)[:, 0], [[0, 1, 2], [1, 2, 3], [2, 3, 4]])


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(1, 3))
def test_softmax_with_cross_entropy_over_word_indices(seed, V, B):
    """δ_y = (softmax(v_y) − onehot(d)) / N, and one-hot inputs are columns of W_x."""
    rng = np.random.default_rng(seed)
    network = ElmanNetwork(V, 3, V, output_activation="softmax", rng=rng)
    x, d = rng.integers(V, size=(4, B)), rng.integers(V, size=(4, B))

    def loss(instants):
        return losses.cross_entropy(np.stack([i.v_y for i in instants]), d)

    def by_hand(v):
        p = np.exp(v) / np.exp(v).sum(-1, keepdims=True)
        return (p - np.eye(V)[d]) / d.size

    rows = check_deltas(network, x, loss, by_hand, output_activation="identity")
    assert max(row.difference for row in rows) <= TOLERANCE
    assert [r.quantity for r in rows[:5]] == [f"∂E/∂{n}" for n in network.parameters()]
    assert len(rows) == 5 + 2 * 4


def test_check_deltas_sees_a_wrong_gradient():
    """Planted: the state's gradient is one per cent too large."""
    network = ElmanNetwork(1, 4, 1, rng=0)
    x = np.random.default_rng(1).normal(size=(6, 1, 1))
    E = lambda instants: sum(losses.squared_error(i.y, x[0]) for i in instants)  # noqa: E731
    right = check_deltas(network, x, E, lambda y: y - x[0])
    wrong = check_deltas(network, x, E, lambda y: 1.01 * (y - x[0]))
    assert max(r.difference for r in right) <= TOLERANCE
    assert min(r.difference for r in wrong) == pytest.approx(0.01 / 1.01, rel=1e-6)


def test_relative_difference():
    assert relative_difference(
        np.array([1.0, 2.2]), np.array([1.0, 2.0])
    ) == pytest.approx(0.1)
    assert relative_difference(np.zeros(2), np.zeros(2)) == 0
    assert relative_difference(np.ones(2), np.zeros(2)) == np.inf
    assert relative_difference(np.array([np.nan]), np.array([np.nan])) == np.inf
    with pytest.raises(ValueError, match="shapes"):
        relative_difference(np.ones((3, 4)), np.ones(4))
