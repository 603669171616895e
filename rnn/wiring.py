"""The lecture's five architectures: ways to wire one cell over time.

In all of them `cell` is an `RNNCell`, `GRUCell` or `LSTMCell`, or, with a state given,
any function (x, state) → (output, state); `readout` is what each output goes through,
such as a `Linear`. The steps are recorded in scope("t=1"), …, so that `architecture_of`
can tell from the graph alone which of the five it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Graph, Node, Tensor, named, scope
from autograd import graph as snapshot
from autograd.tensor import value_of
from rnn.checks import check_sizes
from rnn.module import Module
from rnn.unroll import unroll

__all__ = [
    "architecture_of", "encoder_decoder", "many_to_many", "many_to_one", "one_to_many",
    "one_to_one",
]  # fmt: skip

Readout = Callable[[Any], Any]
Ran = tuple[list[Any], Any]


def one_to_one(
    cell: Any, x: Any, state: Any = None, readout: Readout | None = None
) -> tuple[Any, Any]:
    """One input, one output: a single step.

    Args:
        x: (B, D).
        state: the state before; the cell's zeros unless given.

    Returns:
        y^1 (B, …), and the state after.

    Raises:
        TypeError: for what is no cell.
    """
    x = np.expand_dims(x, 0)
    ys, state = _run(cell, x, _start("one_to_one", cell, x, state), readout)
    return ys[0], state


def one_to_many(
    cell: Any,
    x: Any,
    steps: int,
    state: Any = None,
    readout: Readout | None = None,
    feedback: Callable[[Any], Any] | None = None,
) -> tuple[Any, Any]:
    """One input at the first step, an output at every step, as for a caption.

    Args:
        x: (B, D), the input of step 1.
        steps: T.
        feedback: y^t → x^{t+1}, what the network is told at the steps after; zeros
            unless given.

    Returns:
        y (T, B, …), and the state after.

    Raises:
        ValueError: for fewer than one step.
        TypeError: for what is no cell.
    """
    check_sizes("one_to_many", steps=steps)
    state = _start("one_to_many", cell, np.expand_dims(x, 0), state)
    return _generate(cell, steps, state, readout, feedback, x, 1)


def many_to_one(
    cell: Any, xs: Any, state: Any = None, readout: Readout | None = None
) -> tuple[Any, Any]:
    """An input at every step, one output at the last, as for a verdict on a sentence.

    Args:
        xs: (T, B, D).

    Returns:
        y^T (B, …), and the state after.

    Raises:
        ValueError: for no steps.
        TypeError: for what is no cell.
    """
    outputs, state = _run(cell, xs, _start("many_to_one", cell, xs, state), None)
    if readout is None:
        return outputs[-1], state
    with scope(f"t={len(xs)}"):
        return named("y", readout(outputs[-1])), state


def many_to_many(
    cell: Any, xs: Any, state: Any = None, readout: Readout | None = None
) -> tuple[Any, Any]:
    """An input and an output at every step, as for the next word at each word.

    Args:
        xs: (T, B, D).

    Returns:
        y (T, B, …), and the state after.

    Raises:
        ValueError: for no steps.
        TypeError: for what is no cell.
    """
    ys, state = _run(cell, xs, _start("many_to_many", cell, xs, state), readout)
    return np.stack(ys), state


def encoder_decoder(
    encoder: Any,
    decoder: Any,
    xs: Any,
    steps: int,
    state: Any = None,
    readout: Readout | None = None,
    feedback: Callable[[Any], Any] | None = None,
) -> tuple[Any, Any]:
    """Inputs first, outputs after: what is read is kept in the state alone, as for
    translation (Sutskever et al., 2014).

    Args:
        encoder, decoder: cells of one hidden size; may be the same.
        xs: (T, B, D), the inputs of steps 1 … T.
        steps: how many outputs there are, at steps T + 1, ….
        feedback: y^t → the decoder's next input; zeros unless given.

    Returns:
        y (steps, B, …), and the state after.

    Raises:
        ValueError: for fewer than one step.
        TypeError: for what is no cell.
    """
    check_sizes("encoder_decoder", steps=steps)
    _, state = _run(encoder, xs, _start("encoder_decoder", encoder, xs, state), None)
    *batch, width = np.shape(xs[0])
    if hasattr(decoder, "config"):
        width = decoder.config["input_size"]
    first = np.zeros((*batch, width), np.asarray(value_of(xs[0])).dtype)
    begin = len(xs) + 1
    return _generate(decoder, steps, state, readout, feedback, first, begin, silent=True)


def _start(caller: str, cell: Any, xs: Any, state: Any) -> Any:
    """The state before xs; ValueError, TypeError where it or a cell is wanting."""
    if not (isinstance(xs, (list, tuple)) or np.ndim(xs)) or not len(xs):
        raise ValueError(
            f"{caller}: the inputs have shape {np.shape(xs)}, expected (T, B, D) with at "
            "least one step"
        )
    whole = isinstance(cell, Module) and not hasattr(cell, "step")
    if whole or (state is None and not hasattr(cell, "zero_state")):
        raise TypeError(
            f"{caller}: the cell is a {type(cell).__name__}, expected an RNNCell, "
            "GRUCell or LSTMCell; or, with a state=, a function (x, state) → (output, "
            "state)"
        )
    return cell.zero_state(np.shape(xs[0])[:-1]) if state is None else state


def _run(
    cell: Any, xs: Any, state: Any, readout: Readout | None
) -> tuple[list[Any], Any]:
    advance = getattr(cell, "step", cell)

    def step(x: Any, state: Any) -> tuple[Any, Any]:
        output, state = advance(_input(x), state)
        return output if readout is None else named("y", readout(output)), state

    return unroll(step, xs, state)


def _generate(
    cell: Any,
    steps: int,
    state: Any,
    readout: Readout | None,
    feedback: Callable[[Any], Any] | None,
    x: Any,
    begin: int,
    silent: bool = False,
) -> tuple[Any, Any]:
    """Steps whose inputs are the outputs before; `silent` where the first is none."""
    advance, silence = (
        getattr(cell, "step", cell),
        np.zeros(np.shape(x), np.result_type(x)),
    )

    def step(t: int, carried: Any) -> tuple[Any, Any]:
        x, state = carried
        output, state = advance(x if t or silent else _input(x), state)
        y = output if readout is None else named("y", readout(output))
        return y, (silence if feedback is None else feedback(y), state)

    names = range(begin, begin + steps)
    ys, (_, state) = unroll(step, range(steps), (x, state), names)
    return np.stack(ys), state


def _input(x: Any) -> Any:
    """An input as a Tensor that the graph knows by name."""
    return named("x", np.positive(x) if isinstance(x, Tensor) else Tensor(x))


def architecture_of(graph: Graph | Tensor) -> str:
    """Which of the five architectures a recorded graph is.

    It looks at which steps an input enters, a node called "x", and from which steps
    something goes on outside of all steps, through a stack of outputs or a loss.

    Args:
        graph: of the loss or of the outputs of an unrolled network, `graph(E)`; or
            one of these, E.

    Returns:
        "one to one", "one to many", "many to one", "many to many" or "encoder-decoder".

    Raises:
        ValueError: where no step has an input or no step has an output.
    """
    graph = graph if isinstance(graph, Graph) else snapshot(graph)
    columns = [node.scope.split("/")[0] for node in graph]
    steps = list(dict.fromkeys(c for c in columns if c))
    entered = {columns[n.index] for n in graph if n.name == "x" and columns[n.index]}
    left, stack = set(), [graph.root]
    while stack:
        node = stack.pop()
        if columns[node.index]:
            left.add(columns[node.index])
        else:
            stack += [graph.nodes[p] for p in _used(node, graph)]
    if not entered or not left:
        raise ValueError(
            f"architecture_of: {len(entered)} steps with an input called x and "
            f"{len(left)} with an output, of {len(steps)} steps; expected some of both. "
            'Lay the network out with `unroll`, and the inputs as Tensors named "x"'
        )
    inputs = sorted(steps.index(step) for step in entered)
    outputs = sorted(steps.index(step) for step in left)
    if len(inputs) == 1:
        return "one to one" if len(outputs) == 1 else "one to many"
    if len(outputs) == 1:
        return "many to one" if outputs[0] <= inputs[-1] else "encoder-decoder"
    return "encoder-decoder" if outputs[0] > inputs[-1] else "many to many"


def _used(node: Node, graph: Graph) -> tuple[int, ...]:
    """The parents of a node; of a stack from which only one is picked, that one."""
    users = [n for n in graph if node.index in n.parents]
    if node.op == "stack" and [n.op for n in users] == ["getitem"]:
        pick = str(users[0].arguments[1])
        if pick.lstrip("-").isdigit():
            return (node.parents[int(pick)],)
    return node.parents
