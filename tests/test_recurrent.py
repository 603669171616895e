"""RNN, GRU and LSTM: PyTorch's numbers, and what padding, layers and directions mean."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Tensor, compile, graph, no_grad
from autograd.testing import check_grads
from rnn import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell, load, save, unroll
from rnn.layers import dropout

CELLS = {RNN: RNNCell, GRU: GRUCell, LSTM: LSTMCell}


@st.composite
def configurations(draw, dropout=False):
    """(class, arguments, x, state, lengths or None) for one network and its input."""
    kind = draw(st.sampled_from(list(CELLS)))
    sizes = st.integers(1, 4)
    options = {
        "input_size": draw(sizes),
        "hidden_size": draw(sizes),
        "num_layers": draw(st.integers(1, 3)),
        "bias": draw(st.booleans()),
        "batch_first": draw(st.booleans()),
        "bidirectional": draw(st.booleans()),
    }
    if kind is RNN:
        options["nonlinearity"] = draw(st.sampled_from(["tanh", "relu"]))
    T, B = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.normal(size=(T, B, options["input_size"]))
    count = options["num_layers"] * (1 + options["bidirectional"])
    shape = (count, B, options["hidden_size"])
    state = None
    if draw(st.booleans()):
        state = rng.normal(size=shape)
        state = (state, rng.normal(size=shape)) if kind is LSTM else state
    lengths = rng.integers(1, T + 1, B) if draw(st.booleans()) else None
    if options["batch_first"]:
        x = np.swapaxes(x, 0, 1)
    return kind, options, x, state, lengths


def parts_of(state):
    return state if isinstance(state, tuple) else (state,)


def tracked(state):
    if state is None:
        return None
    tensors = tuple(Tensor(part, requires_grad=True) for part in parts_of(state))
    return tensors if isinstance(state, tuple) else tensors[0]


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-5)])
@settings(max_examples=40)
@given(case=configurations())
def test_outputs_and_gradients_are_pytorchs(dtype, tolerance, case):
    torch = pytest.importorskip("torch")
    kind, options, x, state, lengths = case
    network = kind(**options, rng=0, dtype=dtype)
    theirs = getattr(torch.nn, kind.__name__)(**options, dtype=getattr(torch, dtype))
    assert list(theirs.state_dict()) == list(network.state_dict())
    theirs.load_state_dict({k: torch.tensor(v) for k, v in network.state_dict().items()})
    back = kind(**options, rng=1, dtype=dtype)
    back.load_state_dict(theirs.state_dict())

    ours_x = Tensor(x.astype(dtype), requires_grad=True)
    ours_state = None
    if state is not None:
        ours_state = tracked(
            tuple(s.astype(dtype) for s in state)
            if isinstance(state, tuple)
            else state.astype(dtype)
        )
    y, last = back(ours_x, ours_state, lengths)
    torch_x = torch.tensor(x.astype(dtype), requires_grad=True)
    torch_state = None
    if state is not None:
        leaves = [torch.tensor(p.data, requires_grad=True) for p in parts_of(ours_state)]
        torch_state = tuple(leaves) if kind is LSTM else leaves[0]
    given_x = torch_x
    if lengths is not None:
        pack = torch.nn.utils.rnn.pack_padded_sequence
        given_x = pack(torch_x, lengths, options["batch_first"], enforce_sorted=False)
    torch_y, torch_last = theirs(given_x, torch_state)
    if lengths is not None:
        unpack = torch.nn.utils.rnn.pad_packed_sequence
        T = x.shape[1 if options["batch_first"] else 0]
        torch_y, _ = unpack(torch_y, options["batch_first"], total_length=T)

    def close(found, expected):
        expected = expected.detach().numpy()
        assert found.dtype == expected.dtype and found.shape == expected.shape
        scale = max(np.max(np.abs(expected), initial=0), 1)
        assert np.max(np.abs(found - expected), initial=0) <= tolerance * scale

    close(y.data, torch_y)
    for a, b in zip(parts_of(last), parts_of(torch_last), strict=True):
        close(a.data, b)
    (np.sum(y * y) + sum(np.sum(p * p * p) for p in parts_of(last))).backward()
    (torch_y**2).sum().add(sum((p**3).sum() for p in parts_of(torch_last))).backward()
    close(ours_x.grad, torch_x.grad)
    for name, p in theirs.named_parameters():
        close(back.parameters()[name].grad, p.grad)
    if state is not None:
        for a, b in zip(parts_of(ours_state), leaves, strict=True):
            close(a.grad, b.grad)


def loss_of(network, x, state, lengths):
    y, last = network(x, state, lengths)
    return np.sum(np.sin(y)) + sum(np.sum(p * p) for p in parts_of(last)), y, last


@given(configurations(), st.sampled_from([np.nan, 1e6, 0.0]))
def test_padding_changes_nothing(case, filling):
    """Neither outputs nor gradients see what stands beyond a sequence's length."""
    kind, options, x, state, _ = case
    first = options["batch_first"]
    x = np.swapaxes(x, 0, 1) if first else x
    T, B, _ = x.shape
    lengths = np.random.default_rng(T + B).integers(1, T + 1, B)
    padded = np.concatenate([x, np.full((2, B, x.shape[2]), filling)])
    for b, length in enumerate(lengths):
        padded[length:, b] = filling
    network = kind(**options, rng=0)

    def run(x, state, lengths):
        network.zero_grad()
        x = Tensor(np.swapaxes(x, 0, 1) if first else x, requires_grad=True)
        state = tracked(state)
        E, y, last = loss_of(network, x, state, lengths)
        E.backward()
        turn = (lambda a: np.swapaxes(a, 0, 1)) if first else (lambda a: a)
        grads = {name: p.grad for name, p in network.parameters().items()}
        before = [] if state is None else [p.grad for p in parts_of(state)]
        after = [p.data for p in parts_of(last)]
        return turn(y.data), after, turn(x.grad), before, grads

    y, last, dx, dstate, grads = run(padded, state, lengths)
    summed = dict.fromkeys(grads, 0.0)
    for b, length in enumerate(lengths):
        alone = None
        if state is not None:
            alone = tuple(part[:, b : b + 1] for part in parts_of(state))
            alone = alone if kind is LSTM else alone[0]
        one = run(x[:length, b : b + 1], alone, None)
        np.testing.assert_allclose(y[:length, b], one[0][:, 0], atol=1e-13)
        assert np.all(y[length:, b] == 0) and np.all(dx[length:, b] == 0)
        np.testing.assert_allclose(dx[:length, b], one[2][:, 0], atol=1e-12)
        for whole, single in zip((*last, *dstate), (*one[1], *one[3]), strict=True):
            np.testing.assert_allclose(whole[:, b], single[:, 0], atol=1e-12)
        summed = {name: summed[name] + g for name, g in one[4].items()}
    for name, g in grads.items():
        np.testing.assert_allclose(g, summed[name], atol=1e-10)


