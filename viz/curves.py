"""A way as two lines side by side: the value going forward, the gradient coming back."""

from __future__ import annotations

from itertools import pairwise

from viz.scene import Point

__all__ = ["Curve", "curves", "shaft"]

Curve = list[Point]
"""The control points of cubics, end to end: 1 + 3 n of them."""

APART, FARTHEST = 3.0, 6.0
"""Half the distance between the two lines; and half of that along a row, at most."""
ARROW = 5.0
"""Length of an arrow's head, in points."""
ROUND = 7.0
"""How far from a corner a line begins to turn."""


def curves(way: list[Point]) -> tuple[Curve, Curve]:
    """The value's line, on the left of the way, and the gradient's, on its right."""
    return _rounded(_beside(way)), _rounded(_beside(way[::-1]))


def shaft(curve: Curve) -> Curve:
    """A curve up to where its arrow's head begins; its last piece is straight."""
    (x0, y0), (x, y) = curve[-4], curve[-1]
    length = ((x - x0) ** 2 + (y - y0) ** 2) ** 0.5 or 1.0
    end = _between((x0, y0), (x, y), max(0.0, 1 - ARROW / length))
    return [*curve[:-3], *_straight((x0, y0), end)]


def _beside(way: list[Point]) -> list[Point]:
    """A way moved to its own left.

    A way of upright and level pieces moves each piece by as much. One that climbs
    aslant is moved sideways only, and so stays within the channels between the rows.
    """
    moves = []
    steepest = 1.0
    for (x0, y0), (x1, y1) in pairwise(way):
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 or 1.0
        moves.append((-(y1 - y0) / length, (x1 - x0) / length))
        steepest = min(steepest, abs(y1 - y0) / length or 1.0)
    if steepest < 1:
        side = min(FARTHEST, APART / steepest) * (1 if moves[0][0] > 0 else -1)
        return [(x + side, y) for x, y in way]
    found = []
    for (x, y), (ax, ay), (bx, by) in zip(
        way, [moves[0], *moves], [*moves, moves[-1]], strict=True
    ):
        same = ax * bx + ay * by > 0.5
        dx, dy = (ax, ay) if same else (ax + bx, ay + by)
        found.append((x + APART * dx, y + APART * dy))
    return found


def _rounded(way: list[Point]) -> Curve:
    """Straight pieces, and a turn at each corner that keeps inside of it."""
    curve = [way[0]]
    for before, corner, after in zip(way, way[1:], way[2:], strict=False):
        start, end = _toward(corner, before), _toward(corner, after)
        curve += _straight(curve[-1], start)
        curve += [_between(start, corner, 0.6), _between(end, corner, 0.6), end]
    return curve + _straight(curve[-1], way[-1])


def _toward(corner: Point, other: Point) -> Point:
    """The point at which the turn ends on the way from a corner to another."""
    length = ((other[0] - corner[0]) ** 2 + (other[1] - corner[1]) ** 2) ** 0.5
    return _between(corner, other, min(ROUND / length, 0.5) if length else 0.0)


def _between(start: Point, end: Point, share: float) -> Point:
    return (
        start[0] + share * (end[0] - start[0]),
        start[1] + share * (end[1] - start[1]),
    )


def _straight(start: Point, end: Point) -> Curve:
    return [_between(start, end, 1 / 3), _between(start, end, 2 / 3), end]
