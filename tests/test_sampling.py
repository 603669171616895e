"""Sampling and beam search, on chains whose every probability is known."""

from functools import partial
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograd import Tensor
from rnn import ElmanNetwork
from rnn.language import generate, next_word
from rnn.sampling import beam_search, draw, sample

RNG = np.random.default_rng


def chain(K, seed, spread=2.0):
    """A second-order Markov chain: p[u, v] is of the word after u, v; a step of it.

    The state holds u, so that beams whose states are mixed up are found out.
    """
    z = RNG(seed).normal(size=(K, K, K)) * spread
    p = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)

    def step(words, state):
        before = np.zeros(len(words), int) if state is None else state["before"][:, 0]
        assert len(before) == len(words)
        return z[before, words], {"before": words[:, np.newaxis], "nothing": None}

    return p, step


def log_p_of(p, start, tokens):
    u, v, total = 0, start, 0.0
    for w in tokens:
        total += np.log(p[u, v, w])
        u, v = v, w
    return total


def continuations(K, length, stop):
    """All that a search can find: those of full length, and those that end in `stop`."""
    for n in range(1, length + 1):
        for tokens in product(range(K), repeat=n):
            whole = n == length or tokens[-1] == stop
            if whole and (stop is None or stop not in tokens[:-1]):
                yield tokens


@given(
    st.integers(2, 3), st.integers(1, 4), st.integers(0, 10**6),
    st.sampled_from([None, 0, 1]), st.sampled_from([0.0, 0.7, 1.0]),
)  # fmt: skip
@example(K=2, length=4, seed=228, stop=None, penalty=0.0)
def test_a_beam_of_full_width_is_enumeration(K, length, seed, stop, penalty):
    p, step = chain(K, seed)
    found = beam_search(
        step, [1], None, length, width=K**length, stop=stop, penalty=penalty
    )
    expected = {t: log_p_of(p, 1, t) for t in continuations(K, length, stop)}
    assert len(found) == len(expected)
    for h in found:
        assert h.log_p == pytest.approx(expected[h.tokens], rel=1e-12)
        assert h.score == pytest.approx(h.log_p / len(h.tokens) ** penalty)
    # Two orders of the same transitions are equally likely, up to rounding.
    best = max(log_p / len(t) ** penalty for t, log_p in expected.items())
    first = found[0].tokens
    assert expected[first] / len(first) ** penalty == pytest.approx(best, rel=1e-12)
    scores = [h.score for h in found]
    assert scores == sorted(scores, reverse=True)


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 10**6))
def test_beams_of_any_width_carry_their_own_states(width, length, seed):
    p, step = chain(4, seed)
    found = beam_search(step, [2, 1, 3], None, length, width=width)
    assert len(found) == min(width, 4**length)
    assert len({h.tokens for h in found}) == len(found)
    for h in found:
        given_before = np.log(p[1, 3, h.tokens[0]])
        u, v, total = 3, h.tokens[0], given_before
        for w in h.tokens[1:]:
            total, u, v = total + np.log(p[u, v, w]), v, w
        assert h.log_p == pytest.approx(total, rel=1e-12)


@given(st.integers(1, 6), st.integers(0, 10**6))
def test_a_beam_of_one_is_greedy(length, seed):
    p, step = chain(4, seed)
    greedy = sample(step, [[1]], None, length, temperature=0)
    (found,) = beam_search(step, [1], None, length, width=1)
    assert found.tokens == tuple(greedy[:, 0].tolist())
    u, v = 0, 1
    for w in found.tokens:
        assert w == np.argmax(p[u, v])
        u, v = v, w
    always = sample(step, [[1]], None, length, rng=RNG(0), top_k=1)
    np.testing.assert_array_equal(always, greedy)


def test_a_wide_beam_finds_what_greed_misses():
    z = np.log([[0.6, 0.4], [0.5, 0.5]])  # 0 looks better, but nothing likely follows it
    second = np.log([[0.5, 0.5], [0.99, 0.01]])

    def step(words, state):
        return (z if state is None else second)[words], np.zeros(len(words))

    greedy, wide = (beam_search(step, [0], None, 2, width=w)[0] for w in (1, 2))
    assert greedy.tokens == (0, 0) and wide.tokens == (1, 0)
    assert wide.log_p == pytest.approx(np.log(0.4 * 0.99))


def test_a_penalty_ranks_the_long_with_the_short():
    z = np.log([[0.5, 0.5]])  # of every word, 0 stops

    def step(words, state):
        return np.repeat(z, len(words), axis=0), state

    short, long = (
        beam_search(step, [1], None, 3, width=8, stop=0, penalty=penalty)[0].tokens
        for penalty in (0.0, 2.0)
    )
    assert short == (0,) and len(long) == 3


def test_states_may_have_their_batch_on_another_axis():
    _, step = chain(3, 0)

    def stacked(words, state):
        logits, after = step(words, state and {"before": state[0].data[0]})
        return Tensor(logits), (Tensor(after["before"][np.newaxis]),)

    found = beam_search(stacked, [1], None, 4, width=5, axis=1)
    assert found == beam_search(step, [1], None, 4, width=5)


