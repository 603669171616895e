"""Writing files so that nothing is lost: to a temporary name first, then renamed."""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["beside", "leftovers", "path_of", "written"]

MAX_NAME_BYTES = 143
"""The longest name that all common file systems take (that of eCryptfs)."""
DRAWN_BYTES = 10
"""What a temporary name has beside the file's own: a dot, a dash, eight characters."""


@contextmanager
def written(path: str | bytes | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path to write to, renamed to `path` if the block ends well.

    The file that a symbolic link leads to is written, and the link stays.

    Raises:
        OSError: if the file cannot be written, naming it. What was there before stays.
    """
    given = path_of(path)
    path = Path(os.path.realpath(given))
    name = beside(path, "", DRAWN_BYTES)
    drawn = str(path.with_name(f".{name.stem}-"))
    temporary = None
    try:
        _check_kind(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, made = tempfile.mkstemp(
            prefix=f".{name.stem}-", suffix=name.suffix, dir=path.parent
        )
        os.close(handle)
        temporary = Path(made)
        temporary.chmod(0o666 & ~_umask())
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.filename is None or str(error.filename).startswith(drawn):
            raise OSError(error.errno, error.strerror, str(given)) from error
        raise
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def leftovers(path: Path) -> list[Path]:
    """The temporary files of `path` that killed processes left."""
    name = beside(path, "", DRAWN_BYTES)
    pattern = f".{glob.escape(name.stem)}-????????{glob.escape(name.suffix)}"
    return list(path.parent.glob(pattern))


def _check_kind(path: Path) -> None:
    """Raise OSError if there is something else than a regular file."""
    if path.is_dir():
        raise OSError(errno.EISDIR, "a folder, expected the path of a file")
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "a device or a pipe, expected the path of a file")


def path_of(path: str | bytes | os.PathLike[str]) -> Path:
    """A path, given as text, bytes or a Path."""
    return Path(os.fsdecode(path))


def beside(path: Path, mark: str, spare: int = 0) -> Path:
    """The path of a file that belongs to `path`: "a.mark.txt" for "a.txt".

    A name that no file system may take is made shorter; it has a digest of the long one.

    Args:
        path: a file's path.
        mark: what stands before the ending.
        spare: how many bytes more the name must have room for.
    """
    stem, suffix = path.stem, path.suffix
    if len(os.fsencode(f"{stem}{mark}{suffix}")) + spare > MAX_NAME_BYTES:
        digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]
        start = os.fsencode(stem)[:40].decode(errors="ignore")
        suffix = suffix if len(os.fsencode(suffix)) <= 40 else ""
        stem = f"{start}-{digest}"
    return path.with_name(f"{stem}{mark}{suffix}")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
