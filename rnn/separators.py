"""The separator of a CSV file: which characters can be it, by all lines of the file."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from rnn.numerals import share_of_numbers
from rnn.reading import DataError

__all__ = [
    "NONE", "SPACE", "Records", "check_quotes", "check_separator", "possible", "ragged",
    "spelled",
]  # fmt: skip

NONE, SPACE = "", " "
STRONG = "\t;|"
"""Separators that no number has inside of it."""
NAMES = {"\t": "tab", NONE: "none", SPACE: "white space"}
QUOTED = re.compile(r'(?<![^,;\t| \n])"(?:[^"]|"")*+"')
MASK = "\x1a"
"""Stands for a quoted field, so that what is inside of it counts as no separator."""


class Records(NamedTuple):
    """The rows of a file as text, without blank ones; quoted fields are masked.

    Attributes:
        lines: N of them.
        places: which row of the file each is, counting blank ones, from 0.
        numbers: the line of the file that each begins in, from 1.
        total: how many rows the file has, with the blank ones.
    """

    lines: list[str]
    places: list[int]
    numbers: list[int]
    total: int

    @classmethod
    def of(cls, text: str) -> Records:
        """The rows of a file whose lines end with U+000A."""
        if '"' in text:
            text = QUOTED.sub(lambda m: MASK * (1 + m[0].count("\n")), text)
        lines = text.split("\n")
        if not lines[-1]:
            del lines[-1]
        if MASK not in text and all(map(str.strip, lines)):
            places = list(range(len(lines)))
            return cls(lines, places, list(range(1, len(lines) + 1)), len(lines))
        kept, places, numbers, line = [], [], [], 1
        for place, row in enumerate(lines):
            if row.strip():
                kept.append(row)
                places.append(place)
                numbers.append(line)
            line += 1 + row.count(MASK) - len(re.findall(f"{MASK}+", row))
        return cls(kept, places, numbers, len(lines))

    def width(self, separator: str) -> int:
        """How many fields the last row has."""
        return 1 if separator == NONE else _counter(separator)(self.lines[-1]) + 1

    def gap(self) -> int | None:
        """The first blank line that stands between two rows."""
        for i, place in enumerate(self.places):
            if place != i + self.places[0]:
                return self.numbers[i] - 1
        return None


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
    strong = [s for s in STRONG if _divides(lines, s)]
    if strong:
        return strong
    found = [","] if decimal != "," and _divides(lines, ",") else []
    cells = lines[0].split()
    if _divides(lines, SPACE) and (decimal == "," or _all_commas_in_numbers(cells)):
        found.append(SPACE)
    if _can_be_one_column(lines, decimal, bool(found)):
        found.append(NONE)
    return found


def _can_be_one_column(lines: list[str], decimal: str | None, divided: bool) -> bool:
    """Whether all rows but the first are single numbers, and no comma tells otherwise."""
    first = lines[0].strip()
    if decimal != "," and not _all_commas_in_numbers([first]):
        return False
    if len(lines) > 1 and share_of_numbers([row.strip() for row in lines[1:]]) < 1:
        return False
    commas = decimal != "," and any("," in row for row in lines)
    return divided or not (commas and share_of_numbers([first]))


def _all_commas_in_numbers(cells: list[str]) -> bool:
    marked = [cell for cell in cells if "," in cell]
    return not marked or share_of_numbers(marked) == 1


def _counter(separator: str) -> Callable[[str], int]:
    """How many separators a row has."""
    if separator == SPACE:
        return lambda row: sum(map(bool, row.replace("\t", " ").split(" "))) - 1
    return lambda row: row.count(separator)


def _divides(lines: list[str], separator: str) -> bool:
    count = _counter(separator)
    n = count(lines[-1])
    if n == 0 or not all(count(row) == n for row in lines[1:]):
        return False
    trailing = separator != SPACE and count(lines[0]) == n - 1
    return count(lines[0]) == n or (
        trailing and all(row.rstrip(" ").endswith(separator) for row in lines[1:])
    )


def ragged(records: Records, separator: str | None) -> str | None:
    """Which row has another number of fields than the first; None where all agree."""
    lines = records.lines
    if separator is None:
        by_share = {s: sum(s in row for row in lines) for s in (*STRONG, ",")}
        separator = max(by_share, key=lambda s: by_share[s])
        if not by_share[separator]:
            return None
    if separator == NONE or _divides(lines, separator):
        return None
    count = _counter(separator)
    first = count(lines[0])
    for row, line in zip(lines, records.numbers, strict=True):
        if count(row) != first:
            return (
                f"line {line} has {count(row) + 1} fields, line {records.numbers[0]} has "
                f"{first + 1} (separator {spelled(separator)}); remove lines that are no "
                "rows of the table, or name the separator with sep= or the decimal mark "
                "with decimal=, in a command with --sep or --decimal"
            )
    return None


def check_quotes(text: str, separator: str) -> None:
    """Raise DataError unless each quotation mark that opens a field closes it."""
    if '"' not in text:
        return
    end = r"[ \t]+|\n" if separator == SPACE else rf"{re.escape(separator)}|\n"
    inside = r"\s" if separator == SPACE else rf"{re.escape(separator)}\n"
    field = rf'(?:"(?:[^"]|"")*+"|[^"{inside}][^{inside}]*+|)'
    found = re.match(rf"(?:{field}(?:{end}))*+{field}", text)
    stop = found.end() if found else 0
    if stop < len(text):
        raise DataError(
            f"line {text.count(chr(10), 0, stop) + 1}: a quotation mark is not closed, "
            'or has text after it in its field; a quoted field is "…", with "" for a '
            "mark inside"
        )
