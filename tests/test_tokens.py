"""Texts as tokens and as batches."""

import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograd import Tensor
from autograd.extras import MissingExtraError
from rnn import ElmanNetwork
from rnn.language import next_word
from rnn.losses import cross_entropy
from rnn.optim import Adam
from rnn.sampling import sample
from rnn.text import (
    IGNORED,
    Batches,
    Segmentation,
    Vocabulary,
    characters,
    join,
    pad,
    tokenise,
)  # fmt: skip
from rnn.tokens import TOKENISERS, _patterns
from rnn.training import fit

TOKENS = [
    ("Disse-lhe: dir-se-ia que fá-lo-ei!",
     ["disse-lhe", ":", "dir-se-ia", "que", "fá-lo-ei", "!"]),
    ("d'água, d’água e pára-raios", ["d'água", ",", "d’água", "e", "pára-raios"]),
    ("'aspas' e -lhe -", ["'", "aspas", "'", "e", "-", "lhe", "-"]),
    ("Custou 1.234,56 em 1899, e 3,5 mais.",
     ["custou", "1.234,56", "em", "1899", ",", "e", "3,5", "mais", "."]),
    ("o 2º, a 3ª e 10:30", ["o", "2º", ",", "a", "3ª", "e", "10", ":", "30"]),
    ("3,5a 1,2,x", ["3", ",", "5a", "1,2", ",", "x"]),
    ("ÀS AÇÕES", ["às", "ações"]),
    (unicodedata.normalize("NFD", "Coração não é"), ["coração", "não", "é"]),
    ("m̃bo", ["m̃bo"]),
    ("Ele — só ele -- foi... «foi»?",
     ["ele", "—", "só", "ele", "--", "foi", "...", "«", "foi", "»", "?"]),
    ("um_dois <unk>\n\ttrês", ["um", "_", "dois", "<unk>", "três"]),
    ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
    ("สวัสดี ชาวโลก, 안녕하세요", ["สวัสดี", "ชาวโลก", ",", "안녕하세요"]),
    ("שָׁלוֹם مَرْحَبًا", ["שָׁלוֹם", "مَرْحَبًا"]),
    ("می\u200cخواهم க்ஷ so\u00adft", ["می\u200cخواهم", "க்ஷ", "so\u00adft"]),
    ("ok 👨\u200d👩\u200d👧 ok👍🏽", ["ok", "👨\u200d👩\u200d👧", "ok", "👍🏽"]),
    ("🇧🇷🇵🇹 1️⃣ ❤️.", ["🇧🇷", "🇵🇹", "1️⃣", "❤️", "."]),
    ("a\u200bb \x1c\u0301c", ["a", "\u200b", "b", "\u0301", "c"]),
    ("a\u0600 b -\u0301- ....", ["a", "\u0600", "b", "-\u0301", "-", "...", "."]),
    ("", []),
    (" \n", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "tokens"), TOKENS)
def test_words_and_punctuation(text, tokens):
    assert tokenise(text) == tokens
    assert [t.lower() for t in tokenise(text, lower=False)] == tokens


WORDS = st.sampled_from("coração disse-lhe d'água não É 3,50 1899 2º ã".split())  # noqa: SIM905
MARKS = st.sampled_from([",", ";", "!", "?", "»", ")", "«", "("])


@given(st.lists(WORDS | MARKS))
def test_what_is_joined_has_the_same_tokens(tokens):
    assert tokenise(join(tokens), lower=False) == tokens


@given(st.text())
def test_however_an_accent_was_typed_it_is_one_letter(text):
    for form in ("NFC", "NFD"):
        typed = unicodedata.normalize(form, text)
        assert tokenise(typed, lower=False) == tokenise(text, lower=False)
        assert characters(typed) == characters(text)


