"""What holds while operations are recorded: whether they are, and under which path."""

from __future__ import annotations

import threading
from contextlib import ContextDecorator

__all__ = ["context", "no_grad", "scope"]


class _Context(threading.local):
    recording = True
    scope = ""


context = _Context()


class no_grad(ContextDecorator):
    """Context manager and decorator: operations inside are computed, not recorded."""

    def __enter__(self) -> None:
        self.outer = context.recording
        context.recording = False

    def __exit__(self, *exc: object) -> None:
        context.recording = self.outer

    def _recreate_cm(self) -> no_grad:
        return no_grad()


class scope(ContextDecorator):
    """Context manager: operations recorded inside carry the path `outer/name`.

    Unrolled networks lay each step in `scope("t=3")`, which is how a graph knows its
    time steps.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        self.outer = context.scope
        context.scope = f"{self.outer}/{self.name}" if self.outer else self.name

    def __exit__(self, *exc: object) -> None:
        context.scope = self.outer

    def _recreate_cm(self) -> scope:
        return scope(self.name)
