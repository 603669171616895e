"""Texts as batches: one long text as parallel streams, many short ones side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd.arrays import as_plain
from rnn.checks import check_sizes

__all__ = ["IGNORED", "Batches", "Segmentation", "pad"]

Array = np.ndarray[Any, Any]
IGNORED = -1
"""A target that is none: `cross_entropy(…, ignore_index=IGNORED)`."""


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
        check_sizes("Segmentation", batch=batch, steps=steps)
        text = _indices("Segmentation", text)
        if len(text) < 2:
            raise ValueError(
                f"Segmentation: a text of {len(text)} words has no next word to learn "
                "from"
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


class Batches:
    """Many short texts, B at a time, each its own column, padded at the end.

    Iterating gives (x, d, lengths): x (T, B), the words, 0 where there are none;
    d (T, B), the word after each, IGNORED where there is none; lengths (B,), how many
    steps each text has. T is the longest's; the last batch may have fewer columns.

    Args:
        texts: (N_i,) indices each, two words or more.
        batch: B.
        rng: a seed or generator, which shuffles the texts anew in each pass; they keep
            their order without it.
        bucketed: put texts of like length together, shortest first, so that little is
            padded; an rng then shuffles those of equal length, and the batches.
    """

    def __init__(
        self,
        texts: Sequence[Array],
        batch: int,
        rng: np.random.Generator | int | None = None,
        bucketed: bool = False,
    ) -> None:
        check_sizes("Batches", batch=batch)
        if not len(texts):
            raise ValueError("Batches: there are no texts")
        self.texts = [_indices("Batches", t, f"text {i}") for i, t in enumerate(texts)]
        for i, text in enumerate(self.texts):
            if len(text) < 2:
                raise ValueError(
                    f"Batches: text {i} has {len(text)} words, expected at least 2: one "
                    "to read and one to foretell"
                )
        self.batch = batch
        self.rng = None if rng is None else np.random.default_rng(rng)
        self.bucketed = bucketed

    def __len__(self) -> int:
        return -(-len(self.texts) // self.batch)

    def __iter__(self) -> Iterator[tuple[Array, Array, Array]]:
        for chosen in self._order():
            texts = [self.texts[i] for i in chosen]
            x, lengths = pad([text[:-1] for text in texts])
            d, _ = pad([text[1:] for text in texts], IGNORED)
            yield x, d, lengths

    def _order(self) -> list[Array]:
        """Which texts each batch has."""
        N = len(self.texts)
        order = np.arange(N) if self.rng is None else self.rng.permutation(N)
        if self.bucketed:
            lengths = np.array([len(self.texts[i]) for i in order])
            order = order[np.argsort(lengths, kind="stable")]
        batches = [order[i : i + self.batch] for i in range(0, N, self.batch)]
        if self.bucketed and self.rng is not None:
            batches = [batches[i] for i in self.rng.permutation(len(batches))]
        return batches


def pad(sequences: Sequence[Array], fill: float = 0) -> tuple[Array, Array]:
    """Sequences of different length side by side: (T, B, …) and their lengths (B,).

    Args:
        sequences: (T_b, …) each, with the same further axes.
        fill: what stands after the end of those that are shorter than T, the longest. NaN
            makes numbers of integers, −1 signed integers of unsigned ones.
    """
    arrays = [as_plain("pad", sequence) for sequence in sequences]
    if not arrays or any(
        a.ndim < 1 or a.shape[1:] != arrays[0].shape[1:] for a in arrays
    ):
        shapes = ", ".join(str(a.shape) for a in arrays) or "none"
        raise ValueError(
            f"pad: sequences of shapes {shapes}, expected at least one, of shapes "
            "(T_b, …) that differ in T_b alone"
        )
    lengths = np.array([len(a) for a in arrays])
    shape = (lengths.max(), len(arrays), *arrays[0].shape[1:])
    kinds = arrays if fill == 0 else [*arrays, np.min_scalar_type(fill)]
    padded = np.full(shape, fill, np.result_type(*kinds))
    for b, array in enumerate(arrays):
        padded[: len(array), b] = array
    return padded, lengths


def _indices(what: str, text: Any, name: str = "the text") -> Array:
    """A text as signed integers, to which IGNORED belongs."""
    array = as_plain(what, text)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ValueError(
            f"{what}: {name} is {array.dtype} of shape {array.shape}, expected integers "
            "(N,): the indices of vocabulary.encode(tokens)"
        )
    return array.astype(np.intp, copy=False)
