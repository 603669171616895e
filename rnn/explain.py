"""δ^t written out with the numbers of a run; a learner's gradient and its mistake."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import no_grad
from autograd.tensor import value_of
from rnn import deltas
from rnn.bugs import BUGS, first_difference
from rnn.bugs.bug import GRADIENTS, STEPS, symbol
from rnn.checks import check_callable, check_sizes
from rnn.deltas.activations import PHI
from rnn.elman import ElmanNetwork
from rnn.recursions import Recursion, recursion_of
from rnn.unroll import unroll

__all__ = ["explain"]

Array = np.ndarray[Any, Any]
Gradient = Callable[[Mapping[str, Array], Array, Array], Mapping[str, Array]]

UNITS = 4
"""What is written out of each layer, and of each sum, unless told otherwise."""


def explain(
    network: Any,
    x: Array,
    dE_dy: Array | Callable[[Array], Array],
    t: int | None = None,
    *,
    gradient: Gradient | None = None,
    state: Any = None,
    units: int = UNITS,
    sample: int = 1,
) -> str:
    """The recursion for δ^t, symbol by symbol, with the numbers of this run.

        δ_a^t = φ'(v_a^t) ⊙ (δ_y^t W_y + δ_a^{t+1} W_a)

    of an `ElmanNetwork`; for an LSTM or a GRU dh^t, dc^t and the δ of every gate, as in
    `rnn.deltas`. Every number is the result of others that are shown, of ∂E/∂y, of the
    forward pass or of the step after, `explain(…, t + 1)`.

    Given a learner's own function for the gradients, it says instead what is the first
    that is wrong on the way back in time, and which of the classical mistakes (see
    `rnn.bugs`) makes the same numbers.

    Args:
        network: an `ElmanNetwork`; an `RNN`, `GRU` or `LSTM` of one layer and one
            direction; or a cell of one. Of the latter h takes the place of y below.
        x: (T, B, D) inputs; also where the network has the batch first.
        dE_dy: (T, B, O), ∂E/∂y; or the function of y that gives it, `lambda y: y - d`.
        t: the step, 1 … T; T unless given.
        gradient: of (parameters, x, ∂E/∂y), to a dict of any of "delta_a", "delta_y",
            "W_x", …, "x" and "a0", in the names and shapes of `rnn.deltas.elman`; or of
            `lstm` and `gru` there, "dh", "delta_i", "weight_hh", …. For an RNN it is
            "delta", and the rest as for these two. All is in float64.
        state: (B, H), the state before the first step; for an LSTM the pair (h, c). Zeros
            unless given.
        units: how many units of each layer, and terms of each sum, are written out.
        sample: which of the samples, 1 … B.

    Returns:
        Text, some lines of it.

    Raises:
        TypeError: for what is no recurrent network, and for one of a derived class that
            changes what is computed.
        ValueError: for several layers or directions; for a step or a sample that is not
            there, or a ∂E/∂y of another shape; where `gradient` returns no dict of these
            names, or other names beside them.
    """
    run = _Run.of(network, x, dE_dy, state)
    if gradient is not None:
        check_callable("explain", "gradient", gradient, "of (parameters, x, ∂E/∂y)")
        return _diagnosis(gradient(run.parameters, run.x, run.slope), run)
    T, B = run.slope.shape[:2]
    t = T if t is None else t
    check_sizes("explain", t=t, units=units, sample=sample)
    if t > T or sample > B:
        raise ValueError(
            f"explain: step t={t} and sample {sample}, expected 1 to T = {T} and 1 to "
            f"B = {B}"
        )
    return _written_out(run, t, sample - 1, units)


@dataclass(frozen=True)
class _Run:
    """A network's recursion and the numbers in it, in float64."""

    recursion: Recursion
    parameters: dict[str, Array]
    x: Array
    slope: Array
    state: tuple[Array, ...]
    right: dict[str, Array]

    @classmethod
    def of(cls, network: Any, x: Any, dE_dy: Any, state: Any) -> _Run:
        cell, recursion = recursion_of(network)
        x = np.asarray(value_of(x))
        if state is not None and len(recursion.state) != len(_parts(state)):
            raise ValueError(
                f"explain: the state has {len(_parts(state))} part, expected the tuple "
                f"({', '.join(recursion.state)})"
            )
        with no_grad():
            y = _outputs(cell, x, state)
        slope = np.asarray(value_of(dE_dy(y) if callable(dE_dy) else dE_dy))
        letter = recursion.output
        if slope.shape != y.shape:
            raise ValueError(
                f"explain: ∂E/∂{letter} has shape {slope.shape}, expected that of "
                f"{letter}, {y.shape}"
            )
        if slope.dtype.kind not in "iuf" or not np.isfinite(slope).all():
            raise ValueError(
                f"explain: ∂E/∂{letter} is {slope.dtype}, expected finite real numbers"
            )
        if x.dtype.kind in "iu":
            x = np.eye(cell.config["input_size"])[x]
        if state is None:
            shape = (len(recursion.state), x.shape[1], cell.config["hidden_size"])
            state = tuple(np.zeros(shape))
        parameters = {
            name: value.astype(float) for name, value in cell.state_dict().items()
        }
        given = (
            parameters,
            x.astype(float),
            slope.astype(float),
            tuple(np.asarray(value_of(part), float) for part in _parts(state)),
        )
        right = recursion.run(getattr(deltas, recursion.oracle), *given)
        return cls(recursion, *given, right)

    @property
    def rounding(self) -> float:
        """How far from 0 rounding may leave what cancels, by the size of all ∂E/∂y."""
        inputs = np.max(np.abs(self.x), initial=1.0)
        return float(np.finfo(float).eps * inputs * np.abs(self.slope).sum())

    def row(self, quantity: str, t: int, sample: int) -> Array:
        """What ⟨quantity⟩ is, a number for each unit; beyond the last step 0."""
        left, _, matrix = quantity.partition(" ")
        if matrix:
            return self.row(left, t, sample) @ self.matrix(matrix, t, sample)
        if slope := re.fullmatch(r"(\w)'\((.*)\)", quantity):
            return PHI[self.recursion.phi[slope[1]]][1](self.row(slope[2], t, sample))
        name, _, when = quantity.removesuffix("]").partition("[t")
        step = t + {"": 0, "+1": 1, "−1": -1}[when]
        if not step:
            return self.state[self.recursion.state.index(name)][sample]
        known = {symbol(key): value for key, value in self.right.items()}
        values = self.slope if name.startswith("∂") else known[name]
        return (
            values[step - 1, sample] if step <= len(values) else np.zeros(values.shape[2])
        )

    def matrix(self, name: str, t: int, sample: int) -> Array:
        """A matrix of parameters; or a row as a column, the same for every unit."""
        if name.endswith("ᵀ"):
            row = self.row(name.removesuffix("ᵀ"), t, sample)
            return np.outer(row, np.ones_like(row))
        return self.recursion.matrices(self.parameters)[name]


