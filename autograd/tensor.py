"""The Tensor, and the recording of operations on it.

A Tensor is a value together with its place in the graph: the operation that made it
and the arguments that went in. NumPy hands every ufunc and function called on a Tensor
to the two protocol methods below; they look the function up in one table, `DISPATCH`,
and what stands there records.
"""

from __future__ import annotations

import importlib
import itertools
import operator
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.arrays import Recording, as_plain, check_plain, converted
from autograd.callers import called_in_scipy, name_of_ufunc, way_out
from autograd.context import state
from autograd.deferred import Deferred
from autograd.methods import DISPATCH, Methods
from autograd.programs.tracing import FLOATS, Traced, TracedFloat
from autograd.signature import no_rule, public_name

if TYPE_CHECKING:
    from autograd.primitive import Primitive

__all__ = ["DISPATCH", "Tensor", "named", "value_of", "wrap"]

DIFFERENTIABLE = (np.float32, np.float64, np.longdouble)

ABSENT = object()
"""Stands where an operation of one argument would have a second."""

clock = itertools.count()
"""Numbers the Tensors as they come to their values: arguments before results."""


def _operator(ufunc: np.ufunc) -> Callable[[Tensor, Any], Any]:
    return lambda self, other: DISPATCH[ufunc](self, other)


def _reflected(ufunc: np.ufunc) -> Callable[[Tensor, Any], Any]:
    return lambda self, other: DISPATCH[ufunc](other, self)


