"""Random numbers and the time in a function that is recorded as a program.

A program would keep what they were when it was recorded. The states of generators are
compared before and after the recorded run, and calls that ask the system for the time or
for random bytes are seen as they are made.
"""

from __future__ import annotations

import gc
import pickle
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from sysconfig import get_paths
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any

import numpy as np

from autograd.tensor import Tensor

__all__ = ["Chance", "unwatched"]

Profile = Callable[[FrameType, str, Any], object]

GENERATORS = (
    np.random.BitGenerator, np.random.RandomState, np.random.SeedSequence, random.Random,
)  # fmt: skip
"""The types whose states say whether numbers were drawn; a Generator holds one."""

GLOBAL = (np.random.mtrand._rand, getattr(random, "_inst"))  # noqa: B009 (private)
"""The generators behind np.random.normal and random.random."""

LIBRARIES = frozenset({"autograd", "rnn", "viz", "numpy", "scipy", "pandas"})
"""Packages whose functions keep no generators besides the global ones."""

LEAVES = (str, bytes, int, float, complex, type(None), np.ndarray, np.generic, Tensor)
"""Types of objects that hold no generators."""

MOST_OBJECTS = 200_000
"""The number of objects in which generators are looked for."""

BYTES = frozenset({"urandom", "getrandom", "generate_time_safe"})
CLOCKS = frozenset(
    {
        "time", "time_ns", "perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns",
        "process_time", "process_time_ns", "thread_time", "thread_time_ns", "localtime",
        "gmtime", "ctime", "clock_gettime", "clock_gettime_ns", "strftime", "asctime",
    }
)  # fmt: skip
ANY_NAME = frozenset({"eval", "exec", "globals"})
"""Functions by which code comes to global names that do not stand in it."""

INSTALLED = tuple(get_paths()[name] for name in ("stdlib", "purelib", "platlib"))
TODAY = frozenset({"now", "today", "utcnow"})


class Chance:
    """Watches a run of a function for random numbers and for the time.

    Args:
        fun: the function.
        given: its arguments.
    """

    def __init__(self, fun: Callable[..., Any], given: Any) -> None:
        found = [*GLOBAL, *_generators((fun, given))]
        self._states = [(x, _state(x)) for x in found]
        self._calls: list[str] = []

    def watched(self, fun: Callable[..., Any]) -> Callable[..., Any]:
        """`fun`, watched while it runs, beside a profiler that is active."""

        def run(*args: Any, **kwargs: Any) -> Any:
            active: Any = sys.getprofile()
            callable_ = active is None or callable(active)
            if not callable_:  # cProfile
                active.disable()
            sys.setprofile(_both(self._profile, active) if callable_ else self._profile)
            try:
                return fun(*args, **kwargs)
            finally:
                sys.setprofile(active if callable_ else None)
                if not callable_:
                    active.enable()

        return run

    def found(self) -> str | None:
        """What was seen, in words; None where there was nothing."""
        for x, before in self._states:
            if before != _state(x):
                return f"draws random numbers ({type(x).__module__}.{type(x).__name__})"
        return self._calls[0] if self._calls else None

    def _profile(self, frame: FrameType, event: str, arg: Any) -> None:
        if event == "c_call":
            name = arg.__name__
            if name in BYTES or _seeds(name, frame, arg):
                self._calls.append("asks the system for random numbers, or for a seed")
            elif _reads_clock(name, arg) and not (
                _is_installed(frame) or _of_collector(frame)
            ):
                self._calls.append(f"reads the time ({arg.__qualname__})")


def _both(first: Profile, second: Profile | None) -> Profile:
    def profile(frame: FrameType, event: str, arg: Any) -> None:
        first(frame, event, arg)
        if second is not None:
            second(frame, event, arg)

    return profile


@contextmanager
def unwatched() -> Iterator[None]:
    """Let what runs in here draw and read the time."""
    profile = sys.getprofile()
    sys.setprofile(None)
    try:
        yield
    finally:
        sys.setprofile(profile)


def _of_collector(frame: FrameType) -> bool:
    """Whether the garbage collector has called this, at a moment of its own."""
    return any(frame.f_code is getattr(f, "__code__", None) for f in gc.callbacks)


def _seeds(name: str, frame: FrameType, arg: BuiltinFunctionType) -> bool:
    """Whether it is random.Random's seeding without a seed."""
    given = frame.f_locals.get("a", 0) if name == "seed" else 0
    return given is None and isinstance(arg.__self__, random.Random)


def _reads_clock(name: str, arg: BuiltinFunctionType) -> bool:
    if name in CLOCKS:
        return arg.__module__ == "time"
    kind = getattr(arg, "__self__", None) if name in TODAY else None
    return isinstance(kind, type) and issubclass(kind, date)


def _is_installed(frame: FrameType) -> bool:
    """Whether the code is of the standard library or an installed package.

    These read the time for logs, progress bars and the garbage collector's callbacks.
    """
    return frame.f_code.co_filename.startswith(INSTALLED)


def _package(module: Any) -> str:
    return str(module).partition(".")[0]


def _state(x: Any) -> Any:
    """What changes when numbers are drawn; None of a generator without a state."""
    if isinstance(x, np.random.SeedSequence):
        return x.n_children_spawned
    try:
        if isinstance(x, random.Random):
            return x.getstate()
        legacy = isinstance(x, np.random.RandomState)
        return pickle.dumps(x.get_state(legacy=False) if legacy else x.state)
    except NotImplementedError:  # random.SystemRandom, whose calls are seen
        return None


def _generators(roots: Any) -> list[Any]:
    """The generators that objects refer to, also by the names in their functions."""
    found, seen, stack = [], {id(roots)}, [roots]
    while stack and len(seen) < MOST_OBJECTS:
        x = stack.pop()
        if isinstance(x, GENERATORS):
            found.append(x)
        for y in _referents(x):
            if id(y) not in seen and not isinstance(y, LEAVES):
                seen.add(id(y))
                stack.append(y)
    return found


def _referents(x: Any) -> Iterable[Any]:
    if isinstance(x, (FunctionType, type)):
        package = _package(x.__module__)
        if package in LIBRARIES or package in sys.stdlib_module_names:
            return getattr(x, "__closure__", None) or ()
    if isinstance(x, FunctionType):
        own = (x.__closure__, x.__defaults__, x.__kwdefaults__, x.__dict__)
        return [*own, *_named(x)]
    if isinstance(x, (ModuleType, FrameType, CodeType)):
        return ()
    if isinstance(x, ContextVar):
        return [x.get(None)]
    return gc.get_referents(x)


def _named(function: FunctionType) -> list[Any]:
    """What the names in a function's code stand for, also within modules."""
    names, found = _names(function.__code__), []
    if not ANY_NAME.isdisjoint(names):
        held = function.__globals__.values()
        found += [x for x in held if isinstance(x, (np.random.Generator, *GENERATORS))]
    scopes: list[dict[str, Any]] = [function.__globals__, sys.modules]
    for scope in scopes:  # which grows by the modules that are found
        for x in [scope[name] for name in names if name in scope]:
            found.append(x)
            if not isinstance(x, ModuleType) or _package(x.__name__) in LIBRARIES:
                continue
            if all(vars(x) is not other for other in scopes):
                scopes.append(vars(x))
    return found


def _names(code: CodeType) -> set[str]:
    inner = (_names(x) for x in code.co_consts if isinstance(x, CodeType))
    return set(code.co_names).union(*inner)
