"""What `explain` prints: numbers that are the engine's and follow from one another."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import draw_network

from autograd import Tensor, graph
from rnn import (
    GRU,
    LSTM,
    RNN,
    ElmanNetwork,
    GRUCell,
    Linear,
    LSTMCell,
    RNNCell,
    deltas,
    explain,
    unroll,
)
from rnn.bugs import BUGS
from rnn.recursions import recursion_of

X = np.zeros((3, 1, 1))
CELLS = (RNNCell, LSTMCell, GRUCell)
FIELDS = {
    ElmanNetwork: {"δ_a": "v_a", "δ_y": "v_y"},
    RNNCell: {"δ": "v"},
    LSTMCell: {"dh": "h", "dc": "c"},
    GRUCell: {"dh": "h", "δ_r": "v_r", "δ_z": "v_z", "δ_n": "v_n", "δ_m": "m"},
}
"""The node of the graph that each δ is the gradient of."""


def random_parameters(network, rng):
    for p in network.parameters().values():
        p.data = rng.uniform(0.2, 1.0, p.shape) * rng.choice([-1, 1], p.shape)
    return network


@st.composite
def cases(draw):
    """(network, x (T, B, D), d, the shape of the outputs, state)."""
    kind = draw(st.sampled_from((ElmanNetwork, *CELLS)))
    T, B = draw(st.integers(1, 5)), draw(st.integers(1, 2))
    if kind is ElmanNetwork:
        network, rng = draw_network(draw)
        width, parts = network.config["output_size"], 1
    else:
        rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        network = kind(draw(st.integers(1, 3)), draw(st.integers(1, 6)))
        random_parameters(network, rng)
        width, parts = network.config["hidden_size"], 1 + (kind is LSTMCell)
    D, H = network.config["input_size"], network.config["hidden_size"]
    state = tuple(rng.normal(size=(parts, B, H)))
    d = rng.normal(size=(T, B, width))
    return network, rng.normal(size=(T, B, D)), d, state if parts > 1 else state[0]


def engine(network, x, d, state):
    """The gradients of the graph's nodes by (name, step)."""
    if isinstance(network, ElmanNetwork):
        y = network(x, state)
    else:
        y = np.stack(unroll(network, x, state)[0])
    E = 0.5 * np.sum((y - d) ** 2)
    E.backward()
    nodes = (n for n in graph(E) if n.scope.startswith("t=") and n.name)
    return {(n.name, int(n.scope[2:])): n.grad for n in nodes if n.grad is not None}


def results(text):
    """The results by (unit, quantity), a unit being "output 1" or "unit 2"."""
    unit, found = None, {}
    for line in text.splitlines():
        if re.fullmatch(r"(output|unit) \d+", line):
            unit = line
        elif unit and line.startswith("  "):
            name, *_, value = line.strip().split(" = ")
            found[unit, name] = value
    return {key: float(value.replace("−", "-")) for key, value in found.items()}


@given(cases(), st.data())
def test_the_numbers_written_out_are_those_of_the_engine(case, data):
    network, x, d, state = case
    t = data.draw(st.integers(1, len(x)))
    sample = data.draw(st.integers(0, x.shape[1] - 1))
    text = explain(
        network, x, lambda y: y - d, t, state=state, units=99, sample=sample + 1
    )
    found, grads = results(text), engine(network, x, d, state)
    expected = {
        delta: grads[node, t][sample] for delta, node in FIELDS[type(network)].items()
    }
    if isinstance(network, LSTMCell):
        parts = np.split(grads["v", t][sample], 4)
        expected |= {f"δ_{g}": p for g, p in zip("ifgo", parts, strict=True)}
    for name, values in expected.items():
        unit = "output" if name == "δ_y" else "unit"
        for j, value in enumerate(values):
            shown = found.pop((f"{unit} {j + 1}", f"{name}^{t}"))
            assert shown == pytest.approx(value, rel=1e-3, abs=1e-12), name
    left = {name for _, name in found if not re.search(r"'|δ\S* W|ᵀ", name)}
    assert not left, "what is written out and held against nothing"


