"""Where a compiled function could part from the function: state, aliases, values."""

import gc
import threading
import weakref
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import count

import numpy as np
import pytest
from test_compile import same

from autograd import Tensor, Value, compile, fresh, grad, sigmoid
from autograd.tensor import value_of
from autograd.trees import leaves
from rnn import GRU, optim

rng = np.random.default_rng(0)


def drawn(*shape):
    return rng.normal(size=shape)


def thrice(f, *shapes, of=drawn):
    """f and what is compiled of it, held against each other on three inputs."""
    compiled = compile(f)
    for _ in range(3):
        args = [of(*shape) for shape in shapes]
        same(compiled(*args), f(*map(Tensor, args)))


def by_parts(x, order):
    """Fills one array from two that overlap in it, and goes on with both."""
    parts = {0: np.tanh(x[:3]), 1: np.exp(x[:3])}
    whole = np.empty_like(x)
    for start in sorted(parts)[::order]:
        whole[start : start + 3] = parts[start]
    return whole, *(part * 1 for part in parts.values())


def written(x, other):
    found = np.concatenate([x[:1], x[1:]])
    found += other
    return found


def narrow(x):
    found = np.zeros_like(x.astype(np.float32))
    np.multiply(x, 0.1, out=found)
    return found


def scattered(x):
    whole = np.empty_like(x)
    whole[:2] = np.exp(x[:2])
    whole[np.array([2, 3])] = x[:2] * 2
    return whole


@pytest.mark.parametrize(
    ("f", "shapes"),
    [
        (lambda x: by_parts(x.data, 1), [(4,)]),
        (lambda x: by_parts(x.data, -1), [(4,)]),
        (lambda x, y: written(x.data, y.data), [(3, 2), (3, 2)]),
        (
            lambda x: narrow(x.data),
            [(30,)],
        ),
        (lambda x: scattered(x.data), [(4,)]),
        (lambda x: np.stack(x.data, axis=1) * 1.0, [(3, 2)]),
        (lambda x: (np.concatenate([x.data, x.data]),) * 2, [(3,)]),
        (lambda x: [np.concatenate([x.data, x.data]) for _ in "ab"], [(3,)]),
        (lambda x: x[np.argmax(x[:, 0])] * 2, [(4, 3)]),
        (lambda x: np.sum(x.data), [(4,)]),
        (lambda x: x.data**2 + x.data**3, [(400,)]),
    ],
)
def test_memory_of_its_own(f, shapes):
    thrice(f, *shapes)


def test_what_joins_an_input_again_is_not_given_away_or_written():
    w, batch = Tensor(drawn(4, 3), requires_grad=True), Tensor(drawn(8, 3))[2:6]
    before = w.data.copy()

    def f(x):
        parts = [(p.data[:2], p.data[2:]) for p in (w, batch)]
        joined = [np.concatenate(pair) for pair in parts]
        first = np.sum(joined[0].T @ x.data)
        later = np.tanh(np.exp(x.data.T) * 2) * 3  # laid out like the view that ended
        second = np.concatenate(parts[0])
        second += 1
        return first, later, joined[1] * 2, second, w.data * 1

    thrice(f, (4, 3))
    same(w.data, before)


def test_what_joins_parts_of_a_row_that_is_chosen_by_values():
    """Where the row stands is another matter in every run."""
    x = Tensor(np.arange(12.0).reshape(4, 3) % 5, requires_grad=True)

    def f():
        row = x.data[np.argmax(x.data[:, 0])]
        return np.concatenate([row[:1], row[1:]]) * 2.0

    compiled = compile(f)
    for _ in range(3):
        np.testing.assert_array_equal(compiled(), f())
        x.data[:] = np.roll(x.data, 1, axis=0)


def test_results_hang_on_values_only_where_that_is_guarded():
    for f, inputs in (
        (lambda x, n: np.sum(x[:n]), [2, 3, 1]),
        (lambda x, n: x[: np.sum(x.data > n.data)], [0.5, -9.0, 0.7]),
        (lambda x, n: np.repeat(x.data, np.stack([n.data] * 5)), [1, 2, 0]),
    ):
        compiled, x = compile(f), np.array([1.0, 0.6, -1.0, -2.0, -3.0])
        first, *others = map(np.array, inputs)
        same(compiled(x, first), f(Tensor(x), Tensor(first)))
        for other in others:
            with pytest.raises(ValueError, match="would take another way"):
                compiled(x, other)


@dataclass
class Weights:
    by_name: dict


