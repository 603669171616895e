"""Language models: trained on a text to foretell the next token, and what is done then.

The lecture's network over one-hot words and the `LanguageModel`s with a table of vectors
are two cases of one recipe: both read (indices (T, B), state) → (logits, next state).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from autograd import log_softmax, no_grad
from rnn.elman import ElmanNetwork
from rnn.language_model import LanguageModel
from rnn.losses import cross_entropy
from rnn.optim import AdamW, cosine
from rnn.sampling import Hypothesis, Step, beam_search, sample
from rnn.series import DataError
from rnn.text import Segmentation, Unigram, Vocabulary
from rnn.training import History, digest, fit

__all__ = [
    "CELLS", "Corpus", "LanguageRecipe", "Network", "generate", "likeliest", "log_p",
    "next_word", "read", "train_language",
]  # fmt: skip

Array = np.ndarray[Any, Any]
Network = ElmanNetwork | LanguageModel
CELLS = ("elman", "rnn", "gru", "lstm")
FEWEST_TOKENS = 100


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
    def of(
        cls, tokens: list[str], size: int, min_count: int, unit: str = "words"
    ) -> Corpus:
        """Split a text and index it; DataError where there are too few tokens to learn.

        Args:
            tokens: the text.
            size, min_count: see `Vocabulary.of`.
            unit: what the tokens are called in messages.
        """
        if len(tokens) < FEWEST_TOKENS:
            raise DataError(
                f"a text of {len(tokens)} {unit} is too short to learn from; expected at "
                f"least {FEWEST_TOKENS}"
            )
        a, b = len(tokens) * 8 // 10, len(tokens) * 9 // 10
        vocabulary = Vocabulary.of(tokens[:b], size, min_count)
        if len(vocabulary) < 2:
            raise DataError(
                f"none of the {unit} occurs {min_count} times in the text; lower "
                "--min-count, or give more text"
            )
        parts = (tokens[:a], tokens[a:b], tokens[b:])
        return cls(vocabulary, *(vocabulary.encode(part) for part in parts))


@dataclass(frozen=True)
class LanguageRecipe:
    """How a model is trained; the defaults are for the lecture's network and words.

    Attributes:
        cell: "elman", the lecture's network; "rnn", "gru" or "lstm", a `LanguageModel`.
        hidden: H.
        embedding, layers, dropout: of a `LanguageModel`.
        epochs: at the most; training stops early where the held-out text says so.
        lr: the learning rate at the start; half a cosine takes it to 0.
        weight_decay: see `AdamW`.
        batch, bptt: B streams, cut every so many steps.
        max_norm: the gradient is clipped to this norm.
        patience: how many epochs without a gain to wait.
    """

    cell: str = "elman"
    hidden: int = 192
    embedding: int = 128
    layers: int = 1
    dropout: float = 0.0
    epochs: int = 12
    lr: float = 6e-3
    weight_decay: float = 1.0
    batch: int = 20
    bptt: int = 35
    max_norm: float = 1.0
    patience: int = 3

    @classmethod
    def of(cls, cell: str, unit: str = "words", **given: Any) -> LanguageRecipe:
        """The recipe that suits a cell and a text, with what is given in its place.

        Args:
            cell: see above.
            unit: what the text is made of, "words" or "characters".

        Raises:
            ValueError: for an unknown cell.
        """
        if cell not in CELLS:
            raise ValueError(f"cell={cell!r}, expected one of {', '.join(CELLS)}")
        kind = cell if cell == "elman" else "gated"
        return cls(**RECIPES[kind, unit] | given, cell=cell)

    def network(self, p: Array, rng: np.random.Generator | int | None) -> Network:
        """An untrained network over V tokens, which foretells p (V,) after all of them.

        Its output weights are as they are drawn, so that this holds in the mean only.
        """
        V, options = len(p), dict[str, Any](rng=rng, dtype=np.float32)
        if self.cell == "elman":
            lecture = ElmanNetwork(
                V, self.hidden, V, output_activation="softmax", **options
            )
            lecture.b_y.data = np.log(p)
            return lecture
        model = LanguageModel(
            V, self.embedding, self.hidden, self.cell, self.layers, self.dropout,
            **options,
        )  # fmt: skip
        model.output.bias.data = np.log(p)
        return model


RECIPES: dict[tuple[str, str], dict[str, Any]] = {
    ("elman", "words"): {},
    ("elman", "characters"): {"lr": 3e-3, "weight_decay": 0.01},
    ("gated", "words"): {
        "hidden": 128, "embedding": 256, "dropout": 0.6, "lr": 0.015, "weight_decay": 0.25
    },
    ("gated", "characters"): {
        "hidden": 192, "embedding": 64, "dropout": 0.1, "lr": 0.01, "weight_decay": 0.01
    },
}  # fmt: skip
"""What each recipe has of its own; chosen by the ninth tenth of a novel."""


def train_language(
    corpus: Corpus,
    recipe: LanguageRecipe,
    seed: int,
    checkpoint: str | Path | None = None,
    show: str | None = None,
    unit: str = "words",
) -> tuple[Network, History]:
    """Train a network to foretell the next token.

    The output layer's biases start at the logarithms of the tokens' frequencies, so that
    training sets out from the unigram model.

    Args:
        corpus: the text.
        recipe: how.
        seed: of the initial parameters and of dropout.
        checkpoint, show: see `fit`.
        unit: what the tokens are called where their number in a second is shown.
    """
    rng = np.random.default_rng(seed)
    network = recipe.network(Unigram(corpus.learn, len(corpus.vocabulary)).p, rng)
    segments = Segmentation(corpus.learn, recipe.batch, recipe.bptt)
    total = recipe.epochs * len(segments)
    optimizer = AdamW(network.parameters(), recipe.lr, weight_decay=recipe.weight_decay)
    history = fit(
        partial(_objective, network),
        segments,
        optimizer,
        epochs=recipe.epochs,
        schedule=partial(cosine, recipe.lr, total),
        max_norm=recipe.max_norm,
        validate=lambda: float(-np.mean(log_p(network, corpus.held_out))),
        patience=recipe.patience,
        rng=rng,
        checkpoint=checkpoint,
        run={"data": digest(corpus.learn), "seed": seed, "recipe": repr(recipe)},
        show=show,
        reads=(unit, segments.x.size),
        compiled=True,
    )
    return network, history


def read(network: Network, x: Array, state: Any) -> tuple[Any, Any]:
    """The logits (T, B, V) of what follows each step, and the state after the last.

    Args:
        network: an `ElmanNetwork` or a `LanguageModel`.
        x: (T, B) indices; or what else an `ElmanNetwork` takes, which gives its v_y.
        state: before the first step; None for zeros.
    """
    if isinstance(network, ElmanNetwork):
        return network.fields(x, state)
    return network(x, state)


def _objective(network: Network, segment: Any, state: Any) -> tuple[Any, Any]:
    x, d = segment
    logits, state = read(network, x, state)
    return cross_entropy(logits, d), state


@contextmanager
def _exact(network: Network) -> Iterator[None]:
    """Read without dropout, and record nothing."""
    training = network.training
    network.eval()
    try:
        with no_grad():
            yield
    finally:
        network.train(training)


def log_p(network: Network, text: Array, steps: int = 100) -> Array:
    """The log-probability of each token of a text but the first, given those before it.

    Args:
        network: a language model.
        text: (N,) indices.
        steps: how many tokens to take at once.

    Returns:
        (N − 1,).
    """
    state, found = None, []
    with _exact(network):
        for x, d in Segmentation(text, 1, steps):
            logits, state = read(network, x, state)
            scores = log_softmax(logits.data)
            found.append(np.take_along_axis(scores, d[..., np.newaxis], axis=-1).ravel())
    return np.concatenate(found)


def next_word(network: Network) -> Step:
    """A language model as `sample` and `beam_search` take it, without `<unk>`.

    The batch's axis in each array of the state is the last but one.
    """

    def step(words: Array, state: Any) -> tuple[Any, Any]:
        with _exact(network):
            logits, state = read(network, words[np.newaxis], state)
        return logits.data[-1, :, :-1], state

    return step


def generate(
    network: Network,
    prompt: Array,
    length: int,
    rng: np.random.Generator,
    temperature: float = 1.0,
    top_k: int | None = None,
) -> list[int]:
    """Continue a text, token by token; `<unk>`, the last index, is never drawn.

    Args:
        network: a language model of V tokens.
        prompt: (N,) indices, at least one.
        length: how many tokens to add.
        rng, temperature, top_k: see `draw`.
    """
    start = np.asarray(prompt)[:, np.newaxis]
    options: dict[str, Any] = {"rng": rng, "temperature": temperature, "top_k": top_k}
    return sample(next_word(network), start, None, length, **options)[:, 0].tolist()


def likeliest(
    network: Network, prompt: Array, length: int, width: int
) -> list[Hypothesis]:
    """The likeliest continuations that a search with so many beams finds, best first.

    Args:
        network, prompt, length: see `generate`.
        width: see `beam_search`.
    """
    options: dict[str, Any] = {"width": width, "axis": -2}
    return beam_search(next_word(network), prompt, None, length, **options)
