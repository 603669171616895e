"""`compile`: a function recorded once, and replayed without building its graph again."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from autograd.context import Setting, State, state
from autograd.levels import Levels, of_floats
from autograd.plan import Plan, needed
from autograd.tensor import Tensor, value_of, wrap
from autograd.tracing import Tape, Traced, TracedFloat
from autograd.trees import leaves, map_tree

__all__ = ["compile", "fresh"]


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
            (integers, text, None), which must stay equal. Its Tensors are known by
            reference: parameters that it closes over are read where they are at each
            call, and get their gradients. Arrays that it closes over are read where they
            are, too. It is run twice when it is recorded.

    Returns:
        A function that returns what `fun` returns, in arrays of its own. A Tensor that it
        returns is outside of any graph: differentiate inside.

    Raises:
        TypeError: when recording, where a value would leave the program (`float(x)`,
            `x.item()`, np.asarray(x)), or where arrays of before are changed in place.
        ValueError: for other shapes, dtypes, or constants than those recorded; and where
            a comparison or truth value that steered the program falls the other way.
    """
    programs: list[_Program] = []

    @wraps(fun)
    def replayed(*args: Any, **kwargs: Any) -> Any:
        now = state.get()
        if now.tape is not None or now.lines is not None:
            return fun(*args, **kwargs)  # within another program, or being watched
        if programs:
            return programs[0].replay(args, kwargs)
        program = _Program(fun, args, kwargs)
        programs.append(program)
        return program.first

    return replayed


def fresh(draw: Callable[[], Any]) -> Any:
    """What `draw()` returns, an array; in a compiled function it is called in every run.

    Without it, random numbers would stay those of the first run.
    """
    tape = state.get().tape
    return draw() if tape is None else tape.fresh(draw)


class _Taped(Setting):
    """Context manager: what is computed inside is seen by `tape`."""

    def __init__(self, tape: Any) -> None:
        super().__init__()
        self.tape = tape

    def changed(self, now: State) -> State:
        """The state inside."""
        return now._replace(tape=self.tape)


BEFORE = object()
"""Stands for the gradient that a leaf had before the program ran."""


class _Observer:
    """What both runs of a function that is recorded have in common."""

    start: int

    def set(self, x: Tensor) -> None:
        """See that no Tensor of before is set."""
        if x._order < self.start:
            raise TypeError(
                f"compile: the function sets {x._title()}. Return the new value, and "
                "set it outside: `optimizer.step()` after the compiled function"
            )


class _Scout(_Observer):
    """Finds the Tensors of before that a function uses, in a run that counts for nothing.

    Attributes:
        found: these Tensors, with the gradients that they had.
        draws: the results of `fresh`, which the recorded run gets again.
    """

    def __init__(self) -> None:
        self.start = wrap(0.0)._order
        self.found: dict[Tensor, Any] = {}
        self.draws: list[Any] = []

    def meet(self, args: Any) -> None:
        """Arguments of an operation that is about to be recorded."""
        for x in args:
            if isinstance(x, Tensor) and x._order < self.start and x not in self.found:
                if x._primitive is not None:
                    raise TypeError(
                        f"compile: the function uses {x._title()}, which was computed "
                        "outside of it. Compute it inside, or pass its `.detach()` as an "
                        "argument"
                    )
                self.found[x] = x._grad

    def leave(self, node: Tensor, g: Any) -> None:
        """A gradient that has come to a leaf."""
        node._grad = g if node._grad is None else node._grad + g

    def gradient(self, leaf: Tensor) -> Any:
        """The gradient as it is."""
        return leaf._grad

    def fresh(self, draw: Callable[[], Any]) -> Any:
        """See `fresh`."""
        self.draws.append(draw())
        return self.draws[-1]


