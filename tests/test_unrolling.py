"""Properties of unrolling a network in time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import cases

from autograd import Tensor, contributions, graph, scope
from rnn import ElmanNetwork, WindowMLP, losses, unroll
from rnn.flow import gradient_flow


def close(found, expected):
    scale = np.max(np.abs(expected), initial=1e-300)
    assert np.max(np.abs(found - expected), initial=0) <= 1e-12 * scale


@given(cases())
def test_tied_weights_sum_over_untied_copies(case):
    network, x, d, a0, loss, _ = case
    loss(network(x, a0), d).backward()

    copies = [ElmanNetwork(**network.config) for _ in x]
    for copy in copies:
        copy.load_state_dict(network.state_dict())
    a = Tensor(
        np.zeros((x.shape[1], network.config["hidden_size"])) if a0 is None else a0
    )
    ys = []
    for t, copy in enumerate(copies):
        instant, a = copy.instant(Tensor(x[t]), a)
        ys.append(instant.y)
    loss(np.stack(ys), d).backward()
    for name, p in network.parameters().items():
        close(sum(copy.parameters()[name].grad for copy in copies), p.grad)


@given(cases())
def test_contributions_are_those_of_the_untied_copies(case):
    network, x, d, a0, loss, _ = case
    E = loss(network(x, a0), d)
    E.backward()
    for p in network.parameters().values():
        terms = contributions(E, p)
        assert [term.scope for term in terms] == [f"t={t + 1}" for t in range(len(x))]
        close(sum(term.gradient for term in terms), p.grad)


@given(cases(), st.data())
def test_later_inputs_never_touch_earlier_outputs(case, data):
    network, x, _, a0, _, _ = case
    t = data.draw(st.integers(0, len(x) - 1))
    inputs = Tensor(x, requires_grad=True)
    y, a = network(inputs, a0, states=True)
    (np.sum(y[: t + 1]) + np.sum(a[: t + 1])).backward()
    assert np.all(inputs.grad[t + 1 :] == 0)
    changed = x.copy()
    changed[t + 1 :] += 1
    np.testing.assert_array_equal(network(changed, a0).data[: t + 1], y.data[: t + 1])


@given(cases(), st.data())
def test_cut_and_resume_changes_nothing(case, data):
    """Two halves, with the state's gradient handed back by hand, are the whole."""
    network, x, d, a0, _, _ = case
    cut = data.draw(st.integers(0, len(x)))
    y, states = network(x, a0, states=True)
    np.sum(y * d).backward()
    whole = {name: p.grad.copy() for name, p in network.parameters().items()}
    if cut in (0, len(x)):
        return
    network.zero_grad()
    middle = Tensor(states.data[cut - 1], requires_grad=True)
    late = network(x[cut:], middle)
    np.testing.assert_array_equal(late.data, y.data[cut:])
    np.sum(late * d[cut:]).backward()
    early, early_states = network(x[:cut], a0, states=True)
    (np.sum(early * d[:cut]) + np.sum(early_states[-1] * middle.grad)).backward()
    for name, p in network.parameters().items():
        close(p.grad, whole[name])


@given(cases())
def test_a_batch_is_its_samples_stacked(case):
    network, x, d, a0, _, _ = case
    together = network(x, a0)
    np.sum(together * d).backward()
    whole = {name: p.grad.copy() for name, p in network.parameters().items()}
    network.zero_grad()
    for b in range(x.shape[1]):
        one = slice(b, b + 1)
        y = network(x[:, one], None if a0 is None else a0[one])
        np.testing.assert_allclose(y.data, together.data[:, one], rtol=1e-12, atol=1e-14)
        np.sum(y * d[:, one]).backward()
    for name, p in network.parameters().items():
        close(p.grad, whole[name])


def test_one_hot_indices_are_one_hot_inputs():
    network = ElmanNetwork(4, 3, 2, rng=0)
    x = np.array([[0, 3], [2, 2], [1, 0]])
    np.testing.assert_allclose(network(x).data, network(np.eye(4)[x]).data, rtol=1e-14)


def test_unroll_lays_each_step_in_its_scope():
    seen = []

    def cell(x, state):
        seen.append(x)
        return x * state, state + 1

    one = Tensor(np.ones(1), requires_grad=True)
    outputs, last = unroll(cell, [10, 20], one, steps=["1900", "1901"])
    assert seen == [10, 20] and last.data == 3
    assert [o.scope for o in outputs] == ["t=1900", "t=1901"]
    with scope("outer"):
        outputs, _ = unroll(cell, [10], one)
    assert outputs[0].scope == "outer/t=1"


