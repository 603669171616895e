"""Checkpoints that survive: of the last two written, one is whole at every moment."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import warnings
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from autograd.extras import require
from autograd.files import beside, leftovers, path_of, written
from rnn.files import ModelFileError, read_tensors, tensor_bytes

__all__ = ["Checkpoint", "Contents", "OtherRunError", "digest", "forget"]

Contents = tuple[dict[str, Any], dict[str, Any]]
"""Arrays by name, and JSON."""


class OtherRunError(ModelFileError):
    """A good checkpoint, but of another run."""


class Checkpoint:
    """A file, and beside it the one that was written before.

    A new one is written whole under a temporary name; then `path` becomes `previous`, and
    it becomes `path`. Whenever the process is killed, one of the two is there, and a
    full disk costs neither. Both carry a checksum.

    Args:
        path: the file, "checkpoint.safetensors".

    Attributes:
        path: it.
        previous: the one before, "checkpoint.previous.safetensors".
        lock: a file that is there while a run goes on, "checkpoint.lock.safetensors".
    """

    def __init__(self, path: str | bytes | PathLike[str]) -> None:
        require("safetensors", "all", "A checkpoint")
        self.path = Path(os.path.realpath(path_of(path)))
        self.previous = beside(self.path, ".previous")
        self.lock = beside(self.path, ".lock")
        self._sound = False
        if self.path.exists() and not self.path.is_file():
            what = "a folder" if self.path.is_dir() else "a device or a pipe"
            raise OSError(
                errno.EISDIR, f"{what}, expected the path of a checkpoint", str(path)
            )

    def write(self, tensors: dict[str, Any], metadata: dict[str, Any]) -> None:
        """Write arrays by name, and JSON; OSError where the disk cannot hold them."""
        sealed = {"contents": metadata, "sha256": _seal(tensors, metadata)}
        data = tensor_bytes(tensors, sealed)
        with written(self.path) as temporary:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            # A damaged one must not take the place of the one before, which was read.
            if self._sound and self.path.exists():
                self.path.replace(self.previous)
        self._sound = True

    def read(
        self, check: Callable[[Path, Contents], None] = lambda path, contents: None
    ) -> tuple[Path, Contents] | None:
        """The last good checkpoint and where it lies; None where there is none at all.

        Warns where the last one is damaged and the one before serves, naming both.

        Args:
            check: raises ValueError for contents that cannot be used.

        Raises:
            ModelFileError: if all that there is is damaged.
            OtherRunError: as `check` raises it.
        """
        for left in leftovers(self.path):
            left.unlink(missing_ok=True)
        damaged: list[str] = []
        for path in (self.path, self.previous):
            try:
                contents = _read(path)
                check(path, contents)
            except FileNotFoundError:
                continue
            except OtherRunError:
                raise
            except (ModelFileError, OSError) as error:
                damaged.append(str(error))
            except ValueError as error:
                damaged.append(f"{path}: the checkpoint of another version ({error})")
            else:
                self._sound = path == self.path
                if damaged:
                    message = f"{damaged[0]}. Going on from the one before it, {path}"
                    warnings.warn(message, stacklevel=4)
                return path, contents
        if damaged:
            raise ModelFileError(
                f"{'; '.join(damaged)}. There is no other checkpoint: delete it to begin "
                "anew"
            )
        return None

    def forget(self) -> None:
        """Delete both files, and what a killed process left of others."""
        for path in (self.path, self.previous, self.lock, *leftovers(self.path)):
            path.unlink(missing_ok=True)


def forget(path: str | bytes | PathLike[str]) -> None:
    """Delete a checkpoint that is no longer needed, and the one before it."""
    Checkpoint(path).forget()


def digest(array: Any) -> str:
    """A short name for an array's numbers and their order, for `run`."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def _read(path: Path) -> Contents:
    tensors, sealed = read_tensors(path)
    contents = sealed.get("contents")
    if not isinstance(contents, dict):
        raise ModelFileError(f"{path}: not a checkpoint")
    if sealed.get("sha256") != _seal(tensors, contents):
        raise ModelFileError(f"{path}: damaged: what it holds is not what was written")
    return tensors, contents


def _seal(tensors: dict[str, Any], metadata: dict[str, Any]) -> str:
    """A checksum of all that a checkpoint holds."""
    found = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name in sorted(tensors):
        array = np.asarray(tensors[name])
        found.update(f"{name} {array.dtype} {array.shape}".encode())
        found.update(array.tobytes())
    return found.hexdigest()
