"""The rows of one column: in which order, and where, its boxes stand.

A line that passes a row has a lane in it, kept free as if it were a box.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from viz.scene import Box, Line
from viz.spread import spread

__all__ = ["GAP", "Lanes", "Slot", "place_across"]

GAP = 10.0
"""Space between boxes of a row, and around the boxes of a column."""
LANE = 14.0
"""The width of a lane: two lines, and what they need at a bend."""
LOOSE, FIRM, STRAIGHT = 0.01, 4.0, 8.0
"""How much it matters that a leaf, an operation or a lane stands where it wishes to."""
SWEEPS, SETTLING = 8, 6
"""How often the rows are put in order, and how often they are moved after that."""
MANY = 4
"""From as many lines on that come to a box from farther than the next row, they share
lanes, as lines from one box always do.
"""


@dataclass(eq=False)
class Slot:
    """A place in a row: a box, or a lane that a box's value takes through the row.

    Attributes:
        pull: −1 for a box that is to stand leftmost in its row, 1 for rightmost.
        below, above: the slots in the next rows that its lines lead to.
    """

    width: float
    weight: float
    pull: int = 0
    x: float = 0.0
    below: list[Slot] = field(default_factory=list)
    above: list[Slot] = field(default_factory=list)


Rows = dict[int, list[Slot]]
Lanes = dict[tuple[str, int], Slot]
"""By the box that they lead from or to, and the row."""


def place_across(boxes: list[Box], lines: list[Line], pulls: Mapping[str, int]) -> Lanes:
    """Give the boxes of a column their x, and the lines their lanes.

    Args:
        boxes: of the column, with widths and ranks.
        lines: those within the column.
        pulls: of a box −1 where it is to stand leftmost in its row, 1 for rightmost.

    Returns:
        The lanes.
    """
    slots: dict[str, Slot] = {}
    rows: Rows = {}
    for box in boxes:
        weight = LOOSE if box.is_leaf else FIRM
        slots[box.key] = Slot(box.width, weight, pulls.get(box.key, 0))
        rows.setdefault(box.rank, []).append(slots[box.key])
    lanes: Lanes = {}
    ranks = {box.key: box.rank for box in boxes}
    far = Counter(line.head for line in lines if ranks[line.head] - ranks[line.tail] > 1)
    for line in lines:
        line.lane = line.head if far[line.head] >= MANY else line.tail
        below = slots[line.tail]
        for row in range(ranks[line.tail] + 1, ranks[line.head]):
            lane = lanes.get((line.lane, row))
            if lane is None:
                lane = lanes[line.lane, row] = Slot(LANE, STRAIGHT)
                rows.setdefault(row, []).append(lane)
            _join(below, lane)
            below = lane
        _join(below, slots[line.head])
    for part in _parts(rows):
        _arrange(part)
    for box in boxes:
        box.x = slots[box.key].x
    return lanes


def _join(below: Slot, above: Slot) -> None:
    if above not in below.above:
        below.above.append(above)
        above.below.append(below)


def _parts(rows: Rows) -> Iterator[list[list[Slot]]]:
    """The rows from the bottom, in runs that no line joins."""
    part: list[list[Slot]] = []
    for rank in sorted(rows):
        if part and not any(slot.below for slot in rows[rank]):
            yield part
            part = []
        part.append(rows[rank])
    yield part


def _arrange(rows: list[list[Slot]]) -> None:
    """Sweep down and up; each row goes to where the rows beside it draw it.

    The whole is then centred, so that what no line joins stands in line.
    """
    for row in rows:
        _put(row, [0.0] * len(row))
    for sweep in range(SWEEPS + SETTLING):
        up, settling = sweep % 2 == 1, sweep >= SWEEPS
        for row in rows if up else reversed(rows):
            near = [
                s.below + s.above if settling else s.below if up else s.above for s in row
            ]
            wishes = [_middle(s, n) for s, n in zip(row, near, strict=True)]
            if not settling:
                order = _order(row, wishes)
                row[:], wishes = [row[i] for i in order], [wishes[i] for i in order]
            _put(row, wishes)
    slots = [slot for row in rows for slot in row]
    left = min(slot.x - slot.width / 2 for slot in slots)
    right = max(slot.x + slot.width / 2 for slot in slots)
    for slot in slots:
        slot.x -= (left + right) / 2


def _order(row: list[Slot], wishes: list[float]) -> list[int]:
    """The order of the wishes; operations change places among themselves by their pulls.

    Where nothing else decides, leaves stand on the left.
    """
    keys = [
        (round(wish, 3), slot.pull, slot.weight > LOOSE)
        for slot, wish in zip(row, wishes, strict=True)
    ]
    order = sorted(range(len(row)), key=keys.__getitem__)
    pulled = [i for i in order if row[i].weight == FIRM]
    following = iter(sorted(pulled, key=lambda i: row[i].pull))
    return [next(following) if row[i].weight == FIRM else i for i in order]


def _middle(slot: Slot, near: list[Slot]) -> float:
    """Where a slot would like to stand: between those that it is joined to."""
    total = sum(other.weight for other in near)
    return sum(o.weight * o.x for o in near) / total if near else slot.x


def _put(row: list[Slot], wishes: list[float]) -> None:
    xs = spread(wishes, [s.width + GAP for s in row], [s.weight for s in row])
    for slot, x in zip(row, xs, strict=True):
        slot.x = x
