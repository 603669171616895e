"""`unrolled train` and `unrolled generate`: a user's own series and texts."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from rnn.checkpoints import forget
from rnn.command.console import (
    console,
    out_option,
    output_folder,
    resumable,
    seed_option,
    show_files,
    show_table,
)
from rnn.command.report import report
from rnn.command.study import Study, run
from rnn.files import ModelFileError, load, save
from rnn.forecast import ELMAN, Scale
from rnn.language import Corpus, LanguageRecipe, log_p, train_language
from rnn.language import generate as continue_text
from rnn.series import DataError, read_series, read_text
from rnn.text import Bigram, Unigram, Vocabulary, join, perplexity, tokenise

__all__ = ["generate", "train"]

FEWEST_VALUES = 30
RECENT = 60
"""How many of its last words a saved model keeps, for `graph`, `flow` and `check`."""

readable = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--series", type=readable, help="A CSV file with a numeric column.")
@click.option("--column", help="Which column; needed where there are several.")
@click.option(
    "--holdout",
    default=0.2,
    show_default=True,
    type=click.FloatRange(0.05, 0.5),
    help="The share at the series' end that is foretold, not trained on.",
)
@click.option("--text", type=readable, help="A text in UTF-8.")
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
@click.option("--hidden", type=click.IntRange(min=1), help="Hidden units H.")
@click.option(
    "--epochs", type=click.IntRange(min=1), help="Passes over the text, at most."
)
@seed_option
@out_option("unrolled-model")
@click.pass_context
def train(
    ctx: click.Context,
    series: Path | None,
    column: str | None,
    holdout: float,
    text: Path | None,
    vocabulary: int,
    min_count: int,
    hidden: int | None,
    epochs: int | None,
    seed: int,
    out: Path,
) -> None:
    """Train the lecture's network on your own series, or on your own text.

    An interrupted training goes on where it stood when the same command is given again.
    """
    if (series is None) == (text is None):
        raise click.UsageError("give either --series FILE.csv or --text FILE")
    if series is not None:
        _refuse(ctx, "text", "vocabulary", "min_count", "epochs")
        study = _series_study(series, column, holdout, hidden)
        output_folder(out)
        with resumable(out):
            show_files(report(run(study, [seed], out), out))
    elif text is not None:
        _refuse(ctx, "series", "column", "holdout")
        tokens = tokenise(read_text(text))
        try:
            corpus = Corpus.of(tokens, vocabulary, min_count)
        except DataError as error:
            raise DataError(f"{text}: {error}") from error
        given = {"hidden": hidden, "epochs": epochs}
        recipe = LanguageRecipe(**{k: v for k, v in given.items() if v is not None})
        output_folder(out)
        with resumable(out):
            _train_text(corpus, recipe, seed, out)


def _refuse(ctx: click.Context, needs: str, *options: str) -> None:
    """Refuse options that were given and mean nothing without --`needs`."""
    given = click.core.ParameterSource.COMMANDLINE
    for name in options:
        if ctx.get_parameter_source(name) is given:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --{needs}")


def _series_study(
    path: Path, column: str | None, holdout: float, hidden: int | None
) -> Study:
    series = read_series(path, column)
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
    names = f"{series.labels[known]}–{series.labels[-1]}"
    return Study(
        series=series,
        known=known,
        periods={
            f"{series.labels[12]}–{series.labels[known - 1]} (fit)": (12, known),
            names: (known, N),
        },
        variance=variance,
        scale=Scale.of(series.values[:known]),
        recipe=ELMAN if hidden is None else replace(ELMAN, hidden=hidden),
        title=f"{series.name}, foretold one step ahead",
        unit=series.name,
        note="The divisor is the variance of the whole series.",
    )


def _train_text(corpus: Corpus, recipe: LanguageRecipe, seed: int, out: Path) -> None:
    start = time.monotonic()
    V = len(corpus.vocabulary)
    words = len(corpus.learn) + len(corpus.held_out) + len(corpus.test)
    unknown = float(np.mean(corpus.test == V - 1))
    console.print(
        f"{words:,} words; vocabulary {V:,}, <unk> included, which stands for "
        f"{unknown:.1%} of the last tenth"
    )
    checkpoint = out / "checkpoint.safetensors"
    network, history = train_language(corpus, recipe, seed, checkpoint, "next-word model")
    scores = {
        "unigram": Unigram(corpus.learn, V).log_p(corpus.test),
        "interpolated bigram": Bigram(corpus.learn, corpus.held_out, V).log_p(
            corpus.test
        ),
        f"Elman network, {recipe.hidden} hidden": log_p(network, corpus.test),
    }
    rows = [(name, f"{perplexity(found):.1f}") for name, found in scores.items()]
    show_table("Perplexity on the last tenth of the text", ("model", "perplexity"), rows)
    took = time.monotonic() - start
    epochs = len(history.loss)
    console.print(
        f"{epochs} epochs in {took:.0f} s, {took / epochs:.1f} s each; the best was "
        f"{history.best + 1}. All models learn from the first eight tenths; the ninth "
        "chooses when to stop, and the bigram's weight."
    )
    recent = corpus.vocabulary.decode(corpus.test[-RECENT:].tolist())
    details = {"kind": "text", "words": corpus.vocabulary.words[:-1], "recent": recent}
    model = out / "model.safetensors"
    save(network, model, details)
    forget(checkpoint)
    show_files([model])
    console.print(
        f"Continue a text with: unrolled generate {model} --prompt 'some words'",
        soft_wrap=True,
    )


@click.command()
@click.argument("model", type=readable)
@click.option("--prompt", default="", help="The beginning of the text.")
@click.option(
    "--words", default=60, show_default=True, type=click.IntRange(min=1), help="How many."
)
@click.option(
    "--temperature",
    default=0.8,
    show_default=True,
    type=click.FloatRange(0, 100),
    help="0 takes the likeliest word; higher is more varied.",
)
@seed_option
@click.option(
    "--out", type=click.Path(path_type=Path), help="A file to write the text to as well."
)
def generate(
    model: Path, prompt: str, words: int, temperature: float, seed: int, out: Path | None
) -> None:
    """Continue a text with a trained next-word MODEL."""
    network, details = load(model)
    if details.get("kind") != "text":
        raise ModelFileError(
            f"{model}: not a next-word model; train one with unrolled train --text FILE"
        )
    vocabulary = Vocabulary(details["words"])
    given = tokenise(prompt) or ["."]
    unknown = prompt and [w for w, i in zip(given, vocabulary.encode(given), strict=True)
               if i == len(vocabulary) - 1]  # fmt: skip
    if unknown:
        click.echo(
            f"not in the vocabulary, read as <unk>: {', '.join(unknown)}", err=True
        )
    rng = np.random.default_rng(seed)
    start = vocabulary.encode(given)
    continued = vocabulary.decode(continue_text(network, start, words, rng, temperature))
    text = join([*(given if prompt else []), *continued])
    console.print(text, markup=False, soft_wrap=not console.is_terminal)
    if out is not None:
        out.write_text(text + "\n", encoding="utf-8")
