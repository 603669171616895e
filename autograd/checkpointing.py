"""Trading time for memory: a function whose inside is computed again in the sweep."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from autograd.backward import sweep, topological
from autograd.context import no_grad, recording
from autograd.primitive import Primitive
from autograd.tensor import DISPATCH, Tensor, value_of, wrap

__all__ = ["checkpoint"]


def checkpoint(fun: Callable[..., Any]) -> Callable[..., Any]:
    """`fun`, keeping of its inside nothing but its arguments; a decorator.

    The graph holds one operation for the whole call. Its sweep runs `fun` once more and
    sweeps what that records, so that values, gradients and gradients of gradients are
    those of `fun` itself. What `fun` closes over counts: Tensors outside of its arguments
    get their gradients too.

    Args:
        fun: of positional arguments, Tensors or not, to one Tensor; the same function of
            them each time it is run (draw random numbers outside).

    Raises:
        TypeError: where `fun` returns something else than one Tensor.
    """

    @wraps(fun)
    def once(*args: Any) -> Any:
        tensors = [x for x in args if isinstance(x, Tensor) and x.requires_grad]
        closed_over, out = _first_run(fun, args)
        operation = _operation(fun, args, len(tensors), closed_over)
        inputs = [*tensors, *closed_over]
        return operation(value_of(out), *inputs) if inputs else out

    return once


def _first_run(fun: Callable[..., Any], args: Any) -> tuple[list[Tensor], Any]:
    """The Tensors from outside that `fun` uses besides its arguments, and its result."""
    start = wrap(0.0)._order
    fresh = tuple(_copy(x) for x in args)
    with recording():
        out = fun(*fresh)
    if not isinstance(out, (Tensor, np.ndarray, np.generic, float, int)):
        raise TypeError(f"checkpoint: expected one Tensor, got {type(out).__name__}")
    inside: list[Tensor] = []
    if isinstance(out, Tensor) and out.requires_grad:
        inside = [node for node in topological(out) if node._order > start]
    used = {
        x: None
        for node in inside
        for x in node._args
        if isinstance(x, Tensor) and x.requires_grad and x._order < start
    }
    return [x for x in used if not any(x is a for a in args)], out


def _copy(x: Any) -> Any:
    """An argument as a variable of the run's own, apart from the graph outside."""
    if isinstance(x, Tensor) and x.requires_grad:
        inner = wrap(x._data)
        inner._tracked = True
        return inner
    return x


def _operation(
    fun: Callable[..., Any], args: Any, count: int, closed_over: list[Tensor]
) -> Primitive:
    """The call as one operation of its value, its Tensors, and what it closes over."""
    latest: list[Any] = [None, []]

    def run_again(g: Any, inputs: tuple[Any, ...]) -> list[Any]:
        if latest[0] is g:
            return latest[1]
        record = any(isinstance(x, Tensor) for x in (g, *inputs))
        given = iter(inputs[:count])
        fresh = [
            _variable(next(given)) if isinstance(x, Tensor) and x.requires_grad else x
            for x in args
        ]
        ours = [x for x, a in zip(fresh, args, strict=True) if x is not a]
        with recording():
            out = fun(*fresh)
        wanted = [*ours, *closed_over]
        with recording() if record else no_grad():
            swept = sweep(out, g, record=record, wanted=set(wanted))
            table = {x: total for x, total, _ in swept}
        latest[:] = [g, [table.get(x, x._data * 0) for x in wanted]]
        return latest[1]

    def rule(place: int) -> Any:
        return lambda g, ans, value, *inputs: run_again(g, inputs)[place - 1]

    operation = Primitive(lambda value, *inputs: value, name=f"checkpoint {fun.__name__}")
    return operation.defvjp_each(rule)


def _variable(x: Any) -> Tensor:
    """A Tensor to differentiate by: recorded as a copy of x where x is one."""
    if isinstance(x, Tensor):
        return DISPATCH[np.positive](x)
    inner = wrap(x)
    inner._tracked = True
    return inner
