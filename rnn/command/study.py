"""A study of a series: the baselines, both networks, and their scores."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnn.checkpoints import forget
from rnn.forecast import WINDOW, Forecast, Recipe, Scale, train
from rnn.series import Series, relative_variance

__all__ = ["ELMAN_NAME", "WINDOW_NAME", "Result", "Row", "Study", "run"]

Array = np.ndarray[Any, Any]
ELMAN_NAME, WINDOW_NAME = "Elman network", "window network"


@dataclass(frozen=True)
class Row:
    """A line of the table: whose forecasts, and their score over each period."""

    name: str
    scores: list[float]


@dataclass(frozen=True)
class Study:
    """What to do with a series.

    Attributes:
        series: the data.
        known: how many values to train on.
        periods: by name, the first index and the one after the last; scored apart.
        variance: what the mean squared error is divided by.
        scale: to the networks' units.
        recipe: of the Elman network.
        title: of the table and the page.
        unit: of the values.
        published: rows of the literature.
        note: a sentence to stand below the table.
        pictured: the index after the last value of the pictured window.
        differenced: the networks read and predict the changes from each value to the
            next; `scale` is then that of the changes.
    """

    series: Series
    known: int
    periods: dict[str, tuple[int, int]]
    variance: float
    scale: Scale
    recipe: Recipe
    title: str
    unit: str
    published: tuple[Row, ...] = ()
    note: str = ""
    pictured: int | None = None
    differenced: bool = False

    def inputs(self, stop: int | None = None) -> tuple[Array, tuple[str, ...]]:
        """What the networks read of the first `stop` values, unscaled, and its labels."""
        values, labels = self.series.values[:stop], self.series.labels[:stop]
        return (np.diff(values), labels[1:]) if self.differenced else (values, labels)

    def forecasts(self, found: Forecast) -> Forecast:
        """Forecasts of the values, of what a network predicts of its inputs."""
        if not self.differenced:
            return found
        before = self.series.values[-len(found.values) - 1 : -1]
        return replace(found, values=before + found.values)

    def scores(self, forecasts: Array) -> list[float]:
        """The relative variance over each period, as far back as the forecasts go."""
        values = self.series.values
        lag = len(values) - len(forecasts)
        return [
            relative_variance(
                forecasts[max(first, lag) - lag : stop - lag],
                values[max(first, lag) : stop],
                self.variance,
            )
            for first, stop in self.periods.values()
        ]


@dataclass(frozen=True)
class Result:
    """What came of a study.

    Attributes:
        study: the study.
        seeds: the seeds trained with.
        elman, window: the trained networks, one for each seed.
        rows: the table.
    """

    study: Study
    seeds: list[int]
    elman: list[Forecast]
    window: list[Forecast]
    rows: list[Row]

    def warning(self) -> str:
        """A sentence where no network beats "next = this" in the last period, or ""."""
        period = list(self.study.periods)[-1]
        trained = (*self.elman, *self.window)
        best = min(self.study.scores(f.values)[-1] for f in trained)
        still = self.rows[0].scores[-1]
        if best < still:
            return ""
        return (
            f'No network is better than "next = this" on {period}: its error is '
            f"{still:.3g}, that of the best network {best:.3g}. Do not use these "
            "networks to forecast this series."
        )


def run(study: Study, seeds: list[int], out: Path) -> Result:
    """Train both networks with each seed, and score them beside "next = this".

    A run that was interrupted goes on from the checkpoints in `out`.
    """
    elman: list[Forecast] = []
    window: list[Forecast] = []
    checkpoints: list[Path] = []
    for seed in seeds:
        mark = f" (seed {seed})" if len(seeds) > 1 else ""
        for name, recipe, found in (
            (WINDOW_NAME, WINDOW, window),
            (ELMAN_NAME, study.recipe, elman),
        ):
            checkpoint = out / f"checkpoint-{name.split()[0].lower()}-{seed}.safetensors"
            checkpoints.append(checkpoint)
            values, known = study.inputs()[0], len(study.inputs(study.known)[0])
            show = f"{name}{mark}"
            trained = train(recipe, values, known, study.scale, seed, checkpoint, show)
            found.append(study.forecasts(trained))
    for path in checkpoints:
        forget(path)
    rows = [Row("next = this", study.scores(study.series.values[:-1])), *study.published]
    rows += _rows(WINDOW_NAME, [study.scores(f.values) for f in window], seeds)
    rows += _rows(ELMAN_NAME, [study.scores(f.values) for f in elman], seeds)
    return Result(study, seeds, elman, window, rows)


def _rows(name: str, scores: list[list[float]], seeds: list[int]) -> list[Row]:
    """The first seed's scores; of several, each one's and their median and range."""
    if len(seeds) == 1:
        return [Row(f"{name}, seed {seeds[0]}", scores[0])]
    each = [Row(f"{name}, seed {s}", row) for s, row in zip(seeds, scores, strict=True)]
    table = np.array(scores)
    spread = {"median": np.median(table, 0), "least": table.min(0), "most": table.max(0)}
    return each + [Row(f"{name}, {k}", [float(x) for x in v]) for k, v in spread.items()]
