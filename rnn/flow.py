"""How far a gradient reaches back in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.backward import sweep
from autograd.tensor import value_of
from rnn.cells import Cell, RNNCell
from rnn.derived import changes, library_class
from rnn.elman import ElmanNetwork
from rnn.recurrent import Recurrent
from rnn.unroll import unroll

__all__ = ["GradientFlow", "gradient_flow"]

Array = np.ndarray[Any, Any]

SLOPE = {
    "tanh": 1.0, "sigmoid": 0.25, "relu": 1.0, "softplus": 1.0, "identity": 1.0
}  # fmt: skip
"""γ = max |φ'|."""

VANISHING, EXPLODING = 0.9, 1.1
"""Mean factor per step below and above which the verdict is not "stable"."""


@dataclass(frozen=True)
class GradientFlow:
    """The reach of the gradient of each step's loss.

    Attributes:
        norms: (T, T); norms[t − 1, k − 1] = ‖∂E^t/∂a^k‖ for k ≤ t, NaN elsewhere.
        by_distance: (T,); the geometric mean over t of ‖∂E^t/∂a^{t−d}‖ / ‖∂E^t/∂a^t‖,
            the gradient's size d steps back, where it is 1 at d = 0.
        spectral_radius: the largest |eigenvalue| of W_a; of cells with gates and of
            classes that change a step, of any ∂s^t/∂s^{t−1} of any sample, with s the
            whole state.
        sigma_max: the largest singular value, likewise.
        rate: γ σ_max(W_a), or σ_max where it is of ∂s^t/∂s^{t−1}, so that
            ‖∂a^t/∂a^k‖ ≤ rate^(t−k).
        factor: what a step back multiplies the gradient by, in the geometric mean.
        verdict: "vanishing", "stable" or "exploding", by `factor`.
        jacobians: (T, N, N); ∂s^t/∂s^{t−1} of the first sample, with s the whole state:
            a, or of an LSTM [h c].
        part: where a (of an LSTM h, or c) stands in s.
        cell: of an LSTM, the same along the cell state c; None of the others.
    """

    norms: Array
    by_distance: Array
    spectral_radius: float
    sigma_max: float
    rate: float
    factor: float
    verdict: str
    jacobians: Array
    part: slice
    cell: GradientFlow | None = None

    @cached_property
    def singular_values(self) -> Array:
        """(T, T, H); of ∂a^t/∂a^k at [t − 1, k − 1], NaN unless k < t; first sample.

        The way from a^k to a^t is that through the whole state: in an LSTM, through h
        and c both.
        """
        T, N, _ = self.jacobians.shape
        found = np.full((T, T, len(range(N)[self.part])), np.nan)
        for k in range(T - 1):
            way = np.eye(N)
            for t in range(k + 1, T):
                way = self.jacobians[t] @ way
                found[t, k] = np.linalg.svd(way[self.part, self.part], compute_uv=False)
        return found


Network = ElmanNetwork | Recurrent | Cell

ADVANCE = {"advance", "recur", "zero_state", "_phi"}
"""What a cell may change and still take the same step in a network and alone."""