def test_arguments_are_known_by_their_names():
    def f(x, W, b=None):
        return x - W if b is None else x * b["scale"] - b["shift"]

    compiled, (x, W, s) = compile(f), drawn(3, 2)
    same(compiled(x=x, W=W), f(x, W))
    same(compiled(W=W, x=x), f(x, W))
    with pytest.raises(ValueError, match="nested otherwise"):
        compiled(x, W)
    compiled = compile(f)
    same(compiled(x, W, {"scale": s, "shift": W}), x * s - W)
    same(compiled(x, W, {"shift": s, "scale": W}), x * W - s)
    compiled = compile(lambda weights: weights.by_name["x"] - 2 * weights.by_name["W"])
    same(compiled(Weights({"x": x, "W": W})), x - 2 * W)
    same(compiled(Weights({"W": W, "x": x})), x - 2 * W)


def test_an_argument_that_is_missing_is_not_another_one():
    compiled, (x, a, b) = (
        compile(lambda x, a, b: x * a if b is None else x + b),
        drawn(3, 2),
    )
    same(compiled(x, a, None), x * a)
    same(compiled(x, b, None), x * b)
    with pytest.raises(ValueError, match="nested otherwise"):
        compiled(x, None, b)


def test_draws_with_gaps_between_their_elements():
    drawn_last = []

    def draw():
        drawn_last[:] = [drawn(8, 16)]
        return drawn_last[0][::2]

    def f(x, draws=None):
        s = fresh(draw) if draws is None else draws
        return np.stack([np.tanh(s[0] * x[0]), np.tanh(s[1] * x[1])])

    compiled = compile(f)
    for _ in range(3):
        x = drawn(4, 16)
        same(compiled(x), f(x, drawn_last[0][::2]))


def test_gradients_of_rows_that_are_there_already():
    W = Tensor(drawn(1000, 4), requires_grad=True)

    def f(i):
        E = np.sum(W[i] * 2.0)
        E.backward()
        return E

    compiled, i = compile(f), np.array([1, 2, 1])
    for times in (2, 4, 6):
        f(i), compiled(i)
        assert sorted(set(W.grad[:, 0])) == [0.0, 2.0 * times, 4.0 * times]


@pytest.mark.parametrize("x", [1.0, np.array(1.0), np.array([1.0, 0.2])], ids=repr)
def test_comparisons_as_results(x):
    compiled = compile(lambda x: x > 0.5)
    for value in (x, x * 0.2, x * 2):
        found, expected = compiled(value), Tensor(value) > 0.5
        assert type(found) is type(expected) and np.array_equal(found, expected)


class ReportedError(Exception):
    """What the tests' own handler raises."""


def handler(error, flag):
    raise ReportedError(error)


REPORTS = {
    "raise": ({"over": "raise"}, FloatingPointError, "overflow encountered in multiply"),
    "warn": ({"over": "warn"}, RuntimeWarning, "overflow encountered in multiply"),
    "call": ({"over": "call", "call": handler}, ReportedError, "overflow"),
    "divide": (
        {"divide": "raise", "over": "ignore"},
        FloatingPointError,
        "divide by zero",
    ),
    "ignore": ({"all": "ignore"}, None, ""),
}


@pytest.mark.parametrize("case", REPORTS)
def test_overflow_is_reported_but_where_it_is_meant(case):
    """As in the function itself: exp(−x) = ∞ is σ's own business, x³ is not."""

    def f(x):
        return sigmoid(x), np.multiply(np.multiply(x, x), x), 1.0 / x

    modes, kind, message = REPORTS[case]
    compiled = compile(f)
    for x in ([1.0], [-800.0]):
        same(compiled(np.array(x)), f(Tensor(x)))
    for call in (compiled, lambda x: f(Tensor(x))):
        seen = pytest.raises if kind is not RuntimeWarning else pytest.warns
        with np.errstate(**modes), seen(kind, match=message) if kind else nullcontext():
            call(np.array([0.0 if case == "divide" else -1e200]))


def test_numbers_overflow_in_silence():
    compiled = compile(lambda x: (np.multiply(x, x), sigmoid(x)))
    for x in (1.0, 2.0, -1e200):
        with np.errstate(over="raise"):
            same(compiled(x), (Tensor(x) * x, sigmoid(Tensor(x))))


def test_nothing_is_held_after_an_error():
    def f(x):
        if np.sum(x) > 0:
            return np.stack([np.tanh(x[0] * 2), np.tanh(x[1] * 3)])
        return x

    compiled = compile(f)
    compiled(np.ones((2, 2**17)))
    bad = -np.ones((2, 2**17))
    alive = weakref.ref(bad)
    with pytest.raises(ValueError, match="another way"):
        compiled(bad)
    del bad
    gc.collect()
    assert alive() is None


