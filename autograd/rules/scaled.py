"""Derivatives in forms that neither overflow nor cancel on the way to a number."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.primitive import Primitive, primitive
from autograd.tensor import value_of

__all__ = [
    "difference", "falling_power", "lifting", "log_of_base", "one_minus_square",
    "over_hypot", "over_one_plus_square", "over_squares", "weight", "weight2",
]  # fmt: skip


def _weight_of(exp: Callable[..., Any], rate: float) -> Primitive:
    """The share of bˣ in bˣ + bʸ as a function of x − y: `exp` is b's, `rate` log b.

    Its derivative keeps its digits where the share rounds to 1, unlike ans (1 − ans).
    Subtracting log(bˣ + bʸ) from x would lose the digits of a small x − y.
    """

    @primitive
    def share(d: Any) -> Any:
        with np.errstate(over="ignore"):  # 1 / (1 + ∞) = 0 is meant
            return 1 / (1 + exp(-d))

    return share.defvjp(lambda g, ans, d: g * (ans * share(-d) * rate))


weight = _weight_of(np.exp, 1.0)
weight2 = _weight_of(np.exp2, math.log(2))


def difference(x: Any, y: Any) -> Any:
    """x − y, and 0 where both are the same infinity."""
    same = (x == y) & np.isinf(x)
    return np.where(same, 0, x) - np.where(same, 0, y)


@primitive
def one_minus_square(x: Any) -> Any:
    """1 − x² as a product, right near ±1; its derivative does not cancel near 0."""
    return (1 - x) * (1 + x)


one_minus_square.defvjp(lambda g, ans, x: -2 * g * x)


@primitive
def over_one_plus_square(g: Any, x: Any) -> Any:
    """g / (1 + x²), whose own derivative does not divide by the square's square."""
    return g / (1 + x * x)


over_one_plus_square.defvjp(
    lambda g, ans, h, x: over_one_plus_square(g, x),
    lambda g, ans, h, x: -2 * g * (ans * over_one_plus_square(x, x)),
)


@primitive
def over_hypot(g: Any, x: Any, y: Any) -> Any:
    """g x / h, h = hypot(x, y), whose derivatives do not cancel; 0 at the origin."""
    h = np.hypot(x, y)
    return g * x / np.where(h == 0, 1, h)


def _over_hypot_by_x(g: Any, ans: Any, k: Any, x: Any, y: Any) -> Any:
    h = np.hypot(x, y)
    h = np.where(h == 0, 1, h)
    return g * k * (np.square(y / h) / h)


def _over_hypot_by_y(g: Any, ans: Any, k: Any, x: Any, y: Any) -> Any:
    h = np.hypot(x, y)
    h = np.where(h == 0, 1, h)
    return -g * k * ((x / h) * (y / h) / h)


over_hypot.defvjp(
    lambda g, ans, k, x, y: over_hypot(g, x, y), _over_hypot_by_x, _over_hypot_by_y
)


def over_squares(g: Any, x: Any, y: Any) -> Any:
    """g x / (x² + y²), scaled by a power of two, so that no square overflows.

    0 where x or y is infinite.
    """
    infinite = np.isinf(x) | np.isinf(y)
    x, y = np.where(infinite, 0, x), np.where(infinite, 1, y)
    scale = _power_of_two(np.maximum(abs(value_of(x)), abs(value_of(y))))
    x, y = x / scale, y / scale
    return g * x / (x * x + y * y) / scale


def _power_of_two(size: Any) -> Any:
    """The greatest power of two up to `size`, positive numbers; 1 for 0 and infinity."""
    number = np.where(np.isfinite(size) & (size > 0), size, 1)
    return np.ldexp(np.ones_like(number), np.frexp(number)[1] - 1)


def lifting(size: Any, largest: Callable[[], Any], share: float = 4) -> Any:
    """Powers of two by which numbers are multiplied before they are raised to a power.

    Args:
        size: what says whether they are ordinary, by element: then the factor is 1.
        largest: gives the largest of the numbers, whose factor brings it to [½, 1).
        share: the greatest ordinary exponent is the dtype's, divided by this.

    Returns:
        An array of the shape and dtype of `size`.
    """
    size = np.abs(size)
    limits = np.finfo(size.dtype)
    exponent = np.frexp(size)[1]
    ordinary = np.isfinite(size) & (size > 0)
    ordinary &= np.abs(exponent) * share <= limits.maxexp
    if ordinary.all():
        return np.ones_like(size)
    top = largest()
    ordinary |= ~np.isfinite(top) | (top == 0)
    away = np.clip(-np.frexp(top)[1], 4 - limits.maxexp, limits.maxexp - 4)
    return np.ldexp(np.ones_like(size), np.where(ordinary, 0, away))


@primitive
def falling_power(x: Any, y: Any, n: int) -> Any:
    """∂ⁿ(xʸ)/∂xⁿ = y (y − 1) … (y − n + 1) xʸ⁻ⁿ; 0 where that factor is 0.

    There x⁻¹ and further powers may be infinite.
    """
    factor, _ = _falling_factor(y, n)
    return factor * np.power(np.where(factor == 0, 1, x), y - n)


def _falling_factor(y: Any, n: int) -> tuple[Any, Any]:
    """y (y − 1) … (y − n + 1), and its derivative."""
    factor: Any = 1.0  # a float, since a product of int8 would wrap around
    slope: Any = 0.0
    for k in range(n):
        factor, slope = factor * (y - k), slope * (y - k) + factor
    return factor, slope


def log_of_base(x: Any, y: Any) -> Any:
    """Log x, and 0 where xʸ = 0 for all exponents near y: there the derivative is 0."""
    vanishes = ((x == 0) & (y >= 0)) | ((x == np.inf) & (y < 0))
    return np.log(np.where(vanishes, 1, x))


falling_power.defvjp(
    lambda g, ans, x, y, n: g * falling_power(x, y, n + 1),
    lambda g, ans, x, y, n: (
        g * (_falling_factor(y, n)[1] * np.power(x, y - n) + ans * log_of_base(x, y - n))
    ),
    None,
)