def gradient_flow(
    network: Network,
    x: Array,
    loss: Callable[[int, Any], Any],
    a0: Any = None,
) -> GradientFlow:
    """Sweep the unrolled network from every E^t to every a^k before it.

    Since ∂a^t/∂a^k = Π_{i=k+1..t} diag(φ'(v_a^i)) W_a, its norm is at most
    (γ σ_max(W_a))^(t−k): the gradient must vanish where γ σ_max < 1, and can explode only
    where γ σ_max > 1 (Bengio, Simard and Frasconi, 1994; Pascanu et al., 2013).

    Args:
        network: an Elman network; an RNN, GRU or LSTM of one layer and direction; or one
            of their cells.
        x: (T, B, D) inputs, (B, T, D) of a network that is `batch_first`; of an Elman
            network, (T, B) indices too.
        loss: (t, output) → E^t, a scalar, t = 1 … T. The output is the `Instant` t of an
            Elman network, h^t (B, H) of the others.
        a0: (B, H), the state before the first step, (h, c) of an LSTM; zeros unless
            given.

    Raises:
        ValueError: for a single step, which has no step back; for no samples, other
            shapes, and numbers that are not finite; for several layers or directions.
        TypeError: for another network, and a loss that does not depend on it; for a
            derived class whose steps cannot be measured apart: its samples influence
            each other, or a step run again gives other numbers.
    """
    run = _Run(network, x, a0)
    T = len(run.outputs)
    if T < 2:
        raise ValueError(f"gradient_flow: {T} step, expected at least 2")
    kinds = range(len(run.states[0]))
    norms = [np.full((T, T), np.nan) for _ in kinds]
    place = {part: (i, k) for k, s in enumerate(run.states) for i, part in enumerate(s)}
    for t, output in enumerate(run.outputs):
        E = loss(t + 1, output)
        scalar = isinstance(E, Tensor) and E.size == 1 and E.requires_grad
        reached = (
            list(sweep(E, np.ones(E.shape, E.dtype), wanted=set(place))) if scalar else ()
        )
        if not reached:
            raise TypeError(
                f"gradient_flow: the loss of step {t + 1} is a {type(E).__name__} of "
                f"shape {np.shape(E)}, expected a Tensor of one element that was "
                "computed from the output"
            )
        for i in kinds:
            norms[i][t, : t + 1] = 0
        for node, g, _ in reached:
            i, k = place[node]
            norms[i][t, k] = np.linalg.norm(g)

    steps, radius, sigma = run.jacobians()
    H, found = steps.shape[1] // len(norms), None
    for i in reversed(kinds):
        by_distance = np.array([_mean_ratio(norms[i], d) for d in range(T)])
        found = GradientFlow(
            norms=norms[i],
            by_distance=by_distance,
            spectral_radius=radius,
            sigma_max=sigma,
            rate=run.slope * sigma,
            factor=_factor(by_distance),
            verdict=_verdict(_factor(by_distance)),
            jacobians=steps,
            part=slice(i * H, (i + 1) * H),
            cell=found,
        )
    assert found is not None
    return found


def _verdict(factor: float) -> str:
    if factor < VANISHING:
        return "vanishing"
    return "exploding" if factor > EXPLODING else "stable"


class _Run:
    """A network laid out in time, with the state of every step at hand."""

    def __init__(self, network: Network, x: Any, a0: Any) -> None:
        if not isinstance(network, ElmanNetwork | Recurrent | Cell):
            raise TypeError(
                f"gradient_flow: the network is a {type(network).__name__}, expected an "
                "ElmanNetwork, RNN, GRU, LSTM or one of their cells"
            )
        x = x if isinstance(x, Tensor) else np.asarray(x)
        if network.config.get("batch_first"):
            x = np.swapaxes(x, 0, 1)
        if x.ndim > 1 and not x.shape[1]:
            raise ValueError(f"gradient_flow: x has shape {x.shape}, no samples")
        self.network = network
        self.changed = _changed(network)
        self.outputs: list[Any]
        self.states: list[tuple[Any, ...]]
        if isinstance(network, ElmanNetwork):
            self.outputs = list(network.unroll(x, a0))
            self.states = [(instant.a,) for instant in self.outputs]
            start = np.zeros(
                (x.shape[1], network.config["hidden_size"]), network.W_a.dtype
            )
            self.first = (start if a0 is None else a0,)
            gamma = SLOPE[network.config["activation"]]
            self.slope = 1.0 if self.changed else gamma
        else:
            self.cell = network if isinstance(network, Cell) else network.only_cell()
            network._check_sequence(x)
            begin = self.cell.zero_state((x.shape[1],)) if a0 is None else a0
            self.first = begin if isinstance(begin, tuple) else (begin,)
            reached: list[Any] = []

            def step(x: Any, state: Any) -> tuple[Any, Any]:
                output, state = self.cell.step(x, state)
                reached.append(state if isinstance(state, tuple) else (state,))
                return output, state

            self.outputs = unroll(step, x, begin)[0]
            self.states, self.slope = reached, 1.0
        self.x = x

    def jacobians(self) -> tuple[Array, float, float]:
        """(T, N, N), ∂s^t/∂s^{t−1} of the first sample; the largest |λ| and σ.

        Where W_a alone bounds a step, λ and σ are its; otherwise those of the matrices
        of all steps and samples.
        """
        found, radius, sigma = [], 0.0, 0.0
        W = self._matrix()
        for t, before in enumerate([self.first, *self.states[:-1]]):
            J = self._jacobian(t, before, 1 if W is not None else None)
            found.append(J[0])
            for each in J if W is None else ():
                radius = max(radius, float(np.abs(np.linalg.eigvals(each)).max()))
                sigma = max(sigma, float(np.linalg.norm(each, 2)))
        if W is not None:
            radius = float(np.abs(np.linalg.eigvals(W)).max())
            sigma = float(np.linalg.norm(W, 2))
        return np.stack(found), radius, sigma

    def _jacobian(self, t: int, before: Any, samples: int | None) -> Array:
        """(B, N, N), ∂s/∂s' of one step, of so many samples, or all.

        One sweep gives all rows: the step is run for N copies of each sample, and copy i
        is asked for the gradient of unit i alone.
        """
        values = [np.asarray(value_of(part))[:samples] for part in before]
        N, B = sum(value.shape[1] for value in values), len(values[0])
        copies = tuple(
            Tensor(np.repeat(value, N, axis=0), requires_grad=True) for value in values
        )
        x = np.asarray(value_of(self.x))[t, :samples]
        after = self._next(np.repeat(x, N, axis=0), copies)
        eye = np.tile(np.eye(N, dtype=after.dtype), (B, 1))
        if self.changed:
            recorded = np.concatenate([value_of(s) for s in self.states[t]], axis=1)
            self._check_apart(after, copies, recorded)
        return _pulled(after, eye, copies).reshape(B, N, N)

    def _check_apart(self, after: Any, copies: Any, recorded: Array) -> None:
        """Check that a changed step is a function of its own sample's state alone."""
        N = recorded.shape[1]
        close = 1e3 * float(np.finfo(after.dtype).eps)
        same = np.allclose(value_of(after)[::N], recorded, rtol=close, atol=close)
        one = np.zeros(after.shape, after.dtype)
        one[:N] = 1
        if not same or np.any(_pulled(after, one, copies)[N:]):
            what = "its samples influence each other" if same else "it keeps a count, say"
            raise TypeError(
                f"gradient_flow: a step of {type(self.network).__name__} depends on more "
                f"than its input and the state before ({what}), so that it has no "
                "∂s^t/∂s^{t−1} of its own. Take credit, which works on what was recorded"
            )

    def _next(self, x: Any, state: tuple[Any, ...]) -> Any:
        if isinstance(self.network, ElmanNetwork):
            return self.network.instant(x, state[0])[1]
        after = self.cell.step(x, state if len(state) > 1 else state[0])[1]
        return np.concatenate(after, axis=1) if isinstance(after, tuple) else after

    def _matrix(self) -> Array | None:
        """W_a where it alone bounds a step."""
        if self.changed:
            return None
        if isinstance(self.network, ElmanNetwork):
            return np.asarray(self.network.W_a.data)
        if isinstance(self.cell, RNNCell):
            return np.asarray(self.cell.weight_hh.data)
        return None


