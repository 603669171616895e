"""What plots are given: arrays of numbers, told at the call that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["by_name", "numbers"]

Array = np.ndarray[Any, Any]


def numbers(plot: str, name: str, values: Any, form: str, *sizes: int | None) -> Array:
    """Some numbers as an array.

    Args:
        plot, name: who asks, for what.
        values: the numbers, also as lists.
        form: the shape in words, "(T, S)".
        sizes: the shape; None for a size that may be any from 1.

    Raises:
        ValueError: for another shape, or what are no real numbers.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{plot}: {name} are no array {form}: {error}") from error
    fits = len(sizes) == array.ndim and all(
        n > 0 if size is None else n == size
        for n, size in zip(array.shape, sizes, strict=True)
    )
    if not fits or array.dtype.kind not in "biuf":
        known = "" if None in sizes else f" = {tuple(sizes)}"
        what = type(values).__name__ if array.dtype.kind == "O" else array.dtype
        raise ValueError(
            f"{plot}: {name} are {what} of shape {array.shape}, expected numbers "
            f"{form}{known}"
        )
    return array


def by_name(plot: str, name: str, values: Any) -> Mapping[str, Any]:
    """Some of them by name; ValueError for none, TypeError for what has no names."""
    if not isinstance(values, Mapping):
        raise TypeError(
            f"{plot}: {name} are a {type(values).__name__}, expected a dict, by name"
        )
    if not values:
        raise ValueError(f"{plot}: no {name}, expected at least one, by name")
    return values
