"""Where everything goes: one column a step from left to right, values flowing upwards.

Within a column a box stands above all that it is computed from. Leaves stand to the left
of what uses them, which keeps the way free on which the state leaves for the next step.
Units are points; y grows upwards, as Graphviz has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from viz.scene import AFTER, BEFORE, Box, Line, Scene

__all__ = ["FONT_SIZE", "Curve", "Frame", "corner", "curves", "frames", "place"]

FONT_SIZE = 10.0
CHARACTER = 0.58 * FONT_SIZE
LEADING = 1.22 * FONT_SIZE
PADDING = 7.0
GAP, ROW, AISLE = 10.0, 24.0, 46.0
"""Space between boxes of a row, between rows, and between columns."""
HEADROOM = 26.0
"""Space at the top of a column, for its title."""
LEGEND_WIDTH = 470.0
APART = 3.0
"""Half the distance between a value's line and its gradient's."""

Frame = tuple[str, float, float, float, float]
Curve = list[tuple[float, float]]


def place(scene: Scene) -> None:
    """Give every box its size and its place."""
    for box in scene.boxes.values():
        texts = [re.sub(r"<[^>]*>|&\w+;", "", line) for line in box.lines]
        box.width = max(34.0, max(map(len, texts)) * CHARACTER + 2 * PADDING)
        box.height = len(texts) * LEADING + PADDING
    arrivals = _arrivals(scene)
    left = 0.0
    for boxes in scene.columns.values():
        _place_across(boxes, scene, arrivals)
        shift = left - min(box.x - box.width / 2 for box in boxes)
        for box in boxes:
            box.x += shift
        left = max(box.x + box.width / 2 for box in boxes) + AISLE
    _place_upwards(scene.boxes.values())


def _arrivals(scene: Scene) -> set[str]:
    """The boxes that take a value from another column."""
    boxes = scene.boxes
    return {
        line.head
        for line in scene.lines
        if boxes[line.tail].column != boxes[line.head].column
    }


def _place_across(boxes: list[Box], scene: Scene, arrivals: set[str]) -> None:
    """Row by row from the bottom: each box over the middle of what it comes from."""
    own = {box.key: box for box in boxes}
    operations = [box for box in boxes if box.kind in ("operation", "field")]
    below: dict[str, list[Box]] = {}
    for line in scene.lines:
        if line.head in own and line.tail in own:
            below.setdefault(line.head, []).append(own[line.tail])
    rows: dict[int, list[Box]] = {}
    for box in operations:
        rows.setdefault(box.rank, []).append(box)
    for rank in sorted(rows):
        row = sorted(rows[rank], key=lambda box: box.key not in arrivals)
        wish = {box.key: _middle(box, below.get(box.key, ()), row) for box in row}
        _spread(row, wish)
    for box in operations:
        chips = [b for b in below.get(box.key, ()) if b.kind in ("parameter", "constant")]
        supported = any(b.kind in ("operation", "field") for b in below.get(box.key, ()))
        _place_chips(box, chips, rows.get(box.rank - 1, []) if supported else [])
    chips = [box for box in boxes if box.kind in ("parameter", "constant")]
    for rank in {box.rank for box in chips}:
        row = [b for b in chips if b.rank == rank]
        _spread(row, {b.key: b.x for b in row})


def _middle(box: Box, below: Iterable[Box], row: list[Box]) -> float:
    xs = [b.x for b in below if b.kind in ("operation", "field")]
    return sum(xs) / len(xs) if xs else row.index(box) * (box.width + GAP)


def _place_chips(box: Box, chips: list[Box], neighbours: list[Box]) -> None:
    """Leaves of one box: to the left of the row's operations, or centred below it."""
    total = sum(chip.width + GAP for chip in chips) - GAP
    left = box.x - total / 2
    if neighbours:
        left = min(b.x - b.width / 2 for b in neighbours) - GAP - total
    for chip in chips:
        chip.x = left + chip.width / 2
        left += chip.width + GAP


def _spread(row: list[Box], wish: dict[str, float]) -> None:
    """Place a row near where its boxes wish to be, in that order, without overlaps."""
    right = float("-inf")
    for box in sorted(row, key=lambda b: wish[b.key]):
        box.x = max(wish[box.key], right + GAP + box.width / 2)
        right = box.x + box.width / 2


def _place_upwards(boxes: Iterable[Box]) -> None:
    heights: dict[int, float] = {}
    for box in boxes:
        heights[box.rank] = max(heights.get(box.rank, 0.0), box.height)
    y, at = 0.0, {}
    for rank in sorted(heights):
        at[rank] = y + heights[rank] / 2
        y += heights[rank] + ROW
    for box in boxes:
        box.y = at[box.rank]


def frames(scene: Scene) -> list[Frame]:
    """(title, left, bottom, right, top) of every column that is a step."""
    top = max(box.y + box.height / 2 for box in scene.boxes.values())
    bottom = min(box.y - box.height / 2 for box in scene.boxes.values())
    margin = GAP
    return [
        (
            column,
            min(b.x - b.width / 2 for b in boxes) - margin,
            bottom - margin,
            max(b.x + b.width / 2 for b in boxes) + margin,
            top + HEADROOM,
        )
        for column, boxes in scene.columns.items()
        if column not in (BEFORE, AFTER)
    ]


def corner(scene: Scene) -> tuple[float, float]:
    """The middle of a text of three lines that stands below the columns, at the left."""
    left = min(box.x - box.width / 2 for box in scene.boxes.values())
    bottom = min(box.y - box.height / 2 for box in scene.boxes.values())
    return left + LEGEND_WIDTH / 2, bottom - 2 * GAP - 1.5 * LEADING


def curves(scene: Scene, line: Line) -> tuple[Curve, Curve]:
    """The four control points of the value's way, and of the gradient's way back."""
    tail, head = scene.boxes[line.tail], scene.boxes[line.head]
    if tail.column != head.column:
        return _across(tail, head, APART), _across(tail, head, -APART)[::-1]
    return _along(tail, head, -APART), _along(tail, head, APART)[::-1]


def _across(tail: Box, head: Box, offset: float) -> Curve:
    """From the right side of one column's box to the left side of another's."""
    x0, y0 = tail.x + tail.width / 2, tail.y + offset
    x1, y1 = head.x - head.width / 2, head.y + offset
    reach = max(AISLE * 0.8, (x1 - x0) * 0.55)
    return [(x0, y0), (x0 + reach, y0), (x1 - reach, y1), (x1, y1)]


def _along(tail: Box, head: Box, offset: float) -> Curve:
    """A straight line between two boxes of a column, moved sideways by `offset`."""
    dx, dy = head.x - tail.x, head.y - tail.y
    length = (dx * dx + dy * dy) ** 0.5 or 1.0
    sx, sy = dy / length * offset, -dx / length * offset
    x0, y0 = _border(tail, dx, dy)
    x1, y1 = _border(head, -dx, -dy)
    start, end = (x0 + sx, y0 + sy), (x1 + sx, y1 + sy)
    third = ((end[0] - start[0]) / 3, (end[1] - start[1]) / 3)
    return [
        start,
        (start[0] + third[0], start[1] + third[1]),
        (end[0] - third[0], end[1] - third[1]),
        end,
    ]


def _border(box: Box, dx: float, dy: float) -> tuple[float, float]:
    """Where the ray from a box's centre leaves the box."""
    across = box.width / 2 / abs(dx) if dx else float("inf")
    upwards = box.height / 2 / abs(dy) if dy else float("inf")
    scale = min(across, upwards)
    return box.x + dx * scale, box.y + dy * scale
