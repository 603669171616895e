"""The options that say how a CSV file is read, for every command that reads one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from rnn.command.console import console
from rnn.series import Series, read_series

__all__ = ["NAMES", "read", "reading_options"]

NAMES = ("column", "sep", "decimal", "thousands", "header")
"""The parameters that the options give a command."""
WORDS = {"tab": "\t", "\\t": "\t", "space": " ", "none": ""}


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options --column, --sep, --decimal, --thousands, --header."""
    for option in (
        click.option(
            "--header/--no-header",
            default=None,
            help="Whether the file's first row has the names of the columns.",
        ),
        click.option("--thousands", help="The thousands mark of its numbers, or none."),
        click.option(
            "--decimal",
            type=click.Choice([".", ","]),
            help="The decimal mark of its numbers.",
        ),
        click.option(
            "--sep",
            help="What separates the file's fields: a character, or tab, space, none.",
        ),
        click.option(
            "--column",
            help="Which column, by its name or its place from 1; needed where there are "
            "several.",
        ),
    ):
        command = option(command)
    return command


def read(path: Path, **options: Any) -> Series:
    """The series of a file; prints how the file was understood.

    Args:
        path: the file.
        options: of `reading_options`.
    """
    for name in ("sep", "thousands"):
        options[name] = WORDS.get(options[name], options[name])
    series = read_series(path, **options)
    console.print(f"{path}: {series.understood}", soft_wrap=True)
    return series
