"""A scene that is laid out as SVG: what Graphviz makes of the DOT text, without it.

Colours are attributes, which any style sheet of a page that shows the picture overrides;
the classes and `data-` attributes say what is what.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from viz.columns import GAP
from viz.curves import Curve, curves, shaft
from viz.dot import (
    BACK,
    FONT,
    HEAT,
    INK,
    LEGEND,
    PAPER,
    RED_INK,
    RULE,
    heat,
    largest_of,
    strength,
)
from viz.layout import FONT_SIZE, LEADING, frames
from viz.scene import Box, Line, Scene
from viz.words import shown

__all__ = ["svg"]

MARGIN = 11.0
LEGEND_LINES = LEGEND.split("\\l")[:-1]
LEGEND_WIDTH = 5.2 * max(map(len, LEGEND_LINES))
BARB = 1.9
"""Half the width of an arrow's head, in points."""
FRAME = {
    "field": (BACK, 2.0, ""),
    "parameter": ("#8d99ae", 0.8, ""),
    "constant": ("#8d99ae", 0.8, ""),
    "fold": (INK, 0.8, "1 3"),
    "cut": (INK, 0.8, "4 3"),
}
"""The colour, the width and the dashes of the frame of a box, by its kind."""
FLAT = {"constant": "#e9edf4", "cut": "#e9edf4", "fold": "none"}
"""How boxes are filled whose colour does not tell their gradient."""


def svg(scene: Scene, legend: bool = True) -> str:
    """The picture as text, with the legend below it or not."""
    left, bottom, right, top = _extent(scene)
    if legend:
        bottom -= GAP + LEADING * len(LEGEND_LINES)
        right = max(right, left + LEGEND_WIDTH)
    width, height = right - left + 2 * MARGIN, top - bottom + 2 * MARGIN
    box = f"{left - MARGIN:.1f} {-top - MARGIN:.1f} {width:.1f} {height:.1f}"
    pieces = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="unrolled" viewBox="{box}" '
        f'width="{width:.1f}pt" height="{height:.1f}pt" font-family="{FONT}" '
        f'font-size="{FONT_SIZE:g}" fill="{INK}" role="group" '
        'aria-label="The unrolled graph">',
        f'<rect class="paper" x="{left - MARGIN:.1f}" y="{-top - MARGIN:.1f}" '
        f'width="{width:.1f}" height="{height:.1f}" fill="#ffffff"/>',
        *_body(scene),
    ]
    if legend:
        for i, line in enumerate(reversed(LEGEND_LINES)):
            y = -bottom - i * LEADING
            words = escape(line.replace("  ", "\u2002\u2002"))
            pieces.append(f'<text x="{left:.1f}" y="{y:.1f}">{words}</text>')
    return "\n".join([*pieces, "</svg>\n"])


def _extent(scene: Scene) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of all that is drawn; y grows upwards."""
    spans = [bounds for _, *bounds in frames(scene)]
    for box in scene.boxes.values():
        w, h = box.width / 2, box.height / 2
        spans.append([box.x - w, box.y - h, box.x + w, box.y + h])
    spans += [[x, y, x, y] for line in scene.lines for x, y in line.way]
    x0, y0, x1, y1 = zip(*spans, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def _body(scene: Scene) -> Iterator[str]:
    """Frames, lines and boxes; what stands in a column carries its number."""
    number = {name: i for i, name in enumerate(scene.columns)}
    largest, boxes = largest_of(scene), scene.boxes
    for name, x0, y0, x1, y1 in frames(scene):
        title = escape(shown(name.replace("=", " = ")))
        yield (
            f'<g class="step" data-column="{number[name]}"><rect class="frame" '
            f'x="{x0:.1f}" y="{-y1:.1f}" width="{x1 - x0:.1f}" height="{y1 - y0:.1f}" '
            f'rx="6" fill="{PAPER}" stroke="{RULE}"/><text x="{(x0 + x1) / 2:.1f}" '
            f'y="{-y1 + 16:.1f}" font-size="13" text-anchor="middle">{title}</text></g>'
        )
    for line in scene.lines:
        ends = [number[boxes[key].column] for key in (line.tail, line.head)]
        yield from _line(line, f'data-low="{min(ends)}" data-high="{max(ends)}"', largest)
    for box in boxes.values():
        yield _box(box, number[box.column], largest)


def _line(line: Line, columns: str, largest: float) -> Iterator[str]:
    between = f'data-tail="{line.tail}" data-head="{line.head}"'
    forward, back = curves(line.way)
    yield f'<g class="value" {between} {columns}>{_arrow(forward, INK, 0.9)}</g>'
    if line.size:
        width = 0.7 + 2.0 * strength(line.size, largest)
        red = _arrow(back, BACK, width, ' stroke-dasharray="5 3"')
        yield f'<g class="gradient" {between} {columns}>{red}</g>'


def _arrow(curve: Curve, colour: str, width: float, dashes: str = "") -> str:
    """A line, and the triangle at its end."""
    body = shaft(curve)
    (x0, y0), (x, y) = body[-1], curve[-1]
    length = ((x - x0) ** 2 + (y - y0) ** 2) ** 0.5 or 1.0
    dx, dy = BARB * (x - x0) / length, BARB * (y - y0) / length
    corners = [(x, y), (x0 - dy, y0 + dx), (x0 + dy, y0 - dx)]
    return (
        f'<path class="shaft" d="M{_points(body[:1])}C{_points(body[1:])}" fill="none" '
        f'stroke="{colour}" stroke-width="{width:.2f}"{dashes}/>'
        f'<path class="tip" d="M{_points(corners)}Z" fill="{colour}"/>'
    )


def _points(points: Curve) -> str:
    return " ".join(f"{x:.1f} {-y:.1f}" for x, y in points)


def _box(box: Box, column: int, largest: float) -> str:
    colour, width, dashes = FRAME.get(box.kind, (INK, 0.8, ""))
    level = heat(box.size, largest)
    shade = "" if box.kind in FLAT else f" heat-{level}"
    corners = "" if box.is_leaf else ' rx="5"'
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    name = f'<tspan font-weight="bold">{escape(box.name)}</tspan>' if box.name else ""
    lines = [name + escape(box.words), escape(box.value)]
    red = f'<tspan class="delta" fill="{RED_INK}">{escape(box.gradient)}</tspan>'
    lines = [line for line in (*lines, red if box.gradient else "") if line]
    first = -box.y - (len(lines) - 1) / 2 * LEADING + 0.35 * FONT_SIZE
    texts = "".join(
        f'<text x="{box.x:.1f}" y="{first + i * LEADING:.1f}">{line}</text>'
        for i, line in enumerate(lines)
    )
    label = quoteattr(", ".join(box.texts))
    return (
        f'<g class="box {box.kind}{shade}" data-key="{box.key}" data-column="{column}" '
        f'aria-label={label} text-anchor="middle"><rect '
        f'x="{box.x - box.width / 2:.1f}" y="{-box.y - box.height / 2:.1f}" '
        f'width="{box.width:.1f}" height="{box.height:.1f}"{corners} '
        f'fill="{FLAT.get(box.kind, HEAT[level])}" stroke="{colour}" '
        f'stroke-width="{width:g}"{dashed}/>{texts}</g>'
    )
