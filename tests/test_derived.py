"""Classes derived from the library's: what is shown of them holds for them."""

import numpy as np
import pytest

from autograd import named
from rnn import (
    GRU,
    LSTM,
    RNN,
    ElmanNetwork,
    GRUCell,
    LanguageModel,
    LSTMCell,
    RNNCell,
    explain,
    gradient_flow,
    losses,
)
from rnn.check import check_deltas, check_language_model

X = np.random.default_rng(0).normal(size=(5, 3, 2))
D = np.random.default_rng(1).normal(size=(5, 3, 1))


class Steeper(ElmanNetwork):
    """φ(v) = tanh(3 v): the bound of tanh does not hold."""

    def _hidden(self, x, a):
        v_a = self._of_input(x) + np.inner(a, self.W_a) + self.b_a
        return v_a, np.tanh(3 * v_a)


class Leaky(ElmanNetwork):
    def instant(self, x, a):
        i, _ = super().instant(x, a)
        mixed = 2 * a + i.a
        return i._replace(a=mixed), mixed


class Strong(RNNCell):
    def advance(self, of_x, state, recur):
        return named("h", np.tanh(4 * (of_x + recur(state))))


class OfStrong(RNN):
    cell = Strong


class Scaled(LSTM):
    def forward(self, x):
        y, state = super().forward(x)
        return 2 * y, state


class Peephole(LSTMCell):
    def advance(self, of_x, state, recur):
        h, c = super().advance(of_x, state, recur)
        return h + c, c


class Plain(ElmanNetwork):
    """Nothing of what is computed is changed."""

    def __init__(self, **options):
        super().__init__(2, 4, 1, "sigmoid", **options)

    def norm(self):
        return np.linalg.norm(self.W_a.data)


def with_other_activation():
    network = ElmanNetwork(2, 4, 1, rng=0)
    network._phi = np.sin
    return network


def with_other_method():
    network = ElmanNetwork(2, 4, 1, rng=0)
    network.instant = Leaky(2, 4, 1, rng=0).instant
    return network


CHANGED = {
    "_hidden": lambda: Steeper(2, 4, 1, rng=0),
    "instant": lambda: Leaky(2, 4, 1, rng=0),
    "advance": lambda: Strong(2, 4, rng=0),
    "cell": lambda: OfStrong(2, 4, rng=0),
    "forward": lambda: Scaled(2, 4, rng=0),
    "Peephole changes advance of LSTMCell": lambda: Peephole(2, 4, rng=0),
    "_phi": with_other_activation,
    "instant of": with_other_method,
}


@pytest.mark.parametrize("name", CHANGED)
def test_explain_refuses_a_class_that_changes_the_formulas(name):
    network = CHANGED[name]()
    with pytest.raises(
        TypeError, match=f"explain: .*{name}.* do not hold for it. credit"
    ):
        explain(network, X, lambda y: y)


def test_explain_takes_a_class_that_changes_nothing():
    network = Plain(rng=0)
    right = ElmanNetwork(2, 4, 1, "sigmoid", rng=0)
    assert explain(network, X, lambda y: y) == explain(right, X, lambda y: y)
    value = np.zeros((4, 4))
    expected = explain(right.having(W_a=value), X, lambda y: y)
    right.W_a.data = value
    assert explain(right, X, lambda y: y) == expected
    flows = [gradient_flow(n, X, lambda t, i: np.sum(i.y)) for n in (network, right)]
    assert flows[0].sigma_max > 0 and flows[1].sigma_max == 0


@pytest.mark.parametrize("network", [
    Steeper(2, 4, 1, rng=0), Leaky(2, 4, 1, rng=0), Strong(2, 4, rng=0),
    OfStrong(2, 4, rng=0), Peephole(2, 4, rng=0), with_other_activation(),
    GRU(2, 4, rng=0), GRUCell(2, 4, rng=1), LSTM(2, 4, rng=0),
], ids=lambda n: type(n).__name__)  # fmt: skip
def test_the_bound_holds_for_what_was_recorded(network):
    """Of every sample, though the matrices of the first one alone are kept."""
    for p in network.parameters().values():
        p.data = 2 * p.data
    flow = gradient_flow(network, X, lambda t, i: np.sum(np.sin(getattr(i, "a", i))))
    paths = [flow] if flow.cell is None else [flow, flow.cell]
    start = sum(np.nan_to_num(path.norms) ** 2 for path in paths) ** 0.5
    for t in range(5):
        for k in range(t + 1):
            bound = start[t, t] * flow.rate ** (t - k)
            assert start[t, k] <= bound * (1 + 1e-9)
    sample = gradient_flow(network, X[:, :1], lambda t, i: np.sum(getattr(i, "a", i)))
    np.testing.assert_allclose(flow.jacobians, sample.jacobians, rtol=1e-12, atol=1e-13)


