"""One-step forecasts of a series by the lecture's networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from autograd import no_grad
from rnn.bptt import cut, segments
from rnn.elman import ElmanNetwork
from rnn.losses import mse
from rnn.module import Module
from rnn.optim import Adam, cosine
from rnn.training import History, digest, fit
from rnn.window import WindowMLP

__all__ = [
    "ELMAN",
    "WINDOW",
    "Forecast",
    "Recipe",
    "Scale",
    "forecast",
    "has_trend",
    "train",
]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Scale:
    """x = (value − centre) / width, and back."""

    centre: float
    width: float

    @classmethod
    def of(cls, values: Array) -> Scale:
        """Mean 0 and standard deviation 1; constant values are only centred."""
        return cls(float(np.mean(values)), float(np.std(values)) or 1.0)

    def forward(self, values: Array) -> Array:
        return (values - self.centre) / self.width

    def back(self, x: Array) -> Array:
        return x * self.width + self.centre


def has_trend(values: Array) -> bool:
    """Whether a straight line explains more than half of the variance of values (N,).

    Bounded activations cannot follow such a series beyond the values trained on; its
    differences they can.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.corrcoef(np.arange(len(values)), values)[0, 1]
    return bool(r * r > 0.5)


@dataclass(frozen=True)
class Recipe:
    """How a network is trained on a series.

    Attributes:
        hidden: H.
        window: n, the inputs that a feed-forward network sees at once; 0 for Elman.
        updates: how many steps the optimiser makes.
        lr: the learning rate at the start; half a cosine takes it to 5 % of that.
        decay: λ by parameter: E = mean squared error + ½ Σ λ ‖W‖².
        wash_in: how many first forecasts stay out of E, while the state finds its way.
        spread: by matrix, the standard deviation of its initial values, times the root
            of its number of columns; those of biases are 0.
        bptt: where a gradient ends, in steps: the whole sequence if it is no longer.
        max_norm: the gradient's norm is clipped to this.
    """

    hidden: int
    window: int
    updates: int
    lr: float
    decay: Mapping[str, float]
    spread: Mapping[str, float]
    wash_in: int = 11
    bptt: int = 250
    max_norm: float = 1.0


ELMAN = Recipe(
    hidden=8,
    window=0,
    updates=1500,
    lr=0.005,
    decay={"W_a": 0.012, "W_y": 0.003},
    spread={"W_x": 0.2, "W_a": 0.1, "W_y": 0.2},
)
WINDOW = Recipe(
    hidden=8,
    window=12,
    updates=500,
    lr=0.006,
    decay={"W_1": 0.003},
    spread={"W_1": 0.2, "W_2": 0.2},
)


@dataclass
class Forecast:
    """A trained network and what it foretells.

    Attributes:
        network: ElmanNetwork or WindowMLP.
        scale: between the series' units and the network's.
        values: (N − n,) in the series' units, where n is the window, 1 for Elman:
            values[−1] is the forecast of the series' last value, made one step before.
        history: of the training.
    """

    network: Module
    scale: Scale
    values: Array
    history: History = field(repr=False)


def forecast(network: Any, scale: Scale, values: Array) -> Array:
    """The forecast of each value from those before it.

    Args:
        network: ElmanNetwork or WindowMLP of one input and one output.
        scale: as it was trained.
        values: (N,) in the series' units.

    Returns:
        (N − n,) in the same units, n the network's window (1 for Elman).
    """
    x = scale.forward(values).astype(next(iter(network.parameters().values())).dtype)
    with no_grad():
        y = network(x[:-1].reshape(-1, 1, 1))
    return scale.back(y.data[:, 0, 0])


def train(
    recipe: Recipe,
    values: Array,
    known: int,
    scale: Scale,
    seed: int,
    checkpoint: str | Path | None = None,
    show: str | None = None,
) -> Forecast:
    """Train a network on the first values of a series, and forecast all of it.

    Args:
        recipe: which network, and how.
        values: (N,) in the series' units.
        known: how many of them to train on.
        scale: to the network's units.
        seed: of the initial parameters.
        checkpoint, show: see `fit`.

    Raises:
        ValueError: where the known values are too few for the recipe.
    """
    least = recipe.wash_in + 2 if not recipe.window else recipe.window + 2
    if known < least:
        raise ValueError(
            f"train: {known} values to train on, expected at least {least}: two more "
            f"than the {least - 2} that the first forecast to be learned from needs"
        )
    network = _network(recipe, seed)
    x = scale.forward(values[:known]).reshape(known, 1, 1)
    steps = known if recipe.window else recipe.bptt
    pieces = segments(steps, x[:-1], x[1:])
    epochs = -(-recipe.updates // len(pieces))
    total = epochs * len(pieces)
    history = fit(
        partial(_objective, network, recipe),
        pieces,
        Adam(network.parameters(), recipe.lr, betas=(0.9, 0.99)),
        epochs=epochs,
        schedule=lambda step: 0.05 * recipe.lr + cosine(0.95 * recipe.lr, total, step),
        max_norm=recipe.max_norm,
        checkpoint=checkpoint,
        run={"data": digest(x), "seed": seed, "recipe": repr(recipe)},
        show=show,
        compiled=True,
    )
    return Forecast(network, scale, forecast(network, scale, values), history)


def _network(recipe: Recipe, seed: int) -> Any:
    network: Module
    if recipe.window:
        network = WindowMLP(1, recipe.hidden, 1, recipe.window)
    else:
        network = ElmanNetwork(1, recipe.hidden, 1, output_activation="identity")
    rng = np.random.default_rng(seed)
    for name, p in network.parameters().items():
        spread = recipe.spread.get(name, 0.0) / p.shape[-1] ** 0.5
        p.data = rng.normal(size=p.shape) * spread
    return network


def _objective(network: Any, recipe: Recipe, segment: Any, state: Any) -> tuple[Any, Any]:
    """E of one segment, and the state that the next one starts from."""
    x, d = segment
    if recipe.window:
        y, d = network(x), d[recipe.window - 1 :]
    else:
        instants = network.unroll(x, state)
        first = recipe.wash_in if state is None else 0
        y, d = np.stack([i.y for i in instants[first:]]), d[first:]
        state = cut(instants[-1].a)
    E = mse(y, d)
    for name, strength in recipe.decay.items():
        E = E + 0.5 * strength * np.sum(np.square(network.parameters()[name]))
    return E, state
