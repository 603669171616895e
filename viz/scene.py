"""What a picture shows, before any of it has a place: boxes in columns, and lines.

A pure function of a recorded graph. One column for each outermost scope, which for an
unrolled network is a time step. Leaves are shown again at each use, so that a weight
stands in every step that it works in, with the share of the gradient that comes back to
it there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd import Graph, Node
from viz.words import quantity, title

__all__ = ["AFTER", "BEFORE", "Box", "Line", "Scene", "scene"]

BEFORE, AFTER = "\0before", "\0after"
"""Columns of what was recorded outside of all scopes; no scope is called so."""


@dataclass
class Box:
    """An operation, or one use of a leaf.

    Attributes:
        key: unique; follows the order of recording.
        column: the outermost scope; outside of all, BEFORE what a step was computed
            from, and AFTER the rest.
        kind: "operation", "field" (a local field v, whose gradient is a δ), "parameter"
            or "constant".
        lines: what is written in it: the title (HTML), the value, the gradient.
        size: the Euclidean norm of the gradient; 0 where none comes.
        rank: its row, counted from the bottom.
        x, y, width, height: its centre and extent in points, once laid out.
    """

    key: str
    column: str
    kind: str
    lines: list[str]
    size: float
    rank: int
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0


@dataclass(frozen=True)
class Line:
    """A value on its way from one box to another, and the gradient on its way back.

    Attributes:
        tail, head: keys of boxes.
        size: the Euclidean norm of the gradient sent back; 0 where there is none.
    """

    tail: str
    head: str
    size: float


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
    """The box of an operation, and a chip one row below for each leaf that it uses."""
    key = f"n{node.index}"
    within = [f"n{p}" for p in node.parents if f"n{p}" in made.boxes]
    ranks = [made.boxes[k].rank for k in within if made.boxes[k].column == column]
    rank = max(ranks, default=0) + 1
    for place, (p, sent) in enumerate(zip(node.parents, node.contributions, strict=True)):
        tail, source = f"n{p}", graph.nodes[p]
        if source.op == "leaf":
            tail = f"n{node.index}_{place}"
            kind = "parameter" if source.requires_grad else "constant"
            lines = _lines(graph, source, sent, values)
            made.boxes[tail] = Box(tail, column, kind, lines, _norm(sent), rank - 1)
        made.lines.append(Line(tail, key, _norm(sent)))
    kind = "field" if _is_field(node) else "operation"
    lines = _lines(graph, node, node.grad, values)
    made.boxes[key] = Box(key, column, kind, lines, _norm(node.grad), rank)


def _lines(graph: Graph, node: Node, gradient: Any, values: bool) -> list[str]:
    lines = [title(node, graph)]
    if values:
        lines.append(quantity(node.value))
        if gradient is not None:
            symbol = f"δ{(node.name or '')[1:]}" if _is_field(node) else "∂"
            lines.append(f"{symbol} {quantity(gradient)}")
    return lines


def _is_field(node: Node) -> bool:
    """By convention a node named v or v_… is a local field; its gradient is the δ."""
    return node.name == "v" or (node.name or "").startswith("v_")


def _norm(array: Any) -> float:
    return 0.0 if array is None else float(np.linalg.norm(array))
