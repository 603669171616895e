"""The backward sweep: one traversal of the graph, from its root to its leaves.

Everything that differentiates stands on `sweep`: `Tensor.backward`, `grad`, the
snapshots that pictures are drawn from, and `contributions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from autograd.anomaly import check_backward
from autograd.arrays import check_plain, check_real, converted
from autograd.context import state
from autograd.deferred import DEFERRED, Deferred, Sum
from autograd.primitive import Primitive
from autograd.programs.tracing import ARRAYS, FLOATS, Traced, as_float
from autograd.tensor import ABSENT, DISPATCH, Tensor, array_of, seal, value_of

__all__ = [
    "Use", "backward", "cast", "check_arguments", "send", "sweep", "topological",
]  # fmt: skip


class Use(NamedTuple):
    """One use of a Tensor, as argument `place` of `node`, and what it sent back."""

    node: Tensor
    place: int
    gradient: Any


def topological(root: Tensor, replays: bool = False) -> list[Tensor]:
    """All that `root` was computed from and carries a gradient, `root` last.

    A Tensor is made after its arguments, so the order of making is a topological one.

    Args:
        root: where to start.
        replays: leave the calls that are replayed as they are; they are written out
            unless told so.
    """
    seen, stack, calls = {root}, [root], []
    while stack:
        node = stack.pop()
        if node._rest is not None:
            if node._primitive.replays:  # type: ignore[union-attr]
                calls.append(node)
            for x in node._args:
                if isinstance(x, Tensor) and x not in seen and x._tracked:
                    seen.add(x)
                    stack.append(x)
            continue
        x, y = node._x, node._y
        if isinstance(x, Tensor) and x not in seen and x._tracked:
            seen.add(x)
            stack.append(x)
        if isinstance(y, Tensor) and y not in seen and y._tracked:
            seen.add(y)
            stack.append(y)
    if calls and not replays:
        for node in (*calls, *seen):  # the calls before their results
            if node._primitive is not None and node._primitive.replays:
                node._primitive.write_out(node)
        return topological(root)
    return sorted(seen, key=attrgetter("_order"))


def sweep(
    root: Tensor,
    gradient: Any,
    *,
    record: bool = False,
    wanted: set[Tensor] | None = None,
    uses: list[Use] | None = None,
    deferred: bool = False,
) -> Iterator[tuple[Tensor, Any, bool]]:
    """Take the gradient of `root` back through the graph.

    Every node is visited once, after all that used it, so that its gradient is whole
    then.

    Args:
        root: where to start.
        gradient: ∂E/∂root, of root's shape.
        record: make the gradients Tensors, recorded like any computation, so that they
            can be differentiated in turn.
        wanted: yield these nodes, and sweep only the paths that lead to them. If None,
            yield the leaves and what has been asked to retain its gradient.
        uses: a list to which every use is added on the way.
        deferred: yield the sparse gradients of leaves as they are, not written out.

    Yields:
        Each such node, its gradient, and whether that is an array of its own, which
        nobody else holds; the root's side first.
    """
    if isinstance(root._data, Traced) and type(gradient) is np.ndarray:
        # A sweep takes other ways with constants than with what is computed.
        gradient = root._data.tape.run(np.copy, (gradient,), {})
    if type(gradient) is not float:
        check_real("backward: the gradient", gradient, root.dtype)
    lines = state.get().lines
    first = not record and uses is None and lines is None
    order = topological(root, replays=first)
    path = None if wanted is None else _above(wanted, order)
    plain = first and path is None
    pending: dict[Tensor, Any] = {root: gradient}
    for node in reversed(order):
        if node not in pending:
            continue
        g = pending.pop(node)
        primitive = node._primitive
        leaf_or_retains = primitive is None or node._retains
        asked = leaf_or_retains if wanted is None else node in wanted
        own = False
        if type(g) in DEFERRED and (asked or primitive is None or not primitive.defers):
            own = primitive is None
            if not (deferred and own and g.sparse):
                g = _fit(g.full(), node, node)
                own = own and type(g) in ARRAYS
        if asked:
            yield node, g, own
        if primitive is None:
            continue
        vjps, made = primitive.vjps, node._order
        if primitive.replays:
            check_arguments(node)
            primitive.take_back(g, node, pending, path)
            continue
        if node._seal is not None:
            _check_sealed(node)
        if plain and node._rest is None:
            # The general case below, spelled out: most operations take this way.
            ans, x, y = node._data, node._x, node._y
            scalars = type(ans) is float and not primitive.floats
            if scalars:
                g, ans = np.float64(g), np.float64(ans)
            if y is ABSENT:
                if x._exposed or x._since > made:
                    _check_tensor(node, 0)
                a = np.float64(x._data) if scalars else x._data
                send(vjps[0](g, ans, a), x, node, pending)
                continue
            a = x._data if isinstance(x, Tensor) else x
            b = y._data if isinstance(y, Tensor) else y
            if scalars:
                a, b = _scalar(a), _scalar(b)
            if isinstance(x, Tensor):
                if x._exposed or x._since > made:
                    _check_tensor(node, 0)
                if x._tracked:
                    sent = vjps[0](g, ans, a, b)
                    if type(sent) is float is type(x._data):
                        pending[x] = pending[x] + sent if x in pending else sent
                    else:
                        send(sent, x, node, pending)
            if isinstance(y, Tensor):
                if y._exposed or y._since > made:
                    _check_tensor(node, 1)
                if y._tracked:
                    sent = vjps[1](g, ans, a, b)
                    if type(sent) is float is type(y._data):
                        pending[y] = pending[y] + sent if y in pending else sent
                    else:
                        send(sent, y, node, pending)
            continue
        args = node._args
        kwargs = {} if node._rest is None else node._rest[1]
        ans = node if record else node._data
        values = args if record else [value_of(x) for x in args]
        if type(node._data) is float and not primitive.floats:
            g, ans, *values = map(_scalar, (g, ans, *values))
        for i, x in enumerate(args):
            if isinstance(x, Tensor):
                if x._exposed or x._since > made:
                    _check_tensor(node, i)
                if x._tracked and (path is None or x in path):
                    sent = vjps[i](g, ans, *values, **kwargs)
                    sent = send(sent, x, node, pending)
                    if lines is not None:
                        check_backward(node, i, value_of(sent))
                    if uses is not None:
                        uses.append(Use(node, i, sent))


def _scalar(x: Any) -> Any:
    """A Python float as NumPy's: 1 / 0 is an infinity, and it has a shape and a dtype."""
    return np.float64(x) if type(x) is float else x


