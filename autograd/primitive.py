"""How operations are declared, the engine's own and users' alike."""

from __future__ import annotations

import copy
import inspect
import pickle
import sys
from collections.abc import Callable
from pkgutil import resolve_name
from typing import Any

import numpy as np

from autograd.anomaly import check_forward
from autograd.arrays import check_operand, check_operands
from autograd.composition import Composition, settled
from autograd.context import state
from autograd.programs.tracing import FLOATS, Traced, TracedNumber
from autograd.tensor import ABSENT, DISPATCH, Tensor, clock, seal, settle
from autograd.value import Value

__all__ = ["Primitive", "implements", "primitive", "rule"]


_new = object.__new__

FIXED = frozenset(
    {
        np.ndarray, float, int, bool, slice, str, type(None), type(...), np.float64,
        np.float32, np.int64, np.bool_,
    }
)  # fmt: skip
"""The types of constants that are taken as they are; arrays are sealed."""


class Primitive:
    """An operation with its vector-Jacobian products (VJPs).

    `vjps[i](g, ans, *args, **kwargs)` is gᵀ ∂ans/∂args[i]: given the gradient g of the
    result, the result and the arguments, the gradient that goes to argument i. Written
    in NumPy's own functions it takes arrays and Tensors alike; on Tensors it records,
    which is how derivatives of any order come out of one rule. It need not undo
    broadcasting or match dtypes: the sweep does, on every edge.
    """

    __slots__ = (
        "defers", "floats", "function", "keywords", "name", "of_numpy", "scalar", "sure",
        "vjps",
    )  # fmt: skip
    replays = False
    """Whether it is a call that is replayed, or a result of one; see `take_back`."""

    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None:
        self.function = function
        self.name = name or function.__name__
        self.vjps: Any = ()
        self.sure = 0  # that many arguments, the first ones, have a VJP
        self.defers = False
        self.keywords: Any = None
        self.of_numpy = False  # whether `function` is called by NumPy's signature
        self.scalar: Callable[..., Any] | None = None
        self.floats = False  # whether the VJPs take Python floats as well as NumPy's

    def defvjp(self, *vjps: Callable[..., Any] | None) -> Primitive:
        """Declare the VJP of each argument in turn; None where there is no gradient."""
        self.vjps = vjps
        self.sure = vjps.index(None) if None in vjps else len(vjps)
        return self

    def defvjp_each(self, vjp: Callable[[int], Callable[..., Any]]) -> Primitive:
        """Declare the VJPs of any number of like arguments: `vjp(i)` is the i-th's."""
        self.vjps = _Each(vjp)
        self.sure = sys.maxsize
        return self

    def vjp(self, argument: int) -> Callable[..., Any]:
        """The VJP of one argument; TypeError where it has none."""
        rule = self.vjps[argument] if argument < len(self.vjps) else None
        if rule is None:
            raise TypeError(
                f"{self.name}: argument {argument} was given as a Tensor that requires "
                "a gradient, but has no VJP. Pass its value, `.data`"
            )
        return rule

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs or (self.of_numpy and len(args) > 2):
            args, kwargs = settled(self, args, kwargs)
        if len(args) == 1 and not kwargs:
            return self.one(args[0])
        if len(args) == 2 and not kwargs:
            return self.two(*args)
        values: list[Any] = []
        given, tracked, open_ = False, False, False
        for x in args:
            if isinstance(x, Tensor):
                given = True
                if x._exposed:
                    settle(x)
                tracked = tracked or x._tracked
                open_ = open_ or x._exposed
                values.append(x._data)
                continue
            if type(x) not in FIXED:
                constant = self._constant(x)
                if constant is not x:
                    args = (*args[: len(values)], constant, *args[len(values) + 1 :])
                    x = constant
            if type(x) is np.ndarray:
                open_ = True
                if x.dtype.kind in "OV":  # np.where would take them for truth values
                    check_operands(self.name, (x,), {})
            values.append(x)
        if given:
            for x in kwargs.values():
                self._check_keyword(x)
        value = self.function(*values, **kwargs)
        if not given:
            return value
        if type(value) is not np.ndarray and type(value) is not float:
            value = _boxed(value, *args)
        kwargs = {
            name: copy.deepcopy(v) if isinstance(v, (np.ndarray, list)) else v
            for name, v in kwargs.items()
        }
        node = self._record(value, None, ABSENT, (args, kwargs), tracked, open_)
        if kwargs and node._primitive is not None:
            self._check_keywords(args, kwargs)
        return node

    def one(self, x: Any) -> Any:
        """`__call__` for one argument and no keywords: most calls, in half the time."""
        if not isinstance(x, Tensor):
            return self.function(x)
        if x._exposed:
            settle(x)
        a = x._data
        if self.scalar is not None and type(a) is float:
            value = self.scalar(a)
        else:
            value = self.function(a)
        if type(value) is not np.ndarray and type(value) is not float:
            value = _boxed(value, x)
        return self._record(value, x, ABSENT, None, x._tracked, x._exposed)

    def two(self, x: Any, y: Any) -> Any:
        """`__call__` for two arguments and no keywords."""
        if isinstance(x, Tensor):
            if x._exposed:
                settle(x)
            tracked, open_, a = x._tracked, x._exposed, x._data
            if isinstance(y, Tensor):
                if y._exposed and y is not x:
                    settle(y)
                tracked, open_, b = tracked or y._tracked, open_ or y._exposed, y._data
            else:
                if type(y) not in FIXED:
                    y = self._constant(y)
                b, open_ = y, open_ or type(y) is np.ndarray
        elif isinstance(y, Tensor):
            if y._exposed:
                settle(y)
            if type(x) not in FIXED:
                x = self._constant(x)
            tracked, a, b = y._tracked, x, y._data
            open_ = y._exposed or type(x) is np.ndarray
        else:
            return self.function(x, y)
        if self.scalar is not None and type(a) is float is type(b):
            value = self.scalar(a, b)
        else:
            value = self.function(a, b)
        if type(value) is not np.ndarray and type(value) is not float:
            value = _boxed(value, x, y)
        return self._record(value, x, y, None, tracked, open_)

    def take_back(self, g: Any, node: Tensor, pending: dict[Any, Any], path: Any) -> None:
        """Send the gradient g of `node` back to all arguments in a first-order sweep.

        Args:
            g: the gradient.
            node: what this operation made.
            pending: the gradients, by Tensor, that the sweep holds.
            path: the Tensors that are to have one; None for all.
        """
        raise NotImplementedError

    def write_out(self, node: Tensor) -> None:
        """Put the operations that `node` stands for in its place."""
        raise NotImplementedError

    def known(self, value: Any, *args: Any) -> Any:
        """Record a call whose value is known already; `args` are Tensors, or arrays."""
        given = tracked = open_ = False
        for x in args:
            if isinstance(x, Tensor):
                if x._exposed:
                    settle(x)
                given = True
                tracked, open_ = tracked or x._tracked, open_ or x._exposed
            else:
                open_ = True
        if not given:
            return value
        return self._record(value, None, ABSENT, (args, {}), tracked, open_)

    def _record(
        self, value: Any, x: Any, y: Any, rest: Any, tracked: bool, open_: bool
    ) -> Tensor:
        """A Tensor of `value`, with its place in the graph where an argument has one."""
        recording, scope, lines, tape = state.get()
        if tape is not None:
            tape.meet((x, y) if rest is None else rest[0])
        scalar = type(value) in FLOATS and (
            isinstance(x, Value)
            or isinstance(y, Value)
            or (rest is not None and any(isinstance(a, Value) for a in rest[0]))
        )
        node = _new(Value if scalar else Tensor)
        node._data = value
        node._order = next(clock)
        node._since = -1
        node.scope = scope
        node._grad = node.name = node._seal = node._spent = None
        node._exposed = node._owner = False
        node._retains = scalar
        if not tracked or not recording:
            node._tracked = False
            node._primitive = node._x = node._y = node._rest = None
            if type(value) is np.ndarray:
                if value.dtype.kind not in "fiubc":
                    self._refuse(value.dtype, node._args)
                node._exposed = _lent(value, x, y, rest)
            return node
        node._tracked = True
        node._primitive = self
        node._x = x
        node._y = y
        node._rest = rest
        given = len(rest[0]) if rest is not None else 2 if isinstance(y, Tensor) else 1
        if self.sure < given:
            self._check(node._args)
        if type(value) is np.ndarray and value.dtype.kind != "f":
            self._refuse(value.dtype, node._args)
        if open_:
            node._seal = _seals(node._args)
        if lines is not None:
            check_forward(node)
        return node

    def _constant(self, x: Any) -> Any:
        """A constant as nothing changes it unseen: an array, or a copy of a list."""
        if type(x) is tuple and FIXED.issuperset(map(type, x)):
            return np.asarray(x) if isinstance(self.function, np.ufunc) else x
        if not isinstance(x, Traced):
            check_operand(self.name, x)
        ufunc = isinstance(self.function, np.ufunc)
        if isinstance(x, np.ndarray) or (ufunc and isinstance(x, (list, tuple))):
            return np.asarray(x)
        return copy.deepcopy(x) if isinstance(x, list) else x

    def _check_keyword(self, x: Any) -> None:
        """Raise TypeError for a keyword's value that carries more than numbers."""
        if type(x) not in FIXED and not isinstance(x, Traced):
            check_operand(self.name, x)

    def _check(self, args: tuple[Any, ...]) -> None:
        """See that the rules can take these arguments, before the sweep needs them to."""
        for i, x in enumerate(args):
            if isinstance(x, Tensor) and x._tracked:
                self.vjp(i)

    def _check_keywords(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self.keywords is None:
            place = next(i for i, x in enumerate(args) if isinstance(x, Tensor))
            self.keywords = inspect.signature(self.vjp(place)).parameters
        open_ended = any(p.kind is p.VAR_KEYWORD for p in self.keywords.values())
        unknown = [name for name in kwargs if name not in self.keywords]
        if unknown and not open_ended:
            raise TypeError(f"{self.name}: {', '.join(unknown)}= has no rule for Tensors")

    def _refuse(self, dtype: Any, args: tuple[Any, ...]) -> None:
        tensors = [x for x in args if isinstance(x, Tensor)]
        if dtype.kind == "c" and any(x.dtype.kind == "c" for x in tensors if x._tracked):
            return
        raise TypeError(
            f"{self.name}: the result is {dtype}, through which no gradient passes; "
            "expected real floating-point numbers. Leave the graph with `.data`, or "
            "compute with the real and imaginary parts"
        )

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __copy__(self) -> Primitive:
        return self

    def __deepcopy__(self, memo: Any) -> Primitive:
        """Itself, as of a function: what it was declared with is no one's to change."""
        return self

    def __reduce__(self) -> Any:
        """Where it is found: like a function it is pickled by its name."""
        name = getattr(self.function, "__qualname__", self.name)
        for module in (__package__, getattr(self.function, "__module__", None)):
            place = f"{module}:{name}"
            try:
                if resolve_name(place) is self:
                    return resolve_name, (place,)
            except (ImportError, AttributeError, ValueError):
                continue
        raise pickle.PicklingError(
            f"{self.name}: pickled by its name, but {place} is not it. Declare it at the "
            "top of a module, under the name of its function"
        )


def _boxed(value: Any, *arguments: Any) -> Any:
    """A scalar of NumPy's as an array; as a float where all that came in were numbers.

    Beside a Value, NumPy's scalars count as numbers.
    """
    if isinstance(value, TracedNumber):
        return value.boxed()
    if isinstance(value, Traced):
        return value
    scalars, numbers = True, True
    for x in arguments:
        kind = type(x._data if isinstance(x, Tensor) else x)
        if kind is np.ndarray:
            return np.asarray(value)
        scalars = scalars and (kind is float or kind is int)
        numbers = numbers and issubclass(kind, (float, int, np.generic))
    beside = numbers and any(isinstance(x, Value) for x in arguments)
    return float(value) if scalars or beside else np.asarray(value)


class _Each:
    """VJPs of an operation with any number of like arguments, as a sequence."""

    def __init__(self, vjp: Callable[[int], Callable[..., Any]]) -> None:
        self.vjp = vjp

    def __len__(self) -> int:
        return sys.maxsize

    def __getitem__(self, argument: int) -> Callable[..., Any]:
        return self.vjp(argument)


def _lent(value: Any, x: Any, y: Any, rest: Any) -> bool:
    """Whether a result is an argument's array, or a view of one: it changes with that."""
    args = (x, y) if rest is None else rest[0]
    return value.base is not None or any(
        value is a._data for a in args if isinstance(a, Tensor)
    )


def _seals(args: tuple[Any, ...]) -> Any:
    """Checksums of the arrays among the arguments that others can change, by place."""
    found = {}
    for i, x in enumerate(args):
        if isinstance(x, Tensor):
            if not x._exposed:
                continue
            x = x._data
        elif not isinstance(x, np.ndarray):
            continue
        found[i] = seal(x)
    return found


def _by_hand(out: Value, children: tuple[Value, ...], name: str) -> None:
    """Record `out` as made from `children` by an operation in micrograd's style.

    Its `_backward` runs once for each gradient, since it may change more than these.
    """
    latest: list[Any] = [None, {}]

    def rule(i: int) -> Callable[..., Any]:
        def vjp(g: Any, ans: Any, *values: Any) -> Any:
            if isinstance(g, Tensor) or any(isinstance(x, Tensor) for x in values):
                raise TypeError(
                    f"Value {name}: its _backward has a derivative of first order alone. "
                    "Declare the operation with autograd.primitive"
                )
            if latest[0] is not g or i not in latest[1]:
                latest[:] = g, dict(enumerate(out._by_hand(g, children)))
            return latest[1].pop(i)

        return vjp

    out._primitive = Primitive(_by_hand, name or "by hand").defvjp_each(rule)
    out._rest, out._retains = (children, {}), True


DISPATCH["by hand"] = _by_hand


def primitive(function: Callable[..., Any]) -> Primitive:
    """Make `function`, of arrays, an operation that records; a decorator.

    Its VJPs are declared with `defvjp`, one for each argument in turn:

        @primitive
        def cube(x):
            return x**3

        cube.defvjp(lambda g, ans, x: g * 3 * x**2)

    A VJP written in NumPy's own functions can itself be differentiated, so `cube` has
    derivatives of every order.
    """
    return Primitive(function)


def rule(
    function: Callable[..., Any],
    *vjps: Callable[..., Any] | None,
    scalar: Callable[..., Any] | None = None,
    floats: bool = False,
) -> Primitive:
    """Declare the VJPs of one of NumPy's functions, one for each argument in turn.

    Args:
        function: one of NumPy's.
        vjps: see `Primitive`.
        scalar: the same function of Python floats, if Python has it to the last bit and
            without errors of its own: a third of the time. Implies `floats`.
        floats: whether the VJPs take Python floats: they multiply, add and compare, and
            do not divide. The sweep converts to NumPy's scalars otherwise, whose
            quotients by zero are infinities.
    """
    declared = Primitive(function).defvjp(*vjps)
    declared.scalar = scalar
    declared.floats = scalar is not None or floats
    declared.of_numpy = True
    by_arity: dict[int, Callable[..., Any]] = {1: declared.one, 2: declared.two}
    arity = function.nin if isinstance(function, np.ufunc) else 0
    DISPATCH[function] = by_arity.get(arity, declared)
    return declared


def implements(
    function: Callable[..., Any],
    trial: Callable[..., Any] | str | None = "itself",
    by_value: bool = False,
) -> Callable[..., Any]:
    """Declare what runs in place of a NumPy function called with a Tensor; a decorator.

    It is held to NumPy's signature and checks; see `Composition`, which says what
    `trial` and `by_value` are.
    """

    def declare(replacement: Callable[..., Any]) -> Callable[..., Any]:
        tried = function if isinstance(trial, str) else trial
        DISPATCH[function] = Composition(function, replacement, tried, by_value)
        return replacement

    return declare
