"""Places on a line that keep their distance."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

__all__ = ["spread"]


def spread(
    wishes: Sequence[float],
    widths: Sequence[float],
    weights: Sequence[float],
    bounds: tuple[float, float] = (float("-inf"), float("inf")),
) -> list[float]:
    """Middles as near as may be to the wishes, in their order, without overlaps.

    That is, in the sense of weighted least squares, a monotone regression: runs of places
    that would overlap move as one. Bounds hold for the middles; with too little room
    between them the first place keeps to the lower.

    >>> spread([0, 0, 9], [2, 2, 2], [1, 1, 1])
    [-1.0, 1.0, 9.0]
    """
    steps = [0.0]
    for before, width in pairwise(widths):
        steps.append(steps[-1] + (before + width) / 2)
    runs: list[tuple[float, float, int]] = []  # weight, weight × start, places
    for wish, step, weight in zip(wishes, steps, weights, strict=True):
        run = (weight, weight * (wish - step), 1)
        while runs and runs[-1][1] * run[0] >= run[1] * runs[-1][0]:
            last = runs.pop()
            run = (last[0] + run[0], last[1] + run[1], last[2] + run[2])
        runs.append(run)
    low, high = bounds[0], max(bounds[0], bounds[1] - steps[-1])
    starts = (min(max(total / weight, low), high) for weight, total, n in runs
              for _ in range(n))  # fmt: skip
    return [start + step for start, step in zip(starts, steps, strict=True)]
