"""A short window of a network at work: what `graph`, `flow` and `check` look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Tensor, named, no_grad, scope
from rnn.check import Agreement, check_deltas
from rnn.elman import ElmanNetwork, Instant
from rnn.flow import GradientFlow, gradient_flow
from rnn.losses import cross_entropy, squared_error

__all__ = ["Window"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Window:
    """Inputs, targets and what to call each step.

    Attributes:
        network: the network, in float64.
        x: (T, 1, 1) numbers, or (T, 1) indices of words.
        d: (T, 1, 1) numbers, or (T, 1) indices: what each step should have foretold.
        names: T of them.
        a0: (1, H), the state that the network comes to the first step with.
    """

    network: ElmanNetwork
    x: Array
    d: Array
    names: Sequence[str]
    a0: Array

    @classmethod
    def of(cls, network: Any, x: Array, d: Array, names: Sequence[str]) -> Window:
        """A window on a copy of the network in float64."""
        exact = ElmanNetwork(**(network.config | {"dtype": "float64"}))
        exact.load_state_dict(network.state_dict())
        return cls(exact, x, d, names, np.zeros((1, exact.config["hidden_size"])))

    @property
    def of_words(self) -> bool:
        return self.x.dtype.kind in "iu"

    def last(self, steps: int) -> Window:
        """Its last steps, from the state that the ones before lead to."""
        first = max(0, len(self.x) - steps)
        a0 = self.a0
        if first:
            with no_grad():
                a0 = self.network.unroll(self.x[:first], a0)[-1].a.data
        part = slice(first, None)
        return Window(self.network, self.x[part], self.d[part], self.names[first:], a0)

    def loss(self, t: int, instant: Instant) -> Any:
        """E^t: ½ (y − d)² of a number, −log p of a word."""
        if self.of_words:
            return cross_entropy(instant.v_y, self.d[t])
        return squared_error(instant.y, Tensor(self.d[t], name="d"))

    def total(self, instants: Sequence[Instant]) -> Any:
        """E = Σ_t E^t, added up step by step within each step's scope."""
        E: Any = None
        for t, (name, instant) in enumerate(zip(self.names, instants, strict=True)):
            with scope(f"t={name}"):
                E_t = named("E_t", self.loss(t, instant))
                E = E_t if E is None else named("E", E + E_t)
        return E

    def unrolled(self) -> Any:
        """The Tensor E at the end of the unrolled graph."""
        return self.total(self.network.unroll(self.x, self.a0, self.names))

    def check(self) -> list[Agreement]:
        """The engine against the formulas over the window; see `check_deltas`."""
        dE: Callable[[Array], Array] = self._by_hand
        psi = "identity" if self.of_words else None
        return check_deltas(self.network, self.x, self.total, dE, psi)

    def _by_hand(self, y: Array) -> Array:
        if not self.of_words:
            return y - self.d
        p = np.exp(y - y.max(axis=-1, keepdims=True))
        p /= p.sum(axis=-1, keepdims=True)
        return p - np.eye(y.shape[-1])[self.d]

    def flow(self) -> GradientFlow:
        """See `gradient_flow`."""
        return gradient_flow(self.network, self.x, self.loss, self.a0)
