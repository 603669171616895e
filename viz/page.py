"""A picture as one page of its own, to be explored: HTML that loads nothing."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import numpy as np

from autograd import Graph
from viz.plain import source_of
from viz.scene import AFTER, BEFORE, Box, Scene
from viz.svg import svg
from viz.words import number

__all__ = ["page"]

PRINTED: dict[str, Any] = {
    "precision": 4, "threshold": 60, "edgeitems": 3, "linewidth": 44, "suppress": False,
    "sign": " ", "floatmode": "maxprec", "nanstr": "nan", "infstr": "inf",
    "formatter": None, "legacy": False,
}  # fmt: skip
"""How arrays are written out: in short, whatever the user has set for NumPy."""
KINDS = {
    "operation": "an operation",
    "field": "a local field: its gradient is the lecture's δ",
    "parameter": "one use of a parameter: its gradient is what this use adds",
    "constant": "a constant",
    "cut": "a state cut off from its past: no gradient passes",
    "fold": "steps that are not drawn",
}


def page(graph: Graph, scene: Scene) -> str:
    """The page: the picture, the steps of time, and of each box its numbers.

    It is one file with nothing outside of it. Text and numbers stand in the picture,
    which is there without scripts too, and as JSON, which the page writes out as text:
    nothing that a name has in it is ever taken for markup.
    """
    names = {BEFORE: "before the steps", AFTER: "after the steps"}
    n = len(scene.columns)
    data = {
        "columns": [names.get(name, name.replace("=", " = ")) for name in scene.columns],
        "sent": [2 * n - 1 - column for column in range(n)],
        "boxes": {box.key: _told(graph, box) for box in scene.boxes.values()},
    }
    # Within <script>, "<" could begin what ends it.
    text = json.dumps(data).replace("<", "\\u003c")
    empty = files("viz").joinpath("page.html").read_text("utf-8")
    before, _, rest = empty.partition("<!-- picture -->\n")
    between, _, after = rest.partition("/* data */")
    return f"{before}{svg(scene, legend=False)}{between}{text}{after}"


def _told(graph: Graph, box: Box) -> dict[str, Any]:
    """What the page tells of a box, by the words that stand before it."""
    node, gradient = source_of(graph, box)
    told = {"kind": KINDS[box.kind], "title": box.name + box.words}
    if node is None:
        return told
    told |= {
        "step": "" if box.column in (BEFORE, AFTER) else box.column,
        "scope": box.inner,
        "operation": node.op,
        "array": f"{node.shape} {node.dtype.name}",
    }
    if box.value:
        told["value"] = _written(node.value)
    if box.gradient:
        told["symbol"] = box.gradient.partition(" ")[0]
        told["gradient"] = _written(gradient)
        told["norm"] = number(box.size)
    return told


def _written(value: Any) -> str:
    with np.printoptions(**PRINTED):
        return np.array_str(np.asarray(value))
