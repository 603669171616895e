"""What a study leaves behind: pictures, plots, tables, weights, a page of them all."""

from __future__ import annotations

import csv
import html
import json
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

import viz
from autograd.files import written
from rnn.check import Agreement
from rnn.command.console import console, figure, show_agreement, show_table, worst
from rnn.command.study import ELMAN_NAME, WINDOW_NAME, Result, Study
from rnn.command.window import Window
from rnn.files import save
from rnn.flow import GradientFlow

__all__ = [
    "FLOW_STEPS",
    "PICTURED_STEPS",
    "draw_window",
    "plot_flow",
    "report",
    "series_window",
    "write_deltas",
]

Array = np.ndarray[Any, Any]
PICTURED_STEPS = 5
FLOW_STEPS = 60
RECENT = 240
"""How many of its latest values a saved model keeps, for `graph`, `flow` and `check`."""


def report(result: Result, out: Path) -> list[Path]:
    """Print the tables, write the files; returns their paths, the page first."""
    study, forecast = result.study, result.elman[0]
    head = (f"mean squared error / {study.variance:.4g}", *study.periods)
    table = [(row.name, *(f"{score:.3f}" for score in row.scores)) for row in result.rows]
    show_table(study.title, head, table)
    for sentence in filter(None, (study.note, result.warning())):
        console.print(sentence)

    trained_on = _window(result, study.known)
    agreement = trained_on.check()
    show_agreement(agreement, trained_on.names, every_step=False)

    window = _window(result, study.pictured)
    flow = window.last(FLOW_STEPS).flow()
    paths = [
        *draw_window(window, PICTURED_STEPS, out),
        _plot_forecast(result, out / "forecast.png"),
        plot_flow(flow, out / "gradient_flow.png"),
        _plot_loss(result, out / "training.png"),
        write_deltas(out / "deltas.csv", agreement, trained_on.names),
        _write_scores(out / "scores.json", result, agreement, flow),
        _write_forecasts(out / "forecast.csv", result),
    ]
    model = out / "model.safetensors"
    save(forecast.network, model, _details(study, result.seeds[0]))
    page = _write_page(out / "index.html", result, agreement, flow, window)
    return [page, *paths, model]


def _window(result: Result, stop: int | None) -> Window:
    """The first Elman network on what it reads of the first `stop` values."""
    values, labels = result.study.inputs(stop)
    x = result.study.scale.forward(values)
    return series_window(result.elman[0].network, x, labels)


def series_window(network: Any, x: Array, labels: Any) -> Window:
    """Each scaled value of (N,) as the input of a step, the next one as its target.

    A step is called by what it foretells.
    """
    column = x.reshape(-1, 1, 1)
    return Window.of(network, column[:-1], column[1:], labels[1:])


def draw_window(window: Window, steps: int, out: Path) -> list[Path]:
    """The unrolled graph of a window's last steps as .svg, .html, .png and .dot."""
    drawing = viz.draw(window.last(steps).unrolled())
    return [
        drawing.save(out / f"graph.{ending}") for ending in ("svg", "html", "png", "dot")
    ]


def plot_flow(flow: GradientFlow, path: Path) -> Path:
    """The gradient's norm against its distance in time."""
    plot = viz.gradient_flow(
        flow.by_distance,
        flow.rate,
        factor=flow.factor,
        verdict=flow.verdict,
        pairs=flow.norms,
    )
    return figure(path, plot)


def _plot_forecast(result: Result, path: Path) -> Path:
    study = result.study
    plot = viz.forecast(
        study.series.values,
        {WINDOW_NAME: result.window[0].values, ELMAN_NAME: result.elman[0].values},
        labels=study.series.labels,
        periods=study.periods,
        title=study.title,
        unit=study.unit,
    )
    return figure(path, plot)


def _plot_loss(result: Result, path: Path) -> Path:
    losses = {
        WINDOW_NAME: result.window[0].history.loss,
        ELMAN_NAME: result.elman[0].history.loss,
    }
    title = "Training: mean squared error (scaled) + weight decay"
    return figure(path, viz.curves(losses, title=title, xlabel="epoch"))


def _details(study: Study, seed: int) -> dict[str, Any]:
    return {
        "kind": "series",
        "column": study.series.name,
        "differenced": study.differenced,
        "scale": [study.scale.centre, study.scale.width],
        "seed": seed,
        "recent": study.series.values[-RECENT:].tolist(),
        "labels": list(study.series.labels[-RECENT:]),
    }


def write_deltas(path: Path, rows: list[Agreement], names: Any) -> Path:
    with written(path) as temporary, temporary.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("quantity", "step", "norm", "largest relative difference"))
        for r in rows:
            step = "" if r.step is None else names[r.step - 1]
            table.writerow((r.quantity, step, repr(r.norm), repr(r.difference)))
    return path


def _write_forecasts(path: Path, result: Result) -> Path:
    series = result.study.series
    columns = [series.values, result.window[0].values, result.elman[0].values]
    N = len(series.values)
    with written(path) as temporary, temporary.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("label", "observed", WINDOW_NAME, ELMAN_NAME))
        for i, label in enumerate(series.labels):
            places = [i - N + len(column) for column in columns]
            cells = [
                repr(float(c[k])) if k >= 0 else ""
                for c, k in zip(columns, places, strict=True)
            ]
            table.writerow((label, *cells))
    return path


def _write_scores(
    path: Path, result: Result, agreement: list[Agreement], flow: GradientFlow
) -> Path:
    periods = list(result.study.periods)
    scores = {
        "divided_by": result.study.variance,
        "scores": {
            row.name: dict(zip(periods, row.scores, strict=True)) for row in result.rows
        },
        "largest_relative_difference": max(row.difference for row in agreement),
        "gradient_flow": {
            "factor_per_step": flow.factor,
            "verdict": flow.verdict,
            "spectral_radius": flow.spectral_radius,
            "sigma_max": flow.sigma_max,
        },
    }
    with written(path) as temporary:
        temporary.write_text(json.dumps(scores, indent=2, ensure_ascii=False) + "\n")
    return path


def _write_page(
    path: Path,
    result: Result,
    agreement: list[Agreement],
    flow: GradientFlow,
    window: Window,
) -> Path:
    study = result.study
    parameters = [row for row in agreement if row.step is None]
    steps = [worst(agreement, quantity) for quantity in ("δ_a", "δ_y")]
    pictured = window.last(PICTURED_STEPS).names
    template = Template(files("rnn.command").joinpath("page.html").read_text("utf-8"))
    text = template.substitute(
        title=html.escape(study.title),
        variance=f"{study.variance:.4g}",
        periods="".join(f"<th>{html.escape(name)}</th>" for name in study.periods),
        scores="\n".join(
            _row(row.name, *(f"{score:.3f}" for score in row.scores))
            for row in result.rows
        ),
        note=html.escape(f"{study.note} {result.warning()}".strip()),
        agreement="\n".join(
            _row(row.quantity, f"{row.norm:.3e}", f"{row.difference:.1e}")
            for row in (*parameters, *steps)
        ),
        largest=f"{max(row.difference for row in agreement):.1e}",
        steps=f"{sum(row.quantity == 'δ_a' for row in agreement)}",
        first=html.escape(pictured[0]),
        last=html.escape(pictured[-1]),
        factor=f"{flow.factor:.2g}",
        verdict=flow.verdict,
        radius=f"{flow.spectral_radius:.3f}",
        sigma=f"{flow.sigma_max:.3f}",
    )
    with written(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
