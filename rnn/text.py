"""Text: words to indices and back, and the counting models that networks must beat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from rnn.batching import IGNORED, Batches, Segmentation, pad
from rnn.checks import check_sizes
from rnn.tokens import UNKNOWN, characters, join, tokenise

__all__ = [
    "IGNORED", "UNKNOWN", "Batches", "Bigram", "Segmentation", "Unigram", "Vocabulary",
    "characters", "join", "pad", "perplexity", "tokenise",
]  # fmt: skip

Array = np.ndarray[Any, Any]


class Vocabulary:
    """The lecture's vocabulary: words in alphabetical order, `<unk>` last.

    Args:
        words: the words, or characters, without `<unk>`; in any order.

    Attributes:
        words: list of V words, the last of them `<unk>`. Indices count from 0.
    """

    def __init__(self, words: Iterable[str]) -> None:
        words = set(_tokens("Vocabulary", words))
        self.words = [*sorted(words - {UNKNOWN}), UNKNOWN]
        self._index = {word: i for i, word in enumerate(self.words)}

    @classmethod
    def of(
        cls, tokens: Iterable[str], size: int = 10_001, min_count: int = 1
    ) -> Vocabulary:
        """The most frequent words of a text: `size` entries at most, `<unk>` included.

        Args:
            tokens: the text, of `tokenise` or `characters`.
            size: V at the most; of equally frequent words the first in the text wins.
            min_count: leave out words that occur less often.
        """
        check_sizes("Vocabulary.of", size=size, min_count=min_count)
        common = Counter(_tokens("Vocabulary.of", tokens)).most_common()
        kept = [w for w, n in common if n >= min_count and w != UNKNOWN]
        return cls(kept[: size - 1])

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, tokens: Iterable[str]) -> Array:
        """(N,) indices of N tokens; unknown words have the index of `<unk>`, V − 1."""
        unknown, known = len(self.words) - 1, _tokens("Vocabulary.encode", tokens)
        return np.array([self._index.get(t, unknown) for t in known], dtype=np.intp)

    def decode(self, indices: Iterable[int]) -> list[str]:
        """The words of some indices (N,); IndexError where one is not in 0 … V − 1.

        Raises:
            TypeError: for what are no whole numbers, (N,).
        """
        V, array = len(self.words), np.asarray(list(indices))
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            raise TypeError(
                f"Vocabulary.decode: the indices are {array.dtype} of shape "
                f"{array.shape}, expected integers (N,)"
            )
        for i in array:
            if not 0 <= i < V:
                raise IndexError(f"Vocabulary.decode: index {i}, expected 0 to {V - 1}")
        return [self.words[i] for i in array]


def _tokens(what: str, tokens: Any) -> list[str]:
    """Tokens as a list; TypeError for one string, and where one is no string."""
    if isinstance(tokens, str):
        raise TypeError(
            f"{what}: got one string, expected tokens: tokenise(text) for words, or "
            "characters(text)"
        )
    if not isinstance(tokens, Iterable):
        raise TypeError(f"{what}: got a {type(tokens).__name__}, expected tokens")
    found = list(tokens)
    for i, token in enumerate(found):
        if not isinstance(token, str):
            raise TypeError(
                f"{what}: token {i} is a {type(token).__name__}, expected strings"
            )
    return found


def _indices(what: str, text: Any, size: int) -> Array:
    """A text as (N,) indices; ValueError where one is no whole number in 0 … V − 1."""
    array = np.asarray(text)
    if array.ndim != 1 or not array.size or array.dtype.kind not in "iu":
        raise ValueError(
            f"{what}: the text is {array.dtype} of shape {array.shape}, expected indices "
            "(N,), as Vocabulary.encode gives them"
        )
    if array.min() < 0 or array.max() >= size:
        raise ValueError(
            f"{what}: the text has indices from {array.min()} to {array.max()}, expected "
            f"0 to {size - 1}"
        )
    return array


class Unigram:
    """p(w) = (count of w + 1) / (N + V): how frequent a word is, whatever comes before.

    Args:
        text: (N,) indices.
        size: V.
    """

    def __init__(self, text: Array, size: int) -> None:
        counts = np.bincount(_indices("Unigram", text, size), minlength=size) + 1.0
        self.p = counts / counts.sum()

    def log_p(self, text: Array) -> Array:
        """(N − 1,) log-probabilities of each word of a text but the first."""
        return np.log(self.p[text[1:]])


class Bigram:
    """The interpolated bigram, p(w | u) = λ count(u w) / count(u) + (1 − λ) p(w).

    After a word u that was never counted it is p(w).

    Jelinek and Mercer's interpolation with one λ, chosen by a held-out text.

    Args:
        text: (N,) indices, to count in.
        held_out: (M,) indices, to choose λ by.
        size: V.

    Attributes:
        weight: λ.
    """

    def __init__(self, text: Array, held_out: Array, size: int) -> None:
        text, held_out = (_indices("Bigram", t, size) for t in (text, held_out))
        self.unigram = Unigram(text, size)
        self.pairs = Counter(zip(text[:-1].tolist(), text[1:].tolist(), strict=True))
        self.before = np.bincount(text[:-1], minlength=size)
        weights = np.linspace(0.01, 0.99, 99)
        scores = [self._log_p(held_out, w).sum() for w in weights]
        self.weight = float(weights[int(np.argmax(scores))])

    def log_p(self, text: Array) -> Array:
        """(N − 1,) log-probabilities of each word of a text but the first."""
        return self._log_p(text, self.weight)

    def _log_p(self, text: Array, weight: float) -> Array:
        pairs = zip(text[:-1].tolist(), text[1:].tolist(), strict=True)
        together = np.array([self.pairs[pair] for pair in pairs])
        conditional = together / np.maximum(self.before[text[:-1]], 1)
        weights = np.where(self.before[text[:-1]] > 0, weight, 0)
        return np.log(weights * conditional + (1 - weights) * self.unigram.p[text[1:]])


def perplexity(log_p: Array) -> float:
    """Exp of the mean of −log p: how many words it is like choosing among.

    Raises:
        ValueError: for no words at all.
    """
    if not np.size(log_p):
        raise ValueError("perplexity: no log-probabilities, expected at least one")
    return float(np.exp(-np.mean(log_p)))
