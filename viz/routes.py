"""The ways of the lines: where they meet their boxes, and the corners between."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import pairwise

from viz.columns import GAP, Lanes, Slot
from viz.nets import Trip, tracks, trips
from viz.scene import Box, Line, Point, Scene
from viz.spread import spread

__all__ = ["Routes"]

ROW, AISLE = 24.0, 26.0
"""The least height of a channel, and width of an aisle."""
TRACK = 13.0
"""The distance between nets that run side by side."""
STEEP, HIGHEST = 0.25, 60.0
"""How high a channel is for a line that goes so far across it, and how high at most."""
PORT, MARGIN = 13.0, 9.0
"""The distance between lines along a box, and from its corners."""
LOWER = 10.0
"""So far below the middle of a box's side a line enters that comes from another row: on
its way it must not seem to go on from one that leaves that row for elsewhere.
"""

Spans = dict[Hashable, list[float]]
Rows = dict[int, tuple[float, float]]
"""The bottom and the top of each row."""


class Routes:
    """The ways of all lines of a scene whose boxes have rows, sizes and an x.

    Moves the columns apart, to where there is room for the aisles between them.
    """

    def __init__(self, scene: Scene, lanes: Lanes) -> None:
        self._boxes, self._lanes = scene.boxes, lanes
        self._trips = trips(scene)
        self._inside = [
            line
            for line in scene.lines
            if self._boxes[line.tail].column == self._boxes[line.head].column
        ]
        self._aisles = self._move_columns(scene)
        self._ports = self._open_ports()
        self._tracks = self._lay_tracks()
        across: dict[int, float] = {}
        for i in range(len(self._inside)):
            for (x0, row), (x1, _) in pairwise(self._climb(i)):
                across[row] = max(across.get(row, 0.0), abs(x1 - x0))
        self._slopes = {row: min(STEEP * x, HIGHEST) for row, x in across.items()}

    def _move_columns(self, scene: Scene) -> dict[tuple[Hashable, int], float]:
        """Place the columns; the x of each net in each aisle that it uses."""
        spans: dict[int, Spans] = {}
        for trip in self._trips:
            levels = spans.setdefault(trip.aisle, {}).setdefault(trip.net, [])
            levels += self._levels(trip)
        columns: dict[str, list[Box | Slot]] = {k: [*v] for k, v in scene.columns.items()}
        for (key, _), lane in self._lanes.items():
            columns[self._boxes[key].column].append(lane)
        places: dict[tuple[Hashable, int], float] = {}
        left = 0.0
        for aisle, items in enumerate(columns.values()):
            shift = left - min(item.x - item.width / 2 for item in items)
            for item in items:
                item.x += shift
            right = max(item.x + item.width / 2 for item in items) + GAP
            taken = tracks(spans.get(aisle, {}))
            width = max(AISLE, (_count(taken) + 1) * TRACK)
            for net, track in taken.items():
                places[net, aisle] = right + width / 2 + _offset(track, taken)
            left = right + width + GAP
        return places

    def _levels(self, trip: Trip) -> tuple[float, float]:
        """The heights between which it moves along its aisle, counted in rows."""
        tail, head = self._boxes[trip.line.tail], self._boxes[trip.line.head]
        return (
            tail.rank if trip.leave is None else trip.leave + 0.5,
            head.rank if trip.enter is None else trip.enter + 0.5,
        )

    def _open_ports(self) -> dict[tuple[str, str, Hashable], float]:
        """Where lines meet their boxes, by box, side and line or net: an x at top and
        bottom, at the sides a distance from the middle upwards.
        """
        wanted: dict[tuple[str, str], dict[Hashable, tuple[float, float]]] = {}
        for i, line in enumerate(self._inside):
            beside, (start, end) = self._neighbours(line), self._shared(i)
            first, last = (beside[0], beside[0]), (beside[-1], beside[-1])
            wanted.setdefault((line.tail, "top"), {})[start] = first
            wanted.setdefault((line.head, "bottom"), {})[end] = last
        for trip in self._trips:
            out, into = trip.sides()
            low, high = self._levels(trip)
            away = trip.sense * float("inf")
            below = -LOWER if low != high else 0.0
            at_tail = wanted.setdefault((trip.line.tail, out), {})
            at_tail.setdefault(trip.net, (away, away) if out == "top" else (high, 0.0))
            at_head = wanted.setdefault((trip.line.head, into), {})
            at_head.setdefault(
                trip.net, (-away, -away) if into == "bottom" else (low, below)
            )
        ports: dict[tuple[str, str, Hashable], float] = {}
        for (key, side), who in wanted.items():
            names = sorted(who, key=who.__getitem__)
            places = _along(self._boxes[key], side, [who[name][1] for name in names])
            ports |= {(key, side, n): x for n, x in zip(names, places, strict=True)}
        return ports

    def _neighbours(self, line: Line) -> list[float]:
        """The x of the lanes; without any, where a line would best be upright."""
        tail, head = self._boxes[line.tail], self._boxes[line.head]
        rows = range(tail.rank + 1, head.rank)
        lanes = [self._lanes[line.lane, row].x for row in rows]
        return lanes or [(tail.x + head.x) / 2]

    def _shared(self, i: int) -> tuple[Hashable, Hashable]:
        """The names of its ports: lines in the same lanes share theirs."""
        line = self._inside[i]
        far = self._boxes[line.head].rank - self._boxes[line.tail].rank > 1
        return (
            "lane" if far and line.lane == line.tail else i,
            "lane" if far and line.lane == line.head else i,
        )

    def _lay_tracks(self) -> dict[int, dict[Hashable, int]]:
        """For each channel the tracks of the nets that run along it.

        What leaves the boxes below runs under what enters those above, so that no two
        meet on their way up.
        """
        spans: dict[tuple[int, str], Spans] = {}
        for trip in self._trips:
            x, (out, into) = self._aisles[trip.net, trip.aisle], trip.sides()
            for channel, key, side in (
                (trip.leave, trip.line.tail, out),
                (trip.enter, trip.line.head, into),
            ):
                if channel is not None:
                    along = spans.setdefault((channel, side), {})
                    marks = along.setdefault((trip.net, side), [])
                    marks += [x, self._ports[key, side, trip.net]]
        found: dict[int, dict[Hashable, int]] = {}
        for channel, side in sorted(spans, key=lambda place: place[1] == "bottom"):
            taken = found.setdefault(channel, {})
            under = _count(taken)
            for name, track in tracks(spans[channel, side]).items():
                taken[name] = under + track
        return found

    def channel_height(self, row: int) -> float:
        """The height of the channel above a row: the more nets run along it, and the
        farther lines go across it, the higher.
        """
        along = max(0.0, _count(self._tracks.get(row, {})) - 0.5)
        return max(ROW, self._slopes.get(row, 0.0)) + TRACK * along

    def _climb(self, i: int) -> list[tuple[float, int]]:
        """(x, row) of the ends and lanes of a line within a column."""
        line = self._inside[i]
        tail, head = self._boxes[line.tail], self._boxes[line.head]
        first, last = self._shared(i)
        start = self._ports[line.tail, "top", first]
        end = self._ports[line.head, "bottom", last]
        rows = range(tail.rank + 1, head.rank)
        lanes = [(self._lanes[line.lane, row].x, row) for row in rows]
        return [(start, tail.rank), *lanes, (end, head.rank)]

    def draw(self, rows: Rows) -> None:
        """Give every line its way, once the rows have their heights."""
        for i, line in enumerate(self._inside):
            way = [(x, y) for x, row in self._climb(i) for y in rows[row]]
            line.way = way[1:-1]
        for trip in self._trips:
            trip.line.way = _straightened(self._travel(trip, rows))

    def _travel(self, trip: Trip, rows: Rows) -> list[Point]:
        tail, head = self._boxes[trip.line.tail], self._boxes[trip.line.head]
        x, (out, into) = self._aisles[trip.net, trip.aisle], trip.sides()
        start = self._ports[tail.key, out, trip.net]
        end = self._ports[head.key, into, trip.net]
        if trip.leave is None:
            way = [(tail.x + trip.sense * tail.width / 2, tail.y + start)]
        else:
            track = self._track(trip.leave, (trip.net, out), rows)
            way = [(start, rows[tail.rank][1]), (start, track)]
        way.append((x, way[-1][1]))
        if trip.enter is None:
            rest = [(head.x - trip.sense * head.width / 2, head.y + end)]
        else:
            track = self._track(trip.enter, (trip.net, into), rows)
            rest = [(end, track), (end, rows[head.rank][0])]
        return [*way, (x, rest[0][1]), *rest]

    def _track(self, channel: int, name: Hashable, rows: Rows) -> float:
        taken = self._tracks[channel]
        middle = rows[channel][1] + self.channel_height(channel) / 2
        return middle + _offset(taken[name], taken)


def _count(taken: dict[Hashable, int]) -> int:
    return max(taken.values(), default=-1) + 1


def _offset(track: int, taken: dict[Hashable, int]) -> float:
    return (track - (_count(taken) - 1) / 2) * TRACK


def _along(box: Box, side: str, wishes: list[float]) -> list[float]:
    """Places along a side, near the wishes but not too near to its corners."""
    upright = side in ("left", "right")
    middle, reach = (0.0, box.height / 2) if upright else (box.x, box.width / 2)
    low, high = middle - reach + MARGIN, middle + reach - MARGIN
    inside = [min(max(wish, low), high) for wish in wishes]
    step = min(PORT, (high - low) / max(1, len(wishes) - 1))
    return spread(inside, [step] * len(wishes), [1.0] * len(wishes), (low, high))


def _straightened(way: list[Point]) -> list[Point]:
    """A way of upright and level pieces without the corners that are none."""
    corners: list[Point] = []
    for point in way:
        if corners and point == corners[-1]:
            continue
        while len(corners) > 1 and any(
            corners[-2][axis] == corners[-1][axis] == point[axis] for axis in (0, 1)
        ):
            corners.pop()
        corners.append(point)
    return corners
