"""The polygamma functions; SciPy is imported when they are called."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.extras import require
from autograd.tensor import Tensor

__all__ = ["polygamma"]


def polygamma(n: Any, x: Any) -> Any:
    """ψ⁽ⁿ⁾(x), the n-th derivative of the digamma function, elementwise.

    (−1)ⁿ⁺¹ n! ζ(n + 1, x) for n ≥ 1 (25.11.12 of https://dlmf.nist.gov), in the dtype of
    x; its derivatives are the polygamma functions of higher order.

    Args:
        n: integers of any shape that broadcasts with x, not below 0.
        x: real numbers.

    Raises:
        TypeError: for a Tensor n that requires a gradient.
        ValueError: for an n that is negative or no integer.
    """
    sp = require("scipy.special", "test", "autograd.polygamma")
    if isinstance(n, Tensor):
        if n.requires_grad:
            raise TypeError(
                "autograd.polygamma: n was given as a Tensor that requires a gradient, "
                "which has no rule. Pass its value, `.data`"
            )
        n = n.data
    n = np.asarray(n)
    if np.any((n < 0) | (n != np.floor(n))):
        raise ValueError(
            f"autograd.polygamma: n is no order of a derivative (got {n!r:.60}, expected "
            "integers ≥ 0). Pass n = 0 for ψ itself"
        )
    dtype = x.dtype if isinstance(x, Tensor) else np.asarray(x).dtype
    order = np.maximum(n, 1).astype(np.result_type(dtype, np.float32))
    factor = (-1.0) ** (order + 1) * sp.gamma(order + 1)
    higher = factor * sp.zeta(order + 1, x)
    return higher if np.all(n > 0) else np.where(n == 0, sp.psi(x), higher)
