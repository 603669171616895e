"""Learning of Boltzmann machines: their samples against the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd import no_grad
from rnn.checks import check_callable, check_reached, check_sizes
from rnn.energy import LARGEST, EnergyModel
from rnn.optim import Optimizer
from rnn.schedules import rate_at

__all__ = ["Learning", "contrast", "fit_boltzmann"]

Array = np.ndarray[Any, Any]


@dataclass
class Learning:
    """What learning saw, one entry for every `every` epochs.

    Attributes:
        epochs: how many were done by then.
        reconstruction: the share of visible units that one sweep from the data changes.
        log_likelihood: the exact mean of log p(v) over the data; empty where there are
            too many units to sum over.
    """

    epochs: list[int] = field(default_factory=list)
    reconstruction: list[float] = field(default_factory=list)
    log_likelihood: list[float] = field(default_factory=list)


def contrast(machine: EnergyModel, data: Any, samples: Any) -> Any:
    """⟨F(v)⟩_data − ⟨F(v)⟩_samples, recorded, of visible states (B, V) and (n, V).

    Since −∂ log p(v) = ∂F(v) − ⟨∂F⟩_model, its gradient is that of −log p(data) where
    the samples are the model's; it takes them as constants.
    """
    return np.mean(machine.free_energy(data)) - np.mean(machine.free_energy(samples))


def fit_boltzmann(
    machine: EnergyModel,
    data: Any,
    optimizer: Optimizer,
    *,
    epochs: int,
    method: str = "cd",
    k: int = 1,
    batch_size: int | None = None,
    chains: int = 100,
    schedule: Callable[[int], float] | None = None,
    every: int = 1,
    rng: np.random.Generator | int | None = None,
) -> Learning:
    """Learn the distribution of the data: let the optimizer follow the contrast.

    Args:
        machine: the machine.
        data: (M, V) of {0, 1}.
        optimizer: moves the machine's parameters.
        epochs: passes over the data.
        method: "cd": contrastive divergence, samples k sweeps away from the data (Hinton,
            2002). "pcd": persistent, from chains that start at random and go on from
            step to step (Tieleman, 2008). "exact": the likelihood itself, for few units.
        k: sweeps of Gibbs sampling for each step.
        batch_size: rows for each step; all of them unless given.
        chains: how many persistent chains.
        schedule: step → learning rate; constant unless given. Persistent chains follow
            the machine only while it moves slowly, so let the rate fall.
        every: epochs from one entry of the result to the next.
        rng: a seed or generator for order and samples; with the same one, and the same
            parameters to begin with, the run is the same.

    Raises:
        ValueError: for data that are not (M, V) of {0, 1}, an unknown method, or a size
            below 1; an optimizer of another machine.
        TypeError: for what is no machine or no optimizer.
        FloatingPointError: where learning diverges.
    """
    if not isinstance(machine, EnergyModel) or not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"fit_boltzmann: the machine is a {type(machine).__name__} and the optimizer "
            f"a {type(optimizer).__name__}, expected a BoltzmannMachine or "
            "RestrictedBoltzmannMachine, and one of rnn.optim"
        )
    if schedule is not None:
        check_callable("fit_boltzmann", "schedule", schedule, "step → learning rate")
    data, rng = machine.check(data, "fit_boltzmann"), np.random.default_rng(rng)
    size = len(data) if batch_size is None else batch_size
    check_sizes("fit_boltzmann", epochs=epochs, k=k, batch_size=size, every=every)
    check_sizes("fit_boltzmann", chains=chains)
    loss = _loss(machine, method, k, chains, rng)
    seen = Learning()
    for epoch in range(1, epochs + 1):
        order = rng.permutation(len(data))
        for start in range(0, len(data), size):
            if schedule is not None:
                optimizer.lr = rate_at("fit_boltzmann", schedule, optimizer.steps)
            _step(optimizer, loss(data[order[start : start + size]]))
        if epoch % every == 0:
            _note(seen, epoch, machine, data, rng)
    return seen


def _loss(
    machine: EnergyModel, method: str, k: int, chains: int, rng: np.random.Generator
) -> Callable[[Array], Any]:
    """What the optimizer is to descend, of a batch (B, V)."""
    state = machine.noise(chains, rng)

    def exact(batch: Array) -> Any:
        return -machine.log_likelihood(batch)

    def cd(batch: Array) -> Any:
        return contrast(machine, batch, machine.gibbs(batch, k, rng)[:, : len(batch.T)])

    def pcd(batch: Array) -> Any:
        nonlocal state
        state = machine.advance(state, k, rng)
        return contrast(machine, batch, state[:, : len(batch.T)])

    methods = {"exact": exact, "cd": cd, "pcd": pcd}
    if method not in methods:
        raise ValueError(
            f"fit_boltzmann: method={method!r}, expected one of {', '.join(methods)}"
        )
    return methods[method]


def _step(optimizer: Optimizer, E: Any) -> None:
    if not np.isfinite(E.item()):
        raise FloatingPointError(
            f"fit_boltzmann: the contrast is {E.item()} at step {optimizer.steps + 1}; "
            "lower the learning rate"
        )
    optimizer.zero_grad()
    E.backward()
    check_reached("fit_boltzmann", optimizer.parameters)
    optimizer.step()


def _note(
    seen: Learning, epoch: int, machine: EnergyModel, data: Array, rng: Any
) -> None:
    seen.epochs.append(epoch)
    again = machine.gibbs(data, 1, rng)[:, : len(data.T)]
    seen.reconstruction.append(float(np.mean(again != data)))
    if machine.summed_units() <= LARGEST:
        with no_grad():
            seen.log_likelihood.append(machine.log_likelihood(data).item())
