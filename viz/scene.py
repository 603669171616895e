"""What a picture shows, before any of it has a place: boxes in columns, and lines.

A pure function of a recorded graph, in plain words and numbers. One column for each
outermost scope, which for an unrolled network is a time step. Leaves are shown again at
each use, so that a weight stands in every step that it works in, with the share of the
gradient that comes back to it there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd import Graph, Node
from viz.words import is_cut, quantity, shown, title

__all__ = ["AFTER", "BEFORE", "Box", "Line", "Point", "Scene", "scene"]

BEFORE, AFTER = "\0before", "\0after"
"""Columns of what was recorded outside of all scopes; no scope is called so."""


@dataclass
class Box:
    """An operation, or one use of a leaf.

    Attributes:
        key: unique; follows the order of recording.
        column: the outermost scope; outside of all, BEFORE what a step was computed
            from, and AFTER the rest.
        inner: the path of the scopes below the outermost.
        kind: "operation", "field" (a local field v, whose gradient is a δ), "parameter",
            "constant", "cut" (a state cut off from its past) or "fold" (steps that are
            not drawn).
        name: what it is called, or "".
        words: how it came about: the formula, or where a state was cut.
        value, gradient: as they are written; "" for none.
        size: the Euclidean norm of the gradient; 0 where none comes.
        rank: its row, counted from the bottom.
        x, y, width, height: its centre and extent in points, once laid out.
    """

    key: str
    column: str
    inner: str
    kind: str
    name: str
    words: str
    value: str
    gradient: str
    size: float
    rank: int = 0
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0

    @property
    def is_leaf(self) -> bool:
        """Whether it is one use of a leaf, below what uses it."""
        return self.kind in ("parameter", "constant", "cut")

    @property
    def texts(self) -> list[str]:
        """What is written in it, line by line."""
        lines = (self.name + self.words, self.value, self.gradient)
        return [line for line in lines if line]


Point = tuple[float, float]


@dataclass
class Line:
    """A value on its way from one box to another, and the gradient on its way back.

    Attributes:
        tail, head: keys of boxes.
        size: the Euclidean norm of the gradient sent back; 0 where there is none.
        lane: within a column, the box whose lanes it takes through the rows that it
            passes: its tail, or its head where many come to that from afar.
        way: the corners of its way, once laid out.
    """

    tail: str
    head: str
    size: float
    lane: str = ""
    way: list[Point] = field(default_factory=list)


@dataclass
class Scene:
    """Boxes by key in the order of recording, the lines between them, the columns."""

    boxes: dict[str, Box] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)

    @property
    def columns(self) -> dict[str, list[Box]]:
        """The boxes of each column, from left to right."""
        columns: dict[str, list[Box]] = {BEFORE: []}
        for box in self.boxes.values():
            columns.setdefault(box.column, []).append(box)
        after = columns.pop(AFTER, [])
        return {k: v for k, v in (columns | {AFTER: after}).items() if v}


def scene(graph: Graph, values: bool = True) -> Scene:
    """The boxes and lines of a graph, with values and gradients written in or not."""
    made = Scene()
    columns = _columns(graph)
    for node in graph:
        if node.op != "leaf" or len(graph) == 1:
            _add(made, graph, node, columns[node.index], values)
    return made


def _columns(graph: Graph) -> list[str]:
    """The column of each node: its outermost scope, or before or after all of them."""
    feeds = [bool(node.scope) for node in graph]
    for node in reversed(graph.nodes):
        for parent in node.parents:
            feeds[parent] = feeds[parent] or feeds[node.index]
    scopes = [node.scope.split("/")[0] for node in graph]
    outside = [BEFORE if fed else AFTER for fed in feeds]
    return [scope or side for scope, side in zip(scopes, outside, strict=True)]


def _add(made: Scene, graph: Graph, node: Node, column: str, values: bool) -> None:
    """The box of an operation, and one for each leaf that it uses."""
    key, inner = f"n{node.index}", node.scope.partition("/")[2]
    for place, (p, sent) in enumerate(zip(node.parents, node.contributions, strict=True)):
        tail, source = f"n{p}", graph.nodes[p]
        if source.op == "leaf":
            tail = f"n{node.index}_{place}"
            kind = "parameter" if source.requires_grad else "constant"
            kind = "cut" if is_cut(source) else kind
            made.boxes[tail] = Box(
                tail, column, inner, kind, *_texts(graph, source, sent, values)
            )
        made.lines.append(Line(tail, key, _norm(sent)))
    kind = "field" if _is_field(node) else "operation"
    made.boxes[key] = Box(
        key, column, inner, kind, *_texts(graph, node, node.grad, values)
    )


def _texts(
    graph: Graph, node: Node, gradient: Any, values: bool
) -> tuple[str, str, str, str, float]:
    """Name, words, value, gradient, and the gradient's size."""
    value = sent = ""
    if values:
        value = quantity(node.value)
        if gradient is not None:
            symbol = shown(f"δ{(node.name or '')[1:]}") if _is_field(node) else "∂"
            sent = f"{symbol} {quantity(gradient)}"
    return *title(node, graph), value, sent, _norm(gradient)


def _is_field(node: Node) -> bool:
    """By convention a node named v or v_… is a local field; its gradient is the δ."""
    return node.name == "v" or (node.name or "").startswith("v_")


def _norm(array: Any) -> float:
    return 0.0 if array is None else float(np.linalg.norm(array))
