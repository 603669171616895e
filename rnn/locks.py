"""Locks of the operating system: one process at a time writes to a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rnn.files import ModelFileError

__all__ = ["alone"]

TRIES = 20
"""How often a lock file that its owner has just deleted is opened again."""


class _HeldError(Exception):
    """Another process has the lock."""


@contextmanager
def alone(lock: Path, what: Path) -> Iterator[None]:
    """Keep others from `what` inside; a process that dies lets go of it.

    The lock is the operating system's, on a file that is deleted in the end. Where there
    are no such locks, or no file can be made, nobody is kept out.

    Args:
        lock: the file.
        what: what it stands for, as the message has it.

    Raises:
        ModelFileError: if another run has the lock.
    """
    handle = None
    with suppress(OSError):
        lock.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = _acquired(lock)
        except _HeldError:
            raise ModelFileError(
                f"{what}: another run{_owner(lock)} is writing to it. Wait until it has "
                "ended, or write somewhere else"
            ) from None
    try:
        yield
    finally:
        if handle is not None:
            with suppress(OSError):
                lock.unlink()  # while it is locked, so that it is ours
            os.close(handle)


def _acquired(lock: Path) -> int:
    """An open file that is locked, and that `lock` still names."""
    for _ in range(TRIES):
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(handle)
            if lock.exists() and os.path.samestat(os.fstat(handle), lock.stat()):
                os.ftruncate(handle, 0)
                os.write(handle, f"{os.getpid()}\n".encode())
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
    raise _HeldError


def _lock(handle: int) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, 2**20, os.SEEK_SET)  # so that the number can be read
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            os.lseek(handle, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        raise _HeldError from None


def _owner(lock: Path) -> str:
    with suppress(OSError, ValueError):
        return f" (process {int(lock.read_text())})"
    return ""