class _Recorder(_Observer):
    """Records a program: what `State.tape` is in the second run."""

    def __init__(self, scout: _Scout) -> None:
        self.tape = Tape()
        self.known = set(scout.found)
        self.start = scout.start
        self.draws = iter(scout.draws)

    def meet(self, args: Any) -> None:
        """See that nothing of before is used that the first run did not find."""
        for x in args:
            if isinstance(x, Tensor) and x._order < self.start and x not in self.known:
                raise TypeError(
                    f"compile: the function used {x._title()} in its second run only; "
                    "expected it to do the same each time"
                )

    def leave(self, node: Tensor, g: Any) -> None:
        """A gradient that has come to a leaf: added to what it had."""
        had = node._grad
        if isinstance(had, _Added):
            node._grad = _Added(had.g + g)
        elif had is BEFORE:
            node._grad = _Added(g)
        else:
            node._grad = g if had is None else had + g

    def gradient(self, leaf: Tensor) -> Any:
        """The gradient, where it comes from the program alone."""
        if leaf._grad is BEFORE or isinstance(leaf._grad, _Added):
            raise TypeError(
                f"compile: the function reads the gradient that {leaf._title()} has had "
                "since before it ran. Call zero_grad() first, inside the function"
            )
        return leaf._grad

    def fresh(self, draw: Callable[[], Any]) -> Any:
        """See `fresh`."""
        value = next(self.draws)
        return self.tape.source(draw, value)


class _Added:
    """A gradient that is to be added to the one of before."""

    def __init__(self, g: Any) -> None:
        self.g = g


class _Program:
    """One recorded call of a function.

    Attributes:
        first: what the function returned when it was recorded.
    """

    def __init__(self, fun: Callable[..., Any], args: Any, kwargs: Any) -> None:
        self.name = getattr(fun, "__name__", "the function")
        given = (args, kwargs)
        self.tree = map_tree(_placeholder, given)
        self.signature = [_kind(x) for x in leaves(given)]
        scout = _Scout()
        scout.meet([x for x in leaves(given) if not _varies(x)])
        try:
            with _Taped(scout):
                inside = map_tree(_entering, given)
                fun(*inside[0], **inside[1])
        finally:
            for x, grad in scout.found.items():
                x._grad = grad
        self._record(fun, given, scout)

    def _record(self, fun: Callable[..., Any], given: Any, scout: _Scout) -> None:
        recorder = _Recorder(scout)
        tape = recorder.tape
        self.leaves = list(scout.found)
        before = [(x._data, x._exposed, x._seal, x._grad) for x in self.leaves]
        try:
            for x in self.leaves:
                x._data = tape.enter(x._data)
                x._exposed, x._seal, x._grad = False, None, BEFORE
            entered = map_tree(
                lambda x: wrap(tape.enter(value_of(_entering(x)))) if _varies(x) else x,
                given,
            )
            with _Taped(recorder):
                out = fun(*entered[0], **entered[1])
            self.inputs = [
                int(x._data.slot) if isinstance(x, Tensor) else None
                for x in leaves(entered)
            ]
            self.slots = [int(x._data.slot) for x in self.leaves]
            grads = [x._grad for x in self.leaves]
        finally:
            for x, (data, exposed, seal, grad) in zip(self.leaves, before, strict=True):
                x._data, x._exposed, x._seal, x._grad = data, exposed, seal, grad
        self.grads = [_effect(g) for g in grads]
        self.out = map_tree(_result, out)
        wanted = [r.slot for r in leaves(self.out) if isinstance(r, _Result)]
        wanted += [slot for _, slot in self.grads if slot is not None]
        self.bound = {
            slot: x._data
            for x, slot in zip(self.leaves, self.slots, strict=True)
            if isinstance(x._data, np.ndarray)
        }
        values = {x.slot: x.value for x in leaves(out) if isinstance(x, Traced)}
        values |= {
            value_of(x).slot: value_of(x).value
            for x in leaves(out)
            if isinstance(x, Tensor) and isinstance(value_of(x), Traced)
        }
        values |= {
            g.slot: g.value
            for g in (g.g if isinstance(g, _Added) else g for g in grads)
            if isinstance(g, Traced)
        }
        self.first = self._finish(values)
        steps = needed(tape, wanted)
        self.plan: Any = (
            Levels(steps, tape.inputs)
            if steps and of_floats(steps, tape.kinds)
            else Plan(tape, steps, wanted, self.bound)
        )

    def replay(self, args: Any, kwargs: Any) -> Any:
        """Run it on other arguments."""
        given = leaves((args, kwargs))
        self._check(map_tree(_placeholder, (args, kwargs)), given)
        values = self.plan.values
        for x, slot in zip(given, self.inputs, strict=True):
            if slot is None or slot in self.bound:
                continue
            value = value_of(x)
            if type(value) is float:
                values[slot] = value
            else:
                np.copyto(values[slot], value)
        for x, slot in zip(self.leaves, self.slots, strict=True):
            if slot not in self.bound:
                values[slot] = x._data
            elif x._data is not self.bound[slot]:
                # It was set since: the program reads from where it has always read.
                np.copyto(self.bound[slot], x._data)
                x._data = self.bound[slot]
                x._exposed, x._seal = False, None
        self.plan.run()
        return self._finish(values)

    def _finish(self, values: Any) -> Any:
        """Leave the gradients where they belong; what the function returns."""
        for x, (adds, slot) in zip(self.leaves, self.grads, strict=True):
            if slot is None:
                if not adds:
                    x._grad = None
                continue
            g = values[slot]
            if adds and x._grad is not None:
                x._grad = x.grad + g
            else:
                x._grad = g if type(g) is float else np.array(g)
        return map_tree(
            lambda r: r.of(values[r.slot]) if isinstance(r, _Result) else r, self.out
        )

    def _check(self, tree: Any, given: list[Any]) -> None:
        kinds = [_kind(x) for x in given]
        if kinds == self.signature and tree == self.tree:
            return
        pairs = zip(kinds, self.signature, strict=False)
        differs = next((pair for pair in pairs if pair[0] != pair[1]), None)
        what = (
            f"an argument is {_words(differs[0])}, and was {_words(differs[1])}"
            if differs
            else "its arguments are nested otherwise than they were"
        )
        raise ValueError(
            f"compile: {self.name} was recorded once, but {what}. Compile it again for "
            f"these: `compile(fun)` makes another program"
        )


