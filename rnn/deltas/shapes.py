"""What the formulas take: arrays by name, whose shapes go together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["checked", "sent"]

Array = np.ndarray[Any, Any]


def checked(
    caller: str, parameters: Any, forms: Mapping[str, str], L: int = 0, **data: Any
) -> dict[str, Array]:
    """The arrays of `forms`, with floating-point numbers in place of whole ones.

    Args:
        caller: the function of `rnn.deltas` that asks.
        parameters, data: arrays by name.
        forms: by name the shape, e.g. "4H, D"; a letter is one size throughout, the first
            that is met. One that ends in "?" may be left out, or be None.
        L: that size, where a form has it.

    Raises:
        TypeError: for parameters that are no mapping.
        ValueError: naming all that is missing, no numbers, or of another shape.
    """
    if not isinstance(parameters, Mapping):
        raise TypeError(
            f"rnn.deltas.{caller}: the parameters are a {type(parameters).__name__}, "
            "expected arrays by name, such as network.state_dict()"
        )
    given = {**parameters, **data}
    sizes, found, wrong = {"L": L}, {}, []
    for name, form in forms.items():
        value = given.get(name)
        if value is None:
            wrong += [] if form.endswith("?") else [f"{name} is missing"]
            continue
        array = np.asarray(value)
        if array.dtype.kind not in "iufc":
            wrong.append(f"{name} is {array.dtype}, expected numbers")
        elif form == "T, B, D" and not array.size:
            wrong.append(f"{name} has shape {array.shape}, no elements")
        elif not _fits(array.shape, form, sizes):
            known = [f"{k} = {sizes[k]}" for _, k in _axes(form) if k in sizes]
            wrong.append(
                f"{name} has shape {array.shape}, expected ({form.removesuffix('?')})"
                + (f" with {', '.join(dict.fromkeys(known))}" if known else "")
            )
        found[name] = array.astype(float) if array.dtype.kind in "iu" else array
    if wrong:
        raise ValueError(f"rnn.deltas.{caller}: {'; '.join(wrong)}")
    return found


def _axes(form: str) -> list[tuple[int, str]]:
    """How many times which size each axis of a form has.

    >>> _axes("4H, N1?")
    [(4, 'H'), (1, 'N1')]
    """
    axes = form.removesuffix("?").split(", ")
    letters = [axis.lstrip("0123456789") for axis in axes]
    times = [a.removesuffix(k) for a, k in zip(axes, letters, strict=True)]
    return [(int(n or 1), k) for n, k in zip(times, letters, strict=True)]


def _fits(shape: tuple[int, ...], form: str, sizes: dict[str, int]) -> bool:
    """Whether a shape has that form; sizes that were not known are known then.

    >>> sizes = {}
    >>> _fits((8, 2), "4H, H", sizes), sizes
    (True, {'H': 2})
    """
    axes = _axes(form)
    if len(shape) != len(axes):
        return False
    here = dict(sizes)
    for (times, letter), n in zip(axes, shape, strict=True):
        if times == 1:
            here.setdefault(letter, n)
    for (times, letter), n in zip(axes, shape, strict=True):
        if here.setdefault(letter, n // times) * times != n:
            return False
    sizes |= here
    return True


def sent(caller: str, name: str, slope: Any, y: Array, form: str) -> Array:
    """∂E/∂y, given or by a function of y; ValueError for another shape."""
    slope = np.asarray(slope(y) if callable(slope) else slope)
    if slope.shape != y.shape or slope.dtype.kind not in "iufc":
        raise ValueError(
            f"rnn.deltas.{caller}: {name} has shape {slope.shape} of {slope.dtype}, "
            f"expected numbers ({form}) = {y.shape}"
        )
    return slope.astype(float) if slope.dtype.kind in "iu" else slope
