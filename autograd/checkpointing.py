"""Trading time for memory: a function whose inside is computed again in the sweep."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from autograd.backward import sweep, topological
from autograd.context import no_grad, recording
from autograd.primitive import Primitive
from autograd.tensor import DISPATCH, Tensor, value_of, wrap
from autograd.trees import leaves, map_tree

__all__ = ["checkpoint"]


def checkpoint(fun: Callable[..., Any]) -> Callable[..., Any]:
    """`fun`, keeping of its inside nothing but its arguments; a decorator.

    The graph holds one operation for the whole call. Its sweep runs `fun` once more and
    sweeps what that records, so that values, gradients and gradients of gradients are
    those of `fun` itself. What `fun` closes over counts: Tensors outside of its arguments
    get their gradients too.

    Args:
        fun: of nests of Tensors and of anything else, to one nest; the same function of
            them each time it is run (draw random numbers outside). Of what it returns,
            the Tensors must be of one dtype.
    """

    @wraps(fun)
    def once(*args: Any, **kwargs: Any) -> Any:
        given = (args, kwargs)
        tensors = [x for x in leaves(given) if _live(x)]
        out, joined, closed_over = _first_run(fun, given)
        if joined is None:
            return out
        operation = _operation(fun, given, len(tensors), closed_over)
        joined = operation(value_of(joined), *tensors, *closed_over)
        if isinstance(out, Tensor):
            return joined
        results = [x for x in leaves(out) if _live(x)]
        parts = iter(_parts(joined, [x.shape for x in results]))
        return map_tree(lambda x: next(parts) if _live(x) else x, out)

    return once


def _live(x: Any) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


def _joined(out: Any) -> Any:
    """The Tensors of a nest as one: a stack of equal shapes, or all in a row."""
    if isinstance(out, Tensor):
        return out
    results = [x for x in leaves(out) if _live(x)]
    dtypes = sorted({x.dtype.name for x in results})
    if len(dtypes) > 1:
        raise TypeError(
            f"checkpoint: the function returned Tensors of {' and '.join(dtypes)}; "
            "expected one dtype. Convert them with .astype"
        )
    if len({x.shape for x in results}) == 1:
        return np.stack(results)
    return np.concatenate([np.reshape(x, -1) for x in results])


def _parts(joined: Any, shapes: list[tuple[int, ...]]) -> list[Any]:
    """What `_joined` put together, each in its shape again."""
    if len(set(shapes)) == 1:
        return [joined[i] for i in range(len(shapes))]
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    starts = [0, *ends[:-1]]
    return [
        np.reshape(joined[int(start) : int(end)], shape)
        for start, end, shape in zip(starts, ends, shapes, strict=True)
    ]


def _first_run(fun: Callable[..., Any], given: Any) -> tuple[Any, Any, list[Tensor]]:
    """What `fun` returns, that as one Tensor, and what it uses from outside unasked."""
    start = wrap(0.0)._order
    args, kwargs = map_tree(lambda x: _variable(x._data) if _live(x) else x, given)
    with recording():
        out = fun(*args, **kwargs)
    if not any(_live(x) for x in leaves(out)):
        return out, None, []
    with recording():
        joined = _joined(out)
    inside = [node for node in topological(joined) if node._order > start]
    ours = {x for x in leaves(given) if _live(x)}
    used = (joined, *(x for node in inside for x in node._args if _live(x)))
    outside = dict.fromkeys(x for x in used if x._order < start and x not in ours)
    return out, joined, list(outside)


def _operation(
    fun: Callable[..., Any], given: Any, count: int, closed_over: list[Tensor]
) -> Primitive:
    """The call as one operation of its value, its Tensors, and what it closes over."""
    latest: dict[str, Any] = {"g": None, "gradients": {}}

    def run_again(g: Any, inputs: tuple[Any, ...]) -> dict[int, Any]:
        record = any(isinstance(x, Tensor) for x in (g, *inputs))
        variables = [_variable(x) for x in inputs[:count]]
        fresh = iter(variables)
        args, kwargs = map_tree(lambda x: next(fresh) if _live(x) else x, given)
        with recording():
            out = _joined(fun(*args, **kwargs))
        wanted = [*variables, *closed_over]
        with recording() if record else no_grad():
            swept = sweep(out, g, record=record, wanted=set(wanted))
            table = {x: total for x, total, _ in swept}
        zero = {x: np.zeros_like(x._data) for x in wanted if x not in table}
        return {i: (table | zero)[x] for i, x in enumerate(wanted)}

    def rule(place: int) -> Any:
        def vjp(g: Any, ans: Any, value: Any, *inputs: Any) -> Any:
            gradients = latest["gradients"]
            if latest["g"] is not g or place - 1 not in gradients:
                gradients = run_again(g, inputs)
                latest.update(g=g, gradients=gradients)
            found = gradients.pop(place - 1)
            if not gradients:
                latest.update(g=None)
            return found

        return vjp

    operation = Primitive(lambda value, *inputs: value, name=f"checkpoint {_name(fun)}")
    return operation.defvjp_each(rule)


def _name(fun: Any) -> str:
    return str(getattr(fun, "__name__", None) or _name(fun.func))


def _variable(x: Any) -> Tensor:
    """A Tensor to differentiate by: recorded as a copy of x where x is one."""
    if isinstance(x, Tensor):
        return DISPATCH[np.positive](x)
    inner = wrap(x)
    inner._tracked = True
    return inner