def send(g: Any, x: Tensor, node: Tensor, pending: dict[Tensor, Any]) -> Any:
    """Add g, which `node` sends back to x, to what is pending there; g as x takes it."""
    data = x._data
    if type(g) in DEFERRED:
        pass
    elif type(g) is not type(data) or (
        type(g) is not float and (g.dtype is not data.dtype or g.shape != data.shape)
    ):
        g = _fit(g, x, node)
    if x not in pending:
        pending[x] = g
        return g
    held = pending[x]
    if type(held) is float is type(g):
        pending[x] = held + g
    elif type(held) is Sum:
        held.add(g)
    else:
        pending[x] = both = Sum(held)
        both.add(g)
    return g


def _above(wanted: set[Tensor], order: list[Tensor]) -> set[Tensor]:
    """The nodes of `order` that were computed from something `wanted`, and those."""
    above = set(wanted)
    for node in order:
        for x in node._args:
            if isinstance(x, Tensor) and x in above:
                above.add(node)
                break
    return above


def _check_sealed(node: Tensor) -> None:
    """See that what others held when `node` was computed from it is what it was."""
    for i, then in node._seal.items():
        if seal(value_of(node._args[i])) != then:
            raise _changed(node, i)


def check_arguments(node: Tensor) -> None:
    """See that no argument of `node` has changed since that was computed from them."""
    if node._seal is not None:
        _check_sealed(node)
    for i, x in enumerate(node._args):
        if isinstance(x, Tensor) and (x._exposed or x._since > node._order):
            _check_tensor(node, i)


def _check_tensor(node: Tensor, i: int) -> None:
    """See that argument i of `node`, which has come to be set or held since, likewise."""
    x = node._args[i]
    if node._seal is not None and i in node._seal:
        return
    if x._since > node._order or (x._exposed and seal(x._data) != x._seal):
        raise _changed(node, i)


def _changed(node: Tensor, i: int) -> ValueError:
    x = node._args[i]
    title = x._title() if isinstance(x, Tensor) else f"an array {x.shape}"
    replays = node._primitive is not None and node._primitive.replays
    whose = "of a call that is replayed" if replays else f"{i} of {node._title()}"
    return ValueError(
        f"backward: {title}, argument {whose}, was changed after that was "
        "computed, so the gradient would be wrong. Change a copy, or change it after "
        "backward"
    )


