"""`unrolled graph`, `flow` and `check`: a closer look at a saved model."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np

from rnn.check import Agreement
from rnn.command.console import (
    console,
    out_option,
    output_folder,
    seed_option,
    show_agreement,
    show_files,
)
from rnn.command.report import (
    FLOW_STEPS,
    PICTURED_STEPS,
    draw_window,
    plot_flow,
    series_window,
    write_deltas,
)
from rnn.command.series import NAMES, read, reading_options
from rnn.command.window import Window
from rnn.files import ModelFileError, load
from rnn.forecast import Scale
from rnn.language import Network
from rnn.series import DataError
from rnn.text import Vocabulary
from rnn.tokens import TOKENISERS

__all__ = ["check", "flow", "graph"]

TOLERANCE = 1e-12
readable = click.Path(exists=True, dir_okay=False, path_type=Path)


def _on_a_window(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the saved MODEL, and the options that choose what it is fed.

    The command itself takes the `Window` that comes of them.
    """

    @wraps(function)
    def command(model: Path, **options: Any) -> None:
        names = ("series", "prompt", "random_steps", "seed")
        chosen = {name: options.pop(name) for name in names}
        reading = {name: options.pop(name) for name in NAMES}
        function(_window(model, reading=reading, **chosen), **options)

    decorated: Callable[..., None] = command
    for decorate in (
        seed_option,
        click.option(
            "--random",
            "random_steps",
            type=click.IntRange(min=2),
            help="So many steps of random input, drawn with --seed.",
        ),
        click.option("--prompt", help="Words to feed a next-word model."),
        reading_options,
        click.option("--series", type=readable, help="A CSV file to feed the network."),
        click.argument("model", type=readable),
    ):
        decorated = decorate(decorated)
    return decorated


def _window(
    path: Path,
    series: Path | None,
    reading: dict[str, Any],
    prompt: str | None,
    random_steps: int | None,
    seed: int,
) -> Window:
    """The saved network on the data that was asked for, or on what it last saw."""
    if (series is not None) + (prompt is not None) + (random_steps is not None) > 1:
        raise click.UsageError("give one of --series, --prompt and --random")
    for name, value in reading.items():
        if value is not None and series is None:
            raise click.UsageError(f"--{name} goes with --series")
    network, details = load(path)
    if not isinstance(network, Network) or "kind" not in details:
        raise ModelFileError(f"{path}: not a recurrent network that unrolled trained")
    layers = network.config.get("num_layers", 1)
    if layers > 1:
        raise ModelFileError(
            f"{path}: a model of {layers} layers; graph, flow and check look at one"
        )
    rng = np.random.default_rng(seed)
    if details["kind"] == "text":
        if series is not None:
            raise click.UsageError("--series goes with a model of numbers; use --prompt")
        vocabulary = Vocabulary(details["words"])
        split = TOKENISERS[details.get("tokens", "words")].split
        words = split(prompt) if prompt is not None else details["recent"]
        if random_steps is not None:
            words = vocabulary.decode(
                rng.integers(len(vocabulary), size=random_steps + 1)
            )
        if len(words) < 2:
            raise DataError("--prompt: expected at least two words, so that one is next")
        indices = vocabulary.encode(words).reshape(-1, 1)
        pairs = pairwise(words)
        names = [f"{i} {word} → {after}" for i, (word, after) in enumerate(pairs, 1)]
        return Window.of(network, indices[:-1], indices[1:], names)
    if prompt is not None:
        raise click.UsageError("--prompt goes with a next-word model; use --series")
    values, labels = np.array(details["recent"]), details["labels"]
    if series is not None:
        reading["column"] = reading["column"] or details["column"]
        given = read(series, **reading)
        values, labels = given.values, list(given.labels)
    if details.get("differenced"):
        values, labels = np.diff(values), labels[1:]
    x = Scale(*details["scale"]).forward(values)
    if random_steps is not None:
        x = rng.normal(size=random_steps + 1)
        labels = [str(t) for t in range(random_steps + 1)]
    if len(x) < 2:
        raise DataError(f"{series}: {len(x)} values, expected at least 2")
    return series_window(network, x, labels)


@click.command()
@click.option(
    "--steps",
    default=PICTURED_STEPS,
    show_default=True,
    type=click.IntRange(1, 50),
    help="How many of the last steps to draw.",
)
@_on_a_window
@out_option("unrolled-graph")
def graph(window: Window, steps: int, out: Path) -> None:
    """Draw the graph that a saved MODEL is unrolled into: .svg, .html, .png and .dot."""
    show_files(draw_window(window, steps, output_folder(out)))


@click.command()
@_on_a_window
@out_option("unrolled-flow")
def flow(window: Window, out: Path) -> None:
    """Show how far back in time the gradient of a saved MODEL reaches."""
    if len(window.x) < 2:
        raise DataError("one step has no step back; give at least three values or words")
    found = window.last(FLOW_STEPS).flow()
    console.print(
        f"a step back multiplies the gradient by {found.factor:.3g} on average: "
        f"{found.verdict}\n"
        f"spectral radius of {window.matrix} {found.spectral_radius:.3g}, largest "
        f"singular value {found.sigma_max:.3g}; bound: (γ σ_max)^d with γ σ_max = "
        f"{found.rate:.3g}"
    )
    if found.cell is not None:
        console.print(
            f"along the cell state c: {found.cell.factor:.3g}, {found.cell.verdict}"
        )
    show_files([plot_flow(found, output_folder(out) / "gradient_flow.png")])


@click.command()
@_on_a_window
@click.option(
    "--out", type=click.Path(path_type=Path), help="A folder for deltas.csv, if wanted."
)
def check(window: Window, out: Path | None) -> None:
    """Hold the engine against the δ formulas derived by hand, on a saved MODEL.

    Exit status 1 where they differ by more than 1e-12.
    """
    rows: list[Agreement] = window.check()
    show_agreement(rows, window.names, every_step=True)
    if out is not None:
        show_files([write_deltas(output_folder(out) / "deltas.csv", rows, window.names)])
    largest = max(row.difference for row in rows)
    agree = largest <= TOLERANCE
    console.print(f"\nlargest {largest:.1e}: {'they agree' if agree else 'they DIFFER'}")
    if not agree:
        raise SystemExit(1)
