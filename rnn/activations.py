"""The nonlinearities by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import relu, sigmoid, softmax, softplus

__all__ = ["ACTIVATIONS", "OUTPUT_ACTIVATIONS", "activation_named"]

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "relu": relu,
    "softplus": softplus,
    "identity": np.positive,
}
OUTPUT_ACTIVATIONS = ACTIVATIONS | {"softmax": softmax}


def activation_named(
    name: str, table: dict[str, Callable[[Any], Any]], argument: str
) -> Callable[[Any], Any]:
    """The function of that name; ValueError with the names there are where it is none."""
    if not isinstance(name, str) or name not in table:
        raise ValueError(f"{argument}={name!r}: expected one of {', '.join(table)}")
    return table[name]