def _fit(g: Any, x: Tensor, node: Tensor) -> Any:
    """The adjoint of broadcasting and of promotion: g in the shape and dtype of x."""
    if isinstance(g, Deferred):
        return g
    if g is None:
        raise TypeError(
            f"{node.op}: its VJP returned None for an argument of shape {x.shape}; does "
            "it end in `return`? Where there is no gradient, declare None in its place"
        )
    if np.shape(g) != x.shape:
        aligned = zip(reversed(np.shape(g)), reversed(x.shape), strict=False)
        if np.ndim(g) > max(node.ndim, x.ndim) or any(
            n != size != 1 and n != 1 for n, size in aligned
        ):
            raise ValueError(
                f"{node.op}: its VJP returned shape {np.shape(g)} for an argument of "
                f"shape {x.shape} and a result of shape {node.shape}; expected the "
                "argument's"
            )
        g = unbroadcast(g, x.shape)
    if type(x._data) in FLOATS:
        return g if isinstance(g, Tensor) else as_float(g)
    if np.result_type(g) == x._data.dtype:
        return g
    check_real(f"{node.op}: the gradient from its VJP", g, x._data.dtype)
    return cast(g, x._data.dtype)


def _cast(x: Any, dtype: Any) -> Any:
    return array_of(x).astype(dtype)


cast = Primitive(_cast, name="astype").defvjp(lambda g, ans, x, dtype: g)
"""x in another dtype; its gradient returns to x's own dtype on the edge."""


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """The adjoint of np.broadcast_to: sum g over the axes that broadcasting added.

    Where g is itself still to be broadcast to `shape` (a rule may return one number for
    a whole array), it is.
    """
    sizes = np.shape(g)
    lead = len(sizes) - len(shape)
    if lead >= 0:
        within = [i + lead for i, n in enumerate(shape) if n == 1 != sizes[i + lead]]
        axes = (*range(lead), *within)
        if all(sizes[axis] == 1 for axis in axes):
            sizes = tuple(n for i, n in enumerate(sizes) if i >= lead)
            g = g.reshape(sizes) if type(g) in ARRAYS else np.reshape(g, sizes)
        elif type(g) in ARRAYS:
            g = np.add.reduce(g, axis=axes, keepdims=True)
            g = g.reshape(g.shape[lead:])
        else:
            g = np.sum(g, axis=axes, keepdims=True)
            g = np.reshape(g, np.shape(g)[lead:])
    return g if np.shape(g) == shape else np.broadcast_to(g, shape)


def seed(root: Tensor, gradient: Any) -> Any:
    """Check the gradient given for `root`, or make it where it can only be 1."""
    if not root._tracked:
        raise ValueError(
            f"backward: {root._title()} does not require a gradient. Make a Tensor that "
            "it is computed from with requires_grad=True, outside of no_grad()"
        )
    if gradient is None:
        if root.size != 1:
            raise ValueError(
                f"backward: the root has shape {root.shape}, but only a root of one "
                "element has a gradient of its own. Reduce it (np.sum, np.mean), or "
                f"pass gradient= of shape {root.shape}"
            )
        if type(root._data) in FLOATS:
            return 1.0
        return np.ones(root.shape, root.dtype)
    data = root._data
    if type(gradient) is np.ndarray is type(data) and (
        gradient.shape == data.shape and gradient.dtype is data.dtype
    ):
        return gradient
    shape = np.shape(value_of(gradient))
    if shape != root.shape:
        raise ValueError(
            f"backward: the gradient has shape {shape}, the root {root.shape}; they must "
            "be equal"
        )
    check_plain("backward: the gradient", gradient)
    if type(data) in FLOATS and not isinstance(gradient, Tensor):
        return as_float(gradient)
    if not isinstance(gradient, (Tensor, Traced)):
        return converted("backward: the gradient", gradient, root.dtype)
    return gradient if gradient.dtype == root.dtype else cast(gradient, root.dtype)


def backward(root: Tensor, gradient: Any = None) -> None:
    """Add ∂root/∂leaf to the `.grad` of every leaf below; see `Tensor.backward`."""
    start = value_of(seed(root, gradient))
    tape = state.get().tape
    if tape is not None:
        for node, g, _ in sweep(root, start):
            tape.leave(node, g)
        return
    for node, g, own in sweep(root, start, deferred=True):
        if type(node._data) is float:
            node._grad = (node._grad or 0.0) + float(g)
        elif node._grad is not None:
            node._grad = node.grad + (g.full() if isinstance(g, Deferred) else g)
        elif isinstance(g, Deferred):
            g.keep()
            node._grad = g
        else:
            node._grad = g if own else np.array(g)


DISPATCH["backward"] = backward
