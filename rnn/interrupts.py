"""Signals: an interrupted run ends in order, however often it is interrupted."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["interrupted_once", "shielded"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def shielded() -> Iterator[None]:
    """Hold off Ctrl-C and SIGTERM until the block has ended."""
    came: list[int] = []
    before = _handled(lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came[:1]:
            signal.raise_signal(number)


@contextmanager
def interrupted_once() -> Iterator[list[int]]:
    """Ctrl-C or SIGTERM raises KeyboardInterrupt inside, and further ones are ignored.

    They are ignored until the process ends, since the interpreter's own end must not be
    interrupted either.

    Yields:
        the signal that came, if one did.
    """
    came: list[int] = []

    def interrupt(number: int, frame: Any) -> None:
        came.append(number)
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = _handled(interrupt)
    try:
        yield came
    finally:
        if not came:
            for number, handler in before.items():
                signal.signal(number, handler)


def _handled(handler: Any) -> dict[int, Any]:
    """Set a handler for the signals that are not ignored; their handlers before."""
    if threading.current_thread() is not threading.main_thread():
        return {}  # where Python allows no handlers, and no signal is handled
    before = {number: signal.getsignal(number) for number in SIGNALS}
    found: dict[int, Any] = {
        n: old for n, old in before.items() if old not in (None, signal.SIG_IGN)
    }
    for number in found:
        signal.signal(number, handler)
    return found
