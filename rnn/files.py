"""Models and checkpoints on disk: safetensors, with the architecture in the metadata."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np

from autograd.files import path_of, written
from rnn.boltzmann import BoltzmannMachine, RestrictedBoltzmannMachine
from rnn.budget import budget
from rnn.cells import GRUCell, LSTMCell, RNNCell
from rnn.elman import ElmanNetwork
from rnn.hopfield import Hopfield
from rnn.language_model import LanguageModel
from rnn.layers import MLP, Embedding, LayerNorm, Linear
from rnn.module import Module, tie
from rnn.recurrent import GRU, LSTM, RNN
from rnn.tensorfile import ModelFileError, decoded, encoded, parsed
from rnn.window import WindowMLP

__all__ = [
    "ModelFileError", "load", "load_weights", "read_tensors", "save", "save_weights",
    "tensor_bytes", "write_tensors",
]  # fmt: skip

Path = str | bytes | PathLike[str]

ARCHITECTURES: dict[str, type[Module]] = {
    kind.__name__: kind
    for kind in (
        ElmanNetwork, WindowMLP, RNN, GRU, LSTM, RNNCell, GRUCell, LSTMCell, Linear,
        Embedding, LayerNorm, MLP, LanguageModel, Hopfield, BoltzmannMachine,
        RestrictedBoltzmannMachine,
    )
}  # fmt: skip
SMALLEST: dict[str, tuple[Any, ...]] = {
    "ElmanNetwork": (1, 1, 1), "WindowMLP": (1, 1, 1, 1), "LanguageModel": (1, 1, 1),
    "MLP": ([1, 1],), "LayerNorm": (1,), "Hopfield": (1,), "BoltzmannMachine": (1,),
}  # fmt: skip
"""Arguments of the smallest network of a kind; (1, 1) of the others."""
FORMAT = "unrolled"
MISSING_NUMBERS = 100_000
"""How many numbers a file may lack for its missing arrays to be named."""
JSON_KINDS = {
    dict: "an object", list: "a list", str: "a text", bool: "true or false",
    int: "a whole number", float: "a number", type(None): "null",
}  # fmt: skip


def write_tensors(path: Path, tensors: dict[str, Any], metadata: dict[str, Any]) -> None:
    """Write arrays by name, and any JSON beside them, as one safetensors file."""
    data = tensor_bytes(tensors, metadata)
    with written(path) as temporary:
        temporary.write_bytes(data)


def tensor_bytes(tensors: dict[str, Any], metadata: dict[str, Any]) -> bytes:
    """The safetensors file of arrays by name, and any JSON beside them."""
    return encoded(tensors, {"format": FORMAT, "unrolled": _as_text(metadata)})


def _as_text(metadata: Any) -> str:
    """JSON; numbers of NumPy are Python's there."""
    return json.dumps(metadata, ensure_ascii=False, default=np.generic.item)