@given(configurations())
def test_one_sequence_needs_no_axis_of_samples(case):
    kind, options, x, _, _ = case
    network = kind(**options, rng=0)
    x = np.swapaxes(x, 0, 1) if options["batch_first"] else x
    batch = x[:, :1]
    y, last = network(np.swapaxes(batch, 0, 1) if options["batch_first"] else batch)
    y = np.swapaxes(y, 0, 1) if options["batch_first"] else y
    alone, end = network(x[:, 0])
    np.testing.assert_allclose(alone.data, y.data[:, 0], atol=1e-14)
    for a, b in zip(parts_of(end), parts_of(last), strict=True):
        np.testing.assert_allclose(a.data, b.data[:, 0], atol=1e-14)


@pytest.mark.parametrize("kind", CELLS)
def test_a_network_is_its_cell_unrolled(kind):
    network, cell = kind(3, 4, rng=0), CELLS[kind](3, 4, rng=1)
    state = {name.removesuffix("_l0"): v for name, v in network.state_dict().items()}
    cell.load_state_dict(state)
    x = np.random.default_rng(0).normal(size=(5, 2, 3))
    y, last = network(x)
    outputs, end = unroll(cell, x, cell.zero_state((2,)))
    np.testing.assert_allclose(y.data, np.stack(outputs).data, rtol=1e-13)
    for a, b in zip(parts_of(last), parts_of(end), strict=True):
        np.testing.assert_allclose(a.data[0], b.data, rtol=1e-13)
    np.testing.assert_allclose(parts_of(cell(x[0]))[0].data, y.data[0], rtol=1e-13)


@settings(max_examples=6)
@given(configurations())
def test_derivatives_are_those_of_the_values(case):
    kind, options, x, state, lengths = case
    if options.get("nonlinearity") == "relu":
        options["nonlinearity"] = "tanh"
    network = kind(**options, rng=0)
    check_grads(lambda x: loss_of(network, x, state, lengths)[0], (x,), order=2)


