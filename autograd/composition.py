"""Functions that run in place of NumPy's, held to NumPy's own signature and checks."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from autograd.arrays import check_operands
from autograd.programs.tracing import Traced
from autograd.signature import (
    ABSENT,
    LAYOUT,
    Signature,
    arranged,
    drops_gradient,
    is_default,
    no_keyword,
    public_name,
    signature_of,
)
from autograd.tensor import DISPATCH, Tensor

__all__ = ["Composition", "in_dtype", "plain", "settled"]

MAX_KINDS = 256
"""Calls of one function whose results' shapes and dtypes are remembered."""

MAX_ITEMS = 64
"""Lists and arrays of more numbers than this are not compared with earlier ones."""


def plain(x: Any) -> Any:
    """A nest of arguments with the values in the place of the Tensors."""
    if isinstance(x, Tensor):
        x = x._data
    if isinstance(x, Traced):
        return x.value
    if type(x) is list or type(x) is tuple:
        return type(x)(map(plain, x))
    return {name: plain(v) for name, v in x.items()} if type(x) is dict else x


DIFFERENTIABLE = frozenset(
    {
        "a_max", "a_min", "append", "aweights", "base", "constant_values", "default",
        "dx", "end_values", "initial", "left", "max", "mean", "min", "prepend", "right",
        "to_begin", "to_end", "weights", "x", "y",
    }
)  # fmt: skip
"""The names of optional arguments through which gradients pass."""

CONSTANT = frozenset(
    {
        "axis", "condition", "condlist", "indices", "indices_or_sections", "k", "kth",
        "n", "new_shape", "obj", "ord", "pad_width", "q", "reps", "shape",
    }
)  # fmt: skip
"""The names of required arguments through which none passes."""


class Composition:
    """What runs in place of a NumPy function that others compose.

    Args:
        function: NumPy's.
        replacement: takes the required arguments by position, and of the others those
            that it has a rule for, by NumPy's names.
        trial: what is called on the values in the place of `function`, to refuse what
            NumPy refuses; None where `replacement` itself hands all of its arguments
            to NumPy's function.
        by_value: whether NumPy looks at the numbers in its arrays to refuse a call, or
            for the shape of its result.

    Raises:
        TypeError: for keywords without a rule; and all that NumPy's function raises.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        replacement: Callable[..., Any],
        trial: Callable[..., Any] | None,
        by_value: bool,
    ) -> None:
        self.__doc__ = replacement.__doc__
        self.function, self.replacement = function, replacement
        self.trial, self.by_value = trial, by_value
        self.signature = signature_of(function)
        self.limit = sys.maxsize if self.signature.spread else self.signature.required
        parameters = inspect.signature(replacement).parameters.values()
        self.taken = {p.name for p in parameters}
        self.open = any(p.kind is p.VAR_KEYWORD for p in parameters)
        required = self.signature.names[: self.signature.required]
        self.constants = [i for i, n in enumerate(required) if n in CONSTANT]
        self.kinds: dict[Any, Any] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) > self.limit:
            return self._with_options(args, kwargs)
        if self.trial is None:
            return self.replacement(*args)
        kinds = self._tried(args, kwargs)
        return self._composed(args, kwargs, kinds)

    def _with_options(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            placed, given = arranged(self.signature, args, kwargs)
        except TypeError as error:
            raise TypeError(f"np.{public_name(self.function)}: {error}") from None
        given = {n: v for n, v in given.items() if self._matters(n, v)}
        if self.trial is None:
            return self.replacement(*placed, **given)
        kinds = self._tried(placed, given)
        if "dtype" not in self.taken:
            placed = in_dtype(placed, given.pop("dtype", None))
        if not self.open:
            given = {n: v for n, v in given.items() if n in self.taken}
        return self._composed(placed, given, kinds)

    def _composed(self, args: Any, kwargs: dict[str, Any], kinds: Any) -> Any:
        """The replacement's result; its errors name the function that was called."""
        if self.trial is not self.function:  # functions of the user's are called
            return self._agreeing(self.replacement(*args, **kwargs), kinds)
        for i in self.constants:
            if i < len(args):
                args = [
                    *args[:i],
                    self._constant(self.signature.names[i], args[i]),
                    *args[i + 1 :],
                ]
        for name, value in kwargs.items():
            if name not in DIFFERENTIABLE:
                kwargs = kwargs | {name: self._constant(name, value)}
        try:
            return self._agreeing(self.replacement(*args, **kwargs), kinds)
        except (TypeError, ValueError, IndexError) as error:
            name = public_name(self.function)
            if f"np.{name}:" in str(error):
                raise
            raise type(error)(f"np.{name}: {error}") from error

    def _constant(self, name: str, value: Any) -> Any:
        """The value of an argument without a derivative; TypeError for a gradient's."""
        if type(value) is list or type(value) is tuple:
            parts = [self._constant(name, part) for part in value]
            same = all(a is b for a, b in zip(parts, value, strict=True))
            return value if same else type(value)(parts)
        if not isinstance(value, Tensor):
            return value
        if value._tracked:
            raise TypeError(
                f"np.{public_name(self.function)}: {name} was given as a Tensor that "
                "requires a gradient, which has no rule. Pass its value, `.data`"
            )
        return value._data

    def _matters(self, name: str, value: Any) -> bool:
        """Whether a keyword is to be handed on; TypeError where it has no rule."""
        if value is ABSENT:
            return False
        if name in self.taken or (self.open and name not in ("dtype", "out")):
            return True
        if is_default(value, self.signature.defaults.get(name)):
            return False
        if name == "out":
            raise TypeError(drops_gradient(public_name(self.function)))
        if name == "dtype" and np.dtype(value).kind == "f":
            return True
        if name in LAYOUT and isinstance(self.function, np.ufunc):
            return True
        raise TypeError(no_keyword(public_name(self.function), name, value))

    def _tried(self, args: Any, kwargs: dict[str, Any]) -> Any:
        """Check the arguments, and call NumPy's function on their values.

        Of calls that differ in the numbers alone, the first is checked. The result says
        what NumPy's looks like; see `_kinds`.
        """
        key = None if self.by_value else _key((args, kwargs))
        kinds = self.kinds.get(key) if key is not None else None
        if kinds is None:
            assert self.trial is not None
            check_operands(public_name(self.function), args, kwargs)
            kinds = _kinds(self.trial(*plain(args), **plain(kwargs)))
            if key is not None:
                if len(self.kinds) >= MAX_KINDS:
                    self.kinds.clear()
                self.kinds[key] = kinds
        return kinds

    def _agreeing(self, found: Any, kinds: Any) -> Any:
        """The result in the dtypes of NumPy's; TypeError where its shape is another."""
        if kinds is None:
            return found
        if isinstance(found, (tuple, list)):
            whole, each = kinds
            parts = [self._agreeing(x, k) for x, k in zip(found, each, strict=True)]
            return whole(*parts) if hasattr(whole, "_fields") else whole(parts)
        shape, dtype = kinds
        if not isinstance(found, Tensor):
            other = isinstance(found, (np.ndarray, np.generic)) and found.dtype != dtype
            return found.astype(dtype) if other else found
        if found.shape != shape:
            raise TypeError(
                f"np.{public_name(self.function)}: the result has shape {shape}, which "
                "has no rule for Tensors. Compose it of other functions"
            )
        return (
            found if found.dtype == dtype else DISPATCH[np.ndarray.astype](found, dtype)
        )


