"""The lecture's recurrent network."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from autograd import Tensor, named
from autograd.arrays import as_plain
from autograd.programs.replaying import Replayed
from rnn.checks import check_array
from rnn.module import Module, uniform
from rnn.unroll import in_parts, is_ours, unroll

__all__ = ["ElmanNetwork", "Instant"]

WEIGHTS = ("W_x", "W_a", "b_a", "W_y", "b_y")
"""The names of its parameters."""


class Instant(NamedTuple):
    """What the network computes at one instant t.

    The gradients of `v_a` and `v_y`, after a backward sweep, are the lecture's δ_a^t and
    δ_y^t.

    Attributes:
        v_a: (B, H), the local field of the hidden layer.
        a: (B, H), its state, φ(v_a).
        v_y: (B, O), the local field of the output layer.
        y: (B, O), the output, ψ(v_y).
    """

    v_a: Any
    a: Any
    v_y: Any
    y: Any


class ElmanNetwork(Module):
    """A hidden layer that feeds itself one instant later (Elman, 1990).

        v_a^t = x^t W_xᵀ + a^{t−1} W_aᵀ + b_a        a^t = φ(v_a^t)
        v_y^t = a^t W_yᵀ + b_y                        y^t = ψ(v_y^t)

    Called twenty times on inputs of the same shape, it is replayed as a `Recurrent`
    network is; `unroll` always records, and so does a class derived from it.

    Args:
        input_size: D, the width of x^t.
        hidden_size: H, the width of a^t.
        output_size: O, the width of y^t.
        activation: φ: "tanh", "sigmoid", "relu", "softplus" or "identity".
        output_activation: ψ: one of these or "softmax".
        rng: a seed or generator for the initial parameters, U(−1/√H, 1/√H).
        dtype: of the parameters, float64 or float32.

    Attributes:
        W_x (H, D), W_a (H, H), b_a (H,), W_y (O, H), b_y (O,): the parameters.

    Raises:
        ValueError: for a size below 1, an unknown activation, or another dtype.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        activation: str = "tanh",
        output_activation: str = "tanh",
        *,
        rng: np.random.Generator | int | None = None,
        dtype: Any = np.float64,
    ) -> None:
        sizes = {
            "input_size": input_size,
            "hidden_size": hidden_size,
            "output_size": output_size,
        }
        self._configure(sizes, activation, output_activation, dtype)
        self._replayed = Replayed()
        rng = np.random.default_rng(rng)
        D, H, O = input_size, hidden_size, output_size  # noqa: E741 (the formulas' letter)
        self.W_x = uniform(rng, H, H, D, name="W_x", dtype=dtype)
        self.W_a = uniform(rng, H, H, H, name="W_a", dtype=dtype)
        self.b_a = uniform(rng, H, H, name="b_a", dtype=dtype)
        self.W_y = uniform(rng, H, O, H, name="W_y", dtype=dtype)
        self.b_y = uniform(rng, H, O, name="b_y", dtype=dtype)

    def instant(self, x: Any, a: Any) -> tuple[Instant, Any]:
        """One step: (x^t, a^{t−1}) → (all of instant t, a^t).

        Args:
            x: (B, D); or (B,) integers, the indices k of one-hot inputs, for which
                x^t W_xᵀ is column k of W_x.
            a: (B, H).

        Raises:
            ValueError: for other shapes.
        """
        x = x if isinstance(x, Tensor) else as_plain("ElmanNetwork", x)
        D, H = self.config["input_size"], self.config["hidden_size"]
        indices = x.ndim == 1 and x.dtype.kind in "iu"
        wide = indices or (x.ndim == 2 and x.shape[1] == D)
        if not wide or np.shape(a) != (x.shape[0], H):
            raise ValueError(
                f"ElmanNetwork.instant: x has shape {x.shape} and a {np.shape(a)}, "
                f"expected (B, D) with D = {D}, or (B,) indices; and (B, H) with H = {H}"
            )
        v_a, a = self._hidden(x, a)
        v_y = named("v_y", np.inner(a, self.W_y) + self.b_y)
        y = named("y", self._psi(v_y))
        return Instant(v_a, a, v_y, y), a

    def _hidden(self, x: Any, a: Any) -> tuple[Any, Any]:
        v_a = named("v_a", self._of_input(x) + np.inner(a, self.W_a) + self.b_a)
        return v_a, named("a", self._phi(v_a))

    def _of_input(self, x: Any) -> Any:
        if x.dtype.kind in "iu":
            return np.transpose(self.W_x[:, x])
        return np.inner(x if isinstance(x, Tensor) else Tensor(x, name="x"), self.W_x)

    def unroll(
        self, x: Any, a0: Any = None, steps: Iterable[object] | None = None
    ) -> list[Instant]:
        """The network laid out in time, one `Instant` for each step.

        Args:
            x: (T, B, D) inputs, or (T, B) integers, the indices of one-hot inputs.
            a0: (B, H), the state before the first step; zeros unless given.
            steps: what to call the steps, 1 … T unless given; see `unroll`.

        Raises:
            ValueError: for an input or a state of the wrong shape, naming the sizes;
                for an index out of range; for NaN in the input.
        """
        return unroll(self.instant, *self._started(x, a0), steps)[0]

    def fields(self, x: Any, a0: Any = None) -> tuple[Any, Any]:
        """The local fields v_y (T, B, O) of all steps as one product, and a^T (B, H).

        Where ψ is softmax they are the logits. Arguments and errors are those of
        `unroll`.
        """

        def hidden(x: Any, a: Any) -> tuple[Any, Any]:
            _, a = self._hidden(x, a)
            return a, a

        states, last = unroll(hidden, *self._started(x, a0))
        rows = np.concatenate(states)
        v_y = np.inner(rows, self.W_y) + self.b_y
        return named("v_y", np.reshape(v_y, (len(states), -1, v_y.shape[1]))), last

    def _started(self, x: Any, a0: Any) -> tuple[Any, Any]:
        """The inputs and the first state, checked."""
        check_array(type(self).__name__, "x", x)
        x = x if isinstance(x, Tensor) else as_plain("ElmanNetwork", x)
        self._check(x)
        B, H = x.shape[1], self.config["hidden_size"]
        if a0 is None:
            a0 = np.zeros((B, H), self.W_a.dtype)
        if np.shape(a0) != (B, H):
            swapped = np.shape(a0) == (len(x), H)
            raise ValueError(
                f"ElmanNetwork: a0 has shape {np.shape(a0)}, expected (B, H) = {(B, H)}"
                + "; are the axes of time and batch swapped in x?" * swapped
            )
        return x, a0 if isinstance(a0, Tensor) else Tensor(a0, name="a0")

    def __call__(self, x: Any, a0: Any = None, states: bool = False) -> Any:
        """The outputs y (T, B, O); with `states`, y and the states a (T, B, H).

        Arguments and errors are those of `unroll`.
        """
        x, a0 = self._started(x, a0)
        if is_ours(self):
            # As where steps are recorded, the array may change before the sweep.
            x = x if isinstance(x, Tensor) else np.array(x)
            weights = [getattr(self, name) for name in WEIGHTS]
            (y, a), _ = in_parts(self._replayed, self._sequence, weights, x, a0)
        else:
            y, a = _stacked(self.unroll(x, a0))
        return (y, a) if states else y

    def _sequence(
        self,
        weights: Any,
        x: Any,
        a0: Any,
        mask: None,
        *,
        segment: None = None,
        first: int,
    ) -> tuple[Any, Any]:
        """Outputs and states, and the last state, with these weights; see `in_parts`."""
        network = self._bound(dict(zip(WEIGHTS, weights, strict=True)))
        steps = range(first + 1, first + len(x) + 1)
        found, last = unroll(network.instant, x, a0, steps)
        return _stacked(found), last

    def _check(self, x: Any) -> None:
        D = self.config["input_size"]
        if x.dtype.kind in "iu":
            if x.ndim != 2:
                raise ValueError(
                    f"ElmanNetwork: integer x has shape {x.shape}, expected the indices "
                    "of one-hot inputs, (T, B); for numeric inputs convert to float"
                )
            if x.size and not (x.min() >= 0 and x.max() < D):
                raise ValueError(
                    f"ElmanNetwork: x has indices from {x.min()} to {x.max()}, expected "
                    f"0 to {D - 1}"
                )
        else:
            self._check_sequence(x)
        if not x.shape[0]:
            raise ValueError("ElmanNetwork: x has no steps, expected T of at least 1")


def _stacked(instants: list[Instant]) -> tuple[Any, Any]:
    """The outputs y (T, B, O) and the states a (T, B, H) of all instants."""
    return np.stack([i.y for i in instants]), np.stack([i.a for i in instants])