anything = st.text(st.characters(codec=None), max_size=12) | st.text(
    st.sampled_from(
        "a1É ि क ् ่ ก َ \u0301\u200c\u200d\u200b\ufe0f👨👩🇧🇷\u1100\u1161\u11a8\u0600\u00ad"
        "\ud800\x00\x1c\u2028'’-._,([“<unk>🏻\u20e3\n"
    ),
    max_size=12,
)


@given(anything)
@example(". . .")
@example(". ...")
@example("(\u0301")
@example("\u0600 ")
@example("_ \x1f")
def test_join_gives_a_text_back_up_to_white_space(text):
    composed = unicodedata.normalize("NFC", text)
    assert "".join(characters(text)) == composed
    tokens = tokenise(text, lower=False)
    assert "".join(tokens) == "".join(composed.split())
    assert "".join(join(tokens).split()) == "".join(composed.split())
    assert tokenise(join(tokens), lower=False) == tokens


REAL = [
    "Vi, claramente visto, o lume vivo que a marítima gente tem por santo.",
    "She couldn't say (not then, at least) why the co-op's clerk paid 1,234.50.",
    "सभी मनुष्य स्वतन्त्र जन्म लेते हैं, और गरिमा में समान हैं।",
    "كل الناس يولدون أحرارا، ومتساوين في الكرامة.",
    "Все люди рождаются свободными; все равны!",
    "모든 인간은 자유롭게 태어난다.",
    "人は皆 自由に生まれる。",
    "ทุกคน เกิดมามีอิสระ",
    "Που πας; Πάω στο σπίτι…",
    "🏳️\u200d🌈 e 👩🏾\u200d🚀 foram 🇧🇷",
]


@pytest.mark.parametrize("text", REAL)
def test_join_keeps_the_words_of_a_real_text_apart_and_whole(text):
    assert join(tokenise(text, lower=False)) == unicodedata.normalize("NFC", text)


def test_a_model_of_words_does_not_learn_marks_of_emphasis():
    assert TOKENISERS["words"].split("_So_ é") == ["so", "é"]


def test_text_of_many_dots_keeps_its_tokens():
    for n in range(12):
        assert join(tokenise("x" + "." * n)) == "x" + "." * n


def test_tokenise_names_the_extra_where_regex_is_missing(monkeypatch):
    _patterns.cache_clear()
    monkeypatch.setitem(sys.modules, "regex", None)
    for call in (tokenise, characters):
        with pytest.raises(MissingExtraError, match=r"needs regex.*unrolled\[all\]"):
            call("a b")
    assert join(["a", ",", "b"]) == "a, b"


def test_characters_have_a_vocabulary_too():
    text = "São só\nsonhos."
    vocabulary = Vocabulary.of(characters(text), size=100)
    assert vocabulary.words == [*sorted(set(text)), "<unk>"]
    indices = vocabulary.encode(characters(unicodedata.normalize("NFD", text)))
    assert "".join(vocabulary.decode(indices)) == text


def test_the_lectures_size_and_ties():
    tokens = [f"p{i}" for i in range(20_000)] + ["zebra"] * 2
    vocabulary = Vocabulary.of(tokens)
    assert len(vocabulary) == 10_001 and vocabulary.words[-1] == "<unk>"
    # Of the words that occur once, the first in the text.
    assert set(vocabulary.words) == {f"p{i}" for i in range(9_999)} | {"zebra", "<unk>"}
    assert vocabulary.encode(["p19999", "zebra"]).tolist() == [10_000, 9_999]


texts = st.lists(st.integers(2, 9), min_size=1, max_size=12)


