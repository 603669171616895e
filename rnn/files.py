"""Models and checkpoints on disk: safetensors, with the architecture in the metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograd.extras import require
from autograd.files import written
from rnn.boltzmann import BoltzmannMachine, RestrictedBoltzmannMachine
from rnn.cells import GRUCell, LSTMCell, RNNCell
from rnn.elman import ElmanNetwork
from rnn.hopfield import Hopfield
from rnn.language_model import LanguageModel
from rnn.layers import MLP, Embedding, LayerNorm, Linear
from rnn.module import Module
from rnn.recurrent import GRU, LSTM, RNN
from rnn.window import WindowMLP

__all__ = [
    "ModelFileError", "load", "load_weights", "read_tensors", "save", "save_weights",
    "tensor_bytes", "write_tensors",
]  # fmt: skip

ARCHITECTURES: dict[str, type[Module]] = {
    kind.__name__: kind
    for kind in (
        ElmanNetwork, WindowMLP, RNN, GRU, LSTM, RNNCell, GRUCell, LSTMCell, Linear,
        Embedding, LayerNorm, MLP, LanguageModel, Hopfield, BoltzmannMachine,
        RestrictedBoltzmannMachine,
    )
}  # fmt: skip
FORMAT = "unrolled"
NUMBERS = {
    "F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8",
    "BOOL", "C64",
}  # fmt: skip
"""The kinds of numbers in a file that come as arrays."""


class ModelFileError(ValueError):
    """A file that is no model of ours, or is damaged; the message says which and why."""


def write_tensors(
    path: str | Path, tensors: dict[str, Any], metadata: dict[str, Any]
) -> None:
    """Write arrays by name, and any JSON beside them, as one safetensors file."""
    data = tensor_bytes(tensors, metadata)
    with written(path) as temporary:
        temporary.write_bytes(data)


def tensor_bytes(tensors: dict[str, Any], metadata: dict[str, Any]) -> bytes:
    """The safetensors file of arrays by name, and any JSON beside them."""
    text = {"format": FORMAT, "unrolled": json.dumps(metadata, ensure_ascii=False)}
    return _encoded(tensors, text)


def read_tensors(path: str | Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arrays and the JSON that `write_tensors` wrote.

    Raises:
        FileNotFoundError, IsADirectoryError: where there is no such file, or a folder.
        ModelFileError: where it is not safetensors, is cut short, or is not ours.
    """
    tensors, metadata = _decoded(path)
    if metadata.get("format") != FORMAT:
        raise ModelFileError(
            f"{path}: a safetensors file, but not one of unrolled's; `load_weights` "
            "reads the arrays in it, for a network's `load_state_dict`"
        )
    try:
        return tensors, json.loads(metadata["unrolled"])
    except (KeyError, json.JSONDecodeError) as error:
        raise ModelFileError(f"{path}: the metadata is damaged ({error})") from error


def save_weights(state: dict[str, Any], path: str | Path) -> None:
    """Write arrays by name, such as a `state_dict`, for any reader of safetensors.

    In PyTorch, `module.load_state_dict(safetensors.torch.load_file(path))` takes them.

    Raises:
        TypeError: for what are no arrays by name, or not of numbers.
    """
    if not isinstance(state, Mapping):
        raise TypeError(
            f"save_weights: got a {type(state).__name__}, expected arrays by name, as "
            "network.state_dict() gives them"
        )
    data = _encoded(state, None)
    with written(path) as temporary:
        temporary.write_bytes(data)


def load_weights(path: str | Path, prefix: str = "") -> dict[str, Any]:
    """The arrays by name in a safetensors file, whoever wrote it, for `load_state_dict`.

    Args:
        path: such as `safetensors.torch.save_file(module.state_dict(), path)` wrote.
        prefix: a module within the network that was written, such as "encoder.lstm"; its
            entries come alone, without the prefix. All of them unless given.

    Returns:
        Arrays of the numbers in the file. bfloat16, which NumPy lacks, comes as float32,
        of which it is the upper half, so nothing is rounded.

    Raises:
        FileNotFoundError, IsADirectoryError: where there is no such file, or a folder.
        ModelFileError: where it is not safetensors, or damaged; a pickle, as `torch.save`
            writes, is told but never opened. Where there are entries of a kind of number
            that NumPy lacks, naming them; where nothing is under `prefix`.
    """
    tensors, _ = _decoded(path)
    head = f"{prefix.removesuffix('.')}." if prefix else ""
    found = {
        name.removeprefix(head): x for name, x in tensors.items() if name.startswith(head)
    }
    if tensors and not found:
        modules = sorted({name.rpartition(".")[0] for name in tensors} - {""})
        raise ModelFileError(
            f"{path}: no entry is under prefix={prefix!r}; there are entries under "
            f"{', '.join(modules) or 'no prefix at all'}"
        )
    return found


