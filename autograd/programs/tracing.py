"""Arrays that write down what NumPy does with them.

While a program is recorded, the values inside the Tensors are `Traced`: each behaves like
the array, or the float, that it holds, and every function called on one is run and
written on a `Tape`, the sweep's functions among them. What would take a value out of the
program, so that the record could not know where it went, is refused; a truth value that
steers it is written down as a guard.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from functools import wraps
from types import FrameType
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from autograd.arrays import Recording, check_plain
from autograd.callers import called_in_scipy
from autograd.programs.errors import meant
from autograd.programs.steps import Kind, Slot, Step

__all__ = [
    "ARRAYS",
    "FLOATS",
    "Tape",
    "Traced",
    "TracedFloat",
    "TracedNumber",
    "as_float",
    "as_one_call",
    "shapes_of",
]


class Tape:
    """The calls of a program in their order, and what its values look like.

    Attributes:
        errors: what `np.geterr` is outside of the functions that are called.
        quiet: the functions and their errors of which nothing is said; see `errors.make`.
    """

    def __init__(self) -> None:
        self.errors: dict[str, Any] = dict(np.geterr())
        self.quiet: set[tuple[Any, str]] = set()
        self.steps: list[Step] = []
        self.kinds: list[Kind] = []
        self.inputs: set[int] = set()
        self.ended = False
        # By slot, where an array begins in memory; None for a number, which has none.
        self._starts: list[int | None] = []

    def enter(self, value: Any) -> Traced:
        """An input: an array that is there before the program runs."""
        traced = self._new(value, [])
        self.inputs.add(traced.slot)
        return traced

    def run(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call it on the values, and write the call down."""
        if self.ended and function not in SHAPE_ALONE:
            raise _refusal("a function of NumPy's", self)
        inside: list[Traced] = []
        raw_args, raw_kwargs = _values(args, inside), _values(kwargs, inside)
        out = kwargs.get("out")
        if out is not None:
            self.written(out)
        self.quiet.update((function, error) for error in meant(self.errors))
        if all(isinstance(x, TracedFloat) for x in inside):
            self.quiet.add((function, "overflow"))  # as in Python's own arithmetic
        result = function(*raw_args, **raw_kwargs)
        if function in SHAPE_ALONE:
            return result
        first = 0 if function is np.nan_to_num else 1
        if (
            type(result) is np.ndarray
            and out is None
            and any(result is x.value for x in inside[first:])
        ):
            raise TypeError(
                f"compile: {function.__name__} wrote into an argument that is not named, "
                "which cannot be told from one that it returns as it is. Name it, out=…, "
                "or have it make a copy"
            )
        slots = _slots(args), _slots(kwargs)
        if out is not None:
            self.steps.append(Step(function, *slots, None))
            return out[0] if isinstance(out, tuple) else out
        if result is None:
            self.written(args[0])
            self.steps.append(Step(function, *slots, None))
            return None
        if isinstance(result, (bool, int, np.dtype)):
            self.steps.append(Step(function, *slots, None, (result,)))
            return result
        wrapped = self._wrapped(result, inside)
        counts = (
            _masks(raw_args[1]) or _cuts(args[1])
            if function is operator.getitem
            else function in VALUE_SHAPED
            or (getattr(function, "__name__", "") in SIZED and len(inside) > 1)
        )
        expected = (shapes_of(result),) if counts else None
        self.steps.append(Step(function, *slots, _slots(wrapped), expected))
        return wrapped

    def enter_number(self, value: float) -> Traced:
        """A Python float; the step that makes it is for the caller to write down."""
        return self._new(value, [])

    def written(self, target: Any) -> None:
        """See that what is about to be written into is the program's own."""
        for x in target if isinstance(target, (tuple, list)) else (target,):
            if isinstance(x, Traced) and self.kinds[x.slot].root not in self.inputs:
                continue
            raise TypeError(
                "compile: the function changes an array in place that is not of its own "
                "program, so that a second run would start from another value: one that "
                "was there before (change it outside), or one of constants (where it is "
                "to be filled, make it by np.zeros_like of what is computed)"
            )

    def source(self, function: Callable[[], Any], value: Any) -> Traced:
        """A value that `function` gives anew in each run; `value` in this one."""
        traced = self._new(value, [])
        self.steps.append(Step(function, (), {}, Slot(traced.slot)))
        return traced

    def guard(self, function: Callable[..., Any], x: Traced) -> Any:
        """`function` of a value steers the program: it must give the same each time."""
        if self.ended:
            raise _refusal(f"{function.__name__}()", self)
        found = function(x.value)
        self.steps.append(Step(function, (Slot(x.slot),), {}, None, (found,)))
        return found

    def _wrapped(self, result: Any, inside: list[Traced]) -> Any:
        if isinstance(result, (tuple, list)):
            parts = [self._wrapped(part, inside) for part in result]
            if hasattr(result, "_fields"):
                return type(result)(*parts)
            return tuple(parts) if isinstance(result, tuple) else parts
        return self._new(result, inside)

    def _new(self, value: Any, inside: list[Traced]) -> Traced:
        slot = len(self.kinds)
        if isinstance(value, np.ndarray):
            check_plain("compile: a result", value)
            base = _root(value)
            roots = (self.kinds[x.slot].root for x in inside if _root(x.value) is base)
            root = next(roots, slot)
            start = _start(value)
            self._starts.append(start)
            offset = 0 if root == slot else self._offset(root, start, inside)
            self.kinds.append(
                Kind(value.shape, value.dtype, value.strides, root, offset, False)
            )
            return Traced(value, slot, self)
        self._starts.append(None)
        floats = all(isinstance(x, TracedFloat) for x in inside)
        value = float(value) if floats and isinstance(value, np.floating) else value
        self.kinds.append(Kind((), np.result_type(value), (), slot, 0, floats))
        return (TracedFloat if floats else TracedNumber)(value, slot, self)

    def _offset(self, root: int, start: int, inside: list[Traced]) -> int | None:
        """How far into a value a view of it lies; None where that hangs on values."""
        kinds, first = [self.kinds[x.slot] for x in inside], self._starts[root]
        fixed = all(kind.root == root and kind.offset is not None for kind in kinds)
        # The memory that a program sets aside has no gaps, whatever this one has.
        known = fixed and first is not None and self.kinds[root].dense
        return start - (first or 0) if known else None


