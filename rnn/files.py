"""Models and checkpoints on disk: safetensors, with the architecture in the metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from autograd.extras import require
from autograd.files import written
from rnn.boltzmann import BoltzmannMachine, RestrictedBoltzmannMachine
from rnn.cells import GRUCell, LSTMCell, RNNCell
from rnn.elman import ElmanNetwork
from rnn.hopfield import Hopfield
from rnn.layers import MLP, Embedding, LayerNorm, Linear
from rnn.module import Module
from rnn.recurrent import GRU, LSTM, RNN
from rnn.window import WindowMLP

__all__ = [
    "ModelFileError", "load", "read_tensors", "save", "tensor_bytes", "write_tensors",
]  # fmt: skip

ARCHITECTURES: dict[str, type[Module]] = {
    kind.__name__: kind
    for kind in (
        ElmanNetwork, WindowMLP, RNN, GRU, LSTM, RNNCell, GRUCell, LSTMCell, Linear,
        Embedding, LayerNorm, MLP, Hopfield, BoltzmannMachine,
        RestrictedBoltzmannMachine,
    )
}  # fmt: skip
FORMAT = "unrolled"


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
    safetensors = require("safetensors.numpy", "all", "Writing a safetensors file")
    text = {"format": FORMAT, "unrolled": json.dumps(metadata, ensure_ascii=False)}
    arrays = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    data: bytes = safetensors.save(arrays, metadata=text)
    return data


def read_tensors(path: str | Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arrays and the JSON that `write_tensors` wrote.

    Raises:
        FileNotFoundError: where there is no such file.
        ModelFileError: where it is not safetensors, is cut short, or is not ours.
    """
    require("safetensors", "all", "Reading a safetensors file")
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ModelFileError(
            f"{path}: not a safetensors file, or damaged ({error})"
        ) from error
    if metadata.get("format") != FORMAT:
        raise ModelFileError(f"{path}: a safetensors file, but not one of unrolled's")
    try:
        return tensors, json.loads(metadata["unrolled"])
    except (KeyError, json.JSONDecodeError) as error:
        raise ModelFileError(f"{path}: the metadata is damaged ({error})") from error


def save(model: Module, path: str | Path, details: dict[str, Any] | None = None) -> None:
    """Write a network: its parameters, its architecture, and `details` (any JSON)."""
    architecture = {"class": type(model).__name__, "arguments": model.config}
    metadata = {"architecture": architecture, "details": details or {}}
    write_tensors(path, model.state_dict(), metadata)


def load(path: str | Path) -> tuple[Any, dict[str, Any]]:
    """The network that `save` wrote, and its details.

    Nothing in the file is run: the architecture is looked up by name.

    Raises:
        FileNotFoundError, ModelFileError: see `read_tensors`; and where the architecture
            is unknown or the parameters do not fit it.
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
