"""A text as tokens, words or characters, and back."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import NamedTuple

__all__ = ["TOKENISERS", "UNKNOWN", "Tokeniser", "characters", "join", "tokenise"]

UNKNOWN = "<unk>"
_MARKS = "[\u0300-\u036f]*"
"""Accents that no letter has been made with, such as the tilde of m̃."""
_LETTERS = rf"(?:[^\W_]{_MARKS})+"
_TOKEN = re.compile(
    rf"<unk>|\d+(?:[.,]\d+)+(?!\w)|{_LETTERS}(?:[-\u2011'’]{_LETTERS})*"
    r"|--|\.{3}|[^\w\s]"
)
_CHARACTER = re.compile(f".{_MARKS}", re.DOTALL)
_CLOSING = set(",.;:!?)]}»…”’") | {"..."}
_OPENING = set("([{«“‘")


def tokenise(text: str, lower: bool = True) -> list[str]:
    """Words with accents, inner hyphens and apostrophes; numbers; punctuation apart.

    An accent is one letter with its vowel, however the text was typed (NFC).

    >>> tokenise("João, o inverno chegou: cobriu-se.")
    ['joão', ',', 'o', 'inverno', 'chegou', ':', 'cobriu-se', '.']
    >>> tokenise("Disse-lhe: custa 3,50.", lower=False)
    ['Disse-lhe', ':', 'custa', '3,50', '.']

    Args:
        text: any.
        lower: whether to write it in lower case first.
    """
    composed = _composed("tokenise", text, lower)
    return _TOKEN.findall(composed)


def characters(text: str) -> list[str]:
    """The letters of a text, accents with them (NFC), spaces and line ends included.

    `"".join` gives the text again.

    >>> characters("é só")
    ['é', ' ', 's', 'ó']
    """
    return _CHARACTER.findall(_composed("characters", text))


def join(tokens: Iterable[str]) -> str:
    """The text of some tokens, with spaces where they are usual.

    >>> join(["joão", ",", "o", "inverno", "chegou", "."])
    'joão, o inverno chegou.'
    """
    pieces: list[str] = []
    for token in tokens:
        tight = not pieces or token in _CLOSING or pieces[-1] in _OPENING
        pieces += [token] if tight else [" ", token]
    return "".join(pieces)


def _composed(function: str, text: str, lower: bool = False) -> str:
    if not isinstance(text, str):
        raise TypeError(
            f"{function}: got {type(text).__name__}, expected text; decode bytes, for "
            "example with .decode('utf-8')"
        )
    return unicodedata.normalize("NFC", text.lower() if lower else text)


class Tokeniser(NamedTuple):
    """A text as tokens, `split`, and tokens as a text, `join`."""

    split: Callable[[str], list[str]]
    join: Callable[[Iterable[str]], str]


TOKENISERS = {
    "words": Tokeniser(tokenise, join),
    "characters": Tokeniser(characters, "".join),
}
"""By what the tokens are."""
