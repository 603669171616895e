"""A mistake in a line of the oracle, and where on the way back in time it shows."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn import deltas

__all__ = ["Bug", "first_difference"]

Array = np.ndarray[Any, Any]
Oracle = Callable[..., dict[str, Array]]

STEPS = (
    "delta_y", "delta_a", "delta", "dh", "dc", "delta_n", "delta_o", "delta_i", "delta_f",
    "delta_g", "delta_v", "delta_z", "delta_r", "delta_m",
)  # fmt: skip
"""What the oracles have of every step, in the order of the way back."""
GRADIENTS = (
    "W_y", "b_y", "W_a", "W_x", "b_a", "weight_hh", "weight_ih", "bias_hh", "bias_ih",
    "x", "a0", "h0", "c0",
)  # fmt: skip


@dataclass(frozen=True)
class Bug:
    """One mistake in the backward pass of a recurrent network.

    Attributes:
        name: a few words.
        of: the functions of `rnn.deltas` that it shows in, "elman" or "lstm", ….
        right: the text in the source of their module, where it stands once.
        wrong: what the mistake has in its place.
        first_wrong: the quantity that goes wrong first on the way back in time, as
            `first_difference` names it.
        lesson: what one believes who writes this, and how it shows.
    """

    name: str
    of: tuple[str, ...]
    right: str
    wrong: str
    first_wrong: str
    lesson: str

    @property
    def module(self) -> str:
        """The name of the module of the oracle that the bug is planted in."""
        return getattr(deltas, self.of[0]).__module__

    def planted(self) -> str:
        """The source of the module with the bug in it.

        Raises:
            ValueError: where `right` does not stand in it exactly once.
        """
        source = inspect.getsource(sys.modules[self.module])
        count = source.count(self.right)
        if count != 1:
            raise ValueError(
                f"bug {self.name!r}: {self.module} has {self.right!r} {count} "
                "times, expected once. Where the oracle's lines change, rnn/bugs follows"
            )
        return source.replace(self.right, self.wrong)

    def oracle(self, name: str | None = None) -> Oracle:
        """The function of `rnn.deltas` of that name, the first of `of`, with the bug."""
        module: dict[str, Any] = {"__name__": f"{self.module}, {self.name}"}
        exec(compile(self.planted(), f"<{module['__name__']}>", "exec"), module)
        return module[name or self.of[0]]


def first_difference(
    found: Mapping[str, Array],
    right: Mapping[str, Array],
    tolerance: float = 1e-9,
    rounding: float = 0.0,
) -> str | None:
    """Name what is wrong first on the way back: δ_y^T, δ_a^T, δ_y^{T-1}, …, gradients.

    Args:
        found: results under the names of an oracle; those missing are skipped.
        right: the results of the oracle, of one layer.
        tolerance: how far numbers may differ, relative to the largest of their kind.
        rounding: how far they may differ in any case: what is 0 only because its terms
            cancel comes out so large.

    Returns:
        "δ_a^{T-1}", "dc^1" (for T > 1 the first step is always called 1), "∂E/∂W_a", …;
        None where all agree.
    """
    steps = [key for key in STEPS if key in right]
    T = len(right[steps[0]])
    allowed = tolerance, rounding
    for t in reversed(range(T)):
        for key in steps:
            if key not in found:
                continue
            same = np.shape(found[key]) == right[key].shape
            if not (same and _agree(found[key][t], right[key][t], allowed)):
                return f"{symbol(key)}^{_step(t + 1, T)}"
    for key in (key for key in GRADIENTS if key in right):
        if key in found and not _agree(found[key], right[key], allowed):
            return f"∂E/∂{key}"
    return None


def symbol(key: str) -> str:
    """What the formulas call a result of an oracle: δ_a for "delta_a"."""
    return key.replace("delta", "δ")


def _step(t: int, T: int) -> str:
    return "T" if t == T else "1" if t == 1 else f"{{T-{T - t}}}"


def _agree(found: Any, right: Array, allowed: tuple[float, float]) -> bool:
    tolerance, rounding = allowed
    most = max(tolerance * np.max(np.abs(right), initial=0), rounding)
    return np.shape(found) == right.shape and bool(np.all(np.abs(found - right) <= most))