def _encoded(tensors: dict[str, Any], text: dict[str, str] | None) -> bytes:
    safetensors = require("safetensors.numpy", "all", "Writing a safetensors file")
    arrays = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf" and array.dtype != np.complex64:
            raise TypeError(
                f"{name} is {array.dtype}, which safetensors lacks; expected real numbers"
            )
    data: bytes = safetensors.save(arrays, metadata=text)
    return data


def _decoded(path: str | Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The arrays and the text of any safetensors file; errors as in `load_weights`."""
    safetensors = require("safetensors", "all", "Reading a safetensors file")
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path}: a folder, expected a safetensors file in it")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            kinds = {n: file.get_slice(n).get_dtype() for n in file.keys()}  # noqa: SIM118
            strange = [f"{n} is {k}" for n, k in kinds.items() if k not in NUMBERS]
            if strange:
                raise ModelFileError(
                    f"{path}: {', '.join(strange)}, numbers that NumPy lacks; write them "
                    "as float32"
                )
            tensors = {n: file.get_tensor(n) for n, k in kinds.items() if k != "BF16"}
        if len(tensors) < len(kinds):
            for name, entry in safetensors.deserialize(path.read_bytes()):
                if entry["dtype"] == "BF16":
                    tensors[name] = _widened(entry["data"]).reshape(entry["shape"])
    except safetensors.SafetensorError as error:
        raise ModelFileError(
            f"{path}: not a safetensors file, or damaged ({error}){_pickled(path)}"
        ) from error
    return tensors, metadata


def _widened(data: bytes) -> Any:
    """The float32 numbers whose upper halves are the bfloat16 numbers `data`."""
    halves = np.frombuffer(data, "<u2").astype(np.uint32)
    return (halves << 16).view(np.float32)


def _pickled(path: Path) -> str:
    """What to say of a file that is a pickle, plain or in a zip file as PyTorch's are."""
    with path.open("rb") as file:
        head = file.read(9)
    # After the length of its header, a safetensors file has a brace.
    if not (head.startswith((b"PK\x03\x04", b"\x80")) and head[8:] != b"{"):
        return ""
    return (
        ". It is a pickle, as torch.save writes: reading one may run any code, so it is "
        "not opened. In PyTorch, safetensors.torch.save_file(torch.load("
        f"{path.name!r}, weights_only=True), 'weights.safetensors') converts it"
    )


def save(model: Module, path: str | Path, details: dict[str, Any] | None = None) -> None:
    """Write a network: its parameters, its architecture, and `details` (any JSON).

    Raises:
        TypeError: for what is none of this library's networks, a subclass of one
            included, which `load` could not make again; for details that are no JSON.
        IsADirectoryError: where `path` is a folder.
    """
    kind = type(model)
    if ARCHITECTURES.get(kind.__name__) is not kind:
        raise TypeError(
            f"save: got a {kind.__name__}, expected one of {', '.join(ARCHITECTURES)}, "
            "which `load` can make again. The arrays alone: "
            "save_weights(network.state_dict(), path)"
        )
    if Path(path).is_dir():
        raise IsADirectoryError(f"save: {path} is a folder, expected the path of a file")
    try:
        json.dumps(details)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"save: the details are not JSON: {error}. Expected dicts, lists, strings "
            "and numbers; of an array, array.tolist()"
        ) from error
    architecture = {"class": type(model).__name__, "arguments": model.config}
    metadata = {"architecture": architecture, "details": details or {}}
    write_tensors(path, model.state_dict(), metadata)


def load(path: str | Path) -> tuple[Any, dict[str, Any]]:
    """The network that `save` wrote, and its details.

    Nothing in the file is run: the architecture is looked up by name.

    Raises:
        FileNotFoundError, IsADirectoryError, ModelFileError: see `read_tensors`; and
            where the architecture is unknown or the parameters do not fit it.
    """
    tensors, metadata = read_tensors(path)
    try:
        described = metadata["architecture"]
        model = ARCHITECTURES[described["class"]](**described["arguments"])
        model.load_state_dict(tensors)
        bad = [name for name, value in tensors.items() if not np.isfinite(value).all()]
        if bad:
            raise ValueError(f"{', '.join(bad)} has entries that are not finite")
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"{path}: not a network that can be used: {error}; known architectures are "
            f"{', '.join(ARCHITECTURES)}"
        ) from error
    return model, metadata.get("details", {})
