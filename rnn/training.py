"""Training: sweep, clip, step; and again, from where an interrupted run stood."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sized
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from autograd import no_grad
from rnn.files import ModelFileError, read_tensors, write_tensors
from rnn.optim import Optimizer, clip_grad_norm
from rnn.progress import progress

__all__ = ["History", "digest", "fit"]

CHECKPOINT_SECONDS = 10.0


class Segments(Iterable[Any], Sized, Protocol):
    """The pieces of the data, in order; iterated anew in each epoch."""


@dataclass
class History:
    """What training saw, one entry for each epoch.

    Attributes:
        loss: the mean over the epoch's segments.
        score: what `validate` returned; empty without it.
        best: the epoch (from 0) whose score was the lowest; −1 without `validate`.
    """

    loss: list[float] = field(default_factory=list)
    score: list[float] = field(default_factory=list)
    best: int = -1


def fit(
    objective: Callable[[Any, Any], tuple[Any, Any]],
    segments: Segments,
    optimizer: Optimizer,
    *,
    epochs: int,
    schedule: Callable[[int], float] | None = None,
    max_norm: float | None = None,
    validate: Callable[[], float] | None = None,
    patience: int | None = None,
    checkpoint: str | Path | None = None,
    run: dict[str, Any] | None = None,
    show: str | None = None,
) -> History:
    """Train by backpropagation through time, full or truncated.

    Each segment is unrolled, swept and stepped on its own. The state passes from one to
    the next as a plain value, so a gradient ends where its segment begins: one segment
    for the whole sequence is full BPTT, several are truncated BPTT.

    Args:
        objective: (segment, state) → (E, next state), with E a Tensor of one element.
            The state is None at the start of an epoch.
        segments: the data.
        optimizer: moves the parameters.
        epochs: passes over the data.
        schedule: step → learning rate; constant unless given.
        max_norm: clip the joint norm of the gradients to this.
        validate: called after each epoch, recording nothing; its score is to be low. The
            parameters of the best epoch are put back in the end.
        patience: stop after as many epochs without a better score.
        checkpoint: a file to go on from if it is there, and to write at the ends of
            epochs (every 10 s at the most) and where the run is interrupted. A run
            resumed from it ends with the same parameters, bit for bit.
        run: what the run depends on, as JSON; a checkpoint of another run is refused.
        show: what to call the run in a progress bar; without it there is none.

    Raises:
        ModelFileError: where the checkpoint is damaged or belongs to another run.
        FloatingPointError: where the loss is not finite.
    """
    if patience is not None and (validate is None or patience < 1):
        raise ValueError(
            f"fit: patience={patience}, expected at least 1 epoch, with a validate="
        )
    state = _Run(optimizer, run or {}, Path(checkpoint) if checkpoint else None)
    state.resume()
    total = epochs * len(segments)
    with (
        progress(show, total) if show else nullcontext(lambda done, note: None) as advance
    ):
        try:
            while len(state.history.loss) < epochs and not state.exhausted(patience):
                losses = _epoch(
                    objective, segments, optimizer, schedule, max_norm, advance
                )
                state.finish_epoch(float(np.mean(losses)), validate)
        except KeyboardInterrupt:
            state.interrupted()
            raise
    state.restore_best()
    return state.history


def _epoch(
    objective: Callable[[Any, Any], tuple[Any, Any]],
    segments: Segments,
    optimizer: Optimizer,
    schedule: Callable[[int], float] | None,
    max_norm: float | None,
    advance: Callable[[int, str], None],
) -> list[float]:
    losses: list[float] = []
    carried = None
    for segment in segments:
        E, carried = objective(segment, carried)
        losses.append(float(E.item()))
        if not np.isfinite(losses[-1]):
            raise FloatingPointError(
                f"fit: the loss is {losses[-1]} at step {optimizer.steps + 1}; lower the "
                "learning rate, clip with max_norm=, or look for NaN in the data"
            )
        optimizer.zero_grad()
        E.backward()
        if max_norm is not None:
            clip_grad_norm(optimizer.parameters, max_norm)
        if schedule is not None:
            optimizer.lr = schedule(optimizer.steps)
        optimizer.step()
        advance(optimizer.steps, f"loss {np.mean(losses):.4g}")
    return losses


def digest(array: Any) -> str:
    """A short name for an array's numbers and their order, for `run`."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


class _Run:
    """Where a run stands, at the end of an epoch: all that going on needs."""

    def __init__(
        self, optimizer: Optimizer, identity: dict[str, Any], checkpoint: Path | None
    ) -> None:
        self.optimizer = optimizer
        self.identity = identity
        self.checkpoint = checkpoint
        self.history = History()
        self.best: dict[str, Any] = {}
        self.last_write = time.monotonic()
        self.at_epoch_end = self.standing()

    def exhausted(self, patience: int | None) -> bool:
        done = len(self.history.score)
        return bool(patience and done and done - 1 - self.history.best >= patience)

    def finish_epoch(self, loss: float, validate: Callable[[], float] | None) -> None:
        self.history.loss.append(loss)
        if validate is not None:
            with no_grad():
                score = float(validate())
            if not np.isfinite(score):
                raise FloatingPointError(
                    f"fit: validate returned {score} after epoch {len(self.history.loss)}"
                )
            if not self.history.score or score < self.history.score[self.history.best]:
                self.history.best = len(self.history.score)
                self.best = self.values()
            self.history.score.append(score)
        if self.checkpoint is not None:
            self.at_epoch_end = self.standing()
            if time.monotonic() - self.last_write >= CHECKPOINT_SECONDS:
                self.write()

    def interrupted(self) -> None:
        if self.checkpoint is not None and self.history.loss:
            self.write()

    def restore_best(self) -> None:
        for name, value in self.best.items():
            self.optimizer.parameters[name].data = value

    def values(self) -> dict[str, Any]:
        return {name: np.array(p.data) for name, p in self.optimizer.parameters.items()}

    def tensors(self) -> dict[str, Any]:
        found = {f"parameter/{name}": value for name, value in self.values().items()}
        found |= {f"best/{name}": value for name, value in self.best.items()}
        for slot, arrays in self.optimizer.memory.items():
            found |= {f"{slot}/{name}": np.array(x) for name, x in arrays.items()}
        return found

    def standing(self) -> tuple[dict[str, Any], int, dict[str, Any]]:
        """Tensors, steps and history as they are now, whatever becomes of them."""
        return self.tensors(), self.optimizer.steps, deepcopy(vars(self.history))

    def write(self) -> None:
        assert self.checkpoint is not None
        tensors, steps, history = self.at_epoch_end
        metadata = {"run": self.identity, "history": history, "steps": steps}
        write_tensors(self.checkpoint, tensors, metadata)
        self.last_write = time.monotonic()

    def resume(self) -> None:
        if self.checkpoint is None or not self.checkpoint.exists():
            return
        tensors, metadata = read_tensors(self.checkpoint)
        then = metadata.get("run", {})
        other = [k for k in self.identity | then if then.get(k) != self.identity.get(k)]
        if other:
            raise ModelFileError(
                f"{self.checkpoint}: the checkpoint of another run, which differs in "
                f"{', '.join(other)}. Delete it, or write somewhere else"
            )
        self.history = History(**metadata["history"])
        self.optimizer.steps = metadata["steps"]
        for key, value in tensors.items():
            slot, name = key.split("/", 1)
            if slot == "parameter":
                self.optimizer.parameters[name].data = value
            elif slot == "best":
                self.best[name] = value
            else:
                self.optimizer.memory[slot][name] = value
        self.at_epoch_end = self.standing()
