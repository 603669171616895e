"""What a wrong call is told: the operation, what came, what was expected, the remedy.

One table over the family, beside those of the losses, optimisers and networks.
"""

import functools
import pickle

import numpy as np
import pytest

import viz
from autograd import Tensor, primitive
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
    LSTMCell,
    RestrictedBoltzmannMachine,
    Segmentation,
    Vocabulary,
    WindowMLP,
    beam_search,
    capacity_curve,
    credit,
    deltas,
    encoder_decoder,
    explain,
    fit,
    fit_boltzmann,
    gradient_flow,
    load,
    losses,
    many_to_many,
    many_to_one,
    one_to_many,
    one_to_one,
    optim,
    sample,
    save,
    save_weights,
    segments,
    tokenise,
    unroll,
    windows,
)
from rnn.layers import dropout
from rnn.sampling import draw
from rnn.series import relative_variance
from rnn.text import Bigram, Unigram, perplexity

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

RECURRENT = [
    (lambda: LSTMCell(2, 4)(X[0], np.zeros((2, 3, 4))), ValueError,
     r"LSTMCell: the state is a ndarray, expected the pair \(h, c\)"),
    (lambda: LSTMCell(2, 4)(X[0], (np.zeros((3, 4)),) * 3), ValueError,
     r"LSTMCell: the state is a tuple of 3, expected the pair"),
    (lambda: CELL(X[0], (np.zeros((3, 4)),) * 2), ValueError,
     "GRUCell: the state is a tuple, expected one array h"),
    (lambda: GRU(2, 4)(X, np.full((1, 3, 4), np.nan)), ValueError,
     r"GRU: the state has NaN, the first at \[0, 0, 0\] of \(1, 3, 4\)"),
    (lambda: LSTM(2, 4)(X, (np.zeros((1, 3, 4)), np.full((1, 3, 4), np.inf))), ValueError,
     "LSTM: the state has ∞, the first at"),
    (lambda: LSTM(2, 4, dropout="a"), ValueError, "LSTM: dropout='a', expected 0 to 1"),
    (lambda: GRU(2, 4, foo=1), TypeError, "GRU: no argument foo, expected of input_size"),
    (lambda: LSTM(2, 4, nonlinearity="relu"), TypeError, "LSTM: no argument nonlinear"),
    (lambda: RNN(2, 4, foo=1), TypeError, "RNN: no argument foo, .* dtype, nonlinearity"),
    (lambda: GRU(2, 4)(X[:, 0], lengths=5), ValueError,
     r"lengths are int64 of shape \(\), expected .*; of one sequence they are \[5\]"),
    (lambda: GRU(2, 4)(X, segment=1.5), ValueError, "segment=1.5, expected at least 1"),
]  # fmt: skip

UNROLL = [
    (lambda: unroll(CELL, X, X[0], steps=[1, 2]), ValueError,
     "unroll: steps has 2 names and xs T = 5 inputs, expected one name for each"),
    (lambda: unroll(CELL, X, X[0], steps=range(9)), ValueError, "9 names and xs T = 5"),
    (lambda: unroll(CELL, X, X[0], steps=5), TypeError, "unroll: steps is a int, expect"),
    (lambda: unroll(CELL, X, X[0], segment=1.5), ValueError, "unroll: segment=1.5, exp"),
    (lambda: unroll(CELL, (x for x in X), X[0]), TypeError,
     r"unroll: xs is a generator, expected the inputs of all steps, .*; list\(xs\) make"),
    (lambda: unroll(CELL, 1.0, X[0]), TypeError, "unroll: xs is a float, expected the"),
    (lambda: unroll(CELL, Tensor(1.0), X[0]), TypeError, "unroll: xs is a Tensor, exp"),
    (lambda: unroll(None, X, X[0]), TypeError, "cell is a NoneType, expected a function"),
    (lambda: unroll(lambda x, s: x, X, X[0]), TypeError,
     r"unroll: the cell returned a ndarray, expected the two \(output, next state\)"),
    (lambda: unroll(lambda x, s: (x, s, s), X, X[0]), TypeError, "returned a tuple of 3"),
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
     r"loss of step 1 is a Tensor of shape \(3, 1\), expected a Tensor of one element"),
    (lambda: flow(loss=lambda t, i: 1.0), TypeError, r"loss of step 1 is a float of sha"),
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
    (lambda: optim.clip_grad_norm(GRU, 1.0), TypeError,
     r"clip_grad_norm: parameters are a type; .* network.parameters\(\)"),
    (lambda: optim.clip_grad_value(list(weights()), 1.0), TypeError,
     "item 0 of the parameters is a str; expected a Module, a list of Modules"),
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


