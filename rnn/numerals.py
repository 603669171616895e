"""Numbers as they are written: the decimal mark and the thousands mark of a column.

A notation is taken only if it is the one way to read all numbers of the column: where two
notations fit and give different numbers, as 1.234 does, the reader is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from rnn.reading import DataError

__all__ = [
    "AmbiguousError", "NotANumber", "Notation", "check_notation", "increase", "numbers",
    "share_of_numbers",
]  # fmt: skip

Array = np.ndarray[Any, Any]
SPACES = " \u00a0\u2009\u202f"
APOSTROPHES = "'\u2019"
MARKS = {
    ".": "a point", ",": "a comma", " ": "a space", "\u00a0": "a no-break space",
    "\u2009": "a thin space", "\u202f": "a narrow no-break space",
    "'": "an apostrophe", "\u2019": "a curly apostrophe",
}  # fmt: skip
MINUS = "\u2212"


class Notation(NamedTuple):
    """The decimal mark, and the thousands mark or "" for none."""

    decimal: str
    thousands: str

    def __str__(self) -> str:
        thousands = MARKS[self.thousands] if self.thousands else "none"
        return f"decimal mark {MARKS[self.decimal]}, thousands mark {thousands}"


@cache
def written_in(notation: Notation) -> str:
    """A regular expression of a number in this notation.

    A thousands mark stands before each group of three digits, or before none of them. No
    number begins with a zero and another digit: 01.2000 is a month, 007 a code.
    """
    point = re.escape(notation.decimal)
    fraction = rf"(?:{point}[0-9]+)?"
    whole = "(?:0|[1-9][0-9]*)"
    exponent = "(?:[eE][-+]?[0-9]+)?"
    plain = rf"{whole}{fraction}{exponent}"
    if notation.decimal == ".":
        plain += rf"|{whole}\.{exponent}|\.[0-9]+{exponent}"
    if notation.thousands:
        mark = re.escape(notation.thousands)
        plain = rf"[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+{fraction}|{plain}"
    return rf"[-+{MINUS}]?(?:{plain})"


def check_notation(decimal: str | None, thousands: str | None) -> None:
    """Raise DataError unless both are None or marks that this module knows."""
    if decimal not in (None, ".", ","):
        raise DataError(f"decimal mark {decimal!r}, expected '.' or ','")
    if thousands not in (None, "", *MARKS):
        known = ", ".join(map(repr, (".", ",", " ", "'")))
        raise DataError(f"thousands mark {thousands!r}, expected one of {known}, or ''")
    if thousands and thousands == decimal:
        raise DataError(f"{decimal!r} is given as decimal and as thousands mark")


def numbers(
    cells: Sequence[str], decimal: str | None = None, thousands: str | None = None
) -> tuple[Array, Notation]:
    """The numbers (N,) of N cells without outer white space, and their notation.

    Args:
        cells: the texts.
        decimal, thousands: the marks, where they are known; thousands "" for none.

    Raises:
        NotANumber: where no notation fits; it has the place of the first misfit.
        AmbiguousError: where two notations fit and give different numbers.
    """
    found = ways_to_read(cells, decimal, thousands)
    if len(found) > 1:
        raise AmbiguousError(_ambiguous(cells, found))
    return found[0]


def ways_to_read(
    cells: Sequence[str], decimal: str | None = None, thousands: str | None = None
) -> list[tuple[Array, Notation]]:
    """Each way to read N cells that gives other numbers (N,); see `numbers`."""
    joined = "\n".join(cells) + "\n"
    if joined.count("\n") > len(cells):
        raise NotANumber(next(i for i, cell in enumerate(cells) if "\n" in cell))
    found: list[tuple[Array, Notation]] = []
    misfits = []
    for notation in _possible(set(joined), decimal, thousands):
        end = _matched(notation, joined)
        if end < len(joined):
            misfits.append(joined.count("\n", 0, end))
            continue
        values = _converted(joined, notation)
        if not any(np.array_equal(values, other) for other, _ in found):
            found.append((values, notation))
    if not found:
        raise NotANumber(max(misfits))
    return found


def increase(cells: Sequence[str]) -> bool:
    """Whether cells are numbers that count up, in one notation or another."""
    try:
        found = ways_to_read(cells)
    except NotANumber:
        return False
    return any(bool(np.all(np.diff(values) > 0)) for values, _ in found)


class AmbiguousError(DataError):
    """Data that can be read in two ways; the message names what decides."""


class NotANumber(ValueError):  # noqa: N818
    """A cell that is no number in any notation that fits the cells before it.

    Attributes:
        place: its index.
    """

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place


def share_of_numbers(cells: Sequence[str]) -> float:
    """The share of cells that are a number in one notation or another."""
    joined = "\n".join(cells) + "\n"
    notations = list(_possible(set(joined), None, None))
    pattern = "|".join(written_in(n) for n in notations)
    found = len(re.findall(f"^(?:{pattern})$", joined, re.MULTILINE))
    return found / max(len(cells), 1)


def _possible(
    letters: set[str], decimal: str | None, thousands: str | None
) -> Iterator[Notation]:
    """The notations that differ on texts of these letters; one at the least."""
    kinds = _kinds(thousands)
    for point in (decimal,) if decimal else (".", ","):
        if point == thousands:
            continue
        yield Notation(point, "")
        for mark in kinds:
            if mark in letters and mark != point:
                yield Notation(point, mark)


def _kinds(thousands: str | None) -> str:
    """The thousands marks that may stand in the text, given the one that was named."""
    if thousands is None:
        return "".join(MARKS)
    for alike in (SPACES, APOSTROPHES):
        if thousands and thousands in alike:
            return alike
    return thousands


@cache
def _column_of(notation: Notation) -> re.Pattern[str]:
    return re.compile(rf"(?:(?:{written_in(notation)})\n)*+")


def _matched(notation: Notation, joined: str) -> int:
    """How many letters of the cells are numbers, each with the line end after it."""
    found = _column_of(notation).match(joined)
    return found.end() if found else 0


def _converted(joined: str, notation: Notation) -> Array:
    if notation.thousands:
        joined = joined.replace(notation.thousands, "")
    if notation.decimal != ".":
        joined = joined.replace(notation.decimal, ".")
    return np.fromstring(joined.replace(MINUS, "-"), sep="\n")


def _ambiguous(cells: Sequence[str], found: list[tuple[Array, Notation]]) -> str:
    (a, first), (b, second), *_ = found
    k = int(np.argmax(a != b))
    return (
        f"{cells[k]!r} can be {a[k]:.12g} ({first}) or {b[k]:.12g} ({second}), and so "
        "can all numbers of the column. Name the mark with decimal= or thousands=, in a "
        "command with --decimal or --thousands"
    )
