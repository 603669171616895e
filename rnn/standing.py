"""Where a training run stands at the end of an epoch: all that going on needs."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from autograd.tensor import value_of
from rnn.checkpoints import Checkpoint, Contents, OtherRunError
from rnn.checks import check_step
from rnn.identity import differences, options, set_options
from rnn.interrupts import shielded
from rnn.locks import alone
from rnn.optim import Optimizer
from rnn.randomness import check_state, restore, state_of
from rnn.schedules import rate_at

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
        schedule: step → learning rate, or None.
        path: of the checkpoint; None for none.
        describe: gives what the run depends on as JSON, and its random generators by
            name; called if there is a path.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedule: Callable[[int], float] | None,
        path: str | bytes | PathLike[str] | None,
        describe: Callable[[], tuple[dict[str, Any], dict[str, Any]]],
    ) -> None:
        self.optimizer = optimizer
        self.schedule = schedule
        self.checkpoint = None if path is None else Checkpoint(path)
        self.identity: dict[str, Any] = {}
        self.generators: dict[str, Any] = {}
        if self.checkpoint is not None:
            self.identity, self.generators = describe()
        self.first_lr = float(optimizer.lr)
        self.history = History()
        self.ends: list[int] = []
        self.best: dict[str, Any] = {}
        self.good: str | None = None
        self.last_write = time.monotonic()
        self.tried_epoch = 0
        self.at_epoch_end: Contents = ({}, {})

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
            self.best = {n: np.array(x) for n, x in self._values().items()}
        self.history.score.append(score)

    def finished_epoch(self, every: float) -> None:
        """Keep what stands now; write it where the last was `every` seconds ago.

        Raises:
            FloatingPointError: if a parameter is not finite, naming it.
        """
        self.ends.append(self.optimizer.steps)
        check_step("fit", "parameter", self._values(), f"after epoch {self.epochs}")
        if self.checkpoint is not None:
            self.at_epoch_end = self._standing()
            if time.monotonic() - self.last_write >= every:
                self.write()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """In the end, however it comes, write what stands and put the best back.

        A process that is killed has no such end.
        """
        try:
            yield
        except BaseException as error:
            with shielded():
                if isinstance(error, (Exception, KeyboardInterrupt, SystemExit)):
                    self.write()
                self._restore_best()
            raise
        else:
            self.write()
            self._restore_best()

    def locked(self) -> AbstractContextManager[None]:
        """Keep other runs from the checkpoint."""
        if self.checkpoint is None:
            return nullcontext()
        return alone(self.checkpoint.lock, self.checkpoint.path)

    def _restore_best(self) -> None:
        for name, value in self.best.items():
            self.optimizer.parameters[name].data = value

    def _values(self) -> dict[str, Any]:
        return {name: p.data for name, p in self.optimizer.parameters.items()}

    def _standing(self) -> Contents:
        """Arrays and JSON as they are now, whatever becomes of them."""
        arrays = {f"parameter/{n}": np.array(x) for n, x in self._values().items()}
        arrays |= {f"best/{name}": value for name, value in self.best.items()}
        for slot, memory in self.optimizer.memory.items():
            arrays |= {f"{slot}/{name}": np.array(x) for name, x in memory.items()}
        return arrays, {
            "run": self.identity,
            "history": deepcopy(vars(self.history)),
            "ends": list(self.ends),
            "steps": self.optimizer.steps,
            "moves": dict(self.optimizer.moves),
            "lr": [self.first_lr, float(self.optimizer.lr)],
            "options": options(self.optimizer),
            "generators": {n: state_of(n, g) for n, g in self.generators.items()},
        }

    def write(self) -> None:
        """Write the end of the last epoch, unless that was tried.

        A disk that is full does not end the run; Ctrl-C waits.
        """
        arrays, metadata = self.at_epoch_end
        epoch = len(metadata["history"]["loss"]) if metadata else 0
        if self.checkpoint is None or epoch == self.tried_epoch:
            return
        self.last_write = time.monotonic()
        self.tried_epoch = epoch
        try:
            with shielded():
                self.checkpoint.write(arrays, metadata)
                self.good = f"{self.checkpoint.path}, after epoch {epoch}"
        except OSError as error:
            warnings.warn(
                f"{self.checkpoint.path}: the checkpoint after epoch {epoch} could not "
                f"be written ({error.strerror or error}). Training goes on; the last "
                f"good checkpoint is {self.good or 'none yet'}",
                stacklevel=4,
            )

    def resume(self) -> None:
        """Go on from the last good checkpoint, if there is one."""
        found = self.checkpoint and self.checkpoint.read(self._check)
        if not found:
            return
        path, (arrays, metadata) = found
        self._take(arrays, metadata)
        self._take_rate(path, *metadata["lr"])
        self.tried_epoch = self.epochs
        self.at_epoch_end = arrays, metadata
        self.good = f"{path}, after epoch {self.epochs}"

    def _check(self, path: Path, contents: Contents) -> None:
        """Check that a checkpoint is of this run, and whole, before anything is set.

        Raises:
            ValueError: if it has not the form that `_standing` gives it.
            OtherRunError: if it is of another run, naming what differs.
        """
        arrays, metadata = contents
        _check_form(metadata, self.identity)
        if other := differences(metadata["run"], self.identity):
            details = "; ".join(f"{name}: {how}" for name, how in other)
            raise OtherRunError(
                f"{path}: the checkpoint of another run, which differs in "
                f"{', '.join(name for name, _ in other)}. Delete it, or write somewhere "
                f"else, to begin anew. {details}"
            )
        _check_arrays(arrays, self._expected(metadata["history"]["best"]))
        if metadata["moves"].keys() != self.optimizer.parameters.keys():
            raise ValueError("it has the moves of other parameters")
        for name, generator in self.generators.items():
            check_state(name, generator, metadata["generators"].get(name))

    def _expected(self, best: int) -> dict[str, Any]:
        """Of each array in a checkpoint, one of the same shape and kind."""
        own = self.optimizer.parameters
        slots = ["parameter", *self.optimizer.memory, *(["best"] if best >= 0 else [])]
        return {f"{slot}/{name}": p.data for slot in slots for name, p in own.items()}

    def _take(self, arrays: dict[str, Any], metadata: dict[str, Any]) -> None:
        self.history = History(**deepcopy(metadata["history"]))
        self.ends = list(metadata["ends"])
        self.optimizer.steps = metadata["steps"]
        self.optimizer.moves = dict(metadata["moves"])
        set_options(self.optimizer, metadata["options"])
        for name, state in metadata["generators"].items():
            restore(self.generators[name], state)
        for key, value in arrays.items():
            slot, name = key.split("/", 1)
            if slot == "parameter":
                self.optimizer.parameters[name].data = np.array(value)
            elif slot == "best":
                self.best[name] = value
            else:
                self.optimizer.memory[slot][name] = np.array(value)

    def _take_rate(self, path: Path, first: float, last: float) -> None:
        """Continue with the earlier learning rate, or with a new one that is given."""
        if self.schedule is None and self.first_lr == first:
            self.optimizer.lr = last  # which may have changed on the way
        for end, before in zip(self.ends, self.history.rate, strict=False):
            lr = self.optimizer.lr
            if self.schedule is not None:
                lr = rate_at("fit", self.schedule, end - 1)
            elif self.first_lr == first:
                return
            if lr != before:
                warnings.warn(
                    f"{path}: the learning rate of step {end} was {before:.6g}, and is "
                    f"{lr:.6g} now. Going on with the new one from step "
                    f"{self.optimizer.steps + 1}",
                    stacklevel=4,
                )
                return


def _check_form(metadata: dict[str, Any], identity: dict[str, Any]) -> None:
    """Raise ValueError unless the entries are there and of their kinds."""
    kinds = {
        "run": dict, "history": dict, "ends": list, "steps": int, "moves": dict,
        "lr": list, "options": dict, "generators": dict,
    }  # fmt: skip
    for name, kind in kinds.items():
        if type(metadata.get(name)) is not kind:
            raise ValueError(f"it has no {name}")
    history, run = metadata["history"], metadata["run"]
    if history.keys() != vars(History()).keys() or run.keys() != identity.keys():
        raise ValueError("its history or its run has other entries")
    curves = {name: values for name, values in history.items() if name != "best"}
    lists = [*curves.values(), metadata["lr"], metadata["ends"], [history["best"]]]
    sections = [*run.values(), metadata["options"]]
    if not all(isinstance(x, list) for x in lists) or not all(
        isinstance(x, dict) for x in sections
    ):
        raise ValueError("its history or its run is damaged")
    whole = [history["best"], *metadata["moves"].values(), *metadata["ends"]]
    numbers = all(type(x) in (int, float) for values in lists for x in values)
    if not numbers or any(type(n) is not int for n in whole):
        raise ValueError("its history is not of numbers")
    kinds_now = {name: type(x) for name, x in metadata["options"].items()}
    if kinds_now != {name: type(x) for name, x in run["options"].items()}:
        raise ValueError("it has other options")
    fits = len(history["loss"]) == len(metadata["ends"]) and len(metadata["lr"]) == 2
    if not fits or history["best"] >= max(1, len(history["score"])):
        raise ValueError("its history does not fit")


def _check_arrays(arrays: dict[str, Any], expected: dict[str, Any]) -> None:
    """Raise ValueError unless these arrays are there, and no others."""
    for name in dict.fromkeys([*expected, *arrays]):
        x, like = arrays.get(name), expected.get(name)
        if x is None or like is None:
            raise ValueError(f"it has {'no' if x is None else 'an unknown'} {name}")
        if np.shape(x) != np.shape(like) or x.dtype != np.asarray(like).dtype:
            raise ValueError(
                f"its {name} is {x.dtype} {x.shape}, expected {np.asarray(like).dtype} "
                f"{np.shape(like)}"
            )
