"""The classical mistakes of backpropagation through time, each ready to be planted.

A `Bug` is one line of the oracle, `rnn/deltas.py`, as it is and as somebody wrote it.
Planted, it gives the wrong gradients that this somebody sees.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from rnn import deltas

__all__ = ["BUGS", "Bug", "first_difference"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Bug:
    """One mistake in the backward pass of the Elman network.

    Attributes:
        name: a few words.
        right: the text in `rnn/deltas.py`, where it stands once.
        wrong: what the mistake has in its place.
        first_wrong: the quantity that goes wrong first on the way back in time, as
            `first_difference` names it.
        lesson: what one believes who writes this, and how it shows.
    """

    name: str
    right: str
    wrong: str
    first_wrong: str
    lesson: str

    def planted(self) -> str:
        """The source of `rnn/deltas.py` with the bug in it.

        Raises:
            ValueError: where `right` does not stand in it exactly once.
        """
        source = inspect.getsource(deltas)
        count = source.count(self.right)
        if count != 1:
            raise ValueError(
                f"bug {self.name!r}: rnn/deltas.py has {self.right!r} {count} times, "
                "expected once. Where the oracle's lines change, rnn/bugs.py follows"
            )
        return source.replace(self.right, self.wrong)

    def elman(self, *args: Any, **options: Any) -> dict[str, Array]:
        """What `rnn.deltas.elman` gives for the same arguments with the bug in it."""
        module = ModuleType(f"deltas, {self.name}")
        exec(compile(self.planted(), f"<{module.__name__}>", "exec"), vars(module))
        return module.elman(*args, **options)


def first_difference(
    found: Mapping[str, Array], right: Mapping[str, Array], tolerance: float = 1e-9
) -> str | None:
    """Name what is wrong first on the way back: δ_y^T, δ_a^T, δ_y^{T-1}, …, gradients.

    Args:
        found: results under the names of `rnn.deltas.elman`; those missing are skipped.
        right: the results of `rnn.deltas.elman`.
        tolerance: how far numbers may differ, relative to the largest of their kind.

    Returns:
        "δ_a^{T-1}", "δ_a^1" (for T > 1 the first step is always called 1), "∂E/∂W_a", …;
        None where all agree.
    """
    T = len(right["delta_a"])
    for t in reversed(range(T)):
        for layer in ("y", "a"):
            key = f"delta_{layer}"
            if key in found and not _agree(found[key][t], right[key][t], tolerance):
                return f"δ_{layer}^{_step(t + 1, T)}"
    for key in ("W_y", "b_y", "W_a", "W_x", "b_a", "x", "a0"):
        if key in found and not _agree(found[key], right[key], tolerance):
            return f"∂E/∂{key}"
    return None


def _step(t: int, T: int) -> str:
    return "T" if t == T else "1" if t == 1 else f"{{T-{T - t}}}"


def _agree(found: Any, right: Array, tolerance: float) -> bool:
    largest = np.max(np.abs(right), initial=0)
    return np.shape(found) == right.shape and bool(
        np.all(np.abs(found - right) <= tolerance * largest)
    )


_DELTA_A = "dphi(v_a[t]) * (delta_y[t] @ W_y + delta_a[t + 1] @ W_a)"
_PSI = "return PHI[psi][1](v) * dE_dy"
_W_A = '"W_a": sum(delta_a[t].T @ a[t] for t in range(T))'
_W_X = '"W_x": sum(delta_a[t].T @ x[t] for t in range(T))'
_W_Y = '"W_y": sum(delta_y[t].T @ a[t + 1] for t in range(T))'
_B_A = '"b_a": delta_a.sum(axis=(0, 1))'
_A0 = '"a0": delta_a[0] @ W_a'

BUGS: tuple[Bug, ...] = (
    Bug(
        "sign of the error",
        _PSI,
        "return PHI[psi][1](v) * -dE_dy",
        "δ_y^T",
        "With e = d − y one takes the error for ∂E/∂y, which is y − d. Every gradient "
        "has the right size and the opposite sign, so the training error grows.",
    ),
    Bug(
        "derivative of the output activation forgotten",
        _PSI,
        "return dE_dy",
        "δ_y^T",
        "One takes the error itself for δ_y. That is right for identity outputs (and for "
        "softmax with cross-entropy), so nothing shows until the outputs are squashed.",
    ),
    Bug(
        "derivative of the hidden activation forgotten",
        _DELTA_A,
        "delta_y[t] @ W_y + delta_a[t + 1] @ W_a",
        "δ_a^T",
        "One sends the error back through the weights alone, as if the layer were "
        "linear. Where φ' < 1, δ_a comes out too large, and more so at every step back.",
    ),
    Bug(
        "derivative at the wrong argument",
        _DELTA_A,
        _DELTA_A.replace("dphi(v_a[t])", "dphi(a[t + 1])"),
        "δ_a^T",
        "One evaluates φ' at the state a^t, which was at hand, rather than at the field "
        "v_a^t. ReLU and identity do not show it, tanh does wherever |v_a| is not small.",
    ),
    Bug(
        "derivative at the step before",
        _DELTA_A,
        _DELTA_A.replace("dphi(v_a[t])", "dphi(v_a[max(t - 1, 0)])"),
        "δ_a^T",
        "One counts the fields from 1 and the steps from 0. Every δ_a has the size that "
        "one expects and the slope of its neighbour; only that of step 1 is right.",
    ),
    Bug(
        "immediate term missing",
        _DELTA_A,
        "dphi(v_a[t]) * (delta_a[t + 1] @ W_a)",
        "δ_a^T",
        "One remembers the layer itself, one instant later, and forgets the layer after, "
        "at the same instant. Nothing enters the recursion: δ_a is 0 throughout.",
    ),
    Bug(
        "error of the last step only",
        _DELTA_A,
        "dphi(v_a[t]) * ((t == T - 1) * delta_y[t] @ W_y + delta_a[t + 1] @ W_a)",
        "δ_a^{T-1}",
        "One starts the recursion with the error at T and lets no other in, as if only "
        "the last output were trained. δ_a^T is right, all before it are not.",
    ),
    Bug(
        "recurrent term missing",
        _DELTA_A,
        "dphi(v_a[t]) * (delta_y[t] @ W_y)",
        "δ_a^{T-1}",
        "One treats each step as a feed-forward network of its own. Going forward in "
        "time, where δ_a^{t+1} is still 0, comes to the same. δ_a^T alone is right.",
    ),
    Bug(
        "W_a in place of its transpose",
        _DELTA_A,
        _DELTA_A.replace("@ W_a", "@ W_a.T"),
        "δ_a^{T-1}",
        "The square W_a fits either way round, so its shape does not say that the way "
        "back is δ W_a for v = a W_aᵀ. A network of one hidden unit does not show it.",
    ),
    Bug(
        "Jacobians in the wrong order",
        _DELTA_A,
        "dphi(v_a[t]) * (delta_y[t] @ W_y) + (dphi(v_a[t]) * delta_a[t + 1]) @ W_a",
        "δ_a^{T-1}",
        "One multiplies δ_a^{t+1} by φ' before it passes W_a and not after, as if the "
        "two commuted. They do for one hidden unit; with more, δ_a^T alone is right.",
    ),
    Bug(
        "bracket forgotten",
        _DELTA_A,
        "dphi(v_a[t]) * (delta_y[t] @ W_y) + delta_a[t + 1] @ W_a",
        "δ_a^{T-1}",
        "One applies φ' to the term from the output and not to the one from t + 1. What "
        "comes from later is too large, and explodes where it ought to vanish.",
    ),
    Bug(
        "truncated too early",
        _DELTA_A,
        _DELTA_A.replace("delta_a[t + 1]", "(t > 0) * delta_a[t + 1]"),
        "δ_a^1",
        "One stops the recursion before it has reached the first step. All δ are right "
        "but δ_a^1, the last to come, and ∂E/∂W_a, ∂E/∂W_x, ∂E/∂b_a lack its part.",
    ),
    Bug(
        "output seen from the state before",
        _W_Y,
        _W_Y.replace("a[t + 1]", "a[t]"),
        "∂E/∂W_y",
        "One pairs δ_y^t with a^{t−1}, by the analogy of W_a; but y^t is computed from "
        "a^t. All δ are right, and only ∂E/∂W_y is wrong.",
    ),
    Bug(
        "state off by one",
        _W_A,
        _W_A.replace("@ a[t]", "@ a[t + 1]"),
        "∂E/∂W_a",
        "One pairs δ_a^t with the state that it belongs to, a^t, not with a^{t−1}, which "
        "W_a multiplied. All δ are right and only ∂E/∂W_a is wrong.",
    ),
    Bug(
        "overwritten instead of added",
        _W_A,
        '"W_a": [delta_a[t].T @ a[t] for t in reversed(range(T))][-1]',
        "∂E/∂W_a",
        "One writes = where += is due, forgetting that all steps share one W_a. Only the "
        "term of the first step stays, which is exactly 0 where a^0 is.",
    ),
    Bug(
        "mean instead of sum",
        _W_X,
        _W_X + " / T",
        "∂E/∂W_x",
        "One averages over the steps what the chain rule adds up. The direction is right "
        "and the size is not, by T, so it passes for a learning rate that is too small.",
    ),
    Bug(
        "bias not summed over the batch",
        _B_A,
        '"b_a": delta_a.sum(axis=0)',
        "∂E/∂b_a",
        "One adds up the steps and forgets that the samples share one bias too. The "
        "shape is (B, H) for (H,), which broadcasting lets pass in b = b − η ∂E/∂b.",
    ),
    Bug(
        "initial state one step short",
        _A0,
        '"a0": delta_a[0]',
        "∂E/∂a0",
        "One takes δ_a^1 for the gradient of a^0, but between the two lies W_a: "
        "∂E/∂a^0 = δ_a^1 W_a. The shapes agree; all else is right.",
    ),
)
"""Sorted by what goes wrong first."""
