"""Plots of autonomous networks, on matplotlib: their states, memory, and samples."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import Any

import numpy as np

from autograd.extras import require
from viz.given import by_name, numbers
from viz.plots import COLOURS, TRUTH, _axes, _words

__all__ = ["capacity", "likelihood", "recall", "samples"]

Array = np.ndarray[Any, Any]
MOMENTS = 7
"""How many states of a path are shown."""
INK = "Blues"
CAPACITY = 0.138
FORM = "(n, height, width)"


def samples(images: Mapping[str, Any], *, title: str) -> Any:
    """Small pictures, a row of them under each name; dark is the larger value.

    Args:
        images: by name, (n, height, width); all of one height and width.
        title: above the plot.

    Raises:
        TypeError, ValueError: for pictures of different sizes, no numbers, or none.
    """
    images = {
        name: numbers("samples", f"the pictures of {name}", row, FORM, None, None, None)
        for name, row in by_name("samples", "pictures", images).items()
    }
    sizes = {f"{name} {row.shape[1:]}" for name, row in images.items()}
    if len({row.shape[1:] for row in images.values()}) > 1:
        raise ValueError(
            f"samples: pictures of sizes {', '.join(sorted(sizes))}, expected one size"
        )
    every = np.concatenate(list(images.values()))
    widest = max(len(row) for row in images.values())
    figure = require("matplotlib.figure", "plots", "A plot").Figure(
        figsize=(1.6 + 0.62 * widest, 0.5 + 0.72 * len(images)),
        layout="constrained",
        dpi=120,
    )
    grid = figure.subplots(len(images), widest, squeeze=False)
    for (name, row), places in zip(images.items(), grid, strict=True):
        for axes in places:
            axes.set_axis_off()
        for axes, image in zip(places, row, strict=False):
            _picture(axes, image, every)
        left = {"ha": "right", "va": "center", "fontsize": 9}
        places[0].text(-0.2, 0.5, _words(name), transform=places[0].transAxes, **left)
    figure.suptitle(_words(title), fontsize=11)
    return figure


def recall(
    states: Any,
    energies: Any = None,
    *,
    shape: tuple[int, int],
    title: str,
    levels: Mapping[str, float] | None = None,
) -> Any:
    """A path of states, from noise to a memory: some of them, and the energy of all.

    Args:
        states: (K + 1, N); or what has these and the energies as its attributes, as
            `rnn.Hopfield.recall` gives it.
        energies: (K + 1,).
        shape: (height, width) of a state as a picture, N = height · width.
        title: above the plot.
        levels: energies to compare with, by name, e.g. that of the stored pattern.

    Raises:
        ValueError: for other shapes, or no numbers.
    """
    if hasattr(found := states, "states"):
        states, energies = found.states, found.energies
    N = shape[0] * shape[1]
    states = numbers("recall", "the states", states, "(K + 1, N)", None, None)
    if states.shape[1] != N:
        raise ValueError(
            f"recall: states of N = {states.shape[1]} units are no pictures of shape "
            f"{tuple(shape)}, expected height · width = N"
        )
    energies = numbers("recall", "the energies", energies, "(K + 1,)", len(states))
    shown = np.unique(np.linspace(0, len(states) - 1, MOMENTS).round().astype(int))
    figure = require("matplotlib.figure", "plots", "A plot").Figure(
        figsize=(8, 4.6), layout="constrained", dpi=120
    )
    mosaic = [[f"{k}" for k in shown], ["energy"] * len(shown)]
    axes = figure.subplot_mosaic(mosaic, height_ratios=(1, 2))
    for k in shown:
        _picture(axes[f"{k}"], states[k].reshape(shape), states)
        axes[f"{k}"].set_title("start" if k == 0 else f"after {k}", fontsize=9)
    below = axes["energy"]
    below.plot(energies, color=COLOURS[0], linewidth=1.6)
    dots = {"color": COLOURS[0], "label": "the states above"}
    below.plot(shown, energies[shown], "o", markersize=5, **dots)
    for (name, level), colour in zip(
        (levels or {}).items(), cycle(COLOURS[1:]), strict=False
    ):
        below.axhline(level, color=colour, linestyle="--", label=_words(name))
    below.set(xlabel="changes of state", ylabel="energy E(s)")
    below.spines[["top", "right"]].set_visible(False)
    below.grid(color="#e3e7ef", linewidth=0.6)
    below.legend(frameon=False, fontsize=9)
    figure.suptitle(_words(title), fontsize=11)
    return figure


def capacity(loads: Any, overlaps: Any, *, title: str) -> Any:
    """How well a Hopfield network recalls, against how much it has to remember.

    Args:
        loads: (L,), patterns for each unit, P/N.
        overlaps: (L,), or (L, R) for R trials, the overlap of the recalled with the
            stored; 1 is perfect.
        title: above the plot.

    Raises:
        ValueError: for shapes that do not go together, or no numbers.
    """
    loads = numbers("capacity", "the loads", loads, "(L,)", None)
    L, trials = len(loads), np.ndim(overlaps) > 1
    form, sizes = ("(L, R)", (L, np.shape(overlaps)[-1])) if trials else ("(L,)", (L,))
    overlaps = numbers("capacity", "the overlaps", overlaps, form, *sizes).reshape(L, -1)
    figure, axes = _axes(7, 4)
    dots = {"s": 10, "color": "#b8c0cf", "linewidths": 0, "label": "each set of patterns"}
    axes.scatter(np.repeat(loads, overlaps.shape[1]), overlaps.ravel(), **dots)
    axes.plot(loads, overlaps.mean(axis=1), color=COLOURS[0], label="mean")
    known = rf"known capacity, {CAPACITY} $N$ patterns ($N \to \infty$)"
    axes.axvline(CAPACITY, color=TRUTH, linestyle="--", label=known)
    axes.set(
        title=_words(title),
        xlabel=r"load $P/N$: stored patterns for each unit",
        ylabel="overlap of recalled and stored",
        ylim=(0, 1.05),
    )
    axes.legend(frameon=False, fontsize=9, loc="lower left")
    return figure


def likelihood(
    epochs: Any,
    series: Mapping[str, Any],
    *,
    best: float,
    title: str,
) -> Any:
    """The mean of log p(v) as learning went on, by name, under the best there is.

    Args:
        epochs: (E,).
        series: by name, (E,).
        best: the log-likelihood of a machine that knows the distribution of the data.
        title: above the plot.

    Raises:
        TypeError, ValueError: for series of another length, no numbers, or none.
    """
    epochs = numbers("likelihood", "the epochs", epochs, "(E,)", None)
    figure, axes = _axes(7, 4)
    series = {
        name: numbers("likelihood", f"the values of {name}", v, "(E,)", len(epochs))
        for name, v in by_name("likelihood", "series", series).items()
    }
    for (name, values), colour in zip(series.items(), cycle(COLOURS), strict=False):
        axes.plot(epochs, values, color=colour, label=_words(name))
    label = f"the best there is, {best:.3f}".replace("-", "−")
    axes.axhline(best, color=TRUTH, linestyle="--", label=label)
    axes.set(title=_words(title), xlabel="epoch", ylabel=r"mean of $\log p(v)$, exact")
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    return figure


def _picture(axes: Any, image: Array, every: Array) -> None:
    """One of many pictures, in the same shades as all of them."""
    axes.imshow(image, cmap=INK, vmin=every.min(), vmax=every.max())
    axes.set_axis_on()
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_color("#b8c0cf")
