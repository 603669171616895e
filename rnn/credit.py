"""Credit in time: which step's use of a weight which step's loss asks to change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Tensor, contributions

__all__ = ["Credit", "Truncation", "credit"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Truncation:
    """What truncated backpropagation through time leaves of the gradient.

    Attributes:
        k1, k2: every k1 steps the losses of these go back through the last k2 steps.
        gradient: the sum over the pairs that the cuts leave, of the parameter's shape.
        error: ‖gradient − full‖ / ‖full‖.
        cosine: of the angle between the two.
    """

    k1: int
    k2: int
    gradient: Array
    error: float
    cosine: float


@dataclass(frozen=True)
class Credit:
    """The credit matrix of a parameter W.

    Attributes:
        G: (T, S, *W.shape); G[t, s] = ∂E^t/∂W through the use of W at step s. It is 0 for
            s > t, since the future moves nothing.
        steps: the names of the S steps that use W, as their scopes have them.
    """

    G: Array
    steps: tuple[str, ...]

    @property
    def gradient(self) -> Array:
        """∂E/∂W for E = Σ_t E^t: the sum over all pairs."""
        total: Array = self.G.sum(axis=(0, 1))
        return total

    @property
    def norms(self) -> Array:
        """(T, S); ‖G[t, s]‖."""
        squares = np.square(self.G).reshape(*self.G.shape[:2], -1)
        root: Array = np.sqrt(squares.sum(axis=2))
        return root

    def kept(self, k1: int, k2: int) -> Array:
        """(T, T) booleans: the pairs (t, s) that truncated BPTT (k1, k2) leaves.

        The steps fall into blocks of k1. The losses of a block go back to its start, and
        through k2 − k1 steps before it (Williams and Peng, 1990).

        Raises:
            ValueError: for k1 below 1, or k2 below k1, which would leave losses out; or
                where the steps that use W are not the T steps of the losses.
        """
        T, S = self.G.shape[:2]
        if T != S:
            raise ValueError(
                f"Credit: {T} losses and {S} steps that use the parameter; truncation "
                "needs one loss for each step"
            )
        whole = all(isinstance(k, int | np.integer) for k in (k1, k2))
        if not (whole and 1 <= k1 <= k2):
            raise ValueError(
                f"Credit: k1={k1}, k2={k2}, expected 1 ≤ k1 ≤ k2, whole numbers"
            )
        t = np.arange(T)
        starts = t // k1 * k1 - (k2 - k1)
        pairs: Array = (t <= t[:, np.newaxis]) & (t >= starts[:, np.newaxis])
        return pairs

    def truncated(self, k1: int, k2: int) -> Truncation:
        """The gradient of truncated BPTT (k1, k2), and how far from the full one."""
        left = self.kept(k1, k2).reshape(*self.G.shape[:2], *(1,) * (self.G.ndim - 2))
        found, full = (self.G * left).sum(axis=(0, 1)), self.gradient
        size, norm = np.linalg.norm(found), np.linalg.norm(full)
        error = float(np.linalg.norm(found - full) / norm) if norm else 0.0
        cosine = float(np.sum(found * full) / (size * norm)) if size * norm else 0.0
        return Truncation(k1, k2, found, error, cosine)

    def report(self, pairs: Sequence[tuple[int, int]] | None = None) -> str:
        """A table of the relative error and the cosine of each (k1, k2).

        Args:
            pairs: k1 = k2 = 1, 2, 4, … below T, and T, unless given.
        """
        T = len(self.G)
        powers = [2**i for i in range(T.bit_length()) if 2**i < T]
        chosen = [(k, k) for k in (*powers, T)] if pairs is None else pairs
        lines = [f"{'k1':>4} {'k2':>4} {'relative error':>15} {'cosine':>8}"]
        for k1, k2 in chosen:
            cut = self.truncated(k1, k2)
            lines.append(f"{k1:>4} {k2:>4} {cut.error:>15.3g} {cut.cosine:>8.4f}")
        return "\n".join(lines)


def credit(losses: Sequence[Any], parameter: Tensor) -> Credit:
    """G[t, s] = ∂E^t/∂W through the use of W at step s, for all t and s.

    Its sum over all pairs is ∂E/∂W of E = Σ_t E^t; its sum over s, ∂E^t/∂W.

    Args:
        losses: E^1, …, E^T, scalars, one for each step of an unrolled network.
        parameter: W, used in the scope of each step.

    Raises:
        ValueError: without losses, or with one that is no scalar; where W is used outside
            of all scopes, or not at all.
        TypeError: where W is no Tensor.
    """
    if not isinstance(parameter, Tensor):
        raise TypeError(
            f"credit: the parameter is a {type(parameter).__name__}, expected a Tensor, "
            "such as network.W_a"
        )
    if (isinstance(losses, Tensor) and not losses.ndim) or not len(losses):
        raise ValueError(
            f"credit: {'one loss' if isinstance(losses, Tensor) else 'no losses'}, "
            "expected a list of E^1, …, E^T, the loss of every step on its own"
        )
    rows: list[dict[str, Array]] = []
    for t, E in enumerate(losses, start=1):
        if np.size(E) != 1:
            raise ValueError(
                f"credit: E^{t} has shape {np.shape(E)}, expected one number: its sum"
            )
        row: dict[str, Array] = {}
        if isinstance(E, Tensor) and E.requires_grad:
            for term in contributions(E, parameter):
                step = term.scope.split("/")[0]
                if not step:
                    raise ValueError(
                        f"credit: {parameter.name or 'the parameter'} is used outside of "
                        'all steps. Lay them out with `unroll`, or in scope("t=1"), …'
                    )
                row[step] = row[step] + term.gradient if step in row else term.gradient
        rows.append(row)
    steps = tuple(dict.fromkeys(step for row in reversed(rows) for step in row))
    if not steps:
        raise ValueError("credit: no loss depends on the parameter")
    steps = tuple(sorted(steps, key=_number)) if all(map(_number, steps)) else steps
    G = np.zeros((len(rows), len(steps), *parameter.shape), parameter.dtype)
    for t, row in enumerate(rows):
        for step, gradient in row.items():
            G[t, steps.index(step)] = gradient
    return Credit(G, steps)


def _number(step: str) -> int:
    """3 of "t=3"; 0 of other names."""
    digits = step.removeprefix("t=")
    return int(digits) if digits.isdigit() else 0
