"""The engine's sweep of the unrolled network against the formulas derived by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import LOSSES, SMOOTH, cases
from oracles import complex_step

from autograd import Tensor
from rnn import ElmanNetwork, WindowMLP, deltas, losses, unroll, windows
from rnn.activations import OUTPUT_ACTIVATIONS
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


def logistic(v):
    return 1 / (1 + np.exp(-v))


OWN = {
    "swish": (
        lambda v: v * logistic(v),
        lambda v: logistic(v) * (1 + v * (1 - logistic(v))),
    ),
    "softsign": (lambda v: v / (1 + np.abs(v)), lambda v: (1 + np.abs(v)) ** -2),
    "sine": (np.sin, np.cos),
}
"""A user's own φ, of NumPy's functions alone, with its derivative."""


@st.composite
def masked_cases(draw):
    """The arguments of `deltas.elman`, any φ and ψ, and a mask: of lengths, or any."""
    D, H, O, B = (draw(st.integers(1, 4)) for _ in range(4))  # noqa: E741
    T = draw(st.integers(1, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shapes = {"W_x": (H, D), "W_a": (H, H), "b_a": (H,), "W_y": (O, H), "b_y": (O,)}
    p = {k: rng.uniform(0.2, 1, s) * rng.choice([-1, 1], s) for k, s in shapes.items()}
    x, d = rng.normal(size=(T, B, D)), rng.normal(size=(T, B, O))
    lengths = np.arange(T)[:, np.newaxis] < rng.integers(1, T + 1, B)
    mask = lengths if draw(st.booleans()) else rng.random((T, B)) < 0.6
    phi = draw(st.sampled_from((*OWN, *SMOOTH, "relu")))
    psi = draw(st.sampled_from((*OWN, *SMOOTH, "softmax")))
    return p, x, d, rng.normal(size=(B, H)), mask, phi, psi


def run(p, x, a, mask, phi, psi):
    """(v_a, v_y) of each step, a (T, B, H) and y (T, B, O), by a user's own step."""

    def step(t, a):
        keep = mask[t][:, np.newaxis]
        v_a = x[t] @ p["W_x"].T + a @ p["W_a"].T + p["b_a"]
        a = np.where(keep, phi(v_a), a)
        v_y = a @ p["W_y"].T + p["b_y"]
        return ((v_a, v_y), a, np.where(keep, psi(v_y), 0)), a

    fields, a, y = zip(*unroll(step, range(len(x)), a)[0], strict=True)
    return fields, np.stack(a), np.stack(y)


@given(masked_cases(), st.sampled_from(sorted(LOSSES)))
def test_masks_and_any_activation_against_the_engine(case, loss):
    p, x, d, a0, mask, phi, psi = case
    E, by_hand = LOSSES[loss]
    named = {name: OWN[name][0] for name in OWN} | OUTPUT_ACTIVATIONS
    tensors = {k: Tensor(v, requires_grad=True) for k, v in (p | {"a0": a0}).items()}
    inputs = [Tensor(row, requires_grad=True) for row in x]
    fields, a, y = run(tensors, inputs, tensors["a0"], mask, named[phi], named[psi])
    for v_a, v_y in fields:
        v_a.retain_grad()
        v_y.retain_grad()
    E(y, d).backward()
    own = [OWN.get(name, name) for name in (phi, psi)]
    oracle = deltas.elman(p, x, lambda y: by_hand(y, d), a0, *own, mask)

    swept = {k: t.grad for k, t in tensors.items()} | {"a": a.data, "y": y.data}
    swept["x"] = np.stack([row.grad for row in inputs])
    swept["delta_a"] = np.stack([v_a.grad for v_a, _ in fields])
    swept["delta_y"] = np.stack([v_y.grad for _, v_y in fields])
    swept["v_a"] = np.stack([v_a.data for v_a, _ in fields])
    swept["v_y"] = np.stack([v_y.data for _, v_y in fields])
    for name, g in swept.items():
        # A softmax's δ may vanish by cancellation, to the rounding of what it is made of.
        size = max(np.max(np.abs(oracle[name])), 1e-4)
        assert np.max(np.abs(g - oracle[name])) <= 1e-10 * size, name
    for name in ("delta_a", "delta_y", "y"):
        assert not oracle[name][~mask].any()


@given(masked_cases())
def test_masks_and_any_activation_are_the_complex_step(case):
    p, x, d, a0, mask, phi, psi = case
    plain = {name: OWN[name][0] for name in ("swish", "sine")} | {
        "softsign": lambda v: v / (1 + v * np.sign(v.real)),
        "tanh": np.tanh,
        "sigmoid": logistic,
        "softplus": lambda v: np.log(1 + np.exp(v)),
        "identity": lambda v: v,
        "relu": lambda v: v * (v.real > 0),
        "softmax": lambda v: np.exp(v) / np.exp(v).sum(-1, keepdims=True),
    }

    def E(x, a, *values):
        q = dict(zip(p, values, strict=True))
        return np.sum(run(q, x, a, mask, plain[phi], plain[psi])[2] * d)

    args = [x, a0, *p.values()]
    rng = np.random.default_rng(0)
    directions = [rng.normal(size=a.shape) for a in args]
    own = [OWN.get(name, name) for name in (phi, psi)]
    oracle = deltas.elman(p, x, d, a0, *own, mask)
    grads = [oracle[name] for name in ("x", "a0", *p)]
    terms = [g * u for g, u in zip(grads, directions, strict=True)]
    size = sum(np.sum(np.abs(t)) for t in terms)
    gap = abs(sum(np.sum(t) for t in terms) - complex_step(E, args, directions))
    assert gap <= 1e-10 * size


@given(masked_cases())
def test_a_mask_of_lengths_is_each_sequence_on_its_own(case):
    p, x, d, a0, mask, phi, psi = case
    own = [OWN.get(name, name) for name in (phi, psi)]
    lengths = np.sort(mask, axis=0)[::-1].sum(axis=0)
    together = deltas.elman(
        p, x, d, a0, *own, mask=np.arange(len(x))[:, np.newaxis] < lengths
    )
    total = dict.fromkeys(p, 0)
    for b, n in enumerate(lengths):
        if not n:
            continue
        alone = deltas.elman(p, x[:n, b : b + 1], d[:n, b : b + 1], a0[b : b + 1], *own)
        for name in ("y", "delta_a", "delta_y", "x"):
            np.testing.assert_allclose(
                together[name][:n, b], alone[name][:, 0], rtol=1e-10, atol=1e-13
            )
            assert not together[name][n:, b].any()
        assert np.all(together["a"][n:, b] == together["a"][n - 1, b])
        for name in p:
            total[name] = total[name] + alone[name]
    for name in p:
        np.testing.assert_allclose(together[name], total[name], rtol=1e-9, atol=1e-12)


def test_what_is_no_mask_and_no_activation_is_told():
    p = ElmanNetwork(1, 2, 1, rng=0).state_dict()
    x = np.ones((3, 2, 1))
    with pytest.raises(ValueError, match=r"bool of shape \(2, 3\).* \(T, B\) = \(3, 2\)"):
        deltas.elman(p, x, x, mask=np.ones((2, 3), bool))
    with pytest.raises(ValueError, match=r"int64 .* lengths \(B,\): np\.arange"):
        deltas.elman(p, x, x, mask=np.array([3, 1]))
    with pytest.raises(ValueError, match=r"'swish', expected one of tanh, .* \(φ, φ'\)"):
        deltas.elman(p, x, x, activation="swish")


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
