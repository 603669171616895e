"""What a wrong call is told: the operation, what came, what was expected, the remedy.

One table over the family, beside those of the losses, optimisers and networks.
"""

import functools

import numpy as np
import pytest

from autograd import Tensor
from rnn import (
    GRU,
    LSTM,
    MLP,
    RNN,
    Batches,
    BoltzmannMachine,
    ElmanNetwork,
    Embedding,
    GRUCell,
    Hopfield,
    LayerNorm,
    Linear,
    RestrictedBoltzmannMachine,
    Segmentation,
    Vocabulary,
    WindowMLP,
    beam_search,
    capacity_curve,
    credit,
    encoder_decoder,
    fit,
    fit_boltzmann,
    gradient_flow,
    many_to_many,
    many_to_one,
    one_to_many,
    one_to_one,
    optim,
    sample,
    segments,
    tokenise,
    windows,
)
from rnn.layers import dropout
from rnn.sampling import draw
from rnn.series import relative_variance

X = np.zeros((5, 3, 2))
ELMAN, CELL = ElmanNetwork(2, 4, 1, rng=0), GRUCell(2, 4, rng=0)
HOPFIELD, MACHINE = Hopfield(2), BoltzmannMachine(2, 1, rng=0)
RESTRICTED = RestrictedBoltzmannMachine(2, 3, rng=0)
WORDS = Vocabulary(["a", "b"])
RNG = np.random.default_rng


def weights():
    return {"w": Tensor(np.ones(2), requires_grad=True, name="w")}


def fitted(**wrong):
    p = weights()
    right = {
        "objective": lambda segment, state: (np.sum(np.square(p["w"])), None),
        "segments": [1.0, 2.0],
        "optimizer": optim.SGD(p, 0.1),
        "epochs": 1,
    }
    return fit(**right | wrong)


def learned(**wrong):
    right = {
        "machine": RESTRICTED,
        "data": [[0, 1]],
        "optimizer": optim.SGD(RESTRICTED.parameters(), 0.1),
        "epochs": 1,
    }
    return fit_boltzmann(**right | wrong)


def flow(network=ELMAN, x=X, loss=lambda t, i: np.sum(i.y)):
    return gradient_flow(network, x, loss)


def logits(words, state):
    return np.zeros((len(words), 3)), state


def narrowing():
    """A step that forgets a sequence at its second token."""
    counts = iter((2, 1))
    return lambda words, state: (np.zeros((next(counts), 3)), state)


def searched(axis, shape=(1, 1, 4), **options):
    def step(words, state):
        return np.zeros((len(words), 3)), np.zeros((1, len(words), 4))

    return beam_search(step, [1], np.zeros(shape), 3, width=2, axis=axis, **options)


def states(network, **wrong):
    return network.load_state_dict(network.state_dict() | wrong)


