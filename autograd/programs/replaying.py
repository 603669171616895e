"""Calls recorded once and replayed, whose graphs are written out when looked at.

A network that is trained makes the same calls of NumPy on the same shapes again and
again. After a number of them their program is kept (see `compile` for what that is): a
call leaves one node, and the sweep through it is the program's second half. Whoever looks
into the graph finds it whole all the same: pictures, contributions and derivatives of
derivatives have the function run once more, operation by operation.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import RLock, get_ident
from typing import Any

import numpy as np

from autograd.backward import sweep
from autograd.context import State, state, under
from autograd.primitive import Primitive
from autograd.programs.calls import Call, Result
from autograd.programs.observers import Recorder
from autograd.programs.passes import needed
from autograd.programs.plan import Plan
from autograd.programs.steps import Slot, Step, pause
from autograd.programs.tracing import Tape, Traced
from autograd.tensor import Tensor, clock, value_of, wrap
from autograd.trees import leaves, map_tree

__all__ = ["Replayed", "RoundTrip"]

Function = Callable[..., Any]

PRICE = 20
"""What a program costs, in calls recorded operation by operation, of which there are so
many of a kind before it has one. As many are made from one program to the next, and twice
as many each time that one had to make room for another before it was replayed so often:
where there is no end of kinds, sentences of any length, say, there is soon one of
programs."""

LONGEST = 20_000
"""So many Tensors a call makes at most: what is longer would take seconds to record."""

KINDS = 1000
"""Of so many kinds of calls the number is known, those that came last."""

KEPT = 8
"""So many programs are kept, those that were used last."""

ROOM = 2**29
"""So many bytes these hold at most to work in, unless one alone holds more."""


class Replayed:
    """Calls of functions of nests of Tensors and arrays, to nests of Tensors.

    They have the values and gradients of the functions themselves, to the last bit; the
    gradient of what several calls use is the sum of theirs, in whatever order they come.

    A function must hang on its arguments alone, give the same when it is run again with
    them, and be the same in all calls.
    """

    def __init__(self) -> None:
        self._calls: dict[Any, float] = {}
        self._since = math.inf
        self._wasted = 0
        self._programs: dict[Any, RoundTrip] = {}
        self._swept: dict[Any, frozenset[int]] = {}
        self._latest: frozenset[int] | None = None
        self._turn = RLock()

    def __call__(
        self, fun: Function, *args: Any, recorded: Function | None = None
    ) -> Any:
        """fun(*args)

        Args:
            fun: what is called, unless the call is replayed.
            args: nests of Tensors and arrays.
            recorded: a function that does the same, and is recorded in its place: a
                checkpoint's inside, say.
        """
        now = state.get()
        if now.tape is not None or now.lines is not None:
            return fun(*args)
        try:
            key = now.recording, _kind(args)
        except TypeError:  # a number or a list in the place of a weight
            return fun(*args)
        calls = self._calls.get(key, 0)
        self._since += 1
        if calls < PRICE or not self._is_due(key):
            start = next(clock)
            found = fun(*args)
            if next(clock) - start <= LONGEST:
                self._calls.pop(key, None)
                self._calls[key] = calls + 1  # the latest comes last
                if len(self._calls) > KINDS:
                    del self._calls[next(iter(self._calls))]
            return found
        try:
            program = self.program(key, recorded or fun, args)
        except (TypeError, ValueError):  # see `RoundTrip`
            self._calls[key] = -math.inf
            return fun(*args)
        if program.runner == get_ident():  # in a signal's handler, say, while it is run
            return fun(*args)
        return Call(self, key, fun, recorded or fun, args).run(program)

    def _is_due(self, key: Any) -> bool:
        """Whether calls of a kind have a program, or it is time for one."""
        known = any(kind == key for kind, _ in list(self._programs))
        return known or self._since >= PRICE << self._wasted

    def program(
        self, key: Any, fun: Any, args: Any, swept: frozenset[int] | None = None
    ) -> RoundTrip:
        """That of calls of a kind, where gradients come back to the results `swept`.

        These are given by place; where they are not, those of the latest calls are taken.
        """
        with self._turn:
            latest = self._swept.get(key, self._latest)
            swept = latest if swept is None else swept
            found = self._programs.pop((key, swept), None)
            if found is None:
                guess = self._programs.get((key, latest))
                if guess is not None and not guess.used:  # it was a wrong one
                    del self._programs[key, latest]
                found = RoundTrip(fun, args, key[0], swept)
                self._make_room(found.nbytes)
                self._since = 0
            self._swept[key] = found.swept
            self._latest = found.swept or self._latest
            self._programs[key, found.swept] = found  # the latest used comes last
            return found

    def sweeping(self, call: Call, swept: frozenset[int]) -> RoundTrip:
        """That of a call, for a sweep which has come to these of its results."""
        key = call.key[0], _kind(call.args)
        if key != call.key or call.program.swept != swept:
            # Other results lead to the root, or other arguments require a gradient now.
            call.key = key
            call.program = self.program(key, call.recorded, call.args, swept)
        if call.program.runner == get_ident():
            return RoundTrip(call.recorded, call.args, key[0], swept)
        return call.program

    def _make_room(self, nbytes: int) -> None:
        """Forget programs, first the one that was not used for the longest time."""
        kept = self._programs
        while len(kept) >= KEPT or (
            kept and nbytes + sum(p.nbytes for p in kept.values()) > ROOM
        ):
            forgotten = kept.pop(next(iter(kept)))
            self._wasted = self._wasted + 1 if forgotten.runs < PRICE else 0

    def __reduce__(self) -> Any:
        """Copied and pickled without the programs, which are made again."""
        return Replayed, ()


def _kind(x: Any) -> Any:
    """Shapes and dtypes in a nest, and what requires a gradient."""
    if isinstance(x, Tensor):
        return x._data.shape, x._data.dtype, x._tracked
    if isinstance(x, np.ndarray):
        return x.shape, x.dtype
    return None if x is None else tuple(map(_kind, x))


class RoundTrip:
    """A call recorded; where it has a gradient, with the sweep that comes after it.

    Args:
        recorded: whether its operations are; see `no_grad`.
        swept: the places of the results that gradients come back to; if None, or if
            there are none, of the first that can have one.

    Raises:
        TypeError, ValueError: for a function that is not the same for all values, or
            cannot be recorded; see `compile`.

    Attributes:
        swept: these.
        results: the nest that is returned, of `Result`s.
        holder: the call whose values are in memory, to be swept; None where none are.
        nbytes: how much memory it works in.
        used: whether it has been swept.
        runs: how many calls it has made.
        runner: the thread that runs it; None where none does.
    """

    holder: object = None
    runner: int | None = None
    used = False
    runs = 0

    def __init__(
        self, fun: Any, args: Any, recorded: bool, swept: frozenset[int] | None
    ) -> None:
        self._turn = RLock()
        recorder = Recorder()
        tape = recorder.tape
        variables = [_variable(tape, x) for x in leaves(args)]
        given = iter(variables)
        with under(State(recorded, tape=recorder)):
            out = fun(*map_tree(lambda _: next(given), args))
            found = leaves(out)
            self._values = [Slot(x._data.slot) for x in found]
            tape.steps.append(Step(pause, tuple(self._values), {}, None, (None,)))
            tracked = [i for i, x in enumerate(found) if x._tracked]
            # Whatever is asked for, a call of which there is a gradient has one.
            self.swept = frozenset(tracked) & (swept or set()) or frozenset(tracked[:1])
            ones = {i: np.ones_like(found[i]._data.value) for i in self.swept}
            seeds = {i: tape.enter(one) for i, one in ones.items()}
            with np.errstate(all="ignore"):  # it is nobody's sweep
                tape.errors = dict(np.geterr())
                gradients = _swept({found[i]: g for i, g in seeds.items()})
        if any(s.expected is not None and s.function is not pause for s in tape.steps):
            raise ValueError("its course, or the shape of a result, hangs on values")
        places = itertools.count()
        self.results = map_tree(lambda x: Result(x, next(places)), out)
        self._inputs = [x._data.slot for x in variables]
        self._seeds = {i: g.slot for i, g in seeds.items()}
        self._gradients = [_held(gradients.get(x)) for x in variables]
        self._wanted = [g for g in self._gradients if isinstance(g, Slot)]
        self._plan = Plan(tape, needed(tape, self._wanted), self._wanted, {})
        self.nbytes = self._plan.nbytes

    @contextmanager
    def held(self) -> Iterator[None]:
        """Run in here, by one thread after the other."""
        with self._turn:
            self.runner = get_ident()
            try:
                yield
            finally:
                self.runner = None

    def start(self, arguments: Iterable[Any], call: object) -> None:
        """Bring the values of a call into memory."""
        self.holder = None  # also while it is interrupted
        self.runs += 1
        for slot, x in zip(self._inputs, arguments, strict=True):
            self._plan.put(slot, value_of(x))
        self._plan.run(0)
        self.holder = call

    def values(self) -> list[Any]:
        """The results, in arrays of their own."""
        found = self._plan.results(self._values)
        if not self.swept:
            self._plan.forget()
        return found

    def sweep(self, gradients: dict[int, Any]) -> list[Any]:
        """The gradients of all arguments from those of the results; None where none is.

        The values of the call are gone after it.
        """
        self.holder, self.used = None, True
        for i, g in gradients.items():
            self._plan.put(self._seeds[i], g)
        self._plan.run(1)
        found = iter(self._plan.results(self._wanted))
        self._plan.forget()
        return [
            next(found) if isinstance(g, Slot) else None if g is None else np.array(g)
            for g in self._gradients
        ]


def _variable(tape: Tape, x: Any) -> Tensor:
    """What the recorded function gets in the place of an argument."""
    found = wrap(tape.enter(np.array(value_of(x))))  # without gaps, as its memory is
    found._tracked = isinstance(x, Tensor) and x._tracked
    return found


def _swept(seeds: dict[Tensor, Any]) -> dict[Tensor, Any]:
    """The gradients of all leaves, from those of several Tensors."""
    if not seeds:
        return {}
    given = list(seeds.values())
    root = Primitive(len, name="results").defvjp_each(lambda i: lambda *_: given[i])
    swept = sweep(root.known(np.zeros(()), *seeds), np.ones(()))
    return {x: g for x, g, _ in swept}


def _held(g: Any) -> Any:
    """A gradient's slot, or itself where it is none of the program's."""
    return Slot(g.slot) if isinstance(g, Traced) else g
