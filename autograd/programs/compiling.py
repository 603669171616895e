"""`compile`: a function recorded once, and replayed without building its graph again."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Any

import numpy as np

from autograd.arrays import check_operand, check_plain
from autograd.context import state, under
from autograd.programs.chance import Chance, unwatched
from autograd.programs.levels import Levels, of_floats
from autograd.programs.observers import BEFORE, Added, Recorder, Scout
from autograd.programs.passes import needed
from autograd.programs.plan import Plan
from autograd.programs.results import Results, agree
from autograd.programs.steps import Slot
from autograd.programs.tracing import Traced
from autograd.recorded import check_attributes, name_of
from autograd.tensor import Tensor, value_of, wrap
from autograd.trees import (
    Repeated,
    alike,
    by_place,
    leaves,
    like,
    map_tree,
    ordered_keys,
)

__all__ = ["compile", "fresh", "steady"]


def compile(fun: Callable[..., Any]) -> Callable[..., Any]:
    """`fun`, recorded when it is first called, and replayed from then on; a decorator.

    What is recorded are the calls of NumPy's functions that `fun` makes, those of its
    sweeps included. A replay makes the same calls on the same kinds of arrays, into
    memory set aside once, with the same results to the last bit:

        @compile
        def loss(x, d):
            network.zero_grad()
            E = mse(network(x)[0], d)
            E.backward()
            return E

    Args:
        fun: a function of nests of arrays, Tensors and Python floats, which may change
            from call to call while their shapes and dtypes stay; and of anything else
            (integers, text, None), which must stay equal. Dicts may have their keys in
            another order, for which it is recorded anew. Its Tensors are known by
            reference: parameters that it closes over are read where they are at each
            call, and get their gradients. So are arrays that it closes over, where they
            meet a Tensor as they are; where one must not change, as in the functions
            that NumPy composes of others (`np.average`) and in exponents, a change is an
            error. All else that it closes over is as it was when it
            was recorded: numbers, switches (see `steady`), and what NumPy makes of arrays
            alone (`array * 2`, `array[0]`); what changes must be an argument. It is run
            twice when it is recorded, and again when the array of a parameter was set
            (`p.data = …`, not `p.data[:] = …`) for the first time since. While it is
            recorded, no other thread may use its parameters; whether that is in `no_grad`
            is what it stays.

    Random numbers are refused unless they are drawn through `fresh`, and the time unless
    it is read through `steady`. Found are NumPy's and Python's generators that `fun`
    refers to, by the names in its code, in closures or as attributes, the global ones,
    generators without a seed, os.urandom, secrets, uuid, and the clocks of `time` and
    `datetime`. Not found, unless two runs differ by them: np.datetime64("now"), files,
    counters, other processes, and generators that nothing in `fun` refers to.

    Returns:
        A function that returns what `fun` returns, in arrays of its own. What is computed
        from it has no gradient by anything in `fun`: differentiate inside. It may be
        called from several threads, one of which waits for another.

    Raises:
        TypeError: when recording, where a value would leave the program (`float(x)`,
            `x.item()`, np.asarray(x)), or where arrays of before are changed in place;
            from a sweep that comes to what it returned.
        ValueError: for other shapes, dtypes, or constants than those recorded; where a
            comparison or truth value that steered the program falls the other way; and
            where the two runs differ, as by random numbers (see `fresh`).
    """
    programs: dict[Any, _Program] = {}  # by the order of keys: `fun` may go through them
    turn = RLock()

    @wraps(fun)
    def replayed(*args: Any, **kwargs: Any) -> Any:
        now = state.get()
        if now.tape is not None or now.lines is not None:
            return fun(*args, **kwargs)  # within another program, or being watched
        with turn:
            order = _order(args, kwargs)
            known = programs.get(order) or next(iter(programs.values()), None)
            moved: frozenset[Tensor] = known.moved() if known else frozenset()
            if known:
                if not moved and order in programs:
                    return known.replay(args, kwargs)
                known.check(args, kwargs)
            with RECORDING:
                program = _Program(fun, args, kwargs, moved)
            if len(programs) >= MAX_ORDERS:
                programs.clear()
            programs[order] = program
            first, program.first = program.first, None
            return first

    return replayed


RECORDING = RLock()
"""Held while a program is recorded: values inside of its parameters are traced then."""


def fresh(draw: Callable[[], Any]) -> Any:
    """What `draw()` returns, an array; in a compiled function it is called in every run.

    Without it, random numbers would stay those of the first run.
    """
    tape = state.get().tape
    return draw() if tape is None else tape.fresh(draw)


def steady(read: Callable[[], Any]) -> Any:
    """What `read()` returns, a switch; in a compiled function it must stay what it was.

    Each run of the program reads it again, and raises where it is another. Without it,
    what a function reads of its surroundings is as it was when it was recorded.
    """
    tape = state.get().tape
    if tape is None:
        return read()
    with unwatched():
        value = read()
    tape.steady(read, value)
    return value


SIMPLE = frozenset({Tensor, np.ndarray, float})
"""The types of arguments that are no nests."""

MAX_ORDERS = 8
"""The number of programs that are kept of one function, for dicts in other orders."""


def _order(args: Any, kwargs: Any) -> Any:
    if not kwargs and SIMPLE.issuperset(map(type, args)):
        return None
    return ordered_keys((args, kwargs))


class _Program:
    """One recorded call of a function.

    Args:
        apart: the parameters that are copied at each call; all others are read where
            they are for as long as their arrays are not set.

    Attributes:
        first: what the function returned when it was recorded.
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        args: Any,
        kwargs: Any,
        apart: frozenset[Tensor] = frozenset(),
    ) -> None:
        self.apart = apart
        self.name = name_of(fun)
        given = (args, kwargs)
        check_attributes("compile", by_place(args, kwargs), "arguments")
        self.tree = map_tree(_placeholder, given)
        self.signature = [_kind(x) for x in leaves(given)]
        self.simple = not kwargs and all(type(x) in SIMPLE for x in args)
        scout = Scout()
        try:
            with under(state.get()._replace(tape=scout)):
                scout.meet([x for x in leaves(given) if not _varies(x)])
                inside = map_tree(_entering, given)
                out = fun(*inside[0], **inside[1])
                expected = map_tree(lambda x: x, (out, [x._grad for x in scout.found]))
        finally:
            scout.restore()
        before = [grad for grad, _ in scout.found.values()]
        chance = Chance(fun, given)
        self._record(chance.watched(fun), args, kwargs, scout)
        what = chance.found()
        if what or not agree(expected, (self.first, [x._grad for x in scout.found])):
            for x, grad in zip(scout.found, before, strict=True):
                x._grad = grad
            raise ValueError(
                f"compile: {self.name} {what or 'came to other numbers when run again'}, "
                "and the program would keep the numbers of its recording for ever. Draw "
                "random numbers through `fresh`, read switches through `steady`, and "
                "pass what changes (a counter, the time, a state) as an argument"
            )

    def _record(
        self, fun: Callable[..., Any], args: Any, kwargs: Any, scout: Scout
    ) -> None:
        recorder = Recorder(scout.found, scout.draws, scout.arrays)
        tape = recorder.tape
        self.leaves = list(scout.found)
        self.tracked = [x._tracked for x in self.leaves]
        before = [(x._data, x._exposed, x._seal, x._grad) for x in self.leaves]
        try:
            for x in self.leaves:
                x._data = tape.enter(x._data)
                x._exposed, x._seal, x._grad = False, None, BEFORE
            entered = map_tree(
                lambda x: wrap(tape.enter(value_of(_entering(x)))) if _varies(x) else x,
                (args, kwargs),
            )
            inputs = leaves(entered)  # the function may change its nests
            repeated = Repeated(by_place(args, kwargs), by_place(*entered))
            with under(state.get()._replace(tape=recorder)):
                out = fun(*entered[0], **entered[1])
            repeated.check("compile", "arguments")
            self.inputs = [
                int(x._data.slot) if isinstance(x, Tensor) else None for x in inputs
            ]
            self.slots = [int(x._data.slot) for x in self.leaves]
            grads = [x._grad for x in self.leaves]
        finally:
            tape.ended = True
            for x, (data, exposed, seal, grad) in zip(self.leaves, before, strict=True):
                x._data, x._exposed, x._seal, x._grad = data, exposed, seal, grad
        self.grads = [_effect(g) for g in grads]
        self.results = Results(self.name, out, self.leaves, recorder.start)
        parts = [part for _, parts in self.grads for part in parts]
        self.wanted = self.results.slots + [p for p in parts if isinstance(p, Slot)]
        self.bound = {
            slot: x._data
            for x, slot in zip(self.leaves, self.slots, strict=True)
            if isinstance(x._data, np.ndarray) and x not in self.apart
        }
        held = [
            part for g in grads for part in (g.parts if isinstance(g, Added) else [g])
        ]
        held += [y for x in leaves(out) for y in (x, value_of(x), _gradient(x))]
        values = {x.slot: x.value for x in held if isinstance(x, Traced)}
        self.first = self._finish([_copied(values[slot]) for slot in self.wanted])
        steps = needed(tape, self.wanted)
        self.plan: Any = (
            Levels(tape, steps)
            if steps and of_floats(steps, tape.kinds)
            else Plan(tape, steps, self.wanted, self.bound)
        )

    def moved(self) -> frozenset[Tensor]:
        """The parameters whose arrays have been set, ever, if any has been since."""
        slots = zip(self.leaves, self.slots, strict=True)
        found = {x for x, s in slots if x._data is not self.bound.get(s, x._data)}
        return self.apart | found if found else frozenset()

    def replay(self, args: Any, kwargs: Any) -> Any:
        """Run it on other arguments."""
        simple = not kwargs and all(type(x) in SIMPLE for x in args)
        given = list(args) if simple else self._leaves(args, kwargs)
        self.check(args, kwargs, given if simple else None)
        for x, slot in zip(
            (*given, *self.leaves), (*self.inputs, *self.slots), strict=True
        ):
            if slot is not None and slot not in self.bound:
                self.plan.put(slot, value_of(x))
        for x, (adds, _) in zip(self.leaves, self.grads, strict=True):
            if not adds:
                x._grad = None  # as the function forgets it, before it makes another
        try:
            self.plan.run()
            found = self.plan.results(self.wanted)
        finally:
            self.plan.forget()
        return self._finish(found)

    def _leaves(self, args: Any, kwargs: Any) -> list[Any]:
        """The arguments, one by one, in the order in which they were recorded."""
        return leaves(like(self.tree, (args, kwargs)))

    def _finish(self, values: list[Any]) -> Any:
        """Leave the gradients where they belong; what the function returns.

        Args:
            values: those of `wanted`, each an array of its own.
        """
        own = iter(values)
        found = self.results.of(own)
        for x, (adds, parts) in zip(self.leaves, self.grads, strict=True):
            x._grad = x._grad if adds else None
            for part in parts:
                g = next(own) if isinstance(part, Slot) else _copied(part)
                x._grad = g if x._grad is None else x.grad + g
        return found

    def check(self, args: Any, kwargs: Any, simple: list[Any] | None = None) -> None:
        """See that these arguments are like those that it was recorded for.

        Where they are no nests, they are `simple`: then the kinds of all say everything.
        """
        for x, tracked in zip(self.leaves, self.tracked, strict=True):
            if x._tracked is not tracked:
                raise ValueError(
                    f"compile: {self.name} was recorded when {x._title()} had "
                    f"requires_grad={tracked}, and it is {x._tracked} now. Compile it "
                    "again: `compile(fun)` makes another program"
                )
        known = simple is not None and self.simple
        if known and [_kind(x) for x in simple or ()] == self.signature:
            return
        tree, given = map_tree(_placeholder, (args, kwargs)), self._leaves(args, kwargs)
        kinds = [_kind(x) for x in given]
        if kinds == self.signature and alike(self.tree, tree):
            return
        pairs = zip(kinds, self.signature, strict=False)
        differs = next((pair for pair in pairs if pair[0] != pair[1]), None)
        what = (
            "an argument is another Tensor that requires a gradient"
            if differs and {kind[0] for kind in differs} == {"Tensor"}
            else f"an argument is {_words(differs[0])}, and was {_words(differs[1])}"
            if differs
            else "its arguments are nested otherwise than they were, or not equal"
        )
        raise ValueError(
            f"compile: {self.name} was recorded once, but {what}. Compile it again for "
            f"these: `compile(fun)` makes another program"
        )