def test_floats_keep_their_kind():
    for f in (
        lambda x, y: np.multiply((x > 0) + (y > 0), x),
        lambda x, y: np.ldexp(x * y, 3),
        lambda x, y: (np.copysign(y, x * 0.0 * -0.0), y + np.multiply(x, -0.0)),
        lambda x, y: np.power(x * x, 2.0) + np.power(y * y, 0.7) + np.power(x * x, y),
    ):
        compiled = compile(f)
        for x, y in ((1.5, 2.25), (0.3, 4.0), (-1.7, 2.0)):
            found, expected = compiled(x, y), f(Value(x).detach(), Value(y).detach())
            for one, other in zip(leaves(found), leaves(expected), strict=True):
                assert one.item().hex() == other.item().hex()


def stateful():
    numbers, times, kept = np.random.default_rng(0), count(1), [Tensor(np.zeros(3))]

    def keeps(x):
        kept[0] = np.tanh(kept[0] + x)
        return kept[0] * 1

    return {
        "random": (lambda x: x * numbers.normal(size=3), ValueError, "draws random"),
        "counts": (lambda x: x * next(times), ValueError, "through `fresh`"),
        "returns": (lambda x: (x, next(times)), ValueError, "other numbers"),
        "keeps": (keeps, TypeError, "a state which it keeps from call to call"),
        "yields": (lambda x: (x for _ in "ab"), TypeError, "returned a generator"),
        "closes": (lambda x: lambda: x, TypeError, "returned a function"),
        "places": (
            lambda x: np.dot(x.data, x.data, np.zeros_like(np.dot(x.data, x.data))),
            TypeError,
            "Name it, out=",
        ),
        "mends": (
            lambda x: np.nan_to_num(x.data * 1.0, copy=False),
            TypeError,
            "or have it make a copy",
        ),
    }


@pytest.mark.parametrize("case", stateful())
def test_what_changes_from_run_to_run_is_refused(case):
    fun, kind, message = stateful()[case]
    with pytest.raises(kind, match=message):
        compile(fun)(np.ones((3, 3)) if case == "places" else np.ones(3))


def test_values_that_were_stored_say_so():
    kept = []

    def f(x):
        kept.append(x * 2)
        return x

    compile(f)(np.ones(1))
    for use in (lambda x: x + 1, lambda x: x.item(), bool):
        with pytest.raises(TypeError, match=r"has stored .* Have the function return"):
            use(kept[-1])


def test_no_gradient_passes_through_what_was_compiled():
    w = Tensor(np.ones(3), requires_grad=True)
    compiled = compile(lambda x: np.sum(w * x))
    for wrong in (
        lambda: grad(compile(lambda x: np.sum(x * x)))(np.ones(3)),
        lambda: compiled(np.ones(3)).backward(),
        lambda: (compiled(np.ones(3)) + np.sum(w * w)).backward(),
    ):
        with pytest.raises(TypeError, match=r"Call .backward\(\) inside"):
            wrong()
    same(compile(grad(lambda x: np.sum(x * x)))(np.ones(3)), np.full(3, 2.0))


def test_gradients_are_those_of_the_function():
    a, b = (Tensor(drawn(50), requires_grad=True) for _ in range(2))
    unused = Tensor(np.ones(2), requires_grad=True)

    def changed(x):
        for p in (a, b):
            p.grad = np.zeros(50)
        unused.grad = np.zeros(2)
        np.sum((a + b) * x).backward()
        a.grad *= 0.5  # b's is another array, though both are x
        return np.sum(a.grad)

    def added(x):
        np.sum(np.exp(a) * x).backward()
        np.sum(np.sin(a * b) * x).backward()

    def retained(x):
        a.grad = 0.0  # as in micrograd
        h = (a * x).retain_grad()
        np.sum(h * h).backward()
        return h, h.grad

    for f in (changed, added, retained):
        found = []
        for g in (f, compile(f)):
            for p in (a, b, unused):
                p.zero_grad()
            inputs = np.random.default_rng(1).normal(size=(3, 50))
            out = [g(Tensor(x)) for x in inputs]
            kept = [y[0].grad for y in out if isinstance(y, tuple)]
            found.append((out, kept, [p.grad for p in (a, b, unused)]))
        same(*found)
    unused.grad = None
    compiled = compile(changed)
    compiled(inputs[0])
    unused.grad[0] = 7.0
    compiled(inputs[0])
    same(unused.grad, np.zeros(2))


