"""SciPy's names, for messages: of its ufuncs, and of the function that a user called."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

__all__ = ["called_in_scipy", "name_of_ufunc", "way_out"]

INSTEAD = {
    "scipy.special.logsumexp": "autograd.logsumexp(x, axis=…)",
    "scipy.special.softmax": "autograd.softmax(x, axis=…)",
    "scipy.special.log_softmax": "autograd.log_softmax(x, axis=…)",
    "scipy.special.polygamma": "autograd.polygamma(n, x)",
    "scipy.special.multigammaln": "a sum of scipy.special.gammaln(a - j / 2), 0 ≤ j < d",
    "scipy.special.factorial": "scipy.special.gamma(n + 1)",
    "scipy.special.comb": (
        "1 / ((n + 1) * scipy.special.beta(n - k + 1, k + 1)) for n choose k"
    ),
    "scipy.special.perm": "scipy.special.poch(n - k + 1, k)",
}
"""SciPy's Python functions that make an ndarray, and what has a gradient."""


def called_in_scipy() -> str | None:
    """The function of SciPy that the user called, where this call comes out of one."""
    frame: FrameType | None = sys._getframe(1)
    inner: list[FrameType] = []
    while frame is not None and _package(frame) in ("autograd", "numpy", "scipy"):
        if _package(frame) == "scipy":
            inner.append(frame)
        frame = frame.f_back
    names = (_name(frame) for frame in reversed(inner))
    return next(filter(None, names), "a function of SciPy's" if inner else None)


def name_of_ufunc(ufunc: Any) -> str | None:
    """The name of a ufunc of SciPy's, or of its caller in SciPy; None for others."""
    name = getattr(ufunc, "__name__", "")
    if getattr(sys.modules.get("scipy.special"), name, None) is ufunc:
        return f"scipy.special.{name}"
    return called_in_scipy()


def way_out(function: str) -> str:
    """What to call in the place of a function of SciPy's that has no rule."""
    other = INSTEAD.get(function, "NumPy's functions and the ufuncs of scipy.special")
    return f"Use {other}; pass `.data` where no gradient is wanted"


def _name(frame: FrameType) -> str | None:
    """The public name of the function that runs in a frame, or that it wraps."""
    first = frame.f_code.co_qualname.partition(".")[0]
    wrapped = list(filter(callable, frame.f_locals.values()))
    places = [(frame.f_globals.get("__name__"), first)]
    places += [
        (getattr(f, "__module__", ""), getattr(f, "__name__", "")) for f in wrapped
    ]
    for where, name in places:
        parts = str(where).split(".")
        place = ".".join(part for part in parts if not part.startswith("_"))
        found = getattr(sys.modules.get(place), name, None)
        made = isinstance(found, type) and name == first
        if made or getattr(found, "__code__", None) is frame.f_code:
            return f"{place}.{name}"
    return None


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__")).partition(".")[0]