def _parts(state: Any) -> tuple[Any, ...]:
    return state if isinstance(state, tuple) else (state,)


def _outputs(cell: Any, x: Array, state: Any) -> Array:
    """y (T, B, O) of an Elman network, h (T, B, H) of a cell; they check x and state."""
    if isinstance(cell, ElmanNetwork):
        return np.asarray(value_of(cell(x, state)))
    cell._check_sequence(x)
    if not len(x):
        raise ValueError(f"explain: x has shape {x.shape}, expected T of at least 1")
    state = cell.zero_state(x.shape[1:2]) if state is None else state
    return np.stack([value_of(h) for h in unroll(cell, x, state)[0]])


def _written_out(run: _Run, t: int, sample: int, units: int) -> str:
    T, B = run.slope.shape[:2]
    recursion = run.recursion
    lines = [f"Step t = {t} of T = {T}, sample {sample + 1} of B = {B}:"]
    for layer in recursion.layers:
        lines += [f"  {_at(f'{name} = {text}', t)}" for name, text in layer.formulas]
    lines.append(
        f"{recursion.forward} of the forward pass, ∂E/∂{recursion.output} is given, and "
        + (
            f"what has ^{T + 1} is 0, since step T = {T} is the last."
            if t == T
            else f"what has ^{t + 1} is of the step after: explain(…, t={t + 1})."
        )
    )
    lines.append(
        "⊙ multiplies unit by unit; δ W is, for unit j, the sum of δ_k W_kj over k. "
        "Numbers are rounded to four digits."
    )
    for layer in recursion.layers:
        N = len(run.row(layer.formulas[-1][0], t, sample))
        for j in range(min(units, N)):
            lines.append(f"{layer.unit} {j + 1}")
            for name, text in layer.formulas:
                lines += _unit(run, (t, sample, j), name, text, units)
        if units < N:
            lines.append(f"… and {N - units} more: units={N} writes them out")
    return "\n".join(lines)