def test_reverse_runs_from_the_last_step_and_keeps_the_order_of_the_inputs():
    xs = [Tensor(float(k), requires_grad=True, name="x") for k in range(1, 6)]

    def cell(x, state):
        return x + 10 * state, x + 10 * state

    for segment in (None, 2):
        outputs, last = unroll(cell, xs, 0.0, segment=segment, reverse=True, layer="l")
        assert [o.item() for o in outputs] == [54321.0, 5432.0, 543.0, 54.0, 5.0]
        assert last.item() == 54321.0
        names = [1, 2, 3, 4, 5] if segment is None else ["1…2", "1…2", "3…4", "3…4", 5]
        assert [o.scope for o in outputs] == [f"t={name}/l" for name in names]
        [x.zero_grad() for x in xs]
        last.backward()
        assert [x.grad for x in xs] == [1.0, 10.0, 100.0, 1000.0, 10000.0]


def test_the_graph_is_the_unrolled_network():
    network = ElmanNetwork(2, 3, 1, rng=0)
    x = np.random.default_rng(0).normal(size=(4, 2, 2))
    nodes = graph(losses.squared_error(network(x), np.zeros((4, 2, 1)))).nodes
    for t in range(1, 5):
        names = [n.name for n in nodes if n.scope == f"t={t}"]
        assert [n for n in names if n] == ["x", "v_a", "a", "v_y", "y"]


def test_gradient_flow_of_a_linear_network_is_the_power_of_its_matrix():
    network = ElmanNetwork(1, 3, 1, "identity", "identity", rng=0)
    network.W_a.data = 0.5 * np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    x = np.random.default_rng(1).normal(size=(8, 1, 1))
    flow = gradient_flow(network, x, lambda t, i: losses.squared_error(i.y, x[t - 1]))
    np.testing.assert_allclose(flow.by_distance, 0.5 ** np.arange(8), rtol=1e-12)
    assert flow.factor == pytest.approx(0.5) and flow.verdict == "vanishing"
    assert flow.rate == flow.sigma_max == pytest.approx(0.5)
    assert flow.spectral_radius == pytest.approx(0.5)
    assert np.all(np.isnan(flow.norms[np.triu_indices(8, 1)]))


@given(cases())
def test_gradient_flow_keeps_to_its_bound(case):
    network, x, d, a0, _, _ = case
    if len(x) < 2:
        return
    flow = gradient_flow(network, x, lambda t, i: np.sum(i.y * d[t - 1]), a0)
    T = len(x)
    for t in range(T):
        for k in range(t + 1):
            bound = flow.norms[t, t] * flow.rate ** (t - k) if flow.norms[t, t] else 0
            assert flow.norms[t, k] <= bound * (1 + 1e-9)


def test_the_bound_takes_the_steepest_slope():
    """γ = max |φ'|, by sampling φ at a step of 10⁻³."""
    from rnn.activations import ACTIVATIONS

    v = np.linspace(-20, 20, 40_001)
    for activation, phi in ACTIVATIONS.items():
        network = ElmanNetwork(1, 3, 1, activation, rng=0)
        flow = gradient_flow(network, np.ones((2, 1, 1)), lambda t, i: np.sum(i.y))
        steepest = np.max(np.diff(phi(v)) / np.diff(v))
        assert flow.rate == pytest.approx(steepest * flow.sigma_max, rel=1e-6)


def test_gradient_flow_measures_its_matrix():
    network = ElmanNetwork(1, 2, 1, "identity", "identity", rng=0)
    network.W_a.data = np.array([[0.5, 3.0], [0.0, 0.8]])
    flow = gradient_flow(network, np.ones((3, 1, 1)), lambda t, i: np.sum(i.y))
    assert flow.spectral_radius == pytest.approx(0.8)
    assert flow.sigma_max == pytest.approx(np.linalg.svd(network.W_a.data)[1][0])


def test_the_mean_over_pairs_is_geometric():
    network = ElmanNetwork(1, 1, 1, "tanh", "identity", rng=0)
    x = np.array([0.1, 2.0, -1.0]).reshape(3, 1, 1)
    flow = gradient_flow(network, x, lambda t, i: np.sum(i.y))
    ratios = [flow.norms[t, t - 1] / flow.norms[t, t] for t in (1, 2)]
    assert flow.by_distance[1] == pytest.approx(np.sqrt(ratios[0] * ratios[1]))


def test_initial_parameters_fill_their_range():
    network = ElmanNetwork(50, 400, 30, rng=0)
    for p in network.parameters().values():
        assert 0.85 / 20 < np.max(np.abs(p.data)) <= 1 / 20


def test_the_verdict_is_of_the_gradient_not_of_the_matrix():
    network = ElmanNetwork(1, 2, 1, "identity", "identity", rng=0)
    network.W_a.data = np.array([[0.0, 3.0], [0.0, 0.0]])
    flow = gradient_flow(network, np.ones((6, 1, 1)), lambda t, i: np.sum(i.y))
    assert flow.sigma_max == pytest.approx(3) and flow.by_distance[2] == 0
    assert flow.verdict != "stable" and flow.norms[5, 3] == 0