def test_arrays_of_before_stay_those_of_whoever_holds_them():
    w = Tensor(np.ones(3), requires_grad=True)
    compiled = compile(lambda x: np.sum(w * w * x))
    best = w.data
    assert compiled(np.ones(3)).item() == 3
    for k in (2.0, 3.0, 4.0):
        w.data = np.full(3, k)
        held = w.data
        assert compiled(np.ones(3)).item() == 3 * k * k
        assert w.data is held
        held[0] = 0.0
        assert compiled(np.ones(3)).item() == 2 * k * k
    same(best, np.ones(3))


def test_gradients_are_added_up_in_the_same_order():
    w = Tensor(np.zeros((4, 4)), requires_grad=True)

    def f():
        w.zero_grad()
        row = w[-1]
        values = [w, row, (row / 2) ** 3, (row / 2) ** 3, 1 - w, w[-1]]
        sum(np.sum(v) * (1 + 0.5 * k) for k, v in enumerate(values)).backward()

    compiled = compile(f)
    for k in np.arange(1.0, 20.0):
        w.data[-1, -1] = 0.009 * k
        compiled()
        found = w.grad
        f()
        same(found, w.grad)


def test_what_was_frozen_since_is_refused():
    w = Tensor(np.ones(3), requires_grad=True)
    compiled = compile(lambda x: np.sum(w * x))
    compiled(np.ones(3))
    w.requires_grad = False
    with pytest.raises(ValueError, match="had requires_grad=True, and it is False now"):
        compiled(np.ones(3))


def test_a_refusal_leaves_parameters_as_they_were():
    w = Tensor(np.ones(3), requires_grad=True)
    optimizer = optim.SGD({"w": w}, 0.1)

    def steps(x):
        optimizer.zero_grad()
        np.sum(w * x).backward()
        optimizer.step()

    with pytest.raises(TypeError, match="changes an array in place"):
        compile(steps)(np.ones(3))
    same(w.data, np.ones(3))
    assert w.grad is None


def test_draws_keep_their_order_and_shape():
    def f(rng):
        def noisy(x):
            fresh(lambda: rng.normal(size=3))  # drawn, though nothing comes of it
            return x * fresh(lambda: rng.normal(size=3))

        return noisy

    compiled, plain = compile(f(np.random.default_rng(0))), f(np.random.default_rng(0))
    for _ in range(3):
        same(compiled(np.ones(3)), plain(Tensor(np.ones(3))))
    sizes = iter([3, 1])
    compiled = compile(lambda x: x * fresh(lambda: np.ones(next(sizes))))
    compiled(np.ones(3))
    with pytest.raises(ValueError, match=r"was \(3,\) when .* and is \(1,\) now"):
        compiled(np.ones(3))


def test_constants_and_parameters_as_results():
    w = Tensor(np.ones(3), requires_grad=True)
    compiled = compile(lambda x: (w, x * 2, np.arange(3.0), None, {"n": 1}))
    for _ in range(2):
        found = compiled(np.ones(3))
        assert found[0] is w
        same(found[2], np.arange(3.0))
        found[2][:] = 9.0


def test_one_function_in_several_threads():
    network, wrong = GRU(8, 32, rng=0), []
    compiled = compile(lambda x: network(x)[0])
    inputs = drawn(4, 30, 5, 8)
    expected = [network(Tensor(x))[0].data for x in inputs]

    def work(i):
        for _ in range(10):
            if not np.array_equal(compiled(inputs[i]).data, expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_switches_that_were_read_must_stay():
    network = GRU(3, 4, num_layers=2, dropout=0.5, rng=0)
    compiled, x = compile(lambda x: network(x)[0]), drawn(5, 2, 3)
    compiled(x)
    network.eval()
    with pytest.raises(ValueError, match=r"result of training was True .* is False now"):
        compiled(x)
    network.train()
    compiled(x)


def test_states_that_two_weights_use():
    """Both gradients want h^0 … h^{T−1}, and the output h^1 … h^T."""
    rng = np.random.default_rng(0)
    A, B = (Tensor(rng.normal(size=(3, 3)), requires_grad=True) for _ in range(2))

    def f(x):
        A.zero_grad()
        B.zero_grad()
        h, hs = np.zeros((2, 3)), [np.ones((2, 3))]
        for x_t in x:
            h = np.tanh(x_t + h @ A * (h @ B + 1))
            hs.append(h)
        y = np.stack(hs[1:])
        np.sum(y * y).backward()
        return y, np.stack(hs), A.grad, B.grad

    compiled = compile(f)
    for x in rng.normal(size=(3, 4, 2, 3)):
        for found, expected in zip(compiled(x), f(Tensor(x)), strict=True):
            np.testing.assert_array_equal(value_of(found), value_of(expected))
