"""Arrays that carry more than their numbers: refused where the rest would be dropped."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "Recording", "as_plain", "check_operand", "check_operands", "check_plain",
    "check_real", "converted",
]  # fmt: skip

PLAIN = frozenset({np.ndarray, np.memmap, np.recarray})
"""The types of arrays that are nothing but their numbers."""

SCALARS = frozenset({float, int, bool, complex, str, type(None)})
"""Types in lists of which nothing more need be known."""


class Recording:
    """The base of all that records operations on itself: Tensors, traced arrays."""

    __slots__ = ()


def check_plain(caller: str, x: Any) -> None:
    """Raise TypeError for an array, or one in a list, with more than numbers in it."""
    kind = type(x)
    if kind in PLAIN:
        return
    if isinstance(x, np.ndarray):
        raise TypeError(_refusal(caller, kind))
    if isinstance(x, (list, tuple)) and not SCALARS.issuperset(map(type, x)):
        for part in x:
            check_plain(caller, part)


def check_operand(caller: str, x: Any) -> None:
    """Raise TypeError for what cannot stand beside a Tensor in an operation.

    Besides what `check_plain` refuses, these are arrays of other libraries (pandas,
    xarray, PyTorch), in lists too: their labels, or their own gradients, would be lost.
    """
    kind = type(x)
    if isinstance(x, (np.ndarray, np.generic)):
        check_plain(caller, x)
    elif isinstance(x, (list, tuple)):
        if not SCALARS.issuperset(map(type, x)):
            for part in x:
                check_operand(caller, part)
    elif hasattr(kind, "__array__") and not isinstance(x, Recording):
        raise TypeError(_refusal(caller, kind))


def check_operands(caller: str, args: Any, kwargs: Any) -> None:
    """`check_operand` for all arguments of a function of NumPy's, and for their dtypes.

    Plain arrays must be of numbers; of real ones beside a Tensor that requires a
    gradient.
    """
    given = (*args, *kwargs.values())
    for x in given:
        if type(x) is not np.ndarray:
            check_operand(caller, x)
        elif x.dtype.kind in "OV" or (x.dtype.kind == "c" and _is_tracked(given)):
            raise TypeError(
                f"{caller}: got an array of {x.dtype} beside a Tensor, expected real "
                "numbers. Pass x.real, or x.astype(float)"
            )


def _is_tracked(x: Any) -> bool:
    """Whether a nest of arguments has a real Tensor that requires a gradient."""
    if isinstance(x, (list, tuple)):
        return any(map(_is_tracked, x))
    return getattr(x, "_tracked", False) and x.dtype.kind != "c"


def as_plain(caller: str, x: Any) -> Any:
    """np.asarray(x), after `check_plain`."""
    if type(x) is np.ndarray:
        return x
    check_plain(caller, x)
    return np.asarray(x)


def check_real(caller: str, given: Any, dtype: np.dtype[Any]) -> None:
    """Raise TypeError for complex numbers where `dtype` is that of real ones."""
    if np.result_type(given).kind == "c" and dtype.kind != "c":
        raise TypeError(
            f"{caller}: got {np.result_type(given)}, expected real numbers ({dtype}): "
            "the imaginary part would be dropped. Pass x.real"
        )


def converted(caller: str, value: Any, dtype: np.dtype[Any]) -> Any:
    """A copy of `value` in `dtype`.

    Raises:
        TypeError: where the conversion would drop a mask, an imaginary part, or the
            fraction of numbers that are to become integers.
    """
    check_plain(caller, value)
    given = np.asarray(value)
    check_real(caller, given, dtype)
    found = np.array(given, dtype)
    kept = np.can_cast(given.dtype, dtype, "same_kind") or np.array_equal(found, given)
    if not kept:
        raise TypeError(
            f"{caller}: got {given.dtype}, which {dtype} cannot hold. Convert it with "
            ".astype, or make a new Tensor"
        )
    return found


def _refusal(caller: str, kind: type) -> str:
    if issubclass(kind, np.ma.MaskedArray):
        lost, mend = "whose mask", "x.filled(value), or np.where(mask, value, x.data)"
    elif issubclass(kind, np.matrix):
        lost, mend = "whose products and shapes are its own and", "np.asarray(x)"
    else:
        lost = "and what it carries besides its numbers"
        mend = "np.asarray(x) for the numbers alone"
    return (
        f"{caller}: got a {kind.__module__}.{kind.__qualname__}, {lost} would be "
        f"dropped; expected a plain array. Pass {mend}"
    )