def _pulled(after: Any, seed: Array, parts: tuple[Tensor, ...]) -> Array:
    """The gradient of Σ seed · after by the parts of a state, side by side."""
    grads = {node: g for node, g, _ in sweep(after, seed, wanted=set(parts))}
    rows = [grads.get(part, np.zeros(part.shape, part.dtype)) for part in parts]
    return np.concatenate(rows, axis=1)


def _changed(network: Network) -> bool:
    """Whether a derived class changes the steps, which are then measured themselves.

    Raises:
        TypeError: where it changes more than the steps of its cell.
    """
    if not isinstance(network, Recurrent):
        return bool(changes(network))
    more = [name for name in changes(network) if name != "cell"]
    cell = network.only_cell()
    more += [name for name in changes(cell) if name not in ADVANCE]
    if more:
        raise TypeError(
            f"gradient_flow: {type(network).__name__} changes {', '.join(more)} of "
            f"{library_class(network).__name__}, of which the cell alone is laid out "
            "here. Give a cell that has the change, or take credit, which works on what "
            "was recorded"
        )
    return bool(changes(cell))


def _mean_ratio(norms: Array, distance: int) -> float:
    """The geometric mean of ‖∂E^t/∂a^{t−d}‖ / ‖∂E^t/∂a^t‖ over t; 0 if one is 0."""
    far, near = np.diagonal(norms, -distance), np.diagonal(norms)[distance:]
    ratios = far[near > 0] / near[near > 0]
    if not ratios.size or np.any(ratios == 0):
        return 0.0
    return float(np.exp(np.mean(np.log(ratios))))


def _factor(by_distance: Array) -> float:
    """The growth per step back: the slope of log by_distance, as a factor."""
    d = np.flatnonzero(by_distance > 0)
    return (
        float(np.exp(np.polyfit(d, np.log(by_distance[d]), 1)[0])) if len(d) > 1 else 0.0
    )
