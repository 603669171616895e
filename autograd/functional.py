"""Differentiation as a function of functions, after JAX."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from autograd.backward import seed, sweep, topological
from autograd.context import recording
from autograd.tensor import DISPATCH, Tensor, value_of
from autograd.trees import map_tree

__all__ = ["grad", "value_and_grad"]


def value_and_grad(
    fun: Callable[..., Any], argnums: int | tuple[int, ...] = 0
) -> Callable[..., tuple[Any, Any]]:
    """A function that returns (fun(*args), ∂fun/∂args[argnums]).

    Args:
        fun: returns a scalar.
        argnums: the argument or arguments to differentiate by. Each is an array, a
            float, or a nest of dicts, lists, tuples and dataclasses of them; its
            gradient is the same nest, zero where `fun` does not depend on it.

    Plain arguments give plain results. Where an argument, or anything that `fun` closes
    over, is itself a Tensor that requires a gradient, as in `grad(grad(f))`, the results
    are Tensors and can be differentiated again.

    Raises:
        ValueError: where `fun` returns more than one element.
    """
    wanted = (argnums,) if isinstance(argnums, int) else argnums

    @wraps(fun)
    def differentiated(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        places = tuple(range(len(args))[i] for i in wanted)
        variables = {i: map_tree(_variable, args[i]) for i in places}
        given = (variables.get(i, x) for i, x in enumerate(args))
        with recording():
            value = fun(*given, **kwargs)
        ours: set[Tensor] = set()
        map_tree(ours.add, tuple(variables.values()))
        record, table = _gradients(value, ours)

        for x in ours:
            x._spent = True

        def gradient(x: Tensor) -> Any:
            if x in table:
                return table[x]
            return 0.0 if type(x._data) is float else np.zeros_like(x._data)

        gradients = tuple(map_tree(gradient, variables[i]) for i in places)
        value = value if record else value_of(value)
        return value, gradients[0] if isinstance(argnums, int) else gradients

    return differentiated


def grad(
    fun: Callable[..., Any], argnums: int | tuple[int, ...] = 0
) -> Callable[..., Any]:
    """A function that returns ∂fun/∂args[argnums]; see `value_and_grad`."""
    both = value_and_grad(fun, argnums)

    @wraps(fun)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return differentiated


def _variable(x: Any) -> Tensor:
    """A Tensor of our own to differentiate by, recorded as a copy of x where x is one."""
    if isinstance(x, Tensor) and x._tracked:
        return DISPATCH[np.positive](x)
    x = value_of(x)
    return Tensor(float(x) if type(x) is int else x, requires_grad=True)


def _gradients(value: Any, ours: set[Tensor]) -> tuple[bool, dict[Tensor, Any]]:
    """∂value/∂x for x in `ours`; and whether more than `ours` went into the value."""
    if not isinstance(value, (Tensor, np.ndarray, np.generic, float, int)):
        raise TypeError(
            f"grad: the function returned {type(value).__name__}, expected a scalar; "
            "does it end in `return`?"
        )
    if np.size(value_of(value)) != 1:
        raise ValueError(
            f"grad: the function returned shape {np.shape(value_of(value))}, but only a "
            "scalar has a gradient; reduce it (np.sum, np.mean)"
        )
    if not isinstance(value, Tensor) or not value._tracked:
        return False, {}
    leaves = (x for x in topological(value) if x.op == "leaf")
    # An inner grad's variables are constants by now; it has marked them spent.
    record = any(x not in ours and not x._spent for x in leaves)
    start = seed(value, None)
    swept = sweep(value, start, record=record, wanted=ours)
    return record, {x: _as_data(g, x) for x, g, _ in swept if x in ours}


def _as_data(g: Any, x: Tensor) -> Any:
    """A gradient in the form of the value: a Python float, or an array of its own."""
    if isinstance(g, Tensor):
        return g
    return float(g) if type(x._data) is float else np.array(g)
