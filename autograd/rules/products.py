"""Products of matrices and vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.primitive import rule

__all__: list[str] = []


def _promote(x: Any, y: Any, g: Any) -> tuple[Any, Any, Any]:
    """What np.matmul makes of vectors: x as a row, y as a column, and g to match."""
    row, column = np.ndim(x) == 1, np.ndim(y) == 1
    if column:
        y, g = np.expand_dims(y, -1), np.expand_dims(g, -1)
    if row:
        x, g = np.expand_dims(x, 0), np.expand_dims(g, -2)
    return x, y, g


def _matmul_x(g: Any, ans: Any, x: Any, y: Any) -> Any:
    _, y2, g2 = _promote(x, y, g)
    out = np.matmul(g2, np.swapaxes(y2, -1, -2))
    return np.squeeze(out, -2) if np.ndim(x) == 1 else out


def _matmul_y(g: Any, ans: Any, x: Any, y: Any) -> Any:
    x2, _, g2 = _promote(x, y, g)
    out = np.matmul(np.swapaxes(x2, -1, -2), g2)
    return np.squeeze(out, -1) if np.ndim(y) == 1 else out


rule(np.matmul, _matmul_x, _matmul_y)


def _rows(x: Any) -> Any:
    """X as a matrix whose rows are the vectors along its last axis."""
    if np.ndim(x) == 2:
        return x
    *lead, width = np.shape(x)
    return np.reshape(x, (math.prod(lead), width))


def _inner_g(g: Any, x: Any, y: Any) -> Any:
    """The gradient of np.inner(x, y) as that of the product of the rows of x and of y."""
    if np.ndim(x) == np.ndim(y) == 2:
        return g
    return np.reshape(g, (math.prod(np.shape(x)[:-1]), math.prod(np.shape(y)[:-1])))


def _inner_x(g: Any, ans: Any, x: Any, y: Any) -> Any:
    if not np.ndim(x) or not np.ndim(y):
        return g * y
    return np.reshape(np.matmul(_inner_g(g, x, y), _rows(y)), np.shape(x))


def _inner_y(g: Any, ans: Any, x: Any, y: Any) -> Any:
    if not np.ndim(x) or not np.ndim(y):
        return g * x
    return np.reshape(np.matmul(_inner_g(g, x, y).T, _rows(x)), np.shape(y))


# np.inner(x, W) is x Wᵀ for rows of samples x (B, D) and a matrix W (H, D).
rule(np.inner, _inner_x, _inner_y)
