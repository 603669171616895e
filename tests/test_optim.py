"""Optimisers, clipping and schedules against their formulas and against PyTorch."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Tensor
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
    (lambda: Adam([P["W"]]), TypeError, "Adam: parameters are a list, expected .* name"),
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