def test_a_dead_step_cuts_the_gradient():
    network = ElmanNetwork(1, 1, 1, "relu", "identity", rng=0)
    for name, value in (("W_x", 1.0), ("W_a", 1.0), ("b_a", 0.0)):
        network.parameters()[name].data = np.full(network.parameters()[name].shape, value)
    x = np.array([1.0, 1.0, -9.0, 1.0, 1.0]).reshape(5, 1, 1)
    flow = gradient_flow(network, x, lambda t, i: np.sum(i.y))
    assert flow.norms[4, 1] == 0 and flow.by_distance[3] == 0


def test_one_step_has_no_flow():
    network = ElmanNetwork(1, 1, 1, rng=0)
    with pytest.raises(ValueError, match="1 step, expected at least 2"):
        gradient_flow(network, np.ones((1, 1, 1)), lambda t, i: np.sum(i.y))


def test_windows_carry_gradients_and_refuse_nan():
    network = WindowMLP(1, 3, 1, 2, rng=0)
    x = Tensor(np.arange(4.0).reshape(4, 1, 1), requires_grad=True)
    np.sum(network(x)).backward()
    assert np.all(x.grad != 0)
    with pytest.raises(ValueError, match="WindowMLP: x has NaN"):
        network(np.full((4, 1, 1), np.nan))


def test_verdicts():
    network = ElmanNetwork(1, 2, 1, "identity", "identity", rng=0)
    x = np.ones((6, 1, 1))
    for size, verdict in (
        (0.5, "vanishing"),
        (0.88, "vanishing"),
        (0.92, "stable"),
        (1.08, "stable"),
        (1.12, "exploding"),
    ):
        network.W_a.data = size * np.eye(2)
        assert gradient_flow(network, x, lambda t, i: np.sum(i.y)).verdict == verdict


NETWORK = ElmanNetwork(2, 3, 1, rng=0)
ERRORS = [
    (
        lambda: NETWORK(np.ones((4, 2))),
        r"x has shape \(4, 2\), expected \(T, B, D\) with D = 2",
    ),
    (lambda: NETWORK(np.ones((4, 1, 3))), r"\(4, 1, 3\), expected"),
    (lambda: NETWORK(np.ones((4, 1), int) * 2), "indices from 2 to 2, expected 0 to 1"),
    (lambda: NETWORK(np.ones((4, 1, 2), int)), "convert to float"),
    (lambda: NETWORK(np.ones((0, 1, 2))), "no steps"),
    (lambda: NETWORK(np.full((2, 1, 2), np.nan)), r"NaN, the first at .* \[0, 0, 0\]"),
    (
        lambda: NETWORK(np.ones((4, 1, 2)), np.ones((2, 3))),
        r"a0 has shape \(2, 3\).*\(1, 3\)",
    ),
    (lambda: ElmanNetwork(0, 1, 1), "input_size=0, expected at least 1"),
    (lambda: WindowMLP(1, 1, 1, 0), "WindowMLP: window=0, expected at least 1"),
    (lambda: ElmanNetwork(1, 1, 1, dtype=int), "expected float32 or float64"),
    (lambda: ElmanNetwork(1, 1, 1, "tan"), "activation='tan': expected one of tanh"),
    (lambda: ElmanNetwork(1, 1, 1, "softmax"), "activation='softmax'"),
    (lambda: losses.mse(np.ones(2), np.ones(3)), r"y has shape \(2,\) and d \(3,\)"),
    (lambda: losses.cross_entropy(np.ones((2, 3)), np.ones(2)), "expected integers"),
    (lambda: losses.cross_entropy(np.ones((2, 3)), np.array([0, 3])), "expected 0 to 2"),
    (
        lambda: NETWORK.load_state_dict({"W_x": np.ones(2), "c": 1}),
        r"W_a is missing.*c is unknown; W_x has shape \(2,\), expected \(3, 2\)",
    ),
]


@pytest.mark.parametrize(("call", "match"), ERRORS)
def test_errors(call, match):
    with pytest.raises(ValueError, match=match):
        call()


def test_the_last_steps_of_a_window_start_from_the_state_before_them():
    from rnn.command.window import Window

    network = ElmanNetwork(1, 4, 1, rng=0)
    x = np.random.default_rng(0).normal(size=(8, 1, 1))
    whole = Window.of(network, x[:-1], x[1:], [str(t) for t in range(1, 8)])
    instants = network.unroll(x[:-1])
    late = sum(float(whole.loss(t, instants[t - 1]).item()) for t in (5, 6, 7))
    short = whole.last(3)
    assert short.names == ["5", "6", "7"]
    assert short.unrolled().item() == pytest.approx(late, rel=1e-13)
    norms = whole.flow().norms[4:, 4:]
    np.testing.assert_allclose(short.flow().norms, norms, rtol=1e-12)