NETWORKS = [
    (lambda: ElmanNetwork("2", 4, 1), ValueError, "input_size='2', expected at least 1"),
    (lambda: GRU(2, True), ValueError, "GRU: hidden_size=True, .* a whole number"),
    (lambda: ElmanNetwork(2, 4, 1, dtype="floaty"), ValueError,
     "dtype='floaty', expected float32 or float64"),
    (lambda: ElmanNetwork(2, 4, 1, ["tanh"]), ValueError, r"activation=\['tanh'\]: exp"),
    (lambda: RNN(2, 4, 1, "relu"), ValueError,
     "RNN: bias='relu', expected True or False. Where it is meant for another argument, "
     "give it by name"),
    (lambda: LSTM(2, 4, bidirectional=2), ValueError, "bidirectional=2, expected True"),
    (lambda: ELMAN(X + np.inf), ValueError, r"x has ∞, the first at .* \[0, 0, 0\]"),
    (lambda: ELMAN(X, np.zeros((5, 4))), ValueError,
     r"a0 has shape \(5, 4\), expected \(B, H\) = \(3, 4\); are the axes of time and "
     r"batch swapped in x\?"),
    (lambda: ELMAN.instant(np.zeros((3, 5)), np.zeros((3, 4))), ValueError,
     r"instant: x has shape \(3, 5\) and a \(3, 4\), expected \(B, D\) with D = 2"),
    (lambda: ELMAN.instant(np.zeros((3, 2)), np.zeros((2, 4))), ValueError,
     r"a \(2, 4\), expected .* and \(B, H\) with H = 4"),
    (lambda: ELMAN.load_state_dict([1, 2]), TypeError, "got a list, expected arrays by"),
    (lambda: states(ELMAN, W_x=np.zeros((4, 2), complex), b_a=1.0), ValueError,
     r"W_x is complex128, expected real numbers; b_a has shape \(\), expected \(4,\)"),
    (lambda: states(ELMAN, b_y=["a"]), ValueError, "b_y is <U1, expected real numbers"),
    (lambda: Linear(2.0, 3), ValueError, "in_features=2.0, expected at least 1, a whole"),
    (lambda: Embedding(5, 2)(np.eye(5)), ValueError,
     r"indices are float64, expected integers; .* np.argmax\(x, axis=-1\)"),
    (lambda: Embedding(5, 2)(Tensor(np.ones(2), requires_grad=True)), ValueError,
     "the indices are float64"),
    (lambda: LayerNorm(3, eps=-1), ValueError, "LayerNorm: eps=-1, expected 0 or above"),
    (lambda: LayerNorm((3,)), ValueError, r"normalized_shape=\(3,\), expected at least"),
    (lambda: MLP(3), ValueError, "MLP: sizes=3, expected two widths or more"),
    (lambda: MLP([3, 0, 1]), ValueError, r"MLP: sizes\[1\]=0, expected at least 1"),
    (lambda: dropout(X, "much", RNG(0)), ValueError, "dropout: p='much', expected 0 ≤ p"),
    (lambda: windows(X[:, 0], 2), ValueError,
     r"windows: x has shape \(5, 2\), expected \(T, B, D\).*x.reshape\(T, 1, 1\)"),
    (lambda: windows(X, 2.0), ValueError, "windows: window=2.0, expected at least 1"),
    (lambda: WindowMLP(2, 3, 1, 6)(X), ValueError, "window=6, expected 1 to T = 5"),
]  # fmt: skip

WIRING = [
    (lambda: one_to_one(lambda x, s: (x, s), X[0]), TypeError,
     "one_to_one: the cell is a function, expected an RNNCell, GRUCell or LSTMCell; or, "
     "with a state="),
    (lambda: many_to_many(GRU(2, 4), X), TypeError, "many_to_many: the cell is a GRU"),
    (lambda: many_to_one(ELMAN, X, np.zeros((3, 4))), TypeError, "is a ElmanNetwork"),
    (lambda: many_to_many(CELL, X[:0]), ValueError,
     r"many_to_many: the inputs have shape \(0, 3, 2\), .* at least one step"),
    (lambda: many_to_one(CELL, 1.0), ValueError, r"inputs have shape \(\), expected \(T"),
    (lambda: encoder_decoder(CELL, CELL, X[:0], 2), ValueError, "at least one step"),
    (lambda: one_to_many(CELL, X[0], 1.5), ValueError, "one_to_many: steps=1.5, expecte"),
]  # fmt: skip

CREDIT = [
    (lambda: credit(np.sum(ELMAN(X)), ELMAN.W_a), ValueError,
     r"credit: one loss, expected a list of E\^1, …, E\^T"),
    (lambda: credit([i.y for i in ELMAN.unroll(X)], ELMAN.W_a), ValueError,
     r"credit: E\^1 has shape \(3, 1\), expected one number"),
    (lambda: credit([1.0], "W_a"), TypeError, "parameter is a str, .* as network.W_a"),
    (lambda: credit([np.sum(i.y) for i in ELMAN.unroll(X)], ELMAN.W_a).kept(1.5, 2),
     ValueError, "k1=1.5, k2=2, expected 1 ≤ k1 ≤ k2, whole numbers"),
    (lambda: flow(MLP([2, 2])), TypeError, "network is a MLP, expected an ElmanNetwork"),
    (lambda: flow(loss=lambda t, i: i.y), TypeError,
     r"loss of step 0 is a Tensor of shape \(3, 1\), expected a Tensor of one element"),
    (lambda: flow(loss=lambda t, i: 1.0), TypeError, r"loss of step 0 is a float of sha"),
    (lambda: flow(loss=lambda t, i: np.sum(weights()["w"])), TypeError,
     "that was computed from the output"),
    (lambda: flow(x=X[:, :0]), ValueError, r"shape \(5, 0, 2\), no samples"),
    (lambda: flow(GRU(2, 3), X[:, 0]), ValueError, r"GRU: x has shape \(5, 2\), expecte"),
    (lambda: flow(GRUCell(2, 3), X * np.nan), ValueError, "GRUCell: x has NaN, the firs"),
]  # fmt: skip