@pytest.mark.parametrize("kind", CELLS)
def test_dropout_is_between_layers_and_in_training(kind):
    x = np.random.default_rng(0).normal(size=(4, 3, 2))
    network, plain = (kind(2, 5, 2, dropout=p, rng=0) for p in (0.5, 0.0))
    a, b = network(x)[0].data, network(x)[0].data
    assert np.any(a != b)
    np.testing.assert_array_equal(network.eval()(x)[0].data, plain(x)[0].data)
    assert not network.training and network.train().training
    with pytest.warns(UserWarning, match="dropout=0.5 does nothing, .*num_layers=2"):
        single = kind(2, 5, dropout=0.5, rng=0)
    alone = kind(2, 5, rng=0)
    np.testing.assert_array_equal(single(x)[0].data, alone(x)[0].data)


@pytest.mark.parametrize("kind", CELLS)
def test_dropout_draws_all_masks_of_a_layer_at_once(kind):
    """As of the sequence (T, B, H) in one call; so a seed's numbers stay the same."""
    x = np.random.default_rng(1).normal(size=(4, 3, 2))
    network = kind(2, 5, 2, dropout=0.3, rng=(rng := np.random.default_rng(0)))
    first, second = (kind(n, 5, rng=0) for n in (2, 5))
    for layer, part in enumerate((first, second)):
        for name, p in part.parameters().items():
            p.data = network.parameters()[name.replace("l0", f"l{layer}")].data
    draws = np.random.default_rng(0)
    draws.bit_generator.state = rng.bit_generator.state
    expected = second(dropout(first(x)[0], 0.3, draws))[0].data
    np.testing.assert_array_equal(network(x)[0].data, expected)


@pytest.mark.parametrize("kind", CELLS)
def test_an_assigned_parameter_is_the_one_that_is_used(kind):
    x = np.random.default_rng(0).normal(size=(4, 3, 2))
    one, other = (kind(2, 5, 2, bidirectional=True, rng=seed) for seed in (0, 1))
    for name, p in other.parameters().items():
        setattr(one, name, p)
    np.testing.assert_array_equal(one(x)[0].data, other(x)[0].data)
    np.sum(one(x)[0]).backward()
    assert all(p.grad is not None for p in other.parameters().values())
    with pytest.raises(ValueError, match=r"weight_hh_l0 has shape \(2,\), expected \("):
        one.weight_hh_l0 = Tensor(np.ones(2))
    assert one.weight_hh_l0 is other.weight_hh_l0


@pytest.mark.parametrize("kind", [*CELLS, *CELLS.values()])
def test_networks_are_saved_with_their_architecture(kind, tmp_path):
    network = kind(2, 3, rng=0)
    save(network, tmp_path / "model.safetensors")
    again, _ = load(tmp_path / "model.safetensors")
    assert type(again) is kind and repr(again) == repr(network)
    for name, value in network.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[name], value)


def test_steps_carry_their_time_and_layer():
    x = np.ones((3, 1, 2))
    y, _ = GRU(2, 2, rng=0)(x)

    scopes = {node.scope for node in graph(np.sum(y)) if node.name == "h"}
    assert scopes == {"t=1", "t=2", "t=3"}
    y, _ = LSTM(2, 2, 2, bidirectional=True, rng=0)(x)
    scopes = {node.scope for node in graph(np.sum(y)) if node.name == "h"}
    assert "t=3/l1_reverse" in scopes and len(scopes) == 12


