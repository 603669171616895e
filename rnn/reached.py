"""What a training run reads: its random generators, its settings and its data.

They are found by following references from the functions and objects that `fit` is
given: closures, globals that a function uses, defaults, arguments of `functools.partial`,
attributes and containers.
"""

from __future__ import annotations

import hashlib
import random
import sys
from argparse import Namespace
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, is_dataclass
from enum import IntEnum
from functools import partial
from pathlib import Path
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    GeneratorType,
    MethodType,
    SimpleNamespace,
)  # fmt: skip
from typing import Any

import numpy as np

from autograd import Tensor
from rnn.module import Module
from rnn.optim import Optimizer

__all__ = ["Reached", "reached"]

LIBRARIES = {"autograd", "rnn", "viz", "numpy", "scipy", *sys.stdlib_module_names}
"""Packages whose functions draw from no generators of their own but the global ones."""
INSTALLED = {"site-packages", "dist-packages"}
"""The folders of packages that are not the user's."""
Scalar = (bool, int, float, complex, str, bytes, np.generic)
Random = (np.random.Generator, np.random.BitGenerator, np.random.RandomState,
          random.Random)  # fmt: skip


class Counts(IntEnum):
    """Which values at some place belong to a run: those that a run may change do not."""

    NOTHING = 0
    ARRAYS = 1
    ALL = 2


@dataclass
class Reached:
    """What was found, by a name for each.

    Attributes:
        generators: of random numbers.
        settings: numbers and texts as they are; of arrays a digest.
    """

    generators: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


def reached(trained: list[Tensor], data: Any, **roots: Any) -> Reached:
    """Follow the references from the data of a run, and from other objects by name.

    Args:
        trained: the parameters that the run changes.
        data: all that it holds belongs to the run.
        roots: functions and generators; None for none.

    Raises:
        TypeError: for a generator whose state cannot be saved, naming it.
    """
    search = _Search({id(p) for p in trained})
    of_module: Any = random.random, np.random.random
    for name, draw in zip(("random", "np.random"), of_module, strict=True):
        search.follow(name, draw.__self__, Counts.NOTHING)
    search.follow("segments", data, Counts.ALL)
    for name, root in roots.items():
        search.follow(name, root, Counts.NOTHING)
    digests = {name: digest.hexdigest()[:16] for name, digest in search.digests.items()}
    return Reached(search.generators, search.settings | digests)


class _Search:
    """A search, depth first, in an order that is the same in each process."""

    def __init__(self, trained: set[int]) -> None:
        self.trained = trained
        self.seen: dict[int, Any] = {}
        self.inner: set[int] = set()
        self.generators: dict[str, Any] = {}
        self.settings: dict[str, Any] = {}
        self.digests: dict[str, Any] = {}

    def follow(self, name: str, root: Any, counts: Counts) -> None:
        pending = [(name, root, counts)]
        while pending:
            name, x, counts = pending.pop()
            if isinstance(x, Scalar) or x is None:
                if counts == Counts.ALL:
                    self._digest(name, repr(x).encode())
            elif isinstance(x, np.ndarray):
                if counts and x.dtype != object:
                    self._add_array(name, x)
            elif id(x) not in self.seen:
                self.seen[id(x)] = x  # kept, so that its id stays its own
                pending += reversed(list(self._parts(name, x, counts)))

    def _parts(
        self, name: str, x: Any, counts: Counts
    ) -> Iterator[tuple[str, Any, Counts]]:
        """What an object refers to."""
        if isinstance(x, Random):
            self._add_generator(name, x)
        elif isinstance(x, (list, tuple, dict, set, frozenset, deque)):
            kept = counts == Counts.ALL or (counts and isinstance(x, tuple))
            values = x.values() if isinstance(x, dict) else x
            inside = counts if kept else Counts.NOTHING
            yield from ((name, value, inside) for value in values)
        elif isinstance(x, (SimpleNamespace, Namespace)):
            yield from ((key, value, Counts.NOTHING) for key, value in vars(x).items())
        elif isinstance(x, FunctionType):
            yield from _of_function(x)
        elif isinstance(x, partial):
            yield name, x.func, Counts.NOTHING
            given = {f"{name}: argument {i}": v for i, v in enumerate(x.args, start=1)}
            yield from self._settings(given | x.keywords)
        elif isinstance(x, (MethodType, BuiltinFunctionType)):
            yield name, x.__self__, Counts.NOTHING
            yield name, getattr(x, "__func__", None), Counts.NOTHING
        elif isinstance(x, GeneratorType):
            self._refuse_iterator(name, x)
        elif not isinstance(x, (type, Optimizer)):
            yield from self._of_object(name, x, counts)

    def _of_object(
        self, name: str, x: Any, counts: Counts
    ) -> Iterator[tuple[str, Any, Counts]]:
        kind = type(x)
        # What functools.lru_cache wraps, for example.
        yield name, _attributes(x).get("__wrapped__"), Counts.NOTHING
        package = kind.__module__.partition(".")[0]
        if isinstance(x, Tensor) and counts and id(x) not in self.trained:
            yield name, x.data, counts
        if package in LIBRARIES and package != "rnn":
            return
        values = {f"{kind.__name__}.{key}": v for key, v in _attributes(x).items()}
        if isinstance(x, Module):
            if id(x) not in self.inner:
                self._add_module(kind.__name__, x)
            if package == "rnn":  # whose arguments say what is inside
                self.inner |= {id(part) for part in _modules(list(values.values()))}
            yield from ((key, value, Counts.NOTHING) for key, value in values.items())
        elif package == "rnn" or (is_dataclass(x) and _is_frozen(x)):
            yield from self._settings(values)
        else:
            for key, value in values.items():
                yield key, value, counts if _holds(value) else Counts.NOTHING
        for parent in kind.__mro__:
            if not _is_installed(parent):
                for method in vars(parent).values():
                    if isinstance(method, FunctionType):
                        yield method.__name__, method, Counts.NOTHING

    def _settings(self, values: dict[str, Any]) -> Iterator[tuple[str, Any, Counts]]:
        """Note numbers and texts; the rest is to be followed."""
        for name, value in values.items():
            if isinstance(value, Scalar) or value is None:
                self.settings[self._free(name, self.settings)] = _plain(value)
            else:
                yield name, value, Counts.ALL

    def _add_module(self, name: str, network: Module) -> None:
        """Its arguments and options, and the parameters that are not trained."""
        found = {k: v for k, v in vars(network).items() if type(v) in (float, str)}
        for key, value in (vars(network).get("config", {}) | found).items():
            self.settings[self._free(f"{name}.{key}", self.settings)] = _plain(value)
        for key, p in network.parameters().items():
            if id(p) not in self.trained:
                self.trained.add(id(p))
                self._add_array(f"{name}.{key}", np.asarray(p.data))

    def _add_generator(self, name: str, x: Any) -> None:
        bits = getattr(x, "bit_generator", getattr(x, "_bit_generator", x))
        if bits is not x and id(bits) in self.seen:
            return  # another front of the same numbers
        self.seen[id(bits)] = bits
        self.generators[self._free(name, self.generators)] = x

    def _refuse_iterator(self, name: str, x: GeneratorType[Any, Any, Any]) -> None:
        """A running generator cannot be put back to where it was."""
        inner = _Search(self.trained)
        frame = x.gi_frame
        inner.follow(name, dict(frame.f_locals) if frame else {}, Counts.NOTHING)
        if inner.generators:
            raise TypeError(
                f"fit: {name} is a running Python generator that draws random numbers, "
                "which a checkpoint cannot save. Draw inside of the objective, or give "
                "fit no checkpoint"
            )

    def _add_array(self, name: str, x: Any) -> None:
        self._digest(name, b"%s %s" % (x.dtype.str.encode(), repr(x.shape).encode()))
        self._digest(name, x.tobytes())

    def _digest(self, name: str, data: Any) -> None:
        if name not in self.digests:
            self.digests[name] = hashlib.sha256()
        self.digests[name].update(data)

    def _free(self, name: str, taken: dict[str, Any]) -> str:
        """The name, with a number where it is taken."""
        number, found = 1, name
        while found in taken:
            number += 1
            found = f"{name} ({number})"
        return found


