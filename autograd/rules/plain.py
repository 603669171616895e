"""Functions without a gradient: given Tensors, they give plain arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.tensor import DISPATCH, value_of

__all__ = ["PLAIN"]

PLAIN = (
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
    np.logical_and, np.logical_or, np.logical_not, np.isfinite, np.isnan, np.isinf,
    np.sign, np.floor, np.floor_divide, np.ceil, np.rint, np.trunc,
    np.argmax, np.argmin, np.argsort, np.searchsorted, np.round,
    np.allclose, np.isclose, np.array_equal,
    np.shape, np.ndim, np.size, np.result_type, np.zeros_like, np.ones_like, np.all,
    np.any, np.count_nonzero,
)  # fmt: skip


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    def on_values(*args: Any, **kwargs: Any) -> Any:
        return function(
            *map(value_of, args), **{k: value_of(v) for k, v in kwargs.items()}
        )

    return on_values


DISPATCH.update({function: _plain(function) for function in PLAIN})
