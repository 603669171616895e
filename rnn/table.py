"""A CSV file as columns of texts: its separator, its header, and the column to take."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograd.extras import require
from rnn.headers import has_header, of_numbers
from rnn.numerals import (
    AmbiguousError,
    NotANumber,
    Notation,
    increase,
    numbers,
)
from rnn.reading import DataError, read_text
from rnn.separators import (
    NONE,
    SPACE,
    Records,
    check_quotes,
    check_separator,
    possible,
    ragged,
    spelled,
)

__all__ = ["Column", "Marks", "Table", "column_of_file", "read_cells"]

Array = np.ndarray[Any, Any]
OUTER = " \t\u00a0"
"""White space that is no part of a cell; a line end in quotes is."""


class Marks(NamedTuple):
    """The decimal and the thousands mark that were asked for; None to find them."""

    decimal: str | None = None
    thousands: str | None = None


class Column(NamedTuple):
    """A numeric column that was read.

    Attributes:
        name: its name.
        labels: of each row, N of them.
        values: (N,) float64.
        understood: how it was read, in words.
    """

    name: str
    labels: tuple[str, ...]
    values: Array
    understood: str


@dataclass(frozen=True)
class Table:
    """Columns of texts.

    Attributes:
        what: the file, for messages.
        names: of its C columns.
        columns: C lists of N texts, without outer spaces.
        lines: the line of the file that each row begins in, N of them.
        understood: how it was divided, in words.
    """

    what: str
    names: list[str]
    columns: list[list[str]]
    lines: Sequence[int]
    understood: str

    def take(self, column: str | int | None, marks: Marks) -> Column:
        """A column of numbers, with the first column as labels.

        Raises:
            DataError: where there is none, or several that could be meant.
            AmbiguousError: where its numbers can be read in two ways.
        """
        k = self._choose() if column is None else self._find(column)
        where = lambda i: f"line {self.lines[i]}"  # noqa: E731
        cells, name = self.columns[k], self.names[k]
        values, words = read_cells(self.what, cells, name, marks, where)
        N = len(values)
        labels = self.columns[0] if k else [str(i) for i in range(1, N + 1)]
        place = f"column {name!r} ({k + 1} of {len(self.names)})"
        span = f"{N:,} row{'s' * (N > 1)}, from {labels[0]!r} to {labels[-1]!r}"
        understood = f"{self.understood}, {words}, {place}, {span}"
        return Column(name, tuple(labels), values, understood)

    def _find(self, column: str | int) -> int:
        listed = ", ".join(self.names)
        times = self.names.count(str(column))
        if times == 1:
            return self.names.index(str(column))
        if times:
            raise DataError(
                f"{self.what}: {times} columns {column!r}; give the place of one, from 1 "
                f"to {len(self.names)}, under a header without that name; it has {listed}"
            )
        if re.fullmatch("[0-9]+", str(column)) and 0 < int(column) <= len(self.names):
            return int(column) - 1
        raise DataError(f"{self.what}: no column {column!r}; it has {listed}")

    def _choose(self) -> int:
        C = len(self.names)
        found = [k for k in range(C) if of_numbers(self.columns[k])]
        if C > 1 and 0 in found and increase(self.columns[0]):
            found.remove(0)
        if len(found) == 1 and (found != [0] or C == 1):
            return found[0]
        names = ", ".join(self.names[k] for k in found) or "none"
        kind = AmbiguousError if found else DataError
        raise kind(
            f"{self.what}: cannot tell which column to take; numeric ones: {names}. "
            f"Choose with --column (column=); read with {self.understood}"
        )


def read_cells(
    what: str,
    cells: list[str],
    name: str,
    marks: Marks,
    where: Callable[[int], str],
) -> tuple[Array, str]:
    """The numbers (N,) of a column, and their notation in words.

    Args:
        what: the file or frame, for messages.
        cells: N texts.
        name: of the column.
        marks: those that were asked for.
        where: what to call the row of an entry, by its index.

    Raises:
        DataError: naming the first that is no finite number.
        AmbiguousError: where they can be read in two ways.
    """
    try:
        values, notation = numbers(cells, *marks)
        place = int(np.argmin(np.isfinite(values))) if len(values) else 0
        if not len(values) or np.isfinite(values[place]):
            return values, _words(cells, notation)
    except NotANumber as error:
        place = error.place
    except AmbiguousError as error:
        raise AmbiguousError(f"{what}: column {name!r}: {error}") from error
    raise DataError(
        f"{what}: {where(place)}: column {name!r} has {cells[place][:60]!r}, expected a "
        "finite number written as those before it; remove the line, or fill the gap"
    )


def _words(cells: list[str], notation: Notation) -> str:
    marked = any(notation.decimal in cell for cell in cells)
    return str(notation) if marked or notation.thousands else "whole numbers"


def column_of_file(
    path: Path,
    column: str | int | None,
    sep: str | None,
    marks: Marks,
    header: bool | None,
) -> Column:
    """The column of a CSV file; see `rnn.read_series`."""
    what, text, skipped = str(path), read_text(path), 0
    check_separator(sep)
    if text[:1] in ("[", "{") and _is_json(text):
        raise DataError(f"{what}: a JSON file, expected a CSV file")
    directive = re.match(r'"?sep=(.)"?\n', text)
    if directive:
        text, sep, skipped = text[directive.end() :], sep or directive[1], 1
    records = Records.of(text)
    if not records.lines:
        raise DataError(f"{what}: empty; expected a CSV file with a numeric column")
    shifted = [n + skipped for n in records.numbers] if skipped else records.numbers
    records = replace(records, numbers=shifted)
    found: list[Column] = []
    errors: list[DataError] = []
    separators: Sequence[str | None] = (
        [sep] if sep is not None else possible(records, marks.decimal)
    )
    for separator in separators or (None,):
        try:
            table = _divided(what, text, records, separator, header)
            found.append(table.take(column, marks))
        except DataError as error:
            errors.append(error)
    return _only(what, found, errors)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _only(what: str, found: list[Column], errors: list[DataError]) -> Column:
    """The one reading of a file, where all others fail or give the same numbers."""
    other = next((e for e in errors if isinstance(e, AmbiguousError)), None)
    if not found:
        raise other or errors[0]
    for column in found[1:]:
        if not np.array_equal(column.values, found[0].values):
            other = AmbiguousError(column.understood)
    if other is not None:
        raise AmbiguousError(
            f"{what}: can be read in several ways: with {found[0].understood}; or: "
            f"{str(other).removeprefix(f'{what}: ')}. Name the separator with sep=, in a "
            "command with --sep, or the decimal mark with decimal=, --decimal"
        )
    return found[0]


def _divided(
    what: str, text: str, records: Records, sep: str | None, header: bool | None
) -> Table:
    """The table that a separator makes of a file."""
    wrong = ragged(records, sep)
    if wrong:
        raise DataError(f"{what}: {wrong}")
    sep = NONE if sep is None else sep
    if sep == NONE and (gap := records.gap()):
        raise DataError(
            f"{what}: line {gap} is blank, in a file of one column: remove it, or fill "
            "the gap"
        )
    try:
        check_quotes(text, sep)
    except DataError as error:
        raise DataError(f"{what}: {error}") from error
    columns = _cells(what, text, records, sep)
    lines = records.numbers[: len(columns[0])]
    names = [str(i) for i in range(1, len(columns) + 1)]
    table = Table(what, names, columns, lines, f"separator {spelled(sep)}")
    return _with_names(table, header)


def _cells(what: str, text: str, records: Records, sep: str) -> list[list[str]]:
    """The columns, without what is empty all the way down or across at the end."""
    pandas = require("pandas", "all", "read_series")
    width = records.width(sep)
    free = next((c for c in "\x1f\x1e\x1d\x1c\x02\x03" if c not in text), "\x1f")
    try:
        frame = pandas.read_csv(
            io.StringIO(text),
            sep=r"\s+" if sep == SPACE else sep or free,
            header=None, names=range(width), index_col=False, dtype=object,
            na_filter=False, skip_blank_lines=False, engine="c",
        )  # fmt: skip
    except (pandas.errors.ParserError, pandas.errors.EmptyDataError) as error:
        raise DataError(f"{what}: malformed CSV: {error}") from error
    if len(frame) != records.total:
        raise DataError(f"{what}: malformed CSV: a quotation mark inside of a field")
    rows = frame if records.total == len(records.places) else frame.iloc[records.places]
    columns = [rows[k].tolist() for k in range(width)]
    if any(space in text for space in OUTER):
        columns = [[cell.strip(OUTER) for cell in column] for column in columns]
    while len(columns) > 1 and not any(columns[-1]):
        columns.pop()
    N = len(columns[0])
    while N and not any(column[N - 1] for column in columns):
        N -= 1
    if not N:
        raise DataError(f"{what}: empty; expected a CSV file with a numeric column")
    return [column[:N] for column in columns]


def _with_names(table: Table, header: bool | None) -> Table:
    """The table with its first row as names, if that is what it is."""
    columns = table.columns
    if header is None:
        header = _first_row_is_names(table)
    if not header:
        return replace(table, understood=f"{table.understood}, no header")
    if len(columns[0]) == 1:
        raise DataError(f"{table.what}: only a header, no rows of numbers")
    return replace(
        table,
        names=[
            column[0] or name for column, name in zip(columns, table.names, strict=True)
        ],
        columns=[column[1:] for column in columns],
        lines=table.lines[1:],
        understood=f"{table.understood}, header in line {table.lines[0]}",
    )


def _first_row_is_names(table: Table) -> bool:
    """Whether the first row is the header; AmbiguousError where nothing tells."""
    found = has_header(table.columns)
    if found is not None:
        return found
    first = ", ".join(column[0] for column in table.columns)
    raise AmbiguousError(
        f"{table.what}: line {table.lines[0]} ({first[:60]}) can be a header or the "
        f"first row, read with {table.understood}. Say which with header=True or "
        "header=False, in a command with --header or --no-header"
    )
