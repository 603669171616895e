"""Operations that take many elements to one."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.primitive import rule

__all__: list[str] = []


def _expand(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """Put back the axes that a reduction of x over `axis` took away, with size 1."""
    if keepdims:
        return g
    return np.reshape(g, (1,) * np.ndim(x)) if axis is None else np.expand_dims(g, axis)


def _sum(
    g: Any, ans: Any, x: Any, axis: Any = None, dtype: Any = None, out: Any = None,
    keepdims: bool = False, initial: Any = 0, where: Any = True,
) -> Any:  # fmt: skip
    g = np.broadcast_to(_expand(g, x, axis, keepdims), np.shape(x))
    return g if where is True else np.where(where, g, 0)


def _mean(
    g: Any, ans: Any, x: Any, axis: Any = None, dtype: Any = None, out: Any = None,
    keepdims: bool = False, *, where: Any = True,
) -> Any:  # fmt: skip
    count = np.sum(np.broadcast_to(where, np.shape(x)), axis=axis, keepdims=True)
    g = np.broadcast_to(_expand(g, x, axis, keepdims) / count, np.shape(x))
    return g if where is True else np.where(where, g, 0)


def _extremum(
    g: Any, ans: Any, x: Any, axis: Any = None, out: Any = None, keepdims: bool = False,
    initial: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    """Elements that tie for the extremum share its gradient."""
    ties = (x == _expand(ans, x, axis, keepdims)) & where
    count = np.maximum(np.sum(ties, axis=axis, keepdims=True), 1)
    if initial is not None:
        count = count + (_expand(ans, x, axis, keepdims) == initial)
    return _expand(g, x, axis, keepdims) * (ties / count)


rule(np.sum, _sum)
rule(np.mean, _mean)
rule(np.max, _extremum)
rule(np.min, _extremum)
