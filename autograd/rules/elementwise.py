"""Elementwise operations, and the nonlinearities that NumPy lacks."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from autograd.primitive import implements, primitive, rule
from autograd.programs.tracing import ARRAYS
from autograd.rules.scaled import (
    difference,
    falling_power,
    log_of_base,
    one_minus_square,
    over_hypot,
    over_one_plus_square,
    over_squares,
    weight,
    weight2,
)
from autograd.signature import no_keyword
from autograd.tensor import DISPATCH, array_of, listed, value_of

LOG2, LOG10 = math.log(2), math.log(10)

__all__ = [
    "erf", "gelu", "log_softmax", "logsumexp", "relu", "sigmoid", "softmax", "softplus",
]  # fmt: skip

rule(np.add, lambda g, ans, x, y: g, lambda g, ans, x, y: g, scalar=operator.add)
rule(np.subtract, lambda g, ans, x, y: g, lambda g, ans, x, y: -g, scalar=operator.sub)
rule(
    np.multiply,
    lambda g, ans, x, y: g * y,
    lambda g, ans, x, y: g * x,
    scalar=operator.mul,
)
rule(np.divide, lambda g, ans, x, y: g / y, lambda g, ans, x, y: -g * ans / y)
rule(np.negative, lambda g, ans, x: -g, scalar=operator.neg)
rule(np.positive, lambda g, ans, x: g, floats=True)
rule(np.conjugate, lambda g, ans, x: np.conjugate(g))
rule(np.ldexp, lambda g, ans, x, n: np.ldexp(g, n), None)
rule(np.square, lambda g, ans, x: g * (2 * x), floats=True)
rule(np.sqrt, lambda g, ans, x: g / (2 * ans))
rule(np.cbrt, lambda g, ans, x: g / (3 * ans * ans))
rule(np.reciprocal, lambda g, ans, x: -g * ans * ans)
rule(np.exp, lambda g, ans, x: g * ans, floats=True)
rule(np.exp2, lambda g, ans, x: g * ans * LOG2)
# Like PyTorch's, 0 for x < −37, where expm1 rounds to −1.
rule(np.expm1, lambda g, ans, x: g * (ans + 1))
rule(np.log, lambda g, ans, x: g / x)
rule(np.log2, lambda g, ans, x: g / (x * LOG2))
rule(np.log10, lambda g, ans, x: g / (x * LOG10))
rule(np.log1p, lambda g, ans, x: g / (1 + x))
rule(np.sin, lambda g, ans, x: g * np.cos(x))
rule(np.cos, lambda g, ans, x: -g * np.sin(x))
rule(np.tan, lambda g, ans, x: g * (1 + ans * ans))
rule(np.arcsin, lambda g, ans, x: g / np.sqrt(one_minus_square(x)))
rule(np.arccos, lambda g, ans, x: -g / np.sqrt(one_minus_square(x)))
rule(np.arctan, lambda g, ans, x: over_one_plus_square(g, x))
rule(np.sinh, lambda g, ans, x: g * np.cosh(x))
rule(np.cosh, lambda g, ans, x: g * np.sinh(x))
rule(np.arcsinh, lambda g, ans, x: g / np.hypot(1, x))
rule(np.arccosh, lambda g, ans, x: g / (np.sqrt(x - 1) * np.sqrt(x + 1)))
rule(np.arctanh, lambda g, ans, x: g / one_minus_square(x))
rule(np.deg2rad, lambda g, ans, x: np.deg2rad(g))
rule(np.radians, lambda g, ans, x: np.radians(g))
rule(np.rad2deg, lambda g, ans, x: np.rad2deg(g))
rule(np.degrees, lambda g, ans, x: np.degrees(g))
rule(
    np.logaddexp,
    lambda g, ans, x, y: g * weight(difference(x, y)),
    lambda g, ans, x, y: g * weight(difference(y, x)),
)
rule(
    np.logaddexp2,
    lambda g, ans, x, y: g * weight2(difference(x, y)),
    lambda g, ans, x, y: g * weight2(difference(y, x)),
)
rule(
    np.arctan2,
    lambda g, ans, x, y: over_squares(g, y, x),
    lambda g, ans, x, y: -over_squares(g, x, y),
)
# At the origin √ has no derivative; like the norm's, hypot's is 0 there.
rule(
    np.hypot,
    lambda g, ans, x, y: over_hypot(g, x, y),
    lambda g, ans, x, y: over_hypot(g, y, x),
)
# x mod y = x − y ⌊x/y⌋, and the floor (for fmod: the truncation) is constant.
rule(
    np.remainder,
    lambda g, ans, x, y: g,
    lambda g, ans, x, y: -g * np.floor_divide(value_of(x), value_of(y)),
)
rule(
    np.fmod,
    lambda g, ans, x, y: g,
    lambda g, ans, x, y: (
        -g * np.rint(np.divide(value_of(x) - value_of(ans), value_of(y)))
    ),
)
for _power in (np.power, np.float_power):
    rule(
        _power,
        lambda g, ans, x, y: g * falling_power(x, y, 1),
        lambda g, ans, x, y: g * (ans * log_of_base(x, y)),
    )
# |x|'(0) = 0; equal arguments of maximum and minimum share the gradient. Of a NaN, the
# argument that is NaN has it.
rule(np.absolute, lambda g, ans, x: g * np.sign(x))
rule(np.fabs, lambda g, ans, x: g * np.sign(x))
for _maximum, _minimum in ((np.maximum, np.minimum), (np.fmax, np.fmin)):
    rule(
        _maximum,
        lambda g, ans, x, y: g * _share(ans, x, y),
        lambda g, ans, x, y: g * _share(ans, y, x),
    )
    rule(
        _minimum,
        lambda g, ans, x, y: g * _share(ans, x, y),
        lambda g, ans, x, y: g * _share(ans, y, x),
    )
rule(
    np.copysign,
    lambda g, ans, x, y: g * np.sign(x) * np.copysign(1, value_of(y)),
    lambda g, ans, x, y: g * 0,
)
rule(
    np.heaviside,
    lambda g, ans, x, y: g * np.where(np.isnan(x), np.nan, 0.0),
    lambda g, ans, x, y: np.where(x == 0, g, 0),
)
nan_to_num = rule(
    np.nan_to_num,
    lambda g, ans, x, *args, **kwargs: np.where(np.isfinite(x), g, 0),
)


@implements(np.nan_to_num, trial=None)
def _nan_to_num(x: Any, copy: Any = True, **kwargs: Any) -> Any:
    if not copy or isinstance(copy, str):
        raise TypeError(no_keyword("nan_to_num", "copy", copy))
    return nan_to_num(x, **kwargs)


rule(
    np.where,
    None,
    lambda g, ans, c, x, y: np.where(c, g, 0),
    lambda g, ans, c, x, y: np.where(c, 0, g),
)


# In place where that is possible: these two are most of what gates cost.
def _tanh(g: Any, ans: Any, x: Any) -> Any:
    slope = ans * ans
    if type(slope) in ARRAYS and type(g) in ARRAYS:
        np.subtract(1, slope, slope)
        return np.multiply(g, slope, slope)
    return g * (1 - slope)


def _sigmoid(g: Any, ans: Any, x: Any) -> Any:
    slope = 1 - ans
    if type(slope) in ARRAYS and type(g) in ARRAYS:
        np.multiply(ans, slope, slope)
        return np.multiply(g, slope, slope)
    return g * (ans * slope)


# Like PyTorch's, 0 for |x| > 20, where tanh rounds to ±1.
rule(np.tanh, _tanh, floats=True)


def _share(ans: Any, x: Any, y: Any) -> Any:
    """How much of an extremum `ans` is x's: 1 where only x is it, ½ where y is too."""
    nan = ans != ans
    mine, other = ((v == ans) | ((v != v) & nan) for v in (x, y))
    return np.where(mine, np.where(other, 0.5, 1.0), 0.0).astype(np.result_type(ans))


