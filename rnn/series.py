"""Series of numbers: reading them, scaling them, scoring forecasts of them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from rnn.checks import as_number

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

    A decimal comma is understood where the separator is another. The first of several
    columns gives the labels, and is not taken for the series unless it is named.

    Args:
        path: the file, in UTF-8.
        column: the column's name; may be left out where only one can be meant.

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
    if any(_parse(text) is not None for text in rows[0][1]):
        return [str(i) for i in range(1, width + 1)], rows
    if len(rows) == 1:
        raise DataError(f"{path}: only a header, no rows of numbers")
    return [name.strip() for name in rows[0][1]], rows[1:]


def _choose(
    path: Path, header: list[str], rows: list[tuple[int, list[str]]], column: str | None
) -> int:
    if column is not None:
        if header.count(column) != 1:
            times = f"{header.count(column)} columns" if column in header else "no column"
            raise DataError(f"{path}: {times} {column!r}; it has {', '.join(header)}")
        return header.index(column)
    candidates = [k for k in range(len(header)) if _mostly_numbers(rows, k)]
    if len(header) > 1 and 0 in candidates and _increases(rows):
        candidates.remove(0)
    if len(candidates) != 1 or (candidates == [0] and len(header) > 1):
        names = ", ".join(header[k] for k in candidates) or "none"
        raise DataError(
            f"{path}: cannot tell which column to take; numeric ones: {names}. Choose "
            "with --column"
        )
    return candidates[0]


def _mostly_numbers(rows: list[tuple[int, list[str]]], k: int) -> bool:
    numbers = sum(_parse(row[k]) is not None for _, row in rows)
    return numbers > len(rows) / 2


def _increases(rows: list[tuple[int, list[str]]]) -> bool:
    """Whether the first column counts the instants: years, days, an index."""
    times = [_parse(row[0]) for _, row in rows]
    found = [t for t in times if t is not None]
    return len(found) == len(rows) and bool(np.all(np.diff(found) > 0))


def _parse(text: str) -> float | None:
    """The number, with a decimal point or comma; None where it is none."""
    for candidate in (text, text.replace(",", ".", 1)):
        try:
            return float(candidate)
        except ValueError:
            continue
    return None


def _number(path: Path, line: int, column: str, text: str) -> float:
    value = _parse(text)
    if value is None or not np.isfinite(value):
        raise DataError(
            f"{path}: line {line}: column {column!r} has {text.strip()!r}, expected a "
            "finite number; remove the line, or fill the gap"
        )
    return value


def relative_variance(forecast: Array, actual: Array, variance: float) -> float:
    """The average relative variance: mean (forecast − actual)² over `variance`.

    Raises:
        ValueError: where the shapes differ, or the variance is not above 0.
    """
    if np.shape(forecast) != np.shape(actual) or not np.size(actual):
        raise ValueError(
            f"relative_variance: the forecast has shape {np.shape(forecast)} and the "
            f"actual {np.shape(actual)}, expected the same, with some values"
        )
    if not as_number(variance) > 0:
        raise ValueError(f"relative_variance: variance={variance}, expected above 0")
    return float(np.mean(np.square(forecast - actual))) / variance
