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
from autograd.recorded import name_of
from autograd.tensor import DISPATCH, Tensor, seal, value_of, wrap
from autograd.trees import Repeated, by_place, itself, leaves, map_tree

__all__ = ["checkpoint"]


def checkpoint(fun: Callable[..., Any]) -> Callable[..., Any]:
    """`fun`, keeping of its inside nothing but its arguments; a decorator.

    The graph holds one operation for the whole call. Its sweep runs `fun` once more and
    sweeps what that records, so that values, gradients and gradients of gradients are
    those of `fun` itself. What `fun` closes over counts: Tensors outside of its arguments
    get their gradients too.

    Args:
        fun: a function, or any object that can be called, of nests of Tensors and of
            anything else, to one nest; the same function of them each time it is run
            (draw random numbers outside). The Tensors that it returns must be of one
            dtype. It gets its arguments in containers of its own, as they were when it
            was called: what it does to these containers, its caller does not see.

    Raises:
        ValueError: from the sweep, where an array that `fun` uses, its random numbers
            among them, is not what it was.
    """

    @wraps(fun)
    def once(*args: Any, **kwargs: Any) -> Any:
        given = map_tree(itself, (args, kwargs))
        tensors = [x for x in leaves(given) if _live(x)]
        out, joined, closed_over, seals = _first_run(fun, args, kwargs)
        if joined is None:
            return out
        operation = _operation(fun, given, len(tensors), closed_over, seals)
        joined = operation(value_of(joined), *tensors, *closed_over)
        if isinstance(out, Tensor):
            return joined
        results = _results(out)
        parts = _parts(joined, [x.shape for x in results])
        for x, part in zip(results, parts, strict=True):
            part.name = x.name
        made = dict(zip(results, parts, strict=True))
        return map_tree(lambda x: made[x] if _live(x) else x, out)

    return once


def _live(x: Any) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


def _results(out: Any) -> list[Tensor]:
    """The Tensors of a nest, each once."""
    return list(dict.fromkeys(x for x in leaves(out) if _live(x)))


def _joined(out: Any) -> Any:
    """The Tensors of a nest as one: a stack of equal shapes, or all in a row."""
    if isinstance(out, Tensor):
        return out
    results = _results(out)
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


def _first_run(
    fun: Callable[..., Any], args: Any, kwargs: Any
) -> tuple[Any, Any, list[Tensor], list[int]]:
    """What `fun` returns, that as one Tensor, the Tensors it uses unasked, and seals."""
    start = wrap(0.0)._order
    own = map_tree(lambda x: _leaf(x._data) if _live(x) else x, (args, kwargs))
    repeated = Repeated(by_place(args, kwargs), by_place(*own))
    with recording():
        out = fun(*own[0], **own[1])
        repeated.check("checkpoint", "arguments")
        if not any(_live(x) for x in leaves(out)):
            return out, None, [], []
        joined = _joined(out)
    inside = _inside(joined, start)
    used = (joined, *(x for node in inside for x in node._args if _live(x)))
    outside = dict.fromkeys(x for x in used if x._order < start)
    return out, joined, list(outside), _sealed(inside)


def _inside(joined: Tensor, start: float) -> list[Tensor]:
    """The operations below a Tensor that were recorded after `start`."""
    nodes = topological(joined)
    return [x for x in nodes if x._primitive is not None and x._order > start]


def _sealed(nodes: list[Tensor]) -> list[int]:
    """Checksums of the plain arrays that went into these operations, in their order."""
    arrays = (x for node in nodes for x in node._args if isinstance(x, np.ndarray))
    return [seal(x) for x in arrays]


def _operation(
    fun: Callable[..., Any],
    given: Any,
    count: int,
    closed_over: list[Tensor],
    seals: list[int],
) -> Primitive:
    """The call as one operation of its value, its Tensors, and what it closes over."""
    latest: dict[str, Any] = {"g": None, "gradients": {}}

    def run_again(g: Any, inputs: tuple[Any, ...]) -> dict[int, Any]:
        record = any(isinstance(x, Tensor) for x in (g, *inputs))
        start = wrap(0.0)._order
        variables = [_leaf(value_of(x)) for x in inputs[:count]]
        fresh = iter(variables)
        args, kwargs = map_tree(lambda x: next(fresh) if _live(x) else x, given)
        with recording():
            out = _joined(fun(*args, **kwargs))
            if _sealed(_inside(out, start)) != seals:
                raise ValueError(
                    f"checkpoint {name_of(fun)}: an array that it uses is not what it "
                    "was when it was called, so the gradient would be wrong. Change a "
                    "copy, or change it after backward; draw random numbers outside"
                )
        wanted = [*variables, *closed_over]
        with recording() if record else no_grad():
            swept = sweep(out, g, record=record, wanted=set(wanted))
            table = {x: total for x, total, _ in swept}
        for variable, x in zip(variables, inputs[:count], strict=True):
            _attach(variable, x)
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

    operation = Primitive(lambda value, *inputs: value, name=f"checkpoint {name_of(fun)}")
    operation.floats = True  # `fun` is run again on what it was called with
    return operation.defvjp_each(rule)


def _leaf(data: Any) -> Tensor:
    """A Tensor of `data` to differentiate by."""
    inner = wrap(data)
    inner._tracked, inner._spent = True, False
    return inner


def _attach(variable: Tensor, x: Any) -> None:
    """Make a leaf a recorded copy of x, where x is a Tensor.

    Only now: a sweep through x on to what else x came from would count that twice.
    """
    if isinstance(x, Tensor):
        copied = DISPATCH[np.positive](x)
        variable._primitive, variable._x = copied._primitive, copied._x
        variable._y, variable._seal = copied._y, copied._seal