@given(cases(), st.data())
def test_the_engine_as_a_learner_is_right(case, data):
    """Its gradients of every parameter, of x and of the state, by the oracle's names."""
    network, x, d, state = case

    def learner(parameters, x, slope):
        parts = state if isinstance(state, tuple) else (state,)
        inputs = Tensor(x, requires_grad=True)
        start = [Tensor(part, requires_grad=True) for part in parts]
        network.zero_grad()
        if isinstance(network, ElmanNetwork):
            y, names = network(inputs, start[0]), ("a0",)
        else:
            first = tuple(start) if len(start) > 1 else start[0]
            y, names = np.stack(unroll(network, inputs, first)[0]), ("h0", "c0")
        np.sum(y * slope).backward()
        found = {name: p.grad for name, p in network.parameters().items()}
        found |= dict(zip(names, (part.grad for part in start), strict=False))
        return found | {"x": inputs.grad}

    text = explain(network, x, lambda y: y - d, gradient=learner, state=state)
    zero = network.config.get("output_activation") == "softmax" and d.shape[2] == 1
    assert zero or re.fullmatch(r"All of (\w+, )+(a0|h0|h0, c0) are right\.", text), text


SPELLED = {"−": "-", "×": "*", "·": "*", "[": "float(", "]": ")", "σ": "logistic"}


def value(expression):
    """What a printed right-hand side comes to, and what it is a sum of, in size."""
    text = re.sub(r"(\S+) of \d+ more", r"\1", expression)
    text = re.sub(r"tanh²\((.*?)\)", r"tanh(\1)**2", text)
    for sign, spelled in SPELLED.items():
        text = text.replace(sign, spelled)
    names = {
        "tanh": math.tanh,
        "logistic": lambda v: 1 / (1 + math.exp(-v)),
        "float": float,
    }
    # Of 1 − x as of a + b, so that the rounding of both is allowed for.
    size = re.sub(r"(?<!e)-", "+", text)
    return tuple(eval(t, dict(names)) for t in (text, size.replace("*+", "*")))