class Counting(ElmanNetwork):
    count = 0

    def instant(self, x, a):
        self.count += 1
        i, a = super().instant(x, a)
        return i._replace(a=a * self.count), a * self.count


class Mixing(ElmanNetwork):
    def instant(self, x, a):
        i, a = super().instant(x, a - np.mean(a, axis=0))
        return i, a


class Spoken(LanguageModel):
    def unroll(self, x, state=None, steps=None):
        return super().unroll(x, state, steps)


@pytest.mark.parametrize(("network", "match"), [
    (Counting(2, 4, 1, rng=0), "a step of Counting .* keeps a count"),
    (Mixing(2, 4, 1, rng=0), "a step of Mixing .* samples influence each other"),
    (Scaled(2, 4, rng=0), "Scaled changes forward, __call__ of LSTM, of which the cell"),
])  # fmt: skip
def test_gradient_flow_refuses_steps_that_have_no_matrix(network, match):
    with pytest.raises(TypeError, match=match):
        gradient_flow(network, X, lambda t, i: np.sum(getattr(i, "a", i)))


def test_gradient_flow_counts_its_steps_from_one():
    seen = []

    def loss(t, i):
        seen.append(t)
        return np.sum(i.y)

    gradient_flow(ElmanNetwork(2, 4, 1, rng=0), X, loss)
    assert seen == [1, 2, 3, 4, 5]


def test_explain_counts_its_sample_and_step_from_one():
    network = ElmanNetwork(2, 4, 1, rng=0)
    a0 = np.random.default_rng(2).normal(size=(3, 4))
    for sample in (1, 2, 3):
        one = slice(sample - 1, sample)
        text = explain(network, X, lambda y: y, 1, state=a0, sample=sample)
        assert text.startswith(f"Step t = 1 of T = 5, sample {sample} of B = 3:")
        alone = explain(network, X[:, one], lambda y: y, 1, state=a0[one])
        assert text.splitlines()[1:] == alone.splitlines()[1:]


def test_an_lstm_is_explained_from_its_samples_own_state():
    """∂E/∂v_f^1 has c^0, which is each sample's own."""
    network = LSTM(2, 3, rng=0)
    h0, c0 = np.random.default_rng(2).normal(size=(2, 3, 3))
    slope = lambda y: y  # noqa: E731
    for b in range(3):
        found = explain(network, X, slope, 1, state=(h0, c0), sample=b + 1)
        one = slice(b, b + 1)
        alone = explain(network, X[:, one], slope, 1, state=(h0[one], c0[one]))
        assert found.splitlines()[1:] == alone.splitlines()[1:]


def test_checks_refuse_a_class_that_changes_the_formulas():
    def loss(instants):
        return sum(losses.squared_error(i.y, d) for i, d in zip(instants, D, strict=True))

    for name in ("_hidden", "instant", "_phi"):
        with pytest.raises(TypeError, match=f"check_deltas: .* changes .*{name}"):
            check_deltas(CHANGED[name](), X, loss, lambda y: y - D)
    with pytest.raises(TypeError, match="check_deltas: the network is a GRU, expected"):
        check_deltas(GRU(2, 3), X, loss, lambda y: y - D)
    model, x = Spoken(5, 2, 3, rng=0), np.zeros((3, 2), int)
    with pytest.raises(TypeError, match="check_language_model: Spoken changes unroll"):
        check_language_model(model, x, x, loss)
    model = LanguageModel(5, 2, 3, rng=0)
    model.recurrent = Scaled(2, 3, rng=0)
    with pytest.raises(TypeError, match="check_language_model: Scaled changes forward"):
        check_language_model(model, x, x, loss)
