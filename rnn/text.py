"""Text: words to indices and back, and the counting models that networks must beat."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

__all__ = [
    "UNKNOWN", "Bigram", "Segmentation", "Unigram", "Vocabulary", "join", "perplexity",
    "tokenise",
]  # fmt: skip

Array = np.ndarray[Any, Any]
UNKNOWN = "<unk>"
_TOKEN = re.compile(r"<unk>|[^\W_]+(?:[-'’][^\W_]+)*|--|\.{3}|[^\w\s]")
_CLOSING = set(",.;:!?)]}»…”’") | {"..."}
_OPENING = set("([{«“‘")


def tokenise(text: str) -> list[str]:
    """Words in lower case, with accents and inner hyphens; punctuation apart.

    >>> tokenise("João, o inverno chegou: cobriu-se.")
    ['joão', ',', 'o', 'inverno', 'chegou', ':', 'cobriu-se', '.']
    """
    return _TOKEN.findall(text.lower())


def join(tokens: Iterable[str]) -> str:
    """The text of some tokens, with spaces where they are usual.

    >>> join(["joão", ",", "o", "inverno", "chegou", "."])
    'joão, o inverno chegou.'
    """
    pieces: list[str] = []
    for token in tokens:
        tight = not pieces or token in _CLOSING or pieces[-1] in _OPENING
        pieces += [token] if tight else [" ", token]
    return "".join(pieces)


class Vocabulary:
    """The lecture's vocabulary: words in alphabetical order, `<unk>` last.

    Args:
        words: the words, without `<unk>`; each once.

    Attributes:
        words: list of V words, the last of them `<unk>`. Indices count from 0.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = [*sorted(set(words) - {UNKNOWN}), UNKNOWN]
        self._index = {word: i for i, word in enumerate(self.words)}

    @classmethod
    def of(
        cls, tokens: Iterable[str], size: int = 10_001, min_count: int = 1
    ) -> Vocabulary:
        """The most frequent words of a text: `size` entries at most, `<unk>` included.

        Args:
            tokens: the text.
            size: V at the most; of equally frequent words the first in the text wins.
            min_count: leave out words that occur less often.
        """
        common = Counter(tokens).most_common()
        kept = [w for w, n in common if n >= min_count and w != UNKNOWN]
        return cls(kept[: size - 1])

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, tokens: Iterable[str]) -> Array:
        """(N,) indices of N tokens; unknown words have the index of `<unk>`, V − 1."""
        unknown = len(self.words) - 1
        return np.array([self._index.get(t, unknown) for t in tokens], dtype=np.intp)

    def decode(self, indices: Iterable[int]) -> list[str]:
        """The words of some indices."""
        return [self.words[i] for i in indices]


class Segmentation:
    """One long text as B parallel streams, cut into segments of at most T steps.

    Iterating gives (x, d), both (T, B) indices: the words, and the word after each. The
    streams go on from one segment to the next, so a state can be carried.

    Args:
        text: (N,) indices.
        batch: B, how many streams; fewer where the text is short.
        steps: T.
    """

    def __init__(self, text: Array, batch: int, steps: int) -> None:
        if len(text) < 2:
            raise ValueError(
                f"a text of {len(text)} words has no next word to learn from"
            )
        self.steps = steps
        batch = min(batch, len(text) - 1)
        length = (len(text) - 1) // batch
        self.x = text[: batch * length].reshape(batch, length).T
        self.d = text[1 : batch * length + 1].reshape(batch, length).T

    def __len__(self) -> int:
        return -(-len(self.x) // self.steps)

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        for start in range(0, len(self.x), self.steps):
            part = slice(start, start + self.steps)
            yield self.x[part], self.d[part]


class Unigram:
    """p(w) = (count of w + 1) / (N + V): how frequent a word is, whatever comes before.

    Args:
        text: (N,) indices.
        size: V.
    """

    def __init__(self, text: Array, size: int) -> None:
        counts = np.bincount(text, minlength=size) + 1.0
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
    """Exp of the mean of −log p: how many words it is like choosing among."""
    return float(np.exp(-np.mean(log_p)))
