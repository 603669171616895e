"""A call that is replayed is the call: its values, its gradients, and its whole graph."""

import copy
import gc
import pickle
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import cases
from test_compile import networks, programs, ran, same, setting, sized
from test_operations import TABLE, bound, draw_like

from autograd import (
    Tensor,
    checkpoint,
    compile,
    contributions,
    detect_anomaly,
    grad,
    graph,
    hvp,
    no_grad,
    scope,
)  # fmt: skip
from autograd.programs import replaying
from autograd.programs.replaying import Replayed
from autograd.tensor import value_of
from autograd.trees import leaves
from rnn import GRU, LSTM, RNN, ElmanNetwork, LSTMCell
from rnn.optim import SGD

KINDS = (RNN, GRU, LSTM)
FEW = settings(max_examples=max(5, settings.default.max_examples // 10))


def eager(calls):
    """So many calls of a kind are recorded operation by operation, and no more."""
    return setting(replaying, PRICE=calls)


def in_parts_of(steps):
    return setting(sys.modules["rnn.unroll"], PART=steps)


@pytest.fixture
def at_once():
    with eager(0):
        yield


def is_replayed(x):
    return x._primitive is not None and x._primitive.replays


def drawn(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape)


def network(kind=LSTM, **options):
    return kind(2, 3, rng=0, **options)


def results(found):
    y, last = found
    return [y, *(last if isinstance(last, tuple) else (last,))]


LOSSES = {
    "outputs": lambda y, *last: np.mean(np.square(y)),
    "last state": lambda y, *last: np.sum(np.sin(last[0])),
    "all": lambda y, *last: np.sum(y * y) + sum(np.sum(np.cos(part)) for part in last),
    "a part of one": lambda y, *last: np.sum(last[-1][:, 0]) * 3.0,
}


@settings(max_examples=max(20, settings.default.max_examples // 2))
@given(networks(), st.sampled_from(sorted(LOSSES)), st.data())
def test_networks_are_replayed_to_the_last_bit(case, name, data):
    net, inputs, (lengths, _) = case
    of_x, of_state, large = (data.draw(st.booleans()) for _ in range(3))
    count, H = len(net._cells), net.config["hidden_size"]
    states = drawn(2, count, inputs[0].shape[1], H).astype(inputs[0].dtype)

    def run(net, x):
        x = Tensor(x, requires_grad=of_x)
        state = [Tensor(part, requires_grad=of_state) for part in states]
        net.zero_grad()
        given = tuple(state) if isinstance(net, LSTM) else state[0]
        found = results(net(x, given, lengths))
        LOSSES[name](*found).backward()
        leaves = [x, *state, *net.parameters().values()]
        return found, [leaf.grad for leaf in leaves if leaf.grad is not None]

    plain = copy.deepcopy(net)
    for x in (*inputs, inputs[0]):
        with eager(100):
            values, gradients = run(plain, x)
        with eager(0), sized(large):
            found, swept = run(net, x)
        assert all(map(is_replayed, found)) and not any(map(is_replayed, values))
        same(found, values)
        same(swept, gradients)


@settings(max_examples=max(10, settings.default.max_examples // 3))
@given(networks(), st.sampled_from(sorted(LOSSES)), st.booleans())
def test_the_graph_is_there_for_whoever_looks(case, name, long):
    net, (x, *_), (lengths, _) = case
    with in_parts_of(2 if long else 100), scope("net"):
        with eager(100):
            expected = LOSSES[name](*results(net(x, None, lengths)))
        with eager(0):
            E = LOSSES[name](*results(net(x, None, lengths)))
    pair = [graph(root, contributions=True) for root in (expected, E)]
    assert len(pair[0]) == len(pair[1])
    for a, b in zip(*pair, strict=True):
        assert (a.op, a.name, a.arguments) == (b.op, b.name, b.arguments)
        assert a.scope == b.scope and (a.shape, a.dtype) == (b.shape, b.dtype)
        same([a.value, a.grad, a.contributions], [b.value, b.grad, b.contributions])
    assert any(node.scope.startswith("net/t=1") for node in pair[1])
    for p in net.parameters().values():
        a, b = (contributions(root, p) for root in (expected, E))
        assert [term[:2] for term in a] == [term[:2] for term in b] != []
        same([term.gradient for term in a], [term.gradient for term in b])
    E.backward()
    gradients = [p.grad for p in net.parameters().values()]
    net.zero_grad()
    expected.backward()
    same(gradients, [p.grad for p in net.parameters().values()])


@settings(max_examples=max(10, settings.default.max_examples // 3))
@given(cases(), st.booleans())
def test_the_lectures_network_is_replayed_too(case, long):
    network, x, d, a0, loss, _ = case

    def run():
        t = Tensor(x, requires_grad=True)
        network.zero_grad()
        y, a = network(t, a0, states=True)
        E = loss(y, d) + np.sum(np.sin(a))
        E.backward()
        return E, [y, a, t.grad, *(p.grad for p in network.parameters().values())]

    with in_parts_of(2 if long else 100):
        with eager(100):
            expected, numbers = run()
        for _ in range(2):
            with eager(0):
                E, found = run()
            assert is_replayed(found[0]) or long
            (near if long else same)(found, numbers)
        one, other = (graph(root, contributions=True) for root in (expected, E))
        assert [n[:] for n in map(labels, one)] == [n[:] for n in map(labels, other)]
        near([n.grad for n in one], [n.grad for n in other])


def labels(node):
    return node.op, node.name, node.scope, node.arguments, node.shape


def test_indices_of_one_hot_inputs_are_replayed(at_once):
    network = ElmanNetwork(5, 3, 5, output_activation="softmax", rng=0)
    for seed in range(3):
        x = np.random.default_rng(seed).integers(0, 5, (4, 2))
        y = network(x)
        assert is_replayed(y)
        with eager(100):
            same(y, network(x))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
@FEW
@given(data=st.data())
def test_every_operation_is_replayed_or_run(row, data):
    args, kwargs = data.draw(row.inputs)
    f = bound(row, kwargs)
    (g,) = draw_like(data, [f(*args)])

    def run(call):
        xs = [Tensor(x, requires_grad=True) for x in args]
        y = call(*xs)
        np.sum(y * g).backward()
        return y, [x.grad for x in xs]

    calls, expected = Replayed(), run(f)
    with eager(0):
        for found in (run(lambda *xs: calls(f, *xs)), run(lambda *xs: calls(f, *xs))):
            near(found, expected)


def near(found, expected):
    """Equal but for the order of sums: NumPy takes them as their terms lie in memory."""
    for a, b in zip(leaves(found), leaves(expected), strict=True):
        a, b = value_of(a), value_of(b)
        assert np.shape(a) == np.shape(b) and np.result_type(a) == np.result_type(b)
        eps, scale = np.finfo(b.dtype).eps, np.max(np.abs(b), initial=0)
        np.testing.assert_allclose(a, b, rtol=1e3 * eps, atol=1e3 * eps * scale)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@settings(max_examples=2 * settings.default.max_examples)
@given(programs(), st.data())
def test_random_programs_are_replayed_or_run(program, data):
    """Values of all steps, and gradients by all inputs from some of these values."""
    inputs, steps = program
    last = len(steps)
    swept = data.draw(
        st.lists(st.integers(0, last), unique=True).map(lambda x: [*x, last])
    )
    large, calls = data.draw(st.booleans()), Replayed()

    def fun(*xs):
        return ran(xs, [*steps, ("np.tanh({})", [0])])[len(xs) :]

    def run(call, factor):
        xs = [Tensor(x * x.dtype.type(factor), requires_grad=True) for x in inputs]
        with np.errstate(all="ignore"):
            ys = call(*xs)
            sum(np.sum(ys[i] * ys[i]) for i in swept).backward()
        return ys, [x.grad for x in xs if x.grad is not None]

    with eager(0), sized(large):
        for factor in (1.0, 0.75, -1.25):
            same(run(lambda *xs: calls(fun, *xs), factor), run(fun, factor))


@pytest.mark.parametrize("kind", KINDS)
def test_several_calls_at_once_and_several_sweeps(kind, at_once):
    """The memory is one call's at a time; whoever lost it has its values made again."""
    net, inputs = network(kind), drawn(3, 4, 2, 2)
    with eager(100):
        plain = [net(x)[0] for x in inputs]
    found = [net(x)[0] for x in inputs]
    same(found, plain)
    for order in ((0, 1, 2), (2, 0, 1), (1, 1, 0)):
        for i in order:
            net.zero_grad()
            plain[i].backward(np.sin(inputs[i, ..., [0, 1, 1]].transpose(1, 2, 0)))
            expected = [p.grad for p in net.parameters().values()]
            net.zero_grad()
            found[i].backward(np.sin(inputs[i, ..., [0, 1, 1]].transpose(1, 2, 0)))
            same([p.grad for p in net.parameters().values()], expected)
    before = [p.grad for p in net.parameters().values()]
    found[i].backward(np.sin(inputs[i, ..., [0, 1, 1]].transpose(1, 2, 0)))
    for p, once in zip(net.parameters().values(), before, strict=True):
        np.testing.assert_array_equal(p.grad, once + once)


def test_a_weight_of_several_calls_has_the_sum_of_their_gradients(at_once):
    net, x = network(), drawn(4, 2, 2)

    def loss():
        y, state = net(x)
        z, _ = net(2 * x, state)
        return np.sum(y * z)

    E = loss()
    E.backward()
    found = [p.grad for p in net.parameters().values()]
    net.zero_grad()
    with eager(100):
        loss().backward()
    for a, b in zip(found, net.parameters().values(), strict=True):
        np.testing.assert_allclose(a, b.grad, rtol=1e-12)


def test_which_results_are_swept_may_change_from_call_to_call(at_once):
    net, x = network(), drawn(5, 2, 2)
    names = ["outputs", "all", "last state", "outputs", "a part of one", "last state"]
    for name in names:
        net.zero_grad()
        LOSSES[name](*results(net(x))).backward()
        found = [p.grad for p in net.parameters().values()]
        net.zero_grad()
        with eager(100):
            LOSSES[name](*results(net(x))).backward()
        same(found, [p.grad for p in net.parameters().values()])
    assert len(net._replayed._programs) == len(set(names))


def test_calls_with_and_without_a_gradient_take_turns(at_once):
    net, x = network(), drawn(4, 2, 2)
    with eager(100):
        np.sum(net(x)[0]).backward()
        expected = [p.grad for p in net.parameters().values()]
    for _ in range(2):
        with no_grad():
            assert not net(x)[0].requires_grad
        for y in (net(x)[0], net(Tensor(x, requires_grad=True))[0]):
            net.zero_grad()
            np.sum(y).backward()
            same([p.grad for p in net.parameters().values()], expected)


def test_long_sequences_are_replayed_in_parts(at_once, monkeypatch):
    """And so are the segments that are asked for; each is recorded once."""
    net, x, lengths = network(GRU, num_layers=2), drawn(11, 3, 2), [11, 4, 7]

    def run(**options):
        t = Tensor(x, requires_grad=True)
        net.zero_grad()
        with scope("net"):
            y, last = net(t, lengths=lengths, **options)
            E = np.sum(np.sin(y)) + np.sum(last * last)
        E.backward()
        grads = [p.grad for p in net.parameters().values()]
        return E, [y.data, last.data, t.grad, *grads]

    with eager(100):
        whole, expected = run()
    monkeypatch.setattr(sys.modules["rnn.unroll"], "PART", 4)
    for options in ({}, {"segment": 3}):
        for calls in (100, 0, 0):
            with eager(calls):
                E, found = run(**options)
            near(found, expected)
        recorded = graph(E)
        if options:
            scopes = [n.scope for n in recorded if n.op == "checkpoint run"]
            titles = ("t=1…3", "t=4…6", "t=7…9", "t=10…11")
            assert scopes == [f"net/{t}/l{layer}" for t in titles for layer in (0, 1)]
        else:
            steps = {n.scope.split("/")[1] for n in recorded if "t=" in n.scope}
            assert steps == {f"t={t}" for t in range(1, 12)}
            terms = [contributions(E, net.weight_hh_l1) for E in (whole, E)]
            assert [t.scope for t in terms[0]] == [t.scope for t in terms[1]]
            near([t.gradient for t in terms[1]], [t.gradient for t in terms[0]])
    # The first of 4 and of 3 steps, and those after others, of 4, 3 and 2.
    assert len(net._replayed._programs) == 5


def test_programs_are_kept_for_the_latest_kinds_of_calls(at_once):
    net = network()
    for T in range(1, 3 + replaying.KEPT):
        assert net(drawn(T, 2, 2))[0].shape == (T, 2, 3)
    found = net._replayed._programs
    assert len(found) == replaying.KEPT
    kept = list(found.values())
    net(drawn(3, 2, 2)), net(drawn(1, 2, 2))
    assert kept[0] in found.values() and kept[1] not in found.values()


def test_only_so_many_kinds_are_known(monkeypatch):
    monkeypatch.setattr(replaying, "KINDS", 3)
    net = network()
    for T in (1, 2, 3, 4, 2, 5):
        net(drawn(T, 1, 2))
    known = [key[1][1][0][0] for key in net._replayed._calls]
    assert known == [4, 2, 5] and [*net._replayed._calls.values()] == [1, 2, 1]


def test_programs_are_kept_for_as_long_as_there_is_room(at_once):
    net, x = network(), drawn(20, 2, 2)
    net(x)
    ((key, program),) = net._replayed._programs.items()
    states = 4 * x.shape[0] * 2 * 3 * x.itemsize  # gates alone
    assert program.nbytes > states
    with setting(replaying, ROOM=2 * program.nbytes):
        net(x[1:])
        assert len(net._replayed._programs) == 2
        net(x[2:])
        assert len(net._replayed._programs) == 2
        assert key not in net._replayed._programs
    with setting(replaying, ROOM=1):
        net(x)
        assert list(net._replayed._programs) == [key]


def test_a_kind_of_call_is_run_as_it_is_at_first():
    net, n = network(), replaying.PRICE
    kinds = [is_replayed(net(drawn(4, 2, 2))[0]) for _ in range(n + 2)]
    assert kinds == [False] * n + [True, True]
    assert not is_replayed(net(drawn(4, 3, 2))[0])
    x = Tensor(drawn(4, 2, 2), requires_grad=True)
    assert not is_replayed(net(x)[0])
    with eager(n), no_grad():
        y = [net(drawn(4, 2, 2))[0] for _ in range(n + 2)]
    assert len(net._replayed._programs) == 2
    same(y, [net(drawn(4, 2, 2))[0]] * len(y))
    assert not any(value.requires_grad for value in y) and len(y[-1].shape) == 3


def programs_made(net, monkeypatch, lengths):
    """After how many calls, on sequences of these lengths, each program was made."""
    made, calls, init = [], [], replaying.RoundTrip.__init__

    def counted(self, *args):
        made.append(len(calls))
        init(self, *args)

    monkeypatch.setattr(replaying.RoundTrip, "__init__", counted)
    with no_grad():
        for T in lengths:
            calls.append(net(drawn(T, 1, 2)))
    return made


def test_where_there_is_no_end_of_lengths_there_is_one_of_programs(monkeypatch):
    rng, n = np.random.default_rng(0), replaying.PRICE
    made = programs_made(network(RNN), monkeypatch, rng.integers(1, 40, 80 * n))
    between = np.diff(made)
    assert len(made) > replaying.KEPT + 2
    assert min(between) >= n
    # Each that made room for another was hardly used.
    wasted = between[replaying.KEPT :]
    np.testing.assert_array_less(n << np.arange(1, len(wasted) + 1), wasted + 1)


def test_a_few_lengths_have_a_program_each(monkeypatch):
    n = replaying.PRICE
    made = programs_made(network(RNN), monkeypatch, [3, 4, 3, 5] * 2 * n)
    assert made == [2 * n, 4 * n + 1, 5 * n + 3]


def test_programs_that_were_used_make_room_at_once(monkeypatch):
    """As the sequences get longer: one length after the other, each many times."""
    n, kinds = replaying.PRICE, 2 * replaying.KEPT
    lengths = np.repeat(np.arange(1, kinds + 1), 2 * n)
    made = programs_made(network(RNN), monkeypatch, lengths)
    assert len(made) == kinds
    assert max(np.diff(made)) <= 2 * n


CHANGES = {
    "a weight is set": lambda net, h, x: setattr(net.weight_hh_l0, "data", drawn(12, 3)),
    "a weight is changed": lambda net, h, x: net.weight_hh_l0.data.fill(1.0),
    "an optimiser steps": lambda net, h, x: SGD({"W": net.weight_ih_l0}, lr=0.1).step(),
    "a state is changed": lambda net, h, x: h.fill(1.0),
    "the inputs are changed": lambda net, h, x: x.data.fill(1.0),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("look", ["sweep", "graph", "sweep again"])
def test_what_changed_since_is_an_error(change, look, at_once):
    net, h, x = network(), drawn(1, 2, 3), Tensor(drawn(4, 2, 2))
    net.weight_ih_l0.grad = drawn(12, 2)
    E = np.sum(net(x, (h, h))[0])
    if look == "sweep again":
        E.backward()
    CHANGES[change](net, h, x)
    with pytest.raises(
        ValueError, match=r"argument of a call that is replayed, was changed"
    ):
        graph(E) if look == "graph" else E.backward()


class Sparse(ElmanNetwork):
    """Keeps its states, for a penalty on them, as one writes it."""

    def __call__(self, x, *args, **options):
        self.seen = ()
        return super().__call__(x, *args, **options)

    def instant(self, x, a):
        found, a = super().instant(x, a)
        self.seen = (*self.seen, a)
        return found, a


class Zoneout(LSTMCell):
    """Draws random numbers at every step, and counts them."""

    noise, draws = np.random.default_rng(0), 0

    def advance(self, of_x, state, recur):
        self.draws += 1
        after = super().advance(of_x, state, recur)
        kept = self.noise.random(after[0].shape) < 0.5
        return tuple(np.where(kept, a, b) for a, b in zip(after, state, strict=True))


class ZoneoutLSTM(LSTM):
    cell = Zoneout


def test_what_others_do_beside_computing_is_done_each_time(at_once):
    net, x = Sparse(2, 3, 1, rng=0), drawn(4, 2, 2)
    for _ in range(3):
        E = np.sum(net(x)) + sum(np.sum(np.square(a)) for a in net.seen)
        assert len(net.seen) == 4 and isinstance(E.item(), float)
    net = ZoneoutLSTM(2, 3, rng=0)
    assert len({np.sum(net(x)[0]).item() for _ in range(5)}) == 5
    assert net.only_cell().draws == 5 * len(x)


def test_what_requires_a_gradient_by_now_has_one(at_once):
    net, x = network(), drawn(4, 2, 2)
    np.sum(net(x)[0]).backward()
    expected = net.weight_hh_l0.grad
    for _ in range(3):
        net.zero_grad()
        net.weight_hh_l0.requires_grad = False
        y, _ = net(x)
        net.weight_hh_l0.requires_grad = True
        np.sum(y).backward()
        same(net.weight_hh_l0.grad, expected)


@pytest.mark.parametrize("inside", [0, 1], ids=["forward", "sweep"])
def test_a_call_in_the_middle_of_one(inside, at_once):
    """As from a signal's handler: whoever comes in between has numbers of its own."""
    net, inputs = network(), drawn(2, 4, 2, 2)

    def passed(x):
        net.zero_grad()
        y, _ = net(x)
        np.sum(y * y).backward()
        return [y.data, *(p.grad for p in net.parameters().values())]

    expected = [passed(x) for x in inputs]
    between, (program,) = [], net._replayed._programs.values()
    earlier, _ = net(inputs[1])
    part = program._plan.parts[inside]

    def handler():
        if not between:
            between.append(None)
            grads = [p.grad for p in net.parameters().values()]
            between.append(passed(inputs[1]))
            net.zero_grad()
            np.sum(earlier * earlier).backward()
            between.append([p.grad for p in net.parameters().values()])
            for p, g in zip(net.parameters().values(), grads, strict=True):
                p.grad = g

    part.insert(len(part) // 2, handler)
    same(passed(inputs[0]), expected[0])
    same(between[1:], [expected[1], expected[1][1:]])


@pytest.mark.parametrize("x", [drawn(4, 2, 2), np.ones((4, 2), int)], ids=["x", "index"])
def test_an_input_may_be_used_again_before_the_sweep(x, at_once):
    net = ElmanNetwork(2, 3, 1, rng=0)
    np.sum(net(x)).backward()
    expected = net.W_x.grad
    for _ in range(2):
        net.zero_grad()
        buffer = x.copy()
        E = np.sum(net(buffer))
        buffer[:] = 0
        E.backward()
        same(net.W_x.grad, expected)


@pytest.mark.parametrize("b", [0.0, [0.5], np.float64(0.5)], ids=repr)
def test_numbers_and_lists_as_weights(b, at_once):
    net, x = ElmanNetwork(2, 3, 1, rng=0), drawn(4, 2, 2)
    net.b_y = Tensor(np.array([0.0 if b == 0.0 else 0.5]))
    expected = net(x)
    net.b_y = b
    same(net(x), expected)


def test_overflow_is_reported_as_it_is_recorded(at_once):
    """Of the forward pass and of a sweep that somebody asks for, and of no other."""
    net, x = network(RNN, nonlinearity="relu"), np.ones((40, 2, 2))
    net.weight_hh_l0.data[:] = 1e9 * np.eye(3)
    net.weight_ih_l0.data[:] = 1.0
    with np.errstate(all="raise", under="ignore"):
        for calls in (100, 0, 0):
            with eager(calls), pytest.raises(FloatingPointError, match="overflow"):
                net(x)
        net.weight_ih_l0.data[:] = 0.0
        net.bias_ih_l0.data[:], net.bias_hh_l0.data[:] = 1e-300, 0.0
        for calls in (100, 0, 0):
            with eager(calls):
                E = np.sum(net(x)[0])
                with pytest.raises(FloatingPointError, match="overflow"):
                    E.backward()


def test_arguments_with_gaps_between_their_elements(at_once):
    calls = Replayed()

    def f(s, w):
        return np.stack([np.tanh(s[0] * w[0]), np.tanh(s[1] * w[1])])

    views = (lambda t: t[::2], lambda t: t[:, ::2], lambda t: t[::-1], np.transpose)
    for view in views:
        for _ in range(3):
            s, w = (Tensor(drawn(8, 8), requires_grad=True) for _ in "sw")
            y = calls(f, view(s), view(w))
            np.sum(y * y).backward()
            u, v = (Tensor(x.data, requires_grad=True) for x in (s, w))
            z = f(view(u), view(v))
            np.sum(z * z).backward()
            same([y, s.grad, w.grad], [z, u.grad, v.grad])


def test_derivatives_of_higher_order(at_once):
    net, x, v = network(GRU), drawn(3, 2, 2), drawn(2, 3, 2)[..., :2].swapaxes(0, 1)

    def E(x):
        return np.sum(np.square(net(x)[0]))

    found = [grad(E)(x), hvp(E)(x, v), grad(lambda x: np.sum(grad(E)(x) ** 2))(x)]
    with eager(100):
        same(
            found, [grad(E)(x), hvp(E)(x, v), grad(lambda x: np.sum(grad(E)(x) ** 2))(x)]
        )


def test_grad_of_a_function_goes_through_the_program(at_once, monkeypatch):
    """Where nothing else is live: what is to be differentiated again is written out."""
    net, x = network(), drawn(3, 2, 2)
    for p in net.parameters().values():
        p.requires_grad = False
    E = grad(lambda x: np.sum(np.square(net(x)[0])))
    with eager(100):
        expected = E(x)
    same(E(x), expected)
    monkeypatch.setattr(LSTM, "_layers", lambda *_: pytest.fail("it was run"))
    same(E(x), expected)


def test_anomalies_are_found_in_the_operation(at_once):
    net, x = network(), drawn(4, 2, 2)
    y, _ = net(x)
    E = np.sum(np.sqrt(np.square(y - y.data[0, 0, 0])))
    with (
        detect_anomaly(),
        np.errstate(all="ignore"),
        pytest.raises(FloatingPointError, match="from sqrt"),
    ):
        E.backward()
    net.weight_ih_l0.data[0, 0] = np.inf
    with (
        detect_anomaly(),
        np.errstate(all="ignore"),
        pytest.raises(FloatingPointError, match="in t=1"),
    ):
        net(np.zeros((4, 2, 2)))


def test_weights_may_be_other_tensors_or_computed(at_once):
    net, x = network(), drawn(4, 2, 2)
    A = Tensor(drawn(12, 3), requires_grad=True)
    first, _ = net(x)
    for weight in (A, np.tanh(A), A.data.copy()):
        net.weight_hh_l0 = weight
        E = np.sum(net(x)[0])
        with eager(100):
            same(E, np.sum(net(x)[0]))
        if isinstance(weight, Tensor):
            A.zero_grad()
            E.backward()
            found = A.grad
            A.zero_grad()
            with eager(100):
                np.sum(net(x)[0]).backward()
            same(found, A.grad)
    # The graph of a call has the weights of that call.
    assert len(contributions(np.sum(first), network().weight_hh_l0)) == 0
    assert {n.name for n in graph(first) if n.op == "leaf"} >= {"weight_hh_l0"}


def test_copies_and_files_leave_the_programs_behind(at_once):
    net, x = network(), drawn(4, 2, 2)
    y, _ = net(x)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net)), copy.copy(net)):
        same(other(x)[0], y)
        assert other is not net and is_replayed(other(x)[0])
    twin = copy.deepcopy(net)
    twin.weight_hh_l0.data[:] = 0
    assert not np.array_equal(twin(x)[0].data, y.data)
    same(net(x)[0], y)


def test_threads_take_turns(at_once):
    net, inputs = network(), drawn(8, 5, 2, 2)
    with eager(100):
        expected = [grad(lambda x: np.sum(np.square(net(x)[0])))(x) for x in inputs]
    found = [[] for _ in inputs]

    def work(i):
        for _ in range(20):
            found[i].append(grad(lambda x: np.sum(np.square(net(x)[0])))(inputs[i]))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(inputs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for gradients, once in zip(found, expected, strict=True):
        assert len(gradients) == 20
        same(gradients, [once] * 20)


def test_an_interrupted_call_holds_nothing(at_once, monkeypatch):
    """What half a run has left in memory is nobody's values."""
    net, x = network(), drawn(4, 2, 2)
    E = np.sum(np.square(net(x)[0]))
    (program,) = net._replayed._programs.values()
    calls = program._plan.parts[0]
    half = len(calls) // 2

    def interrupt():
        raise KeyboardInterrupt

    calls.insert(half, interrupt)
    with pytest.raises(KeyboardInterrupt):
        net(2 * x)
    del calls[half]
    E.backward()
    found = [p.grad for p in net.parameters().values()]
    net.zero_grad()
    with eager(100):
        np.sum(np.square(net(x)[0])).backward()
    same(found, [p.grad for p in net.parameters().values()])


def test_nothing_waits_for_the_garbage_collector(at_once):
    net, x = network(), drawn(4, 2, 2)

    def run():
        y, _ = net(x)
        np.sum(y).backward()
        graph(np.sum(y))

    run()
    gc.collect()
    gc.disable()
    try:
        run()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_within_checkpoints_and_compiled_functions(at_once):
    net, x = network(), drawn(4, 2, 2)

    def E(x):
        return np.sum(np.square(net(x)[0]))

    with eager(100):
        expected = grad(E)(x)
    for function in (checkpoint(E), E):
        same(grad(function)(x), expected)
        same(grad(function)(x), expected)
    compiled = compile(grad(E))
    same(compiled(x), expected)
    same(compiled(x), expected)


def test_functions_that_hang_on_values_are_run():
    calls = Replayed()

    def fun(x):
        return x * 2.0 if x.data[0] > 0 else -x

    with eager(0):
        for x in (drawn(3), -drawn(3), drawn(3)):
            same(calls(fun, Tensor(x, requires_grad=True)), fun(Tensor(x)))
    assert not calls._programs


def test_bad_input_is_told_as_before(at_once):
    net = network()
    net(drawn(4, 2, 2))
    bad = drawn(4, 2, 2)
    bad[1, 1, 1] = np.nan
    with pytest.raises(ValueError, match="LSTM: x has NaN"):
        net(bad)
    with pytest.raises(ValueError, match="the state has shape"):
        net(drawn(4, 2, 2), (drawn(1, 3, 3), drawn(1, 3, 3)))


def scaled(x, y):
    return np.tanh(x * 2.0) + y


DTYPES = [np.float64, np.float32, np.int64]


@pytest.mark.parametrize("tracked", [True, False])
def test_calls_of_other_dtypes_have_programs_of_their_own(tracked):
    calls = Replayed()
    with eager(0):
        for x_dtype, y_dtype in [(a, b) for a in DTYPES for b in DTYPES] * 2:
            x, y = (10 * drawn(4)).astype(x_dtype), (10 * drawn(5)[:4]).astype(y_dtype)
            asked = tracked and x_dtype is not np.int64
            given = [(Tensor(x, requires_grad=asked), y) for _ in range(2)]
            found, expected = calls(scaled, *given[0]), scaled(*given[1])
            same(found, expected)
            if asked:
                np.sum(found).backward()
                np.sum(expected).backward()
                same(given[0][0].grad, given[1][0].grad)


def outcome(net, x, **options):
    """Results and gradients of a network, or what it raises."""
    net.zero_grad()
    t = Tensor(x, requires_grad=True)
    try:
        found = results(net(t, **options))
    except ValueError as error:
        return str(error)
    sum(np.sum(np.sin(part)) for part in found).backward()
    given = [t, *net.parameters().values()]
    return [(type(p.grad), p.grad) for p in given], [part.data for part in found]


def check_outcome(net, x, **options):
    """Check that a replayed call gives what one gives that is recorded."""
    with eager(100):
        expected = outcome(net, x, **options)
    for _ in range(2):
        with eager(0):
            found = outcome(net, x, **options)
        if isinstance(expected, str):
            assert found == expected
            continue
        for (kind, g), (other, h) in zip(found[0], expected[0], strict=True):
            assert kind is other
            if g is not None:
                near(g, h)
                assert g.dtype == h.dtype
        near(found[1], expected[1])


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_of_another_dtype_or_frozen_make_other_programs(kind, at_once):
    net, x = network(kind, dtype=np.float32), drawn(4, 2, 2).astype(np.float32)
    check_outcome(net, x)
    check_outcome(net, x.astype(np.float64))
    for name, p in net.parameters().items():
        setattr(net, name, Tensor(drawn(*p.shape), requires_grad=True, name=name))
    check_outcome(net, x)
    net.weight_hh_l0.requires_grad = False
    check_outcome(net, x)
    net.weight_hh_l0.requires_grad = True
    net.weight_ih_l0.data[:] *= 0.5
    net.weight_hh_l0.data = drawn(*net.weight_hh_l0.shape)
    check_outcome(net, x)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch_first", [True, False])
def test_inputs_of_every_layout_and_size_are_replayed(kind, batch_first, at_once):
    net, x = network(kind, batch_first=batch_first), drawn(4, 6, 4)
    for part in (
        x[::2, ::-1, 1:3], x[..., ::2], np.asfortranarray(x[..., :2]), x.T[..., :2],
        np.broadcast_to(x[0, 0, :2], (3, 2, 2)), x[:1, :, :2], x[:, :1, :2],
        x[:0, :, :2], x[:, :0, :2],
    ):  # fmt: skip
        check_outcome(net, part)