def read_tensors(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arrays and the JSON that `write_tensors` wrote.

    Raises:
        FileNotFoundError, IsADirectoryError: where there is no such file, or a folder.
        ModelFileError: where it is not safetensors, is cut short, or is not ours.
    """
    path = path_of(path)
    tensors, text = decoded(path)
    if text.get("format") != FORMAT:
        raise ModelFileError(
            f"{path}: a safetensors file, but not one of unrolled's; `load_weights` "
            "reads the arrays in it, for a network's `load_state_dict`"
        )
    try:
        metadata = parsed(text.get("unrolled", ""))
    except ValueError as error:
        raise ModelFileError(f"{path}: the metadata is damaged ({error})") from None
    if not isinstance(metadata, dict):
        raise ModelFileError(
            f"{path}: the metadata is damaged ({_kind(metadata)}, expected an object)"
        )
    return tensors, metadata


def _kind(value: Any) -> str:
    """What a JSON value is, in words."""
    return JSON_KINDS[type(value)]


def save_weights(state: dict[str, Any], path: Path) -> None:
    """Write arrays by name, such as a `state_dict`, for any reader of safetensors.

    In PyTorch, `module.load_state_dict(safetensors.torch.load_file(path))` takes them.

    Raises:
        TypeError: for what are no arrays by name, or not of numbers.
        ValueError: for a name that no safetensors file can have.
        OSError: if the file cannot be written; it names the file.
    """
    if not isinstance(state, Mapping):
        raise TypeError(
            f"save_weights: got a {type(state).__name__}, expected arrays by name, as "
            "network.state_dict() gives them"
        )
    data = encoded(state)
    with written(path) as temporary:
        temporary.write_bytes(data)


def load_weights(path: Path, prefix: str = "") -> dict[str, Any]:
    """The arrays by name in a safetensors file, whoever wrote it, for `load_state_dict`.

    Args:
        path: such as `safetensors.torch.save_file(module.state_dict(), path)` wrote.
        prefix: a module within the network that was written, such as "encoder.lstm"; its
            entries come alone, without the prefix. All of them unless given.

    Returns:
        Arrays of the numbers in the file. bfloat16, which NumPy lacks, comes as float32,
        of which it is the upper half, so nothing is rounded. A parameter with two names,
        which `safetensors.torch.save_model` writes once, comes under both.

    Raises:
        FileNotFoundError, IsADirectoryError: where there is no such file, or a folder.
        ModelFileError: where it is not safetensors, or damaged; a pickle, as `torch.save`
            writes, is told but never opened. Where there are entries of a kind of number
            that NumPy lacks, naming them; where nothing is under `prefix`.
    """
    path = path_of(path)
    tensors, text = decoded(path)
    # What safetensors.torch.save_model leaves out: names of a parameter with several.
    kept = {n: first for n, first in text.items() if n not in tensors}
    tensors |= {n: np.array(tensors[k]) for n, k in kept.items() if k in tensors}
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


def save(model: Module, path: Path, details: dict[str, Any] | None = None) -> None:
    """Write a network: its parameters, its architecture, and `details` (any JSON).

    Raises:
        TypeError: for what is none of this library's networks, a subclass of one
            included, which `load` could not make again; for details that are no JSON.
        OSError: if the file cannot be written, or `path` is a folder; it names the file.
    """
    kind = type(model)
    if ARCHITECTURES.get(kind.__name__) is not kind:
        raise TypeError(
            f"save: got a {kind.__name__}, expected one of {', '.join(ARCHITECTURES)}, "
            "which `load` can make again. The arrays alone: "
            "save_weights(network.state_dict(), path)"
        )
    if path_of(path).is_dir():
        raise IsADirectoryError(
            f"save: {path_of(path)} is a folder, expected the path of a file"
        )
    details = {} if details is None else details
    try:
        if not isinstance(details, dict):
            raise TypeError(f"a {type(details).__name__}")
        json.dumps(details, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"save: the details are not JSON: {error}. Expected dicts, lists, strings "
            "and numbers; of an array, array.tolist()"
        ) from error
    architecture: dict[str, Any] = {"class": kind.__name__, "arguments": model.config}
    metadata = {"architecture": architecture, "details": details}
    first = {p: name for name, p in model.parameters().items()}
    if tied := {n: first[p] for n, p in model.under_all_names() if first[p] != n}:
        architecture["tied"] = tied
    write_tensors(path, {name: p.data for p, name in first.items()}, metadata)


def load(path: Path) -> tuple[Any, dict[str, Any]]:
    """The network that `save` wrote, and its details.

    Nothing in the file is run: the architecture is looked up by name. Sizes are held
    against the numbers in the file before there is memory for them.

    Raises:
        FileNotFoundError, IsADirectoryError, ModelFileError: see `read_tensors`; and
            where the architecture is unknown or the parameters do not fit it.
    """
    path = path_of(path)
    tensors, metadata = read_tensors(path)
    try:
        model = _built(metadata.get("architecture"), tensors)
        model.load_state_dict(tensors)
        bad = [name for name, value in tensors.items() if not np.isfinite(value).all()]
        if bad:
            raise ValueError(f"{', '.join(bad)} has entries that are not finite")
        details = _entry(metadata, "details", dict, {})
    except ValueError as error:
        raise ModelFileError(
            f"{path}: not a network that can be used: {error}; known architectures are "
            f"{', '.join(ARCHITECTURES)}"
        ) from error
    return model, details


def _built(described: Any, tensors: dict[str, Any]) -> Module:
    """The network of a description in a file, with initial parameters.

    Raises:
        ValueError: if it describes none, or one of more numbers than the file has.
    """
    if not isinstance(described, dict):
        raise ValueError(f"the architecture is {_kind(described)}, expected an object")
    kind = _entry(described, "class", str)
    arguments = _entry(described, "arguments", dict)
    tied = _entry(described, "tied", dict, {})
    if kind not in ARCHITECTURES:
        raise ValueError(f"the class is {kind!r}, which is unknown")
    _check_arguments(kind, arguments)
    twice = [tensors[first].size for first in map(str, tied.values()) if first in tensors]
    numbers = sum(x.size for x in tensors.values()) + sum(twice)
    with budget(numbers + MISSING_NUMBERS), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # given when the network was made
        model = ARCHITECTURES[kind](**arguments)
    for name, first in tied.items():
        tie(model, name, first)
    return model


def _entry(found: dict[str, Any], name: str, kind: type, default: Any = None) -> Any:
    """An entry of the metadata; ValueError if it is missing or something else."""
    value = found.get(name, default)
    if not isinstance(value, kind):
        what = f"is {_kind(value)}" if name in found else "is missing"
        raise ValueError(f"{name} {what}, expected {JSON_KINDS[kind]}")
    return value


def _check_arguments(kind: str, arguments: dict[str, Any]) -> None:
    """Raise ValueError unless they are of the kinds that a network of that class has."""
    config = ARCHITECTURES[kind](*SMALLEST.get(kind, (1, 1))).config
    for name, value in arguments.items():
        if name not in config:
            raise ValueError(f"{kind} has no argument {name!r}, only {', '.join(config)}")
        _check_kind(name, value, type(config[name]))
        if isinstance(value, list):
            for part in value:
                _check_kind(f"an entry of {name}", part, int)
    given = SMALLEST.get(kind, (1, 1))
    missing = [name for name in list(config)[: len(given)] if name not in arguments]
    if missing:
        raise ValueError(f"{kind} has no {', '.join(missing)}")


def _check_kind(name: str, value: Any, expected: type) -> None:
    if type(value) is not expected and (type(value), expected) != (int, float):
        raise ValueError(f"{name} is {_kind(value)}, expected {JSON_KINDS[expected]}")