def _unit(
    run: _Run, place: tuple[int, int, int], name: str, text: str, units: int
) -> list[str]:
    """A formula with its numbers for unit j, after the products that stand in it."""
    t, sample, j = place

    def number(quantity: str) -> float:
        return float(run.row(quantity, t, sample)[j])

    lines = []
    for quantity in re.findall("⟨(.*?)⟩", text):
        left, _, matrix = quantity.partition(" ")
        if matrix and not (t == len(run.slope) and "[t+1]" in left):
            row, column = run.row(left, t, sample), run.matrix(matrix, t, sample)[:, j]
            terms = _products(row, column, units)
            lines.append(f"  {_at(quantity, t)} = {terms} = {_number(number(quantity))}")
    numbers = re.sub("⟨(.*?)⟩", lambda found: _factor(number(found[1])), text)
    numbers = re.sub(r"\(\((−[^()]*)\)\)", r"(\1)", numbers.replace("⊙", "×"))
    result = _number(number(name))
    shown = numbers if numbers == result else f"{numbers} = {result}"
    return [*lines, f"  {_at(name, t)} = {shown}"]


def _at(text: str, t: int) -> str:
    """A formula's text for a step: c^3 for ⟨c[t+1]⟩ of step 2."""
    for when, step in (("[t]", t), ("[t+1]", t + 1), ("[t−1]", t - 1)):
        text = text.replace(when, f"^{step}")
    return text.replace("⟨", "").replace("⟩", "")


def _diagnosis(found: Any, run: _Run) -> str:
    known = [key for key in (*STEPS, *GRADIENTS) if key in run.right]
    if not isinstance(found, Mapping) or not set(known) & set(found):
        raise ValueError(
            "explain: the gradient function returned "
            f"{sorted(found) if isinstance(found, Mapping) else type(found).__name__}, "
            f"expected a dict with some of {', '.join(known)}"
        )
    if strange := [str(name) for name in found if name not in run.right]:
        raise ValueError(
            f"explain: the gradient function returned {', '.join(strange)} too, which is "
            f"none of {', '.join(known)}"
        )
    found = {name: np.asarray(found[name]) for name in known if name in found}
    if odd := [name for name, value in found.items() if value.dtype.kind not in "iuf"]:
        raise ValueError(
            f"explain: {odd[0]} is {found[odd[0]].dtype}, expected real numbers"
        )
    wrong = first_difference(found, run.right, rounding=run.rounding)
    if wrong is None:
        return f"All of {', '.join(found)} are right."
    lines = [f"{wrong} is the first that is wrong, on the way back in time."]
    for layer in run.recursion.layers:
        for name, text in layer.formulas:
            if name == f"{wrong.partition('^')[0]}[t]":
                formula = re.sub("[⟨⟩]", "", f"{name} = {text}")
                lines.append("  " + re.sub(r"\[(t.*?)\]", r"^{\1}", formula) + ".")
    for name in found:
        if found[name].shape != run.right[name].shape:
            expected = run.right[name].shape
            lines.append(f"  {name} has shape {found[name].shape}, expected {expected}")
    if len(run.slope) == 1:
        lines.append("  With one step many mistakes do not show: try T ≥ 3 and B ≥ 2.")
    causes = [
        bug for bug in BUGS if run.recursion.oracle in bug.of and _same(bug, found, run)
    ]
    lines += [f"Likely cause: {bug.name}. {bug.lesson}" for bug in causes]
    if causes and run.recursion.note:
        lines.append(run.recursion.note)
    if not causes:
        lines.append("It is none of the classical mistakes; see `rnn.bugs.BUGS`.")
    return "\n".join(lines)


def _same(bug: Any, found: Mapping[str, Array], run: _Run) -> bool:
    """Whether the learner's numbers are those of the oracle with the bug in it."""
    planted = bug.oracle(run.recursion.oracle)
    theirs = run.recursion.run(planted, run.parameters, run.x, run.slope, run.state)
    return first_difference(found, theirs, rounding=run.rounding) is None


def _products(left: Array, right: Array, shown: int) -> str:
    """The terms of Σ left · right, and the sum of those that are not shown."""
    terms = [f"{_factor(a)}·{_factor(b)}" for a, b in zip(left, right, strict=True)]
    if len(terms) > shown:
        rest = float(left[shown:] @ right[shown:])
        terms[shown:] = [f"{_factor(rest)} of {len(terms) - shown} more"]
    return " + ".join(terms)


def _number(x: float) -> str:
    return f"{x:.4g}".replace("-", "−")


def _factor(x: float) -> str:
    text = _number(x)
    return f"({text})" if text.startswith("−") else text
