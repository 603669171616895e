"""What holds while operations are recorded: whether they are, and under which path."""

from __future__ import annotations

import threading
from contextlib import ContextDecorator

__all__ = ["context", "no_grad", "recording", "scope"]


class _Context(threading.local):
    recording = True
    scope = ""
    lines: dict[int, str] | None = None
    """Where each operation was called, while `detect_anomaly` wants to know."""


context = _Context()


class _Switch(ContextDecorator):
    """Sets whether operations are recorded; what held before holds again after."""

    value = False

    def __init__(self) -> None:
        self.outer: list[bool] = []

    def __enter__(self) -> None:
        self.outer.append(context.recording)
        context.recording = self.value

    def __exit__(self, *exc: object) -> None:
        context.recording = self.outer.pop()

    def _recreate_cm(self) -> _Switch:
        return type(self)()


class no_grad(_Switch):
    """Context manager and decorator: operations inside are computed, not recorded."""


class recording(_Switch):
    """Context manager: operations inside are recorded, even within `no_grad`.

    A function that is being differentiated is recorded wherever that is asked for.
    """

    value = True


class scope(ContextDecorator):
    """Context manager: operations recorded inside carry the path `outer/name`.

    Unrolled networks lay each step in `scope("t=3")`, which is how a graph knows its
    time steps.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.outer: list[str] = []

    def __enter__(self) -> None:
        self.outer.append(context.scope)
        inside = context.scope
        context.scope = f"{inside}/{self.name}" if inside else self.name

    def __exit__(self, *exc: object) -> None:
        context.scope = self.outer.pop()

    def _recreate_cm(self) -> scope:
        return scope(self.name)