def _of_function(x: Any) -> Iterator[tuple[str, Any, Counts]]:
    """The values that a function uses from outside, by the names of its variables."""
    for name, cell in zip(x.__code__.co_freevars, x.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents, Counts.ARRAYS
        except ValueError:  # not yet set
            continue
    code = x.__code__
    named = code.co_varnames[: code.co_argcount]
    defaults = dict(zip(reversed(named), reversed(x.__defaults__ or ()), strict=False))
    for name, value in (defaults | (x.__kwdefaults__ or {})).items():
        yield name, value, Counts.ARRAYS
    if _is_installed(x):
        return
    names = dict.fromkeys(_names(code))
    for name in names:
        value = x.__globals__.get(name)
        if isinstance(value, type(sys)):
            if not _is_installed(value):
                inside = {n: v for n, v in vars(value).items() if n in names}
                yield from ((n, v, Counts.ARRAYS) for n, v in inside.items())
        else:
            yield name, value, Counts.ARRAYS


def _names(code: CodeType) -> Iterator[str]:
    """The global names and attributes that a function's code has, inner ones included."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


def _attributes(x: Any) -> dict[str, Any]:
    found = dict(getattr(x, "__dict__", {}))
    for parent in type(x).__mro__:
        slots = vars(parent).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(x, name):
                found[name] = getattr(x, name)
    return found


def _is_installed(x: Any) -> bool:
    """Whether a class, function or module is of a library."""
    package = (getattr(x, "__module__", None) or x.__name__).partition(".")[0]
    file = getattr(sys.modules.get(package), "__file__", None) or ""
    return package in LIBRARIES or not INSTALLED.isdisjoint(Path(file).parts)


def _is_frozen(x: Any) -> bool:
    return bool(type(x).__dataclass_params__.frozen)


def _modules(x: Any) -> list[Module]:
    """The Modules of a nest, and those inside of them."""
    if isinstance(x, Module):
        return [x, *_modules(list(vars(x).values()))]
    parts = x.values() if isinstance(x, dict) else x if isinstance(x, list) else ()
    return [module for part in parts for module in _modules(part)]


def _holds(x: Any) -> bool:
    """Whether it is data rather than, perhaps, a counter."""
    return isinstance(x, (np.ndarray, list, tuple))


def _plain(value: Any) -> Any:
    """A setting as JSON has it."""
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, (bool, int, float, str)) else repr(value)
