"""Elementwise operations, and the nonlinearities that NumPy lacks."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.primitive import primitive, rule

__all__ = ["log_softmax", "logsumexp", "relu", "sigmoid", "softmax", "softplus"]

rule(np.add, lambda g, ans, x, y: g, lambda g, ans, x, y: g)
rule(np.subtract, lambda g, ans, x, y: g, lambda g, ans, x, y: -g)
rule(np.multiply, lambda g, ans, x, y: g * y, lambda g, ans, x, y: g * x)
rule(np.divide, lambda g, ans, x, y: g / y, lambda g, ans, x, y: -g * ans / y)
rule(np.negative, lambda g, ans, x: -g)
rule(np.positive, lambda g, ans, x: g)
rule(np.square, lambda g, ans, x: g * (2 * x))
rule(np.sqrt, lambda g, ans, x: g / (2 * ans))
rule(np.reciprocal, lambda g, ans, x: -g * ans * ans)
rule(np.exp, lambda g, ans, x: g * ans)
rule(np.expm1, lambda g, ans, x: g * (ans + 1))
rule(np.log, lambda g, ans, x: g / x)
rule(np.log1p, lambda g, ans, x: g / (1 + x))
rule(np.sin, lambda g, ans, x: g * np.cos(x))
rule(np.cos, lambda g, ans, x: -g * np.sin(x))
rule(np.tanh, lambda g, ans, x: g * (1 - ans * ans))
rule(
    np.logaddexp,
    lambda g, ans, x, y: g * np.exp(x - ans),
    lambda g, ans, x, y: g * np.exp(y - ans),
)
# 0·0**(−1) and 0·log 0 would be NaN; the derivatives are 0 there. Elsewhere x must stay.
rule(
    np.power,
    lambda g, ans, x, y: g * (y * np.power(np.where((x == 0) & (y == 0), 1, x), y - 1)),
    lambda g, ans, x, y: g * (ans * np.log(np.where(x == 0, 1, x))),
)
# |x|'(0) = 0; equal arguments of maximum and minimum share the gradient.
rule(np.absolute, lambda g, ans, x: g * np.sign(x))
rule(
    np.maximum,
    lambda g, ans, x, y: g * _share(x, y),
    lambda g, ans, x, y: g * _share(y, x),
)
rule(
    np.minimum,
    lambda g, ans, x, y: g * _share(y, x),
    lambda g, ans, x, y: g * _share(x, y),
)
rule(
    np.where,
    None,
    lambda g, ans, c, x, y: np.where(c, g, 0),
    lambda g, ans, c, x, y: np.where(c, 0, g),
)


def _share(x: Any, y: Any) -> Any:
    """1 where x > y, ½ where they are equal, 0 elsewhere."""
    return np.heaviside(x - y, 0.5)


@primitive
def sigmoid(x: Any) -> Any:
    """The logistic function σ(x) = 1 / (1 + exp(−x)), elementwise, without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


sigmoid.defvjp(lambda g, ans, x: g * (ans * (1 - ans)))


@primitive
def relu(x: Any) -> Any:
    """max(x, 0), elementwise; relu'(0) = 0."""
    return x * (x > 0)


relu.defvjp(lambda g, ans, x: g * (x > 0))


@primitive
def softplus(x: Any) -> Any:
    """log(1 + exp(x)), elementwise, without overflow."""
    return np.logaddexp(x, 0)


softplus.defvjp(lambda g, ans, x: g * sigmoid(x))


@primitive
def logsumexp(x: Any, axis: Any = -1, keepdims: bool = False) -> Any:
    """Log Σ exp(x) over `axis`, without overflow."""
    top = np.max(x, axis=axis, keepdims=True)
    ans = top + np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True))
    return ans if keepdims else np.squeeze(ans, axis=axis)


@primitive
def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) / Σ exp(x) over `axis`, without overflow."""
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    e /= np.sum(e, axis=axis, keepdims=True)
    return e


@primitive
def log_softmax(x: Any, axis: int = -1) -> Any:
    """X − log Σ exp(x) over `axis`, without overflow."""
    shifted = x - np.max(x, axis=axis, keepdims=True)
    shifted -= np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))
    return shifted


def _logsumexp_vjp(
    g: Any, ans: Any, x: Any, axis: Any = -1, keepdims: bool = False
) -> Any:
    if not keepdims:
        g, ans = np.expand_dims(g, axis), np.expand_dims(ans, axis)
    return g * np.exp(x - ans)


logsumexp.defvjp(_logsumexp_vjp)
softmax.defvjp(
    lambda g, ans, x, axis=-1: ans * (g - np.sum(g * ans, axis=axis, keepdims=True))
)
log_softmax.defvjp(
    lambda g, ans, x, axis=-1: g - np.exp(ans) * np.sum(g, axis=axis, keepdims=True)
)