@given(texts, st.integers(1, 5), st.booleans(), st.booleans())
def test_batches_hold_every_text_once(lengths, batch, shuffled, bucketed):
    starts = np.cumsum([0, *lengths[:-1]])
    data = [np.arange(s, s + n) for s, n in zip(starts, lengths, strict=True)]
    rng = np.random.default_rng(0) if shuffled else None
    batches = Batches(data, batch, rng, bucketed)
    for _ in range(2):
        found = []
        passed = list(batches)
        assert len(passed) == len(batches)
        for x, d, steps in passed:
            assert x.shape == d.shape == (steps.max(), len(steps))
            for b, n in enumerate(steps):
                found.append(tuple(x[:n, b]))
                np.testing.assert_array_equal(d[:n, b], x[:n, b] + 1)
                assert not x[n:, b].any() and np.all(d[n:, b] == IGNORED)
        expected = [tuple(text[:-1]) for text in data]
        assert sorted(found) == sorted(expected)
        if not (shuffled or bucketed):
            assert found == expected
    if bucketed:
        least = sum(-n for n in lengths) + len(lengths)
        padding = sum(x.size for x, _, _ in passed) + least
        plain = sum(x.size for x, _, _ in Batches(data, batch)) + least
        assert padding <= plain or len(lengths) % batch


def test_batches_are_shuffled_anew_in_each_pass_and_by_their_seed():
    data = [np.arange(n) for n in (3, 3, 3, 4, 4, 4, 5, 5)]
    passes = [
        [[list(steps) for _, _, steps in batches] for _ in range(3)]
        for batches in (Batches(data, 2, np.random.default_rng(1)) for _ in range(2))
    ]
    assert passes[0] == passes[1] and passes[0][0] != passes[0][1]
    bucketed = Batches(data, 2, np.random.default_rng(1), bucketed=True)
    firsts = {tuple(next(iter(bucketed))[2]) for _ in range(20)}
    assert firsts == {(2, 2), (2, 3), (3, 3), (4, 4)}


def test_padding_does_not_teach():
    """The loss of a padded batch is the mean over its words, whatever the padding."""
    rng = np.random.default_rng(0)
    (x, d, lengths), = Batches([np.array([1, 2, 0]), np.array([2, 1])], 2)  # fmt: skip
    assert x.tolist() == [[1, 2], [2, 0]] and d.tolist() == [[2, 1], [0, -1]]
    z = Tensor(rng.normal(size=(2, 2, 3)), requires_grad=True)
    E = cross_entropy(z, d, ignore_index=IGNORED)
    E.backward()
    p = np.exp(z.data) / np.exp(z.data).sum(-1, keepdims=True)
    expected = -np.log([p[0, 0, 2], p[1, 0, 0], p[0, 1, 1]]).mean()
    assert E.item() == pytest.approx(expected, rel=1e-12)
    assert not z.grad[1, 1].any() and lengths.tolist() == [2, 1]


def test_a_network_learns_short_texts_side_by_side():
    words = ["ana", "sol", "lua.", "nós"]
    vocabulary = Vocabulary.of(characters("".join(words) + "\n"), size=99)
    V = len(vocabulary)
    data = [vocabulary.encode(characters(f"\n{word}\n")) for word in words]
    network = ElmanNetwork(V, 24, V, output_activation="softmax", rng=0)

    def objective(batch, state):
        x, d, _ = batch
        v_y = np.stack([i.v_y for i in network.unroll(x)])
        return cross_entropy(v_y, d, ignore_index=IGNORED), None

    rng = np.random.default_rng(0)
    fit(objective, Batches(data, 2, rng, bucketed=True),
        Adam(network.parameters(), 0.02), epochs=80, rng=rng)  # fmt: skip
    end = data[0][-1]
    options = {"rng": rng, "stop": end, "temperature": 0.4}
    found = sample(next_word(network), np.full((1, 40), end), None, 9, **options)
    told = {"".join(vocabulary.decode(column)).strip("\n") for column in found.T}
    assert told == set(words)


def test_padding_of_vectors():
    padded, lengths = pad([np.ones((1, 2)), np.zeros((3, 2))], fill=7.0)
    assert padded.shape == (3, 2, 2) and lengths.tolist() == [1, 3]
    np.testing.assert_array_equal(padded[:, 0], [[1, 1], [7, 7], [7, 7]])


