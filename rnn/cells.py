"""One step of the recurrent networks, and the state it carries.

Rows are samples: x (B, D), h (B, H), c (B, H). The names, shapes and the order of the
gates are PyTorch's, so that weights move both ways.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Tensor, linear, linear_steps, named, sigmoid, times_transposed
from rnn.activations import ACTIVATIONS, activation_named
from rnn.module import Module, check_config, uniform

__all__ = ["WEIGHTS", "Cell", "GRUCell", "LSTMCell", "RNNCell", "parts_of"]

WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
"""The names of a cell's parameters; where there are no biases, of the first two."""

State = Any
Recur = Callable[[Any], Any]


class Cell(Module):
    """What the three cells share: two matrices and two biases, gate upon gate.

    Args:
        input_size: D.
        hidden_size: H.
        bias: whether there are biases.
        rng: a seed or generator for the initial parameters, U(−1/√H, 1/√H).
        dtype: of the parameters, float64 or float32.

    Attributes:
        weight_ih (G·H, D), weight_hh (G·H, H), bias_ih (G·H,), bias_hh (G·H,): the
            parameters of the G gates, one below the other.
    """

    gates = 1
    state: tuple[str, ...] = ("h",)
    """What a state consists of."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: Any = np.float64,
    ) -> None:
        sizes = {"input_size": input_size, "hidden_size": hidden_size}
        self.config = check_config(self, sizes, dtype, bias=bias)
        rng, rows = np.random.default_rng(rng), self.gates * hidden_size

        def draw(name: str, *shape: int) -> Tensor:
            return uniform(rng, hidden_size, *shape, name=name, dtype=dtype)

        self.weight_ih = draw("weight_ih", rows, input_size)
        self.weight_hh = draw("weight_hh", rows, hidden_size)
        if bias:
            self.bias_ih = draw("bias_ih", rows)
            self.bias_hh = draw("bias_hh", rows)

    def zero_state(self, batch: tuple[int, ...]) -> State:
        """The state before the first step: zeros of `batch` and H."""
        return np.zeros((*batch, self.config["hidden_size"]), self.config["dtype"])

    def step(self, x: Any, state: State) -> tuple[Any, State]:
        """(x^t, state^{t−1}) → (h^t, state^t), as `unroll` takes it."""
        state = self(x, state)
        return state, state

    def __call__(self, x: Any, state: State = None) -> State:
        """(x^t, state^{t−1}) → state^t; zeros where no state is given.

        Args:
            x: (B, D), or (D,) for one sample.
            state: (B, H), or (H,).

        Raises:
            ValueError: for a width that is not D or H, naming the sizes, and for one
                array in place of a pair, or a pair in place of one.
        """
        D, H = self.config["input_size"], self.config["hidden_size"]
        if np.ndim(x) not in (1, 2) or np.shape(x)[-1] != D:
            raise ValueError(
                f"{type(self).__name__}: x has shape {np.shape(x)}, expected (B, D) with "
                f"D = {D}; a sequence goes through `unroll` or a whole network"
            )
        if state is None:
            state = self.zero_state(np.shape(x)[:-1])
        for part in parts_of(state, self.state, type(self).__name__):
            if np.shape(part) != (*np.shape(x)[:-1], H):
                raise ValueError(
                    f"{type(self).__name__}: the state has shape {np.shape(part)}, "
                    f"expected {(*np.shape(x)[:-1], H)}, (B, H) with H = {H}"
                )
        return self.advance(self.of_inputs(x), state, self.recur())

    def of_inputs(self, x: Any) -> Any:
        """What the inputs x (…, D) send to the gates (…, G·H)."""
        return linear(x, self.weight_ih, *self._biases()[0])

    def of_steps(self, xs: Any) -> Callable[[int], Any]:
        """The same for xs (T, B, D), as a function of the step: one product of all."""
        return linear_steps(xs, self.weight_ih, *self._biases()[0])

    def recur(self, *, often: bool = False) -> Recur:
        """h (…, H) ↦ what it sends to the gates (…, G·H); quicker where `often` used."""
        W, biases = self.weight_hh, self._biases()[1]
        if often:
            return times_transposed(W, *biases)
        return lambda h: linear(h, W, *biases) if biases else np.inner(h, W)

    def weights(self) -> tuple[Any, ...]:
        """W_ih, W_hh and, where there are biases, b_ih and b_hh: the `WEIGHTS`."""
        return (self.weight_ih, self.weight_hh, *itertools.chain(*self._biases()))

    def _biases(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Those that are added to what x sends, and to what h sends."""
        return ((self.bias_ih, self.bias_hh), ()) if self.config["bias"] else ((), ())

    def advance(self, of_x: Any, state: State, recur: Recur) -> State:
        """The state after a step.

        Args:
            of_x: (B, G·H), what `of_inputs` gave for the step.
            state: (B, H), or the pair of them.
            recur: h (B, H) ↦ W_hh h (B, G·H), which many steps may share.
        """
        raise NotImplementedError

    def _each(self, fields: Any) -> list[Any]:
        """The parts (…, H) of the fields (…, G·H), gate by gate."""
        H = self.config["hidden_size"]
        return [fields[..., gate * H : (gate + 1) * H] for gate in range(self.gates)]


