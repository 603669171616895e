"""Differentiation as a function of functions, after JAX.

Every function here takes arguments that are arrays, floats, or nests of dicts, lists,
tuples and dataclasses of them. `fun` gets the arguments by which it is differentiated as
nests of Tensors in containers of its own: whatever it does to the containers (set an
entry, `pop`, `append`, `sort`), the nests of the caller stay as they are, and the
gradient has the structure that the argument had when the function was called. All other
arguments are handed on as they are. The variables of a dataclass are its fields; no
`__post_init__` is run.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from autograd.backward import sweep
from autograd.context import recording
from autograd.programs.tracing import Traced
from autograd.recorded import (
    RecordedCall,
    argument_places,
    name_of,
    numbers_like,
    ones_of,
)
from autograd.tensor import Tensor, value_of
from autograd.trees import leaves, map_tree, paired

__all__ = ["grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]

Function = Callable[..., Any]
Argnums = int | tuple[int, ...]


def value_and_grad(
    fun: Function, argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., tuple[Any, Any]]:
    """A function that returns (fun(*args), ∂fun/∂args[argnums]).

    Args:
        fun: returns a scalar; with `has_aux`, a pair of a scalar and any nest.
        argnums: the argument or arguments to differentiate by, counted among those given
            by position. Each is an array, a float, or a nest of dicts, lists, tuples and
            dataclasses of them; its gradient is the same nest, zero where `fun` does not
            depend on it. A tuple gives a tuple of gradients.
        has_aux: whether `fun` returns (value, aux). Then the result is
            ((value, aux), gradient); aux is not differentiated.

    Plain arguments give plain results, in `aux` too. Where an argument, or anything that
    `fun` closes over, is itself a Tensor that requires a gradient, as in `grad(grad(f))`,
    the results are Tensors and can be differentiated again.

    Raises:
        TypeError: where `fun` returns no number, or no pair with `has_aux`; for
            arguments that are no nests of numbers.
        ValueError: where `fun` returns more than one number.
        IndexError: where `argnums` names an argument that is not given by position.
    """
    return _with_gradient("value_and_grad", fun, argnums, has_aux)


def grad(fun: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """A function that returns ∂fun/∂args[argnums]; see `value_and_grad`.

    With `has_aux`, where `fun` returns (value, aux), it returns (gradient, aux).
    """
    both = _with_gradient("grad", fun, argnums, has_aux)

    @wraps(fun)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return differentiated


def _with_gradient(
    name: str, fun: Function, argnums: Argnums, has_aux: bool
) -> Callable[..., tuple[Any, Any]]:
    @wraps(fun)
    def differentiated(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        places = argument_places(name, argnums, args, kwargs)
        run = RecordedCall(name, fun, args, kwargs, places, has_aux)
        run.check_scalar()
        gradients = run.pull([run.value], [ones_of(run.value)])
        value = run.plain((run.value, run.aux) if has_aux else run.value)
        return value, _one_or_all(gradients, argnums)

    return differentiated


def _one_or_all(found: tuple[Any, ...], argnums: Any) -> Any:
    """What belongs to a single argument, or a tuple for a tuple of them."""
    return found if isinstance(argnums, (tuple, list)) else found[0]


def vjp(fun: Function, *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """fun(*primals), and the function g ↦ gᵀ ∂fun/∂primals.

    Args:
        fun: returns an array, a scalar, or a nest of them.
        primals: arrays, floats, or nests of them.

    Returns:
        The value; and a function of g, a nest of the value's structure and shapes, that
        returns one gradient for each of the primals, in its nest: Σ gᵢᵀ ∂funᵢ/∂primal
        over the leaves i of the value.

    Raises:
        TypeError: where `fun` returns anything but numbers; from the function of g, for
            another structure, and for complex numbers.
        ValueError: from the function of g, for other keys or shapes.
    """
    run = RecordedCall("vjp", fun, primals, {}, range(len(primals)))
    run.check_numbers()
    roots = leaves(run.value)

    def pull(g: Any) -> tuple[Any, ...]:
        return run.pull(
            roots, paired(run.value, g, ("vjp: g", "the value"), numbers_like)
        )

    pull.__qualname__ = "vjp_fun"
    return map_tree(_apart, run.plain(run.value)), pull


def _apart(x: Any) -> Any:
    """A copy of an array that the sweeps still need."""
    return x.copy() if isinstance(x, (np.ndarray, Traced)) else x


def jvp(
    fun: Function, primals: tuple[Any, ...], tangents: tuple[Any, ...]
) -> tuple[Any, Any]:
    """fun(*primals), and its derivative along `tangents`: Σ ∂fun/∂primal · tangent.

    The pull-back g ↦ gᵀJ is linear in g, so its own pull-back gives J: forward mode comes
    out of two sweeps, with no second set of rules.

    Args:
        fun: returns an array, a scalar, or a nest of them.
        primals: arrays, floats, or nests of them.
        tangents: one for each, of the same structure and shapes; paired by key.

    Returns:
        The value, and the derivative in the same nest.

    Raises:
        TypeError: where a tangent has another structure than its primal, or is complex;
            where `fun` returns anything but numbers.
        ValueError: where a tangent has other keys or another shape than its primal.
    """
    for title, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise TypeError(
                f"jvp: {title} is of type {type(given).__name__}, expected a tuple with "
                "one entry for each argument of the function"
            )
    primals, names = tuple(primals), ("jvp: tangents", "primals")
    along = paired(primals, tuple(tangents), names, numbers_like)
    run = RecordedCall("jvp", fun, primals, {}, range(len(primals)))
    run.check_numbers()
    roots = [x for x in leaves(run.value) if run.depends(x)]
    duals = [Tensor(np.zeros_like(ones_of(x)), requires_grad=True) for x in roots]
    with recording():
        pulled = leaves(run.pull(roots, duals))
        product = sum(np.sum(g * t) for g, t in zip(pulled, along, strict=True))
    for dual in duals:
        dual._spent = True
    table: dict[Tensor, Any] = {}
    if isinstance(product, Tensor) and product.requires_grad:
        record = run.others(product)
        swept = sweep(product, ones_of(product), record=record, wanted=set(duals))
        table = {x: g if record else np.copy(value_of(g)) for x, g, _ in swept}
    found = iter(table.get(dual) for dual in duals)

    def tangent(x: Any) -> Any:
        g = next(found) if run.depends(x) else None
        return np.zeros_like(ones_of(x)) if g is None else g

    return run.plain(run.value), map_tree(tangent, run.value)


def jacobian(fun: Function, argnums: Argnums = 0) -> Function:
    """A function that returns ∂fun/∂args[argnums], of shape out.shape + in.shape.

    Args:
        fun: returns an array, a scalar, or a nest of them; one sweep is made for each
            element.
        argnums: see `value_and_grad`.

    Of nests, the result is a nest of nests: the structure of what `fun` returns outside,
    that of the argument inside, and with a tuple of `argnums` a tuple between the two:
    jacobian(fun, (0, 1))(x, y)["out"][1]["in"] is ∂out/∂y["in"].

    Raises:
        TypeError: where `fun` returns anything but numbers.
    """

    @wraps(fun)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        places = argument_places("jacobian", argnums, args, kwargs)
        run = RecordedCall("jacobian", fun, args, kwargs, places)
        run.check_numbers()
        return map_tree(lambda out: _one_or_all(_rows(run, out), argnums), run.value)

    return differentiated


def _rows(run: RecordedCall, out: Any) -> tuple[Any, ...]:
    """∂out/∂args for one array `out`, in the nests of the arguments."""
    shape = np.shape(value_of(out))
    dtype = np.result_type(value_of(out))
    basis = np.eye(math.prod(shape), dtype=dtype) if run.depends(out) else ()
    rows = [run.pull([out], [unit.reshape(shape)]) for unit in basis]
    columns = [iter(leaves(row)) for row in rows]

    def stacked(x: Tensor) -> Any:
        each = [next(column) for column in columns]
        if not each:
            return np.zeros((*shape, *x.shape), x.dtype)
        return np.reshape(np.stack(each), (*shape, *x.shape))

    return tuple(map_tree(stacked, run.variables[i]) for i in run.places)


def hessian(fun: Function, argnums: Argnums = 0) -> Function:
    """A function that returns ∂²fun/∂x∂y, of shape x.shape + y.shape, of a scalar `fun`.

    Args:
        fun: returns a scalar.
        argnums: see `value_and_grad`.

    For one array x = args[argnums] this is ∂²fun/∂x². With a tuple of `argnums` it is a
    tuple of tuples: [i][j] is ∂²fun/∂args[argnums[i]]∂args[argnums[j]]. Of a nest it is
    the nest of nests: ["a"]["b"] is ∂²fun/∂x["a"]∂x["b"].
    """
    return jacobian(grad(fun, argnums), argnums)


def hvp(fun: Function) -> Callable[[Any, Any], Any]:
    """A function of (x, v) that returns the Hessian of `fun` at x times v.

    The Hessian itself is never formed: it is the gradient of ⟨∂fun/∂x, v⟩. x is an array,
    a float, or a nest of them; v has the structure and the shapes of x, and is paired
    with it by key.

    Raises:
        TypeError: where v has another structure than x, or is complex.
        ValueError: where v has other keys or another shape than x.
    """

    def product(x: Any, v: Any) -> Any:
        along = paired(x, v, ("hvp: v", "x"), numbers_like)

        def slope(x: Any) -> Any:
            pairs = zip(leaves(grad(fun)(x)), along, strict=True)
            return sum(np.sum(g * u) for g, u in pairs)

        return grad(slope)(x)

    product.__qualname__ = f"hvp({name_of(fun)})"
    return product
