"""What holds while operations are recorded: whether they are, and under which path."""

from __future__ import annotations

from contextlib import ContextDecorator
from contextvars import ContextVar
from typing import Any, NamedTuple

__all__ = ["Setting", "State", "no_grad", "recording", "scope", "state", "under"]


class State(NamedTuple):
    """What holds now.

    Attributes:
        recording: whether operations are recorded.
        scope: the path they carry.
        lines: where each operation was called, while `detect_anomaly` wants to know.
        tape: what writes the program down, while one is recorded.
    """

    recording: bool = True
    scope: str = ""
    lines: dict[int, str] | None = None
    tape: Any = None


START = State()
state: ContextVar[State] = ContextVar("autograd", default=START)
"""Each thread, and each task of asyncio, has its own."""


class Setting(ContextDecorator):
    """Changes the state; what held before holds again after. May be entered again."""

    def __init__(self) -> None:
        self.outer: list[State] = []

    def changed(self, now: State) -> State:
        """The state inside."""
        raise NotImplementedError

    def __enter__(self) -> None:
        now = state.get()
        self.outer.append(now)
        state.set(self.changed(now))

    def __exit__(self, *exc: object) -> None:
        state.set(self.outer.pop())

    def _recreate_cm(self) -> Setting:
        return type(self)()


class no_grad(Setting):
    """Context manager and decorator: operations inside are computed, not recorded."""

    def changed(self, now: State) -> State:
        """The state inside."""
        return now._replace(recording=False)


class recording(Setting):
    """Context manager: operations inside are recorded, even within `no_grad`.

    A function that is being differentiated is recorded wherever that is asked for.
    """

    def changed(self, now: State) -> State:
        """The state inside."""
        return now._replace(recording=True)


class under(Setting):
    """Context manager: this state, whatever holds outside."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self.state = state

    def changed(self, now: State) -> State:
        """The state inside."""
        return self.state


class scope(Setting):
    """Context manager: operations recorded inside carry the path `outer/name`.

    Unrolled networks lay each step in `scope("t=3")`, which is how a graph knows its
    time steps.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def changed(self, now: State) -> State:
        """The state inside."""
        path = f"{now.scope}/{self.name}" if now.scope else self.name
        return State(now.recording, path, now.lines, now.tape)

    def _recreate_cm(self) -> scope:
        return scope(self.name)
