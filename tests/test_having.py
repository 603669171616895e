"""`Module.having`: a network with other parameters in the places of its own."""

import copy
import functools
import pickle

import numpy as np
import pytest

from autograd import Tensor, compile, grad, jvp
from autograd.testing import check_grads
from rnn import (
    GRU,
    LSTM,
    MLP,
    RNN,
    BoltzmannMachine,
    ElmanNetwork,
    Embedding,
    GRUCell,
    Hopfield,
    LanguageModel,
    LayerNorm,
    Linear,
    LSTMCell,
    Module,
    RestrictedBoltzmannMachine,
    RNNCell,
    Sequential,
    WindowMLP,
    unroll,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 3, 2))
WORDS = RNG.integers(0, 6, (5, 3))
SPINS = np.where(RNG.normal(size=(3, 4)) > 0, 1.0, -1.0)
LENGTHS = [5, 2, 4]


class Own(Module):
    """Networks in a list, a dict and a tuple; a Tensor; two layers of one matrix."""

    def __init__(self):
        self.read = {"x": Linear(2, 4, rng=0), "more": [GRU(4, 4, rng=1)]}
        self.pair = (Linear(4, 4, rng=2), Linear(4, 4, rng=3))
        self.pair[1].weight = self.pair[0].weight
        self.gain = Tensor(np.full(4, 1.5), requires_grad=True, name="gain")
        self.squash = functools.partial(self.scaled, by=2.0)
        self.stages = [self.scaled]

    def scaled(self, h, by=1.0):
        return by * h * self.gain

    def forward(self, x):
        h, _ = self.read["more"][0](self.read["x"](x))
        for layer in self.pair:
            h = np.tanh(layer(self.squash(h)))
        return self.stages[0](h)


class Derived(LSTM):
    """A network with a layer of its own after ours; it is recorded each time."""

    def __init__(self):
        super().__init__(2, 4, 2, rng=0)
        self.head = Linear(4, 1, rng=1)

    def __call__(self, x):
        h, (_, c) = super().__call__(x)
        return self.head(h) + np.sum(c)


def stepped(cell):
    return np.stack(unroll(cell, X, cell.zero_state((3,)))[0])


def first(network):
    return network(X)[0]


CASES = {
    "Elman": (lambda: ElmanNetwork(2, 4, 1, rng=0), lambda n: n(X)),
    "Elman, softmax": (
        lambda: ElmanNetwork(6, 4, 3, "sigmoid", "softmax", rng=0),
        lambda n: n(WORDS)[..., 0],
    ),
    "Elman, laid out": (
        lambda: ElmanNetwork(2, 4, 1, rng=0),
        lambda n: np.stack([i.y for i in n.unroll(X)]),
    ),
    "Elman, fields": (lambda: ElmanNetwork(2, 4, 2, rng=0), lambda n: n.fields(X)[0]),
    "window": (lambda: WindowMLP(2, 4, 1, 2, rng=0), lambda n: n(X)),
    "RNN": (lambda: RNN(2, 4, rng=0), first),
    "RNN, relu": (lambda: RNN(2, 4, 2, nonlinearity="relu", rng=1), first),
    "GRU": (lambda: GRU(2, 4, rng=0), first),
    "LSTM": (lambda: LSTM(2, 4, rng=0), first),
    "LSTM, the states": (
        lambda: LSTM(2, 4, 2, rng=0),
        lambda n: np.concatenate(n(X)[1]),
    ),
    "GRU, both ways": (
        lambda: GRU(2, 4, 2, bidirectional=True, rng=0),
        lambda n: n(X, lengths=LENGTHS)[0],
    ),
    "LSTM, no bias": (
        lambda: LSTM(2, 4, 2, bias=False, batch_first=True, rng=0),
        lambda n: n(np.swapaxes(X, 0, 1))[0],
    ),
    "GRU, dropout off": (lambda: GRU(2, 4, 2, dropout=0.5, rng=0).eval(), first),
    "LSTM, segments": (lambda: LSTM(2, 4, rng=0), lambda n: n(X, segment=2)[0]),
    "RNN cell": (lambda: RNNCell(2, 4, rng=0), stepped),
    "GRU cell": (lambda: GRUCell(2, 4, rng=0), stepped),
    "LSTM cell": (lambda: LSTMCell(2, 4, rng=0), stepped),
    "linear": (lambda: Linear(2, 4, rng=0), lambda n: n(X)),
    "table": (lambda: Embedding(6, 3, rng=0), lambda n: n(WORDS)),
    "norm": (lambda: LayerNorm(2), lambda n: n(X)),
    "MLP": (lambda: MLP([2, 4, 4, 1], rng=0), lambda n: n(X)),
    "language, RNN": (
        lambda: LanguageModel(6, 3, 4, "rnn", rng=0),
        lambda n: n(WORDS)[0],
    ),
    "language, LSTM": (
        lambda: LanguageModel(6, 3, 4, num_layers=2, rng=0),
        lambda n: n(WORDS)[0],
    ),
    "language, laid out": (
        lambda: LanguageModel(6, 3, 4, "gru", rng=0),
        lambda n: np.stack([r.v_y for r in n.unroll(WORDS)]),
    ),
    "Hopfield": (lambda: Hopfield(4), lambda n: n.energy(SPINS)),
    "Boltzmann": (
        lambda: BoltzmannMachine(3, 1, rng=0),
        lambda n: n.energy((SPINS > 0).astype(float)),
    ),
    "restricted": (
        lambda: RestrictedBoltzmannMachine(4, 2, rng=0),
        lambda n: n.free_energy((SPINS > 0).astype(float)),
    ),
    "sequential": (
        lambda: Sequential(Linear(2, 4, rng=0), np.tanh, MLP([4, 3, 1], rng=1)),
        lambda n: n(X),
    ),
    "own": (Own, lambda n: n(X)),
    "derived": (Derived, lambda n: n(X)),
}
LEARNT = [name for name in CASES if name != "Hopfield"]


