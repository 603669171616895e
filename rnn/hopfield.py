"""Hopfield's network: patterns as the minima of an energy, recalled by descending it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Tensor, grad
from autograd.arrays import as_plain
from rnn.binary import check_states, pair_energy
from rnn.budget import charge
from rnn.checks import check_sizes
from rnn.module import Module

__all__ = ["SPINS", "Hopfield", "Recall"]

Array = np.ndarray[Any, Any]
SPINS = (-1, 1)
RULES = ("hebbian", "pseudo-inverse")
MODES = ("asynchronous", "synchronous")
TIE = 1e-12
"""A field below this, relative to the largest there can be, is rounding: it is zero."""


@dataclass(frozen=True)
class Recall:
    """The way from a state to where it settles.

    Attributes:
        states: (K + 1, N), the first one and the one after each change: of one unit where
            the mode is asynchronous, of all at once where it is synchronous.
        energies: (K + 1,), E of each.
        sweeps: how often all units were looked at.
        outcome: "fixed point"; "cycle", of the last two states, which only synchronous
            recall can end in; or "limit", where `max_sweeps` came first.
    """

    states: Array
    energies: Array
    sweeps: int
    outcome: str

    @property
    def state(self) -> Array:
        """(N,), the last of the states."""
        return self.states[-1]


class Hopfield(Module):
    """N units that drive each other towards stored patterns (Hopfield, 1982).

        E(s) = −½ s W sᵀ − b sᵀ        h = −∂E/∂s = s W + b        s_i ← sign(h_i)

    A unit whose field is zero keeps its state, so that every change of a single unit
    lowers E by 2|h_i|, and asynchronous recall must end.

    Args:
        size: N; states are s (N,) ∈ {−1, +1}.

    Attributes:
        W (N, N), symmetric with a zero diagonal, and b (N,): zero until set by `store` or
            `load_state_dict`.
    """

    def __init__(self, size: int) -> None:
        check_sizes("Hopfield", size=size)
        self.config = {"size": size}
        charge((size, size))
        self.W = Tensor(np.zeros((size, size)), name="W")
        self.b = Tensor(np.zeros(size), name="b")

    def _checked_state(self, state: Any) -> dict[str, Any]:
        """See `Module`; also refuses a W for which recall would not descend."""
        found = super()._checked_state(state)
        _check_weights(found["W"], found["b"])
        return found

    def store(self, patterns: Any, rule: str = "hebbian") -> None:
        """Set W so that the patterns are remembered, and whatever was before forgotten.

        Hebbian: W = (1/N) Σ_μ ξ^μᵀ ξ^μ, which recalls up to about 0.138 N random patterns
        (Amit, Gutfreund and Sompolinsky, 1985). Pseudo-inverse: the projection W = Ξ⁺ Ξ
        onto the patterns, each of which is then a fixed point (Personnaz, Guyon and
        Dreyfus, 1985). The diagonal of both is set to zero.

        Args:
            patterns: Ξ (P, N) of {−1, +1}.
            rule: "hebbian" or "pseudo-inverse".
        """
        _one_of("Hopfield.store", "rule", rule, RULES)
        N = self.config["size"]
        xi = check_states("Hopfield.store", patterns, N, SPINS)
        W = xi.T @ xi / N if rule == "hebbian" else np.linalg.pinv(xi) @ xi
        W = (W + W.T) / 2
        # What a projection's zeros are rounded to would decide where the field is zero.
        W[np.abs(W) < 10 * N * np.finfo(float).eps] = 0
        np.fill_diagonal(W, 0)
        self.W.data = W

    def energy(self, s: Any) -> Any:
        """E (…) of states s (…, N): of a Tensor recorded, else plain numbers."""
        self._check_width(s)
        W, b = (self.W, self.b) if isinstance(s, Tensor) else (self.W.data, self.b.data)
        return pair_energy(s, W, b)

    def field(self, s: Any) -> Any:
        """The local field h = −∂E/∂s (…, N) of states s (…, N), by the engine."""
        s = s if isinstance(s, Tensor) else np.asarray(as_plain("Hopfield", s), float)
        return -grad(lambda x: np.sum(self.energy(x)))(s)

    def recall(
        self,
        s: Any,
        mode: str = "asynchronous",
        *,
        rng: np.random.Generator | int | None = None,
        max_sweeps: int = 100,
    ) -> Recall:
        """Follow a state until it settles.

        Args:
            s: (N,) of {−1, +1}.
            mode: "asynchronous", one unit at a time, each once in a sweep; E never rises.
                "synchronous", all at once; E may rise, and the end is a fixed point or
                a cycle of two states (Goles, 1985).
            rng: a seed or generator for the order of the units, anew in each sweep.
            max_sweeps: stop after as many.

        Raises:
            ValueError: for a state, a mode or weights that are none.
        """
        _one_of("Hopfield.recall", "mode", mode, MODES)
        check_sizes("Hopfield.recall", max_sweeps=max_sweeps)
        start = self._states("recall", as_plain("Hopfield", s)[np.newaxis])
        walk = self._descend if mode == "asynchronous" else self._step
        rng = np.random.default_rng(rng)
        path, outcome, sweeps = [start[0]], "limit", 0
        while outcome == "limit" and sweeps < max_sweeps:
            sweeps += 1
            changes = walk(path[-1], rng)
            path += changes
            if not changes:
                outcome = "fixed point"
            elif _returned(path):
                outcome = "cycle"
                path.pop()
        states = np.array(path)
        return Recall(states, self.energy(states), sweeps, outcome)

    def settle(self, s: Any, rng: np.random.Generator | int | None = None) -> Array:
        """Where asynchronous recall ends for each of many states s (B, N) at once."""
        s, rng = self._states("settle", s), np.random.default_rng(rng)
        h, tie = self._fields(s)
        moving = np.arange(len(s))
        while len(moving):
            part, fields = s[moving], h[moving]
            for _ in _sweep(part, fields, self.W.data, tie, rng):
                pass
            changed = np.any(part != s[moving], axis=1)
            s[moving], h[moving] = part, fields
            moving = moving[changed]
        return s

    def _descend(self, s: Array, rng: np.random.Generator) -> list[Array]:
        rows = s[np.newaxis].copy()
        h, tie = self._fields(rows)
        return [rows[0].copy() for _ in _sweep(rows, h, self.W.data, tie, rng)]

    def _step(self, s: Array, rng: np.random.Generator) -> list[Array]:
        h, tie = self._fields(s)
        after = _sign(h, s, tie)
        return [] if np.array_equal(after, s) else [after]

    def _fields(self, s: Array) -> tuple[Array, float]:
        """s W + b, and what of it counts as zero."""
        W, b = self.W.data, self.b.data
        return s @ W + b, TIE * float(np.max(np.abs(W).sum(axis=0) + np.abs(b)))

    def _states(self, method: str, s: Any) -> Array:
        _check_weights(self.W.data, self.b.data)
        return check_states(f"Hopfield.{method}", s, self.config["size"], SPINS)

    def _check_width(self, s: Any) -> None:
        N = self.config["size"]
        if np.shape(s)[-1:] != (N,):
            raise ValueError(
                f"Hopfield: s has shape {np.shape(s)}, expected (…, N) with N = {N}"
            )


def _sweep(
    s: Array, h: Array, W: Array, tie: float, rng: np.random.Generator
) -> Iterator[int]:
    """Each unit once, in random order: s_i ← sign(h_i), in place, for rows s (B, N).

    A change Δ of unit i moves the field by Δ W_i, which is cheaper than s W + b anew.
    Yields the units that changed in any row.
    """
    for i in rng.permutation(s.shape[1]):
        change = _sign(h[:, i], s[:, i], tie) - s[:, i]
        rows = np.flatnonzero(change)
        if len(rows):
            s[rows, i] += change[rows]
            h[rows] += np.multiply.outer(change[rows], W[i])
            yield int(i)


def _returned(path: list[Array]) -> bool:
    """Whether the last state is the one before the one before."""
    return len(path) > 2 and np.array_equal(path[-1], path[-3])


def _sign(h: Array, s: Array, tie: float) -> Array:
    return np.where(np.abs(h) <= tie, s, np.sign(h))


def _one_of(caller: str, name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{caller}: {name}={value!r}, expected {' or '.join(known)}")


def _check_weights(W: Array, b: Array) -> None:
    for name, values in (("W", W), ("b", b)):
        if not np.isfinite(values).all():
            place = [int(i) for i in np.argwhere(~np.isfinite(values))[0]]
            raise ValueError(f"Hopfield: {name} is not finite at {place}")
    for wrong, what in (
        (W != W.T, "is not symmetric"),
        (np.diag(np.diag(W) != 0), "has a diagonal"),
    ):
        if np.any(wrong):
            i, j = (int(place) for place in np.argwhere(wrong)[0])
            raise ValueError(
                f"Hopfield: W {what}: W[{i}, {j}] = {W[i, j]}, W[{j}, {i}] = {W[j, i]}. "
                "Recall descends E only for a symmetric W with a zero diagonal; write "
                "W = (W + W.T) / 2; np.fill_diagonal(W, 0)"
            )