class Tensor(Methods, Recording):
    """A value and its place in the graph.

    Args:
        data: an array of any shape, a number, or nested lists of numbers. It is copied,
            so that nothing changes the value behind the graph's back. A Python float
            stays one; everything else becomes an ndarray.
        requires_grad: whether `backward` is to leave ∂root/∂self in `.grad`. Only
            float32, float64 and longdouble can.
        name: a label for messages and pictures.

    Attributes:
        data: the value.
        grad: None until a sweep reaches this Tensor; then an array of the shape and
            dtype of `data`. Leaves keep it, and Tensors asked to with `retain_grad`.

    Raises:
        TypeError: for values that are not numbers, and for a gradient asked of
            integers, booleans, float16 or complex numbers.
    """

    __slots__ = (
        "_data", "_exposed", "_grad", "_order", "_owner", "_primitive", "_rest",
        "_retains", "_seal", "_since", "_spent", "_tracked", "_x", "_y", "name", "scope",
    )  # fmt: skip
    __hash__ = object.__hash__

    _data: Any
    _grad: Any
    name: str | None
    _tracked: bool
    _spent: bool | None  # of a variable of `grad` and its kin: its function has ended
    scope: str
    _primitive: Primitive | None
    _x: Any
    _y: Any
    _rest: Any
    _order: float  # the clock when it was made; between two, where it was made later
    _since: float  # the clock when the value was last changed; −1 where it never was
    _owner: bool
    _seal: Any
    _exposed: bool
    _retains: bool

    def __init__(
        self, data: Any, requires_grad: bool = False, name: str | None = None
    ) -> None:
        self._data = _own(data)
        self._exposed = False
        self._seal = None
        self._grad = None
        self.name = name
        self.scope = state.get().scope
        self._primitive = self._x = self._y = self._rest = None
        self._order = next(clock)
        self._since = -1
        self._owner = True
        self._retains, self._spent = False, None
        self.requires_grad = requires_grad

    @property
    def data(self) -> Any:
        """The value: an ndarray, or a Python float where it was made from one.

        That of a Tensor made by `Tensor(…)` may be changed in place. Where it changes
        between an operation and the sweep through it, the sweep raises. All others are
        read-only.
        """
        tape = state.get().tape
        if tape is not None:
            tape.meet((self,))
        if type(self._data) is float or isinstance(self._data, Traced):
            return self._data
        if self._owner:
            if not self._exposed:
                self._exposed = True
                self._seal = seal(self._data)
            return self._data
        view = self._data.view()
        view.flags.writeable = False
        return view

    @data.setter
    def data(self, value: Any) -> None:
        if not self._owner:
            raise ValueError(
                f"{self._title()} was computed: its value cannot be set. Make a Tensor "
                "of the new value"
            )
        if np.shape(value) != self.shape:
            raise ValueError(
                f"{self._title()}: the new value has shape {np.shape(value)}, expected "
                f"{self.shape}"
            )
        tape = state.get().tape
        if tape is not None:
            tape.set(self)
        found = converted(f"{self._title()}: the new value", value, self.dtype)
        self._data = float(found) if type(self._data) is float else found
        self._since = next(clock)
        self._exposed = False
        self._seal = None

    @property
    def grad(self) -> Any:
        """∂root/∂self, an array of the shape and dtype of `data`; None before a sweep.

        The gradient of an array of which few rows were used is written out when it is
        first looked at.
        """
        tape = state.get().tape
        if tape is not None:
            return tape.gradient(self)
        if isinstance(self._grad, Deferred):
            self._grad = np.asarray(self._grad.full(), self.dtype)
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        tape = state.get().tape
        if tape is not None:
            tape.meet((self,))
        self._grad = self._as_gradient(value)

    def _as_gradient(self, value: Any) -> Any:
        """What is set as the gradient, in the form of the value; see `converted`."""
        if value is None or isinstance(value, (Tensor, Traced)):
            return value
        if type(value) is float is type(self._data):
            return value
        shape, dtype = self.shape, self.dtype
        if type(value) is np.ndarray and (value.shape, value.dtype) == (shape, dtype):
            return value
        caller = f"{self._title()}: the new gradient"
        found = converted(caller, value, dtype)
        if found.shape not in (shape, ()):
            raise ValueError(f"{caller} has shape {found.shape}, expected {shape}")
        if type(self._data) in FLOATS:
            return float(found)
        return found if found.shape == shape else np.full(shape, found)

    @property
    def requires_grad(self) -> bool:
        """Whether a sweep brings a gradient here: asked of a leaf, or inherited."""
        return self._tracked

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self._primitive is not None:
            raise ValueError(
                f"{self._title()} was computed, from Tensors that require a gradient; "
                "use .detach() for one that does not"
            )
        if wanted and self.dtype.type not in DIFFERENTIABLE:
            raise TypeError(
                f"Tensor: {self.dtype} values cannot require a gradient; expected "
                "float32 or float64. Convert them: Tensor(np.asarray(x, float), …)"
            )
        self._tracked = wanted

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        if method == "outer" and ufunc in DISPATCH:
            x, y = inputs
            apart = (*np.shape(x), *(1,) * np.ndim(y))
            return ufunc(np.reshape(x, apart), y, **kwargs)
        called = ufunc if method == "__call__" else getattr(ufunc, method)
        handler = DISPATCH.get(called)
        if ufunc in POWERS and state.get().tape is not None:
            _guard(inputs, {})
        if handler is None and "scipy.special" in sys.modules:
            importlib.import_module("autograd.rules.special")  # SciPy is optional
            handler = DISPATCH.get(called)
        if handler is None:
            name = name_of_ufunc(called) or f"np.{public_name(called)}"
            raise TypeError(no_rule(name))
        if kwargs:
            handler = getattr(handler, "__self__", handler)  # one() or two() of it
        return handler(*inputs, **kwargs)

    def __array_function__(
        self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        handler = DISPATCH.get(func)
        if handler is None:
            raise TypeError(no_rule(f"np.{public_name(func)}"))
        if state.get().tape is not None and func.__name__ not in FOLLOWED:
            _guard(args, kwargs)
        return handler(*args, **kwargs)

    @property
    def _mask(self) -> Any:
        """Refused: np.ma takes `_data` and `_mask` of its operands, past the graph.

        To all others, there is no such attribute.
        """
        if sys._getframe(1).f_globals.get("__name__") != "numpy.ma.core":
            raise AttributeError(f"{type(self).__name__!r} object has no '_mask'")
        raise TypeError(
            "np.ma: an operation on a Tensor and a masked array would drop the mask or "
            "the gradient; expected a plain array. Pass x.filled(value) in place of the "
            "masked array"
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self._tracked:
            function = called_in_scipy()
            if function is not None:
                raise TypeError(
                    f"{function}: no rule for Tensors, so its gradient would be lost "
                    f"(got {self._title()}). {way_out(function)}"
                )
            raise TypeError(
                f"{self._title()} requires a gradient, which an ndarray would drop. "
                "Use `.data` or `.detach()` for the value alone; to join Tensors into "
                "one, np.stack or np.concatenate in place of np.array"
            )
        return np.array(self.data, dtype=dtype, copy=copy)

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self._data)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.size(self._data))

    @property
    def dtype(self) -> np.dtype[Any]:
        return (
            np.result_type(self._data) if type(self._data) is float else self._data.dtype
        )

    @property
    def T(self) -> Any:
        return np.transpose(self)

    @property
    def mT(self) -> Any:
        return np.swapaxes(self, -1, -2)

    @property
    def _args(self) -> tuple[Any, ...]:
        """The arguments of the operation that made this Tensor.

        One or two are kept apart, in slots: a tuple for each of a million nodes is a
        million objects more for the garbage collector to go through.
        """
        if self._primitive is None:
            return ()
        if self._rest is not None:
            return self._rest[0]
        return (self._x,) if self._y is ABSENT else (self._x, self._y)

    @property
    def op(self) -> str:
        """The name of the operation that made this Tensor; "leaf" where none did."""
        return self._primitive.name if self._primitive is not None else "leaf"

    def item(self, *place: Any) -> Any:
        """The value of a Tensor of one element, or of one place, as a Python number."""
        if type(self._data) is float:
            return np.asarray(self._data).item(*place)
        return self._data.item(*place)

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers, outside of the graph."""
        return self._data if type(self._data) is float else self._data.tolist()

    def detach(self) -> Tensor:
        """The value alone: a Tensor outside of the graph, read-only and not a copy."""
        found = wrap(self._data)
        found._exposed = isinstance(found._data, np.ndarray)
        return found

    def retain_grad(self) -> Tensor:
        """Ask an interior Tensor to keep its `.grad` in coming sweeps; returns self."""
        self._retains = True
        return self

    def zero_grad(self) -> None:
        """Forget the gradient: `.grad` is None again."""
        self.grad = None

    def backward(self, gradient: Any = None) -> None:
        """Sweep the graph below and add ∂self/∂leaf to the `.grad` of every leaf.

        Args:
            gradient: ∂E/∂self for whatever E comes after, of self's shape; may be left
                out where self has one element, and is 1 then.
        """
        DISPATCH["backward"](self, gradient)

    def relu(self) -> Any:
        """max(self, 0)"""
        return DISPATCH["relu"](self)

    def sigmoid(self) -> Any:
        """1 / (1 + exp(−self))"""
        return DISPATCH["sigmoid"](self)

    def __getitem__(self, index: Any) -> Any:
        return DISPATCH[operator.getitem](self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            f"{self._title()} is not changed in place: what was computed from its old "
            "values needs them in the sweep. Make a new one, np.where(mask, new, old); "
            "between two passes, change the array of a leaf, `t.data[index] = value`"
        )

    def __pow__(self, exponent: Any) -> Any:
        if type(exponent) in (int, float) and exponent == 2:
            return DISPATCH[np.square](self)
        if type(exponent) is np.ndarray and state.get().tape is not None:
            _guard((exponent,), {})
        return DISPATCH[np.power](self, exponent)

    def __neg__(self) -> Any:
        return DISPATCH[np.negative](self)

    def __pos__(self) -> Any:
        return DISPATCH[np.positive](self)

    def __abs__(self) -> Any:
        return DISPATCH[np.absolute](self)

    __add__, __radd__ = _operator(np.add), _reflected(np.add)
    __sub__, __rsub__ = _operator(np.subtract), _reflected(np.subtract)
    __mul__, __rmul__ = _operator(np.multiply), _reflected(np.multiply)
    __truediv__, __rtruediv__ = _operator(np.divide), _reflected(np.divide)
    __matmul__, __rmatmul__ = _operator(np.matmul), _reflected(np.matmul)
    __rpow__ = _reflected(np.power)
    __mod__, __rmod__ = _operator(np.remainder), _reflected(np.remainder)
    __floordiv__, __rfloordiv__ = _operator(np.floor_divide), _reflected(np.floor_divide)
    __divmod__, __rdivmod__ = _operator(np.divmod), _reflected(np.divmod)
    __lt__, __le__ = _operator(np.less), _operator(np.less_equal)
    __gt__, __ge__ = _operator(np.greater), _operator(np.greater_equal)
    __eq__ = _operator(np.equal)
    __ne__ = _operator(np.not_equal)

    def __copy__(self) -> Any:
        """A leaf of its own of a leaf; of all else the identity, as an operation.

        The variables by which `grad` and its kin differentiate count as computed while
        their function runs.
        """
        if self._primitive is None and self._spent is not False:
            tape = state.get().tape
            if tape is not None:
                tape.meet((self,))
            make, given = self.__reduce__()
            return make(*given)
        found = DISPATCH[np.positive](self)
        found.name = self.name
        return found

    def __deepcopy__(self, memo: Any) -> Any:
        """See `__copy__`: a Tensor has nothing that another one could change."""
        return self.__copy__()

    def __reduce__(self) -> Any:
        """A leaf is pickled as a leaf of its own; what a graph leads to is not."""
        if self._primitive is not None or self._spent is False:
            raise TypeError(
                f"pickle: {self._title()} was computed: only what Tensor(…) made can be "
                "pickled, since a pickle loses the gradient. copy.copy and copy.deepcopy "
                "keep it; .detach() is the value alone"
            )
        given = (type(self), self._data, self._tracked, self.name, self.scope, self.grad)
        return _restored, given

    def __repr__(self) -> str:
        label = f"{self.name}: " if self.name else ""
        value = self._data.value if isinstance(self._data, Traced) else self._data
        text = np.array2string(np.asarray(value), precision=6, threshold=20)
        grad = ", requires_grad=True" if self._tracked else ""
        return f"Tensor({label}{text}{grad})"

    def _title(self) -> str:
        """One line that tells which Tensor this is, for messages."""
        name = f" {self.name}" if self.name else ""
        made = f" from {self.op}" if self._primitive is not None else ""
        where = f" in {self.scope}" if self.scope else ""
        return f"Tensor{name} of shape {self.shape}{made}{where}"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a Tensor without axes")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self._data)

    def __index__(self) -> int:
        """The value as an index; TypeError if it is not an integer without axes."""
        if type(self._data) is float:
            raise TypeError(
                f"index: {self._title()} is a float (got {self._data}, expected an "
                "integer). Convert its value: int(t.data)"
            )
        return operator.index(self._data)

    def __float__(self) -> float:
        self._refuse_number("float()", "np.tanh and its kin in place of math.tanh")
        return float(self._data)

    def __int__(self) -> int:
        self._refuse_number("int()", "np.floor or np.trunc for the whole part")
        return int(self._data)

    def __round__(self, ndigits: int | None = None) -> Any:
        """np.round, which has no gradient, as a plain number or array."""
        return DISPATCH[np.round](self, ndigits or 0)

    def _refuse_number(self, function: str, instead: str) -> None:
        """Raise TypeError if a number made of this Tensor would drop its gradient."""
        if self._tracked:
            raise TypeError(
                f"{function}: {self._title()} requires a gradient, which a number would "
                f"drop. Use `.item()` for the number alone, {instead}"
            )


POWERS = (np.power, np.float_power)
"""Ufuncs whose derivatives compute with a constant argument alone."""


FOLLOWED = frozenset(
    {
        "append", "clip", "concatenate", "convolve", "dot", "einsum", "inner", "kron",
        "outer", "select", "solve", "stack", "take", "take_along_axis", "tensordot",
        "where",
    }
)  # fmt: skip
"""Functions that compute nothing from their constant arguments alone."""


def _guard(args: Any, kwargs: Any) -> None:
    """Have a program that is recorded check plain arrays for changes; see `compile`."""
    tape = state.get().tape
    for x in (*args, *kwargs.values()):
        if type(x) is np.ndarray:
            tape.guard(x)


def _restored(
    kind: type[Tensor], data: Any, tracked: bool, name: str | None, scope: str, grad: Any
) -> Tensor:
    """A copied or unpickled leaf: its place in time is now, not that of the original."""
    self = kind.__new__(kind)
    Tensor.__init__(self, data, tracked, name)
    self.scope = scope
    self._grad = grad.copy() if isinstance(grad, np.ndarray) else grad
    return self


def _own(data: Any) -> Any:
    if isinstance(data, Tensor):
        raise TypeError("Tensor: the data is a Tensor already; use it, or its .detach()")
    if type(data) is float or isinstance(data, TracedFloat):
        return data
    if isinstance(data, Traced):
        return data.copy()
    check_plain("Tensor", data)
    array = np.array(data)
    if array.dtype.kind not in "fiubc":
        raise TypeError(
            f"Tensor: expected numbers, got {type(data).__name__} of dtype {array.dtype}"
        )
    return array


def seal(array: Any) -> int:
    """A checksum, by which a change of the array is seen."""
    if not array.flags.c_contiguous:
        array = np.ascontiguousarray(array)
    return zlib.crc32(array)


def settle(x: Tensor) -> None:
    """Close the array of x again, once whoever asked for `.data` has let go of it.

    What changed it in the meantime counts as if it had been set. An array that belongs to
    another Tensor stays open: its owner can change it at any time.
    """
    if x._owner and sys.getrefcount(x._data) <= _ALONE:
        if seal(x._data) != x._seal:
            x._since = next(clock)
        x._exposed, x._seal = False, None


def value_of(x: Any) -> Any:
    """The value of a Tensor; anything else as it is."""
    return x._data if isinstance(x, Tensor) else x


def array_of(x: Any) -> Any:
    """The value of a Tensor, or of anything else, as an array."""
    x = value_of(x)
    return x if isinstance(x, Traced) else as_plain("Tensor", x)


def wrap(value: Any, kind: type[Tensor] = Tensor) -> Tensor:
    """A Tensor around `value` as it is: no copy, no gradient, no place in the graph."""
    self = kind.__new__(kind)
    self._data = value if type(value) is float else array_of(value)
    self._exposed = False
    self._seal = None
    self._grad = self.name = self._primitive = self._x = self._y = self._rest = None
    self._tracked, self._retains, self._spent = False, False, None
    self.scope = state.get().scope
    self._order = next(clock)
    self._since = -1
    self._owner = False
    return self


_alone = wrap([0.0])
_ALONE = sys.getrefcount(_alone._data)
"""The references to an array that nothing but its Tensor holds."""


def listed(x: Any) -> Any:
    """A list or tuple of numbers as an array; anything else as it is."""
    return np.asarray(x) if isinstance(x, (list, tuple)) else x


def named(name: str, x: Any) -> Any:
    """Give a Tensor a name for messages and pictures, and return it."""
    if isinstance(x, Tensor):
        x.name = name
    return x
