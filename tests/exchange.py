"""ONNX's recurrent operators, computed three ways: by cells, our networks, and ONNX."""

from dataclasses import dataclass, replace

import numpy as np

from rnn import GRU, LSTM, RNN, unroll

KINDS = {"RNN": RNN, "GRU": GRU, "LSTM": LSTM}
GATES = {"RNN": [0], "GRU": [1, 0, 2], "LSTM": [0, 2, 3, 1]}
"""Where in ONNX's order (zrh, iofc) the gates stand that are ours (rzn, ifgo)."""
SUFFIXES = {
    "forward": ["l0"], "reverse": ["l0_reverse"], "bidirectional": ["l0", "l0_reverse"]
}  # fmt: skip
INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
OUTPUTS = ("Y", "Y_h", "Y_c")
DEFAULTS = {"direction": "forward", "layout": 0, "linear_before_reset": 0}


@dataclass(frozen=True)
class Operator:
    """One node and its inputs.

    X (T, B, D), initial_h and initial_c (S, B, H) for S directions, or with B first where
    the layout is 1; W (S, G·H, D), R (S, G·H, H), B (S, 2·G·H), P (S, 3·H);
    sequence_lens (B,).
    """

    kind: str
    attributes: dict
    inputs: dict

    @property
    def layout(self):
        return self.attributes["layout"]

    def states(self):
        """The first states, (S, B, H) in either layout."""
        X, R = self.inputs["X"], self.inputs["R"]
        shape = (R.shape[0], X.shape[1 - self.layout], R.shape[-1])
        names = ("initial_h", "initial_c")[: 1 + (self.kind == "LSTM")]
        for name in names:
            state = self.inputs.get(name)
            if state is None:
                yield np.zeros(shape)
            else:
                yield np.swapaxes(state, 0, 1) if self.layout else state


def sigmoid(v):
    return (1 + np.tanh(v / 2)) / 2


def rnn_cell(W, R, b_W, b_R, P, attributes):
    def step(x, h):
        v = x @ W.T + b_W + h @ R.T + b_R
        if "activations" in attributes:
            h = attributes["activation_alpha"][0] * v + attributes["activation_beta"][0]
        else:
            h = np.tanh(v)
        return h, h

    return step


def gru_cell(W, R, b_W, b_R, P, attributes):
    (W_z, W_r, W_h), (R_z, R_r, R_h) = np.split(W, 3), np.split(R, 3)
    (b_Wz, b_Wr, b_Wh), (b_Rz, b_Rr, b_Rh) = np.split(b_W, 3), np.split(b_R, 3)

    def step(x, h):
        z = sigmoid(x @ W_z.T + b_Wz + h @ R_z.T + b_Rz)
        r = sigmoid(x @ W_r.T + b_Wr + h @ R_r.T + b_Rr)
        if attributes["linear_before_reset"]:
            n = np.tanh(x @ W_h.T + b_Wh + r * (h @ R_h.T + b_Rh))
        else:
            n = np.tanh(x @ W_h.T + b_Wh + (r * h) @ R_h.T + b_Rh)
        h = (1 - z) * n + z * h
        return h, h

    return step


def lstm_cell(W, R, b_W, b_R, P, attributes):
    p_i, p_o, p_f = np.split(P, 3)

    def step(x, state):
        h, c = state
        i, o, f, g = np.split(x @ W.T + b_W + h @ R.T + b_R, 4, axis=-1)
        i, f = sigmoid(i + p_i * c), sigmoid(f + p_f * c)
        c = f * c + i * np.tanh(g)
        h = sigmoid(o + p_o * c) * np.tanh(c)
        return h, (h, c)

    return step


CELLS = {"RNN": rnn_cell, "GRU": gru_cell, "LSTM": lstm_cell}


def by_cell(operator):
    """Its outputs: the cell unrolled in each direction."""
    X, W, R = (operator.inputs[name] for name in "XWR")
    S, rows, H = R.shape
    B = operator.inputs.get("B", np.zeros((S, 2 * rows)))
    P = operator.inputs.get("P", np.zeros((S, 3 * H)))
    X = np.swapaxes(X, 0, 1) if operator.layout else X
    starts = list(operator.states())
    outputs, last = [], []
    for s, suffix in enumerate(SUFFIXES[operator.attributes["direction"]]):
        cell = CELLS[operator.kind](
            W[s], R[s], B[s, :rows], B[s, rows:], P[s], operator.attributes
        )
        start = tuple(state[s] for state in starts)
        pace = -1 if suffix.endswith("_reverse") else 1
        hs, state = unroll(cell, X[::pace], start if len(start) > 1 else start[0])
        outputs.append(np.stack(hs[::pace]))
        last.append(state if len(start) > 1 else (state,))
    Y, states = np.stack(outputs, 1), [np.stack(part) for part in zip(*last, strict=True)]
    if operator.layout:
        Y = np.transpose(Y, (2, 0, 1, 3))
        states = [np.swapaxes(part, 0, 1) for part in states]
    return Y, *states


