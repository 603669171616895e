"""The safetensors format: arrays by name, and texts by name, as one sequence of bytes.

A file is the length N of its header (8 bytes, little-endian), the header (N bytes of
JSON), and the numbers. The header has, for each array, its kind of number, its shape and
the place of its numbers; under `__metadata__` it has texts by name. The arrays follow one
another without gaps.

https://huggingface.co/docs/safetensors, "Format".
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from autograd.tensor import value_of

__all__ = ["ModelFileError", "decoded", "encoded", "parsed"]

METADATA = "__metadata__"
MAX_HEADER_BYTES = 100_000_000
"""The limit of safetensors' own reader."""
MAX_AXES = 64
"""The limit of NumPy."""
PICKLES = (b"PK\x03\x04", b"\x80")
"""How a pickle begins, in a zip file as PyTorch's are, and plain."""

KINDS = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "C64": "<c8", "I64": "<i8",
    "I32": "<i4", "I16": "<i2", "I8": "|i1", "U64": "<u8", "U32": "<u4", "U16": "<u2",
    "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
"""NumPy's name of each kind of number; bfloat16, which NumPy lacks, as its 16 bits."""
SMALL = re.compile(r"F[468](_E[0-9]M[0-9][A-Z]*)?")
"""Further kinds: floats of a byte or less."""
WRITTEN = {numpy: kind for kind, numpy in KINDS.items() if kind != "BF16"}


class ModelFileError(ValueError):
    """A file that is no model of ours, or is damaged; the message says which and why."""


def encoded(arrays: Mapping[str, Any], text: Mapping[str, str] | None = None) -> bytes:
    """The file of some arrays and texts; equal ones give equal bytes.

    Args:
        arrays: arrays, numbers or Tensors by name.
        text: texts by name.

    Raises:
        TypeError: for what has no numbers that safetensors has, naming it; for names
            that are no strings.
        ValueError: for names that no file can have.
    """
    found = {_name(name): _numbers(name, x) for name, x in arrays.items()}
    # Wide numbers come first, so that each array starts at a multiple of its width.
    order = sorted(found, key=lambda name: (-found[name].itemsize, name))
    header: dict[str, Any] = {METADATA: dict(text)} if text else {}
    place = 0
    for name in order:
        x = found[name]
        header[name] = {
            "dtype": WRITTEN[x.dtype.str],
            "shape": list(x.shape),
            "data_offsets": [place, place + x.nbytes],
        }
        place += x.nbytes
    head = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    numbers = (found[name].tobytes() for name in order)
    return b"".join((len(head).to_bytes(8, "little"), head, *numbers))


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{name!r} is a {type(name).__name__}, expected a string, a name")
    if name == METADATA:
        raise ValueError(
            f"{METADATA} names no array in a safetensors file; expected another name"
        )
    if not _is_unicode(name):
        raise ValueError(f"{name!r} is no Unicode text; expected another name")
    return name


def _is_unicode(text: str) -> bool:
    """Whether a text can be written: halves of surrogate pairs cannot."""
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)


def _numbers(name: str, x: Any) -> Any:
    """An array as the file has it: little-endian, its last axis running fastest."""
    x = value_of(x)
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array, whose mask safetensors lacks; expected plain "
            "numbers: array.filled(value)"
        )
    array = np.asarray(x, order="C")
    little = array.dtype.newbyteorder("<")
    if little.str not in WRITTEN:
        raise TypeError(
            f"{name} is {array.dtype}, which safetensors lacks; expected real numbers"
        )
    return array.astype(little, copy=False)


def decoded(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The arrays and the texts of a file.

    bfloat16 comes as float32, of which it is the upper half.

    Raises:
        FileNotFoundError, IsADirectoryError: if there is no such file, or it is a folder.
        ModelFileError: if it is no regular file, no safetensors file, or damaged; for
            kinds of numbers that NumPy lacks, naming the arrays.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path}: a folder, expected a safetensors file in it")
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    if not path.is_file():
        raise ModelFileError(
            f"{path}: a device or a pipe, expected a regular file. Copy what comes from "
            "it to a file first"
        )
    data = path.read_bytes()
    try:
        header, start = _header(data)
        text = _text(header.pop(METADATA, {}))
        if strange := _strange(header):
            raise ModelFileError(
                f"{path}: {', '.join(strange)}, numbers that NumPy lacks; write them "
                "as float32"
            )
        return _arrays(header, memoryview(data)[start:]), text
    except _DamageError as damage:
        raise ModelFileError(
            f"{path}: not a safetensors file, or damaged ({damage}){_pickled(path, data)}"
        ) from None


class _DamageError(ValueError):
    """What is wrong with a file."""


