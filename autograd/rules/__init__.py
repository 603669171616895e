"""The rules: one entry for each operation, in the vocabulary g, ans, x, y.

`g` is the gradient of the result, `ans` the result, `x` and `y` the arguments. A rule
may leave its gradient in any shape that broadcasts from or to its argument's.
"""

from autograd.rules import (
    compositions,
    determinants,
    elementwise,
    factorisations,
    likelihood,
    linalg,
    linear,
    plain,
    polynomials,
    products,
    reductions,
    shapes,
    spreads,
    ufuncs,
)

__all__ = [
    "compositions", "determinants", "elementwise", "factorisations", "likelihood",
    "linalg", "linear", "plain", "polynomials", "products", "reductions",
    "shapes", "spreads", "ufuncs",
]  # fmt: skip
