"""Which lines between columns go together, and by which sides of the boxes.

They are bundled into nets: the lines from one value, or, where a box takes values from
far and near, those to that box. A net reads as one wire with branches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

from viz.scene import Box, Line, Scene

__all__ = ["Trip", "tracks", "trips"]


@dataclass(frozen=True)
class Trip:
    """A line from one column to another.

    Attributes:
        sense: 1 for rightwards, −1 for leftwards.
        net: what the lines of its net have in common.
        aisle: where it changes its height, beside the head's column; aisle i is on the
            right of column i.
        leave, enter: the channels by which it leaves its tail and enters its head, each
            named by the row below it; None for straight through the side of the box.
    """

    line: Line
    sense: int
    net: Hashable
    aisle: int
    leave: int | None
    enter: int | None

    def sides(self) -> tuple[str, str]:
        """The sides of tail and head at which it leaves and enters."""
        out, into = ("right", "left") if self.sense > 0 else ("left", "right")
        return (
            out if self.leave is None else "top",
            into if self.enter is None else "bottom",
        )


def trips(scene: Scene) -> list[Trip]:
    """Plan the lines between columns, whose boxes have rows and an x.

    A line goes through the side of a box that stands at the end of its row, and else by
    the channel above its tail, or below its head. One that passes a whole column does so
    in the channel above its tail.
    """
    boxes, ends = scene.boxes, _ends(scene.boxes.values())
    order = {name: i for i, name in enumerate(scene.columns)}
    steps = [
        (line, order[boxes[line.head].column] - order[boxes[line.tail].column])
        for line in scene.lines
    ]
    far = {line.head for line, step in steps if abs(step) > 1}
    gathered = Counter(line.head for line, step in steps if step and line.head in far)
    found = []
    for line, step in steps:
        if not step:
            continue
        tail, head, sense = boxes[line.tail], boxes[line.head], 1 if step > 0 else -1
        common = ("to", head.key) if gathered[head.key] > 1 else ("from", tail.key)
        beside = abs(step) == 1 and ends[tail.column, tail.rank, sense] is tail
        first = ends[head.column, head.rank, -sense] is head
        column = order[head.column]
        found.append(
            Trip(
                line=line,
                sense=sense,
                net=(*common, sense),
                aisle=column - 1 if sense > 0 else column,
                leave=None if beside else tail.rank,
                enter=None if first else head.rank - 1,
            )
        )
    return found


def _ends(boxes: Iterable[Box]) -> dict[tuple[str, int, int], Box]:
    """The first (−1) and the last (1) box of each row of each column."""
    ends: dict[tuple[str, int, int], Box] = {}
    for box in boxes:
        for sense in (-1, 1):
            place = (box.column, box.rank, sense)
            if (box.x - ends.setdefault(place, box).x) * sense > 0:
                ends[place] = box
    return ends


def tracks(spans: Mapping[Hashable, list[float]]) -> dict[Hashable, int]:
    """A track for each net, the first that is free from its least to its largest mark.

    >>> tracks({"a": [0, 5], "b": [3, 9], "c": [6, 7]})
    {'a': 0, 'b': 1, 'c': 0}
    """
    taken: list[float] = []
    found = {}
    for net in sorted(spans, key=lambda net: (min(spans[net]), max(spans[net]))):
        track = next((i for i, e in enumerate(taken) if e < min(spans[net])), len(taken))
        taken[track : track + 1] = [max(spans[net])]
        found[net] = track
    return found
