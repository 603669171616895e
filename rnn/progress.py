"""Progress of long work: a bar in a terminal, a line now and then in a log file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autograd.extras import require

__all__ = ["Advance", "progress"]

Advance = Callable[[int, str], None]
Each = tuple[str, float] | None
LOG_SECONDS = 5.0


@contextmanager
def progress(
    what: str, total: int, done: int = 0, each: Each = None
) -> Iterator[Advance]:
    """Show how far `total` units of work have come, on standard error.

    Beside the note it tells how many are done in a second, and the time left.

    Args:
        what: what the work is called.
        total: how many units it has.
        done: how many were done before, by a run that this one resumes.
        each: what a unit is made of and how much of it, e.g. ("words", 700): that is
            counted in a second then.

    Yields:
        advance(done, note): how many are done in all, and a few words on their state.
    """
    rich = require("rich.console", "all", "A progress bar")
    console = rich.Console(stderr=True)
    show = _bar if console.is_terminal else _log
    yield from show(console, what, total, done, each)


def _bar(
    console: Any, what: str, total: int, done: int, each: Each = None
) -> Iterator[Advance]:
    bars = require("rich.progress", "all", "A progress bar")
    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.TextColumn("{task.fields[speed]}"),
        bars.TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        bars.TextColumn("{task.fields[note]}"),
    )
    with bars.Progress(*columns, console=console) as bar:
        task = bar.add_task(what, total=total, completed=done, note="", speed="")

        def advance(done: int, note: str) -> None:
            speed = _speed(bar.tasks[0].speed or 0.0, each)
            bar.update(task, completed=done, note=note, speed=speed)

        yield advance


def _log(
    console: Any, what: str, total: int, before: int, each: Each = None
) -> Iterator[Advance]:
    start = last = time.monotonic()

    def advance(done: int, note: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= LOG_SECONDS or done == total:
            last = now
            speed = (done - before) / max(now - start, 1e-9)
            left = (total - done) / speed if speed else 0.0
            rate = _speed(speed, each)
            line = f"{what}: {done}/{total}, {rate}, {left:.0f} s left, {note}"
            console.print(line, highlight=False, markup=False, soft_wrap=True)

    yield advance


def _speed(speed: float, each: Each = None) -> str:
    """Units a second, or seconds a unit; or so many times what a unit is made of.

    >>> _speed(12.34), _speed(0.25), _speed(5.0, ("words", 700))
    ('12.3/s', '4 s each', '3,500 words/s')
    """
    if not speed:
        return ""
    if each is not None:
        return f"{speed * each[1]:,.0f} {each[0]}/s"
    return f"{speed:.3g}/s" if speed >= 1 else f"{1 / speed:.3g} s each"