def _copied(x: Any) -> Any:
    return x if type(x) is float else np.array(x)


def _gradient(x: Any) -> Any:
    return x._grad if isinstance(x, Tensor) else None


def _effect(g: Any) -> tuple[bool, list[Any]]:
    """Whether a leaf keeps the gradient that it had, and what is added to it, in turn.

    Each is a slot, or what was set when the function was recorded.
    """
    if g is BEFORE or g is None:
        return g is BEFORE, []
    parts = g.parts if isinstance(g, Added) else [g]
    found = [Slot(p.slot) if isinstance(p, Traced) else value_of(p) for p in parts]
    return isinstance(g, Added), found


def _varies(x: Any) -> bool:
    """Whether an argument may differ from call to call."""
    if isinstance(x, Tensor):
        return not x.requires_grad
    return isinstance(x, (float, np.ndarray, np.generic))


def _entering(x: Any) -> Any:
    """An argument as the function gets it: what may differ as a Tensor of a copy."""
    if not _varies(x):
        return x
    value = value_of(x)
    if type(value) is float:
        return wrap(value)
    check_plain("compile: an argument", value)
    return wrap(np.array(value))


VARIES = object()
"""Stands for what may differ from call to call where the nests of two are compared."""


def _placeholder(x: Any) -> Any:
    return VARIES if isinstance(x, Tensor) or _varies(x) else x


def _kind(x: Any) -> Any:
    """What must stay of an argument: shape and dtype, the Tensor, or the value."""
    if not _varies(x):
        tensor = isinstance(x, Tensor)
        check_operand("compile: an argument", x)
        return ("Tensor", id(x), "") if tensor else ("constant", repr(x), type(x))
    value = value_of(x)
    if type(value) is float:
        return "float", (), ""
    check_plain("compile: an argument", value)
    return "array", value.shape, value.dtype


def _words(kind: Any) -> str:
    name, shape, dtype = kind
    if name == "constant":
        return str(shape)
    if name == "Tensor":
        return "a Tensor that requires a gradient"
    return f"an array {shape} of {dtype}" if name == "array" else "a float"
