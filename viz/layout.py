"""Where everything goes: one column a step from left to right, values flowing upwards.

Between two rows is a channel, and between two columns an aisle, that no box enters. Lines
run there, and in the lanes that are kept free for them within a column: so none of them
meets a box other than its ends. Units are points; y grows upwards, as Graphviz has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from viz.columns import GAP, Lanes, place_across
from viz.routes import Routes
from viz.rows import rank
from viz.scene import AFTER, BEFORE, Box, Line, Scene

__all__ = ["FONT_SIZE", "Frame", "corner", "frames", "place"]

FONT_SIZE = 10.0
CHARACTER = 0.58 * FONT_SIZE
LEADING = 1.22 * FONT_SIZE
PADDING = 7.0
PORT = 13.0
"""The room that one line takes up along a box."""
HEADROOM = 18.0
"""Space at the top of a column, for its title."""
LEGEND_WIDTH, LEGEND_LINES = 560.0, 4

Frame = tuple[str, float, float, float, float]


def place(scene: Scene) -> None:
    """Give every box its size and its place, and every line its way."""
    rank(scene)
    _size(scene)
    lanes = _place_columns(scene)
    routes = Routes(scene, lanes)
    heights = {box.rank: box.height for box in scene.boxes.values()}
    rows: dict[int, tuple[float, float]] = {}
    bottom = 0.0
    for row in range(max(heights) + 1):
        rows[row] = bottom, bottom + heights.get(row, 0.0)
        bottom = rows[row][1] + routes.channel_height(row)
    for box in scene.boxes.values():
        box.y = sum(rows[box.rank]) / 2
    routes.draw(rows)


def _size(scene: Scene) -> None:
    """As wide as its text and its lines, and as high as the highest of its row."""
    lines = Counter(key for line in scene.lines for key in (line.tail, line.head))
    heights: dict[int, float] = {}
    for box in scene.boxes.values():
        text = max(map(len, box.texts)) * CHARACTER + 2 * PADDING
        box.width = max(34.0, text, (lines[box.key] / 2 + 1) * PORT)
        height = len(box.texts) * LEADING + PADDING
        heights[box.rank] = max(heights.get(box.rank, 0.0), height)
    for box in scene.boxes.values():
        box.height = heights[box.rank]


def _place_columns(scene: Scene) -> Lanes:
    """Give every box its x within its column."""
    columns = scene.columns
    within: dict[str, list[Line]] = {name: [] for name in columns}
    for line in scene.lines:
        tail, head = scene.boxes[line.tail], scene.boxes[line.head]
        if tail.column == head.column:
            within[tail.column].append(line)
    pulls = _pulls(scene)
    lanes: Lanes = {}
    for name, boxes in columns.items():
        lanes |= place_across(boxes, within[name], pulls)
    return lanes


def _pulls(scene: Scene) -> dict[str, int]:
    """Of each operation, whether it is to stand leftmost (−1) or rightmost (1).

    It is to where more of its lines lead to columns on that side than on the other;
    counted over all steps together, so that the first, which no state enters, and the
    last look like those between.
    """
    columns = scene.columns
    order = {name: i for i, name in enumerate(columns)}
    roles: dict[str, tuple[bool, int, int]] = {}
    for name, boxes in columns.items():
        seen: Counter[int] = Counter()
        for box in boxes:
            if not box.is_leaf and box.kind != "fold":
                roles[box.key] = (name in (BEFORE, AFTER), box.rank, seen[box.rank])
                seen[box.rank] += 1
    sums: Counter[tuple[bool, int, int]] = Counter()
    for line in scene.lines:
        tail, head = (order[scene.boxes[key].column] for key in (line.tail, line.head))
        for key, sense in ((line.tail, tail < head), (line.head, tail > head)):
            if tail != head and key in roles:
                sums[roles[key]] += 1 if sense else -1
    return {key: (sums[role] > 0) - (sums[role] < 0) for key, role in roles.items()}


def frames(scene: Scene) -> list[Frame]:
    """(title, left, bottom, right, top) of every column that is a step."""
    boxes = scene.boxes
    _, bottom, _, top = _extent(boxes.values())
    top = max([top, *(y for line in scene.lines for _, y in line.way)])
    reach: dict[str, list[float]] = {}
    for box in boxes.values():
        reach.setdefault(box.column, []).extend(
            (box.x - box.width / 2, box.x + box.width / 2)
        )
    for line in scene.lines:
        if boxes[line.tail].column == boxes[line.head].column:
            reach[boxes[line.tail].column] += [x for x, _ in line.way]
    return [
        (column, min(xs) - GAP, bottom - GAP, max(xs) + GAP, top + GAP + HEADROOM)
        for column, xs in ((name, reach[name]) for name in scene.columns)
        if column not in (BEFORE, AFTER)
    ]


def _extent(boxes: Iterable[Box]) -> tuple[float, float, float, float]:
    boxes = list(boxes)
    return (
        min(b.x - b.width / 2 for b in boxes),
        min(b.y - b.height / 2 for b in boxes),
        max(b.x + b.width / 2 for b in boxes),
        max(b.y + b.height / 2 for b in boxes),
    )


def corner(scene: Scene) -> tuple[float, float]:
    """The middle of the legend, which stands below the columns, at the left."""
    left, bottom, *_ = _extent(scene.boxes.values())
    return left + LEGEND_WIDTH / 2, bottom - 2 * GAP - LEGEND_LINES / 2 * LEADING
