"""Words to indices, the counting models, and the next-word network."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn import ElmanNetwork
from rnn.language import Corpus, LanguageRecipe, generate, log_p, train_language
from rnn.series import DataError
from rnn.text import Bigram, Segmentation, Unigram, Vocabulary, join, perplexity, tokenise

NOVEL = Path(__file__).parents[2] / "shared" / "data" / "dom_casmurro.txt"


def test_the_lectures_sentence():
    tokens = tokenise("João, o inverno chegou, precisamos ...")
    assert tokens == ["joão", ",", "o", "inverno", "chegou", ",", "precisamos", "..."]
    vocabulary = Vocabulary(
        ["a", "chegou", "inverno", "joão", "o", "precisamos", "zumbi"]
    )
    assert vocabulary.words[-1] == "<unk>" and len(vocabulary) == 8
    assert vocabulary.encode(tokens).tolist() == [3, 7, 4, 2, 1, 7, 5, 7]
    assert vocabulary.decode([2, 7]) == ["inverno", "<unk>"]


def test_accents_hyphens_and_dashes_are_kept():
    text = "--Chamam-me «Dom Casmurro»; é, d'água _mesmo_!"
    assert tokenise(text) == [
        "--", "chamam-me", "«", "dom", "casmurro", "»", ";", "é", ",", "d'água", "_",
        "mesmo", "_", "!",
    ]  # fmt: skip
    assert join(tokenise("Ele (o rei) disse: «vem!»")) == "ele (o rei) disse: «vem!»"


@given(st.lists(st.sampled_from("abcde"), max_size=40), st.integers(2, 6))
def test_a_vocabulary_holds_the_most_frequent(tokens, size):
    vocabulary = Vocabulary.of(tokens, size, min_count=1)
    assert len(vocabulary) <= size and vocabulary.words[:-1] == sorted(
        vocabulary.words[:-1]
    )
    left_out = set(tokens) - set(vocabulary.words)
    least = min((tokens.count(w) for w in vocabulary.words[:-1]), default=0)
    assert all(tokens.count(w) <= least for w in left_out)
    decoded = vocabulary.decode(vocabulary.encode(tokens))
    assert decoded == [t if t in vocabulary.words else "<unk>" for t in tokens]


def test_rare_words_are_unknown():
    assert Vocabulary.of(["a", "a", "b"], 10, min_count=2).words == ["a", "<unk>"]


@given(st.integers(2, 60), st.integers(1, 7), st.integers(1, 9))
def test_segments_are_the_text_in_parallel_streams(length, batch, steps):
    text = np.arange(length)
    segments = list(Segmentation(text, batch, steps))
    assert len(segments) == len(Segmentation(text, batch, steps))
    x = np.concatenate([s[0] for s in segments])
    d = np.concatenate([s[1] for s in segments])
    np.testing.assert_array_equal(d, x + 1)
    np.testing.assert_array_equal(x[1:], x[:-1] + 1)
    assert all(len(s[0]) <= steps for s in segments)
    assert x.size > length - 1 - x.shape[1]


def test_unigram_and_bigram_are_distributions():
    text = np.array([0, 1, 0, 2, 0, 1, 1, 0])
    unigram, bigram = Unigram(text, 4), Bigram(text, text, 4)
    assert unigram.p.tolist() == [5 / 12, 4 / 12, 2 / 12, 1 / 12]
    for before in (0, 1, 2, 3):
        p = [np.exp(bigram.log_p(np.array([before, w]))[0]) for w in range(4)]
        assert sum(p) == pytest.approx(1)
    conditional = 2 / 3  # of the three words after 0, two are 1
    expected = bigram.weight * conditional + (1 - bigram.weight) * 4 / 12
    assert np.exp(bigram.log_p(np.array([0, 1])))[0] == pytest.approx(expected)
    assert perplexity(np.log([0.25, 0.25])) == pytest.approx(4)


def cyclic_corpus():
    rng = np.random.default_rng(0)
    words = ["o", "rei", "viu", "a", "rainha", "e", "ela", "viu", "o", "mar", "."]
    tokens = [w for _ in range(80) for w in words[: rng.integers(5, 12)]]
    return Corpus.of(tokens, 10_001, 2)


def test_a_network_learns_to_foretell_words():
    corpus = cyclic_corpus()
    recipe = LanguageRecipe(hidden=12, epochs=25, batch=4, bptt=10, weight_decay=0.01)
    network, history = train_language(corpus, recipe, seed=0)
    size = len(corpus.vocabulary)
    found = perplexity(log_p(network, corpus.test))
    assert found < perplexity(Unigram(corpus.learn, size).log_p(corpus.test)) / 2
    assert history.score[history.best] == min(history.score)
    again, _ = train_language(corpus, recipe, seed=0)
    np.testing.assert_array_equal(again.W_a.data, network.W_a.data)


def test_log_p_is_a_distribution_whatever_the_chunks():
    network = ElmanNetwork(4, 3, 4, output_activation="softmax", rng=0)
    text = np.array([0, 3, 1, 2, 2, 0])
    np.testing.assert_allclose(
        log_p(network, text, 2), log_p(network, text, 100), rtol=1e-12
    )
    ends = [np.exp(log_p(network, np.append(text, w))[-1]) for w in range(4)]
    assert sum(ends) == pytest.approx(1)


def test_the_objective_passes_its_state_on():
    from rnn.language import _objective

    network = ElmanNetwork(4, 3, 4, output_activation="softmax", rng=0)
    x = np.array([[0, 1], [2, 3], [1, 1], [3, 0]])
    _, state = _objective(network, (x[:2], x[1:3]), None)
    E, _ = _objective(network, (x[2:3], x[3:]), state)
    whole = log_p(network, x[:, 0])[-1], log_p(network, x[:, 1])[-1]
    assert E.item() == pytest.approx(-np.mean(whole))


def test_generation_is_seeded_and_never_unknown():
    network = ElmanNetwork(5, 3, 5, output_activation="softmax", rng=0)
    network.b_y.data[-1] = 50.0
    prompt = np.array([0, 4])
    first = generate(network, prompt, 30, np.random.default_rng(1))
    assert first == generate(network, prompt, 30, np.random.default_rng(1))
    assert len(first) == 30 and 4 not in first
    cold = generate(network, prompt, 1, np.random.default_rng(1), temperature=0)
    assert cold == [int(np.argmax(network(prompt[:, None]).data[-1, 0, :-1]))]


def test_too_short_a_text():
    with pytest.raises(DataError, match=r"1 words is too short.*at least 100"):
        Corpus.of(["só"], 10, 1)
    with pytest.raises(DataError, match="none of the words occurs 9 times"):
        Corpus.of([f"w{i}" for i in range(200)], 10, 9)
    with pytest.raises(ValueError, match="no next word"):
        Segmentation(np.array([1]), 2, 3)


@pytest.mark.skipif(not NOVEL.exists(), reason="the novel is not beside the checkout")
def test_the_novel():
    tokens = tokenise(NOVEL.read_text(encoding="utf-8"))
    corpus = Corpus.of(tokens, 10_001, 2)
    V = len(corpus.vocabulary)
    assert {"capitú", "você", "não", "--"} <= set(corpus.vocabulary.words)
    unigram = perplexity(Unigram(corpus.learn, V).log_p(corpus.test))
    bigram = perplexity(Bigram(corpus.learn, corpus.held_out, V).log_p(corpus.test))
    assert bigram < unigram < V
    for cell in ("elman", "lstm"):
        recipe = LanguageRecipe.of(cell, hidden=64, epochs=1)
        network, _ = train_language(corpus, recipe, seed=0)
        assert perplexity(log_p(network, corpus.test)) < unigram


def test_the_bigrams_weight_is_the_best_for_the_held_out_text():
    """Neither that of the text that is counted, nor the other way round."""
    rng = np.random.default_rng(0)
    text, held_out = np.arange(60) % 3, rng.integers(0, 3, 60)
    held_out[:30] = text[:30]
    bigram = Bigram(text, held_out, 3)
    counts = np.zeros((3, 3))
    np.add.at(counts, (text[:-1], text[1:]), 1)
    pair = counts / counts.sum(1, keepdims=True)
    p = (np.bincount(text) + 1) / (len(text) + 3)
    u, w = held_out[:-1], held_out[1:]
    grid = np.linspace(0.01, 0.99, 99)
    scores = [np.log(k * pair[u, w] + (1 - k) * p[w]).sum() for k in grid]
    assert bigram.weight == grid[np.argmax(scores)]
    assert 0.3 < bigram.weight < 0.8
    assert Bigram(text, text, 3).weight == 0.99