def settled(
    primitive: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a primitive: Tensors by position, no keyword at its default.

    Raises:
        TypeError: for out=, for keywords of ufuncs that have no rule, and for a Tensor
            given by keyword which has no VJP.
    """
    signature = signature_of(primitive.function)
    if primitive.of_numpy:
        name, names = public_name(primitive.function), signature.names
        if "out" in names and any(x is not None for x in args[names.index("out") :][:1]):
            raise TypeError(drops_gradient(name))
        kwargs = {
            n: v
            for n, v in kwargs.items()
            if not is_default(v, signature.defaults.get(n, primitive))
        }
        if "out" in kwargs:
            raise TypeError(drops_gradient(name))
        if kwargs and isinstance(primitive.function, np.ufunc):
            return _without_layout(primitive.function, args, kwargs), {}
    if any(isinstance(v, Tensor) for v in kwargs.values()):
        args, kwargs = _placed(primitive, signature, args, kwargs)
    return args, kwargs


def _without_layout(
    ufunc: np.ufunc, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, ...]:
    """The arguments of a ufunc in the dtype asked for, once NumPy has taken all else."""
    for name, value in kwargs.items():
        if name not in LAYOUT and not (name == "dtype" and np.dtype(value).kind == "f"):
            raise TypeError(no_keyword(public_name(ufunc), name, value))
    ufunc(*plain(args), **plain(kwargs))
    return tuple(in_dtype(args, kwargs.get("dtype")))


def _placed(
    primitive: Any, signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Tensors that require a gradient go by position, others by their values."""
    rest = {
        n: v._data if isinstance(v, Tensor) and not v._tracked else v
        for n, v in kwargs.items()
    }
    tracked = [n for n, v in rest.items() if isinstance(v, Tensor)]
    for name in tracked:
        place = signature.names.index(name) if name in signature.names else sys.maxsize
        if place >= len(primitive.vjps) or primitive.vjps[place] is None:
            raise TypeError(
                f"{primitive.name}: {name}= was given as a Tensor that requires a "
                "gradient, which has no rule. Pass its value, `.data`"
            )
    last = max(map(signature.names.index, tracked), default=-1)
    between = signature.names[len(args) : last + 1]
    placed = [rest.pop(n) if n in rest else signature.defaults[n] for n in between]
    return (*args, *placed), rest


def _kinds(result: Any) -> Any:
    """Shapes and dtypes of all arrays in a result; None where there is none."""
    if result is None:
        return None
    if isinstance(result, (tuple, list)):
        return type(result), [_kinds(part) for part in result]
    return np.shape(result), getattr(result, "dtype", None)


def _key(x: Any) -> Hashable | None:
    """What a call of NumPy's depends on but for the numbers in float arrays, or None."""
    if isinstance(x, Tensor):
        x = x._data
        if type(x) is float:
            return (Tensor,)
    if isinstance(x, Traced):
        x = x.value
    kind = type(x)
    if kind is np.ndarray:
        if x.dtype.kind == "f":
            return kind, x.shape, x.dtype
        if x.dtype.kind not in "iub":
            return None
        return (kind, x.shape, x.dtype, x.tobytes()) if x.size <= MAX_ITEMS else None
    if kind is dict:
        x = tuple(x.items())
    elif kind is not tuple and kind is not list:
        return (kind, x) if isinstance(x, Hashable) and kind is not slice else None
    if len(x) > MAX_ITEMS:
        return None
    parts = tuple(map(_key, x))
    return None if None in parts else (kind, parts)


def in_dtype(x: Any, dtype: Any) -> Any:
    """A nest of arguments with its Tensors in another dtype."""
    if dtype is None:
        return x
    if isinstance(x, Tensor):
        return DISPATCH[np.ndarray.astype](x, dtype)
    if isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "fiub":
        return x.astype(dtype)
    if type(x) is list or type(x) is tuple:
        return type(x)(in_dtype(part, dtype) for part in x)
    return x
