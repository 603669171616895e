"""Plots, on matplotlib. Each returns a Figure, which a notebook shows by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np

from autograd.extras import require

__all__ = ["credit", "curves", "forecast", "gradient_flow"]

Array = np.ndarray[Any, Any]
LONGEST = 600
"""How many instants of a series a plot can show apart."""
TICKS = 8
TRUTH, COLOURS, SHADE = "#33415c", ("#c1121f", "#2a9d8f", "#e9a23b", "#6d597a"), "#eef1f7"


def _axes(width: float, height: float) -> tuple[Any, Any]:
    figure = require("matplotlib.figure", "plots", "A plot").Figure(
        figsize=(width, height), layout="constrained", dpi=120
    )
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e3e7ef", linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _words(text: str) -> str:
    """Text that is not mathematics, whatever dollar signs it has."""
    return text.replace("$", r"\$")


def forecast(
    actual: Array,
    forecasts: Mapping[str, Array],
    *,
    labels: Sequence[str],
    periods: Mapping[str, tuple[int, int]],
    title: str,
    unit: str,
) -> Any:
    """A series and one-step forecasts of it.

    Args:
        actual: (N,).
        forecasts: by name, the last M ≤ N of them, each of its own length.
        labels: N of them, one for each instant; numbers are put on a number line.
        periods: by name, the first index and the one after the last, to set apart.
        title: above the plot.
        unit: of the values.
    """
    if len(actual) > LONGEST:
        title = f"{title} (the last {LONGEST})"
        cut = len(actual) - LONGEST
        periods = {
            name: (max(first - cut, 0), stop - cut)
            for name, (first, stop) in periods.items()
            if stop > cut
        }
        actual, labels = actual[cut:], labels[cut:]
        forecasts = {name: values[-LONGEST:] for name, values in forecasts.items()}
    figure, axes = _axes(11, 4)
    numeric = all(label.lstrip("-").isdigit() for label in labels)
    time = np.array(labels, float) if numeric else np.arange(len(labels))
    for (name, (first, stop)), shade in zip(
        periods.items(), ("#f4f6fa", "#e6ebf5") * len(periods), strict=False
    ):
        axes.axvspan(time[first], time[stop - 1], color=shade, zorder=0)
        top = axes.get_xaxis_transform()
        middle = (time[first] + time[stop - 1]) / 2
        axes.text(
            middle, 0.98, _words(name), transform=top, ha="center", va="top", fontsize=9
        )
    axes.plot(time, actual, color=TRUTH, linewidth=1.6, label="observed")
    for (name, values), colour in zip(forecasts.items(), cycle(COLOURS), strict=False):
        style = {"color": colour, "linewidth": 1.1, "label": name}
        axes.plot(time[-len(values) :], values, **style)
    axes.margins(x=0.01)
    axes.set(title=_words(title), ylabel=_words(unit))
    if not numeric:
        places = np.linspace(0, len(labels) - 1, min(TICKS, len(labels))).astype(int)
        axes.set_xticks(places, [_words(labels[i]) for i in places])
    bottom, top_value = axes.get_ylim()
    axes.set_ylim(bottom, top_value + 0.12 * (top_value - bottom))
    axes.legend(loc="upper left", frameon=False, fontsize=9)
    return figure


def gradient_flow(
    by_distance: Array,
    rate: float,
    *,
    factor: float,
    verdict: str,
    pairs: Array | None = None,
) -> Any:
    """The gradient's norm against its distance in time, on a logarithmic scale.

    Args:
        by_distance: (T,), relative to distance 0.
        rate: γ σ_max(W_a); its powers are the bound.
        factor: what a step back multiplies the gradient by, on average.
        verdict: "vanishing", "stable" or "exploding".
        pairs: (T, T), ‖∂E^t/∂a^k‖ at [t, k], drawn as dots relative to [t, t].
    """
    figure, axes = _axes(7, 4)
    d = np.arange(len(by_distance))
    if pairs is not None:
        t, k = np.nonzero(np.nan_to_num(pairs) > 0)
        ratio = pairs[t, k] / pairs[t, t]
        dots = {"s": 5, "color": "#b8c0cf", "linewidths": 0}
        axes.scatter(t - k, ratio, label="each pair of steps", **dots)
    shown = by_distance > 0
    line = {"color": COLOURS[0], "linewidth": 1.8, "label": "geometric mean over t"}
    axes.plot(d[shown], by_distance[shown], **line)
    axes.plot(
        d,
        rate**d,
        "--",
        color=TRUTH,
        label=rf"bound $(\gamma\sigma_{{max}})^d$, $\gamma\sigma_{{max}}$ = {rate:.3g}",
    )
    axes.set_yscale("log")
    low = max(float(by_distance[shown].min()) / 10, 1e-18)
    axes.set_xlim(-1, np.max(d[by_distance >= low], initial=1) + 1)
    axes.set_ylim(low, max(10.0, float(by_distance.max()) * 10))
    axes.set(
        title=f"The gradient, d steps back: ×{factor:.2g} a step, {verdict}",
        xlabel="distance in time, d",
        ylabel=r"$\|\partial E^t/\partial a^{t-d}\|\,/\,\|\partial E^t/\partial a^t\|$",
    )
    axes.legend(frameon=False, fontsize=9)
    return figure


def credit(norms: Array, *, parameter: str = "W", steps: Sequence[str] = ()) -> Any:
    """The credit matrix: how much of ∂E^t/∂W comes through the use of W at each step.

    Args:
        norms: (T, S), ‖G[t, s]‖; 0 and NaN stay white.
        parameter: what W is called.
        steps: the names of the S steps; 1 … S unless given.
    """
    scale = require("matplotlib.colors", "plots", "A plot").LogNorm
    figure, axes = _axes(6, 5)
    axes.grid(False)
    shown = np.where(np.nan_to_num(norms) > 0, norms, np.nan)
    top = np.nanmax(shown, initial=1e-300) if np.isfinite(shown).any() else 1.0
    low = max(np.nanmin(shown, initial=top), top * 1e-6)
    T, S = norms.shape
    image = axes.imshow(
        shown,
        norm=scale(low, top if top > low else 10 * low),
        cmap="viridis",
        extent=(0.5, S + 0.5, T + 0.5, 0.5),
        interpolation="nearest",
    )
    bar = figure.colorbar(image, ax=axes, shrink=0.85)
    bar.set_label(rf"$\|\partial E^t/\partial {_symbol(parameter)}$ through step $s\|$")
    rows, places = (np.linspace(1, n, min(TICKS, n)).astype(int) for n in (T, S))
    names = [steps[i - 1].removeprefix("t=") if steps else str(i) for i in places]
    axes.set_xticks(places, names)
    axes.set_yticks(rows)
    axes.set(
        title=f"Which step's use of {parameter} each loss would change",
        xlabel="use at step s",
        ylabel="loss of step t",
    )
    return figure


def _symbol(name: str) -> str:
    """W_a as a formula; other names as they are."""
    letter, _, index = name.partition("_")
    return rf"{letter}_{{{index}}}" if index and "_" not in index else r"\mathrm{W}"


def curves(
    series: Mapping[str, Sequence[float]],
    *,
    title: str = "Training",
    xlabel: str = "epoch",
) -> Any:
    """Quantities that training followed, by name.

    On a logarithmic scale, unless one of them is not above 0.
    """
    figure, axes = _axes(7, 4)
    for (name, values), colour in zip(series.items(), cycle(COLOURS), strict=False):
        axes.plot(np.arange(1, len(values) + 1), values, color=colour, label=name)
    if all(value > 0 for values in series.values() for value in values):
        axes.set_yscale("log")
    axes.set(title=title, xlabel=xlabel)
    axes.legend(frameon=False, fontsize=9)
    return figure
