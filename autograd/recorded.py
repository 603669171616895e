"""A call of a function, recorded in variables of its own, for `grad` and its kin."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import numpy as np

from autograd.arrays import check_plain
from autograd.backward import seed, sweep, topological
from autograd.context import recording
from autograd.primitive import Primitive
from autograd.programs.tracing import FLOATS, Traced, as_float
from autograd.tensor import DISPATCH, Tensor, array_of, value_of
from autograd.trees import Repeated, hidden, itself, leaves, map_tree, paths

__all__ = [
    "RecordedCall", "argument_places", "check_attributes", "name_of", "numbers_like",
    "ones_of",
]  # fmt: skip


class RecordedCall:
    """A call of `fun`, differentiable by some of its arguments.

    `fun` gets these arguments as nests of Tensors in containers of its own: what it does
    to the containers changes neither the user's nests nor the variables. All other
    arguments are handed on as they are.

    Args:
        name: of the transformation, for messages.
        fun: the function.
        args: the positional arguments.
        kwargs: the arguments by keyword.
        places: which of `args` to differentiate by.
        has_aux: whether `fun` returns a pair, whose second part is not differentiated.

    Attributes:
        variables: by place, the nest of Tensors that stands for the argument.
        value: the nest that `fun` returned, in containers of its own.
        aux: the second part of the pair.

    Raises:
        TypeError: for arguments and results that are no nests of numbers.
    """

    def __init__(
        self,
        name: str,
        fun: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        places: Iterable[int],
        has_aux: bool = False,
    ) -> None:
        self.name, self.places = name, tuple(places)
        self.variables = {i: _variables(name, i, args[i]) for i in self.places}
        self.ours: set[Tensor] = set(leaves(tuple(self.variables.values())))
        own = {i: map_tree(itself, tree) for i, tree in self.variables.items()}
        repeated = Repeated({i: args[i] for i in own}, own)
        given = (own.get(i, x) for i, x in enumerate(args))
        with recording():
            value = fun(*given, **kwargs)
        repeated.check(name, "arguments")
        # From now on these are constants to any outer differentiation.
        for x in self.ours:
            x._spent = True
        self.aux = None
        if has_aux:
            if not (isinstance(value, (tuple, list)) and len(value) == 2):
                raise TypeError(
                    f"{name}: has_aux=True, but the function returned "
                    f"{type(value).__name__}, expected a pair (value, aux)"
                )
            value, self.aux = value
        self.value = map_tree(itself, value)

    def check_scalar(self) -> None:
        """Raise unless the value is one number."""
        value = self.value
        if not _is_number(value):
            way = (
                "Does it end in `return`?"
                if value is None
                else "Reduce it to one; other results are returned with has_aux=True"
            )
            raise TypeError(
                f"{self.name}: the function returned {type(value).__name__}, expected "
                f"a number. {way}"
            )
        self._check_real(value, "")
        if np.size(value_of(value)) != 1:
            raise ValueError(
                f"{self.name}: the function returned shape {np.shape(value_of(value))}, "
                "but only a scalar has a gradient; reduce it (np.sum, np.mean)"
            )

    def check_numbers(self) -> None:
        """Raise unless the value is a nest of numbers."""
        if self.value is None:
            raise TypeError(
                f"{self.name}: the function returned None, expected numbers. Does it end "
                "in `return`?"
            )
        for path, x in paths(self.value, "result"):
            if not _is_number(x):
                raise TypeError(
                    f"{self.name}: the function returned {type(x).__name__}, at {path}, "
                    "expected numbers in dicts, lists, tuples and dataclasses. Return "
                    "only what is to be differentiated"
                )
            self._check_real(x, f", at {path}")

    def _check_real(self, x: Any, where: str) -> None:
        """Raise TypeError for a result that carries anything but real numbers."""
        x = value_of(x)
        if not isinstance(x, Traced):
            check_plain(f"{self.name}: the result{where}", x)
        dtype = np.result_type(x)
        if dtype.kind not in "fiub":
            raise TypeError(
                f"{self.name}: the function returned {dtype}{where}, expected real "
                "numbers. Return only what is to be differentiated; np.stack joins "
                "Tensors, np.array does not"
            )

    def depends(self, value: Any) -> bool:
        """Whether `value` was computed from anything that requires a gradient."""
        return isinstance(value, Tensor) and value.requires_grad

    def others(self, *values: Any) -> bool:
        """Whether anything live besides our variables went into any of `values`."""
        roots = [x for x in values if isinstance(x, Tensor) and x._tracked]
        if not roots:
            return False
        root = roots[0] if len(roots) == 1 else _joined(roots)
        return any(
            x.op == "leaf" and self._live(x) for x in topological(root, replays=True)
        )

    def _live(self, leaf: Tensor) -> bool:
        return leaf not in self.ours and not leaf._spent

    def plain(self, value: Any) -> Any:
        """The nest as it is returned: of arrays, unless to be differentiated on."""
        tracked = [x for x in leaves(value) if self.depends(x)]
        if not self.others(*tracked):
            return map_tree(value_of, value)
        alone = len(tracked) == 1
        live = set(tracked) if alone else self._above_others(_joined(tracked))
        return map_tree(
            lambda x: x if self.depends(x) and x in live else value_of(x), value
        )

    def _above_others(self, root: Tensor) -> set[Tensor]:
        """All that was computed from anything live besides our variables."""
        found: set[Tensor] = set()
        for x in topological(root, replays=True):
            if self._live(x) if x.op == "leaf" else not found.isdisjoint(_tensors(x)):
                found.add(x)
        return found

    def pull(self, roots: list[Any], gradients: list[Any]) -> tuple[Any, ...]:
        """Σ gradientᵀ ∂root/∂variable over the roots, in the nests of the arguments.

        A root that depends on nothing contributes zero.
        """
        pairs = [
            (root, seed(root, gradient))
            for root, gradient in zip(roots, gradients, strict=True)
            if self.depends(root)
        ]
        table: dict[Tensor, Any] = {}
        if pairs:
            record = self.others(*(x for pair in pairs for x in pair))
            if not record:
                pairs = [(root, value_of(gradient)) for root, gradient in pairs]
            root, gradient = pairs[0]
            if len(pairs) > 1:
                root, gradient = _joined(*zip(*pairs, strict=True)), np.ones(())
            swept = sweep(root, gradient, record=record, wanted=self.ours)
            table = {x: _as_data(g, x, own) for x, g, own in swept}

        def found(x: Tensor) -> Any:
            if x in table:
                return table[x]
            return 0.0 if type(x._data) in FLOATS else np.zeros_like(x._data)

        return tuple(map_tree(found, self.variables[i]) for i in self.places)


def _joined(roots: Sequence[Tensor], gradients: Sequence[Any] = ()) -> Tensor:
    """A node above these roots, whose gradient 1 sends them these gradients."""
    joint = Primitive(len, name="results").defvjp_each(lambda i: lambda *_: gradients[i])
    with recording():
        return cast(Tensor, joint.known(np.zeros(()), *roots))


def _tensors(node: Tensor) -> list[Tensor]:
    return [x for x in node._args if isinstance(x, Tensor)]


def argument_places(
    name: str, argnums: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[int, ...]:
    """The places in `args` that `argnums` names, counted from 0.

    Raises:
        TypeError: for anything but an integer or a tuple or list of them.
        IndexError: for a place where no argument was given by position.
    """
    found = []
    for i in argnums if isinstance(argnums, (tuple, list)) else (argnums,):
        if isinstance(i, (bool, np.bool_)) or not isinstance(i, (int, np.integer)):
            raise TypeError(
                f"{name}: argnums={argnums!r}, expected an integer or a tuple of integers"
            )
        count = len(args)
        if not -count <= i < count:
            also = f" and {', '.join(kwargs)} by keyword" if kwargs else ""
            raise IndexError(
                f"{name}: argnums={argnums!r} is out of range (got {count} arguments by "
                f"position{also}). argnums counts the arguments given by position: give "
                "the one to differentiate by so"
            )
        found.append(operator.index(i) % count)
    return tuple(found)


def name_of(fun: Any) -> str:
    """The name of a function, of what a partial calls, or of the class of an object."""
    if hasattr(fun, "__name__"):
        return str(fun.__name__)
    return name_of(fun.func) if hasattr(fun, "func") else type(fun).__name__


def numbers_like(name: str, x: Any, other: Any) -> Any:
    """What came where x stands, as a Tensor or array of x's shape; see `paired`.

    Raises:
        TypeError: for anything but real numbers.
        ValueError: for another shape.
    """
    if not isinstance(other, (Tensor, Traced)):
        check_plain(name, other)
    if isinstance(other, (list, tuple)) and all(map(_is_plain, leaves(list(other)))):
        try:
            other = np.asarray(other)
        except ValueError:  # lists of several lengths
            expected = np.shape(value_of(x))
            raise ValueError(
                f"{name}: lists of several lengths, expected shape {expected}"
            ) from None
    expected = np.shape(value_of(x))
    if not _is_number(other):
        kind = "None" if other is None else type(other).__name__
        raise TypeError(f"{name} is {kind}, expected numbers of shape {expected}")
    shape, dtype = np.shape(value_of(other)), np.result_type(value_of(other))
    if shape != expected:
        raise ValueError(f"{name} has shape {shape}, expected {expected}")
    if dtype.kind not in "fiub":
        raise TypeError(
            f"{name} is of dtype {dtype}, expected real numbers. Take the real and the "
            "imaginary part in turn"
        )
    return other if isinstance(other, Tensor) else array_of(other)


def ones_of(value: Any) -> Any:
    """1 in the shape of a value, and in its dtype where that is one of floats."""
    if type(value_of(value)) in FLOATS:
        return 1.0
    dtype = np.result_type(value_of(value))
    return np.ones(np.shape(value_of(value)), dtype if dtype.kind in "fc" else float)


def check_attributes(name: str, tree: Any, title: str) -> None:
    """Raise TypeError where a nest holds numbers in attributes that are no entries."""
    for path, x in hidden(tree, title):
        if any(isinstance(part, HELD) for part in leaves(x)):
            raise TypeError(
                f"{name}: {path} is an attribute that holds numbers, but no entry of its "
                "container: it would be a constant. Make it a field or an entry, or "
                "compute it in the function"
            )


def _variables(name: str, place: int, tree: Any) -> Any:
    """A nest of Tensors to differentiate by, in the structure of an argument."""
    try:
        found = map_tree(_variable, tree)
        check_attributes(name, tree, f"argument {place}")
        return found
    except TypeError as error:
        for path, x in paths(tree, f"argument {place}"):
            try:
                _variable(x)
            except TypeError:
                raise TypeError(f"{name}: {path}: {error}") from None
        raise


def _variable(x: Any) -> Tensor:
    """A Tensor of our own to differentiate by, recorded as a copy of x where x is one."""
    if isinstance(x, Tensor) and x.requires_grad:
        with recording():
            return DISPATCH[np.positive](x)
    x = value_of(x)
    found = Tensor(float(x) if type(x) is int else x, requires_grad=True)
    found._spent = False
    return found


HELD = (float, np.ndarray, np.inexact, Tensor, Traced)
"""The types of what may be differentiated by."""


def _is_number(x: Any) -> bool:
    return isinstance(x, (Tensor, np.ndarray, np.generic, float, int, Traced))


def _is_plain(x: Any) -> bool:
    return isinstance(x, (float, int, np.ndarray, np.generic))


def _as_data(g: Any, x: Tensor, own: bool) -> Any:
    """A gradient in the form of the value: a Python float, or an array of its own."""
    if own or isinstance(g, Tensor):
        return g
    return as_float(g) if type(x._data) in FLOATS else np.copy(g)