X = np.zeros((5, 3, 2))
BAD = [
    (lambda: RNN(2, 4)(np.zeros((5, 3, 4))), r"shape \(5, 3, 4\), expected \(T, B, D\)"),
    (lambda: RNN(2, 4)(np.zeros(5)), r"expected \(T, B, D\) or \(T, D\) with D = 2"),
    (lambda: GRU(2, 4, batch_first=True)(np.zeros((5, 3, 3))), r"expected \(B, T, D\)"),
    (lambda: RNN(2, 4)(np.zeros((5, 3, 2), int)), "x is int64, expected floating"),
    (lambda: RNN(2, 4)(np.zeros((0, 3, 2))), "no steps; expected T ≥ 1"),
    (
        lambda: RNN(2, 4)(np.full((5, 3, 2), np.nan)),
        "x has NaN, the first at",
    ),
    (
        lambda: RNN(2, 4)(X, np.zeros((2, 3, 4))),
        r"shape .* expected \(1, 3, 4\)",
    ),
    (lambda: GRU(2, 4, 2)(X, np.zeros((1, 3, 4))), "2 layers and directions, B = 3"),
    (
        lambda: GRU(2, 4)(X, np.zeros((1, 5, 4))),
        "axes of time and batch swapped",
    ),
    (lambda: LSTM(2, 4)(X, np.zeros((1, 3, 4))), r"expected the pair \(h, c\)"),
    (lambda: GRU(2, 4)(X, (np.zeros((1, 3, 4)),) * 2), "a tuple, expected one array h"),
    (lambda: GRU(2, 4)(X, lengths=[5, 0, 1]), "lengths from 0 to 5, expected 1 to T = 5"),
    (lambda: GRU(2, 4)(X, lengths=[6, 1, 1]), "lengths from 1 to 6, expected 1 to T = 5"),
    (lambda: GRU(2, 4)(X, lengths=[1, 2]), r"shape \(2,\), expected integers of shape"),
    (lambda: GRU(2, 4)(X, lengths=[3] * 5), r"is x really \(T, B, D\)\?"),
    (lambda: GRU(2, 4)(X, lengths=[1.0, 2, 3]), "lengths are float64"),
    (lambda: GRU(2, 0), "hidden_size=0, expected at least 1"),
    (lambda: GRU(2, 2.5), "hidden_size=2.5, expected at least 1"),
    (lambda: LSTM(2, 4, dropout=1.0), "dropout=1.0, expected"),
    (lambda: LSTM(2, 4, dtype=np.float16), "dtype=.*float16.*, expected float32 or"),
    (lambda: RNN(2, 4, nonlinearity="sine"), "nonlinearity='sine': expected one of"),
    (lambda: GRUCell(2, 4)(np.zeros((3, 4))), r"expected \(B, D\) with D = 2"),
    (lambda: GRUCell(2, 4)(np.zeros((3, 2)), np.zeros((2, 4))), r"expected \(3, 4\)"),
    (
        lambda: GRU(2, 1).load_state_dict({"weight_ih_l0": np.zeros((3, 3)), "W": 0}),
        "weight_hh_l0 is missing; .*W is unknown; weight_ih_l0 has shape",
    ),
]


@pytest.mark.parametrize(("call", "match"), BAD)
def test_bad_input_is_told_what_was_expected(call, match):
    with pytest.raises(ValueError, match=match), no_grad():
        call()


@settings(max_examples=20)
@given(configurations(), st.integers(1, 6))
def test_segments_run_again_change_nothing(case, segment):
    kind, options, x, state, lengths = case
    found = []
    for size in (None, segment):
        network = kind(**options, rng=0)
        t, s = Tensor(x, requires_grad=True), tracked(state)
        y, last = network(t, s, lengths, segment=size)
        E = np.sum(np.sin(y)) + sum(np.sum(p * p) for p in parts_of(last))
        E.backward()
        starts = [] if s is None else [p.grad for p in parts_of(s)]
        grads = [p.grad for p in network.parameters().values()]
        found.append([y.data, *(p.data for p in parts_of(last)), t.grad, *starts, *grads])
    for plain, again in zip(*found, strict=True):
        np.testing.assert_allclose(again, plain, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("options", [{}, {"segment": 2}, {"lengths": [6, 3]}])
def test_compiled_layers_and_directions_are_the_same_bits(kind, dtype, options):
    rng = np.random.default_rng(0)
    replayed, plain = (
        kind(3, 5, 2, bidirectional=True, rng=0, dtype=dtype) for _ in range(2)
    )

    def loss(network, x, d):
        network.zero_grad()
        y, last = network(x, **options)
        E = np.sum(np.square(y - d)) + sum(np.sum(np.sin(p)) for p in parts_of(last))
        E.backward()
        return E

    step = compile(lambda x, d: loss(replayed, x, d))
    for _ in range(2):
        x, d = (rng.normal(size=(6, 2, n)).astype(dtype) for n in (3, 10))
        assert np.array_equal(step(x, d).data, loss(plain, x, d).data)
        for name, p in plain.parameters().items():
            assert np.array_equal(replayed.parameters()[name].grad, p.grad), name


def test_a_segment_keeps_no_inside():
    network, x = GRU(2, 3, rng=0), np.ones((12, 1, 2))
    sizes = {}
    for segment in (None, 4):
        _, last = network(x, segment=segment)
        sizes[segment] = len(graph(np.sum(last)))
    assert sizes[4] < sizes[None] / 5
    with pytest.raises(ValueError, match="segment=0, expected at least 1, a whole"):
        network(x, segment=0)
