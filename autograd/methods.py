"""The methods of an ndarray, on Tensors: NumPy's functions called on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["DISPATCH", "Methods"]

DISPATCH: dict[Any, Callable[..., Any]] = {}
"""NumPy function → what runs when one of its arguments is a Tensor."""


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    """The method that is `function` called on the Tensor."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return DISPATCH[function](self, *args, **kwargs)

    method.__name__ = function.__name__
    method.__doc__ = f"np.{function.__name__}(self, …)"
    return method


def _in_place(name: str, instead: str) -> Callable[..., Any]:
    """A method of an ndarray that changes it, which a Tensor refuses."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            f"Tensor.{name}: a Tensor is not changed in place, since the sweep needs its "
            f"old values. Make a new one: {instead}"
        )

    method.__name__ = name
    method.__doc__ = f"Refused, since it would change the array; {instead} does not."
    return method


class Methods:
    """The methods of an ndarray that have a rule, by ndarray's own signatures."""

    __slots__ = ()

    def reshape(self, *shape: Any, order: Any = "C", copy: Any = None) -> Any:
        """np.reshape(self, shape); the sizes may be given one by one."""
        wanted = shape[0] if len(shape) == 1 else shape
        if order == "C" and copy is None:
            return DISPATCH[np.reshape](self, wanted)
        return DISPATCH[np.reshape](self, wanted, order=order, copy=copy)

    def transpose(self, *axes: Any) -> Any:
        """np.transpose(self, axes); the axes may be given one by one."""
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)  # type: ignore[call-overload]

    def astype(
        self, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: Any = True,
        copy: Any = True,
    ) -> Any:  # fmt: skip
        """The values in another dtype; the gradient comes back in this one."""
        if (order, casting) == ("K", "unsafe"):
            return DISPATCH[np.ndarray.astype](self, dtype)
        return DISPATCH[np.ndarray.astype](self, dtype, order, casting, subok, copy)

    def dot(self: Any, b: Any, out: Any = None) -> Any:
        """np.dot(self, b)"""
        return np.dot(self, b, out=out)

    def clip(self: Any, min: Any = None, max: Any = None, out: Any = None) -> Any:  # noqa: A002 (NumPy's words)
        """np.clip(self, min, max)"""
        return np.clip(self, min, max, out=out)

    def compress(self: Any, condition: Any, axis: Any = None, out: Any = None) -> Any:
        """np.compress(condition, self, axis)"""
        return np.compress(condition, self, axis, out=out)

    def flatten(self, order: Any = "C") -> Any:
        """np.ravel(self, order)"""
        return DISPATCH[np.ravel](self, order)

    def copy(self, order: Any = "C") -> Any:
        """np.copy(self)"""
        if order == "C":
            return DISPATCH[np.positive](self)
        return DISPATCH[np.copy](self, order)

    def choose(self: Any, choices: Any, out: Any = None, mode: Any = "raise") -> Any:
        """np.choose(self, choices)"""
        return np.choose(self, choices, out=out, mode=mode)

    sum, mean = _method(np.sum), _method(np.mean)
    max, min = _method(np.max), _method(np.min)
    std, var, prod = _method(np.std), _method(np.var), _method(np.prod)
    exp, log, tanh = _method(np.exp), _method(np.log), _method(np.tanh)
    conj, conjugate = _method(np.conjugate), _method(np.conjugate)
    argmax, argmin, argsort = _method(np.argmax), _method(np.argmin), _method(np.argsort)
    argpartition = _method(np.argpartition)
    cumsum, cumprod = _method(np.cumsum), _method(np.cumprod)
    repeat, take = _method(np.repeat), _method(np.take)
    diagonal, trace = _method(np.diagonal), _method(np.trace)
    ravel, squeeze = _method(np.ravel), _method(np.squeeze)
    swapaxes = _method(np.swapaxes)
    all, any, round = _method(np.all), _method(np.any), _method(np.round)
    nonzero, searchsorted = _method(np.nonzero), _method(np.searchsorted)

    sort = _in_place("sort", "np.sort(t)")
    partition = _in_place("partition", "np.partition(t, kth)")
    fill = _in_place("fill", "np.full_like(t, value)")
    put = _in_place("put", "np.where(mask, new, t)")
    resize = _in_place("resize", "np.resize(t, shape)")
