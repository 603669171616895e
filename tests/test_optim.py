"""Optimisers, clipping and schedules against their formulas and against PyTorch."""

from decimal import Decimal, localcontext
from functools import partial

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autograd import Tensor
from rnn import Embedding, Linear
from rnn.module import Module
from rnn.optim import (
    SGD,
    Adam,
    AdamW,
    RMSprop,
    clip_grad_norm,
    clip_grad_value,
    constant,
    cosine,
    exponential,
    one_cycle,
    staircase,
    warm_up,
)  # fmt: skip

W0 = np.array([[4.0, -1.0], [0.5, 2.0]])


def weights(dtype=np.float64):
    return {"W": Tensor(W0.astype(dtype), requires_grad=True)}


def curved(W):
    """A loss with a gradient that changes from place to place: 4W³ − W."""
    return np.sum(W**4) - np.sum(np.square(W)) / 2


def descended(rule, steps=6, dtype=np.float64, **options):
    p = weights(dtype)
    optimizer = rule(p, **options)
    for _ in range(steps):
        optimizer.zero_grad()
        curved(p["W"]).backward()
        optimizer.step()
    return p["W"].data


def by_hand(move, steps=6):
    """W after so many of `move(g, t, memory, W)`, t = 1, 2, …"""
    W, memory = W0.copy(), {"m": np.zeros((2, 2)), "v": np.zeros((2, 2))}
    for t in range(1, steps + 1):
        W = W - move(4 * W**3 - W, t, memory, W)
    return W


def nesterov(g, t, memory, W):
    memory["m"] = 0.9 * memory["m"] + g
    return 1e-3 * (g + 0.9 * memory["m"])


def rmsprop(g, t, memory, W):
    memory["v"] = 0.8 * memory["v"] + 0.2 * g**2
    return 0.01 * g / (np.sqrt(memory["v"]) + 1e-6)


def adam(g, t, memory, W):
    memory["m"] = 0.8 * memory["m"] + 0.2 * g
    memory["v"] = 0.95 * memory["v"] + 0.05 * g**2
    m, v = memory["m"] / (1 - 0.8**t), memory["v"] / (1 - 0.95**t)
    return 0.02 * m / (np.sqrt(v) + 1e-6)


