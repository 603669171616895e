"""How many numbers a network that is built may have: as many as its file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import prod

__all__ = ["budget", "charge"]

_LEFT: ContextVar[list[int] | None] = ContextVar("left", default=None)


@contextmanager
def budget(numbers: int) -> Iterator[None]:
    """Build networks of so many numbers inside, at the most; see `charge`."""
    token = _LEFT.set([numbers])
    try:
        yield
    finally:
        _LEFT.reset(token)


def charge(shape: tuple[int, ...]) -> None:
    """Count the numbers of a parameter, before there is memory for them.

    Raises:
        ValueError: inside of `budget`, if there are more than it has left.
    """
    left = _LEFT.get()
    if left is None:
        return
    left[0] -= prod(int(size) for size in shape)
    if left[0] < 0:
        raise ValueError(
            f"the sizes ask for a parameter of shape {tuple(map(int, shape))}, which is "
            "more numbers than the file has left"
        )
