"""Where a training run stands at the end of an epoch: all that going on needs."""

from __future__ import annotations

import json
import time
import warnings
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autograd.tensor import value_of
from rnn.checkpoints import Checkpoint, Contents
from rnn.files import ModelFileError
from rnn.optim import Optimizer

__all__ = ["History", "Standing"]


@dataclass
class History:
    """What training saw, one entry for each epoch.

    Attributes:
        loss: the mean over the epoch's segments.
        score: what `validate` returned; empty without it.
        rate: the learning rate of the epoch's last step.
        norm: the gradient's norm before it was clipped, the mean over the segments;
            empty without `max_norm`.
        best: the epoch (from 0) whose score was the lowest; −1 without `validate`.
    """

    loss: list[float] = field(default_factory=list)
    score: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    norm: list[float] = field(default_factory=list)
    best: int = -1

    def curves(self) -> dict[str, list[float]]:
        """What there is to plot, by name: `viz.curves(history.curves())`."""
        found = {
            "loss": self.loss,
            "score": self.score,
            "learning rate": self.rate,
            "gradient norm": self.norm,
        }
        return {name: list(values) for name, values in found.items() if values}


class Standing:
    """A run's parameters, what the optimiser remembers, the history, the best yet.

    Args:
        optimizer: of the run.
        identity: what the run depends on, as JSON.
        path: of the checkpoint; None for none.
        rng: the generator that the run draws from, if any.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        identity: dict[str, Any],
        path: str | Path | None,
        rng: np.random.Generator | None,
    ) -> None:
        parameters = optimizer.parameters
        own = {name: f"{p.shape} {p.dtype}" for name, p in parameters.items()}
        method = {"optimizer": type(optimizer).__name__, "parameters": own}
        self.identity = _as_json(identity) | method
        self.optimizer = optimizer
        self.rng = rng
        self.checkpoint = None if path is None else Checkpoint(path)
        self.history = History()
        self.best: dict[str, Any] = {}
        self.good: str | None = None
        self.last_write = time.monotonic()
        self.at_epoch_end = self.standing()

    @property
    def epochs(self) -> int:
        """How many are done."""
        return len(self.history.loss)

    def exhausted(self, patience: int | None) -> bool:
        done = len(self.history.score)
        return bool(patience and done and done - 1 - self.history.best >= patience)

    def scored(self, returned: Any) -> None:
        """Note the score of an epoch, and the parameters where it is the best."""
        value = value_of(returned)
        if np.ndim(value) or np.asarray(value).dtype.kind not in "iuf":
            raise TypeError(
                f"fit: validate returned a {type(returned).__name__} of shape "
                f"{np.shape(value)}, expected a number"
            )
        score = float(value)
        if not np.isfinite(score):
            raise FloatingPointError(
                f"fit: validate returned {score} after epoch {self.epochs}"
            )
        if not self.history.score or score < self.history.score[self.history.best]:
            self.history.best = len(self.history.score)
            self.best = self.values()
        self.history.score.append(score)

    def finished_epoch(self, every: float) -> None:
        """Keep what stands now; write it where the last was `every` seconds ago."""
        if self.checkpoint is not None:
            self.at_epoch_end = self.standing()
            if time.monotonic() - self.last_write >= every:
                self.write()

    def restore_best(self) -> None:
        for name, value in self.best.items():
            self.optimizer.parameters[name].data = value

    def values(self) -> dict[str, Any]:
        return {name: np.array(p.data) for name, p in self.optimizer.parameters.items()}

    def standing(self) -> Contents:
        """Arrays and JSON as they are now, whatever becomes of them."""
        arrays = {f"parameter/{name}": value for name, value in self.values().items()}
        arrays |= {f"best/{name}": value for name, value in self.best.items()}
        for slot, memory in self.optimizer.memory.items():
            arrays |= {f"{slot}/{name}": np.array(x) for name, x in memory.items()}
        return arrays, {
            "run": self.identity,
            "history": deepcopy(vars(self.history)),
            "steps": self.optimizer.steps,
            "moves": dict(self.optimizer.moves),
            "rng": None if self.rng is None else _plain(self.rng.bit_generator.state),
        }

    def write(self) -> None:
        """Write the end of the last epoch; a disk that is full does not end the run."""
        arrays, metadata = self.at_epoch_end
        epoch = len(metadata["history"]["loss"])
        if self.checkpoint is None or not epoch:
            return
        self.last_write = time.monotonic()
        try:
            self.checkpoint.write(arrays, metadata)
        except OSError as error:
            warnings.warn(
                f"{self.checkpoint.path}: the checkpoint after epoch {epoch} could not "
                f"be written ({error.strerror or error}). Training goes on; the last "
                f"good checkpoint is {self.good or 'none yet'}",
                stacklevel=4,
            )
        else:
            self.good = f"{self.checkpoint.path}, after epoch {epoch}"

    def resume(self) -> None:
        """Go on from the last good checkpoint, if there is one."""
        found = self.checkpoint and self.checkpoint.read()
        if not found:
            return
        path, (arrays, metadata) = found
        self._check(path, metadata.get("run", {}))
        try:
            self._take(arrays, metadata)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(
                f"{path}: the checkpoint of another version ({error}). Delete it to "
                "begin anew"
            ) from error
        self.good = f"{path}, after epoch {self.epochs}"

    def _check(self, path: Path, then: dict[str, Any]) -> None:
        now = self.identity
        other = [k for k in now | then if then.get(k) != now.get(k)]
        if other:
            raise ModelFileError(
                f"{path}: the checkpoint of another run, which differs in "
                f"{', '.join(other)}. Delete it, or write somewhere else"
            )

    def _take(self, arrays: dict[str, Any], metadata: dict[str, Any]) -> None:
        self.history = History(**metadata["history"])
        self.optimizer.steps = metadata["steps"]
        self.optimizer.moves = metadata["moves"]
        if self.rng is not None:
            self.rng.bit_generator.state = metadata["rng"]
        for key, value in arrays.items():
            slot, name = key.split("/", 1)
            if slot == "parameter":
                self.optimizer.parameters[name].data = value
            elif slot == "best":
                self.best[name] = value
            else:
                self.optimizer.memory[slot][name] = value


def _as_json(identity: Any) -> dict[str, Any]:
    """`run` as a checkpoint gives it back: a tuple is a list there."""
    try:
        found = json.loads(json.dumps(identity))
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"fit: run= is not JSON: {error}. Name arrays by digest(array)"
        ) from error
    if not isinstance(found, dict):
        raise TypeError(
            f"fit: run is a {type(identity).__name__}, expected a dict of what the run "
            'depends on, such as {"seed": 0}'
        )
    return found


def _plain(state: Any) -> Any:
    """A generator's state as JSON has it: arrays as lists, numbers as Python's."""
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    return state.tolist() if isinstance(state, (np.ndarray, np.generic)) else state