W = weights()["w"]
Y, INDICES = np.zeros((5, 3, 4)), np.zeros((3, 5), int)
LOSSES = [
    (lambda: losses.mse(LSTM(2, 4)(X), X), TypeError,
     r"mse: y is a tuple of 2. A recurrent network returns \(output, state\): unpack it"),
    (lambda: losses.squared_error(X, GRU(2, 4)(X)), TypeError, "d is a tuple of 2"),
    (lambda: losses.cross_entropy(LSTM(2, 4)(X), INDICES.T), TypeError, "logits is a tu"),
    (lambda: losses.cross_entropy(Y, GRU(2, 4)(X)), TypeError, "target is a tuple of 2"),
    (lambda: losses.ctc(LSTM(2, 4)(X), INDICES), TypeError, "ctc: logits is a tuple"),
    (lambda: losses.mse(ELMAN.unroll(X)[0], X[0]), TypeError,
     r"mse: y is the Instant \(v_a, a, v_y, y\); give one, y.y"),
    (lambda: losses.mse(ELMAN.unroll(X), X), TypeError, "a list of Instants; np.stack"),
    (lambda: losses.mse([i.y for i in ELMAN.unroll(X)], X), TypeError,
     r"y is a list of Tensors; np.stack\(y\) makes"),
    (lambda: losses.mse(ELMAN, X), TypeError, "mse: y is a ElmanNetwork, expected numb"),
    (lambda: losses.mse(np.tanh, X), TypeError, "y is a ufunc, expected numbers"),
    (lambda: Linear(4, 1)(LSTM(2, 4)(X)), TypeError, "Linear: x is a tuple of 2. A rec"),
    (lambda: GRU(4, 1)(GRU(2, 4)(X)), TypeError, "GRU: x is a tuple of 2. A recurrent"),
    (lambda: ELMAN(ELMAN.unroll(X)), TypeError, "ElmanNetwork: x is a list of Instants"),
    (lambda: Embedding(5, 2)(GRU(2, 4)(X)), TypeError, "Embedding: index is a tuple"),
    (lambda: losses.cross_entropy(Y, INDICES.T.astype(float)), ValueError,
     r"; indices are integers: target.astype\(int\)"),
    (lambda: losses.cross_entropy(Y, np.ones((5, 3, 4), int)), ValueError,
     r"; of one-hot rows, np.argmax\(target, axis=-1\) has the indices"),
    (lambda: losses.cross_entropy(INDICES.T, Y), ValueError, "logits and target swapped"),
    (lambda: losses.mse(X[..., 0], X[..., 0].T), ValueError,
     r"mse: y has shape \(5, 3\) and d \(3, 5\), .*; are the axes of time and batch swa"),
    (lambda: losses.squared_error(X[..., :1], X[..., 0]), ValueError,
     r"squared_error: y has shape \(5, 3, 1\) and d \(5, 3\), .* y\[..., 0\] would fit"),
    (lambda: losses.mse(X[..., 0], X[..., :1]), ValueError, r"; d\[..., 0\] would fit"),
    (lambda: losses.mse(X[:0], X[:0]), ValueError, r"shape \(0, 3, 2\), no elements"),
    (lambda: losses.mse(X == 0, X), ValueError, "mse: y is bool, expected real numbers"),
    (lambda: losses.mse("a", "b"), ValueError, "mse: y is <U1, expected real numbers"),
    (lambda: losses.squared_error(X, X * 1j), ValueError, "error: d is complex128, expe"),
    (lambda: losses.mse([[1], [1, 2]], X), ValueError, "mse: y is no array of numbers"),
    (lambda: losses.cross_entropy(Y, INDICES), ValueError,
     r"integers of shape \(5, 3\), .*; are the axes of time and batch swapped\?"),
    (lambda: losses.cross_entropy(Y, INDICES.T[..., None]), ValueError,
     r"; target\[..., 0\] would fit"),
    (lambda: losses.cross_entropy(Y[0], [0, 0, 0], ignore_index=1.5), ValueError,
     "cross_entropy: ignore_index=1.5, expected an integer, or None"),
    (lambda: losses.cross_entropy(Y[0], [0, 0, 0], ignore_index="a"), ValueError, "='a'"),
    (lambda: losses.cross_entropy(Y[0, :, :0], [0, 0, 0]), ValueError,
     r"logits have shape \(3, 0\), expected \(…, K\) with K of at least 1"),
    (lambda: losses.cross_entropy(Y * 1j, INDICES), ValueError, "logits is complex128"),
]  # fmt: skip

