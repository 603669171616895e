"""Files as text: their encoding, and an error for what is no text."""

from __future__ import annotations

import codecs
from pathlib import Path

__all__ = ["DataError", "read_text"]

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SIGNATURES = (
    (b"PK\x03\x04", "a zip archive, or a workbook such as .xlsx or .ods"),
    (b"\xd0\xcf\x11\xe0", "an old Office document such as .xls"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy file"),
    (b"SQLite format 3", "a SQLite database"),
)


class DataError(ValueError):
    """Data that cannot be used; the message names the file, the place and the remedy."""


def read_text(path: str | Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 or UTF-32 with a byte-order mark.

    A line ends with U+000A in the result, however it ends in the file.

    Raises:
        DataError: for a file that cannot be opened, another encoding, or no text.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    marked = (name for mark, name in BYTE_ORDER_MARKS if data.startswith(mark))
    encoding = next(marked, "utf-8")
    _check_signature(path, data)
    if encoding == "utf-8" and b"\0" in data:
        raise DataError(f"{path}: {_with_nul(data)}")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig").upper()
        raise DataError(
            f"{path}: not {name} text (byte {error.start}); save it as UTF-8, or convert "
            "it with iconv -f ENCODING -t utf-8, where ENCODING is the one that it was "
            "written in"
        ) from error
    if "\0" in text:
        raise DataError(f"{path}: a binary file: it has the character U+0000")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _check_signature(path: str | Path, data: bytes) -> None:
    for signature, kind in SIGNATURES:
        if data.startswith(signature):
            raise DataError(
                f"{path}: {kind}, expected a text file; unpack it, or export it as CSV "
                "or text in UTF-8"
            )


def _with_nul(data: bytes) -> str:
    """What is wrong with bytes that have zeros among them."""
    low, high = data[::2].count(0), data[1::2].count(0)
    if max(low, high) > len(data) // 8 and min(low, high) < max(low, high) // 4:
        encoding = "utf-16le" if high > low else "utf-16be"
        return (
            f"looks like {encoding.upper()} without a byte-order mark; save it as UTF-8, "
            f"or convert it with iconv -f {encoding} -t utf-8"
        )
    return f"a binary file (byte {data.index(0)} is 0), expected text in UTF-8"
