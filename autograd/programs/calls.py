"""What a call that is replayed leaves in the graph, and how it is written out.

A node for the call, with all its arguments, and one for each result, which is computed
from that. When somebody looks, the function is run again, and each result takes the place
of the Tensor that it is in what was recorded then.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.backward import check_arguments, send
from autograd.context import State, under
from autograd.deferred import Own
from autograd.primitive import Primitive
from autograd.tensor import ABSENT, Tensor, clock, wrap
from autograd.trees import leaves, map_tree

if TYPE_CHECKING:
    from autograd.programs.replaying import Replayed, RoundTrip

__all__ = ["Call", "Result"]

Function = Callable[..., Any]


class Result:
    """A Tensor that the function returns: its labels, and what makes it; None outside."""

    def __init__(self, x: Tensor, place: int) -> None:
        self.name, self.scope = x.name, x.scope
        self.part = _Part(x.op, place) if x._tracked else None

    def made(self, value: Any, call: Tensor | None) -> Tensor:
        """The Tensor of one call."""
        if call is None or self.part is None:
            found = wrap(value)
        else:
            found = self.part._record(value, call, ABSENT, None, True, False)
        found.name = self.name
        found.scope = "/".join(filter(None, (found.scope, self.scope)))
        return found


class Call(Primitive):
    """A call that was replayed, as one operation on all its arguments.

    The gradient of what it made is those of the function's results, by place.
    """

    __slots__ = (
        "args", "inside", "key", "owner", "program", "recorded", "token", "written",
    )  # fmt: skip
    replays = True

    def __init__(
        self, owner: Replayed, key: Any, fun: Function, recorded: Function, args: Any
    ) -> None:
        super().__init__(fun, name="replayed")
        self.sure = sys.maxsize
        self.owner, self.key, self.recorded, self.args = owner, key, recorded, args
        self.program: Any = None
        self.token = object()
        self.written: list[Tensor] | None = None
        self.inside: list[Tensor] = []

    def run(self, program: RoundTrip) -> Any:
        """What the function returns."""
        given = leaves(self.args)
        with program.held():
            program.start(given, self.token)
            values = iter(program.values())
        self.program = program
        call = self.known(np.zeros(()), *given) if program.swept else None
        return map_tree(lambda result: result.made(next(values), call), program.results)

    def take_back(self, g: Any, node: Tensor, pending: dict[Any, Any], path: Any) -> None:
        """See `Primitive.take_back`."""
        program = self.owner.sweeping(self, frozenset(g))
        with program.held():
            if program.holder is not self.token:  # another call has been run since
                program.start(node._args, self.token)
            found = program.sweep(g)
        for x, sent in zip(node._args, found, strict=True):
            wanted = isinstance(x, Tensor) and x._tracked and (path is None or x in path)
            if wanted and sent is not None:
                send(Own(sent), x, node, pending)

    def write_out(self, node: Tensor) -> None:
        """Have the function run again, recorded between the arguments and `node`."""
        if self.written is not None:
            return
        check_arguments(node)
        start = next(clock)
        with under(State(scope=node.scope)):
            self.written = leaves(self.function(*self.args))
        self.inside = _made_since(start, self.written)
        for i, x in enumerate(self.inside):
            x._order = node._order - 1 + (i + 1) / (len(self.inside) + 1)


def _made_since(start: int, results: list[Tensor]) -> list[Tensor]:
    """All Tensors that went into these and were made after `start`, in that order."""
    found, stack = set(results), list(results)
    while stack:
        for x in stack.pop()._args:
            if isinstance(x, Tensor) and x._order > start and x not in found:
                found.add(x)
                stack.append(x)
    return sorted(found, key=attrgetter("_order"))


def _exchange(x: Tensor, one: Tensor, other: Tensor) -> None:
    """Make x computed from another Tensor in the place of one."""
    x._x, x._y = (other if arg is one else arg for arg in (x._x, x._y))
    if x._rest is not None:
        args, kwargs = x._rest
        x._rest = tuple(other if arg is one else arg for arg in args), kwargs


class _Part(Primitive):
    """One of the results of a call."""

    __slots__ = ("place",)
    replays = True

    def __init__(self, name: str, place: int) -> None:
        super().__init__(len, name)
        self.sure, self.place = 1, place

    def take_back(self, g: Any, node: Tensor, pending: dict[Any, Any], path: Any) -> None:
        """See `Primitive.take_back`."""
        if path is None or node._x in path:
            pending.setdefault(node._x, {})[self.place] = g

    def write_out(self, node: Tensor) -> None:
        """Put `node` in its place among what the call is written out as."""
        call = node._x._primitive
        found = call.written[self.place]
        node._primitive, node._seal = found._primitive, found._seal
        node._x, node._y, node._rest = found._x, found._y, found._rest
        # What was recorded may have been another part of a sequence.
        node._order, node.scope = found._order, found.scope
        call.inside = [node if x is found else x for x in call.inside]
        for x in call.inside:
            if any(arg is found for arg in x._args):
                _exchange(x, found, node)
