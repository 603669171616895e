"""What differentiable code is tested on, drawn by hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

__all__ = [
    "RandomGraph", "arrays", "axes", "broadcastable", "graphs", "numbers", "shapes"
]  # fmt: skip

Shape = tuple[int, ...]
Strategy = st.SearchStrategy[Any]


def numbers(low: float = -3, high: float = 3, *, without: float = 0.0) -> Strategy:
    """Floats: the thousandths from `low` to `high`, at least `without` from zero.

    They shrink to simple ones, and none is so near to another that a difference of two
    loses its digits.
    """
    grid = st.integers(round(low * 1000), round(high * 1000)).map(lambda n: n / 1000)
    return grid.filter(lambda x: abs(x) >= without) if without else grid


def shapes(
    *, min_dims: int = 0, max_dims: int = 3, min_side: int = 1, max_side: int = 4
) -> Strategy:
    """Shapes of arrays; `min_side=0` draws empty ones too."""
    return hnp.array_shapes(
        min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side
    )


def arrays(
    shape: Shape | Strategy | None = None,
    elements: Strategy | None = None,
    *,
    dtype: Any = np.float64,
    unique: bool = False,
) -> Strategy:
    """Arrays of numbers: of `shapes()` and `numbers()` unless told otherwise."""
    return hnp.arrays(
        dtype,
        shapes() if shape is None else shape,
        elements=(numbers() if elements is None else elements).map(np.dtype(dtype).type),
        unique=unique,
    )


@st.composite
def broadcastable(
    draw: Any,
    *elements: Strategy,
    signature: str | None = None,
    max_dims: int = 3,
    max_side: int = 3,
) -> list[Any]:
    """Arrays whose shapes broadcast together, one for each of `elements` (two if none).

    With the signature of a generalised ufunc, such as "(m,n),(n)->(m)", their last axes
    are as it says, and those before broadcast.
    """
    if signature is None:
        count = len(elements) or 2
        drawn = hnp.mutually_broadcastable_shapes(
            num_shapes=count, max_dims=max_dims, max_side=max_side
        )
    else:
        drawn = hnp.mutually_broadcastable_shapes(
            signature=signature, max_dims=max_dims, max_side=max_side
        )
    found = draw(drawn).input_shapes
    each = elements or (numbers(),) * len(found)
    return [draw(arrays(s, e)) for s, e in zip(found, each, strict=True)]


@st.composite
def axes(draw: Any, ndim: int, *, several: bool = True, none: bool = True) -> Any:
    """What an `axis` argument takes for an array of `ndim` axes, at least one.

    An int, negative or not; a tuple of some where `several`; None where `none`.
    """
    if none and draw(st.booleans()):
        return None
    chosen = draw(hnp.valid_tuple_axes(ndim, min_size=1, max_size=None if several else 1))
    return chosen if several and (len(chosen) > 1 or draw(st.booleans())) else chosen[0]


UNARY: dict[str, Callable[[Any], Any]] = {
    "np.tanh({})": np.tanh,
    "np.sin({})": np.sin,
    "np.square({}) / 4": lambda x: np.square(x) / 4,
    "np.exp({} / 4)": lambda x: np.exp(x / 4),
    "np.sum({}, axis=0)": lambda x: np.sum(x, axis=0),
    "np.mean({}, axis=-1, keepdims=True)": lambda x: np.mean(x, axis=-1, keepdims=True),
    "np.transpose({})": np.transpose,
    "{}[::-1]": lambda x: x[::-1],
    "{}[0]": lambda x: x[0],
    "{}[[0, 0]]": lambda x: x[[0, 0]],
    "np.reshape({}, -1)": lambda x: np.reshape(x, -1),
    "np.cumsum({}, axis=-1) / 2": lambda x: np.cumsum(x, axis=-1) / 2,
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "{} + {}": lambda x, y: x + y,
    "{} - {}": lambda x, y: x - y,
    "np.sin({} * {})": lambda x, y: np.sin(x * y),
    "{} / (2 + np.square({}))": lambda x, y: x / (2 + np.square(y)),
    "np.sin({} @ {})": lambda x, y: np.sin(x @ y),
    "np.inner({}, {}) / 4": lambda x, y: np.inner(x, y) / 4,
    "np.concatenate([{}, {}])": lambda x, y: np.concatenate([x, y]),
    "np.stack([{}, {}])": lambda x, y: np.stack([x, y]),
}

OPERATIONS: dict[str, Callable[..., Any]] = {**UNARY, **BINARY}


@dataclass(frozen=True)
class RandomGraph:
    """A random function of arrays to a scalar, smooth everywhere and analytic.

    Calling it runs its program, on arrays or on Tensors; str() is that program. Values
    are used again and again, so that the graph is one and no tree, and every one of them
    counts in the result.

    Attributes:
        inputs: arrays to call it with.
        steps: (operation, numbers of the values it takes), one for each line.
    """

    inputs: tuple[Any, ...]
    steps: tuple[tuple[str, tuple[int, ...]], ...]

    def values(self, *inputs: Any) -> list[Any]:
        """All values of a run: the inputs, then the result of each step."""
        found = list(inputs)
        for text, operands in self.steps:
            found.append(OPERATIONS[text](*(found[i] for i in operands)))
        return found

    def __call__(self, *inputs: Any) -> Any:
        values = self.values(*inputs)
        return sum(np.sum(v) * (1 + k) for k, v in enumerate(values)) / len(values)

    def __str__(self) -> str:
        first = len(self.inputs)
        lines = [
            f"v{first + k} = {text.format(*(f'v{i}' for i in operands))}"
            for k, (text, operands) in enumerate(self.steps)
        ]
        given = ", ".join(f"v{i} {np.shape(x)}" for i, x in enumerate(self.inputs))
        return "\n".join([f"given {given}", *lines])

    __repr__ = __str__


@st.composite
def graphs(draw: Any, *, max_inputs: int = 3, max_steps: int = 12) -> RandomGraph:
    """A `RandomGraph`: up to `max_steps` operations on up to `max_inputs` arrays."""
    inputs = tuple(
        draw(arrays(shapes(max_dims=2, max_side=3)))
        for _ in range(draw(st.integers(1, max_inputs)))
    )
    steps: list[tuple[str, tuple[int, ...]]] = []
    for _ in range(draw(st.integers(1, max_steps))):
        text = draw(st.sampled_from(tuple(OPERATIONS)))
        count = len(inputs) + len(steps)
        arity = 1 if text in UNARY else 2
        operands = tuple(draw(st.integers(0, count - 1)) for _ in range(arity))
        longer = RandomGraph(inputs, (*steps, (text, operands)))
        if _runs(longer):
            steps.append((text, operands))
    return RandomGraph(inputs, tuple(steps))


def _runs(graph: RandomGraph) -> bool:
    """Whether the shapes of the operands suit the operations, and stay small."""
    try:
        return np.size(graph.values(*graph.inputs)[-1]) <= 64
    except (ValueError, IndexError, TypeError):
        return False
