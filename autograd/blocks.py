"""Large arrays a few rows at a time: what is made on the way stays in the cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd.tensor import Tensor, clock

__all__ = ["in_place", "in_rows"]

CACHED = 2**16
"""Elements of a few rows."""


def in_rows(*arrays: Any) -> Iterator[list[Any]]:
    """The same few rows of each array at a time, as views.

    Args:
        arrays: of one length, a row of the first the largest; or numbers all, which come
            as they are.
    """
    first = arrays[0]
    if not first.ndim:
        yield list(arrays)
        return
    step = max(1, CACHED * len(first) // max(first.size, 1))
    for start in range(0, len(first), step):
        yield [x[start : start + step] for x in arrays]


@contextmanager
def in_place(p: Tensor) -> Iterator[Any]:
    """The array of p, to be changed.

    A sweep through what was computed from p before raises then, as for a value that was
    set.
    """
    if not p._owner or type(p._data) is float:
        value = np.array(p._data)
        yield value
        p.data = value
        return
    try:
        yield p._data
    finally:
        p._since = next(clock)
