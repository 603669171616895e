"""The separator of a CSV file: which characters can be it, by all lines of the file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnn.numerals import share_of_numbers
from rnn.reading import DataError

__all__ = [
    "NONE", "SPACE", "Records", "check_quotes", "check_separator", "possible", "ragged",
    "spelled",
]  # fmt: skip

Array = np.ndarray[Any, Any]
NONE, SPACE = "", " "
STRONG = "\t;|"
"""Separators that no number has inside of it."""
NAMES = {"\t": "tab", NONE: "none", SPACE: "white space"}
QUOTED = re.compile(r'(?<![^,;\t| \n])"(?:[^"]|"")*+"')
MASK = "\x1a"
"""Stands for a quoted field, so that what is inside of it counts as no separator."""


@dataclass(frozen=True)
class Records:
    """The rows of a file as text, without blank ones; quoted fields are masked.

    Attributes:
        lines: N of them.
        places: which row of the file each is, counting blank ones, from 0.
        numbers: the line of the file that each begins in, from 1.
        total: how many rows the file has, with the blank ones.
    """

    lines: list[str]
    places: Sequence[int]
    numbers: Sequence[int]
    total: int
    _counts: dict[str, Array] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, text: str) -> Records:
        """The rows of a file whose lines end with U+000A."""
        if '"' in text:
            text = _masked(text)
        lines = text.split("\n")
        if not lines[-1]:
            del lines[-1]
        N = len(lines)
        several = f"{MASK}{MASK}" in text  # a quoted field of several lines
        if not several and all(map(str.strip, lines)):
            return cls(lines, range(N), range(1, N + 1), N)
        kept, places, numbers, line = [], [], [], 1
        for place, row in enumerate(lines):
            if row.strip():
                kept.append(row)
                places.append(place)
                numbers.append(line)
            line += 1 + row.count(MASK) - len(re.findall(f"{MASK}+", row))
        return cls(kept, places, numbers, N)

    def counts(self, separator: str) -> Array:
        """(N,) how many separators each row has; of white space, runs between fields."""
        if separator not in self._counts:
            found = _per_line("\n".join(self.lines), separator)
            self._counts[separator] = found - (separator == SPACE)
        return self._counts[separator]

    def divided(self, separator: str) -> bool:
        """Whether all rows have equally many fields, two or more.

        The first may have one less, where all others end with a separator.
        """
        counts = self.counts(separator)
        n = counts[-1]
        if n == 0 or np.any(counts[1:] != n):
            return False
        return counts[0] == n or (
            counts[0] == n - 1
            and separator != SPACE
            and all(row.rstrip(" ").endswith(separator) for row in self.lines[1:])
        )

    def width(self, separator: str) -> int:
        """How many fields the last row has."""
        return 1 if separator == NONE else int(self.counts(separator)[-1]) + 1

    def gap(self) -> int | None:
        """The first blank line that stands between two rows."""
        for i, place in enumerate(self.places):
            if place != i + self.places[0]:
                return self.numbers[i] - 1
        return None


def _masked(text: str) -> str:
    """A text with a mask for each quoted field, one letter longer for each line end."""
    if not np.any(_per_line(text, '"') % 2):  # no field goes over a line end
        return QUOTED.sub(MASK, text)
    return QUOTED.sub(lambda m: MASK * (1 + m[0].count("\n")), text)


def _per_line(text: str, separator: str) -> Array:
    """How often a character is in each line; of SPACE, how many fields are between."""
    letters = np.frombuffer(text.encode(), np.uint8)
    starts = np.append(0, np.flatnonzero(letters == ord("\n")) + 1)
    starts = starts[starts < len(letters)]
    if separator == SPACE:
        inside = ~np.isin(letters, np.frombuffer(b" \t\n", np.uint8))
        found = inside & ~np.append(False, inside[:-1])
    elif separator in text:
        found = letters == ord(separator)
    else:
        return np.zeros(len(starts), np.intp)
    return np.add.reduceat(found, starts, dtype=np.intp)


def check_separator(separator: str | None) -> None:
    """Raise DataError unless it is None, "", or a character that can separate fields."""
    if separator is None or re.fullmatch(r"[\t ,;:|!#$%&*/<=>@\\^~]?", separator):
        return
    raise DataError(
        f"separator {separator!r}, expected one character, such as ',', ';', '|', a tab, "
        "' ' for white space, or '' for a file of one column"
    )


def spelled(separator: str) -> str:
    """What a separator is called."""
    return NAMES.get(separator, repr(separator))


def possible(records: Records, decimal: str | None) -> list[str]:
    """The separators that divide all rows into equally many fields, the likeliest first.

    A tab, semicolon or bar that does so is the separator: a number has none inside. Where
    there is none of them, a comma or white space may also be part of the number of a
    file of one column: then all that fit are returned.
    """
    lines = records.lines
    strong = [s for s in STRONG if records.divided(s)]
    if strong:
        return strong
    found = [","] if decimal != "," and records.divided(",") else []
    cells = lines[0].split()
    if records.divided(SPACE) and (decimal == "," or _all_commas_in_numbers(cells)):
        found.append(SPACE)
    if _can_be_one_column(lines, decimal, bool(found)):
        found.append(NONE)
    return found


def _can_be_one_column(lines: list[str], decimal: str | None, divided: bool) -> bool:
    """Whether all rows but the first are single numbers, and no comma tells otherwise."""
    first = lines[0].strip()
    prose = first.count(",") == first.count(", ") and not any(
        ", " in x for x in lines[1:]
    )
    if decimal != "," and not (prose or _all_commas_in_numbers([first])):
        return False
    if len(lines) > 1 and share_of_numbers([row.strip() for row in lines[1:]]) < 1:
        return False
    commas = decimal != "," and any("," in row for row in lines)
    return divided or not (commas and share_of_numbers([first]))


def _all_commas_in_numbers(cells: list[str]) -> bool:
    marked = [cell for cell in cells if "," in cell]
    return not marked or share_of_numbers(marked) == 1


def ragged(records: Records, separator: str | None) -> str | None:
    """Which row has another number of fields than the first; None where all agree."""
    if separator is None:
        separator = max((*STRONG, ","), key=lambda s: np.count_nonzero(records.counts(s)))
    if separator == NONE or records.divided(separator):
        return None
    counts = records.counts(separator)
    if np.all(counts == counts[0]):
        return None
    k = int(np.argmax(counts != counts[0]))
    return (
        f"line {records.numbers[k]} has {counts[k] + 1} fields, line "
        f"{records.numbers[0]} has {counts[0] + 1} (separator {spelled(separator)}); "
        "remove lines that are no rows of the table, or name the separator with sep= or "
        "the decimal mark with decimal=, in a command with --sep or --decimal"
    )


def check_quotes(text: str, separator: str) -> None:
    """Raise DataError unless each quotation mark that opens a field closes it."""
    if '"' not in text:
        return
    end = r"[ \t]+|\n" if separator == SPACE else rf"{re.escape(separator)}|\n"
    inside = r" \t\n" if separator == SPACE else rf"{re.escape(separator)}\n"
    field = rf'(?:"(?:[^"]|"")*+"|[^"{inside}][^{inside}]*+|)'
    found = re.match(rf"(?:{field}(?:{end}))*+{field}", text)
    stop = found.end() if found else 0
    if stop < len(text):
        raise DataError(
            f"line {text.count(chr(10), 0, stop) + 1}: a quotation mark is not closed, "
            'or has text after it in its field; a quoted field is "…", with "" for a '
            "mark inside"
        )