def as_one_call(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, of arrays, which is one call of a program, whatever it does inside."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        inside: list[Traced] = []
        _values(args, inside), _values(kwargs, inside)
        if not inside:
            return function(*args, **kwargs)
        return inside[0].tape.run(function, args, kwargs)

    return call


def as_float(x: Any) -> Any:
    """float(x); of what is traced, a float of the program."""
    if not isinstance(x, Traced) or isinstance(x, TracedFloat):
        return x if isinstance(x, Traced) else float(x)
    traced = x.tape.enter_number(float(x.value))
    x.tape.steps.append(Step(float, (Slot(x.slot),), {}, Slot(traced.slot)))
    return traced


def shapes_of(result: Any) -> Any:
    if isinstance(result, (tuple, list)):
        return tuple(map(shapes_of, result))
    return np.shape(result)


def _cuts(index: Any) -> bool:
    """Whether an index has a slice whose ends are values of the program."""
    parts = index if isinstance(index, tuple) else (index,)
    ends = (end for x in parts if isinstance(x, slice) for end in _ends(x))
    return any(isinstance(end, Traced) for end in ends)


def _masks(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(x, np.ndarray) and x.dtype == bool for x in parts)


def _root(x: Any) -> Any:
    """The array whose memory x is a view of."""
    while isinstance(x, np.ndarray) and x.base is not None:
        x = x.base
    return x


def _start(x: Any) -> int:
    return int(x.__array_interface__["data"][0])


def _values(x: Any, inside: list[Traced]) -> Any:
    """A nest with the values in the place of what is traced, which `inside` collects."""
    if isinstance(x, Traced):
        inside.append(x)
        return x.value
    if isinstance(x, NESTS):
        return _mapped(lambda part: _values(part, inside), x)
    return x


def _slots(x: Any) -> Any:
    if isinstance(x, Traced):
        return Slot(x.slot)
    return _mapped(_slots, x) if isinstance(x, NESTS) else x


NESTS = (tuple, list, dict, slice)


def _mapped(f: Callable[[Any], Any], x: Any) -> Any:
    if isinstance(x, tuple):
        parts = map(f, x)
        return type(x)(*parts) if hasattr(x, "_fields") else tuple(parts)
    if isinstance(x, list):
        return list(map(f, x))
    if isinstance(x, dict):
        return {k: f(v) for k, v in x.items()} if x else x
    return slice(*map(f, _ends(x)))


def _ends(x: slice) -> list[Any]:
    """Where a slice starts and stops, and its step; of Tensors, the values."""
    return [getattr(end, "_data", end) for end in (x.start, x.stop, x.step)]


def _refusal(what: str, tape: Tape) -> TypeError:
    if tape.ended:
        return TypeError(
            f"compile: {what} was asked of a value that a compiled function has stored "
            "(in a list, on an object) while it was recorded; a program stores nothing. "
            "Have the function return the value"
        )
    return TypeError(
        f"compile: {_called()}{what} would take a value out of the recorded program, "
        "which would keep this run's number for ever. Compute with NumPy's functions on "
        "Tensors, return the value, or pass it as an argument"
    )


def _called() -> str:
    """NumPy's or SciPy's function that asks for a value, in words; "" outside of any."""
    frame: FrameType | None = sys._getframe(2)
    found = ""
    while frame is not None and _package(frame) in ("autograd", "numpy"):
        if frame.f_code.co_name in ("__array_function__", "__array_ufunc__"):
            known = frame.f_locals
            function = known.get("func", known.get("ufunc"))
            found = f"np.{function.__name__}: " if function else found
        frame = frame.f_back
    outside = None if found else called_in_scipy()
    return f"{outside}: " if outside else found


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__")).partition(".")[0]


class Traced(NDArrayOperatorsMixin, Recording):
    """An array of a program that is being recorded."""

    __slots__ = ("slot", "tape", "value")
    __hash__ = object.__hash__
    copy: Callable[..., Any]

    def __init__(self, value: Any, slot: int, tape: Tape) -> None:
        self.value, self.slot, self.tape = value, slot, tape

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        if any(hasattr(x, "requires_grad") for x in inputs):
            return NotImplemented  # a Tensor's is the one that records
        if method == "at":
            self.tape.written(inputs[0])
        call = ufunc if method == "__call__" else getattr(ufunc, method)
        return self.tape.run(call, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if any(hasattr(kind, "requires_grad") for kind in types):
            return NotImplemented
        return self.tape.run(func, args, kwargs)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        what = "making an ndarray of a Tensor (np.asarray, .data, a raw array)"
        raise _refusal(what, self.tape)

    shape = property(lambda self: np.shape(self.value))
    dtype = property(lambda self: np.result_type(self.value))
    ndim = property(lambda self: np.ndim(self.value))
    size = property(lambda self: np.size(self.value))
    T = property(lambda self: self.tape.run(np.transpose, (self,), {}))
    base = None

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, index: Any) -> Any:
        return self.tape.run(operator.getitem, (self, index), {})

    def __setitem__(self, index: Any, value: Any) -> None:
        self.tape.written(self)
        inside: list[Traced] = []
        operator.setitem(self.value, _values(index, inside), _values(value, inside))
        args = (Slot(self.slot), _slots(index), _slots(value))
        self.tape.steps.append(Step(operator.setitem, args, {}, None))

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    # `x**2` of an array is a square, and np.power(x, 2) need not be the same to the bit.
    def __pow__(self, other: Any) -> Any:
        return self._power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return self._power(other, self)

    def _power(self, x: Any, y: Any) -> Any:
        if any(hasattr(part, "requires_grad") for part in (x, y)):
            return NotImplemented
        return self.tape.run(operator.pow, (x, y), {})

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"compile: .{name} of the value of a Tensor is not recorded. Use NumPy's "
            "functions, np.transpose(x) in place of a method that is not there"
        )

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def __reduce__(self) -> Any:
        raise _refusal("pickle", self.tape)

    def __bool__(self) -> bool:
        return bool(self.tape.guard(bool, self))

    def __index__(self) -> int:
        return int(self.tape.guard(operator.index, self))

    def __float__(self) -> float:
        raise _refusal("float()", self.tape)

    def __int__(self) -> int:
        raise _refusal("int()", self.tape)

    def item(self) -> Any:
        """Refused: the number would leave the program."""
        raise _refusal(".item()", self.tape)

    def tolist(self) -> Any:
        """Refused: the numbers would leave the program."""
        raise _refusal(".tolist()", self.tape)


