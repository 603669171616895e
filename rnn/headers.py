"""Whether the first row of a table has the names of its columns."""

from __future__ import annotations

import re

from rnn.numerals import increase, share_of_numbers

__all__ = ["has_header", "of_numbers"]

MISSING = {"", "-", "na", "n/a", "nan", "null", "none", "?", ".", "*"}
YEAR = re.compile("[12][0-9]{3}")
SAMPLE = 5_000
"""So many cells, spread over all of a column, say whether it is one of numbers."""


def has_header(columns: list[list[str]]) -> bool | None:
    """Whether the first row differs in kind from those below it.

    Args:
        columns: C lists of N texts.

    Returns:
        None where it does in some columns and not in others, and where its numbers are
        names more likely: years, or 0, 1, 2, ….
    """
    votes = {_is_name(column[0], column[1:]) for column in columns} - {None}
    if not votes:
        return not any(map(_is_number, (column[0] for column in columns)))
    if len(votes) > 1 or (False in votes and _names_likely(columns)):
        return None
    return True in votes


def of_numbers(cells: list[str]) -> bool:
    """Whether most cells of a column are numbers, in one notation or another."""
    return share_of_numbers(cells[:: 1 + len(cells) // SAMPLE]) > 0.5


def _is_name(first: str, rest: list[str]) -> bool | None:
    """Whether a cell is the name of the column below it; None where nothing tells."""
    if first.lower() in MISSING or not rest:
        return None
    if of_numbers(rest):
        return not _is_number(first)
    if all(cell[:1].isdigit() for cell in rest):  # dates, times of day
        return True if not first[0].isdigit() else None
    return None


def _is_number(text: str) -> bool:
    return share_of_numbers([text]) == 1


def _names_likely(columns: list[list[str]]) -> bool:
    """Whether the numbers of the first row count years or columns, those below do not."""
    if not columns[0][0] and any(columns[0][1:]):
        return True
    first = [column[0] for column in columns]
    if len(first) > 1 and first == [str(k) for k in range(len(first))]:
        return not increase(columns[0])
    years = [column for column in columns if _is_number(column[0])]
    return all(
        YEAR.fullmatch(column[0]) and not any(map(YEAR.fullmatch, column[1:]))
        for column in years
    )