OPTIMISERS = [
    (lambda: optim.Adam({"w": W}, betas=(0.9,)), ValueError,
     r"Adam: betas=\(0.9,\), expected two numbers"),
    (lambda: optim.Adam({"w": W}, betas=(0.9, 0.9, 0.9)), ValueError, "expected two num"),
    (lambda: optim.AdamW({"w": W}, betas=0.9), ValueError, "AdamW: betas=0.9, expected"),
    (lambda: optim.SGD({"w": W}, "0.1"), ValueError, "SGD: lr='0.1', expected above 0"),
    (lambda: optim.SGD({"w": W}, None), ValueError, "SGD: lr=None, expected above 0"),
    (lambda: optim.SGD({"w": W}, np.ones(2)), ValueError, r"SGD: lr=array\(\[1., 1.\]\)"),
    (lambda: optim.SGD({"w": W}, True), ValueError, "SGD: lr=True, expected above 0"),
    (lambda: optim.SGD({"w": W}, Tensor(0.1)), ValueError, r"SGD: lr=Tensor\(0.1\), exp"),
    (lambda: optim.SGD({"a": W, "b": W}), ValueError, "SGD: a and b are one Tensor"),
    (lambda: pickle.dumps(primitive(lambda x: x)), pickle.PicklingError,
     "<lambda>: pickled by its name, .* Declare it at the top of a module"),
]  # fmt: skip


def explained(network=ELMAN, x=X, dE_dy=X[..., :1], **options):
    return explain(network, x, dE_dy, **options)


def oracle(of=deltas.elman, network=ELMAN, x=X, slope=X[..., :1], without="", **options):
    state = network.state_dict()
    state = {k.removesuffix("_l0"): v for k, v in state.items() if k != without}
    return of(state, x, slope, **options)


LEARNERS = [
    (lambda: explained(CELL, X.astype(int)), ValueError, "GRUCell: x is int64, expected"),
    (lambda: explained(CELL, INDICES), ValueError, r"GRUCell: x has shape \(3, 5\), exp"),
    (lambda: explained(dE_dy=X), ValueError, r"∂E/∂y has shape \(5, 3, 2\), expected th"),
    (lambda: explained(dE_dy=X[..., :1] * 1j), ValueError, "∂E/∂y is complex128, expect"),
    (lambda: explained(t=1.5), ValueError, "explain: t=1.5, expected at least 1, a whol"),
    (lambda: explained(t="1"), ValueError, "explain: t='1', expected at least 1, a whol"),
    (lambda: explained(units=-1), ValueError, "explain: units=-1, expected at least 1"),
    (lambda: explained(sample=0.5), ValueError, "explain: sample=0.5, expected at least"),
    (lambda: explained(LSTM(2, 4), state=X[0]), ValueError,
     r"explain: the state has 1 part, expected the tuple \(h, c\)"),
    (lambda: explained(gradient=3), TypeError, "gradient is a int, expected a function"),
    (lambda: explained(gradient=lambda *_: {"W_a": 1.0, "Wa": 1.0}), ValueError,
     "returned Wa too, which is none of delta_y, .*, W_a"),
    (lambda: explained(gradient=lambda *_: {"W_a": None}), ValueError,
     "explain: W_a is object, expected real numbers"),
    (lambda: oracle(without="W_a"), ValueError, "rnn.deltas.elman: W_a is missing"),
    (lambda: oracle(network=GRU(2, 4)), ValueError, "W_a is missing; W_x is missing; b_"),
    (lambda: oracle(x=X[..., :1]), ValueError,
     r"elman: x has shape \(5, 3, 1\), expected \(T, B, D\) with D = 2"),
    (lambda: oracle(x=INDICES), ValueError, r"elman: x has shape \(3, 5\), expected \(T"),
    (lambda: oracle(x=X[:0]), ValueError, r"elman: x has shape \(0, 3, 2\), no elements"),
    (lambda: oracle(a0=X[0]), ValueError, r"elman: a0 .* \(B, H\) with B = 3, H = 4"),
    (lambda: oracle(slope=X[:, :1, :1]), ValueError,
     r"dE_dy has shape \(5, 1, 1\) .*, expected numbers \(T, B, O\) = \(5, 3, 1\)"),
    (lambda: oracle(activation="tan"), ValueError, "activation 'tan', expected one of"),
    (lambda: oracle(activation=np.tanh), ValueError, "ufunc 'tanh'>, .* the pair of fun"),
    (lambda: deltas.elman(ELMAN, X, X), TypeError, "parameters are a ElmanNetwork, expe"),
    (lambda: oracle(deltas.lstm, GRU(2, 4)), ValueError,
     r"lstm: weight_hh has shape \(12, 4\), expected \(4H, H\)"),
    (lambda: oracle(deltas.gru, GRU(2, 4)), ValueError, r"gru: dE_dh has shape .*5, 3,"),
    (lambda: deltas.rnn({}, X, X), ValueError, "rnn: weight_hh_l0 is missing; weight_ih"),
    (lambda: deltas.feedforward([(Y[0], Y[0, 0], "tanh")], X[0], X[0]), ValueError,
     r"feedforward: W_1 has shape \(3, 4\), expected \(N1, N0\) with N0 = 2"),
    (lambda: deltas.windowed([], X, X, 6), ValueError, "window=6, expected 1 to T = 5"),
    (lambda: deltas.rbm({"W": X[0], "b": X[0, 0]}, X[0]), ValueError, "rbm: c is missin"),
    (lambda: deltas.boltzmann({"w": X[0, 0], "b": Y[0, 0, :3]}, X[0]), ValueError,
     "boltzmann: b has N = 3 units, w 2 weights and the data 2 columns; expected 3"),
]  # fmt: skip