@given(cases(), st.data())
def test_each_number_follows_from_those_that_are_shown(case, data):
    network, x, d, state = case
    t = data.draw(st.sampled_from((1, len(x), (len(x) + 1) // 2)))
    units = data.draw(st.integers(1, 7))
    text = explain(network, x, lambda y: y - d, t, state=state, units=units)
    lines = [line for line in text.splitlines() if re.match(r"  .* = .* = \S+$", line)]
    assert lines and not re.search("[×·+−] −", text)
    for line in lines:
        _, *expression, result = line.split(" = ")
        found, size = value(" = ".join(expression))
        shown = float(result.replace("−", "-"))
        assert abs(found - shown) <= 3e-3 * abs(size) + 1e-12, line


def test_a_formula_has_the_results_that_stand_above_it():
    """The letters of dc^2 = dh^2 ⊙ … are, number for number, as the lines above say."""
    rng = np.random.default_rng(0)
    network = random_parameters(LSTM(2, 3), rng)
    x, d = rng.normal(size=(3, 1, 2)), rng.normal(size=(3, 1, 3))
    text = explain(network, x, lambda h: h - d, 2)
    block = text.split("unit 1\n")[1].split("unit 2\n")[0]
    rows = [line.strip().split(" = ") for line in block.splitlines()]
    shown, lines = dict(row[::2] for row in rows), dict(row[:2] for row in rows)
    factors = lambda name: lines[name].replace("(", "").replace(")", "").split(" ")  # noqa: E731
    for gate in "ifgo":
        assert shown[f"δ_{gate}^3 W_h{gate}"] in factors("dh^2")
        state = "dh^2" if gate == "o" else "dc^2"
        assert factors(f"δ_{gate}^2")[0] == shown[state]
    assert factors("dc^2")[0] == shown["dh^2"]
    last = explain(network, x, lambda h: h - d, 3)
    later = last.split("unit 1\n")[1].split("unit 2\n")[0]
    assert re.search(r"dc\^3 = .* = (\S+)\n", later)[1] in factors("dc^2")


def test_what_is_left_out_is_told():
    network, d = ElmanNetwork(1, 9, 1, rng=0), np.ones((3, 1, 1))
    text = explain(network, X, lambda y: y - d, 2, units=2)
    assert "unit 2" in text and "unit 3" not in text
    assert "… and 7 more: units=9 writes them out" in text
    assert re.search(r"δ_a\^3 W_a = \S+ \+ \S+ \+ \S+ of 7 more = ", text)
    assert "what has ^3 is of the step after: explain(…, t=3)" in text
    last = explain(network, X, lambda y: y - d)
    assert "what has ^4 is 0, since step T = 3 is the last" in last


def test_a_network_is_explained_as_its_cell():
    rng = np.random.default_rng(0)
    for kind, state in ((RNN, 1), (GRU, 1), (LSTM, 2)):
        network = kind(2, 3, batch_first=True, rng=1, dtype=np.float32)
        x, d = rng.normal(size=(4, 2, 2)), rng.normal(size=(4, 2, 3))
        start = np.zeros((state, 2, 3))
        whole = explain(network, x, lambda h: h - d, 2)  # noqa: B023
        cell = explain(
            network.only_cell(), x, lambda h: h - d, 2,  # noqa: B023
            state=tuple(start) if state > 1 else start[0],
        )  # fmt: skip
        assert whole == cell


def test_indices_are_one_hot_inputs():
    network, d = ElmanNetwork(4, 2, 1, rng=0), np.zeros((3, 1, 1))
    indices = np.array([[2], [0], [3]])
    said = [
        explain(network, x, lambda y: y - d, 2) for x in (indices, np.eye(4)[indices])
    ]
    assert said[0] == said[1]


def learners_case(kind, T=5):
    rng = np.random.default_rng(1)
    network = kind(2, 3, 2) if kind is ElmanNetwork else kind(2, 3)
    random_parameters(network, rng)
    width = 2 if kind is ElmanNetwork else 3
    parts = 2 if kind in (LSTM, LSTMCell) else 1
    state = tuple(rng.normal(size=(parts, 2, 3)))
    return network, *rng.normal(size=(1, T, 2, 2)), rng.normal(size=(T, 2, width)), state


PLANTED = [(bug, of) for bug in BUGS for of in bug.of]


@pytest.mark.parametrize(
    ("bug", "of"), PLANTED, ids=[f"{of}, {bug.name}" for bug, of in PLANTED]
)
def test_a_learners_mistake_is_named(bug, of):
    kind = {"elman": ElmanNetwork, "rnn": RNN, "lstm": LSTM, "gru": GRU}[of]
    network, x, d, state = learners_case(kind)
    own = recursion_of(network)[1]

    def learner(parameters, x, slope):
        return own.run(bug.oracle(of), parameters, x, slope, state)

    text = explain(
        network, x, lambda y: y - d, gradient=learner,
        state=state if len(state) > 1 else state[0],
    )  # fmt: skip
    first = bug.first_wrong
    if of == "rnn":
        first = first.replace("δ_a", "δ").replace("a0", "h0")
        assert text.endswith("(The lecture's δ_a, a and W_a are δ, h and W_hh here.)")
    assert text.startswith(f"{first} is the first that is wrong")
    assert text.count("Likely cause:") == 1 and f"Likely cause: {bug.name}." in text


def test_the_formula_of_what_is_wrong_is_shown():
    network, x, d, state = learners_case(LSTM)

    def learner(p, x, slope):
        found = deltas.lstm(p, x, slope, *state)
        return {"dc": found["dc"] * (np.arange(5) != 2)[:, np.newaxis, np.newaxis]}

    text = explain(network, x, lambda h: h - d, gradient=learner, state=state)
    assert text.splitlines() == [
        "dc^{T-2} is the first that is wrong, on the way back in time.",
        "  dc^{t} = dh^{t} ⊙ o^{t} ⊙ (1 − tanh²(c^{t})) + dc^{t+1} ⊙ f^{t+1}.",
        "It is none of the classical mistakes; see `rnn.bugs.BUGS`.",
    ]


@pytest.mark.parametrize("kind", [ElmanNetwork, *CELLS])
def test_a_right_gradient_is_told_so_and_an_unknown_mistake_too(kind):
    network, x, d, state = learners_case(kind)
    own = recursion_of(network)[1]
    key = "W_a" if kind is ElmanNetwork else "weight_hh"
    oracle = getattr(deltas, own.oracle)

    def right(p, x, slope):
        return {key: own.run(oracle, p, x, slope, state)[key]}

    def ask(f):
        start = state if len(state) > 1 else state[0]
        return explain(network, x, lambda y: y - d, gradient=f, state=start)

    assert ask(right) == f"All of {key} are right."
    odd = ask(lambda *a: {key: 3.7 * right(*a)[key]})
    assert f"∂E/∂{key} is the first" in odd and "none of the classical" in odd
    flat = ask(lambda *a: {key: right(*a)[key].ravel()})
    assert re.search(rf"{key} has shape \(\d+,\), expected \(\d+, 3\)", flat)


def test_deltas_of_another_length_are_told():
    network, x, d, state = learners_case(LSTM)
    short = lambda p, x, s: {"dh": deltas.lstm(p, x, s, *state)["dh"][1:]}  # noqa: E731
    text = explain(network, x, lambda h: h - d, gradient=short, state=state)
    assert text.startswith("dh^T is the first")
    assert "dh has shape (4, 2, 3), expected (5, 2, 3)" in text


ELMAN = ElmanNetwork(1, 2, 1, rng=0)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: explain(ELMAN, X, X, 4), ValueError, "t=4 .* expected 1 to T = 3"),
        (lambda: explain(ELMAN, X, X, sample=2), ValueError, "sample 2, .* 1 to B = 1"),
        (lambda: explain(ELMAN, X, X, sample=0), ValueError, "sample=0, expected at"),
        (lambda: explain(ELMAN, X, X[1:]), ValueError, r"∂E/∂y has shape \(2, 1, 1\)"),
        (
            lambda: explain(ELMAN, X, X, gradient=lambda *a: {"W": 1}),
            ValueError,
            r"returned \['W'\], expected a dict with some of delta_y, delta_a, W_y",
        ),
        (
            lambda: explain(ELMAN, X, X, gradient=lambda *a: 1.0),
            ValueError,
            "returned float, expected a dict",
        ),
        (
            lambda: explain(LSTM(1, 1), X, X, gradient=lambda *a: {}),
            ValueError,
            r"returned \[\], expected a dict with some of dh, dc, delta_o, .* c0",
        ),
        (
            lambda: explain(GRU(1, 2), X[0], X),
            ValueError,
            r"\(1, 1\), expected \(T, B, D",
        ),
        (lambda: explain(GRU(1, 2), X[:0], X), ValueError, "T of at least 1"),
        (lambda: explain(GRU(1, 2), X, X), ValueError, r"∂E/∂h has .* of h, \(3, 1, 2\)"),
        (lambda: explain(GRU(1, 2, 2), X, X), ValueError, "2 layers and directions"),
        (lambda: explain(Linear(1, 2), X, X), TypeError, "Linear, expected an Elman"),
    ],
)
def test_what_cannot_be_explained_is_told(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_what_is_zero_by_cancelling_may_be_left_a_rounding():
    """Softmax over one output is 1 whatever comes: every δ is 0, not 1e-17."""
    network = ElmanNetwork(2, 3, 1, output_activation="softmax", rng=0)
    x = np.random.default_rng(0).normal(size=(4, 2, 2))

    def right(parameters, x, dE_dy, off=1e-17):
        found = deltas.elman(parameters, x, dE_dy, output_activation="softmax")
        return {name: found[name] + off for name in ("delta_y", "delta_a", "W_a")}

    slope = np.ones((4, 2, 1))
    assert explain(network, x, slope, gradient=right).endswith("are right.")
    wrong = explain(network, x, slope, gradient=lambda *given: right(*given, 1e-12))
    assert wrong.startswith("δ_y^T is the first that is wrong")