class TracedNumber(Traced):
    """A scalar of NumPy's in a program that is being recorded."""

    __slots__ = ()

    # Scalars are not changed in place: `x += y` makes another.
    __iadd__ = NDArrayOperatorsMixin.__add__
    __isub__ = NDArrayOperatorsMixin.__sub__
    __imul__ = NDArrayOperatorsMixin.__mul__
    __itruediv__ = NDArrayOperatorsMixin.__truediv__

    def boxed(self) -> Traced:
        """The same as an array without axes, which is how a Tensor keeps it."""
        return Traced(np.asarray(self.value), self.slot, self.tape)


class TracedFloat(TracedNumber):
    """A Python float of a program that is being recorded."""

    __slots__ = ()

    def boxed(self) -> Traced:
        return self


def _method(name: str) -> Callable[..., Any]:
    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(x, name)(*args, **kwargs)

    call.__name__ = name

    def method(self: Traced, *args: Any, **kwargs: Any) -> Any:
        return self.tape.run(call, (self, *args), kwargs)

    return method


for _name in (
    "all", "any", "argmax", "argmin", "argsort", "astype", "clip", "compress", "copy",
    "cumprod", "cumsum", "diagonal", "dot", "flatten", "max", "mean", "min", "nonzero",
    "prod", "ravel", "repeat", "reshape", "round", "searchsorted", "squeeze", "std",
    "sum", "swapaxes", "take", "trace", "transpose", "var",
):  # fmt: skip
    setattr(Traced, _name, _method(_name))

SIZED = frozenset(
    {
        "repeat", "tile", "resize", "reshape", "split", "array_split", "pad", "delete",
        "insert", "broadcast_to",
    }
)  # fmt: skip
"""Names of functions whose further arguments say how large the results are."""

SHAPE_ALONE = frozenset(
    {
        np.shape, np.ndim, np.size, np.result_type, np.iscomplexobj, np.isrealobj,
        np.can_cast, np.min_scalar_type, np.broadcast_shapes,
    }
)  # fmt: skip
"""Functions whose results the values have no part in."""

VALUE_SHAPED = frozenset(
    {
        np.flatnonzero, np.nonzero, np.argwhere, np.unique, np.compress, np.extract,
        np.bincount, np.trim_zeros, np.union1d, np.intersect1d, np.setdiff1d,
    }
)  # fmt: skip
"""Functions whose results have shapes that hang on the values."""

ARRAYS = frozenset({np.ndarray, Traced})
"""The types of arrays."""

FLOATS = frozenset({float, TracedFloat})
"""The types of Python floats."""
