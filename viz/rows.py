"""In which row a box stands, counted from the bottom.

Within a column a box stands above all that it is computed from, as low as may be. What
is recorded under another inner scope, such as a layer or a direction, makes a band of
rows of its own, above those before it and as high in every column, so that one can follow
a layer through time.
"""

from __future__ import annotations

from viz.scene import AFTER, BEFORE, Box, Scene

__all__ = ["rank"]

Band = tuple[str, int]
Parents = dict[str, list[Box]]


def rank(scene: Scene) -> None:
    """Give every box its row."""
    operations = [box for box in scene.boxes.values() if not box.is_leaf]
    parents, outer = _parents(scene)
    bands = _bands(operations)
    local: dict[str, int] = {}
    heights: dict[Band, int] = {}
    for box in operations:
        own = [local[p.key] for p in parents[box.key] if bands[p.key] == bands[box.key]]
        local[box.key] = 1 + max(own, default=0)
        if box.column not in (BEFORE, AFTER):
            high = heights.get(bands[box.key], 0)
            heights[bands[box.key]] = max(high, local[box.key])
    bases, base = dict.fromkeys(bands.values(), 0), 0
    for band, height in heights.items():
        bases[band] = base
        base += height + 1
    for box in operations:
        low = [0, *(p.rank + 1 for p in parents[box.key])]
        inside = box.column not in (BEFORE, AFTER)
        box.rank = max(bases[bands[box.key]] * inside + local[box.key], *low)
    _raise_sources(operations, parents, bands)
    for box in operations:
        if box.kind == "fold":
            box.rank = (max(box.rank for box in operations) + 1) // 2
    _raise_after(operations, outer)
    for line in scene.lines:
        if scene.boxes[line.tail].is_leaf:
            scene.boxes[line.tail].rank = scene.boxes[line.head].rank - 1


def _parents(scene: Scene) -> tuple[Parents, Parents]:
    """What each operation comes from in its own column, and in others; no leaves."""
    inside: Parents = {key: [] for key in scene.boxes}
    outside: Parents = {key: [] for key in scene.boxes}
    for line in scene.lines:
        tail, head = scene.boxes[line.tail], scene.boxes[line.head]
        if not tail.is_leaf:
            (inside if tail.column == head.column else outside)[head.key].append(tail)
    return inside, outside


def _bands(operations: list[Box]) -> dict[str, Band]:
    """The band of each: its inner scope, and how often its column had entered it."""
    last: dict[str, str] = {}
    entered: dict[tuple[str, str], int] = {}
    bands = {}
    for box in operations:
        place = (box.column, box.inner)
        if last.get(box.column) != box.inner:
            entered[place] = entered.get(place, 0) + 1
            last[box.column] = box.inner
        bands[box.key] = (box.inner, entered[place])
    return bands


def _raise_sources(
    operations: list[Box], parents: Parents, bands: dict[str, Band]
) -> None:
    """What comes from leaves alone, and for one use, stands right below that use, where
    both are of one band.
    """
    users: Parents = {box.key: [] for box in operations}
    for box in operations:
        for parent in parents[box.key]:
            users[parent.key].append(box)
    loose: set[str] = set()
    for box in operations:
        if all(p.key in loose and len(users[p.key]) == 1 for p in parents[box.key]):
            loose.add(box.key)
    for box in reversed(operations):
        beside = all(bands[user.key] == bands[box.key] for user in users[box.key])
        if box.key in loose and users[box.key] and beside:
            box.rank = min(user.rank for user in users[box.key]) - 1


def _raise_after(operations: list[Box], outer: Parents) -> None:
    """What comes after all steps stands as high as what it comes from, but not higher
    than the steps themselves where that can be.
    """
    after = [box for box in operations if box.column == AFTER]
    sources = [tail.rank for box in after for tail in outer[box.key]]
    if sources:
        top = max(box.rank for box in operations if box.column != AFTER)
        over = min(top - max(box.rank for box in after), max(sources) - 1)
        for box in after:
            box.rank += max(0, over)
