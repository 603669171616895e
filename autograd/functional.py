"""Differentiation as a function of functions, after JAX."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from autograd.backward import seed, sweep, topological
from autograd.context import recording
from autograd.programs.tracing import FLOATS, Traced, as_float
from autograd.tensor import DISPATCH, Tensor, array_of, value_of
from autograd.trees import leaves, map_tree

__all__ = ["grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]

Function = Callable[..., Any]


class _Traced:
    """A call of `fun`, recorded in variables of its own for some of its arguments.

    Attributes:
        variables: nests of Tensors, one for each argument in `places`.
        value: what `fun` returned.
    """

    def __init__(
        self, fun: Function, args: Any, kwargs: Any, places: tuple[int, ...]
    ) -> None:
        self.variables = {i: map_tree(_variable, args[i]) for i in places}
        self.places = places
        self.ours: set[Tensor] = set()
        map_tree(self.ours.add, tuple(self.variables.values()))
        given = (self.variables.get(i, x) for i, x in enumerate(args))
        with recording():
            self.value = fun(*given, **kwargs)
        # From now on these are constants to whoever differentiates what comes of them.
        for x in self.ours:
            x._spent = True

    def depends(self, value: Any) -> bool:
        """Whether `value` was computed from anything that requires a gradient."""
        return isinstance(value, Tensor) and value.requires_grad

    def others(self, value: Any) -> bool:
        """Whether anything live besides our variables went into `value`."""
        return self.depends(value) and any(
            x.op == "leaf" and x not in self.ours and not x._spent
            for x in topological(value, replays=True)
        )

    def plain(self, value: Any) -> Any:
        """The value as it is returned: an array, unless it is to be differentiated on."""
        return value if self.others(value) else value_of(value)

    def pull(self, root: Any, gradient: Any) -> tuple[Any, ...]:
        """gradientᵀ ∂root/∂variable, in the nests of the arguments."""
        table: dict[Tensor, Any] = {}
        if self.depends(root):
            gradient = seed(root, gradient)
            record = self.others(root) or self.others(gradient)
            gradient = gradient if record else value_of(gradient)
            swept = sweep(root, gradient, record=record, wanted=self.ours)
            table = {x: _as_data(g, x, own) for x, g, own in swept}

        def found(x: Tensor) -> Any:
            if x in table:
                return table[x]
            return 0.0 if type(x._data) in FLOATS else np.zeros_like(x._data)

        return tuple(map_tree(found, self.variables[i]) for i in self.places)


def _variable(x: Any) -> Tensor:
    """A Tensor of our own to differentiate by, recorded as a copy of x where x is one."""
    if isinstance(x, Tensor) and x.requires_grad:
        return DISPATCH[np.positive](x)
    x = value_of(x)
    return Tensor(float(x) if type(x) is int else x, requires_grad=True)


def _as_data(g: Any, x: Tensor, own: bool) -> Any:
    """A gradient in the form of the value: a Python float, or an array of its own."""
    if own or isinstance(g, Tensor):
        return g
    return as_float(g) if type(x._data) in FLOATS else np.copy(g)


def _numeric(value: Any, name: str) -> None:
    if not isinstance(value, (Tensor, np.ndarray, np.generic, float, int)):
        raise TypeError(
            f"{name}: the function returned {type(value).__name__}, expected numbers; "
            "does it end in `return`?"
        )


def _ones(value: Any) -> Any:
    if type(value_of(value)) in FLOATS:
        return 1.0
    return np.ones(np.shape(value), np.result_type(value))


def value_and_grad(
    fun: Function, argnums: int | tuple[int, ...] = 0
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
        TypeError: where `fun` returns no number.
        ValueError: where it returns more than one.
    """
    wanted = (argnums,) if isinstance(argnums, int) else argnums

    @wraps(fun)
    def differentiated(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        places = tuple(range(len(args))[i] for i in wanted)
        run = _Traced(fun, args, kwargs, places)
        _numeric(run.value, "grad")
        if np.size(value_of(run.value)) != 1:
            raise ValueError(
                f"grad: the function returned shape {np.shape(run.value)}, but only a "
                "scalar has a gradient; reduce it (np.sum, np.mean)"
            )
        gradients = run.pull(run.value, _ones(run.value))
        found = gradients[0] if isinstance(argnums, int) else gradients
        return run.plain(run.value), found

    return differentiated


def grad(fun: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """A function that returns ∂fun/∂args[argnums]; see `value_and_grad`."""
    both = value_and_grad(fun, argnums)

    @wraps(fun)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return differentiated


def vjp(fun: Function, *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """fun(*primals), and the function g ↦ gᵀ ∂fun/∂primals.

    Args:
        fun: returns one array or scalar.
        primals: arrays, floats, or nests of them.

    Returns:
        The value; and a function of g, of the value's shape, that returns one gradient
        for each of the primals, in its nest.

    Raises:
        TypeError: where `fun` returns no number.
        ValueError: from that function, for a g of another shape.
    """
    run = _Traced(fun, primals, {}, tuple(range(len(primals))))
    _numeric(run.value, "vjp")

    def pull(g: Any) -> tuple[Any, ...]:
        if np.shape(value_of(g)) != np.shape(value_of(run.value)):
            raise ValueError(
                f"vjp: g has shape {np.shape(value_of(g))}, expected that of the value, "
                f"{np.shape(value_of(run.value))}"
            )
        return run.pull(run.value, g if isinstance(g, Tensor) else array_of(g))

    out = run.plain(run.value)  # a copy: the sweeps still need the value
    return out.copy() if isinstance(out, (np.ndarray, Traced)) else out, pull


def jvp(
    fun: Function, primals: tuple[Any, ...], tangents: tuple[Any, ...]
) -> tuple[Any, Any]:
    """fun(*primals), and its derivative along `tangents`: Σ ∂fun/∂primal · tangent.

    The pull-back g ↦ gᵀJ is linear in g, so its own pull-back gives J: forward mode comes
    out of two sweeps, with no second set of rules.

    Args:
        fun: returns one array or scalar.
        primals: arrays, floats, or nests of them.
        tangents: as many, of the same nests and shapes.

    Raises:
        ValueError: where a tangent's shape is not its primal's.
    """
    run = _Traced(fun, primals, {}, tuple(range(len(primals))))
    _numeric(run.value, "jvp")
    along = leaves(tuple(tangents))
    variables = leaves(tuple(run.variables.values()))
    shapes = [[np.shape(value_of(x)) for x in xs] for xs in (variables, along)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"jvp: tangents of shapes {shapes[1]}, expected the primals': {shapes[0]}"
        )
    dual = Tensor(np.zeros_like(_ones(run.value)), requires_grad=True)
    pulled = leaves(run.pull(run.value, dual))
    paired = sum(np.sum(g * t) for g, t in zip(pulled, along, strict=True))
    dual._spent = True
    if not (isinstance(paired, Tensor) and paired.requires_grad):
        return run.plain(run.value), np.zeros_like(_ones(run.value))
    record = run.others(paired)
    swept = sweep(paired, _ones(paired), record=record, wanted={dual})
    table = {x: g for x, g, _ in swept}
    tangent = table[dual] if dual in table else np.zeros_like(_ones(run.value))
    return run.plain(run.value), tangent if record else np.copy(value_of(tangent))


def jacobian(fun: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """A function that returns ∂fun/∂args[argnums], of shape out.shape + in.shape.

    Args:
        fun: returns one array; one sweep is made for each of its elements.
        argnums: see `value_and_grad`; of a nest, the same nest of Jacobians.
    """
    wanted = (argnums,) if isinstance(argnums, int) else argnums

    @wraps(fun)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        places = tuple(range(len(args))[i] for i in wanted)
        run = _Traced(fun, args, kwargs, places)
        _numeric(run.value, "jacobian")
        shape = np.shape(value_of(run.value))
        basis = np.eye(math.prod(shape), dtype=np.result_type(run.value))
        rows = [run.pull(run.value, unit.reshape(shape)) for unit in basis]
        columns = [iter(leaves(row)) for row in rows]

        def stacked(x: Tensor) -> Any:
            each = [next(column) for column in columns]
            if not each:
                return np.zeros((*shape, *x.shape), x.dtype)
            return np.reshape(np.stack(each), (*shape, *x.shape))

        found = tuple(map_tree(stacked, run.variables[i]) for i in places)
        return found[0] if isinstance(argnums, int) else found

    return differentiated


def hessian(fun: Function, argnums: int = 0) -> Function:
    """A function that returns ∂²fun/∂x², of shape x.shape + x.shape, for one array x."""
    return jacobian(grad(fun, argnums), argnums)


def hvp(fun: Function) -> Callable[[Any, Any], Any]:
    """A function of (x, v) that returns the Hessian of `fun` at x times v.

    The Hessian itself is never formed: it is the gradient of ⟨∂fun/∂x, v⟩.
    """

    def product(x: Any, v: Any) -> Any:
        def slope(x: Any) -> Any:
            pairs = zip(leaves(grad(fun)(x)), leaves(v), strict=True)
            return sum(np.sum(g * u) for g, u in pairs)

        return grad(slope)(x)

    return product
