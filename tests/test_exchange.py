"""ONNX's RNN, GRU and LSTM: the cases it publishes, and random ones.

All run through `unroll`, with the operator's formula as a cell in plain NumPy; and
through our network wherever that has the operator's formula. It has not where there are
peepholes or an affine activation, or where it matters that the reset comes before the
product.

The expected numbers of random operators are those of ONNX's reference evaluator. It
ignores `sequence_lens`, so a sequence is given to it alone, cut to its length. It ignores
`clip` and `input_forget` too, and knows no other activations: for these ONNX has no
numbers to offer, and no published case.
"""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from exchange import (
    DEFAULTS,
    GATES,
    INPUTS,
    KINDS,
    SUFFIXES,
    Operator,
    by_cell,
    by_evaluator,
    by_network,
    by_sequence,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import vjp
from autograd.tensor import value_of
from autograd.testing import check_grads

# Those before evaluate one direction only.
onnx = pytest.importorskip("onnx", minversion="1.23")


def of_node(node, arrays):
    """The operator of a node; an attribute unknown here is not passed over."""
    given = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    given = {k: v.decode() if isinstance(v, bytes) else v for k, v in given.items()}
    assert set(given) <= {"hidden_size", *DEFAULTS}, given
    places = [i for i, name in enumerate(node.input) if name]
    inputs = {INPUTS[i]: a for i, a in zip(places, arrays, strict=True)}
    inputs = {k: a.astype(float) if a.dtype.kind == "f" else a for k, a in inputs.items()}
    return Operator(node.op_type, DEFAULTS | given, inputs)


def represented(operator):
    """Whether our networks have the operator's formula."""
    if "P" in operator.inputs or "activations" in operator.attributes:
        return False
    if operator.kind != "GRU":
        return True
    after = operator.attributes | {"linear_before_reset": 1}
    both = by_cell(operator), by_cell(replace(operator, attributes=after))
    return all(np.allclose(a, b, rtol=0, atol=1e-12) for a, b in zip(*both, strict=True))


def floats(operator):
    return {k: a for k, a in operator.inputs.items() if a.dtype.kind == "f"}


def outputs(run, operator):
    """All outputs as one vector, a function of some of the inputs by name."""

    def fun(variables):
        found = run(replace(operator, inputs=operator.inputs | variables))
        return np.concatenate([np.reshape(part, -1) for part in found])

    return fun


def cell_by_sequence(operator):
    return by_sequence(by_cell, operator)


def published():
    """The cases by name: their nodes, inputs and outputs."""
    for module in ("rnn", "gru", "lstm"):
        import_module(f"onnx.backend.test.case.node.{module}")
    found = import_module("onnx.backend.test.case.node")._NodeTestCases
    for case in found:
        for node in case.model.graph.node:
            if node.op_type in KINDS:
                [(inputs, outputs)] = case.data_sets
                yield case.name, (of_node(node, inputs), list(node.output), outputs)


CASES = dict(published())
CELL_ALONE = {"test_gru_seq_length", "test_lstm_with_peepholes"}
NETWORK_TOO = {
    "test_simple_rnn_defaults",
    "test_simple_rnn_with_initial_bias",
    "test_rnn_seq_length",
    "test_simple_rnn_batchwise",
    "test_simple_rnn_reverse",
    "test_simple_rnn_bidirectional",
    "test_gru_defaults",
    "test_gru_with_initial_bias",
    "test_gru_batchwise",
    "test_gru_reverse",
    "test_gru_bidirectional",
    "test_lstm_defaults",
    "test_lstm_with_initial_bias",
    "test_lstm_batchwise",
    "test_lstm_reverse",
    "test_lstm_bidirectional",
}


def test_no_case_is_left_out():
    """Those of a later ONNX run too; these must be there, and run as listed here."""
    assert set(CASES) >= CELL_ALONE | NETWORK_TOO
    assert not any(represented(CASES[name][0]) for name in CELL_ALONE)
    assert all(represented(CASES[name][0]) for name in NETWORK_TOO)


@pytest.mark.parametrize("name", CASES)
def test_published_cases(name):
    operator, names, expected = CASES[name]
    runs = [cell_by_sequence, by_network] if represented(operator) else [cell_by_sequence]
    for run in runs:
        found = map(value_of, run(operator))
        asked = [part for part, n in zip(found, names, strict=False) if n]
        for part, d in zip(asked, expected, strict=True):
            assert part.shape == d.shape
            np.testing.assert_allclose(part, d, rtol=0, atol=2e-7)
    check_grads(outputs(cell_by_sequence, operator), (floats(operator),))


@st.composite
def operators(draw, ours):
    """Random ones: where `ours`, such as our networks represent."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    direction = draw(st.sampled_from(sorted(SUFFIXES)))
    T, B, D, H = draw(st.tuples(*[st.integers(1, n) for n in (5, 3, 3, 4)]))
    S, rows, layout = len(SUFFIXES[direction]), len(GATES[kind]) * H, draw(st.booleans())
    attributes = DEFAULTS | {"direction": direction, "layout": int(layout)}
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def batched(*shape):
        return rng.normal(size=shape).swapaxes(0, 1) if layout else rng.normal(size=shape)

    inputs = {
        "X": batched(T, B, D),
        "W": rng.normal(size=(S, rows, D)),
        "R": rng.normal(size=(S, rows, H)),
    }
    optional = {
        "B": lambda: rng.normal(size=(S, 2 * rows)),
        "sequence_lens": lambda: rng.integers(1, T + 1, B, dtype=np.int32),
        "initial_h": lambda: batched(S, B, H),
    }
    if kind == "LSTM":
        optional["initial_c"] = optional["initial_h"]
        if not ours:
            optional["P"] = lambda: rng.normal(size=(S, 3 * H))
    inputs |= {name: make() for name, make in optional.items() if draw(st.booleans())}
    if kind == "GRU":
        attributes["linear_before_reset"] = int(ours or draw(st.booleans()))
    if kind == "RNN" and not ours and draw(st.booleans()):
        # A node holds numbers of its own as float32.
        alpha, beta = rng.normal(size=2).astype(np.float32).tolist()
        attributes |= {
            "activations": ["Affine"] * S,
            "activation_alpha": [alpha] * S,
            "activation_beta": [beta] * S,
        }
    return Operator(kind, attributes, inputs)


def same(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(value_of(a), b, rtol=1e-11, atol=1e-13)


@given(operators(ours=True))
def test_networks_give_what_the_reference_evaluator_gives(operator):
    assert represented(operator)
    same(by_network(operator), by_sequence(by_evaluator, operator))


@given(operators(ours=False))
def test_unrolled_cells_give_what_the_reference_evaluator_gives(operator):
    same(cell_by_sequence(operator), by_sequence(by_evaluator, operator))


@settings(max_examples=15)
@given(operators(ours=False))
def test_derivatives_of_unrolled_cells(operator):
    check_grads(outputs(cell_by_sequence, operator), (floats(operator),), order=1)


@given(operators(ours=True))
def test_networks_and_unrolled_cells_have_the_same_gradients(operator):
    """By the inputs and first states; the cell has each sequence alone, cut short."""
    variables = {k: a for k, a in floats(operator).items() if k in ("X", *INPUTS[5:7])}
    found = []
    for run in (by_network, cell_by_sequence):
        y, pull = vjp(outputs(run, operator), variables)
        found.append(pull(np.sin(np.arange(len(y))))[0])
    same(*(gradients.values() for gradients in found))
