"""Layers: x Wᵀ + b as one operation, and one weight used at every step of a sequence."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.deferred import Column, Product, Rows
from autograd.primitive import Primitive, primitive
from autograd.programs.tracing import ARRAYS
from autograd.rules.products import inner_x, inner_y, rows_of
from autograd.tensor import array_of, named, value_of

__all__ = ["linear", "linear_steps", "times_transposed"]


def times_transposed(W: Any, *biases: Any) -> Callable[[Any], Any]:
    """X ↦ x Wᵀ + Σ b for a W (N, M) and b (N,) that are used many times, with x (B, M).

    It is np.inner(x, W), or `linear`, with Wᵀ copied once: a product with the copy, whose
    rows lie together, is up to twice as quick as one with a transposed view.
    """
    transposed = value_of(W).T.copy()
    if not biases:
        inner = Primitive(lambda x, W: np.dot(x, transposed), name="inner")
        inner.defvjp(inner_x, inner_y)
        return lambda x: inner.two(x, W)

    def of(x: Any) -> Any:
        value = _plus(np.dot(value_of(x), transposed), biases)
        return linear.known(value, x, W, *biases)

    return of


def linear_steps(xs: Any, W: Any, *biases: Any) -> Callable[[int], Any]:
    """t ↦ x^t Wᵀ + Σ b for a sequence x (T, B, D), with W (N, D) and biases b (N,).

    The graph has x^t, and the use of W and of each b at every step; their values are
    rows of one product, taken of all steps at once. A list of T Tensors x^t (B, D) is a
    sequence whose steps are in the graph already.
    """
    apart = isinstance(xs, list)
    values = np.stack([array_of(x) for x in xs]) if apart else array_of(xs)
    whole = linear.function(values, *map(array_of, (W, *biases)))

    def step(t: int) -> Any:
        x = xs[t] if apart else named("x", xs[t])
        return linear.known(whole[t], x, W, *biases)

    return step


@primitive
def linear(x: Any, W: Any, *biases: Any) -> Any:
    """X Wᵀ + Σ b as one operation, of x (…, N) with W (M, N) and any number of b (M,)."""
    rows = _plus(np.dot(rows_of(x) if np.ndim(x) > 1 else x, W.T), biases)
    return np.reshape(rows, (*np.shape(x)[:-1], np.shape(W)[0]))


def _plus(rows: Any, biases: Any) -> Any:
    """Rows of our own, and all biases added to each: in place where that fits."""
    if not biases:
        return rows
    b = functools.reduce(np.add, map(array_of, biases))
    fits = np.ndim(rows) and np.result_type(rows, b) == rows.dtype
    return np.add(rows, b, rows) if fits else rows + b


def _linear_x(g: Any, ans: Any, x: Any, W: Any, *biases: Any) -> Any:
    if type(g) in ARRAYS and type(W) in ARRAYS and g.ndim == 2:
        return Rows(g, W)
    return inner_x(g, ans, x, W)


def _linear_W(g: Any, ans: Any, x: Any, W: Any, *biases: Any) -> Any:
    if type(g) in ARRAYS and type(x) in ARRAYS and g.ndim == 2:
        return Product(g, x)
    return inner_y(g, ans, x, W)


def _linear_b(b: int, g: Any, ans: Any, x: Any, W: Any, *biases: Any) -> Any:
    column = type(g) in ARRAYS and g.ndim == 2 and np.ndim(biases[b]) == 1
    return Column(g) if column else g


linear.defvjp_each(
    lambda i: (_linear_x, _linear_W)[i] if i < 2 else functools.partial(_linear_b, i - 2)
)
