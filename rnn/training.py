"""Training: sweep, clip, step; and again, from where an interrupted run stood."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sized
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from autograd import Tensor, compile, no_grad
from autograd.trees import map_tree
from rnn.bptt import cut
from rnn.checkpoints import digest
from rnn.checks import check_callable, check_reached, check_sizes, check_step
from rnn.identity import as_json, identity
from rnn.optim import Optimizer, clip_grad_norm, clip_grad_value
from rnn.progress import Advance, progress
from rnn.reached import reached
from rnn.schedules import rate_at
from rnn.standing import History, Standing

__all__ = ["History", "digest", "fit"]

CHECKPOINT_SECONDS = 10.0

Objective = Callable[[Any, Any], tuple[Any, Any]]


class Segments(Iterable[Any], Sized, Protocol):
    """The pieces of the data, in order; iterated anew in each epoch."""


def fit(
    objective: Objective,
    segments: Segments,
    optimizer: Optimizer,
    *,
    epochs: int,
    schedule: Callable[[int], float] | None = None,
    max_norm: float | None = None,
    max_value: float | None = None,
    validate: Callable[[], float] | None = None,
    patience: int | None = None,
    rng: np.random.Generator | None = None,
    checkpoint: str | Path | None = None,
    run: dict[str, Any] | None = None,
    show: str | None = None,
    reads: tuple[str, int] | None = None,
    compiled: bool = False,
) -> History:
    """Train by backpropagation through time, full or truncated.

    Each segment is unrolled, swept and stepped on its own. The state passes from one to
    the next through `cut`, so a gradient ends where its segment begins, and the graph
    says so (`cuts`): one segment for the whole sequence is full BPTT, several are
    truncated BPTT. `segments` cuts arrays into them.

    Args:
        objective: (segment, state) → (E, next state), with E a Tensor of one element.
            The state is None at the start of an epoch.
        segments: the data.
        optimizer: moves the parameters.
        epochs: passes over the data, at the most.
        schedule: step → learning rate, see `rnn.schedules`; constant unless given.
        max_norm: clip the joint norm of the gradients to this.
        max_value: clip every element of the gradients to this.
        validate: called after each epoch, recording nothing; its score is to be low. The
            parameters of the best epoch are put back in the end, however training ends.
        patience: stop after as many epochs without a better score.
        rng: a generator that the objective draws from, if `fit` cannot find it: it finds
            those of networks and segments, in closures, globals, defaults and attributes,
            and the global ones of NumPy and Python. A checkpoint keeps their states.
        checkpoint: a file to go on from if it is there. It is written at the ends of
            epochs (every 10 s at the most), when the run is interrupted, and at its end,
            so that more epochs continue it. The one before is kept beside it, and serves
            if the last is damaged. A run resumed from it ends with the same parameters,
            bit for bit, whenever it was killed, unless the objective keeps other things
            between epochs. A disk that is full is a warning.

            A checkpoint of another run is refused: other data, parameters, options of the
            optimiser, clipping, arguments of networks, or generators. The learning rate
            may change: the new one holds from the next step on, and a warning names both.
        run: what else the run depends on, as JSON, such as numbers in the objective.
        show: what to call the run in a progress bar; without it there is none.
        reads: what an epoch reads and how much of it, e.g. ("words", 28_000): the bar
            then tells how many in a second, rather than how many segments.
        compiled: record the objective and its sweep once for each shape of segment, and
            replay them, to the last bit the same and several times as quick; see
            `autograd.compile` for what an objective may not do then.

    Raises:
        ValueError, TypeError: for arguments that cannot be, naming what was expected.
        ModelFileError: if the checkpoints are damaged or belong to another run, or
            another run is writing to them.
        FloatingPointError: if the loss, a gradient, a parameter or a score is not finite;
            for a gradient, before a parameter is moved.
    """
    check_callable("fit", "objective", objective, "(segment, state) → (E, next state)")
    if schedule is not None:
        check_callable("fit", "schedule", schedule, "step → learning rate")
    if validate is not None:
        check_callable("fit", "validate", validate, "() → score")
    _check(segments, optimizer, epochs, rng)
    _check_patience(patience, validate)
    programs: dict[str, Any] | None = {} if compiled else None
    descent = _Descent(objective, optimizer, schedule, max_norm, max_value, programs)
    depends_on = as_json(run or {})
    settings = {"max_norm": max_norm, "max_value": max_value}
    settings |= {"validate": validate is not None, "segments": len(segments)}
    roots = {"rng": rng, "objective": objective, "validate": validate}

    def describe() -> tuple[dict[str, Any], dict[str, Any]]:
        found = reached(list(optimizer.parameters.values()), segments, **roots)
        return identity(depends_on, optimizer, found, settings), found.generators

    state = Standing(optimizer, schedule, checkpoint, describe)
    with state.locked():
        state.resume()
        each = None if reads is None else (reads[0], reads[1] / len(segments))
        shown = _shown(show, epochs * len(segments), optimizer.steps, each)
        with shown as advance, state.closed():
            while state.epochs < epochs and not state.exhausted(patience):
                descent.epoch(segments, state.history, advance)
                if validate is not None:
                    with no_grad():
                        state.scored(validate())
                state.finished_epoch(CHECKPOINT_SECONDS)
    return state.history


def _shown(
    show: str | None, total: int, done: int, each: tuple[str, float] | None
) -> Any:
    if show:
        return progress(show, total, done, each)
    return nullcontext(lambda done, note: None)


def _check(segments: Any, optimizer: Any, epochs: int, rng: Any) -> None:
    check_sizes("fit", epochs=epochs)
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"fit: the optimizer is a {type(optimizer).__name__}, expected one of "
            "rnn.optim: Adam(network.parameters())"
        )
    if not (rng is None or isinstance(rng, np.random.Generator)):
        raise TypeError(
            f"fit: rng is a {type(rng).__name__}, expected the very generator that the "
            "objective draws from, np.random.default_rng(0)"
        )
    if not isinstance(segments, Sized):
        raise TypeError(
            f"fit: segments are a {type(segments).__name__}, expected a list or the "
            "like: they are counted, and iterated anew in each epoch"
        )
    if not len(segments):
        raise ValueError("fit: there are no segments to learn from")


def _check_patience(patience: Any, validate: Any) -> None:
    whole = isinstance(patience, int | np.integer) and patience >= 1
    if patience is not None and (validate is None or not whole):
        raise ValueError(
            f"fit: patience={patience!r}, expected at least 1 epoch, with a validate="
        )


@dataclass(frozen=True)
class _Descent:
    """How a segment moves the parameters; see `fit`."""

    objective: Objective
    optimizer: Optimizer
    schedule: Callable[[int], float] | None
    max_norm: float | None
    max_value: float | None
    programs: dict[str, Callable[..., Any]] | None

    def epoch(self, segments: Segments, history: History, advance: Advance) -> None:
        """Learn from every segment in turn, the state of one passing on to the next."""
        losses: list[float] = []
        norms: list[float] = []
        carried = None
        for segment in segments:
            E, carried = self._swept(segment, carried)
            losses.append(float(E.item()))
            norms += self._descend(losses[-1])
            note = f"loss {np.mean(losses):.4g}, learning rate {self.optimizer.lr:.3g}"
            advance(self.optimizer.steps, note)
        history.loss.append(float(np.mean(losses)))
        history.rate.append(self.optimizer.lr)
        if norms:
            history.norm.append(float(np.mean(norms)))

    def _swept(self, segment: Any, carried: Any) -> tuple[Tensor, Any]:
        """E and the next state; the gradients of E are the parameters' then."""
        if self.programs is None:
            return self._sweep(segment, carried)
        key = repr(map_tree(_kind, (segment, carried)))
        if key not in self.programs:
            self.programs[key] = compile(self._sweep)
        return self.programs[key](segment, carried)

    def _sweep(self, segment: Any, carried: Any) -> tuple[Tensor, Any]:
        E, state = self._evaluated(segment, carried)
        self.optimizer.zero_grad()
        E.backward()
        return E, state

    def _evaluated(self, segment: Any, carried: Any) -> tuple[Tensor, Any]:
        """E and the next state, cut off from this segment."""
        found = self.objective(segment, carried)
        if not (isinstance(found, tuple) and len(found) == 2):
            raise TypeError(
                f"fit: the objective returned a {type(found).__name__}, expected the two "
                "(E, next state), with None for no state"
            )
        E, state = found
        if not isinstance(E, Tensor) or E.size != 1 or not E.requires_grad:
            what = f"{type(E).__name__} of shape {np.shape(E)}"
            raise TypeError(
                f"fit: the objective's E is a {what}, expected a Tensor of one element "
                "that was computed from the parameters"
            )
        return E, cut(state)

    def _descend(self, loss: float) -> list[float]:
        """Clip, step; the gradient's norm where it is clipped."""
        optimizer = self.optimizer
        if not np.isfinite(loss):
            raise FloatingPointError(
                f"fit: the loss is {loss} at step {optimizer.steps + 1}; lower the "
                "learning rate, clip with max_norm=, or look for NaN in the data"
            )
        check_reached("fit", optimizer.parameters)
        grads = {n: p.grad for n, p in optimizer.parameters.items() if p.grad is not None}
        check_step("fit", "gradient", grads, f"at step {optimizer.steps + 1}")
        norms = []
        if self.max_value is not None:
            clip_grad_value(optimizer.parameters, self.max_value)
        if self.max_norm is not None:
            norms.append(clip_grad_norm(optimizer.parameters, self.max_norm))
        if self.schedule is not None:
            optimizer.lr = rate_at("fit", self.schedule, optimizer.steps)
        optimizer.step()
        return norms


def _kind(x: Any) -> str:
    """Of an array or Tensor, what a program is recorded for; of a constant, itself."""
    array = isinstance(x, (Tensor, np.ndarray))
    return f"{x.shape} {x.dtype}" if array else repr(x)
