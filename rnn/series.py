"""Series of numbers: reading them, scaling them, scoring forecasts of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from rnn.checks import as_number
from rnn.frames import column_of_frame
from rnn.numerals import check_notation
from rnn.reading import DataError, read_text
from rnn.table import Marks, column_of_file

__all__ = [
    "DataError",
    "Series",
    "read_series",
    "read_text",
    "relative_variance",
    "sunspots",
]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Series:
    """A series of numbers, one for each instant.

    Attributes:
        name: what the numbers are.
        labels: what to call each instant, N of them: "1700", "2024-05-01", …
        values: (N,) float64.
        understood: how the file was read, in words.
    """

    name: str
    labels: tuple[str, ...]
    values: Array
    understood: str = ""


def sunspots() -> Series:
    """The yearly mean sunspot number, 1700–2008 (WDC-SILSO, before 2015's revision)."""
    text = files("rnn").joinpath("data/sunspots_yearly_1700_2008.csv").read_text("utf-8")
    rows = [line.split(",") for line in text.splitlines()[1:]]
    labels, values = zip(*rows, strict=True)
    return Series("sunspots", labels, np.array(values, float))


def read_series(
    path_or_frame: Any,
    column: str | int | None = None,
    sep: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    header: bool | None = None,
) -> Series:
    """A numeric column of a CSV file, or of a pandas DataFrame or Series.

    What is not given is found by looking at all rows. Where two ways to read a file fit
    all of it and give different numbers, neither is taken: `"1,234"` can be a thousand
    or a little more than one, and an error names the argument that decides.

    The first of several columns gives the labels, and is not taken for the series unless
    it is named. Columns without a name are called 1, 2, ….

    Args:
        path_or_frame: a file in UTF-8, or in UTF-16 with a byte-order mark; a DataFrame,
            whose index gives the labels unless it is the default one; or a Series.
        column: a name, or where no column has it the place, counted from 1; may be left
            out where only one can be meant.
        sep: what separates fields: ",", ";", "|", a tab, " " for white space, another
            character, or "" for a file of one column.
        decimal: "." or ",".
        thousands: ".", ",", " ", "'", or "" for none.
        header: whether the first row has the names of the columns.

    Raises:
        DataError: for a file that cannot be read or is not rectangular, an unknown
            column, an ambiguous file, or an entry that is not a finite number.
        MissingExtraError: without pandas.
        TypeError: for what is neither a path nor of pandas.
    """
    check_notation(decimal, thousands)
    marks = Marks(decimal, thousands)
    if isinstance(path_or_frame, str | Path):
        return Series(*column_of_file(Path(path_or_frame), column, sep, marks, header))
    if sep is not None or header is not None:
        raise DataError("read_series: sep and header are for files, not for a DataFrame")
    return Series(*column_of_frame(path_or_frame, column, marks))


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