ADAM = {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-6}
RULES = {
    "SGD": (SGD, {"lr": 1e-3}, lambda g, *_: 1e-3 * g),
    "Nesterov": (SGD, {"lr": 1e-3, "momentum": 0.9, "nesterov": True}, nesterov),
    "RMSprop": (RMSprop, {"lr": 0.01, "alpha": 0.8, "eps": 1e-6}, rmsprop),
    "Adam": (Adam, ADAM, adam),
    "AdamW": (AdamW, ADAM | {"weight_decay": 0.3},
              lambda g, t, memory, W: adam(g, t, memory, W) + 0.02 * 0.3 * W),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_rules_are_their_formulas(name):
    rule, options, move = RULES[name]
    np.testing.assert_allclose(
        descended(rule, **options), by_hand(move), rtol=1e-12, atol=1e-15
    )
    assert descended(rule, dtype=np.float32, **options).dtype == np.float32


@pytest.mark.parametrize("name", [*RULES, "momentum"])
def test_rules_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    rule, options, _ = RULES.get(name, (SGD, {"lr": 1e-3, "momentum": 0.9}, None))
    W = torch.tensor(W0, requires_grad=True)
    optimizer = getattr(torch.optim, rule.__name__)([W], **options)
    for _ in range(6):
        optimizer.zero_grad()
        (torch.sum(W**4) - torch.sum(W**2) / 2).backward()
        optimizer.step()
    found = descended(rule, **options)
    np.testing.assert_allclose(found, W.detach().numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", RULES)
def test_a_parameter_that_learns_late_learns_as_if_from_the_start(name):
    """Its own moves count, not the steps of others."""
    rule, options, _ = RULES[name]
    p = weights() | {"early": Tensor(np.ones(1), requires_grad=True)}
    optimizer = rule(p, **options)
    for step in range(11):
        optimizer.zero_grad()
        E = np.sum(np.square(p["early"]))
        (E + curved(p["W"]) if step >= 5 else E).backward()
        optimizer.step()
    np.testing.assert_array_equal(p["W"].data, descended(rule, **options))
    assert optimizer.steps == 11 and optimizer.moves == {"W": 6, "early": 11}


@given(st.floats(0.1, 10))
def test_clipping_by_value_leaves_what_is_small(limit):
    p = {k: Tensor(np.zeros(2), requires_grad=True) for k in "abc"}
    (np.sum(p["a"] * np.array([3.0, -5.0])) + 0.05 * np.sum(p["b"])).backward()
    assert clip_grad_value(p, limit) == 5
    np.testing.assert_array_equal(p["a"].grad, [min(3, limit), -min(5, limit)])
    np.testing.assert_array_equal(p["b"].grad, [0.05, 0.05])
    assert p["c"].grad is None


def test_clipping_keeps_the_dtype_and_numbers_that_are_floats():
    p = {"w": Tensor(np.ones(2, np.float32), requires_grad=True)}
    np.sum(p["w"] * 7).backward()
    clip_grad_value(p, 0.5)
    assert p["w"].grad.dtype == np.float32
    p = {"w": Tensor(50.0, requires_grad=True)}
    (p["w"] * p["w"]).backward()
    assert clip_grad_value(p, 1.0) == 100 and p["w"].grad == 1


FORMULAS = {
    "constant": (partial(constant, 0.3), [0.3] * 8),
    "staircase": (partial(staircase, 0.8, 3, 0.5),
                  [0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2]),
    "exponential": (partial(exponential, 2.0, 0.5), [2.0 * 0.5**k for k in range(8)]),
    "cosine": (partial(cosine, 1.0, 4),
               [1.0, 0.5 + 0.5**1.5, 0.5, 0.5 - 0.5**1.5, 0.0, 0.0, 0.0, 0.0]),
    "warm_up": (partial(warm_up, partial(exponential, 1.0, 0.5), 4),
                [0.25, 0.25, 0.75 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128]),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
def test_schedules_are_their_formulas(name):
    schedule, expected = FORMULAS[name]
    found = [schedule(step) for step in range(8)]
    assert found == pytest.approx(expected, abs=1e-15)
    assert all(type(lr) is float for lr in found)


@given(st.integers(1, 60), st.floats(1e-3, 10))
def test_one_cycle_goes_up_and_down_once(steps, lr):
    rates = np.array([one_cycle(lr, steps, step) for step in range(steps + 3)])
    assert np.all(rates > 0) and np.all(rates <= lr * (1 + 1e-12))
    top = int(np.argmax(rates))
    assert np.all(np.diff(rates[: top + 1]) >= 0) and np.all(np.diff(rates[top:]) <= 0)
    if steps > 3:
        assert rates[0] == pytest.approx(lr / 25, rel=0.2 if 0.3 * steps < 2 else 1e-9)
        assert rates[steps - 1] == pytest.approx(lr / 250_000)


@pytest.mark.parametrize("name", ["staircase", "exponential", "cosine", "one_cycle"])
def test_schedules_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    scheduler = torch.optim.lr_scheduler
    ours, theirs = {
        "staircase": (partial(staircase, 0.5, 7, 0.3),
                      lambda o: scheduler.StepLR(o, 7, 0.3)),
        "exponential": (partial(exponential, 0.5, 0.9),
                        lambda o: scheduler.ExponentialLR(o, 0.9)),
        "cosine": (partial(cosine, 0.5, 40),
                   lambda o: scheduler.CosineAnnealingLR(o, 40)),
        "one_cycle": (partial(one_cycle, 0.5, 40),
                      lambda o: scheduler.OneCycleLR(o, 0.5, total_steps=40)),
    }[name]  # fmt: skip
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.5)
    schedule = theirs(optimizer)
    for step in range(40):
        expected = schedule.get_last_lr()[0]
        assert ours(step) == pytest.approx(expected, rel=1e-9, abs=1e-12)
        optimizer.step()
        if step < 39:
            schedule.step()


P = weights()
MISTAKES = [
    (lambda: SGD(P, 0), ValueError, "SGD: lr=0, expected above 0"),
    (lambda: SGD(P, np.inf), ValueError, "lr=inf"),
    (lambda: SGD(P, np.nan), ValueError, "lr=nan"),
    (lambda: SGD(P, momentum=1), ValueError, "momentum=1, expected 0 to below 1"),
    (lambda: SGD(P, nesterov=True), ValueError, "nesterov=True needs a momentum"),
    (lambda: RMSprop(P, alpha=-0.1), ValueError, "RMSprop: alpha=-0.1"),
    (lambda: RMSprop(P, eps=0), ValueError, "RMSprop: eps=0, expected above 0"),
    (lambda: Adam(P, betas=(0.9, 1)), ValueError, "Adam: a beta=1, expected 0 to below"),
    (lambda: Adam(P, eps=0), ValueError, "Adam: eps=0"),
    (lambda: AdamW(P, weight_decay=-1), ValueError, "AdamW: weight_decay=-1"),
    (lambda: Adam({}), ValueError, "Adam: there are no parameters"),
    (lambda: Adam(P["W"]), TypeError, r"Adam: parameters are a Tensor; .* is \[w\]"),
    (lambda: Adam([W0]), TypeError, "Adam: item 0 of the parameters is a ndarray; expec"),
    (lambda: Adam(W0), TypeError, "Adam: parameters are a ndarray; expected a Module"),
    (lambda: Adam("W"), TypeError, "Adam: parameters are a str; expected a Module"),
    (lambda: Adam({P["W"]}), TypeError, "Adam: parameters are a set; expected a Module"),
    (lambda: Adam(None), TypeError, "Adam: parameters are a NoneType"),
    (lambda: Adam([]), ValueError, "Adam: there are no parameters"),
    (lambda: Adam(p for p in ()), ValueError, "Adam: there are no parameters"),
    (lambda: Adam([P["W"], P["W"]]), ValueError, "0 and 1 are one Tensor"),
    (
        lambda: SGD([{"params": P}, {"params": P}]),
        ValueError,
        "0.W of group 0 and 1.W of group 1 are one Tensor, which a step would move twice",
    ),
    (
        lambda: SGD([{"params": P}, P["W"]]),
        TypeError,
        "item 1 of the parameters is no gr",
    ),
    (lambda: SGD([{"params": []}]), ValueError, "SGD: group 0 has no parameters"),
    (
        lambda: SGD([{"params": P, "weight_decay": 1}]),
        TypeError,
        "SGD: group 0 has weight_decay, expected params and of lr, momentum, nesterov",
    ),
    (lambda: SGD([{"params": P, "lr": 0}]), ValueError, "SGD: lr=0, expected above 0"),
    (lambda: SGD([{"params": P, "nesterov": True}]), ValueError, "needs a momentum"),
    (lambda: Adam([{"params": P, "betas": 0.9}]), ValueError, "betas=0.9, expected two"),
    (
        lambda: Adam({"params": [P["W"]], "lr": 0.1}),
        TypeError,
        "params is a list; expect",
    ),
    (lambda: Adam(P, weight_decay=0.1), TypeError, "unexpected keyword .*weight_decay"),
    (lambda: Adam({"W": W0}), TypeError, "W is a ndarray; expected Tensor"),
    (lambda: Adam({"W": Tensor(W0)}), TypeError, "W is a Tensor, which requires no grad"),
    (lambda: clip_grad_norm(P, 0), ValueError, "clip_grad_norm: max_norm=0, expected"),
    (lambda: clip_grad_value(P, -1), ValueError, "clip_grad_value: max_value=-1"),
    (lambda: cosine(0.1, 0, 0), ValueError, "cosine: steps=0, expected at least 1"),
    (lambda: staircase(0.1, 0, 0.5, 0), ValueError, "staircase: every=0"),
    (lambda: one_cycle(0.1, 0, 0), ValueError, "one_cycle: steps=0"),
    (lambda: warm_up(cosine, 0, 0), ValueError, "warm_up: steps=0"),
]


@pytest.mark.parametrize(("call", "error", "match"), MISTAKES)
def test_mistakes(call, error, match):
    with pytest.raises(error, match=match):
        call()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("clip", [clip_grad_norm, clip_grad_value])
def test_a_gradient_that_is_not_finite_is_named(clip, bad):
    p = {k: Tensor(np.ones(2), requires_grad=True) for k in "ab"}
    np.sum(p["a"] + p["b"] * np.array([1.0, bad])).backward()
    with pytest.raises(FloatingPointError, match="the gradient of b is not finite"):
        clip(p, 1.0)


@pytest.mark.parametrize("clip", [clip_grad_norm, clip_grad_value])
def test_a_limit_out_of_an_array_leaves_the_gradient_its_dtype(clip):
    p = {"w": Tensor(np.ones(3, np.float32), requires_grad=True)}
    p["w"].grad = np.full(3, 5, np.float32)
    clip(p, np.float64(0.5))
    assert p["w"].grad.dtype == np.float32


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_the_norm_of_gradients_whose_squares_are_no_numbers(size):
    p = {"w": Tensor(np.ones(2), requires_grad=True)}
    p["w"].grad = np.array([3 * size, 4 * size])
    assert clip_grad_norm(p, size) == pytest.approx(5 * size, rel=1e-14)
    np.testing.assert_allclose(p["w"].grad, [0.6 * size, 0.8 * size], rtol=1e-14)


def exact(rule, options, gradients):
    """The moves of a scalar parameter by the rule's own formula, with 60 digits."""
    with localcontext(prec=60, Emax=10**6, Emin=-(10**6)):
        lr, eps = Decimal(options["lr"]), Decimal(options.get("eps", 1e-8))
        m, v, moves = Decimal(0), Decimal(0), []
        for t, number in enumerate(gradients, start=1):
            g = Decimal(float(number))
            if rule is SGD:
                momentum = Decimal(options["momentum"])
                m = momentum * m + g
                moves.append(lr * (g + momentum * m if options["nesterov"] else m))
            elif rule is RMSprop:
                alpha = Decimal(options["alpha"])
                v = alpha * v + (1 - alpha) * g * g
                moves.append(lr * g / (v.sqrt() + eps))
            else:
                b1, b2 = map(Decimal, options["betas"])
                m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
                root = (v / (1 - b2**t)).sqrt() + eps
                moves.append(lr * (m / (1 - b1**t)) / root)
        return [float(move) for move in moves]


DECAYS = st.sampled_from([0.0, 1e-17, 1e-9, 1e-3, 0.1, 0.4, 0.5, 0.9, 0.999, 1 - 1e-9])
SPIKES = st.lists(
    st.builds(
        lambda a, e, sign: sign * a * 10.0**e,
        st.floats(1, 9), st.integers(-7, 8), st.sampled_from([-1, 0, 1]),
    ),
    min_size=1, max_size=8,
)  # fmt: skip
MOVED = st.one_of(
    st.builds(lambda a: (RMSprop, {"alpha": a}), DECAYS),
    st.builds(lambda a, b: (Adam, {"betas": (a, b)}), DECAYS, DECAYS),
    st.builds(lambda a: (SGD, {"momentum": a, "nesterov": False}), DECAYS),
    st.builds(lambda a: (SGD, {"momentum": a, "nesterov": True}), DECAYS.filter(bool)),
)


@settings(max_examples=300)
@example((RMSprop, {"alpha": 0.0}), [1e8, 1e-3], np.float64)
@example((Adam, {"betas": (0.0, 0.0)}), [1e8, 1e-3], np.float64)
@example((Adam, {"betas": (0.0, 0.0)}), [1e8, 1e-3], np.float32)
@example((RMSprop, {"alpha": 0.1}), [1e8, 1e-3, 1e-3], np.float32)
@given(MOVED, SPIKES, st.sampled_from([np.float64, np.float32]))
def test_moves_after_a_spike_are_those_of_the_formula(moved, gradients, dtype):
    """Each to a few roundings of its largest term, whatever came before."""
    rule, options = moved[0], {"lr": 0.5} | moved[1]
    gradients = [dtype(g) for g in gradients]
    p = Tensor(np.zeros(1, dtype), requires_grad=True)
    optimizer = rule([p], **options)
    expected = exact(rule, options, gradients)
    terms = exact(rule, options, np.abs(gradients))  # which do not cancel
    for g, move, size in zip(gradients, expected, terms, strict=True):
        p.data, p.grad = np.zeros(1, dtype), np.array([g])
        optimizer.step()
        assert abs(-p.data[0] - move) <= (60 * np.finfo(dtype).eps + 1e-12) * size


FORMS = {
    "a Module": lambda table, out: out,
    "a dict": lambda table, out: dict(out.parameters()),
    "parameters": lambda table, out: out.parameters(),
    "a list of Tensors": lambda table, out: [out.weight, out.bias],
    "a tuple of Tensors": lambda table, out: (out.weight, out.bias),
    "a generator": lambda table, out: (p for p in out.parameters().values()),
    "values": lambda table, out: out.parameters().values(),
    "named parameters": lambda table, out: out.named_parameters(),
    "a list of one Module": lambda table, out: [out],
    "a list of dicts": lambda table, out: [out.parameters()],
    "a group": lambda table, out: [{"params": out}],
    "a group of Tensors": lambda table, out: [{"params": [out.weight, out.bias]}],
    "groups": lambda table, out: [{"params": out.weight}, {"params": out.bias}],
    "Modules": lambda table, out: [table, out],
    "a list of joined": lambda table, out: [table.weight, *out.parameters().values()],
    "groups of Modules": lambda table, out: [{"params": table}, {"params": [out]}],
}


def networks():
    return Embedding(3, 2, rng=0), Linear(2, 3, rng=1)


def swept(table, out):
    np.sum(out(table([0, 2])) ** 2).backward()


@pytest.mark.parametrize("rule", [SGD, RMSprop, Adam, AdamW])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_parameters_is_moved_and_clipped(form, rule):
    """The networks have one name, "weight", for two Tensors: neither may be lost."""
    (table, out), (one, two) = networks(), networks()
    swept(table, out)
    swept(one, two)
    given = FORMS[form](table, out)
    if form not in ("a generator", "named parameters"):  # which serve once
        right = {"0": two.weight, "1": two.bias}
        if "table" in form or "Modules" in form or "joined" in form:
            right["2"] = one.weight
        assert clip_grad_norm(given, 0.1) == pytest.approx(clip_grad_norm(right, 0.1))
        assert clip_grad_value(given, 0.01) == pytest.approx(clip_grad_value(right, 0.01))
    optimizer = rule(given, 0.1)
    optimizer.step()
    both = table.weight in set(optimizer.parameters.values())
    rule(
        {"0": two.weight, "1": two.bias} | ({"2": one.weight} if both else {}), 0.1
    ).step()
    for p, q in (
        (table.weight, one.weight),
        (out.weight, two.weight),
        (out.bias, two.bias),
    ):
        np.testing.assert_array_equal(p.data, q.data)
    optimizer.zero_grad()
    assert out.weight.grad is None and (table.weight.grad is None) == both


def test_names_that_stand_for_two_tensors_get_a_prefix():
    table, out = networks()
    assert list(SGD([table, out]).parameters) == ["0.weight", "1.weight", "1.bias"]
    assert list(SGD([out]).parameters) == ["weight", "bias"]
    assert list(SGD([table.weight, out.weight]).parameters) == ["0.weight", "1.weight"]
    free = [Tensor(np.ones(2), requires_grad=True) for _ in range(2)]
    assert list(SGD(free).parameters) == ["0", "1"]
    out.weight = table.weight  # one parameter of two networks, moved once
    assert list(SGD([table, out]).parameters) == ["weight", "bias"]


OWN = {
    SGD: {"lr": 0.3, "momentum": 0.5, "nesterov": True},
    RMSprop: {"lr": 0.3, "alpha": 0.5, "eps": 1e-3},
    Adam: {"lr": 0.3, "betas": (0.5, 0.6), "eps": 1e-3},
    AdamW: {"lr": 0.3, "betas": [0.5, 0.6], "weight_decay": 0.2},
}


@pytest.mark.parametrize("rule", OWN)
@pytest.mark.parametrize("factor", [1.0, 0.25])
def test_a_group_moves_as_an_optimizer_of_its_own(rule, factor):
    """Also where the learning rate of all is changed: a group's keeps its proportion."""
    (table, out), (one, two) = networks(), networks()
    together = rule([{"params": table}, {"params": out} | OWN[rule]], 0.1)
    apart = [rule(one, 0.1), rule(two, **OWN[rule])]
    for step in range(4):
        if step == 2:
            together.lr = factor * 0.1
            for optimizer in apart:
                optimizer.lr *= factor
        swept(table, out)
        swept(one, two)
        together.step()
        together.zero_grad()
        for optimizer in apart:
            optimizer.step()
            optimizer.zero_grad()
    np.testing.assert_array_equal(table.weight.data, one.weight.data)
    np.testing.assert_array_equal(out.weight.data, two.weight.data)
    np.testing.assert_array_equal(out.bias.data, two.bias.data)
    groups = together.param_groups
    assert [g["lr"] for g in groups] == [factor * 0.1, factor * 0.3]
    assert groups[1]["params"] == {"1.weight": out.weight, "1.bias": out.bias}
    with pytest.raises(TypeError, match="item assignment"):
        groups[0]["lr"] = 1.0
    assert [g["lr"] for g in apart[0].param_groups] == [factor * 0.1]


EXTREMES = [
    (RMSprop, {}, np.float32, 1e20, "1e\\+20, the square of which is beyond float32"),
    (RMSprop, {}, np.float64, 1e200, "beyond float64. Clip the gradients"),
    (Adam, {}, np.float32, -3e30, "Adam: the gradient of b has 3e\\+30"),
    (AdamW, {}, np.float64, 1e160, "AdamW: the gradient of b"),
    (RMSprop, {"eps": 1e-30}, np.float32, 1e-25, "below the numbers of float32, and eps"),
    (Adam, {"eps": 1e-200}, np.float64, 1e-170, "eps=1e-200 is too small"),
]


@pytest.mark.parametrize(("rule", "options", "dtype", "size", "match"), EXTREMES)
def test_a_square_that_the_dtype_has_not_is_refused(rule, options, dtype, size, match):
    """Before anything is moved: v would be ∞ for ever, or 0."""
    p = {name: Tensor(np.ones(2, dtype), requires_grad=True) for name in "ab"}
    optimizer = rule(p, **options)
    p["a"].grad, p["b"].grad = np.ones(2, dtype), np.array([0, size], dtype)
    with pytest.raises(FloatingPointError, match=match):
        optimizer.step()
    assert optimizer.steps == 0 and optimizer.moves == {"a": 0, "b": 0}
    for q in p.values():
        np.testing.assert_array_equal(q.data, np.ones(2))


@pytest.mark.parametrize(("rule", "dtype", "size"), [
    (RMSprop, np.float32, 1e18), (Adam, np.float32, 1e-30), (RMSprop, np.float64, 1e150),
    (Adam, np.float64, 1e-300), (SGD, np.float32, 1e20), (RMSprop, np.float32, 0.0),
])  # fmt: skip
def test_gradients_within_reach_move_as_the_formula_says(rule, dtype, size):
    p = Tensor(np.zeros(2, dtype), requires_grad=True)
    p.grad = np.array([size, 0], dtype)
    optimizer = rule([p], 0.1)
    optimizer.step()
    options = {"lr": 0.1} | {k: getattr(optimizer, k) for k in rule.ranges}
    expected = -exact(rule, options, [dtype(size)])[0]
    np.testing.assert_allclose(p.data, [expected, 0], rtol=20 * np.finfo(dtype).eps)


class Several(Module):
    def __init__(self):
        self.parts = {"a": Linear(1, 1, rng=0), "b": [Linear(1, 1, rng=1)]}


def test_a_network_of_networks_is_moved_by_its_paths():
    network = Several()
    names = ["parts.a.weight", "parts.a.bias", "parts.b.0.weight", "parts.b.0.bias"]
    assert list(Adam(network).parameters) == names
    np.sum(network.parts["b"][0](np.ones((1, 1)))).backward()
    before = network.parts["b"][0].weight.data.copy()
    Adam(network).step()
    assert np.all(network.parts["b"][0].weight.data != before)
