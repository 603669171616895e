"""States of random generators, NumPy's and Python's, as JSON."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np

__all__ = ["check_state", "kind_of", "restore", "state_of"]


def state_of(name: str, generator: Any) -> Any:
    """The state, as JSON has it.

    Raises:
        TypeError: if there is none that can be saved, naming the generator.
    """
    try:
        if isinstance(generator, random.Random):
            state: Any = generator.getstate()
        elif isinstance(generator, np.random.RandomState):
            state = generator.get_state(legacy=False)
        else:
            state = getattr(generator, "bit_generator", generator).state
        return json.loads(json.dumps(state, default=lambda x: x.tolist()))
    except (NotImplementedError, AttributeError, TypeError, ValueError) as error:
        raise TypeError(
            f"fit: the state of {name}, a {type(generator).__name__}, cannot be saved in "
            "a checkpoint. Draw from np.random.default_rng(seed), or give fit no "
            "checkpoint"
        ) from error


def restore(generator: Any, state: Any) -> None:
    """Put a generator where `state_of` found it."""
    if isinstance(generator, random.Random):
        version, numbers, normal = state
        generator.setstate((version, tuple(numbers), normal))
    elif isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    else:
        getattr(generator, "bit_generator", generator).state = state


def check_state(name: str, generator: Any, state: Any) -> None:
    """Raise ValueError unless `restore` takes the state."""
    before = state_of(name, generator)
    try:
        restore(generator, state)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"it has no state of {name} ({error})") from error
    finally:
        restore(generator, before)


def kind_of(generator: Any) -> str:
    """What must be equal for a state to fit: the kind of the generator of bits."""
    bits = getattr(generator, "_bit_generator", generator)
    return type(getattr(generator, "bit_generator", bits)).__name__
