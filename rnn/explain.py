"""δ^t written out with the numbers of a run; a learner's gradient and its mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rnn import deltas
from rnn.bugs import BUGS, first_difference
from rnn.deltas.activations import PHI
from rnn.elman import ElmanNetwork

__all__ = ["explain"]

Array = np.ndarray[Any, Any]
Gradient = Callable[[Mapping[str, Array], Array, Array], Mapping[str, Array]]

SLOPES = {
    "tanh": "1 − tanh²({v})",
    "sigmoid": "σ({v})(1 − σ({v}))",
    "relu": "[{v} > 0]",
    "softplus": "σ({v})",
    "identity": "1",
}
"""φ'(v) by the name of φ."""

UNITS = 4
"""Hidden units that are written out unless told otherwise."""


def explain(
    network: ElmanNetwork,
    x: Array,
    dE_dy: Array | Callable[[Array], Array],
    t: int | None = None,
    *,
    gradient: Gradient | None = None,
    a0: Array | None = None,
    units: int = UNITS,
    sample: int = 0,
) -> str:
    """The recursion for δ^t, symbol by symbol, with the numbers of this run.

        δ_a^t = φ'(v_a^t) ⊙ (δ_y^t W_y + δ_a^{t+1} W_a)

    Given a learner's own function for the gradients, it says instead what is the first
    that is wrong on the way back in time, and which of the classical mistakes (see
    `rnn.bugs`) makes the same numbers.

    Args:
        network: an Elman network; its activations are those of the formulas.
        x: (T, B, D) inputs.
        dE_dy: (T, B, O), ∂E/∂y; or the function of y that gives it, `lambda y: y - d`.
        t: the step, 1 … T; T unless given.
        gradient: of (parameters, x, ∂E/∂y), to a dict of any of "delta_a", "delta_y",
            "W_x", "W_a", "b_a", "W_y", "b_y", "x", "a0", in the shapes of
            `rnn.deltas.elman`.
        a0: (B, H), the state before the first step; zeros unless given.
        units: how many hidden units are written out.
        sample: which of the B samples.

    Returns:
        Text, some lines of it.

    Raises:
        ValueError: for a step or a sample that is not there; where `gradient` returns no
            dict of these names.
    """
    instants = network.unroll(x, a0)
    parameters = network.state_dict()
    y = np.stack([np.asarray(i.y.data) for i in instants])
    slope = dE_dy(y) if callable(dE_dy) else dE_dy
    phi, psi = network.config["activation"], network.config["output_activation"]
    right = deltas.elman(parameters, x, slope, a0, phi, psi)
    if gradient is not None:
        found = gradient(parameters, x, slope)
        return _diagnosis(found, right, (parameters, x, slope, a0, phi, psi))
    T, B, _ = x.shape
    t = T if t is None else t
    if not (1 <= t <= T and 0 <= sample < B):
        raise ValueError(
            f"explain: step t={t} and sample {sample}, expected 1 to T = {T} and 0 to "
            f"{B - 1}"
        )
    v = np.asarray(instants[t - 1].v_a.data)[sample]
    return _written_out(t, T, v, right, parameters, phi, units, sample)


def _written_out(
    t: int,
    T: int,
    v: Array,
    right: dict[str, Array],
    parameters: dict[str, Array],
    phi: str,
    units: int,
    sample: int,
) -> str:
    W_y, W_a = parameters["W_y"], parameters["W_a"]
    now = right["delta_y"][t - 1, sample]
    later = right["delta_a"][t, sample] if t < T else np.zeros(len(W_a))
    lines = [
        f"δ_a^{t} = φ'(v_a^{t}) ⊙ (δ_y^{t} W_y + δ_a^{t + 1} W_a)",
        f"  δ_y^{t} = {_row(now)}, from the output of this step",
        f"  δ_a^{t + 1} = {_row(later)}, "
        + ("from the step after" if t < T else "since step T is the last"),
    ]
    for j in range(min(units, len(v))):
        slope = PHI[phi][1](v[j : j + 1])[0]
        first, second = float(now @ W_y[:, j]), float(later @ W_a[:, j])
        lines += [
            f"unit {j + 1}",
            f"  φ'(v) = {SLOPES[phi].format(v=_number(v[j]))} = {_number(slope)}",
            f"  δ_y W_y = {_products(now, W_y[:, j])} = {_number(first)}",
            f"  δ_a W_a = {_products(later, W_a[:, j])} = {_number(second)}",
            f"  δ_a^{t} = {_number(slope)} × ({_number(first)} + {_factor(second)}) = "
            f"{_number(right['delta_a'][t - 1, sample, j])}",
        ]
    if len(v) > units:
        lines.append(f"… and {len(v) - units} more units")
    return "\n".join(lines)


def _diagnosis(
    found: Mapping[str, Array], right: dict[str, Array], given: tuple[Any, ...]
) -> str:
    known = {"delta_a", "delta_y", "W_x", "W_a", "b_a", "W_y", "b_y", "x", "a0"}
    if not isinstance(found, Mapping) or not known & set(found):
        raise ValueError(
            "explain: the gradient function returned "
            f"{sorted(found) if isinstance(found, Mapping) else type(found).__name__}, "
            f"expected a dict with some of {', '.join(sorted(known))}"
        )
    found = {name: np.asarray(found[name]) for name in known & set(found)}
    wrong = first_difference(found, right)
    if wrong is None:
        return f"All of {', '.join(sorted(found))} are right."
    lines = [f"{wrong} is the first that is wrong, on the way back in time."]
    names, T = _same_numbers(found, given), len(right["delta_a"])
    for name in sorted(found):
        if found[name].shape != right[name].shape:
            lines.append(
                f"  {name} has shape {found[name].shape}, expected {right[name].shape}"
            )
    if T == 1:
        lines.append("  With one step many mistakes do not show: try T ≥ 3 and B ≥ 2.")
    for bug in names:
        lines.append(f"Likely cause: {bug.name}. {bug.lesson}")
    if not names:
        lines.append("It is none of the classical mistakes; see `rnn.bugs.BUGS`.")
    return "\n".join(lines)


def _same_numbers(found: Mapping[str, Array], given: tuple[Any, ...]) -> list[Any]:
    """The bugs whose numbers are the learner's."""
    same = []
    for bug in (bug for bug in BUGS if "elman" in bug.of):
        theirs = bug.oracle("elman")(*given)
        if first_difference(found, _shaped(theirs), 1e-9) is None:
            same.append(bug)
    return same


def _shaped(found: Mapping[str, Any]) -> dict[str, Array]:
    return {name: np.asarray(value) for name, value in found.items()}


def _row(values: Array) -> str:
    shown = ", ".join(_number(value) for value in values[:UNITS])
    return f"({shown}{', …' if len(values) > UNITS else ''})"


def _products(left: Array, right: Array) -> str:
    pairs = list(zip(left, right, strict=True))
    shown = " + ".join(f"{_factor(a)}·{_factor(b)}" for a, b in pairs[:UNITS])
    return shown + (" + …" if len(pairs) > UNITS else "")


def _number(x: float) -> str:
    return f"{x:.4g}".replace("-", "−")


def _factor(x: float) -> str:
    text = _number(x)
    return f"({text})" if text.startswith("−") else text
