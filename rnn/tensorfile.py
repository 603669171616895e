"""The safetensors format, by the library of that name: arrays by name, and texts by name.

The library checks a file's header against the file before it reads any numbers, and
guarantees little more: here are the limits of NumPy, bfloat16, the order of the texts,
and messages that name the file.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograd.extras import require
from autograd.tensor import value_of

__all__ = ["ModelFileError", "decoded", "encoded", "parsed"]

METADATA = "__metadata__"
PICKLES = (b"PK\x03\x04", b"\x80")
"""How a pickle begins, in a zip file as PyTorch's are, and plain."""
NUMBERS = {
    "F64", "F32", "F16", "C64", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8",
    "BOOL", "BF16",
}  # fmt: skip
"""The kinds of numbers that can be read as arrays."""


class ModelFileError(ValueError):
    """A file that is no model of ours, or is damaged; the message says which and why."""


def encoded(arrays: Mapping[str, Any], text: Mapping[str, str] | None = None) -> bytes:
    """The file of some arrays and texts; equal ones give equal bytes.

    Args:
        arrays: arrays, numbers or Tensors by name.
        text: texts by name.

    Raises:
        MissingExtraError: if safetensors is not installed.
        TypeError: for what has no numbers that safetensors has, naming it; for names
            that are no strings.
        ValueError: for names that no file can have.
    """
    library = require("safetensors.numpy", "all", "Writing a safetensors file")
    found = {_name(name): _numbers(name, x) for name, x in arrays.items()}
    return _ordered(library.save(found, metadata=dict(text) if text else None))


def _ordered(data: bytes) -> bytes:
    """The same file, its texts in alphabetical order; the library's order is random."""
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    if METADATA in header:
        header[METADATA] = dict(sorted(header[METADATA].items()))
    head = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    return b"".join((len(head).to_bytes(8, "little"), head, memoryview(data)[start:]))


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{name!r} is a {type(name).__name__}, expected a string, a name")
    if name == METADATA:
        raise ValueError(
            f"{METADATA} names no array in a safetensors file; expected another name"
        )
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name!r} is no Unicode text; expected another name") from None
    return name


def _numbers(name: str, x: Any) -> Any:
    """An array that the library can write."""
    x = value_of(x)
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array, whose mask safetensors lacks; expected plain "
            "numbers: array.filled(value)"
        )
    array = np.asarray(x, order="C")
    little = array.dtype.newbyteorder("<")
    if little.kind not in "biufc" or little.itemsize > 8:
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
        MissingExtraError: if safetensors is not installed.
    """
    library = require("safetensors", "all", "Reading a safetensors file")
    if path.is_dir():
        raise IsADirectoryError(f"{path}: a folder, expected a safetensors file in it")
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    if not path.is_file():
        raise ModelFileError(
            f"{path}: a device or a pipe, expected a regular file. Copy what comes from "
            "it to a file first"
        )
    try:
        with library.safe_open(path, framework="numpy") as file:
            kinds = {n: file.get_slice(n).get_dtype() for n in sorted(file.keys())}
            _check_kinds(path, kinds)
            text = file.metadata() or {}
            tensors = {n: file.get_tensor(n) for n, k in kinds.items() if k != "BF16"}
        if len(tensors) < len(kinds):
            tensors |= _half_floats(library.deserialize(path.read_bytes()))
    except (library.SafetensorError, OverflowError, ValueError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(
            f"{path}: not a safetensors file, or damaged ({error}){_pickled(path)}"
        ) from error
    return {name: tensors[name] for name in kinds}, text


def _check_kinds(path: Path, kinds: dict[str, str]) -> None:
    strange = [f"{n} is {k}" for n, k in kinds.items() if k not in NUMBERS]
    if strange:
        raise ModelFileError(
            f"{path}: {', '.join(strange)}, numbers that NumPy lacks; write them as "
            "float32"
        )


def _half_floats(entries: list[tuple[str, Any]]) -> dict[str, Any]:
    """The arrays of bfloat16 among them: the upper halves of float32 numbers."""
    return {
        name: (np.frombuffer(entry["data"], "<u2").astype(np.uint32) << 16)
        .view(np.float32)
        .reshape(entry["shape"])
        for name, entry in entries
        if entry["dtype"] == "BF16"
    }


def parsed(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: if it is no JSON, is nested too deep, or has a name twice in one
            object; the message says what it has: "the name 'a' twice".
    """
    try:
        return json.loads(text, object_pairs_hook=_once, parse_int=_whole)
    except RecursionError:
        raise ValueError("JSON that is nested too deep") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON: {error}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the name {twice!r} twice")
    return found


def _whole(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        raise ValueError("an integer of more digits than can be read") from None


def _pickled(path: Path) -> str:
    """What to say of a file that is a pickle."""
    with path.open("rb") as file:
        head = file.read(9)
    # After the length of its header, a safetensors file has a brace.
    if not head.startswith(PICKLES) or head[8:] == b"{":
        return ""
    return (
        ". It is a pickle, as torch.save writes: reading one may run any code, so it is "
        "not opened. In PyTorch, safetensors.torch.save_file(torch.load("
        f"{path.name!r}, weights_only=True), 'weights.safetensors') converts it"
    )
