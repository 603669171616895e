"""Learning rates that change with time: plain functions of the step, the last argument.

`functools.partial(cosine, 0.01, 1000)` is what `fit` takes. Steps count from 0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnn.checks import as_number

__all__ = [
    "constant", "cosine", "exponential", "one_cycle", "rate_at", "staircase", "warm_up",
]  # fmt: skip


def constant(lr: float, step: int) -> float:
    """Lr, at every step; for `warm_up`."""
    return lr


def staircase(lr: float, every: int, factor: float, step: int) -> float:
    """lr · factor^⌊step / every⌋."""
    return lr * factor ** (step // _positive("staircase", "every", every))


def exponential(lr: float, factor: float, step: int) -> float:
    """lr · factor^step."""
    return lr * factor**step


def cosine(lr: float, steps: int, step: int) -> float:
    """The learning rate of half a cosine: `lr` at step 0, 0 at step `steps`."""
    _positive("cosine", "steps", steps)
    return lr * 0.5 * (1 + float(np.cos(np.pi * min(step, steps) / steps)))


def warm_up(schedule: Callable[[int], float], steps: int, step: int) -> float:
    """schedule(step) · min(1, (step + 1) / steps): in so many equal steps up to all."""
    _positive("warm_up", "steps", steps)
    return schedule(step) * min(1.0, (step + 1) / steps)


def one_cycle(lr: float, steps: int, step: int) -> float:
    """Up to `lr` and down to nearly 0 by half cosines (Smith and Topin, 2019).

    From lr / 25 at step 0 to lr at 0.3·steps − 1, and to lr / 250,000 at the last,
    steps − 1; the numbers are those of PyTorch's OneCycleLR.
    """
    _positive("one_cycle", "steps", steps)
    top, last = 0.3 * steps - 1, steps - 1
    if step <= top:
        start, end, done = lr / 25, lr, step / top if top else 1.0
    else:
        start, end, done = lr, lr / 250_000, (step - top) / (last - top)
    return end + (start - end) * 0.5 * (1 + float(np.cos(np.pi * min(done, 1.0))))


def rate_at(caller: str, schedule: Callable[[int], float], step: int) -> float:
    """schedule(step), a number from 0; ValueError where it is none."""
    lr = schedule(step)
    if not 0 <= as_number(lr) < np.inf:
        raise ValueError(
            f"{caller}: the schedule gives {lr!r} for step {step}, expected 0 or above"
        )
    return float(lr)


def _positive(schedule: str, name: str, value: int) -> int:
    if value < 1:
        raise ValueError(f"{schedule}: {name}={value}, expected at least 1")
    return value
