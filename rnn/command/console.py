"""What the commands share: the console, the output folder, tables, common options."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograd.files import written
from rnn.check import Agreement
from rnn.interrupts import interrupted_once
from rnn.locks import alone

__all__ = [
    "console",
    "figure",
    "out_option",
    "output_folder",
    "refuse",
    "resumable",
    "seed_option",
    "show_agreement",
    "show_files",
    "show_table",
    "worst",
]  # fmt: skip

console = Console(highlight=False, markup=False)

seed_option = click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Of everything that is drawn at random.",
)


def out_option(default: str) -> Callable[[Any], Any]:
    """The option --out, a folder."""
    return click.option(
        "--out",
        type=click.Path(path_type=Path),
        default=Path(default),
        show_default=True,
        help="The folder to write to.",
    )


def output_folder(path: Path) -> Path:
    """Make the folder, and see that it can be written to before any work is done."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise click.BadParameter(
            f"{path} cannot be written to: {error.strerror}", param_hint="--out"
        ) from error
    return path


def refuse(ctx: click.Context, why: str, *options: str) -> None:
    """Refuse options that were given where they mean nothing: `--option why`."""
    for name in options:
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name.replace('_', '-')} {why}")


def show_table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: the first column is text, the others are numbers."""
    table = Table(title=Text(title), title_justify="left", title_style="bold")
    for i, name in enumerate(head):
        table.add_column(Text(name), justify="right" if i else "left")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print()
    console.print(table)


def worst(rows: Iterable[Agreement], quantity: str) -> Agreement:
    """The row of a quantity with the largest difference."""
    return max((r for r in rows if r.quantity == quantity), key=lambda r: r.difference)


def show_agreement(rows: list[Agreement], names: Sequence[str], every_step: bool) -> None:
    """Print how the engine and the formulas agree.

    Args:
        rows: from `check_deltas`.
        names: what to call the steps, T of them.
        every_step: a line for every step, not just the worst.
    """
    lines = [
        (r.quantity, "", f"{r.norm:.3e}", f"{r.difference:.1e}")
        for r in rows
        if r.step is None
    ]
    for quantity in dict.fromkeys(r.quantity for r in rows if r.step is not None):
        chosen = [r for r in rows if r.quantity == quantity]
        if every_step:
            lines += [
                (quantity, name, f"{r.norm:.3e}", f"{r.difference:.1e}")
                for r, name in zip(chosen, names, strict=True)
            ]
        else:
            lines.append((quantity, *_summary(worst(chosen, quantity), names)))
    show_table(
        "The engine against the δ formulas derived by hand",
        ("quantity", "step", "norm", "largest relative difference"),
        lines,
    )


def _summary(row: Agreement, names: Sequence[str]) -> tuple[str, str, str]:
    """Step, norm and difference of the step that differs most, if any does."""
    if not row.difference:
        return f"all {len(names)}", "", "0, every digit agrees"
    worst_of = f"worst of {len(names)}: {names[(row.step or 1) - 1]}"
    return worst_of, f"{row.norm:.3e}", f"{row.difference:.1e}"


@contextmanager
def resumable(out: Path) -> Iterator[None]:
    """Keep other runs from a folder; if this one is interrupted, say how to go on.

    The exit status is 130 after Ctrl-C, and 143 after SIGTERM, as shells have it.
    """
    with interrupted_once() as came, alone(out / ".unrolled.lock", out):
        try:
            yield
        except KeyboardInterrupt:
            console.print(f"\nInterrupted. The same command goes on from {out}.")
            raise SystemExit(128 + (came or [signal.SIGINT])[0]) from None


def figure(path: Path, plot: Any) -> Path:
    """Write a matplotlib figure."""
    with written(path) as temporary:
        plot.savefig(temporary, metadata={"Software": None})
    return path


def show_files(paths: Iterable[Path]) -> None:
    """Print where the files are."""
    console.print("\nWritten:")
    for path in paths:
        console.print(f"  {path}", soft_wrap=True)
