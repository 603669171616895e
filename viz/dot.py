"""The unrolled graph as DOT text, with positions: Graphviz draws it as it stands.

One cluster for each step. Every edge is a pair of lines: the value going forward, dark,
and the gradient coming back, red and dashed, the wider the larger. Boxes are filled the
darker the larger their gradient; those with a red frame are the local fields v, whose
gradient is the lecture's δ.
"""

from __future__ import annotations

import graphviz
import numpy as np

from autograd import Graph, Tensor
from autograd import graph as snapshot
from viz.layout import FONT_SIZE, Curve, corner, curves, frames, place
from viz.scene import AFTER, BEFORE, Box, Line, Scene, scene

__all__ = ["graph"]

INK, BACK, PAPER, RULE = "#33415c", "#c1121f", "#f7f8fb", "#c9d0de"
RED_INK = "#8f0a17"
HEAT = ("#ffffff", "#fff7e3", "#ffedc7", "#ffe0aa", "#fed090", "#fcbd78", "#f8a868")
FONT = "Helvetica,Arial,sans-serif"
DECADES = 3.0
"""The range of gradients, in powers of ten below the largest, that colours tell apart."""
ARROW = 5.0
"""Length of an arrow's head, in points."""
LEGEND = (
    "dark: a value, going forward     red, dashed: its gradient ∂E/∂·, coming back, "
    "the wider the larger\\l"
    "red frame: a local field v; its gradient is the lecture's δ     "
    "‖ ‖: Euclidean norm, then the shape\\l"
    "∂ in a weight's box: what this step adds to ∂E/∂W, the sum over all steps\\l"
)
STYLE = {
    "operation": {"style": "rounded,filled"},
    "field": {"style": "rounded,filled", "color": BACK, "penwidth": "2"},
    "parameter": {"style": "filled", "color": "#8d99ae"},
    "constant": {"style": "filled", "color": "#8d99ae", "fillcolor": "#e9edf4"},
}


def graph(tensor: Tensor | Graph, *, values: bool = True) -> graphviz.Digraph:
    """The graph below a Tensor as DOT with positions.

    Args:
        tensor: the root, usually the loss; or a snapshot of it.
        values: write values and gradients into the nodes. The gradients are ∂root/∂·;
            those of nodes named v or v_…, local fields, are the lecture's δ.
    """
    recorded = tensor
    if not isinstance(recorded, Graph):
        recorded = snapshot(recorded, contributions=True)
    shown = scene(recorded, values)
    place(shown)
    dot = graphviz.Digraph("unrolled")
    dot.attr(layout="nop2")  # as placed here, whatever engine the file is given to
    dot.attr(bgcolor="white", fontname=FONT, fontsize="13", fontcolor=INK, pad="0.15")
    dot.attr("node", shape="box", fixedsize="true", fontname=FONT, fontcolor=INK)
    dot.attr("node", fontsize=f"{FONT_SIZE:g}", color=INK, penwidth="0.8")
    dot.attr("edge", color=INK, arrowsize="0.6", penwidth="0.9")
    sizes = [box.size for box in shown.boxes.values()]
    largest = max((size for size in sizes if np.isfinite(size)), default=0.0)
    columns = shown.columns
    for name, *bounds in frames(shown):
        with dot.subgraph(name=f"cluster_{name}") as inner:
            _frame(inner, name, *bounds)
            for box in columns[name]:
                _node(inner, box, largest)
    for side in (BEFORE, AFTER):
        for box in columns.get(side, ()):
            _node(dot, box, largest)
    for line in shown.lines:
        _edges(dot, shown, line, largest)
    left, bottom = corner(shown)
    dot.node(
        "legend",
        LEGEND,
        shape="plaintext",
        fixedsize="false",
        pos=f"{left:.1f},{bottom:.1f}",
    )
    return dot


def _frame(
    cluster: graphviz.Digraph, name: str, x0: float, y0: float, x1: float, y1: float
) -> None:
    cluster.attr(
        label=graphviz.escape(name.replace("=", " = ")),
        style="rounded,filled",
        color=RULE,
    )
    cluster.attr(fillcolor=PAPER, bb=f"{x0:.1f},{y0:.1f},{x1:.1f},{y1:.1f}")
    cluster.attr(lp=f"{(x0 + x1) / 2:.1f},{y1 - 12:.1f}", lwidth="1", lheight="0.2")


def _node(dot: graphviz.Digraph, box: Box, largest: float) -> None:
    title, *rest = box.lines
    coloured = [
        *rest[:1],
        *(f'<FONT COLOR="{RED_INK}">{text}</FONT>' for text in rest[1:]),
    ]
    dot.node(
        box.key,
        label=f"<{'<BR/>'.join([title, *coloured])}>",
        pos=f"{box.x:.1f},{box.y:.1f}",
        width=f"{box.width / 72:.3f}",
        height=f"{box.height / 72:.3f}",
        **{"fillcolor": _heat(box.size, largest)} | STYLE[box.kind],
    )


def _edges(dot: graphviz.Digraph, shown: Scene, line: Line, largest: float) -> None:
    forward, back = curves(shown, line)
    dot.edge(line.tail, line.head, pos=_spline(forward))
    if line.size:
        width = 0.7 + 2.0 * _strength(line.size, largest)
        red = {"color": BACK, "style": "dashed", "penwidth": f"{width:.2f}"}
        dot.edge(line.head, line.tail, pos=_spline(back), **red)


def _spline(curve: Curve) -> str:
    """A cubic as Graphviz writes it: the arrow's tip, then the four control points.

    The curve ends where the arrow's head begins.
    """
    (cx, cy), (x, y) = curve[2], curve[3]
    length = ((x - cx) ** 2 + (y - cy) ** 2) ** 0.5 or 1.0
    base = (x - (x - cx) / length * ARROW, y - (y - cy) / length * ARROW)
    points = " ".join(f"{px:.1f},{py:.1f}" for px, py in (*curve[:3], base))
    return f"e,{x:.1f},{y:.1f} {points}"


def _strength(size: float, largest: float) -> float:
    """0 to 1: how large a gradient is beside the largest, on a logarithmic scale."""
    if not np.isfinite(size):
        return 1.0
    return float(np.clip(1 + np.log10(size / largest) / DECADES, 0, 1))


def _heat(size: float, largest: float) -> str:
    if not size:
        return HEAT[0]
    return HEAT[round(_strength(size, largest) * (len(HEAT) - 1))]