def set_to(network, name, value):
    """The network with that parameter's value set."""
    other = copy.deepcopy(network)
    other.parameters()[name].data = value
    return other


def again(run, network, times=25):
    """What a network computes once calls are replayed."""
    for _ in range(times):
        found = run(network)
    return np.array(found.data if isinstance(found, Tensor) else found)


@pytest.mark.parametrize("case", CASES)
def test_having_computes_what_a_network_of_these_values_computes(case):
    make, run = CASES[case]
    network = make()
    before = again(run, network, 1)
    for name, p in network.parameters().items():
        for value in (np.zeros(p.shape), RNG.normal(size=p.shape)):
            expected = again(run, set_to(network, name, value), 1)
            for given in (value, Tensor(value), value.tolist()):
                other = network.having(**{name: given})
                np.testing.assert_array_equal(again(run, other, 1), expected, name)
                assert list(other.parameters()) == list(network.parameters())
                np.testing.assert_array_equal(other.parameters()[name].data, value)
        np.testing.assert_allclose(
            again(run, network.having(**{name: value})), expected, rtol=1e-13, atol=1e-13
        )
    np.testing.assert_array_equal(again(run, network, 1), before)


@pytest.mark.parametrize("case", LEARNT)
def test_gradients_through_having_are_those_of_backward(case):
    make, run = CASES[case]
    network = make()
    values = network.state_dict()
    values = {name: values[name] for name in network.parameters()}

    def loss(values):
        return np.sum(np.sin(run(network.having(**values))))

    np.sum(np.sin(run(network))).backward()
    expected = {name: p.grad for name, p in network.parameters().items()}
    network.zero_grad()
    for _ in range(25):  # until calls are replayed
        found = grad(loss)(values)
    for name, g in found.items():
        size = max(np.abs(expected[name]).max(), 1.0)
        np.testing.assert_allclose(g, expected[name], rtol=1e-11, atol=1e-13 * size)
    assert all(p.grad is None for p in network.parameters().values())


@pytest.mark.parametrize(
    "case", ["LSTM", "GRU, both ways", "MLP", "language, RNN", "own"]
)
def test_check_grads_sees_through_having(case):
    make, run = CASES[case]
    network = make()
    name = list(network.parameters())[-1]
    value = network.parameters()[name].data
    check_grads(lambda p: np.sum(np.sin(run(network.having(**{name: p})))), (value,))
    tangent = np.ones_like(value)
    _, slope = jvp(lambda p: run(network.having(**{name: p})), (value,), (tangent,))
    assert np.any(slope.data != 0)


@pytest.mark.parametrize("case", ["LSTM", "Elman", "MLP", "own"])
def test_a_compiled_function_has_having_too(case):
    make, run = CASES[case]
    network = make()
    name = next(iter(network.parameters()))
    value = network.parameters()[name].data

    def plain(p):
        return np.sum(np.sin(run(network.having(**{name: p}))))

    compiled = compile(plain)
    swept = compile(grad(plain))
    for factor in (1.0, 2.0, 3.0):
        given = factor * value
        assert float(compiled(given).item()) == float(plain(given).item())
        np.testing.assert_array_equal(swept(given).data, grad(plain)(given).data)


