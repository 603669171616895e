"""A picture as plain data, for other programs: JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from autograd import Graph, Node
from viz.layout import frames
from viz.scene import AFTER, BEFORE, Box, Scene

__all__ = ["VERSION", "plain", "source_of", "to_json"]

VERSION = 1
MOST = 1000
"""Arrays of more elements are not written out."""


def plain(graph: Graph, scene: Scene) -> dict[str, Any]:
    """What a picture shows, as dicts, lists, strings and numbers.

    Returns:
        "format": "unrolled.graph"; "version": 1, which changes where a field does.

        "steps": from left to right, of each its "name", such as "t=3", and "left",
        "bottom", "right", "top".

        "nodes": the boxes, in the order of recording. Of each "key"; "kind":
        "operation", "field" (a local field, whose gradient is a δ), "parameter",
        "constant", "cut" (a state cut off from its past) or "fold" (steps that are not
        drawn); "name", "" for none, and "words", how it came about; "step", its column,
        null outside of all; "scope", the whole path of its scopes; "op", "leaf" for a
        use of a leaf; "index" in the recorded graph, the same for all uses of a leaf;
        "shape" and "dtype"; "value" and "gradient"; "norm" of the gradient; "x", "y",
        "width", "height". Of a fold "scope", "op", "index", "shape" and "dtype" are null.

        "edges": of each "tail" and "head", keys of nodes, and the "norm" of the gradient
        that goes back along it; "way", the corners [x, y].

        Values and gradients are null where there are none, or where they were left out;
        else nested lists, or {"norm": …} of an array of more than 1000 elements. Numbers
        that are not finite are "NaN", "Infinity" and "-Infinity". Places are in points;
        y grows upwards.
    """
    return {
        "format": "unrolled.graph",
        "version": VERSION,
        "steps": [
            {"name": name, "left": x0, "bottom": y0, "right": x1, "top": y1}
            for name, x0, y0, x1, y1 in frames(scene)
        ],
        "nodes": [_node(graph, box) for box in scene.boxes.values()],
        "edges": [
            {"tail": e.tail, "head": e.head, "norm": _finite(e.size), "way": e.way}
            for e in scene.lines
        ],
    }


def to_json(graph: Graph, scene: Scene) -> str:
    """`plain` as text."""
    return json.dumps(plain(graph, scene), allow_nan=False) + "\n"


def source_of(graph: Graph, box: Box) -> tuple[Node | None, Any]:
    """The recorded node that a box shows, and the gradient that came back to it there."""
    if box.kind == "fold":
        return None, None
    index, _, place = box.key.removeprefix("n").partition("_")
    node = graph.nodes[int(index)]
    if not place:
        return node, node.grad
    return graph.nodes[node.parents[int(place)]], node.contributions[int(place)]


def _node(graph: Graph, box: Box) -> dict[str, Any]:
    node, gradient = source_of(graph, box)
    outside = box.column in (BEFORE, AFTER)
    scope = "/".join(filter(None, ("" if outside else box.column, box.inner)))
    return {
        "key": box.key,
        "kind": box.kind,
        "name": box.name,
        "words": box.words,
        "step": None if outside else box.column,
        "scope": scope if node else None,
        "op": node and node.op,
        "index": node and node.index,
        "shape": node and list(node.shape),
        "dtype": node and node.dtype.name,
        "value": _numbers(node.value) if node and box.value else None,
        "gradient": _numbers(gradient) if node and box.gradient else None,
        "norm": _finite(box.size),
        "x": box.x,
        "y": box.y,
        "width": box.width,
        "height": box.height,
    }


def _numbers(value: Any) -> Any:
    array = np.asarray(value)
    if array.size > MOST:
        return {"norm": _finite(float(np.linalg.norm(array)))}
    return _nested(array.tolist())


def _nested(value: Any) -> Any:
    return [_nested(x) for x in value] if isinstance(value, list) else _finite(value)


def _finite(x: float) -> float | str:
    """JSON has no words for NaN and the infinities."""
    if np.isfinite(x):
        return x
    return "NaN" if np.isnan(x) else "Infinity" if x > 0 else "-Infinity"
