"""Functions without a gradient: given Tensors, they give plain arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.arrays import check_operand
from autograd.programs.tracing import Traced
from autograd.tensor import DISPATCH, Tensor, value_of

__all__ = ["IN_PLACE", "PLAIN"]

PLAIN = (
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
    np.logical_and, np.logical_or, np.logical_not, np.isfinite, np.isnan, np.isinf,
    np.sign, np.floor, np.floor_divide, np.ceil, np.rint, np.trunc,
    np.argmax, np.argmin, np.argsort, np.searchsorted, np.round,
    np.allclose, np.isclose, np.array_equal,
    np.shape, np.ndim, np.size, np.result_type, np.zeros_like, np.ones_like, np.all,
    np.any, np.count_nonzero, np.logical_xor, np.signbit, np.isposinf,
    np.isneginf, np.isreal, np.iscomplex, np.isrealobj, np.iscomplexobj, np.array_equiv,
    np.around, np.fix, np.argpartition, np.argwhere, np.nonzero, np.flatnonzero,
    np.nanargmax, np.nanargmin, np.digitize, np.isin, np.linalg.matrix_rank,
)  # fmt: skip

IN_PLACE = (np.copyto, np.fill_diagonal, np.place, np.put, np.put_along_axis, np.putmask)
"""Refused, since what was computed from the old values needs them in the sweep."""


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    def on_values(*args: Any, **kwargs: Any) -> Any:
        for x in (*args, *kwargs.values()) if kwargs else args:
            if not isinstance(x, (Tensor, Traced)):
                check_operand(function.__name__, x)
        return function(
            *map(value_of, args), **{k: value_of(v) for k, v in kwargs.items()}
        )

    return on_values


DISPATCH.update({function: _plain(function) for function in PLAIN})


def _in_place(function: Callable[..., Any]) -> Callable[..., Any]:
    def refused(*args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            f"np.{function.__name__}: a Tensor is not changed in place, nor an array by "
            "one. Make a new one: np.where(mask, new, old)"
        )

    return refused


DISPATCH.update({function: _in_place(function) for function in IN_PLACE})
