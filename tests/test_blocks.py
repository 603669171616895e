"""A few rows at a time: the same numbers as all at once, changes in place on record."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_optim import RULES, curved

from autograd import Tensor, Value, blocks, log_softmax, nll
from autograd.blocks import in_place, in_rows
from autograd.testing import check_grads
from rnn.optim import SGD, Adam, clip_grad_norm


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(blocks, "CACHED", 6)


@given(st.integers(0, 9), st.integers(1, 9), st.integers(1, 40))
def test_every_row_comes_once(length, width, cached):
    x = np.arange(length * width).reshape(length, width)
    before, blocks.CACHED = blocks.CACHED, cached
    try:
        found = list(in_rows(x, x[:, 0]))
    finally:
        blocks.CACHED = before
    assert all(len(a) == len(b) and a.size <= max(cached, width) for a, b in found)
    rows = np.concatenate([a for a, _ in found]) if length else x
    np.testing.assert_array_equal(rows, x)
    assert all(np.shares_memory(part, x) for part, _ in found)


@pytest.mark.parametrize("shape", [(), (4,), (3, 4), (2, 3, 4)])
def test_nll_is_the_chosen_log_softmax(small, shape):
    rng = np.random.default_rng(0)
    z, d = 300 * rng.normal(size=(*shape, 5)), rng.integers(0, 5, shape)
    found, leaf = nll(z, d), Tensor(z, requires_grad=True)
    chosen = np.take_along_axis(log_softmax(z), d[..., None], axis=-1)[..., 0]
    np.testing.assert_array_equal(found, -chosen)
    g = rng.normal(size=shape)
    np.sum(nll(leaf, d) * g).backward()
    p = np.exp(log_softmax(z))
    expected = g[..., None] * (p - (np.arange(5) == d[..., None]))
    np.testing.assert_allclose(leaf.grad, expected, rtol=1e-12, atol=1e-15)
    turned = Tensor(np.asfortranarray(z), requires_grad=True)
    np.sum(nll(turned, d) * g).backward()
    np.testing.assert_allclose(turned.grad, expected, rtol=1e-12, atol=1e-15)
    assert nll(z.astype(np.float32), d).dtype == np.float32


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_nll_has_derivatives_of_every_order(small, shape):
    rng = np.random.default_rng(0)
    z, d = rng.normal(size=(*shape, 4)), rng.integers(0, 4, shape)
    check_grads(lambda z: nll(z, d), (z,), order=3)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("turned", [False, True])
def test_optimisers_move_all_rows_alike(name, turned, monkeypatch):
    rule, options, _ = RULES[name]

    def moved():
        W = np.random.default_rng(0).normal(size=(5, 4))
        p = {"W": Tensor(W.T.copy().T if turned else W, requires_grad=True)}
        optimizer = rule(p, **options)
        for _ in range(3):
            optimizer.zero_grad()
            curved(p["W"]).backward()
            optimizer.step()
        return p["W"].data

    whole = moved()
    monkeypatch.setattr(blocks, "CACHED", 6)
    np.testing.assert_array_equal(moved(), whole)


def test_a_number_is_moved_too():
    x = Value(3.0)
    optimizer = Adam({"x": x}, lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        (x * x).backward()
        clip_grad_norm({"x": x}, 1.0)
        optimizer.step()
    assert type(x.data) is float and abs(x.data) < 0.1


@pytest.mark.parametrize("held", [False, True])
def test_a_sweep_through_what_was_moved_raises(held):
    w = Tensor(np.ones((2, 2)), requires_grad=True, name="w")
    view = w.data if held else None
    E = np.sum(w * w)
    E.backward()
    SGD({"w": w}, lr=0.1).step()
    with pytest.raises(ValueError, match=r"w.*was changed after"):
        E.backward()
    again = np.sum(w * w)
    w.zero_grad()
    again.backward()
    np.testing.assert_array_equal(w.grad, 2 * w.data)
    if held:
        np.testing.assert_array_equal(view, w.data)


def test_a_value_that_belongs_to_another_is_not_changed():
    w = Tensor(np.ones(2), requires_grad=True)
    other = w.detach()
    with pytest.raises(ValueError, match="cannot be set"), in_place(other) as value:
        value += 1
    np.testing.assert_array_equal(w.data, 1)


def test_clipping_by_rows_finds_the_same_norm(small):
    g = np.random.default_rng(0).normal(size=(7, 4))
    p = {"w": Tensor(g, requires_grad=True), "b": Tensor(np.ones(3), requires_grad=True)}
    (np.sum(p["w"] * g) + np.sum(p["b"])).backward()
    norm = np.sqrt(np.sum(g * g) + 3)
    held = p["w"].grad
    assert clip_grad_norm(p, norm / 2) == pytest.approx(norm, rel=1e-14)
    np.testing.assert_allclose(held, g / 2, rtol=1e-14)
    assert clip_grad_norm(p, 2.0) == pytest.approx(norm / 2, rel=1e-14)
