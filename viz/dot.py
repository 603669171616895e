"""The unrolled graph as DOT text, with positions: Graphviz draws it as it stands.

One cluster for each step. Every edge is a pair of lines: the value going forward, dark,
and the gradient coming back, red and dashed, the wider the larger. Boxes are filled the
darker the larger their gradient; those with a red frame are the local fields v, whose
gradient is the lecture's δ.
"""

from __future__ import annotations

import html

import graphviz
import numpy as np

from autograd import Graph, Tensor
from autograd import graph as snapshot
from viz.curves import Curve, curves, shaft
from viz.fold import fold
from viz.layout import FONT_SIZE, corner, frames, place
from viz.scene import AFTER, BEFORE, Box, Line, Scene, scene

__all__ = ["graph", "heat", "laid_out", "largest_of", "strength", "text"]

INK, BACK, PAPER, RULE = "#33415c", "#c1121f", "#f7f8fb", "#c9d0de"
RED_INK = "#8f0a17"
HEAT = ("#ffffff", "#fff7e3", "#ffedc7", "#ffe0aa", "#fed090", "#fcbd78", "#f8a868")
FONT = "Helvetica,Arial,sans-serif"
DECADES = 3.0
"""The range of gradients, in powers of ten below the largest, that colours tell apart."""
LEGEND = (
    "grey frame: one step; time runs from left to right     "
    "dark: a value, going forward     ·: a value without a name\\l"
    "red, dashed: its gradient ∂E/∂·, coming back, the wider the larger     "
    "‖ ‖: Euclidean norm, then the shape\\l"
    "red frame: a local field v; its gradient is the lecture's δ     "
    "dashed frame: cut off from its past, no gradient passes\\l"
    "∂ in a weight's box: what this step adds to ∂E/∂W, the sum over all steps\\l"
)
TABLE = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">'
STYLE = {
    "operation": {"style": "rounded,filled"},
    "field": {"style": "rounded,filled", "color": BACK, "penwidth": "2"},
    "parameter": {"style": "filled", "color": "#8d99ae"},
    "constant": {"style": "filled", "color": "#8d99ae", "fillcolor": "#e9edf4"},
    "fold": {"style": "rounded,dotted"},
    "cut": {"style": "filled,dashed", "color": INK, "fillcolor": "#e9edf4"},
}


def graph(
    tensor: Tensor | Graph, *, values: bool = True, steps: int | None = None
) -> graphviz.Digraph:
    """The graph below a Tensor as DOT with positions.

    Args:
        tensor: the root, usually the loss; or a snapshot of it.
        values: write values and gradients into the nodes. The gradients are ∂root/∂·;
            those of nodes named v or v_…, local fields, are the lecture's δ.
        steps: draw at most so many steps, the first and the last; all unless given.

    Raises:
        ValueError: for fewer than one step.
    """
    return text(laid_out(tensor, values, steps)[1])


def laid_out(
    tensor: Tensor | Graph, values: bool, steps: int | None
) -> tuple[Graph, Scene]:
    """What was recorded, and the scene of it with everything in its place."""
    recorded = tensor
    if not isinstance(recorded, Graph):
        recorded = snapshot(recorded, contributions=True)
    shown = fold(scene(recorded, values), steps)
    place(shown)
    return recorded, shown


def text(shown: Scene) -> graphviz.Digraph:
    """A scene that is laid out as DOT."""
    dot = graphviz.Digraph("unrolled")
    dot.attr(layout="nop2")  # as placed here, whatever engine the file is given to
    dot.attr(bgcolor="white", fontname=FONT, fontsize="13", fontcolor=INK, pad="0.15")
    dot.attr("node", shape="box", fixedsize="true", fontname=FONT, fontcolor=INK)
    dot.attr("node", fontsize=f"{FONT_SIZE:g}", color=INK, penwidth="0.8")
    dot.attr("edge", color=INK, arrowsize="0.6", penwidth="0.9")
    largest = largest_of(shown)
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
        _edges(dot, line, largest)
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
    dot.node(
        box.key,
        label=_label(box),
        pos=f"{box.x:.1f},{box.y:.1f}",
        width=f"{box.width / 72:.3f}",
        height=f"{box.height / 72:.3f}",
        **{"fillcolor": HEAT[heat(box.size, largest)]} | STYLE[box.kind],
    )


def _label(box: Box) -> str:
    """The box's text: its name in bold, its gradient in red, one table row a line.

    The lines of a plain label that differ in type would not stand evenly.
    """
    name, words, value, gradient = map(
        html.escape, (box.name, box.words, box.value, box.gradient)
    )
    lines = [(f"<B>{name}</B>" if name else "") + words, value]
    lines.append(f'<FONT COLOR="{RED_INK}">{gradient}</FONT>' if gradient else "")
    rows = "".join(f"<TR><TD>{line}</TD></TR>" for line in lines if line)
    return f"<{TABLE}{rows}</TABLE>>"


def _edges(dot: graphviz.Digraph, line: Line, largest: float) -> None:
    forward, back = curves(line.way)
    dot.edge(line.tail, line.head, pos=_spline(forward))
    if line.size:
        width = 0.7 + 2.0 * strength(line.size, largest)
        red = {"color": BACK, "style": "dashed", "penwidth": f"{width:.2f}"}
        dot.edge(line.head, line.tail, pos=_spline(back), **red)


def _spline(curve: Curve) -> str:
    """Cubics as Graphviz writes them: the arrow's tip, then the control points.

    The last, which is straight, ends where the arrow's head begins.
    """
    x, y = curve[-1]
    points = " ".join(f"{px:.1f},{py:.1f}" for px, py in shaft(curve))
    return f"e,{x:.1f},{y:.1f} {points}"


def largest_of(shown: Scene) -> float:
    """The largest gradient in a scene, which all others are coloured by."""
    sizes = [box.size for box in shown.boxes.values()]
    return max((size for size in sizes if np.isfinite(size)), default=0.0)


def strength(size: float, largest: float) -> float:
    """0 to 1: how large a gradient is beside the largest, on a logarithmic scale."""
    if not np.isfinite(size):
        return 1.0
    return float(np.clip(1 + np.log10(size / largest) / DECADES, 0, 1))


def heat(size: float, largest: float) -> int:
    """Which colour of HEAT a box is filled with."""
    return round(strength(size, largest) * (len(HEAT) - 1)) if size else 0