@primitive
def _sinc_slope(x: Any, order: int) -> Any:
    """The derivative of sinc(x) = sin(πx) / (πx) of some order n.

    By its power series for |x| < 1, where quotients would lose their digits, and beyond
    by the recurrence x s⁽ⁿ⁾ + n s⁽ⁿ⁻¹⁾ = πⁿ⁻¹ sin(πx + nπ/2).
    """
    near = np.abs(x) < 1
    small, large = np.where(near, x, 0), np.where(near, 1, x)
    series = sum(
        (-1) ** k
        * (math.pi ** (2 * k) * math.perm(2 * k, order) / math.factorial(2 * k + 1))
        * small ** (2 * k - order)
        for k in range((order + 1) // 2, order + 16)
    )
    quotient = np.sinc(large)
    for n in range(1, order + 1):
        wave = math.pi ** (n - 1) * np.sin(math.pi * large + n * math.pi / 2)
        quotient = (wave - n * quotient) / large
    return np.where(near, series, quotient)


_sinc_slope.defvjp(lambda g, ans, x, order: g * _sinc_slope(x, order + 1))
rule(np.sinc, lambda g, ans, x: g * _sinc_slope(x, 1))


@implements(np.clip)
def _clip(
    x: Any, a_min: Any = None, a_max: Any = None, *,
    min: Any = None, max: Any = None,  # noqa: A002 (NumPy's words)
) -> Any:  # fmt: skip
    """min(max(x, a_min), a_max); on a bound the gradient is x's, as in PyTorch."""
    low, high = (
        listed(a_min if min is None else min),
        listed(a_max if max is None else max),
    )
    if low is not None:
        x = np.where(np.less(x, low) | np.isnan(low), low, x)
    return x if high is None else np.where(np.greater(x, high) | np.isnan(high), high, x)


@primitive
def sigmoid(x: Any) -> Any:
    """The logistic function σ(x) = 1 / (1 + exp(−x)), elementwise, without overflow.

    Its derivative σ (1 − σ) is 0 where σ rounds to 1, for x > 37, as in PyTorch.
    """
    e = np.multiply(x, -1.0)
    with np.errstate(over="ignore"):  # 1 / (1 + ∞) = 0 is meant
        if type(e) not in ARRAYS:
            return 1 / (1 + np.exp(e))
        np.exp(e, e)
    np.add(e, 1, e)
    return np.reciprocal(e, e)


sigmoid.defvjp(_sigmoid)


@primitive
def erf(x: Any) -> Any:
    """The error function 2/√π ∫₀ˣ exp(−t²) dt, elementwise.

    By its series for |x| < 3, beyond by the continued fraction of erfc (Abramowitz and
    Stegun, 7.1.6 and 7.1.14), to about 1e−15.
    """
    x = array_of(x)
    size = np.abs(x)
    near = size < 3
    small = np.where(near, x, 0)
    term = series = small * (2 / math.sqrt(math.pi)) * np.exp(-small * small)
    for n in range(1, 70):
        term = term * (2 * small * small / (2 * n + 1))
        series = series + term
    large = np.where(near, 3, size)
    fraction = large
    for n in range(60, 0, -1):
        fraction = large + (n / 2) / fraction
    rest = np.exp(-large * large) / (math.sqrt(math.pi) * fraction)
    return np.where(near, series, np.sign(x) * (1 - rest)).astype(x.dtype)


erf.defvjp(lambda g, ans, x: g * (2 / math.sqrt(math.pi)) * np.exp(-np.square(x)))


def gelu(x: Any) -> Any:
    """X Φ(x), with Φ the normal distribution function; elementwise."""
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


@primitive
def relu(x: Any) -> Any:
    """max(x, 0), elementwise; relu'(0) = 0, and relu'(NaN) = 1, as in PyTorch."""
    return np.maximum(x, 0)


relu.defvjp(lambda g, ans, x: g * (ans != 0))


@primitive
def softplus(x: Any) -> Any:
    """log(1 + exp(x)), elementwise, without overflow."""
    return np.logaddexp(x, 0)


softplus.defvjp(lambda g, ans, x: g * sigmoid(x))


@primitive
def logsumexp(x: Any, axis: Any = -1, keepdims: bool = False) -> Any:
    """Log Σ exp(x) over `axis`, without overflow."""
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):  # log 0 = −∞ is meant
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
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def _logsumexp_vjp(
    g: Any, ans: Any, x: Any, axis: Any = -1, keepdims: bool = False
) -> Any:
    """exp(x − ans), divided by its sum, which is 1 up to the rounding of ans.

    Where ans = −∞ it is 0, and where ans = ∞ the infinite elements share.
    """
    if not keepdims:
        kept = np.shape(np.sum(value_of(x), axis=axis, keepdims=True))
        g, ans = np.reshape(g, kept), np.reshape(ans, kept)
    ties = np.where(ans == np.inf, value_of(x) == np.inf, 0)
    infinite = np.isinf(ans)
    shifted = np.where(infinite, 0, x) - np.where(infinite, 0, ans)
    w = np.where(infinite, ties, np.exp(shifted))
    total = np.sum(w, axis=axis, keepdims=True)
    return g * (w / np.where(total == 0, 1, total))


logsumexp.defvjp(_logsumexp_vjp)
softmax.defvjp(
    lambda g, ans, x, axis=-1: ans * (g - np.sum(g * ans, axis=axis, keepdims=True))
)
log_softmax.defvjp(
    lambda g, ans, x, axis=-1: g - np.exp(ans) * np.sum(g, axis=axis, keepdims=True)
)

# The methods that NumPy has no function for.
DISPATCH.update({"relu": relu, "sigmoid": sigmoid})
