"""A text as tokens, words or characters, and back."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

from autograd.extras import require

__all__ = ["TOKENISERS", "UNKNOWN", "Tokeniser", "characters", "join", "tokenise"]

UNKNOWN = "<unk>"
_CLOSING = {*",.;:!?)]}»…”’", "...", *"،؛؟।॥。、，；：！？）」』》】"}
_OPENING = set("([{«“‘¿¡（「『《【")


@cache
def _patterns() -> tuple[Any, Any]:
    """What tokens look like, and what extends the character before it (UAX 29)."""
    regex = require("regex", "all", "Splitting a text into words or characters")
    joined = r"[\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}\p{GCB=SpacingMark}]"
    letters = rf"(?:[\p{{L}}\p{{N}}]{joined}*+)++"
    alone = rf"(?!{joined})"
    words = regex.compile(
        rf"<unk>{alone}"
        rf"|\d+(?:[.,]\d+)+(?![\p{{L}}\p{{N}}_]|{joined})"
        rf"|{letters}(?:[-\u2011'’]{letters})*+"
        rf"|--{alone}|\.{{3}}{alone}"
        r"|\p{GCB=Prepend}|(?![\s\x1c-\x1f])\X"
    )
    return words, regex.compile(joined)


def tokenise(text: str, lower: bool = True) -> list[str]:
    """Words with accents, inner hyphens and apostrophes; numbers; punctuation apart.

    A word is a run of letters and digits of any script, with the vowel signs, accents
    and joiners that belong to them; an emoji of several code points is one token. Of a
    script without spaces a whole run is one word. An accent is one letter with its
    vowel, however the text was typed (NFC).

    No character is lost but white space: `join(tokenise(text, lower=False))` is the text
    in NFC, up to white space.

    >>> tokenise("João, o inverno chegou: cobriu-se.")
    ['joão', ',', 'o', 'inverno', 'chegou', ':', 'cobriu-se', '.']
    >>> tokenise("Disse-lhe: custa 3,50.", lower=False)
    ['Disse-lhe', ':', 'custa', '3,50', '.']
    >>> tokenise("नमस्ते दुनिया")
    ['नमस्ते', 'दुनिया']

    Args:
        text: any.
        lower: whether to write it in lower case first.

    Raises:
        TypeError: for what is no text.
        MissingExtraError: without the library regex.
    """
    return _patterns()[0].findall(_composed("tokenise", text, lower))


def characters(text: str) -> list[str]:
    """The characters of a text as readers count them, spaces and line ends included.

    These are the grapheme clusters of UAX 29 in NFC: a letter with its accents, a flag,
    a family of emoji. `"".join` gives the text in NFC again.

    >>> characters("é só")
    ['é', ' ', 's', 'ó']

    Raises:
        TypeError: for what is no text.
        MissingExtraError: without the library regex.
    """
    composed = _composed("characters", text)
    return require("regex", "all", "Splitting a text").findall(r"\X", composed)


def join(tokens: Iterable[str]) -> str:
    """The text of some tokens, with spaces where they are usual.

    `tokenise` gives the same tokens of it again, whatever text they come from:
    `tokenise(join(tokenise(text))) == tokenise(text)`.

    >>> join(["joão", ",", "o", "inverno", "chegou", "."])
    'joão, o inverno chegou.'
    """
    pieces: list[str] = []
    points = 0  # how many points stand at the end, of which three would be one token
    for token in tokens:
        tight = token in _CLOSING or (
            bool(pieces) and pieces[-1] in _OPENING and not _extends(token)
        )
        if points + len(token) > 2 and points and set(token) == {"."}:
            tight = False
        points = token == "." and (points if tight else 0) + 1
        pieces += [token] if tight or not pieces else [" ", token]
    return "".join(pieces)


def _extends(token: str) -> bool:
    """Whether a token would be part of the character before it."""
    return bool(_patterns()[1].match(token))


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


def _words(text: str) -> list[str]:
    """Words without the marks that _emphasise_ them in plain text."""
    return [token for token in tokenise(text) if token != "_"]


TOKENISERS = {
    "words": Tokeniser(_words, join),
    "characters": Tokeniser(characters, "".join),
}
"""By what the tokens are."""
