"""The recursion for δ^t of each kind of network, symbol by symbol.

A quantity of step t is written as in ⟨c[t]⟩ or ⟨f[t+1]⟩; a row of numbers times a unit's
column of a matrix as in ⟨δ_a[t+1] W_a⟩.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn.bugs.bug import Oracle
from rnn.cells import GRUCell, LSTMCell, RNNCell
from rnn.derived import check_unchanged
from rnn.elman import ElmanNetwork
from rnn.module import Module
from rnn.recurrent import Recurrent

__all__ = ["Layer", "Recursion", "recursion_of"]

Array = np.ndarray[Any, Any]
Formulas = tuple[tuple[str, str], ...]

SLOPES = {
    "tanh": "1 − tanh²(⟨{v}⟩)",
    "sigmoid": "σ(⟨{v}⟩) ⊙ (1 − σ(⟨{v}⟩))",
    "relu": "[⟨{v}⟩ > 0]",
    "softplus": "σ(⟨{v}⟩)",
    "identity": "1",
}
"""φ'(v) by the name of φ."""


@dataclass(frozen=True)
class Layer:
    """What the units are called, and what each quantity of theirs is.

    The formulas stand in the order of the way back.
    """

    unit: str
    formulas: Formulas


class Recursion:
    """What the δ^t of one kind of network are made of.

    Attributes:
        oracle: the function of `rnn.deltas` that has them.
        output: y or h, what E is a function of.
        state: its parts, as the formulas call them.
        forward: what the formulas take from the forward pass.
        note: what else a reader of its lessons has to know.
        phi: φ and ψ by name, where there are any.
        layers: their formulas, the last layer first.
    """

    oracle = ""
    output = "h"
    state = "h"
    forward = ""
    note = ""
    phi: Mapping[str, str] = {}
    layers: tuple[Layer, ...] = ()

    def __init__(self, network: Module) -> None:
        """The recursion of that network."""

    def run(
        self,
        oracle: Oracle,
        parameters: Mapping[str, Array],
        x: Array,
        dE: Any,
        state: tuple[Array, ...],
    ) -> dict[str, Array]:
        """What the oracle gives for that network, with or without a mistake in it."""
        return oracle(parameters, x, dE, *state)

    def matrices(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """The matrices, by the names that the formulas have for them."""
        return dict(parameters)


class _Elman(Recursion):
    oracle = "elman"
    output = "y"
    state = "a"

    def __init__(self, network: Module) -> None:
        phi, psi = network.config["activation"], network.config["output_activation"]
        self.phi = {"φ": phi, "ψ": psi}
        if psi == "softmax":
            self.forward = "v_a and y are"
            output: Formulas = (("δ_y[t]", "⟨y[t]⟩ ⊙ (⟨∂E/∂y[t]⟩ − ⟨y[t] ∂E/∂y[t]ᵀ⟩)"),)
        else:
            self.forward = "v_a and v_y are"
            output = (
                ("ψ'(v_y[t])", SLOPES[psi].format(v="v_y[t]")),
                ("δ_y[t]", "⟨ψ'(v_y[t])⟩ ⊙ ⟨∂E/∂y[t]⟩"),
            )
        hidden = (
            ("φ'(v_a[t])", SLOPES[phi].format(v="v_a[t]")),
            ("δ_a[t]", "⟨φ'(v_a[t])⟩ ⊙ (⟨δ_y[t] W_y⟩ + ⟨δ_a[t+1] W_a⟩)"),
        )
        self.layers = Layer("output", output), Layer("unit", hidden)

    def run(
        self,
        oracle: Oracle,
        parameters: Mapping[str, Array],
        x: Array,
        dE: Any,
        state: tuple[Array, ...],
    ) -> dict[str, Array]:
        return oracle(parameters, x, dE, *state, self.phi["φ"], self.phi["ψ"])


class _RNN(Recursion):
    oracle = "rnn"
    forward = "v is"
    note = "(The lecture's δ_a, a and W_a are δ, h and W_hh here.)"

    def __init__(self, network: Module) -> None:
        self.phi = {"φ": network.config["nonlinearity"]}
        formulas = (
            ("φ'(v[t])", SLOPES[self.phi["φ"]].format(v="v[t]")),
            ("δ[t]", "⟨φ'(v[t])⟩ ⊙ (⟨∂E/∂h[t]⟩ + ⟨δ[t+1] W_hh⟩)"),
        )
        self.layers = (Layer("unit", formulas),)

    def run(
        self,
        oracle: Oracle,
        parameters: Mapping[str, Array],
        x: Array,
        dE: Any,
        state: tuple[Array, ...],
    ) -> dict[str, Array]:
        """The oracle's is a stack, of which this is the one layer."""
        stack = {f"{name}_l0": value for name, value in parameters.items()}
        found = oracle(stack, x, dE, np.stack(state), activation=self.phi["φ"])
        found["h0"] = found["h0"][0]
        return {name.removesuffix("_l0"): value for name, value in found.items()}

    def matrices(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        return {"W_hh": parameters["weight_hh"]}


class _Gated(Recursion):
    gates = ""

    def matrices(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """The parts of weight_hh, one below the other."""
        parts = np.split(parameters["weight_hh"], len(self.gates))
        return {f"W_h{gate}": W for gate, W in zip(self.gates, parts, strict=True)}


class _LSTM(_Gated):
    oracle = "lstm"
    state = "hc"
    gates = "ifgo"
    forward = "i, f, g, o and c are"
    layers = (
        Layer("unit", (
            ("dh[t]", "⟨∂E/∂h[t]⟩ + ⟨δ_i[t+1] W_hi⟩ + ⟨δ_f[t+1] W_hf⟩ + "
                      "⟨δ_g[t+1] W_hg⟩ + ⟨δ_o[t+1] W_ho⟩"),
            ("dc[t]", "⟨dh[t]⟩ ⊙ ⟨o[t]⟩ ⊙ (1 − tanh²(⟨c[t]⟩)) + ⟨dc[t+1]⟩ ⊙ ⟨f[t+1]⟩"),
            ("δ_o[t]", "⟨dh[t]⟩ ⊙ tanh(⟨c[t]⟩) ⊙ ⟨o[t]⟩ ⊙ (1 − ⟨o[t]⟩)"),
            ("δ_i[t]", "⟨dc[t]⟩ ⊙ ⟨g[t]⟩ ⊙ ⟨i[t]⟩ ⊙ (1 − ⟨i[t]⟩)"),
            ("δ_f[t]", "⟨dc[t]⟩ ⊙ ⟨c[t−1]⟩ ⊙ ⟨f[t]⟩ ⊙ (1 − ⟨f[t]⟩)"),
            ("δ_g[t]", "⟨dc[t]⟩ ⊙ ⟨i[t]⟩ ⊙ (1 − ⟨g[t]⟩ ⊙ ⟨g[t]⟩)"),
        )),
    )  # fmt: skip


class _GRU(_Gated):
    oracle = "gru"
    gates = "rzn"
    forward = "r, z, n, h and m = h^{t−1} W_hnᵀ + b_hn are"
    layers = (
        Layer("unit", (
            ("dh[t]", "⟨∂E/∂h[t]⟩ + ⟨dh[t+1]⟩ ⊙ ⟨z[t+1]⟩ + ⟨δ_r[t+1] W_hr⟩ + "
                      "⟨δ_z[t+1] W_hz⟩ + ⟨δ_m[t+1] W_hn⟩"),
            ("δ_n[t]", "⟨dh[t]⟩ ⊙ (1 − ⟨z[t]⟩) ⊙ (1 − ⟨n[t]⟩ ⊙ ⟨n[t]⟩)"),
            ("δ_z[t]", "⟨dh[t]⟩ ⊙ (⟨h[t−1]⟩ − ⟨n[t]⟩) ⊙ ⟨z[t]⟩ ⊙ (1 − ⟨z[t]⟩)"),
            ("δ_r[t]", "⟨δ_n[t]⟩ ⊙ ⟨m[t]⟩ ⊙ ⟨r[t]⟩ ⊙ (1 − ⟨r[t]⟩)"),
            ("δ_m[t]", "⟨δ_n[t]⟩ ⊙ ⟨r[t]⟩"),
        )),
    )  # fmt: skip


KINDS: tuple[tuple[type[Module], type[Recursion]], ...] = (
    (ElmanNetwork, _Elman),
    (RNNCell, _RNN),
    (LSTMCell, _LSTM),
    (GRUCell, _GRU),
)


def recursion_of(network: Any) -> tuple[Any, Recursion]:
    """The network, or the cell that is all there is in it, and its recursion.

    Raises:
        TypeError: for what is no recurrent network, and for one of a derived class that
            changes what is computed.
        ValueError: for one of several layers or directions.
    """
    cell = network.only_cell() if isinstance(network, Recurrent) else network
    for kind, recursion in KINDS:
        if isinstance(cell, kind):
            check_unchanged("explain", network, cell)
            return cell, recursion(cell)
    raise TypeError(
        f"explain: {type(network).__name__}, expected an ElmanNetwork, an RNN, GRU or "
        "LSTM of one layer and one direction, or one of their cells"
    )
