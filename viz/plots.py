"""Plots, on matplotlib. Each returns a Figure, which a notebook shows by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np

from autograd.extras import require
from viz.given import by_name, numbers

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

    Raises:
        ValueError: for lengths that do not go together, or no numbers.
    """
    actual = numbers("forecast", "the actual values", actual, "(N,)", None)
    N = len(actual)
    if len(labels) != N:
        raise ValueError(f"forecast: {len(labels)} labels, expected N = {N}, one each")
    forecasts = {
        name: numbers("forecast", f"the values of {name}", values, "(M,)", None)
        for name, values in by_name("forecast", "forecasts", forecasts).items()
    }
    for name, values in forecasts.items():
        if len(values) > N:
            raise ValueError(
                f"forecast: {name} has {len(values)} values, expected at most N = {N}"
            )
    for name, (first, stop) in periods.items():
        if not 0 <= first < stop <= N:
            raise ValueError(
                f"forecast: the period {name} is {first} to {stop}, expected two indices "
                f"within 0 to N = {N}, the larger last"
            )
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
    by_distance: Any,
    rate: float | None = None,
    *,
    factor: float | None = None,
    verdict: str | None = None,
    pairs: Any = None,
) -> Any:
    """The gradient's norm against its distance in time, on a logarithmic scale.

    Args:
        by_distance: (T,), relative to distance 0; or what has this and the rest as its
            attributes, as `rnn.gradient_flow` gives it, the pairs as `norms`.
        rate: γ σ_max(W_a); its powers are the bound, which is left out without it.
        factor: what a step back multiplies the gradient by, on average; for the title.
        verdict: "vanishing", "stable" or "exploding"; for the title.
        pairs: (T, T), ‖∂E^t/∂a^k‖ at [t, k], drawn as dots relative to [t, t].

    Raises:
        ValueError: for other shapes, no numbers, or gradients that are all 0.
    """
    if hasattr(flow := by_distance, "by_distance"):
        rest = {"factor": flow.factor, "verdict": flow.verdict, "pairs": flow.norms}
        return gradient_flow(flow.by_distance, flow.rate, **rest)
    relative = numbers("gradient_flow", "by_distance", by_distance, "(T,)", None)
    T, shown = len(relative), relative > 0
    if not shown.any():
        raise ValueError(
            f"gradient_flow: none of the {T} numbers of by_distance is above 0, so there "
            "is nothing that a logarithmic scale could show"
        )
    figure, axes = _axes(7, 4)
    d = np.arange(T)
    if pairs is not None:
        pairs = numbers("gradient_flow", "pairs", pairs, "(T, T)", T, T)
        t, k = np.nonzero(np.nan_to_num(pairs) > 0)
        t, k = (place[pairs[t, t] > 0] for place in (t, k))
        dots = {"s": 5, "color": "#b8c0cf", "linewidths": 0}
        ratio = pairs[t, k] / pairs[t, t]
        axes.scatter(t - k, ratio, label="each pair of steps", **dots)
    line = {"color": COLOURS[0], "linewidth": 1.8, "label": "geometric mean over t"}
    axes.plot(d[shown], relative[shown], **line)
    if rate is not None:
        known = rf"bound $(\gamma\sigma_{{max}})^d$, $\gamma\sigma_{{max}}$ = {rate:.3g}"
        axes.plot(d, rate**d, "--", color=TRUTH, label=known)
    axes.set_yscale("log")
    low = max(float(relative[shown].min()) / 10, 1e-18)
    axes.set_xlim(-1, np.max(d[relative >= low], initial=1) + 1)
    axes.set_ylim(low, max(10.0, float(relative[shown].max()) * 10))
    mean = "" if factor is None else f"×{factor:.2g} a step"
    said = ", ".join(filter(None, [mean, verdict]))
    axes.set(
        title=": ".join(filter(None, ["The gradient, d steps back", said])),
        xlabel="distance in time, d",
        ylabel=r"$\|\partial E^t/\partial a^{t-d}\|\,/\,\|\partial E^t/\partial a^t\|$",
    )
    axes.legend(frameon=False, fontsize=9)
    return figure


def credit(norms: Any, *, parameter: str = "W", steps: Sequence[str] = ()) -> Any:
    """The credit matrix: how much of ∂E^t/∂W comes through the use of W at each step.

    Args:
        norms: (T, S), ‖G[t, s]‖; 0 and NaN stay white. Or what has these and the steps as
            its attributes, as `rnn.credit` gives it.
        parameter: what W is called.
        steps: the names of the S steps; 1 … S unless given.

    Raises:
        ValueError: for another shape, no numbers, or other than S steps.
    """
    if hasattr(found := norms, "norms"):
        return credit(found.norms, parameter=parameter, steps=steps or found.steps)
    norms = numbers("credit", "the norms", norms, "(T, S)", None, None)
    T, S = norms.shape
    if len(steps) not in (0, S):
        raise ValueError(f"credit: {len(steps)} names of steps, expected S = {S} or none")
    scale = require("matplotlib.colors", "plots", "A plot").LogNorm
    figure, axes = _axes(6, 5)
    axes.grid(False)
    shown = np.where(np.nan_to_num(norms) > 0, norms, np.nan)
    top = np.nanmax(shown, initial=1e-300) if np.isfinite(shown).any() else 1.0
    low = max(np.nanmin(shown, initial=top), top * 1e-6)
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
    series: Any,
    *,
    title: str = "Training",
    xlabel: str = "epoch",
) -> Any:
    """Quantities that training followed, by name.

    On a logarithmic scale, unless one of them is not above 0.

    Args:
        series: by name, the numbers of one epoch after another; or what gives them by its
            method `curves`, as the `History` that `rnn.fit` returns.
        title: above the plot.
        xlabel: below it.

    Raises:
        TypeError, ValueError: for no numbers, or none by name.
    """
    series = {
        name: numbers("curves", f"the values of {name}", values, "(N,)", None)
        for name, values in by_name(
            "curves", "series", series.curves() if hasattr(series, "curves") else series
        ).items()
    }
    figure, axes = _axes(7, 4)
    for (name, values), colour in zip(series.items(), cycle(COLOURS), strict=False):
        axes.plot(np.arange(1, len(values) + 1), values, color=colour, label=name)
    if all(value > 0 for values in series.values() for value in values):
        axes.set_yscale("log")
    axes.set(title=title, xlabel=xlabel)
    axes.legend(frameon=False, fontsize=9)
    return figure
