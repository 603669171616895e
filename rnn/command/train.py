"""`unrolled train`: a user's own series and texts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from rnn.command.console import (
    out_option,
    output_folder,
    refuse,
    resumable,
    seed_option,
    show_files,
)
from rnn.command.report import report
from rnn.command.series import NAMES, read, reading_options
from rnn.command.study import Study, run
from rnn.command.text import train_text
from rnn.forecast import ELMAN, Scale, has_trend
from rnn.language import CELLS, Corpus, LanguageRecipe
from rnn.series import DataError, read_text
from rnn.tokens import TOKENISERS

__all__ = ["train"]

FEWEST_VALUES = 30
TREND = (
    " The values trained on have a trend: a straight line explains more than half of "
    "their variance. The networks therefore predict the change from each value to the "
    "next."
)

readable = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--series", type=readable, help="A CSV file with a numeric column.")
@reading_options
@click.option(
    "--holdout",
    default=0.2,
    show_default=True,
    type=click.FloatRange(0.05, 0.5),
    help="The share at the series' end that is foretold, not trained on.",
)
@click.option(
    "--text", type=readable, help="A text in UTF-8, or in UTF-16 with a byte-order mark."
)
@click.option(
    "--tokens",
    default="words",
    show_default=True,
    type=click.Choice(list(TOKENISERS)),
    help="What the text is made of; what is foretold.",
)
@click.option(
    "--vocabulary",
    default=10_001,
    show_default=True,
    type=click.IntRange(min=2),
    help="How many words at the most, <unk> included.",
)
@click.option(
    "--min-count",
    default=2,
    show_default=True,
    type=click.IntRange(min=1),
    help="Words that are rarer are <unk>.",
)
@click.option(
    "--cell",
    default="elman",
    show_default=True,
    type=click.Choice(CELLS),
    help="The lecture's network, or layers of such cells over a table of vectors.",
)
@click.option("--hidden", type=click.IntRange(min=1), help="Hidden units H.")
@click.option(
    "--embedding", type=click.IntRange(min=1), help="The width of the table's rows."
)
@click.option("--layers", type=click.IntRange(min=1), help="Layers of cells.")
@click.option(
    "--dropout",
    type=click.FloatRange(0, 1, max_open=True),
    help="The share of units that are dropped in training.",
)
@click.option(
    "--epochs", type=click.IntRange(min=1), help="Passes over the text, at most."
)
@seed_option
@out_option("unrolled-model")
@click.pass_context
def train(
    ctx: click.Context,
    /,
    series: Path | None,
    holdout: float,
    text: Path | None,
    tokens: str,
    vocabulary: int,
    min_count: int,
    cell: str,
    hidden: int | None,
    seed: int,
    out: Path,
    **others: Any,
) -> None:
    """Train a network on your own series, or on your own text.

    The lecture's, unless --cell says otherwise.

    An interrupted training goes on where it stood when the same command is given again.
    """
    if (series is None) == (text is None):
        raise click.UsageError("give either --series FILE.csv or --text FILE")
    reading = {name: others.pop(name) for name in NAMES}
    if series is not None:
        words = ("tokens", "vocabulary", "min_count", "cell")
        refuse(ctx, "goes with --text", *words, *others)
        study = _series_study(series, reading, holdout, hidden)
        output_folder(out)
        with resumable(out):
            show_files(report(run(study, [seed], out), out))
    elif text is not None:
        refuse(ctx, "goes with --series", "holdout", *NAMES)
        if cell == "elman":
            why = "goes with --cell rnn, gru or lstm"
            refuse(ctx, why, "embedding", "layers", "dropout")
        given = others | {"hidden": hidden}
        recipe = LanguageRecipe.of(
            cell, tokens, **{k: v for k, v in given.items() if v is not None}
        )
        split = TOKENISERS[tokens].split(read_text(text))
        try:
            corpus = Corpus.of(split, vocabulary, min_count, tokens)
        except DataError as error:
            raise DataError(f"{text}: {error}") from error
        output_folder(out)
        with resumable(out):
            train_text(corpus, recipe, seed, out, tokens)


def _series_study(
    path: Path, reading: dict[str, Any], holdout: float, hidden: int | None
) -> Study:
    series = read(path, **reading)
    N = len(series.values)
    if N < FEWEST_VALUES:
        raise DataError(f"{path}: {N} values, expected at least {FEWEST_VALUES}")
    known = N - max(1, round(holdout * N))
    if np.all(series.values == series.values[0]):
        raise DataError(
            f"{path}: column {series.name!r} is constant; nothing to foretell"
        )
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        variance = float(np.var(series.values))
    if not (np.isfinite(variance) and variance > np.finfo(float).tiny):
        raise DataError(
            f"{path}: column {series.name!r} has numbers whose squares are too large or "
            "too small for float64; change its unit"
        )
    trend = has_trend(series.values[:known])
    read_by_networks = np.diff(series.values[:known]) if trend else series.values[:known]
    names = f"{series.labels[known]}–{series.labels[-1]}"
    return Study(
        series=series,
        known=known,
        periods={
            f"{series.labels[12]}–{series.labels[known - 1]} (fit)": (12, known),
            names: (known, N),
        },
        variance=variance,
        scale=Scale.of(read_by_networks),
        recipe=ELMAN if hidden is None else replace(ELMAN, hidden=hidden),
        title=f"{series.name}, foretold one step ahead",
        unit=series.name,
        note="The divisor is the variance of the whole series."
        + (TREND if trend else ""),
        differenced=trend,
    )
