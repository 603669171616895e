"""A short window of a network at work: what `graph`, `flow` and `check` look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd import Tensor, named, no_grad, scope
from autograd.trees import map_tree
from rnn.check import Agreement, check_deltas, check_language_model, surprise_slope
from rnn.elman import ElmanNetwork
from rnn.flow import GradientFlow, gradient_flow
from rnn.language import Network, read
from rnn.losses import cross_entropy, squared_error

__all__ = ["Window"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Window:
    """Inputs, targets and what to call each step.

    Attributes:
        network: the network, in float64 and without dropout.
        x: (T, 1, 1) numbers, or (T, 1) indices of words.
        d: (T, 1, 1) numbers, or (T, 1) indices: what each step should have foretold.
        names: T of them.
        state: what the network comes to the first step with; None for zeros.
    """

    network: Network
    x: Array
    d: Array
    names: Sequence[str]
    state: Any = None

    @classmethod
    def of(cls, network: Any, x: Array, d: Array, names: Sequence[str]) -> Window:
        """A window on a copy of the network in float64."""
        exact = type(network)(**(network.config | {"dtype": "float64"}))
        exact.load_state_dict(network.state_dict())
        exact.eval()
        return cls(exact, x, d, names)

    @property
    def of_words(self) -> bool:
        return self.x.dtype.kind in "iu"

    @property
    def matrix(self) -> str:
        """What multiplies a gradient in a step back, by name."""
        if isinstance(self.network, ElmanNetwork):
            return "W_a"
        gated = self.network.config["cell"] != "rnn"
        return "∂s^t/∂s^(t−1), at most" if gated else "W_hh"

    def last(self, steps: int) -> Window:
        """Its last steps, from the state that the ones before lead to."""
        first = max(0, len(self.x) - steps)
        state = self.state
        if first:
            with no_grad():
                state = read(self.network, self.x[:first], state)[1]
            state = map_tree(lambda part: part.data, state)
        part = slice(first, None)
        x, d, names = self.x[part], self.d[part], self.names[part]
        return replace(self, x=x, d=d, names=names, state=state)

    def loss(self, t: int, instant: Any) -> Any:
        """E^t: ½ (y − d)² of a number, −log p of a word."""
        if self.of_words:
            return cross_entropy(instant.v_y, self.d[t - 1])
        return squared_error(instant.y, Tensor(self.d[t - 1], name="d"))

    def total(self, instants: Sequence[Any]) -> Any:
        """E = Σ_t E^t, added up step by step within each step's scope."""
        E: Any = None
        pairs = zip(self.names, instants, strict=True)
        for t, (name, instant) in enumerate(pairs, start=1):
            with scope(f"t={name}"):
                E_t = named("E_t", self.loss(t, instant))
                E = E_t if E is None else named("E", E + E_t)
        return E

    def unrolled(self) -> Any:
        """The Tensor E at the end of the unrolled graph."""
        return self.total(self.network.unroll(self.x, self.state, self.names))

    def check(self) -> list[Agreement]:
        """The engine against the formulas over the window, from a state of zeros."""
        if not isinstance(self.network, ElmanNetwork):
            return check_language_model(self.network, self.x, self.d, self.total)
        psi = "identity" if self.of_words else None
        return check_deltas(self.network, self.x, self.total, self._by_hand, psi)

    def _by_hand(self, y: Array) -> Array:
        return surprise_slope(y, self.d) if self.of_words else y - self.d

    def flow(self) -> GradientFlow:
        """See `gradient_flow`."""
        network = self.network
        if isinstance(network, ElmanNetwork):
            return gradient_flow(network, self.x, self.loss, self.state)

        def loss(t: int, h: Any) -> Any:
            return cross_entropy(network.output(h), self.d[t - 1])

        state = map_tree(lambda part: part[0], self.state)
        return gradient_flow(
            network.recurrent, network.embedding(self.x).data, loss, state
        )
