"""What is told of the two runs of a function that `compile` records.

The first run finds which Tensors of before the function uses; the second one, in which
these are traced, is written down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial, update_wrapper
from typing import Any

import numpy as np

from autograd.deferred import Deferred
from autograd.programs.steps import Step
from autograd.programs.tracing import Tape, Traced, TracedNumber
from autograd.tensor import Tensor, seal, wrap

__all__ = ["BEFORE", "Added", "Recorder", "Scout"]


BEFORE = object()
"""Stands for the gradient that a leaf had before the program ran."""


class Observer:
    """What both runs of a function that is recorded have in common."""

    start: float

    def set(self, x: Tensor) -> None:
        """See that no Tensor of before is set."""
        if x._order < self.start:
            raise TypeError(
                f"compile: the function sets {x._title()}. Return the new value, and "
                "set it outside: `optimizer.step()` after the compiled function"
            )


class Scout(Observer):
    """Finds the Tensors of before that a function uses, in a run that counts for nothing.

    Attributes:
        arrays: arrays that NumPy alone computes from, by id.
        found: these Tensors, with the gradients and values that they had.
        draws: the results of `fresh`, which the recorded run gets again.
    """

    def __init__(self) -> None:
        self.start = wrap(0.0)._order
        self.found: dict[Tensor, tuple[Any, Any]] = {}
        self.draws: list[Any] = []
        self.arrays: dict[int, Any] = {}

    def guard(self, x: Any) -> None:
        """An array from whose values NumPy alone computes something."""
        self.arrays[id(x)] = x  # which keeps it, so that no other gets its id

    def meet(self, args: Any) -> None:
        """Arguments of an operation that is about to be recorded."""
        for x in args:
            if isinstance(x, Tensor) and x._order < self.start and x not in self.found:
                if x._primitive is not None:
                    raise TypeError(
                        f"compile: the function uses {x._title()}, which was computed "
                        "outside of it. Compute it inside, or pass its `.detach()` as an "
                        "argument"
                    )
                grad = x._grad.full() if isinstance(x._grad, Deferred) else x._grad
                self.found[x] = grad, np.array(x._data)
                x._grad = grad.copy() if isinstance(grad, np.ndarray) else grad

    def leave(self, node: Tensor, g: Any) -> None:
        """A gradient that has come to a leaf."""
        own = g if type(g) is float else np.array(g)
        node._grad = own if node._grad is None else node._grad + g

    def gradient(self, leaf: Tensor) -> Any:
        """The gradient as it is."""
        return leaf._grad

    def fresh(self, draw: Callable[[], Any]) -> Any:
        """See `fresh`."""
        self.draws.append(draw())
        return self.draws[-1]

    def steady(self, read: Callable[[], Any], value: Any) -> None:
        """Nothing: the recorded run sees to it."""

    def restore(self) -> None:
        """Undo what the run did to these Tensors."""
        for x, (grad, value) in self.found.items():
            x._grad = grad
            if isinstance(x._data, np.ndarray) and x._data.tobytes() != value.tobytes():
                x._data[...] = value


class Recorder(Observer):
    """Records a program: what `State.tape` is in the second run.

    Args:
        known: the Tensors of before that the function may use.
        draws: what `fresh` gives.
        arrays: arrays that the first run met, by id; those which the second run meets
            again were there before.
    """

    def __init__(
        self,
        known: Iterable[Tensor] = (),
        draws: Iterable[Any] = (),
        arrays: dict[int, Any] | None = None,
    ) -> None:
        self.tape = Tape()
        self.arrays = dict(arrays or {})
        self.known = set(known)
        self.start = wrap(0.0)._order
        self.draws = iter(draws)
        self.owned: set[int] = set()

    def meet(self, args: Any) -> None:
        """See that nothing of before is used that the first run did not find."""
        for x in args:
            if isinstance(x, Tensor) and x._order < self.start and x not in self.known:
                raise TypeError(
                    f"compile: the function used {x._title()} in its second run only. "
                    "Where that is a state which it keeps from call to call, pass it as "
                    "an argument and return the next"
                )

    def guard(self, x: Any) -> None:
        """Have each run of the program check that an earlier array has not changed."""
        if self.arrays.pop(id(x), None) is not None:
            checked = partial(closed_over_array, x)
            update_wrapper(checked, closed_over_array)
            self.tape.steps.append(Step(checked, (), {}, None, (checked(),)))

    def leave(self, node: Tensor, g: Any) -> None:
        """A gradient that has come to a leaf: added to what it had."""
        if isinstance(g, TracedNumber):
            g = g.boxed()
        elif isinstance(g, np.generic):
            g = np.asarray(g)
        had = node._grad
        if isinstance(had, Added):
            had.parts.append(g)
        elif had is BEFORE:
            node._grad = Added([g])
        else:
            node._grad = g if had is None else had + g

    def gradient(self, leaf: Tensor) -> Any:
        """The gradient, where it comes from the program alone."""
        if leaf._grad is BEFORE or isinstance(leaf._grad, Added):
            raise TypeError(
                f"compile: the function reads the gradient that {leaf._title()} has had "
                "since before it ran. Call zero_grad() first, inside the function"
            )
        if type(leaf._grad) is Traced and leaf._grad.slot not in self.owned:
            # It may be another's too; whoever reads it may change it in place.
            leaf._grad = leaf._grad.copy()
            self.owned.add(leaf._grad.slot)
        return leaf._grad

    def fresh(self, draw: Callable[[], Any]) -> Any:
        """See `fresh`."""
        for value in self.draws:
            return self.tape.source(draw, value)
        raise TypeError(
            "compile: the function drew more random numbers in its second run than in "
            "its first; expected it to do the same each time"
        )

    def steady(self, read: Callable[[], Any], value: Any) -> None:
        """See `steady`."""
        self.tape.steps.append(Step(read, (), {}, None, (value,)))


def closed_over_array(x: Any) -> str:
    """What a message says of an array: its values, or of many a checksum."""
    return str(x.tolist()) if x.size <= FEW else f"one of checksum {seal(x)}"


FEW = 20
"""The number of elements of an array that a message shows."""


class Added:
    """Gradients that are to be added to the one of before, one after the other."""

    def __init__(self, parts: list[Any]) -> None:
        self.parts = parts
