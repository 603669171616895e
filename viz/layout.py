"""Where everything goes: one column a step from left to right, values flowing upwards.

Between two rows is a channel, and between two columns an aisle, that no box enters. Lines
run there, and in the lanes that are kept free for them within a column: so none of them
meets a box other than its ends. Units are points; y grows upwards, as Graphviz has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable

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
    """As wide as their text and their lines, and as high as the highest of their row.

    Boxes of one role are equally wide: so steps of one structure are laid out alike, to
    the last point.
    """
    lines = Counter(key for line in scene.lines for key in (line.tail, line.head))
    roles = _roles(scene)
    heights: dict[int, float] = {}
    widths: dict[Hashable, float] = {}
    for key, box in scene.boxes.items():
        text = max(map(len, box.texts)) * CHARACTER + 2 * PADDING
        needed = max(34.0, text, (lines[key] / 2 + 1) * PORT)
        widths[roles[key]] = max(widths.get(roles[key], 0.0), needed)
        height = len(box.texts) * LEADING + PADDING
        heights[box.rank] = max(heights.get(box.rank, 0.0), height)
    for key, box in scene.boxes.items():
        box.width, box.height = widths[roles[key]], heights[box.rank]


def _roles(scene: Scene) -> dict[str, Hashable]:
    """What each box is within its step: its row, a leaf's name, its place among those.

    A box outside of all steps, and one in place of steps, has a role of its own.
    """
    roles: dict[str, Hashable] = {}
    for column, boxes in scene.columns.items():
        seen: Counter[Hashable] = Counter()
        for box in boxes:
            if column in (BEFORE, AFTER) or box.kind == "fold":
                roles[box.key] = box.key
                continue
            role = (box.inner, box.rank, box.name if box.is_leaf else None)
            roles[box.key] = (*role, seen[role])
            seen[role] += 1
    return roles


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
    order = {name: i for i, name in enumerate(scene.columns)}
    roles, sums = _roles(scene), Counter[Hashable]()
    for line in scene.lines:
        tail, head = (order[scene.boxes[key].column] for key in (line.tail, line.head))
        if tail != head:
            sense = 1 if tail < head else -1
            sums[roles[line.tail]] += sense
            sums[roles[line.head]] -= sense
    return {
        key: (sums[roles[key]] > 0) - (sums[roles[key]] < 0)
        for key, box in scene.boxes.items()
        if not box.is_leaf and box.kind != "fold"
    }


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
