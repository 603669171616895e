"""Recurrent networks of several layers and both directions, as PyTorch calls them."""

from __future__ import annotations

import inspect
import operator
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd import Tensor, scope
from autograd.arrays import as_plain
from autograd.programs.replaying import Replayed
from autograd.tensor import value_of
from rnn.cells import WEIGHTS, Cell, GRUCell, LSTMCell, RNNCell, parts_of
from rnn.checks import check_array, check_dropout, check_finite
from rnn.layers import dropout
from rnn.masks import held, mask_of
from rnn.module import Module, check_config
from rnn.unroll import in_parts, instants, is_ours, unroll

__all__ = ["GRU", "LSTM", "RNN", "Recurrent"]


class Recurrent(Module):
    """Layers of one kind of cell, each over the outputs of the one before.

    After twenty calls on inputs of the same shapes a network makes the recorded calls of
    NumPy again in place of recording them: the same numbers to the last bit, in less
    time. Its graph is written out when somebody looks at it. Sequences of more than 256
    steps are run in parts of that, each of which is computed again in the sweep. Classes
    derived from these, and networks of other cells, are recorded each time.

    Args:
        input_size: D, the width of x^t.
        hidden_size: H, the width of a state.
        num_layers: L.
        bias: whether there are biases.
        batch_first: whether x and the output are (B, T, …) in place of (T, B, …).
        dropout: the probability with which, in training, an element of what goes from
            one layer to the next is dropped; a warning where there is no next.
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
    options: tuple[str, ...] = ()
    """The arguments of its cell that it has beside those of all."""

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
        kind = type(self).__name__
        self._check_options(options)
        self.config = check_config(self, sizes, dtype, **switches, **options)
        check_dropout(kind, dropout)
        if dropout and num_layers == 1:
            warnings.warn(
                f"{kind}: dropout={dropout} does nothing, since it stands between layers "
                "and there is one. Give num_layers=2 or more, or drop elements of the "
                "output with rnn.layers.dropout",
                stacklevel=2,
            )
        self._rng = np.random.default_rng(rng)
        self._replayed = Replayed()
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
        self._replays = is_ours(self, *self._cells.values())

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
            ValueError: for a wrong width, number of axes, state or length; for NaN, also
                in the state.
        """
        check_array(type(self).__name__, "x", x)
        x = x if isinstance(x, Tensor) else as_plain(type(self).__name__, x)
        single = x.ndim == 2
        first = self.config["batch_first"] and not single
        mask = self._check(x, lengths, first)
        x = np.swapaxes(x, 0, 1) if first else x[:, np.newaxis] if single else x
        state = self._initial(state, x.shape[0], x.shape[1], single)
        if mask is not None:
            x = np.where(mask, x, 0)
        x = x if isinstance(x, Tensor) else Tensor(x, name="inputs")

        drops = self.config["num_layers"] > 1 and self.config["dropout"] and self.training
        both = len(self._directions) > 1
        if drops or (segment is not None and both) or not self._replays:
            y, last = self._layers(None, x, state, mask, segment, drops=drops)
        else:
            weights = [cell.weights() for cell in self._cells.values()]
            given = weights, x, state, mask, segment
            y, last = in_parts(self._replayed, self._layers, *given, whole=both)
        if single:
            return y[:, 0], _each(last, lambda part: part[:, 0])
        return np.swapaxes(y, 0, 1) if first else y, last

    def _layers(
        self,
        weights: Any,
        x: Any,
        state: Any,
        mask: Any,
        segment: int | None = None,
        *,
        first: int = 0,
        drops: bool = False,
    ) -> tuple[Any, Any]:
        """All layers, with these weights, over x (T, B, D); see `__call__`.

        Args:
            weights: those of each cell, as `Cell.weights` has them; None for its own.
            x, state, mask, segment: as in `__call__`, checked.
            first: how many steps there are before x^1.
            drops: whether elements are dropped between the layers.
        """
        cells = zip(self._cells, self._having(weights), strict=True)
        steps = range(first + 1, first + len(x) + 1)
        places, states = instants(steps, segment), _rows(state)
        xs: Any = x
        last: list[Any] = []
        for layer in range(self.config["num_layers"]):
            if layer and drops:
                ones = np.ones((len(xs), *xs[0].shape), xs[0].dtype)
                kept = dropout(ones, self.config["dropout"], self._rng)
                xs = _at_each(places, operator.mul, xs, kept)
            outputs = []
            for _ in self._directions:
                run = partial(self._run, *next(cells), steps, segment)
                output, end = run(xs, states[len(last)], mask)
                outputs.append(output)
                last.append(end)
            xs = _at_each(places, _side_by_side, *outputs) if outputs[1:] else outputs[0]
        return np.stack(xs), _joined(last)

    def _having(self, weights: Any) -> list[Cell]:
        """The cells, with weights in the places of their own where some are given."""
        cells = list(self._cells.values())
        if weights is None:
            return cells
        pairs = zip(cells, weights, strict=True)
        return [cell._bound(dict(zip(WEIGHTS, w, strict=False))) for cell, w in pairs]

    def under_all_names(self) -> Iterator[tuple[str, Tensor]]:
        """The cells' parameters under PyTorch's names, then what else there is."""
        for suffix, cell in self._cells.items():
            for name, p in cell.under_all_names():
                yield f"{name}_{suffix}", p
        yield from super().under_all_names()

    def _place(self, name: str) -> tuple[Cell, str] | None:
        """The cell that has a parameter of PyTorch's name, and its name there."""
        parameter, _, suffix = name.rpartition("_l")
        cell = vars(self).get("_cells", {}).get(f"l{suffix}")
        return None if cell is None or parameter not in vars(cell) else (cell, parameter)

    def __getattr__(self, name: str) -> Any:
        """A parameter of one of the cells."""
        if (place := self._place(name)) is None:
            raise AttributeError(f"{type(self).__name__} has no attribute {name}")
        return getattr(*place)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute, a parameter in its cell; ValueError for another shape."""
        if (place := self._place(name)) is None:
            super().__setattr__(name, value)
            return
        if np.shape(value) != (shape := np.shape(getattr(*place))):
            raise ValueError(
                f"{type(self).__name__}: {name} has shape {np.shape(value)}, "
                f"expected {shape}"
            )
        setattr(*place, value)

    def _check_options(self, options: dict[str, Any]) -> None:
        for name in options:
            if name not in self.options:
                known = [*inspect.signature(Recurrent.__init__).parameters][1:-1]
                raise TypeError(
                    f"{type(self).__name__}: no argument {name}, expected of "
                    f"{', '.join([*known, *self.options])}"
                )

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
        self,
        suffix: str,
        cell: Cell,
        steps: range,
        segment: int | None,
        xs: Any,
        state: Any,
        mask: Any,
    ) -> tuple[list[Any], Any]:
        """One layer in one direction: its outputs, T of (B, H), and its last state."""
        T, recur = len(xs), cell.recur(often=True)

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
            return np.where(mask[t], output, 0), held(mask[t], after, state)

        return unroll(
            step,
            range(T),
            state,
            steps,
            segment,
            prepare=fields,
            layer=suffix if len(self._cells) > 1 else "",
            reverse=suffix.endswith("_reverse"),
        )

    def _initial(self, state: Any, T: int, B: int, single: bool) -> Any:
        """The first states (L·S, B, H), or the pair, checked; B is 1 where `single`."""
        count, H = len(self._cells), self.config["hidden_size"]
        if state is None:
            return next(iter(self._cells.values())).zero_state((count, B))
        kind = type(self).__name__
        parts = parts_of(state, self.cell.state, kind)
        expected = (count, H) if single else (count, B, H)
        for part in parts:
            if np.shape(part) != expected:
                swapped = T != B and np.shape(part) == (count, T, H)
                raise ValueError(
                    f"{kind}: the state has shape {np.shape(part)}, expected "
                    f"{expected}: {count} layers and directions"
                    + (f", B = {B} samples" if not single else "")
                    + f", H = {H} units"
                    + ("; are the axes of time and batch swapped in x?" * swapped)
                )
            check_finite(kind, "the state", value_of(part))
        return _each(state, lambda part: np.reshape(part, (count, B, H)))

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
        mask = mask_of(lengths, steps, samples, kind, form)
        value = value_of(x)
        if mask is not None:
            seen = np.swapaxes(mask, 0, 1) if first else mask
            value = np.where(seen if x.ndim == 3 else seen[:, 0], value, 0)
        check_finite(kind, "x", value)
        return mask


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


def _rows(state: Any) -> list[Any]:
    """The state of each layer and direction, or the pairs of them, apart."""
    if isinstance(state, tuple):
        return list(zip(*(_rows(part) for part in state), strict=True))
    return [state[i] for i in range(len(state))]


def _joined(states: list[Any]) -> Any:
    """The states of all layers as one array, or as a pair of them."""
    if isinstance(states[0], tuple):
        return tuple(np.stack(parts) for parts in zip(*states, strict=True))
    return np.stack(states)


def _each(state: Any, take: Callable[[Any], Any]) -> Any:
    """A function of a state, or of each of a pair."""
    return tuple(map(take, state)) if isinstance(state, tuple) else take(state)


class RNN(Recurrent):
    """Layers of `RNNCell`; `nonlinearity` is "tanh" or "relu"."""

    cell = RNNCell
    options = ("nonlinearity",)

    def __init__(self, *args: Any, nonlinearity: str = "tanh", **options: Any) -> None:
        super().__init__(*args, nonlinearity=nonlinearity, **options)


class GRU(Recurrent):
    """Layers of `GRUCell`."""

    cell = GRUCell


class LSTM(Recurrent):
    """Layers of `LSTMCell`; the state is the pair (h, c)."""

    cell = LSTMCell