class _Result:
    """A value that a program returns, and in what form."""

    def __init__(self, slot: int, tensor: bool, number: bool) -> None:
        self.slot, self.tensor, self.number = slot, tensor, number

    def of(self, value: Any) -> Any:
        """The value in that form, of its own."""
        if self.number:
            value = float(value)
        elif isinstance(value, np.ndarray):
            value = value.copy()
        return wrap(value) if self.tensor else value


def _result(x: Any) -> Any:
    value = value_of(x)
    if not isinstance(value, Traced):
        return x
    return _Result(value.slot, isinstance(x, Tensor), isinstance(value, TracedFloat))


def _effect(g: Any) -> tuple[bool, int | None]:
    """Whether a leaf's gradient is added to what it had, and the slot it comes from."""
    if g is BEFORE:
        return True, None
    if g is None:
        return False, None
    return (True, g.g.slot) if isinstance(g, _Added) else (False, g.slot)


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
    return wrap(value if type(value) is float else np.array(value))


def _placeholder(x: Any) -> Any:
    return None if isinstance(x, Tensor) or _varies(x) else x


def _kind(x: Any) -> Any:
    """What must stay of an argument: shape and dtype, the Tensor, or the value."""
    if not _varies(x):
        tensor = isinstance(x, Tensor)
        return ("Tensor", id(x), "") if tensor else ("constant", repr(x), type(x))
    value = value_of(x)
    return (
        ("float", (), "") if type(value) is float else ("array", value.shape, value.dtype)
    )


def _words(kind: Any) -> str:
    name, shape, dtype = kind
    if name == "constant":
        return str(shape)
    if name == "Tensor":
        return "another Tensor"
    return f"an array {shape} of {dtype}" if name == "array" else "a float"