TRAINING = [
    (lambda: fitted(epochs=1.5), ValueError, "fit: epochs=1.5, expected at least 1, a w"),
    (lambda: fitted(objective=None), TypeError, "objective is a NoneType, expected a fu"),
    (lambda: fitted(optimizer=GRU(2, 3)), TypeError,
     r"fit: the optimizer is a GRU, expected one of rnn.optim: Adam\(network.param"),
    (lambda: fitted(optimizer=optim.SGD), TypeError, "fit: the optimizer is a type"),
    (lambda: fitted(optimizer=optim.SGD(weights(), 0.1)), ValueError,
     "fit: the loss was computed from none of the optimizer's parameters, w. Make the"),
    (lambda: fitted(schedule=0.1), TypeError, "schedule is a float, expected a function"),
    (lambda: fitted(schedule=lambda step: None), ValueError,
     "fit: the schedule gives None for step 0, expected 0 or above"),
    (lambda: fitted(validate=3.0), TypeError, "validate is a float, expected a function"),
    (lambda: fitted(validate=lambda: None), TypeError,
     r"validate returned a NoneType of shape \(\), expected a number"),
    (lambda: fitted(validate=lambda: np.ones(3)), TypeError, r"ndarray of shape \(3,\)"),
    (lambda: fitted(validate=lambda: 1.0, patience=1.5), ValueError, "patience=1.5, exp"),
    (lambda: fitted(rng=3), TypeError, "rng is a int, expected the very generator"),
    (lambda: fitted(run={"a": np.ones(3)}), TypeError, r"run= is not JSON: .*digest\(ar"),
    (lambda: fitted(run="a"), TypeError, "run is a str, expected a dict"),
    (lambda: fitted(max_norm="1"), ValueError, "max_norm='1', expected above 0"),
    (lambda: segments(1.5, X), ValueError, "segments: steps=1.5, expected at least 1, a"),
    (lambda: optim.clip_grad_norm(GRU(2, 3), 1.0), TypeError,
     r"clip_grad_norm: parameters are a GRU, .* network.parameters\(\)"),
    (lambda: optim.clip_grad_value(list(weights()), 1.0), TypeError, "are a list"),
    (lambda: optim.clip_grad_norm(weights(), np.nan), ValueError, "max_norm=nan"),
]  # fmt: skip