@pytest.mark.parametrize("case", LEARNT)
def test_having_leaves_the_network_as_it_is(case):
    make, run = CASES[case]
    network = make()
    own, kept = network.parameters(), network.state_dict()
    name = next(iter(own))
    value = np.zeros(own[name].shape)
    other = network.having(**{name: value})
    other.eval()
    assert network.training == make().training
    for key, p in network.parameters().items():
        assert p is own[key]
        np.testing.assert_array_equal(p.data, kept[key])
        assert key == name or other.parameters()[key] is p
    back = other.having(**{name: own[name]})
    np.testing.assert_array_equal(again(run, back, 1), again(run, network.eval(), 1))


def test_having_may_be_repeated():
    network, value = MLP([2, 3, 1], rng=0), np.full(3, 0.5)
    once = network.having(**{"layers.0.bias": value, "layers.1.bias": np.ones(1)})
    twice = network.having(**{"layers.0.bias": np.zeros(3)}).having(
        **{"layers.1.bias": np.ones(1), "layers.0.bias": value}
    )
    np.testing.assert_array_equal(twice(X).data, once(X).data)


def test_tied_parameters_give_way_together():
    network = Own()
    names = list(network.parameters())
    assert "pair.0.weight" in names and "pair.1.weight" not in names
    value = RNG.normal(size=(4, 4))
    found = [network.having(**{f"pair.{i}.weight": value}) for i in (0, 1)]
    for other in found:
        assert other.pair[0].weight is other.pair[1].weight
        np.testing.assert_array_equal(other(X).data, found[0](X).data)
    same = network.having(**{"pair.0.weight": value, "pair.1.weight": value})
    np.testing.assert_array_equal(same(X).data, found[0](X).data)


def test_a_recurrent_network_keeps_its_parameters_in_its_cells():
    network = GRU(2, 3, 2, bidirectional=True, rng=0)
    assert not [x for x in vars(network).values() if isinstance(x, Tensor)]
    W = Tensor(np.ones((9, 2)), requires_grad=True)
    network.weight_ih_l0_reverse = W
    assert network.parameters()["weight_ih_l0_reverse"] is W
    assert network.weight_ih_l0_reverse is W
    for again in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        np.testing.assert_array_equal(again(X)[0].data, network(X)[0].data)
        assert again.weight_ih_l0_reverse is not W
    with pytest.raises(AttributeError, match="GRU has no attribute weight_ih_l9"):
        _ = network.weight_ih_l9


SMALL = LSTM(2, 3, dtype="float32", rng=0)
WRONG = [
    (
        {"weight": 1.0},
        r"LSTM.having: weight is unknown, expected of weight_ih_l0, weight",
    ),
    ({"_cells": {}}, "_cells is unknown"),
    ({"training": False}, "training is unknown"),
    (
        {"weight_hh_l0": np.ones((12, 2))},
        r"weight_hh_l0 has shape \(12, 2\), expected \(12",
    ),
    ({"bias_hh_l0": 0.0}, r"bias_hh_l0 has shape \(\), expected \(12,\)"),
    ({"bias_hh_l0": np.ones(12, complex)}, "bias_hh_l0 is complex128, expected float32"),
    ({"bias_hh_l0": [True] * 12}, "bias_hh_l0 is bool, expected float32"),
    ({"bias_hh_l0": None}, "bias_hh_l0 is object, expected float32"),
    ({"bias_hh_l0": ["a"] * 12}, "bias_hh_l0 is <U1, expected"),
    ({"bias_hh_l0": [[1], [1, 2]]}, "bias_hh_l0 is no array of numbers"),
    (
        {"bias_hh_l0": Tensor(np.ones(12))},
        r"bias_hh_l0 is a Tensor of float64, expected float32; .astype\(\"float32\"\)",
    ),
    ({"weight": 1.0, "bias_hh_l0": None}, "weight is unknown.*; bias_hh_l0 is object"),
]


@pytest.mark.parametrize(("wrong", "match"), WRONG)
def test_having_names_what_does_not_fit(wrong, match):
    with pytest.raises(ValueError, match=match):
        SMALL.having(**wrong)


def test_having_refuses_two_values_of_one_parameter():
    with pytest.raises(
        ValueError, match=r"pair.0.weight and pair.1.weight are one param"
    ):
        Own().having(
            **{"pair.0.weight": np.ones((4, 4)), "pair.1.weight": np.ones((4, 4))}
        )


def test_having_casts_an_array_to_the_parameters_dtype():
    other = SMALL.having(bias_hh_l0=np.arange(12))
    assert other.bias_hh_l0.dtype == np.float32
    assert other(X.astype("float32"))[0].dtype == np.float32
