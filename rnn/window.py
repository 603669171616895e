"""The lecture's feed-forward network over a window of the past."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor, named
from autograd.arrays import as_plain
from rnn.checks import check_array, check_sizes
from rnn.module import Module, uniform

__all__ = ["WindowMLP", "windows"]


def windows(x: Any, window: int) -> Any:
    """The last `window` inputs at each instant that has as many.

    Args:
        x: (T, B, D).
        window: n.

    Returns:
        (T − n + 1, B, n·D); row t holds x^t … x^{t+n−1}, the oldest first.

    Raises:
        ValueError: where n is no whole number of 1 to T; for an x of other axes.
    """
    x = x if isinstance(x, Tensor) else as_plain("windows", x)
    if x.ndim != 3:
        raise ValueError(
            f"windows: x has shape {x.shape}, expected (T, B, D). One sequence of T "
            "numbers is x.reshape(T, 1, 1)"
        )
    T, B, D = x.shape
    check_sizes("windows", window=window)
    if window > T:
        raise ValueError(f"windows: window={window}, expected 1 to T = {T}")
    steps = np.arange(T - window + 1)[:, np.newaxis] + np.arange(window)
    return np.reshape(np.swapaxes(x[steps], 1, 2), (T - window + 1, B, window * D))


class WindowMLP(Module):
    """A layer of hidden units over the last n inputs: memory limited to the window.

        v^t = [x^{t−n+1} … x^t] W_1ᵀ + b_1      h^t = φ(v^t)
        y^t = ψ(h^t W_2ᵀ + b_2)

    Args:
        input_size: D, the width of x^t.
        hidden_size: H.
        output_size: O.
        window: n, how many inputs it sees.
        activation, output_activation: φ and ψ, as in `ElmanNetwork`.
        rng: a seed or generator for the initial parameters, U(−1/√fan, 1/√fan) with
            fan the number of a layer's inputs.
        dtype: of the parameters.

    Attributes:
        W_1 (H, n·D), b_1 (H,), W_2 (O, H), b_2 (O,): the parameters.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        window: int,
        activation: str = "tanh",
        output_activation: str = "identity",
        *,
        rng: np.random.Generator | int | None = None,
        dtype: Any = np.float64,
    ) -> None:
        sizes = {
            "input_size": input_size,
            "hidden_size": hidden_size,
            "output_size": output_size,
            "window": window,
        }
        self._configure(sizes, activation, output_activation, dtype)
        rng = np.random.default_rng(rng)
        n, H, O = window * input_size, hidden_size, output_size  # noqa: E741 (letters)
        self.W_1 = uniform(rng, n, H, n, name="W_1", dtype=dtype)
        self.b_1 = uniform(rng, n, H, name="b_1", dtype=dtype)
        self.W_2 = uniform(rng, H, O, H, name="W_2", dtype=dtype)
        self.b_2 = uniform(rng, H, O, name="b_2", dtype=dtype)

    def __call__(self, x: Any) -> Any:
        """Y (T − n + 1, B, O) from x (T, B, D); ValueError for another shape, or NaN."""
        check_array(type(self).__name__, "x", x)
        x = x if isinstance(x, Tensor) else as_plain("WindowMLP", x)
        self._check_sequence(x)
        u = windows(x, self.config["window"])
        h = named("h", self._phi(named("v_h", np.matmul(u, self.W_1.T) + self.b_1)))
        return named("y", self._psi(named("v_y", np.matmul(h, self.W_2.T) + self.b_2)))
