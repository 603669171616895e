"""Sequences out of a trained network: drawn at random, greedily, or by beam search.

Each function takes a step, (indices (B,), state) → (logits (B, K), next state): how a
network reads one token and what it then expects. A state is a nest of arrays, or None to
begin with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import log_softmax, no_grad
from autograd.tensor import value_of
from autograd.trees import map_tree
from rnn.checks import as_number, check_sizes

__all__ = ["Hypothesis", "Step", "beam_search", "draw", "sample"]

Array = np.ndarray[Any, Any]
Step = Callable[[Array, Any], tuple[Any, Any]]


def draw(
    logits: Any,
    rng: np.random.Generator | None = None,
    temperature: float = 1.0,
    top_k: int | None = None,
) -> Array:
    """An index for each row of logits (B, K), drawn from softmax(logits / temperature).

    Args:
        logits: (B, K); −∞ is never drawn.
        rng: draws; may be left out at temperature 0.
        temperature: below 1 the likely grow likelier; at 0 the likeliest is taken, the
            first of equals.
        top_k: draw among so many of the likeliest; of equals the first count.

    Returns:
        (B,) integers.
    """
    z = _finite("draw", logits)
    if not 0 <= as_number(temperature) < np.inf:
        raise ValueError(f"draw: temperature={temperature!r}, expected 0 or above")
    if top_k is not None:
        check_sizes("draw", top_k=top_k)
    if temperature == 0:
        return np.argmax(z, axis=-1)
    if not isinstance(rng, np.random.Generator):
        raise ValueError(
            f"draw: temperature={temperature} draws at random: give rng=, for example "
            f"np.random.default_rng(0), or temperature=0; got rng={rng!r}"
        )
    if top_k is not None and top_k < z.shape[1]:
        left_out = np.argsort(-z, axis=-1, kind="stable")[:, top_k:]
        np.put_along_axis(z, left_out, -np.inf, axis=-1)
    with np.errstate(over="ignore"):
        p = np.exp((z - z.max(axis=-1, keepdims=True)) / temperature)
    p /= p.sum(axis=-1, keepdims=True)
    cumulated = p.cumsum(axis=-1)
    cumulated /= cumulated[:, -1:]
    return np.sum(cumulated <= rng.random(len(z))[:, np.newaxis], axis=-1)


def sample(
    step: Step,
    prompt: Any,
    state: Any,
    length: int,
    *,
    rng: np.random.Generator | None = None,
    temperature: float = 1.0,
    top_k: int | None = None,
    stop: int | None = None,
) -> Array:
    """Continue B sequences, token by token; the same generator draws the same.

    Args:
        step: how the network reads a token; see above.
        prompt: (N, B) indices to begin with, N ≥ 1.
        state: before the prompt.
        length: how many tokens to add.
        rng, temperature, top_k: see `draw`; temperature=0 is the greedy choice.
        stop: a token that ends a sequence: only itself follows, and where all have
            ended, no more.

    Returns:
        (length, B) indices, or fewer rows where all sequences have ended.
    """
    prompt = _prompt("sample", prompt, 2, length)
    ended = np.zeros(prompt.shape[1], bool)
    found = np.empty((length, prompt.shape[1]), np.intp)
    with no_grad():
        logits, state = _read("sample", step, prompt, state)
        _check_stop("sample", stop, logits)
        for n in range(length):
            found[n] = draw(logits, rng, temperature, top_k)
            if stop is not None:
                found[n] = np.where(ended, stop, found[n])
                ended = found[n] == stop
            if ended.all():
                return found[: n + 1]
            if n + 1 < length:
                logits, state = _stepped("sample", step, found[n], state)
    return found


@dataclass(frozen=True)
class Hypothesis:
    """A continuation that `beam_search` found.

    Attributes:
        tokens: indices, without the prompt; the stop token included if it ends so.
        log_p: log p(tokens | prompt).
        score: log_p / n^penalty, with n = len(tokens).
    """

    tokens: tuple[int, ...]
    log_p: float
    score: float


def beam_search(
    step: Step,
    prompt: Any,
    state: Any,
    length: int,
    *,
    width: int,
    stop: int | None = None,
    penalty: float = 0.0,
    axis: int = 0,
) -> list[Hypothesis]:
    """The likeliest continuations of one sequence, looking `width` at a time.

    From all continuations of the `width` likeliest of n − 1 tokens, the likeliest `width`
    of n are kept; those that end in `stop` are set aside. A width of K^length is an
    exhaustive search, and a width of 1 the greedy one. Of equals the first are kept.

    Args:
        step: how the network reads a token; see above. The beams are its batch.
        prompt: (N,) indices to begin with, N ≥ 1.
        state: before the prompt, of a batch of one.
        length: how many tokens to add at the most.
        width: how many beams.
        stop: a token that ends a sequence.
        penalty: α: results are ranked by log p / n^α. 0 ranks by probability, which
            favours the short where some have stopped; 1 by the mean of log p.
        axis: the batch's axis in each array of the state.

    Returns:
        Up to `width` of them, the best first.
    """
    check_sizes("beam_search", width=width)
    if not np.isfinite(as_number(penalty)):
        raise ValueError(f"beam_search: penalty={penalty!r}, expected a number")
    prompt = _prompt("beam_search", prompt, 1, length)[:, np.newaxis]
    tokens, log_p = np.empty((1, 0), np.intp), np.zeros(1)
    found: list[Hypothesis] = []
    with no_grad():
        logits, state = _read("beam_search", step, prompt, state)
        _check_stop("beam_search", stop, logits)
        for n in range(1, length + 1):
            beam, word, log_p = _widen(log_p, logits, width)
            tokens = np.concatenate([tokens[beam], word[:, np.newaxis]], axis=1)
            done = np.full(len(word), n == length) | (word == stop)
            found += [
                Hypothesis(tuple(row.tolist()), float(p), float(p) / n**penalty)
                for row, p in zip(tokens[done], log_p[done], strict=True)
            ]
            tokens, log_p = tokens[~done], log_p[~done]
            if not len(tokens):
                break
            state = _rows(state, len(logits), beam[~done], axis)
            logits, state = _stepped("beam_search", step, word[~done], state)
    return sorted(found, key=lambda h: -h.score)[:width]


def _widen(log_p: Array, logits: Any, width: int) -> tuple[Array, Array, Array]:
    """The likeliest continuations: from which beam, by which word, log p."""
    z = _finite("beam_search", logits)
    total = (log_p[:, np.newaxis] + log_softmax(z)).ravel()
    order = np.argsort(-total, kind="stable")[:width]
    order = order[total[order] > -np.inf]
    beam, word = np.divmod(order, z.shape[1])
    return beam, word, total[order]


def _rows(state: Any, beams: int, beam: Array, axis: int) -> Any:
    """The state of each beam, that of the one it continues of so many beams."""

    def chosen(x: Any) -> Any:
        shape = np.shape(x)
        if not shape:
            return x
        if not -len(shape) <= axis < len(shape) or shape[axis] != beams:
            raise ValueError(
                f"beam_search: a state has shape {shape}, expected {beams} samples, the "
                f"beams, along axis={axis}; that of an RNN, GRU or LSTM has them along 1"
            )
        return np.take(x, beam, axis)

    return map_tree(chosen, state)


def _read(function: str, step: Step, prompt: Array, state: Any) -> tuple[Any, Any]:
    """What the step gives after the last token of a prompt (N, B)."""
    for words in prompt:
        logits, state = _stepped(function, step, words, state)
    return logits, state


def _stepped(function: str, step: Step, words: Array, state: Any) -> tuple[Any, Any]:
    """What the step makes of one token (B,) of each sequence."""
    found = step(words, state)
    if not (isinstance(found, tuple) and len(found) == 2):
        raise TypeError(
            f"{function}: the step returned a {type(found).__name__}, expected the two "
            "(logits, next state)"
        )
    logits, state = found
    if np.ndim(logits) != 2 or len(logits) != len(words):
        raise ValueError(
            f"{function}: the step gave logits of shape {np.shape(logits)}, expected "
            f"(B, K) with B = {len(words)}"
        )
    return logits, state


def _check_stop(function: str, stop: Any, logits: Any) -> None:
    """See that the token that ends a sequence is one that can be drawn."""
    K = np.shape(logits)[1]
    whole = isinstance(stop, int | np.integer)
    if stop is not None and not (whole and 0 <= stop < K):
        raise ValueError(
            f"{function}: stop={stop!r}, expected one of the tokens 0 to {K - 1}"
        )


def _prompt(function: str, prompt: Any, ndim: int, length: int) -> Array:
    array = np.asarray(prompt)
    shape = "(N, B)" if ndim == 2 else "(N,)"
    if array.ndim != ndim or not array.size or array.dtype.kind not in "iu":
        raise ValueError(
            f"{function}: the prompt is {array.dtype} of shape {array.shape}, expected "
            f"integers {shape} with at least one token"
        )
    check_sizes(function, length=length)
    return array


def _finite(function: str, logits: Any) -> Array:
    """A copy of the logits in float64, of which each row has one to choose."""
    z = np.array(value_of(logits), np.float64)
    if z.ndim != 2 or not z.size:
        raise ValueError(f"{function}: logits have shape {z.shape}, expected (B, K)")
    if not np.isfinite(z.max(axis=-1)).all():
        raise FloatingPointError(
            f"{function}: logits have NaN or ∞, or a row of −∞ alone, from which nothing "
            "can be drawn"
        )
    return z