def parsed(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: if it is no JSON, is nested too deep, or has a name twice in one
            object; the message says what it has: "the name 'a' twice".
    """
    try:
        return json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise _DamageError("JSON that is nested too deep") from None
    except json.JSONDecodeError as error:
        raise _DamageError(f"no JSON: {error}") from None
    except _DamageError:
        raise
    except ValueError:
        raise _DamageError("an integer of more digits than can be read") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise _DamageError(f"the name {twice!r} twice")
    return found


def _header(data: bytes) -> tuple[dict[str, Any], int]:
    """The header, and where the numbers start."""
    if len(data) < 8:
        raise _DamageError(f"{len(data)} bytes, expected at least 8")
    N = int.from_bytes(data[:8], "little")
    if min(len(data) - 8, MAX_HEADER_BYTES) < N:
        raise _DamageError(f"a header of {N} bytes in a file of {len(data)}")
    try:
        header = parsed(data[8 : 8 + N].decode())
    except UnicodeDecodeError:
        raise _DamageError("the header is no UTF-8 text") from None
    except _DamageError as damage:
        raise _DamageError(f"the header has {damage}") from None
    if data[8:9] != b"{" or not isinstance(header, dict):
        raise _DamageError("the header is no JSON object")
    if not all(map(_is_unicode, header)):
        raise _DamageError("the header has a name that is no Unicode text")
    return header, 8 + N


def _text(found: Any) -> dict[str, str]:
    texts = isinstance(found, dict) and all(isinstance(x, str) for x in found.values())
    if not texts:
        raise _DamageError(f"{METADATA} has something else than texts")
    return found


def _strange(header: dict[str, Any]) -> list[str]:
    """The arrays of small floats, with their kind, which NumPy lacks."""
    for name, entry in header.items():
        kind = entry.get("dtype") if isinstance(entry, dict) else None
        known = isinstance(kind, str) and (kind in KINDS or SMALL.fullmatch(kind))
        if not known:
            raise _DamageError(f"the header has no known kind of number for {name!r}")
    kinds = {name: entry["dtype"] for name, entry in header.items()}
    return [f"{name} is {kind}" for name, kind in kinds.items() if kind not in KINDS]


def _arrays(header: dict[str, Any], data: memoryview) -> dict[str, Any]:
    """The arrays, once all the numbers are seen to belong to one of them each."""
    places = {name: _place(name, entry) for name, entry in header.items()}
    end = 0
    for start, stop in sorted(places.values()):
        if start != end:
            raise _DamageError(
                f"the numbers from byte {end} to {start} are of no one array"
            )
        end = stop
    if end != len(data):
        raise _DamageError(f"{len(data)} bytes of numbers, expected {end}")
    return {
        name: _array(entry["dtype"], data[slice(*places[name])], entry["shape"])
        for name, entry in header.items()
    }


def _place(name: str, entry: dict[str, Any]) -> tuple[int, int]:
    """Where the numbers of an array start and stop, if that fits its shape."""
    shape: Any = entry.get("shape")
    place: Any = entry.get("data_offsets")
    if not (_are_sizes(shape) and _are_sizes(place) and len(place) == 2):
        raise _DamageError(f"the header has no shape or no place for {name!r}")
    start, stop = place
    size = prod(shape) * np.dtype(KINDS[entry["dtype"]]).itemsize
    if stop - start != size:
        raise _DamageError(f"{stop - start} bytes for {name!r}, expected {size}")
    return start, stop


def _are_sizes(found: Any) -> bool:
    """Whether it is a list of whole numbers from 0, as a shape of NumPy's is one."""
    short = isinstance(found, list) and len(found) <= MAX_AXES
    return short and all(type(n) is int and n >= 0 for n in found)


def _array(kind: str, data: memoryview, shape: list[int]) -> Any:
    try:
        array = np.frombuffer(data, KINDS[kind]).reshape(shape)
    except ValueError as error:  # more axes, or longer ones, than NumPy has
        raise _DamageError(f"an array of shape {shape}") from error
    if kind == "BOOL":
        return array.view(np.uint8) != 0
    if kind == "BF16":
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(array.dtype.newbyteorder("="))


def _pickled(path: Path, data: bytes) -> str:
    """What to say of a file that is a pickle."""
    # After the length of its header, a safetensors file has a brace.
    if not data.startswith(PICKLES) or data[8:9] == b"{":
        return ""
    return (
        ". It is a pickle, as torch.save writes: reading one may run any code, so it is "
        "not opened. In PyTorch, safetensors.torch.save_file(torch.load("
        f"{path.name!r}, weights_only=True), 'weights.safetensors') converts it"
    )
