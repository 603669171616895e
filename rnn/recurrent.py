"""Recurrent networks of several layers and both directions, as PyTorch calls them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from autograd import Tensor, scope, times_transposed
from autograd.tensor import array_of, value_of
from rnn.cells import Cell, GRUCell, LSTMCell, RNNCell
from rnn.layers import dropout
from rnn.module import Module, check_config
from rnn.unroll import instants, unroll

__all__ = ["GRU", "LSTM", "RNN", "Recurrent"]


class Recurrent(Module):
    """Layers of one kind of cell, each over the outputs of the one before.

    Args:
        input_size: D, the width of x^t.
        hidden_size: H, the width of a state.
        num_layers: L.
        bias: whether there are biases.
        batch_first: whether x and the output are (B, T, …) in place of (T, B, …).
        dropout: the probability with which, in training, an element of what goes from
            one layer to the next is dropped.
        bidirectional: whether each layer runs over the sequence both ways.
        rng: a seed or generator for the initial parameters, U(−1/√H, 1/√H), and for
            dropout.
        dtype: of the parameters, float64 or float32.

    Attributes:
        weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, and so on with _l1, …, and
            with _reverse for the second direction: the parameters, as in the cells.
        training: whether dropout is on; see `train` and `eval`.
    """

    cell: type[Cell]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: Any = np.float64,
        **options: Any,
    ) -> None:
        sizes = {
            "input_size": input_size,
            "hidden_size": hidden_size,
            "num_layers": num_layers,
        }
        switches = {
            "bias": bias,
            "batch_first": batch_first,
            "dropout": dropout,
            "bidirectional": bidirectional,
        }
        self.config = check_config(self, sizes, dtype, **switches, **options)
        if not 0 <= dropout < 1:
            raise ValueError(f"{type(self).__name__}: dropout={dropout}, expected 0 to 1")
        self._rng = np.random.default_rng(rng)
        self._directions = ("", "_reverse") if bidirectional else ("",)
        self._cells = {}
        for layer in range(num_layers):
            width = input_size if layer == 0 else hidden_size * len(self._directions)
            for direction in self._directions:
                cell = self.cell(
                    width, hidden_size, bias, rng=self._rng, dtype=dtype, **options
                )
                suffix = f"l{layer}{direction}"
                self._cells[suffix] = cell
                for name, parameter in cell.parameters().items():
                    parameter.name = f"{name}_{suffix}"
                    setattr(self, parameter.name, parameter)

    def __call__(
        self, x: Any, state: Any = None, lengths: Any = None, segment: int | None = None
    ) -> tuple[Any, Any]:
        """The outputs of the last layer, and the state that each layer ends in.

        Args:
            x: (T, B, D); (B, T, D) where `batch_first`; or (T, D) for one sequence.
            state: the states before the first step, (L·S, B, H) with S = 2 directions or
                1, layer by layer, forward before reverse; zeros unless given. For an LSTM
                the pair (h, c) of them. Without B for one sequence.
            lengths: (B,) integers, how many steps each sequence has; T unless given. What
                stands in x beyond them changes no output, no state and no gradient.
            segment: steps that are run again in the sweep rather than kept; see `unroll`.

        Returns:
            The output, (T, B, S·H) in the layout of x, 0 beyond a sequence's length; and
            the last states, shaped as `state`: after a sequence's last step, and for the
            reverse direction after its first.

        Raises:
            ValueError: for a wrong width, number of axes, state or length; for NaN.
        """
        x = x if isinstance(x, Tensor) else np.asarray(x)
        single = x.ndim == 2
        first = self.config["batch_first"] and not single
        mask = self._check(x, lengths, first)
        x = np.swapaxes(x, 0, 1) if first else x[:, np.newaxis] if single else x
        states = self._initial(state, x.shape[0], x.shape[1], single)
        if mask is not None:
            x = np.where(mask, x, 0)
        x = x if isinstance(x, Tensor) else Tensor(x, name="inputs")

        places = instants(range(1, x.shape[0] + 1), segment)
        xs: Any = x
        last: list[Any] = []
        for layer in range(self.config["num_layers"]):
            if layer and self.training and self.config["dropout"]:
                ones = np.ones((len(xs), *xs[0].shape), xs[0].dtype)
                kept = dropout(ones, self.config["dropout"], self._rng)
                xs = _at_each(places, operator.mul, xs, kept)
            outputs = []
            for direction in self._directions:
                start = states[len(last)]
                output, end = self._run(f"l{layer}{direction}", xs, start, mask, segment)
                outputs.append(output)
                last.append(end)
            xs = _at_each(places, _side_by_side, *outputs) if outputs[1:] else outputs[0]
        y = np.stack(xs)
        if single:
            return y[:, 0], _joined(last, lambda part: part[:, 0])
        return np.swapaxes(y, 0, 1) if first else y, _joined(last, lambda part: part)

    def only_cell(self) -> Cell:
        """The cell of a network of one layer and one direction.

        Raises:
            ValueError: where there are more.
        """
        if len(self._cells) > 1:
            raise ValueError(
                f"{type(self).__name__}: {len(self._cells)} layers and directions, "
                "expected one"
            )
        return self._cells["l0"]

    def _run(
        self, suffix: str, xs: Any, state: Any, mask: Any, segment: int | None
    ) -> tuple[list[Any], Any]:
        """One layer in one direction: its outputs, T of (B, H), and its last state."""
        cell, T = self._cells[suffix], len(xs)
        recur = times_transposed(cell.weight_hh)

        def fields(steps: range) -> list[tuple[int, Callable[[], Any]]]:
            first = steps.start
            of_x = cell.of_steps(xs if len(steps) == T else xs[first : steps.stop])
            return [(t, partial(of_x, t - first)) for t in steps]

        def step(at: tuple[int, Callable[[], Any]], state: Any) -> tuple[Any, Any]:
            t, of_x = at
            after = cell.advance(of_x(), state, recur)
            output = after[0] if isinstance(after, tuple) else after
            if mask is None:
                return output, after
            return np.where(mask[t], output, 0), _held(mask[t], after, state)

        return unroll(
            step,
            range(T),
            state,
            segment=segment,
            prepare=fields,
            layer=suffix if len(self._cells) > 1 else "",
            reverse=suffix.endswith("_reverse"),
        )

    def _initial(self, state: Any, T: int, B: int, single: bool) -> list[Any]:
        """The first state of each layer and direction, checked; B is 1 where `single`."""
        count, H = len(self._cells), self.config["hidden_size"]
        if state is None:
            return [cell.zero_state((B,)) for cell in self._cells.values()]
        pair = isinstance(next(iter(self._cells.values())).zero_state(()), tuple)
        if pair != isinstance(state, tuple) or (pair and len(state) != 2):
            raise ValueError(
                f"{type(self).__name__}: the state is a {type(state).__name__}, expected "
                f"{'the pair (h, c)' if pair else 'one array h'}"
            )
        expected = (count, H) if single else (count, B, H)
        parts = state if pair else (state,)
        for part in parts:
            if np.shape(part) != expected:
                swapped = T != B and np.shape(part) == (count, T, H)
                raise ValueError(
                    f"{type(self).__name__}: the state has shape {np.shape(part)}, "
                    f"expected {expected}: {count} layers and directions"
                    + (f", B = {B} samples" if not single else "")
                    + f", H = {H} units"
                    + ("; are the axes of time and batch swapped in x?" * swapped)
                )
        parts = [np.reshape(part, (count, B, H)) for part in parts]
        rows = [tuple(part[i] for part in parts) for i in range(count)]
        return rows if pair else [row[0] for row in rows]

    def _check(self, x: Any, lengths: Any, first: bool) -> Any:
        """See that x is a batch of sequences; the mask (T, B, 1) of `lengths`, if any."""
        kind, D = type(self).__name__, self.config["input_size"]
        form = "(B, T, D)" if self.config["batch_first"] else "(T, B, D)"
        if x.ndim not in (2, 3) or x.shape[-1] != D:
            raise ValueError(
                f"{kind}: x has shape {x.shape}, expected {form} or (T, D) with D = {D}"
            )
        if x.dtype.kind != "f":
            raise ValueError(
                f"{kind}: x is {x.dtype}, expected floating-point numbers; indices go "
                "through an Embedding"
            )
        T, B = (1, 0) if first else (0, 1)
        steps, samples = x.shape[T], x.shape[B] if x.ndim == 3 else 1
        if not steps:
            raise ValueError(f"{kind}: x has shape {x.shape}, no steps; expected T ≥ 1")
        mask = self._mask(lengths, steps, samples, form)
        value = value_of(x)
        if mask is not None:
            seen = np.swapaxes(mask, 0, 1) if first else mask
            value = np.where(seen if x.ndim == 3 else seen[:, 0], value, 0)
        if not np.isfinite(np.sum(value)):
            bad = np.argwhere(~np.isfinite(value))
            if len(bad):  # and the sum has not merely overflowed
                place = [int(i) for i in bad[0]]
                what = "NaN" if np.isnan(value[tuple(bad[0])]) else "∞"
                raise ValueError(
                    f"{kind}: x has {what}, the first at {place} of {x.shape}"
                )
        return mask

    def _mask(self, lengths: Any, T: int, B: int, form: str) -> Any:
        """Which steps each sequence has, (T, B, 1); None where all have all."""
        if lengths is None:
            return None
        lengths, kind = array_of(lengths), type(self).__name__
        if lengths.shape != (B,) or lengths.dtype.kind not in "iu":
            swapped = lengths.shape == (T,) and T != B
            raise ValueError(
                f"{kind}: lengths are {lengths.dtype} of shape {lengths.shape}, expected "
                f"integers of shape (B,) = {(B,)}"
                + (f"; there are T = {T} of them: is x really {form}?" if swapped else "")
            )
        if lengths.size and not (lengths.min() >= 1 and lengths.max() <= T):
            swapped = lengths.min() >= 1 and lengths.max() <= B
            raise ValueError(
                f"{kind}: lengths from {lengths.min()} to {lengths.max()}, expected 1 to "
                f"T = {T}" + (f"; is x really {form}?" if swapped else "")
            )
        return (
            None if (lengths == T).all() else (np.arange(T)[:, None] < lengths)[..., None]
        )


def _held(mask: Any, after: Any, before: Any) -> Any:
    """The state after a step where the sequence has it, before it elsewhere."""
    if isinstance(after, tuple):
        return tuple(_held(mask, a, b) for a, b in zip(after, before, strict=True))
    return np.where(mask, after, before)


def _at_each(places: list[str], function: Any, *sequences: Any) -> list[Any]:
    """A function of what several sequences have at each step, in the step's scope."""
    found = []
    for place, *parts in zip(places, *sequences, strict=True):
        with scope(place):
            found.append(function(*parts))
    return found


def _side_by_side(*outputs: Any) -> Any:
    """(B, H) of each direction as (B, S·H)."""
    return np.concatenate(outputs, -1)


def _joined(states: list[Any], take: Any) -> Any:
    """The states of all layers as one array, or as a pair of them."""
    if isinstance(states[0], tuple):
        return tuple(take(np.stack(parts)) for parts in zip(*states, strict=True))
    return take(np.stack(states))


class RNN(Recurrent):
    """Layers of `RNNCell`; `nonlinearity` is "tanh" or "relu"."""

    cell = RNNCell

    def __init__(self, *args: Any, nonlinearity: str = "tanh", **options: Any) -> None:
        super().__init__(*args, nonlinearity=nonlinearity, **options)


class GRU(Recurrent):
    """Layers of `GRUCell`."""

    cell = GRUCell


class LSTM(Recurrent):
    """Layers of `LSTMCell`; the state is the pair (h, c)."""

    cell = LSTMCell
