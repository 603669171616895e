"""A language model over a table of vectors: what comes next, from what came before."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from autograd import named
from autograd.tensor import array_of
from autograd.trees import map_tree
from rnn.checks import check_dropout
from rnn.layers import Embedding, Linear, dropout
from rnn.module import Module, check_config
from rnn.recurrent import GRU, LSTM, RNN, Recurrent
from rnn.unroll import unroll

__all__ = ["LanguageModel", "Reading"]

CELLS: dict[str, type[Recurrent]] = {"rnn": RNN, "gru": GRU, "lstm": LSTM}


class Reading(NamedTuple):
    """What a `LanguageModel` computes at one instant t.

    Attributes:
        x: (B, D), the rows of the table.
        h: (B, H), what the cells make of them.
        v_y: (B, V), the logits of the token that comes next.
    """

    x: Any
    h: Any
    v_y: Any


class LanguageModel(Module):
    """The logits of the next token, of V, at every instant (Zaremba et al., 2014).

        e^t = row x^t of the table      h^t = recurrent layers(e^t, state^{t−1})
        v_y^t = h^t Wᵀ + b              p(x^{t+1} = k) = softmax(v_y^t)_k

    In training, elements of e and of h are dropped as those between layers are. No
    vector as long as the vocabulary is made but the logits.

    Args:
        vocabulary_size: V.
        embedding_size: D, the width of the table's rows.
        hidden_size: H.
        cell: "rnn", "gru" or "lstm".
        num_layers: L.
        dropout: the probability p of an element's being dropped.
        rng: a seed or generator for the initial parameters and for dropout; the rows of
            the table are N(0, 1/D), so that their length is about 1.
        dtype: of the parameters, float64 or float32.

    Attributes:
        embedding, recurrent, output: its `Embedding`, `RNN`, `GRU` or `LSTM`, `Linear`.

    Raises:
        ValueError: for a size below 1, an unknown cell, a dropout not from 0 to below 1,
            or another dtype.
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_size: int,
        hidden_size: int,
        cell: str = "lstm",
        num_layers: int = 1,
        dropout: float = 0.0,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: Any = np.float64,
    ) -> None:
        V, D, H = vocabulary_size, embedding_size, hidden_size
        sizes = {
            "vocabulary_size": V,
            "embedding_size": D,
            "hidden_size": H,
            "num_layers": num_layers,
        }
        if cell not in CELLS:
            raise ValueError(
                f"LanguageModel: cell={cell!r}, expected one of {', '.join(CELLS)}"
            )
        check_dropout("LanguageModel", dropout)
        self.config = check_config(self, sizes, dtype, cell=cell, dropout=dropout)
        self._rng = rng = np.random.default_rng(rng)
        options: dict[str, Any] = {"rng": rng, "dtype": dtype}
        self.embedding = Embedding(V, D, **options)
        self.embedding.weight.data = self.embedding.weight.data / np.sqrt(D)
        between = dropout if num_layers > 1 else 0.0
        self.recurrent = CELLS[cell](D, H, num_layers, dropout=between, **options)
        self.output = Linear(H, V, **options)

    def __call__(self, x: Any, state: Any = None) -> tuple[Any, Any]:
        """The logits of every instant, and the last state.

        Args:
            x: (T, B) integers, the tokens' indices.
            state: (L, B, H), of an LSTM the pair (h, c), before the first step; zeros
                unless given.

        Returns:
            v_y (T, B, V), and the state after the last step, shaped as `state`.

        Raises:
            ValueError: for an x of other axes or indices, or a state of another shape.
        """
        x = self._indices(x)
        h, state = self.recurrent(self._dropped(self.embedding(x)), state)
        return named("v_y", self.output(self._dropped(h))), state

    def unroll(self, x: Any, state: Any = None, steps: Any = None) -> list[Reading]:
        """The model laid out in time, without dropout, one `Reading` for each step.

        The same numbers as those of a call, whose logits are one product for all steps;
        here each step's are its own, and in its scope.

        Args:
            x: (T, B) integers.
            state: as in a call.
            steps: what to call the steps; see `rnn.unroll`.

        Raises:
            ValueError: see a call; and for several layers.
        """
        x, cell = self._indices(x), self.recurrent.only_cell()

        def step(x_t: Any, state: Any) -> tuple[Reading, Any]:
            e = named("x", self.embedding(x_t))
            h, state = cell.step(e, state)
            return Reading(e, h, named("v_y", self.output(h))), state

        if state is None:
            start = cell.zero_state((x.shape[1],))
        else:
            start = map_tree(lambda part: part[0], state)
        return unroll(step, x, start, steps)[0]

    def _dropped(self, x: Any) -> Any:
        p = self.config["dropout"]
        return dropout(x, p, self._rng) if self.training and p else x

    def _indices(self, x: Any) -> Any:
        x = array_of(x)
        if x.ndim != 2 or not len(x):
            raise ValueError(
                f"LanguageModel: x has shape {x.shape}, expected indices (T, B), T ≥ 1"
            )
        return x
