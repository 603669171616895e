"""Boltzmann machines: binary units whose states have a probability, p(s) ∝ exp(−E(s)).

No derivative is written here: the energies are plain compositions, and what learning
needs, in `contrastive`, is the engine's gradient of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor, logsumexp, sigmoid, softplus
from rnn.binary import all_states, pair_energy
from rnn.budget import charge
from rnn.checks import check_sizes
from rnn.energy import EnergyModel, check_few

__all__ = ["BoltzmannMachine", "RestrictedBoltzmannMachine"]

Array = np.ndarray[Any, Any]
SPREAD = 0.01
"""Standard deviation of the initial weights (Hinton, 2010)."""


class RestrictedBoltzmannMachine(EnergyModel):
    """Visible and hidden units, joined only to each other (Smolensky, 1986).

        E(v, h) = −b vᵀ − c hᵀ − h W vᵀ                           v, h of {0, 1}
        F(v) = −b vᵀ − Σ_j softplus(c_j + v W_jᵀ)
        p(h_j = 1 | v) = σ(c_j + v W_jᵀ)        p(v_i = 1 | h) = σ(b_i + h W_·i)

    Args:
        visible: V.
        hidden: H.
        rng: a seed or generator for the initial weights, N(0, 0.01²).

    Attributes:
        W (H, V), b (V,), c (H,): the parameters; the biases start at zero.
    """

    def __init__(
        self, visible: int, hidden: int, *, rng: np.random.Generator | int | None = None
    ) -> None:
        check_sizes("RestrictedBoltzmannMachine", visible=visible, hidden=hidden)
        charge((visible * hidden + visible + hidden,))
        super().__init__(visible, hidden)
        W = SPREAD * np.random.default_rng(rng).normal(size=(hidden, visible))
        self.W = Tensor(W, requires_grad=True, name="W")
        self.b = Tensor(np.zeros(visible), requires_grad=True, name="b")
        self.c = Tensor(np.zeros(hidden), requires_grad=True, name="c")

    def energy(self, v: Any, h: Any) -> Any:
        """E (…), recorded, of v (…, V) and h (…, H)."""
        v = self.rows("energy", v, self.visible)
        h = self.rows("energy", h, self.hidden)
        if v.ndim > 1 < h.ndim and v.shape[:-1] != h.shape[:-1]:
            raise ValueError(
                f"RestrictedBoltzmannMachine.energy: v has shape {v.shape} and h "
                f"{h.shape}, expected as many states of each"
            )
        return -v @ self.b - h @ self.c - np.sum((v @ self.W.T) * h, axis=-1)

    def free_energy(self, v: Any) -> Any:
        v = self.rows("free_energy", v, self.visible)
        return -v @ self.b - np.sum(softplus(v @ self.W.T + self.c), axis=-1)

    def p_hidden(self, v: Array) -> Array:
        """p(h_j = 1 | v) (n, H) for v (n, V), in plain numbers."""
        v = self.rows("p_hidden", v, self.visible)
        return sigmoid(v @ self.W.data.T + self.c.data)

    def p_visible(self, h: Array) -> Array:
        """p(v_i = 1 | h) (n, V) for h (n, H), in plain numbers."""
        h = self.rows("p_visible", h, self.hidden)
        return sigmoid(h @ self.W.data + self.b.data)

    def sweep(self, s: Array, rng: np.random.Generator) -> Array:
        h = _draw(self.p_hidden(s[:, : self.visible]), rng)
        return np.hstack([_draw(self.p_visible(h), rng), h])

    def summed_units(self) -> int:
        """The smaller layer: the other one is summed over in closed form."""
        return min(self.visible, self.hidden)

    def log_partition(self) -> Any:
        if self.visible < self.hidden:
            return self._log_sum(lambda v: -self.free_energy(v))
        return self._log_sum(
            lambda h: h @ self.c + np.sum(softplus(h @ self.W + self.b), axis=-1)
        )


class BoltzmannMachine(EnergyModel):
    """Units that are all joined to each other (Ackley, Hinton and Sejnowski, 1985).

        E(s) = −½ s W sᵀ − b sᵀ        p(s_i = 1 | the others) = σ((s W)_i + b_i)

    with s = (v, h) of {0, 1}. Each pair of units has one weight, which W (N, N) holds
    twice, as W_ij and W_ji: its gradient is the sum over both uses.

    Args:
        visible: V.
        hidden: H; F(v) sums over their 2^H states.
        rng: a seed or generator for the initial weights, N(0, 0.01²).

    Attributes:
        w (N (N − 1) / 2,): the weights of the pairs i < j, row by row above W's diagonal;
            N = V + H.
        b (N,): the biases, zero at the start.
    """

    def __init__(
        self,
        visible: int,
        hidden: int = 0,
        *,
        rng: np.random.Generator | int | None = None,
    ) -> None:
        check_sizes("BoltzmannMachine", visible=visible)
        check_sizes("BoltzmannMachine", least=0, hidden=hidden)
        super().__init__(visible, hidden)
        N = visible + hidden
        charge((N * (N + 1) // 2,))
        i, j = np.triu_indices(N, 1)
        self._pair = np.zeros((N, N), int)
        self._pair[i, j] = self._pair[j, i] = 1 + np.arange(len(i))
        w = SPREAD * np.random.default_rng(rng).normal(size=len(i))
        self.w = Tensor(w, requires_grad=True, name="w")
        self.b = Tensor(np.zeros(N), requires_grad=True, name="b")

    @property
    def W(self) -> Any:
        """(N, N), symmetric with a zero diagonal, recorded: made of w."""
        return np.concatenate([np.zeros(1), self.w])[self._pair]

    def energy(self, s: Any) -> Any:
        """E (…), recorded, of states s (…, V + H)."""
        s = self.rows("energy", s, self.visible + self.hidden)
        return pair_energy(s, self.W, self.b)

    def free_energy(self, v: Any) -> Any:
        """F(v) (…), recorded, of v (…, V), by a sum over all states h of hidden units.

        Raises:
            ValueError: for more than 20 hidden units.
        """
        v = self.rows("free_energy", v, self.visible)
        V, W, b = self.visible, self.W, self.b
        E = pair_energy(v, W[:V, :V], b[:V])
        if not self.hidden:
            return E
        check_few("BoltzmannMachine.free_energy", self.hidden)
        h = all_states(self.hidden)
        E_h = pair_energy(h, W[V:, V:], b[V:]) - v @ W[:V, V:] @ h.T
        return E - logsumexp(-E_h)

    def sweep(self, s: Array, rng: np.random.Generator) -> Array:
        s, W, b, V = s.copy(), self.W.data, self.b.data, self.visible
        for i in (*range(V, V + self.hidden), *range(V)):
            s[:, i] = _draw(sigmoid(s @ W[:, i] + b[i]), rng)
        return s

    def summed_units(self) -> int:
        """All of them."""
        return self.visible + self.hidden

    def log_partition(self) -> Any:
        return self._log_sum(lambda s: -self.energy(s))


def _draw(p: Array, rng: np.random.Generator) -> Array:
    """1 with probability p, else 0."""
    return (rng.random(p.shape) < p).astype(float)