def parts_of(state: State, expected: tuple[str, ...], caller: str) -> tuple[Any, ...]:
    """The arrays of a state, once they are seen to be as many as expected.

    Raises:
        ValueError: where they are not.
    """
    pair = isinstance(state, tuple)
    if pair == (len(expected) > 1) and (not pair or len(state) == len(expected)):
        return state if pair else (state,)
    form = f"the pair ({', '.join(expected)})" if expected[1:] else "one array h"
    raise ValueError(
        f"{caller}: the state is a {type(state).__name__}"
        + (f" of {len(state)}" if pair and expected[1:] else "")
        + f", expected {form}"
    )


class RNNCell(Cell):
    """h^t = φ(W_ih x^t + b_ih + W_hh h^{t−1} + b_hh), with φ "tanh" or "relu"."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        **options: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, **options)
        self._phi = activation_named(nonlinearity, ACTIVATIONS, "nonlinearity")
        self.config["nonlinearity"] = nonlinearity

    def advance(self, of_x: Any, state: State, recur: Recur) -> State:
        """φ of the field v; see `Cell.advance`."""
        return named("h", self._phi(named("v", of_x + recur(state))))


class GRUCell(Cell):
    """A gated recurrent unit (Cho et al., 2014), reset after the product as in PyTorch.

    r = σ(W_ir x + b_ir + W_hr h + b_hr)       z = σ(W_iz x + b_iz + W_hz h + b_hz)
    m = W_hn h + b_hn                          n = tanh(W_in x + b_in + r ⊙ m)
    h^t = (1 − z) ⊙ n + z ⊙ h^{t−1} = n + z ⊙ (h^{t−1} − n)
    """

    gates = 3

    def _biases(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        # r stands between the second one and the field of n.
        return ((self.bias_ih,), (self.bias_hh,)) if self.config["bias"] else ((), ())

    def advance(self, of_x: Any, state: State, recur: Recur) -> State:
        """r and z, then n; see `Cell.advance`."""
        x_r, x_z, x_n = self._each(of_x)
        h_r, h_z, h_n = self._each(recur(state))
        r = named("r", sigmoid(named("v_r", x_r + h_r)))
        z = named("z", sigmoid(named("v_z", x_z + h_z)))
        n = named("n", np.tanh(named("v_n", x_n + r * named("m", h_n))))
        return named("h", n + z * (state - n))


class LSTMCell(Cell):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997; Gers et al., 2000).

        i, f, o = σ(v_i), σ(v_f), σ(v_o)     g = tanh(v_g)
        c^t = f ⊙ c^{t−1} + i ⊙ g            h^t = o ⊙ tanh(c^t)

    with [v_i v_f v_g v_o] = W_ih x + b_ih + W_hh h^{t−1} + b_hh. Its state is (h, c).
    """

    gates = 4
    state = ("h", "c")

    def zero_state(self, batch: tuple[int, ...]) -> State:
        """h and c before the first step: zeros of `batch` and H."""
        return super().zero_state(batch), super().zero_state(batch)

    def step(self, x: Any, state: State) -> tuple[Any, State]:
        """(x^t, (h^{t−1}, c^{t−1})) → (h^t, (h^t, c^t)), as `unroll` takes it."""
        h, c = self(x, state)
        return h, (h, c)

    def advance(self, of_x: Any, state: State, recur: Recur) -> State:
        """The gates, then c and h; see `Cell.advance`."""
        h, c = state
        v_i, v_f, v_g, v_o = self._each(named("v", of_x + recur(h)))
        i, f = named("i", sigmoid(v_i)), named("f", sigmoid(v_f))
        g, o = named("g", np.tanh(v_g)), named("o", sigmoid(v_o))
        c = named("c", f * c + i * g)
        return named("h", o * np.tanh(c)), c
