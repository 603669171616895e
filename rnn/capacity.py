"""How much a Hopfield network holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnn.checks import as_number, check_sizes
from rnn.hopfield import SPINS, Hopfield

__all__ = ["capacity_curve"]

Array = np.ndarray[Any, Any]


def capacity_curve(
    size: int,
    loads: Sequence[float],
    *,
    trials: int = 1,
    rule: str = "hebbian",
    rng: np.random.Generator | int | None = None,
) -> Array:
    """How well random patterns are recalled, against the load P/N.

    Recall starts at each pattern ξ itself and ends in s; their overlap ξ sᵀ / N is 1
    where the pattern is a fixed point. For N → ∞ under the Hebbian rule it stays above
    0.967 up to a load of 0.138 and collapses there.

    Args:
        size: N.
        loads: L of them; P is the nearest whole number of patterns, at least 1.
        trials: R, sets of patterns for each load.
        rule: see `Hopfield.store`.
        rng: a seed or generator for patterns and recall.

    Returns:
        (L, R), the mean overlap over the patterns of each set.
    """
    check_sizes("capacity_curve", trials=trials)
    if np.ndim(loads) != 1 or any(not 0 <= as_number(load) < np.inf for load in loads):
        raise ValueError(
            f"capacity_curve: loads={loads!r}, expected a list of numbers P/N from 0"
        )
    network, rng = Hopfield(size), np.random.default_rng(rng)
    found = np.empty((len(loads), trials))
    for place in np.ndindex(found.shape):
        patterns = rng.choice(SPINS, (max(1, round(loads[place[0]] * size)), size))
        network.store(patterns, rule)
        found[place] = np.mean(patterns * network.settle(patterns, rng))
    return found
