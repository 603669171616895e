"""Next-word models: the lecture's network over one-hot words, and what it is held to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from autograd import log_softmax, no_grad
from rnn.bptt import cut
from rnn.elman import ElmanNetwork
from rnn.losses import cross_entropy
from rnn.optim import AdamW, cosine
from rnn.sampling import Step, sample
from rnn.series import DataError
from rnn.text import Segmentation, Unigram, Vocabulary
from rnn.training import History, digest, fit

__all__ = [
    "Corpus", "LanguageRecipe", "generate", "log_p", "next_word", "train_language",
]  # fmt: skip

Array = np.ndarray[Any, Any]
FEWEST_WORDS = 100


@dataclass(frozen=True)
class Corpus:
    """A text as indices: eight tenths to learn from, one to stop by, the last to test on.

    Attributes:
        vocabulary: of the first nine tenths.
        learn, held_out, test: (N,) indices each.
    """

    vocabulary: Vocabulary
    learn: Array
    held_out: Array
    test: Array

    @classmethod
    def of(cls, tokens: list[str], size: int, min_count: int) -> Corpus:
        """Split a text and index it; DataError where there are too few words to learn."""
        if len(tokens) < FEWEST_WORDS:
            raise DataError(
                f"a text of {len(tokens)} words is too short to learn from; expected at "
                f"least {FEWEST_WORDS}"
            )
        a, b = len(tokens) * 8 // 10, len(tokens) * 9 // 10
        vocabulary = Vocabulary.of(tokens[:b], size, min_count)
        if len(vocabulary) < 2:
            raise DataError(
                f"no word occurs {min_count} times in the text; lower --min-count, or "
                "give more text"
            )
        parts = (tokens[:a], tokens[a:b], tokens[b:])
        return cls(vocabulary, *(vocabulary.encode(part) for part in parts))


@dataclass(frozen=True)
class LanguageRecipe:
    """How a next-word model is trained.

    Attributes:
        hidden: H.
        epochs: at the most; training stops early where the held-out text says so.
        lr: the learning rate at the start; half a cosine takes it to 0.
        weight_decay: see `AdamW`.
        batch, bptt: B streams, cut every so many steps.
        patience: how many epochs without a gain to wait.
    """

    hidden: int = 192
    epochs: int = 12
    lr: float = 6e-3
    weight_decay: float = 1.0
    batch: int = 20
    bptt: int = 35
    patience: int = 3


def train_language(
    corpus: Corpus,
    recipe: LanguageRecipe,
    seed: int,
    checkpoint: str | Path | None = None,
    show: str | None = None,
) -> tuple[ElmanNetwork, History]:
    """Train the lecture's network to foretell the next word.

    The output layer's biases start at the logarithms of the words' frequencies, so that
    training sets out from the unigram model.

    Args:
        corpus: the text.
        recipe: how.
        seed: of the initial parameters.
        checkpoint, show: see `fit`.
    """
    V = len(corpus.vocabulary)
    network = ElmanNetwork(
        V, recipe.hidden, V, output_activation="softmax", rng=seed, dtype=np.float32
    )
    network.b_y.data = np.log(Unigram(corpus.learn, V).p).astype(np.float32)
    segments = Segmentation(corpus.learn, recipe.batch, recipe.bptt)
    total = recipe.epochs * len(segments)
    optimizer = AdamW(network.parameters(), recipe.lr, weight_decay=recipe.weight_decay)
    identity = {"data": digest(corpus.learn), "seed": seed, "recipe": repr(recipe)}
    history = fit(
        partial(_objective, network),
        segments,
        optimizer,
        epochs=recipe.epochs,
        schedule=partial(cosine, recipe.lr, total),
        max_norm=1.0,
        validate=lambda: float(-np.mean(log_p(network, corpus.held_out))),
        patience=recipe.patience,
        checkpoint=checkpoint,
        run=identity,
        show=show,
    )
    return network, history


def _objective(network: ElmanNetwork, segment: Any, state: Any) -> tuple[Any, Any]:
    x, d = segment
    instants = network.unroll(x, state)
    E = cross_entropy(np.stack([i.v_y for i in instants]), d)
    return E, cut(instants[-1].a)


def log_p(network: ElmanNetwork, text: Array, steps: int = 100) -> Array:
    """The log-probability of each word of a text but the first, given those before it.

    Args:
        network: a next-word model.
        text: (N,) indices.
        steps: how many words to take at once.

    Returns:
        (N − 1,).
    """
    state, found = None, []
    with no_grad():
        for x, d in Segmentation(text, 1, steps):
            instants = network.unroll(x, state)
            state = instants[-1].a.data
            scores = log_softmax(np.stack([i.v_y.data for i in instants]))
            found.append(np.take_along_axis(scores, d[..., np.newaxis], axis=-1).ravel())
    return np.concatenate(found)


def next_word(network: ElmanNetwork) -> Step:
    """A next-word model as `sample` and `beam_search` take it, without `<unk>`."""

    def step(words: Array, state: Any) -> tuple[Any, Any]:
        instant = network.unroll(words[np.newaxis], state)[-1]
        return instant.v_y.data[:, :-1], instant.a.data

    return step


def generate(
    network: ElmanNetwork,
    prompt: Array,
    length: int,
    rng: np.random.Generator,
    temperature: float = 1.0,
    top_k: int | None = None,
) -> list[int]:
    """Continue a text, word by word; `<unk>`, the last index, is never drawn.

    Args:
        network: a next-word model over V words.
        prompt: (N,) indices, at least one.
        length: how many words to add.
        rng, temperature, top_k: see `draw`.
    """
    start = np.asarray(prompt)[:, np.newaxis]
    options: dict[str, Any] = {"rng": rng, "temperature": temperature, "top_k": top_k}
    return sample(next_word(network), start, None, length, **options)[:, 0].tolist()