@given(st.integers(2, 5), st.integers(0, 10**6), st.sampled_from([0.5, 1.0, 2.0]))
def test_what_is_drawn_is_distributed_as_it_should_be(K, seed, temperature):
    z = RNG(seed).normal(size=K)
    p = np.exp(z / temperature)
    N = 4000
    drawn = draw(np.tile(z, (N, 1)), RNG(seed), temperature)
    counts = np.bincount(drawn, minlength=K)
    expected = N * p / p.sum()
    assert np.all(np.abs(counts - expected) < 6 * np.sqrt(expected) + 6)


@given(st.integers(1, 6), st.integers(0, 10**6))
def test_top_k_draws_among_the_likeliest(k, seed):
    z = RNG(seed).normal(size=(1, 5))
    drawn = set(draw(np.repeat(z, 500, axis=0), RNG(seed), 9.0, top_k=k).tolist())
    assert drawn == set(np.argsort(-z[0])[:k].tolist())


def test_of_equals_the_first_count_and_the_impossible_is_never_drawn():
    equal = np.zeros((300, 4))
    assert set(draw(equal, RNG(0), top_k=2).tolist()) == {0, 1}
    assert set(draw(equal, temperature=0).tolist()) == {0}
    z = np.tile([-np.inf, 0.0, -np.inf, 1.0], (300, 1))
    assert set(draw(z, RNG(0)).tolist()) == {1, 3}
    assert set(draw(z, RNG(0), temperature=1e-300).tolist()) == {3}


def test_a_generator_draws_the_same_as_before_and_rows_differ():
    _, step = chain(5, 0)
    first, again, other = (
        sample(step, np.ones((1, 20), int), None, 30, rng=RNG(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert first.shape == (30, 20) and np.any(first != other)
    assert len(np.unique(first, axis=1).T) > 1


def test_a_sequence_that_has_ended_stays_ended():
    _, step = chain(3, 0, spread=0.5)
    found = sample(step, np.ones((2, 8), int), None, 400, rng=RNG(0), stop=0)
    assert len(found) < 400 and np.all(found[-1] == 0)
    assert np.any(found[-2] != 0)
    for column in found.T:
        assert np.all(column[np.argmax(column == 0) :] == 0)


def test_a_beam_never_takes_the_impossible():
    z = np.array([[0.0, -np.inf, 1.0]])

    def step(words, state):
        return np.repeat(z, len(words), axis=0), state

    found = beam_search(step, [0], None, 2, width=9)
    assert sorted(h.tokens for h in found) == [(0, 0), (0, 2), (2, 0), (2, 2)]


def test_a_network_is_sampled_and_searched():
    """Beams of a next-word model have the probabilities that the network gives."""
    network = ElmanNetwork(5, 3, 5, output_activation="softmax", rng=0)
    prompt = np.array([0, 3])
    for h in beam_search(next_word(network), prompt, None, 4, width=3):
        z = network.unroll(np.array([*prompt, *h.tokens[:-1]])[:, np.newaxis])
        z = np.array([i.v_y.data[0, :-1] for i in z[1:]])
        log_p = z - np.log(np.exp(z).sum(-1, keepdims=True))
        assert h.log_p == pytest.approx(log_p[range(4), h.tokens].sum(), rel=1e-12)
        assert 4 not in h.tokens
    few = generate(network, prompt, 20, RNG(0), top_k=1)
    assert few == generate(network, prompt, 20, RNG(5), temperature=0)


Z = np.zeros((2, 3))
STEP = chain(3, 0)[1]
search = partial(beam_search, STEP, [1], None, 3)
MISTAKES = [
    (lambda: draw(Z), ValueError, r"temperature=1.0 draws at random: give rng=.*np.rand"),
    (lambda: draw(Z, RNG(0), -1), ValueError, "temperature=-1, expected 0 or above"),
    (lambda: draw(Z, RNG(0), np.nan), ValueError, "temperature=nan"),
    (lambda: draw(Z, RNG(0), top_k=0), ValueError, "top_k=0, expected at least 1"),
    (lambda: draw(Z[0], RNG(0)), ValueError, r"shape \(3,\), expected \(B, K\)"),
    (lambda: draw(Z[:, :0], RNG(0)), ValueError, r"shape \(2, 0\)"),
    (lambda: draw(Z * np.nan, RNG(0)), FloatingPointError, "draw: logits have NaN or ∞"),
    (lambda: draw(Z - np.inf, temperature=0), FloatingPointError, "−∞ alone"),
    (lambda: sample(STEP, [1], None, 3), ValueError, r"int64 of shape \(1,\).*\(N, B\)"),
    (lambda: sample(STEP, np.ones((0, 1), int), None, 3), ValueError, "at least one tok"),
    (lambda: sample(STEP, [[1.0]], None, 3), ValueError, "the prompt is float64"),
    (lambda: sample(STEP, [[1]], None, 0), ValueError, "sample: length=0, expected at"),
    (lambda: sample(lambda w, s: (Z, s), [[1]], None, 3), ValueError,
     r"the step gave logits of shape \(2, 3\), expected \(B, K\) with B = 1"),
    (lambda: search(width=0), ValueError, "beam_search: width=0, expected at least 1"),
    (lambda: beam_search(STEP, [[1]], None, 3, width=2), ValueError, r"integers \(N,\)"),
    (lambda: beam_search(lambda w, s: (Z[:1] * np.nan, s), [1], None, 3, width=2),
     FloatingPointError, "beam_search: logits have NaN"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "match"), MISTAKES)
def test_mistakes(call, error, match):
    with pytest.raises(error, match=match):
        call()