class Special(ElmanNetwork):
    """A network of somebody's own."""


FILES = [
    (lambda: save(Special(1, 2, 1), "a.safetensors"), TypeError,
     r"save: got a Special, expected one of ElmanNetwork, .* save_weights\(network.stat"),
    (lambda: save(ELMAN.state_dict(), "a.safetensors"), TypeError, "save: got a dict, e"),
    (lambda: save(ELMAN, "a.safetensors", {"a": np.ones(2)}), TypeError,
     r"save: the details are not JSON: .* array.tolist\(\)"),
    (lambda: save(ELMAN, "tests"), IsADirectoryError, "save: tests is a folder, expecte"),
    (lambda: load("/"), IsADirectoryError, "/: a folder, expected a safetensors file"),
    (lambda: save_weights(ELMAN, "a.safetensors"), TypeError, "got a ElmanNetwork, expe"),
    (lambda: save_weights({"a": "x"}, "a.safetensors"), TypeError, "a is <U1, which saf"),
    (lambda: Unigram(X[0, 0], 3), ValueError, "Unigram: the text is float64 of shape"),
    (lambda: Bigram([0, 1], [0, 3], 3), ValueError, "indices from 0 to 3, expected 0 to"),
    (lambda: perplexity([]), ValueError, "perplexity: no log-probabilities"),
]  # fmt: skip


def forecast(forecasts, labels="ab", **periods):
    return viz.forecast([1, 2], forecasts, labels=labels, periods=periods, title="",
                        unit="")  # fmt: skip


PLOTS = [
    (lambda: viz.credit(X), ValueError, r"credit: the norms are float64 of shape \(5, 3"),
    (lambda: viz.credit(X[0], steps=["a"]), ValueError, "1 names of steps, expected S ="),
    (lambda: viz.gradient_flow(np.zeros(3), 1.0), ValueError,
     "gradient_flow: none of the 3 numbers of by_distance is above 0"),
    (lambda: viz.gradient_flow([1.0, 0.5], pairs=X[0]), ValueError,
     r"pairs are float64 of shape \(3, 2\), expected numbers \(T, T\) = \(2, 2\)"),
    (lambda: viz.curves([1, 2]), TypeError, "curves: series are a list, expected a dict"),
    (lambda: viz.curves({}), ValueError, "curves: no series, expected at least one"),
    (lambda: viz.curves({"a": ["x"]}), ValueError, "the values of a are <U1 of shape"),
    (lambda: forecast({"a": [1, 2, 3]}), ValueError, "a has 3 values, expected at most"),
    (lambda: forecast({}, "a"), ValueError, "forecast: 1 labels, expected N = 2, one ea"),
    (lambda: forecast({"a": [1]}, p=(0, 3)), ValueError, "period p is 0 to 3, expected"),
    (lambda: viz.recall(X[0], [1.0], shape=(1, 2), title=""), ValueError,
     r"recall: the energies are float64 of shape \(1,\), expected .* = \(3,\)"),
    (lambda: viz.recall(X[0], X[0, 0], shape=(2, 2), title=""), ValueError,
     r"states of N = 2 units are no pictures of shape \(2, 2\)"),
    (lambda: viz.samples({"a": X, "b": X[..., :1]}, title=""), ValueError,
     r"pictures of sizes a \(3, 2\), b \(3, 1\), expected one size"),
    (lambda: viz.capacity([0.1, 0.2], [[1, 1]], title=""), ValueError,
     r"overlaps are int64 of shape \(1, 2\), expected numbers \(L, R\) = \(2, 2\)"),
    (lambda: viz.likelihood([1, 2], {"a": [1]}, best=0, title=""), ValueError,
     r"likelihood: the values of a are int64 of shape \(1,\), expected .* = \(2,\)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        *NETWORKS, *WIRING, *RECURRENT, *UNROLL, *CREDIT, *TRAINING, *TEXT, *ENERGIES,
        *LOSSES, *OPTIMISERS, *LEARNERS, *FILES, *PLOTS,
    ],
)  # fmt: skip
def test_a_wrong_call_is_told_what_was_expected(call, error, match):
    with pytest.raises(error, match=match):
        call()