TEXT = [
    (lambda: draw(X[0], RNG(0), "warm"), ValueError, "temperature='warm', expected 0 or"),
    (lambda: draw(X[0], 0), ValueError, "give rng=, .*; got rng=0"),
    (lambda: draw(X[0], RNG(0), top_k=1.5), ValueError, "draw: top_k=1.5, expected at l"),
    (lambda: sample(lambda w, s: X[0, :1], [[1]], None, 3), TypeError,
     r"step returned a ndarray, expected the two \(logits, next state\)"),
    (lambda: sample(logits, [[1]], None, 1.5), ValueError, "sample: length=1.5, expecte"),
    (lambda: sample(narrowing(), [[1, 1]], None, 3, temperature=0), ValueError,
     r"the step gave logits of shape \(1, 3\), expected \(B, K\) with B = 2"),
    (lambda: sample(logits, [[1]], None, 3, temperature=0, stop=3), ValueError,
     "sample: stop=3, expected one of the tokens 0 to 2"),
    (lambda: beam_search(logits, [1], None, 3, width=2, stop="."), ValueError,
     r"beam_search: stop='\.', expected one of the tokens"),
    (lambda: relative_variance(X[0], X[0, :1], 1.0), ValueError,
     r"forecast has shape \(3, 2\) and the actual \(1, 2\), expected the same"),
    (lambda: relative_variance(X[0], X[0], 0), ValueError, "variance=0, expected above"),
    (lambda: beam_search(logits, [1], None, 3, width=1.5), ValueError, "width=1.5, expe"),
    (lambda: searched(1, penalty=np.nan), ValueError, "penalty=nan, expected a number"),
    (lambda: searched(0), ValueError,
     r"a state has shape \(1, 2, 4\), expected 2 samples, the beams, along axis=0"),
    (lambda: searched(7), ValueError, r"\(1, 1, 4\), expected 1 samples, .* axis=7"),
    (lambda: Vocabulary([1, 2]), TypeError, "Vocabulary: token 0 is a int, expected str"),
    (lambda: Vocabulary(None), TypeError, "Vocabulary: got a NoneType, expected tokens"),
    (lambda: Vocabulary.of(["a"], size=1.5), ValueError, "Vocabulary.of: size=1.5"),
    (lambda: WORDS.encode(["a", 2]), TypeError, "Vocabulary.encode: token 1 is a int"),
    (lambda: WORDS.decode([1.0]), TypeError, r"decode: the indices are float64 of shape"),
    (lambda: WORDS.decode(np.ones((2, 2), int)), TypeError, r"of shape \(2, 2\), expect"),
    (lambda: tokenise(None), TypeError, "tokenise: got NoneType, expected text"),
    (lambda: Batches([[1, 2]], 1.5), ValueError, "Batches: batch=1.5, expected at least"),
    (lambda: Segmentation([1, 2, 3], 1, 1.5), ValueError, "Segmentation: steps=1.5"),
    (lambda: Segmentation([1], 1, 1), ValueError, "Segmentation: a text of 1 words"),
]  # fmt: skip

ENERGIES = [
    (lambda: Hopfield(True), ValueError, "Hopfield: size=True, expected at least 1"),
    (lambda: states(HOPFIELD, W=np.full((2, 2), np.nan)), ValueError,
     r"Hopfield: W is not finite at \[0, 0\]"),
    (lambda: states(HOPFIELD, b=[0.0, np.inf]), ValueError, r"b is not finite at \[1\]"),
    (lambda: capacity_curve(9, [-1.0]), ValueError, r"loads=\[-1.0\], expected a list o"),
    (lambda: capacity_curve(9, 0.1), ValueError, "loads=0.1, expected a list of numbers"),
    (lambda: capacity_curve(9, [np.nan]), ValueError, r"loads=\[nan\]"),
    (lambda: RESTRICTED.free_energy(np.zeros((1, 3))), ValueError,
     r"RestrictedBoltzmannMachine.free_energy: states have shape \(1, 3\), expected "
     r"\(…, N\) with N = 2"),
    (lambda: RESTRICTED.energy(X[0, :, :1], X[0]), ValueError, "Machine.energy: states"),
    (lambda: RESTRICTED.energy(np.zeros((2, 2)), np.zeros((3, 3))), ValueError,
     r"v has shape \(2, 2\) and h \(3, 3\), expected as many states of each"),
    (lambda: RESTRICTED.p_hidden(np.zeros((1, 3))), ValueError, "p_hidden: .* N = 2"),
    (lambda: RESTRICTED.p_visible(np.zeros((1, 2))), ValueError, "p_visible: .* N = 3"),
    (lambda: MACHINE.energy(np.zeros((1, 2))), ValueError, "Machine.energy: .* N = 3"),
    (lambda: MACHINE.free_energy([[0, 1, 1]]), ValueError, "free_energy: .* N = 2"),
    (lambda: learned(machine=HOPFIELD), TypeError, "the machine is a Hopfield and the o"),
    (lambda: learned(optimizer=None), TypeError, "the optimizer a NoneType, expected"),
    (lambda: learned(optimizer=optim.SGD(MACHINE.parameters(), 0.1)), ValueError,
     "fit_boltzmann: the loss was computed from none of .* w, b"),
    (lambda: learned(schedule=0.1), TypeError, "fit_boltzmann: schedule is a float"),
    (lambda: learned(schedule=functools.partial(optim.constant, np.nan)), ValueError,
     "fit_boltzmann: the schedule gives nan for step 0"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [*NETWORKS, *WIRING, *CREDIT, *TRAINING, *TEXT, *ENERGIES],
)
def test_a_wrong_call_is_told_what_was_expected(call, error, match):
    with pytest.raises(error, match=match):
        call()
