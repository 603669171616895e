"""Models over a table of vectors: the same numbers by every route, and their training."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import log_softmax
from rnn import LanguageModel, language, load, save
from rnn.check import check_language_model
from rnn.language import (
    Corpus,
    LanguageRecipe,
    generate,
    likeliest,
    log_p,
    read,
    train_language,
)
from rnn.losses import cross_entropy
from rnn.text import Unigram, perplexity

GATED = ("rnn", "gru", "lstm")
V = 7
cells = pytest.mark.parametrize("cell", GATED)


def model_of(cell, layers=1, dropout=0.0, **options):
    return LanguageModel(V, 3, 4, cell, layers, dropout, rng=0, **options)


def indices(*shape):
    return np.random.default_rng(1).integers(0, V, shape)


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def wave():
    """A text in which what follows depends on more than the word before."""
    rng = np.random.default_rng(0)
    words = "o rei viu a rainha e ela viu o mar .".split()  # noqa: SIM905
    return Corpus.of([w for _ in range(60) for w in words[: rng.integers(5, 12)]], 99, 2)


@given(st.sampled_from(GATED), st.integers(1, 3), st.integers(1, 5), st.integers(1, 3))
def test_the_state_goes_on_where_a_text_is_cut(cell, layers, cut, batch):
    model, x = model_of(cell, layers), indices(6, batch)
    whole, end = model(x)
    first, state = model(x[:cut])
    second, after = model(x[cut:], state)
    joined = np.concatenate([first.data, second.data])
    np.testing.assert_allclose(joined, whole.data, rtol=1e-13, atol=1e-15)
    for found, expected in zip(parts(after), parts(end), strict=True):
        assert found.shape == (layers, batch, 4)
        np.testing.assert_allclose(found.data, expected.data, rtol=1e-13, atol=1e-15)


@cells
def test_laid_out_in_time_it_is_the_same_model(cell):
    model, x = model_of(cell, dropout=0.5).eval(), indices(5, 2)
    _, state = model(indices(3, 2))
    logits, _ = model(x, state)
    readings = model.unroll(x, state, "abcde")
    found = np.stack([reading.v_y.data for reading in readings])
    np.testing.assert_allclose(found, logits.data, rtol=1e-13, atol=1e-15)
    assert [reading.v_y.scope for reading in readings] == [f"t={s}" for s in "abcde"]


@cells
@pytest.mark.parametrize("layers", [1, 2])
def test_values_and_gradients_are_pytorchs(cell, layers):
    torch = pytest.importorskip("torch")
    model, x, d = model_of(cell, layers), indices(5, 2), indices(2, 5).T
    table = torch.nn.Embedding(V, 3, dtype=torch.float64)
    recurrent = getattr(torch.nn, cell.upper())(3, 4, layers, dtype=torch.float64)
    output = torch.nn.Linear(4, V, dtype=torch.float64)
    theirs = torch.nn.ModuleDict(
        {"embedding": table, "recurrent": recurrent, "output": output}
    )
    state = {k: torch.from_numpy(v) for k, v in model.state_dict().items()}
    theirs.load_state_dict(state)
    logits = output(recurrent(table(torch.from_numpy(x)))[0])
    expected = torch.nn.functional.cross_entropy(
        logits.reshape(-1, V), torch.from_numpy(np.ascontiguousarray(d)).reshape(-1)
    )
    expected.backward()
    E = cross_entropy(model(x)[0], d)
    E.backward()
    assert E.item() == pytest.approx(expected.item(), rel=1e-13)
    gradients = {name: p.grad.numpy() for name, p in theirs.named_parameters()}
    assert gradients.keys() == model.parameters().keys()
    for name, p in model.parameters().items():
        np.testing.assert_allclose(p.grad, gradients[name], rtol=1e-11, atol=1e-15)


@cells
def test_the_engine_agrees_with_the_formulas_by_hand(cell):
    model, x, d = model_of(cell), indices(6, 2), indices(2, 6).T

    def loss(readings, factor=1.0):
        logits = np.stack([reading.v_y for reading in readings])
        return factor * cross_entropy(logits, d, reduction="sum")

    rows = check_language_model(model, x, d, loss)
    assert len(rows) == len(model.parameters()) + 2 * len(x)
    assert max(row.difference for row in rows) <= 1e-13
    assert all(row.norm > 0 for row in rows)
    wrong = check_language_model(model, x, d, lambda readings: loss(readings, 1.01))
    assert min(row.difference for row in wrong) > 1e-3
    with pytest.raises(ValueError, match="2 layers and directions, expected one"):
        check_language_model(model_of(cell, 2), x, d, loss)


def test_ten_thousand_words_make_no_one_hot_vectors():
    words, T, B = 10_001, 35, 20
    model = LanguageModel(words, 8, 8, rng=0, dtype=np.float32)
    x = np.random.default_rng(0).integers(0, words, (T, B))
    tracemalloc.start()
    E = cross_entropy(model(x)[0], x)
    E.backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    logits = T * B * words * 4
    assert peak < 3.5 * logits  # the product, its sum with the bias, and the gradient
    assert model.embedding.weight.grad.shape == (words, 8)


def test_dropout_is_for_training_alone():
    model, text = model_of("lstm", 2, dropout=0.5), indices(30)
    exact = log_p(model, text)
    np.testing.assert_array_equal(log_p(model, text, 7), exact)
    model.eval()
    np.testing.assert_array_equal(log_p(model, text), exact)
    assert not model.training and not model.recurrent.training
    model.train()
    first, second = (model(text[:, None])[0].data for _ in range(2))
    assert np.abs(first - second).max() > 1e-3
    prompt = text[:3]
    assert generate(model, prompt, 9, None, 0) == generate(model, prompt, 9, None, 0)
    assert model.training and model.recurrent.training


@pytest.mark.parametrize("layers", [1, 2])
@cells
def test_the_likeliest_text_is_that_of_all_texts(cell, layers):
    model, prompt, n = model_of(cell, layers), indices(3), 3
    for p in model.parameters().values():
        p.data = 3 * p.data
    known = V - 1  # without <unk>
    texts = np.stack(np.meshgrid(*[np.arange(known)] * n), axis=-1).reshape(-1, n)
    x = np.column_stack([np.tile(prompt, (len(texts), 1)), texts]).T
    scores = log_softmax(read(model, x[:-1], None)[0].data[..., :-1])
    p = np.take_along_axis(scores, x[1:, :, None], axis=-1)[-n:, :, 0].sum(axis=0)
    best = likeliest(model, prompt, n, known**n)
    assert [h.tokens for h in best[:5]] == [tuple(texts[i]) for i in np.argsort(-p)[:5]]
    assert best[0].log_p == pytest.approx(p.max(), rel=1e-12)
    (greedy,) = likeliest(model, prompt, n, 1)
    assert list(greedy.tokens) == generate(model, prompt, n, None, 0)


@cells
def test_it_learns_what_a_bigram_cannot_know(cell):
    corpus = wave()
    recipe = LanguageRecipe.of(
        cell, embedding=8, hidden=16, epochs=25, batch=4, bptt=10, dropout=0.0,
        weight_decay=0.01, lr=0.02,
    )  # fmt: skip
    network, history = train_language(corpus, recipe, seed=0)
    size = len(corpus.vocabulary)
    found = perplexity(log_p(network, corpus.test))
    assert found < perplexity(Unigram(corpus.learn, size).log_p(corpus.test)) / 3
    assert history.loss[-1] < history.loss[0] / 2


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_an_interrupted_training_ends_with_the_same_bits(cell, tmp_path, monkeypatch):
    """Dropout draws on where it stood."""
    corpus, path = wave(), tmp_path / "checkpoint.safetensors"
    recipe = LanguageRecipe.of(cell, hidden=8, epochs=5, batch=4, bptt=10, dropout=0.4)
    straight, history = train_language(corpus, recipe, seed=3)
    calls = iter(range(99))

    def interrupting(network, text):
        if next(calls) == 2:
            raise KeyboardInterrupt
        return log_p(network, text)

    monkeypatch.setattr(language, "log_p", interrupting)
    with pytest.raises(KeyboardInterrupt):
        train_language(corpus, recipe, 3, path)
    resumed, again = train_language(corpus, recipe, 3, path)
    assert again == history
    for name, value in straight.state_dict().items():
        np.testing.assert_array_equal(resumed.state_dict()[name], value)


def test_it_comes_back_from_a_file(tmp_path):
    model = model_of("gru", 2, dropout=0.25, dtype=np.float32)
    save(model, tmp_path / "model.safetensors")
    again, _ = load(tmp_path / "model.safetensors")
    assert repr(again) == repr(model)
    x = indices(4, 2)
    np.testing.assert_array_equal(again.eval()(x)[0].data, model.eval()(x)[0].data)


INVALID = [
    (lambda: LanguageModel(V, 3, 4, "elm"), "cell='elm', expected one of rnn, gru, lstm"),
    (
        lambda: LanguageModel(V, 0, 4),
        "LanguageModel: embedding_size=0, expected",
    ),
    (lambda: LanguageModel(V, 3, 4, dropout=1.0), "dropout=1.0, expected 0 to 1"),
    (lambda: LanguageModel(V, 3, 4, dtype=int), "expected float32 or float64"),
    (lambda: model_of("gru")([1, 2]), r"x has shape \(2,\), expected indices \(T, B\)"),
    (lambda: model_of("gru")(np.zeros((0, 2), int)), r"\(0, 2\), expected indices"),
    (lambda: model_of("gru")([[V]]), "indices from 7 to 7, expected 0 to 6"),
    (lambda: model_of("gru", 2).unroll([[1]]), "2 layers and directions, expected one"),
    (lambda: LanguageRecipe.of("x"), "cell='x', expected one of elman, rnn, gru, lstm"),
]


@pytest.mark.parametrize(("call", "match"), INVALID)
def test_what_cannot_be_is_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()
