"""For tests of one's own differentiable code: a check, and strategies for hypothesis.

`check_grads` holds the derivatives of any function against differences of its values. It
needs nothing but NumPy. Here it finds a factor that was forgotten:

    >>> import numpy as np
    >>> from autograd import primitive
    >>> from autograd.testing import check_grads
    >>> @primitive
    ... def cube(x):
    ...     return x**3
    >>> cube = cube.defvjp(lambda g, ans, x: g * x**2)  # it is 3 x²
    >>> check_grads(cube, (np.array([1.0, 2.0]),))
    ... # doctest: +NORMALIZE_WHITESPACE
    Traceback (most recent call last):
        ...
    AssertionError: check_grads: order 1, mode "rev": the gradient by argument 0 is wrong
    in 2 of 2 elements, first at (0,): the engine says 0.640423, differences say 1.92127,
    3 times as much

The strategies draw what such a function is tested on, and need hypothesis, which the
extra `test` brings:

    from hypothesis import given
    from autograd.testing import arrays, check_grads, shapes

    @given(arrays(shapes(max_dims=2)))
    def test_my_function(x):
        check_grads(my_function, (x,))

`arrays`, `numbers`, `shapes`, `broadcastable` (arrays that broadcast together), `axes`
(what an `axis` argument takes) and `graphs`: whole random functions, which run on arrays
and Tensors alike and print as the program they are.
"""

from __future__ import annotations

from typing import Any

from autograd.extras import require
from autograd.testing.checks import check_grads

STRATEGIES = (
    "RandomGraph",
    "arrays",
    "axes",
    "broadcastable",
    "graphs",
    "numbers",
    "shapes",
)

__all__ = [
    "RandomGraph",
    "arrays",
    "axes",
    "broadcastable",
    "check_grads",
    "graphs",
    "numbers",
    "shapes",
]


def __getattr__(name: str) -> Any:
    if name not in STRATEGIES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require("hypothesis", "test", f"autograd.testing.{name}")
    return getattr(require(f"{__name__}.strategies", "test", "autograd.testing"), name)
