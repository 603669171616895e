"""What models with an energy share: sums over all states, chains of samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Tensor, checkpoint, logsumexp
from autograd.arrays import as_plain
from rnn.binary import all_states, check_states
from rnn.checks import check_sizes
from rnn.module import Module

__all__ = ["LARGEST", "EnergyModel", "check_few"]

Array = np.ndarray[Any, Any]
BITS = (0, 1)
LARGEST = 20
"""How many units' states are summed over: a million."""
CHUNK = 2**12
"""States that are in memory at once."""


class EnergyModel(Module):
    """p(s) ∝ exp(−E(s)) over states s = (v, h) of {0, 1}, the visible units first.

    Attributes:
        visible, hidden: V and H.
    """

    def __init__(self, visible: int, hidden: int) -> None:
        self.config = {"visible": visible, "hidden": hidden}
        self.visible, self.hidden = visible, hidden

    def free_energy(self, v: Any) -> Any:
        """F(v) = −log Σ_h exp(−E(v, h)) (…), recorded, of visible states v (…, V)."""
        raise NotImplementedError

    def log_partition(self) -> Any:
        """Log Z = log Σ_s exp(−E(s)), recorded: a sum over all states.

        Raises:
            ValueError: where there are more than 2^20 of them.
        """
        raise NotImplementedError

    def summed_units(self) -> int:
        """How many units' states `log_partition` goes through, one by one."""
        raise NotImplementedError

    def sweep(self, s: Array, rng: np.random.Generator) -> Array:
        """Gibbs sampling, once over all units, the hidden ones first: s (n, V + H)."""
        raise NotImplementedError

    def log_likelihood(self, data: Any) -> Any:
        """The mean of log p(v) = −F(v) − log Z over data (B, V) of {0, 1}, recorded."""
        data = self.check(data, "log_likelihood")
        return -np.mean(self.free_energy(data)) - self.log_partition()

    def gibbs(
        self, v: Any, steps: int, rng: np.random.Generator | int | None = None
    ) -> Array:
        """States s (n, V + H) after `steps` sweeps from visible states v (n, V).

        Each row is a chain of its own; the hidden units start at random.
        """
        v, rng = self.check(v, "gibbs"), np.random.default_rng(rng)
        return self.advance(
            np.hstack([v, self.noise(len(v), rng)[:, self.visible :]]), steps, rng
        )

    def sample(
        self, n: int, steps: int, rng: np.random.Generator | int | None = None
    ) -> Array:
        """Visible states (n, V), each the end of `steps` sweeps from a random state."""
        check_sizes(f"{type(self).__name__}.sample", n=n)
        rng = np.random.default_rng(rng)
        return self.advance(self.noise(n, rng), steps, rng)[:, : self.visible]

    def advance(self, s: Array, steps: int, rng: np.random.Generator) -> Array:
        """The states s (n, V + H) after `steps` sweeps."""
        check_sizes(f"{type(self).__name__}.gibbs", steps=steps)
        for _ in range(steps):
            s = self.sweep(s, rng)
        return s

    def noise(self, n: int, rng: np.random.Generator) -> Array:
        """States (n, V + H), every one as likely."""
        return rng.integers(2, size=(n, self.visible + self.hidden)).astype(float)

    def check(self, v: Any, method: str) -> Array:
        """Visible states (B, V) of {0, 1} as numbers; ValueError for any other."""
        return check_states(f"{type(self).__name__}.{method}", v, self.visible, BITS)

    def rows(self, method: str, s: Any, size: int) -> Any:
        """States s (…, size) as they are, lists as an array; ValueError for another."""
        s = s if isinstance(s, Tensor) else as_plain(type(self).__name__, s)
        if s.shape[-1:] != (size,):
            raise ValueError(
                f"{type(self).__name__}.{method}: states have shape {s.shape}, expected "
                f"(…, N) with N = {size}"
            )
        return s

    def _log_sum(self, f: Callable[[Array], Any]) -> Any:
        """Log Σ exp(f(x)) over all states x of the summed units."""
        n = self.summed_units()
        check_few(f"{type(self).__name__}.log_partition", n)

        def part(start: int) -> Any:
            return logsumexp(f(all_states(n, start, min(start + CHUNK, 2**n))))

        if 2**n <= CHUNK:
            return part(0)
        return logsumexp(np.stack([checkpoint(part)(i) for i in range(0, 2**n, CHUNK)]))


def check_few(caller: str, n: int) -> None:
    """See that the states of n units can be summed over; ValueError with the remedy."""
    if n > LARGEST:
        raise ValueError(
            f"{caller}: {n} units, whose 2^{n} states are to be summed over, expected at "
            f"most {LARGEST}. Take fewer, or follow the reconstruction instead of the "
            "likelihood"
        )