def by_network(operator):
    """Its outputs: our network with its weights.

    Where the operator has the reverse direction alone, the network has both, and its
    forward direction whatever weights it was made with.
    """
    X, W, R = (operator.inputs[name] for name in "XWR")
    S, rows, H = R.shape
    direction, gates = operator.attributes["direction"], GATES[operator.kind]
    network = KINDS[operator.kind](
        W.shape[-1],
        H,
        bias="B" in operator.inputs,
        batch_first=bool(operator.layout),
        bidirectional=direction != "forward",
        rng=0,
    )

    def ours(onnxs):
        return np.concatenate([np.split(onnxs, len(gates))[gate] for gate in gates])

    state = network.state_dict()
    for s, suffix in enumerate(SUFFIXES[direction]):
        state[f"weight_ih_{suffix}"] = ours(W[s])
        state[f"weight_hh_{suffix}"] = ours(R[s])
        if "B" in operator.inputs:
            state[f"bias_ih_{suffix}"] = ours(operator.inputs["B"][s, :rows])
            state[f"bias_hh_{suffix}"] = ours(operator.inputs["B"][s, rows:])
    network.load_state_dict(state)
    starts = tuple(operator.states())
    if direction == "reverse":
        starts = tuple(np.concatenate([0 * part, part]) for part in starts)
    start = starts if len(starts) > 1 else starts[0]
    output, last = network(X, start, operator.inputs.get("sequence_lens"))
    Y = np.reshape(output, (*output.shape[:2], -1, H))[:, :, -S:]
    states = [part[-S:] for part in (last if isinstance(last, tuple) else (last,))]
    if operator.layout:
        return Y, *(np.swapaxes(part, 0, 1) for part in states)
    return np.swapaxes(Y, 1, 2), *states


def by_evaluator(operator):
    """Its outputs as ONNX's reference evaluator has them; it ignores the lengths."""
    import onnx
    import onnx.reference
    from onnx import helper

    names = [name if name in operator.inputs else "" for name in INPUTS]
    while not names[-1]:
        names.pop()
    outputs = OUTPUTS[: 3 if operator.kind == "LSTM" else 2]
    attributes = dict(operator.attributes, hidden_size=operator.inputs["R"].shape[-1])
    if operator.kind != "GRU":
        del attributes["linear_before_reset"]
    node = helper.make_node(operator.kind, names, outputs, **attributes)

    def described(name, shape):
        double = helper.TensorProto.DOUBLE
        return helper.make_tensor_value_info(name, double, shape)

    given = [described(name, a.shape) for name, a in operator.inputs.items()]
    asked = [described(name, [None] * (3 + (name == "Y"))) for name in outputs]
    graph = helper.make_graph([node], operator.kind, given, asked)
    model = helper.make_model(graph)
    onnx.checker.check_model(model)
    return onnx.reference.ReferenceEvaluator(model).run(None, operator.inputs)


def by_sequence(run, operator):
    """The outputs with each sequence run alone, cut to its length: what lengths mean."""
    inputs = dict(operator.inputs)
    lengths = inputs.pop("sequence_lens", None)
    if lengths is None:
        return run(operator)
    time, batch = (1, 0) if operator.layout else (0, 1)
    T, columns = inputs["X"].shape[time], []
    for b, length in enumerate(lengths):
        one = {
            name: np.take(a, [b], axis=batch) if name in ("X", *INPUTS[5:7]) else a
            for name, a in inputs.items()
        }
        one["X"] = np.take(one["X"], np.arange(length), axis=time)
        Y, *states = run(replace(operator, inputs=one))
        rest = np.zeros([T - length if i == time else n for i, n in enumerate(Y.shape)])
        columns.append((np.concatenate([Y, rest], axis=time), *states))
    Ys, *states = zip(*columns, strict=True)
    joined = (np.concatenate(part, axis=batch) for part in states)
    return np.concatenate(Ys, axis=0 if operator.layout else 2), *joined
