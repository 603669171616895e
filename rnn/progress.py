"""Progress of long work: a bar in a terminal, a line now and then in a log file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autograd.extras import require

__all__ = ["Advance", "progress"]

Advance = Callable[[int, str], None]
LOG_SECONDS = 5.0


@contextmanager
def progress(what: str, total: int) -> Iterator[Advance]:
    """Show how far `total` units of work have come, on standard error.

    Yields:
        advance(done, note): how many are done in all, and a few words on their state.
    """
    rich = require("rich.console", "all", "A progress bar")
    console = rich.Console(stderr=True)
    show = _bar if console.is_terminal else _log
    yield from show(console, what, total)


def _bar(console: Any, what: str, total: int) -> Iterator[Advance]:
    bars = require("rich.progress", "all", "A progress bar")
    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        bars.TextColumn("{task.fields[note]}"),
    )
    with bars.Progress(*columns, console=console) as bar:
        task = bar.add_task(what, total=total, note="")
        yield lambda done, note: bar.update(task, completed=done, note=note)


def _log(console: Any, what: str, total: int) -> Iterator[Advance]:
    start = last = time.monotonic()

    def advance(done: int, note: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= LOG_SECONDS or done == total:
            last = now
            left = (now - start) / max(done, 1) * (total - done)
            line = f"{what}: {done}/{total}, {left:.0f} s left, {note}"
            console.print(line, highlight=False, markup=False, soft_wrap=True)

    yield advance
