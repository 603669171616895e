"""Series of numbers: reading them, scaling them, scoring forecasts of them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["DataError", "Series", "read_series", "relative_variance", "sunspots"]

Array = np.ndarray[Any, Any]
SNIFFED_CHARACTERS = 65_536


class DataError(ValueError):
    """Data that cannot be used; the message names the file, the line and the remedy."""


@dataclass(frozen=True)
class Series:
    """A series of numbers, one for each instant.

    Attributes:
        name: what the numbers are.
        labels: what to call each instant, N of them: "1700", "2024-05-01", …
        values: (N,) float64.
    """

    name: str
    labels: tuple[str, ...]
    values: Array


def sunspots() -> Series:
    """The yearly mean sunspot number, 1700–2008 (WDC-SILSO, before 2015's revision)."""
    path = files("rnn").joinpath("data/sunspots_yearly_1700_2008.csv")
    return read_series(str(path), "sunspots")


def read_series(path: str | Path, column: str | None = None) -> Series:
    """A numeric column of a CSV file.

    The separator (comma, semicolon, tab, space or bar) is found by looking; a first row
    without any number is the header; columns without one are called 1, 2, ….

    Args:
        path: the file, in UTF-8.
        column: the column's name; may be left out where there is one numeric column, or
            one besides the first, which then gives the labels.

    Raises:
        DataError: for a missing, empty or ragged file, an unknown column, an ambiguous
            choice, or an entry that is not a finite number.
    """
    header, rows = _read_rows(Path(path))
    k = _choose(Path(path), header, rows, column)
    values = [_number(Path(path), line, header[k], row[k]) for line, row in rows]
    if k == 0:
        labels = tuple(str(i) for i in range(1, len(rows) + 1))
    else:
        labels = tuple(row[0].strip() for _, row in rows)
    return Series(header[k], labels, np.array(values))


def read_text(path: str | Path) -> str:
    """A text file in UTF-8, with or without byte-order mark; else DataError."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: not UTF-8 text (byte {error.start}); convert it, for example with "
            "iconv -f latin1 -t utf-8"
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def _read_rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    text = read_text(path)
    if not text.strip():
        raise DataError(f"{path}: empty; expected a CSV file with a numeric column")
    try:
        dialect: Any = csv.Sniffer().sniff(text[:SNIFFED_CHARACTERS], ",;\t |")
    except csv.Error:
        dialect = csv.excel
    try:
        reader = csv.reader(text.splitlines(), dialect)
        rows = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise DataError(f"{path}: malformed CSV: {error}") from error
    width = len(rows[0][1])
    for line, row in rows:
        if len(row) != width:
            raise DataError(
                f"{path}: line {line} has {len(row)} fields, line {rows[0][0]} has "
                f"{width}"
            )
    if any(map(_is_number, rows[0][1])):
        return [str(i) for i in range(1, width + 1)], rows
    if len(rows) == 1:
        raise DataError(f"{path}: only a header, no rows of numbers")
    return [name.strip() for name in rows[0][1]], rows[1:]


def _choose(
    path: Path, header: list[str], rows: list[tuple[int, list[str]]], column: str | None
) -> int:
    if column is not None:
        if column not in header:
            raise DataError(f"{path}: no column {column!r}; it has {', '.join(header)}")
        return header.index(column)
    numeric = [k for k in range(len(header)) if _is_number(rows[0][1][k])]
    candidates = numeric if len(numeric) == 1 else [k for k in numeric if k > 0]
    if len(candidates) != 1:
        names = ", ".join(header[k] for k in candidates) or "none"
        raise DataError(
            f"{path}: cannot tell which column to take; numeric ones: {names}. Choose "
            "with --column"
        )
    return candidates[0]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(path: Path, line: int, column: str, text: str) -> float:
    value = float(text) if _is_number(text) else np.nan
    if not np.isfinite(value):
        raise DataError(
            f"{path}: line {line}: column {column!r} has {text.strip()!r}, expected a "
            "finite number; remove the line, or fill the gap"
        )
    return value


def relative_variance(forecast: Array, actual: Array, variance: float) -> float:
    """The average relative variance: mean (forecast − actual)² over `variance`."""
    return float(np.mean(np.square(forecast - actual))) / variance