AB = Vocabulary(["a", "b"])
TEXT = np.arange(9)
MISTAKES = [
    (lambda: tokenise(b"S\xc3\xa3o"), TypeError, r"tokenise: got bytes.*decode\('utf-8'"),
    (lambda: characters(None), TypeError, "characters: got NoneType, expected text"),
    (lambda: Vocabulary("ab"), TypeError, "Vocabulary: got one string, expected tokens"),
    (lambda: Vocabulary.of("a b"), TypeError, r"Vocabulary.of: .*tokenise\(text\)"),
    (lambda: AB.encode("a b"), TypeError, "Vocabulary.encode: got one string"),
    (lambda: Vocabulary.of(["a"], size=0), ValueError, "size=0, expected at least 1"),
    (lambda: Vocabulary.of(["a"], min_count=0), ValueError, "min_count=0, expected at"),
    (
        lambda: AB.decode([0, 3]),
        IndexError,
        "decode: index 3, expected 0 to 2",
    ),
    (lambda: AB.decode([-1]), IndexError, "index -1"),
    (lambda: Segmentation(TEXT, 0, 3), ValueError, "Segmentation: batch=0, expected at"),
    (lambda: Segmentation(TEXT, 2, 0), ValueError, "Segmentation: steps=0"),
    (lambda: Segmentation(TEXT[:1], 2, 3), ValueError, "1 words has no next word"),
    (lambda: Segmentation(TEXT * 1.0, 2, 3), ValueError, "the text is float64 of shape"),
    (lambda: Segmentation(TEXT.reshape(3, 3), 2, 3), ValueError, r"int64 of .* \(N,\)"),
    (lambda: Batches([TEXT], 0), ValueError, "Batches: batch=0"),
    (lambda: Batches([], 2), ValueError, "Batches: there are no texts"),
    (lambda: Batches([TEXT, TEXT[:1]], 2), ValueError, "text 1 has 1 words, expected at"),
    (lambda: Batches([TEXT, [0.5]], 2), ValueError, "text 1 is float64"),
    (lambda: Batches([["a", "b"]], 2), ValueError, "text 0 is <U1 .*vocabulary.encode"),
    (lambda: pad([]), ValueError, "pad: sequences of shapes none, expected at least one"),
    (lambda: pad([np.ones((2, 3)), np.ones((2, 4))]), ValueError, r"\(2, 3\), \(2, 4\)"),
    (lambda: pad([1.0]), ValueError, r"pad: sequences of shapes \(\)"),
]


@pytest.mark.parametrize(("call", "error", "match"), MISTAKES)
def test_mistakes(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_texts_of_unsigned_integers_have_targets_too():
    """IGNORED is −1, which is none of them."""
    texts = [np.array([1, 2, 3], np.uint64), np.array([250, 4], np.uint8)]
    ((x, d, lengths),) = Batches(texts, 2)
    assert x.dtype == d.dtype == np.intp
    assert x.T.tolist() == [[1, 2], [250, 0]] and lengths.tolist() == [2, 1]
    assert d.T.tolist() == [[2, 3], [4, IGNORED]]


def test_padding_is_what_it_was_told_to_be():
    numbers, _ = pad([[1, 2], [3]], np.nan)
    np.testing.assert_array_equal(numbers, [[1.0, 3.0], [2.0, np.nan]])
    unsigned = [np.array([200, 2], np.uint8), np.array([3], np.uint8)]
    assert pad(unsigned, -1)[0].tolist() == [[200, 3], [2, -1]]
    assert pad(unsigned)[0].dtype == np.uint8


def test_batches_take_a_seed_and_lists():
    passes = [[x.T.tolist() for x, _, _ in Batches([[i, 9] for i in range(9)], 2, rng=3)]
              for _ in range(2)]  # fmt: skip
    assert passes[0] == passes[1] != sorted(passes[0])
    ((x, d),) = Segmentation([1, 2, 3], 1, 5)
    assert x.tolist() == [[1], [2]] and d.tolist() == [[2], [3]]
