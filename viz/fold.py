"""Long times: the first and the last steps, and one box in place of those between."""

from __future__ import annotations

import numpy as np

from viz.scene import AFTER, BEFORE, Box, Line, Scene

__all__ = ["fold"]


def fold(scene: Scene, steps: int | None) -> Scene:
    """A scene of at most so many steps, half of them the first and half the last.

    What enters the steps between and what leaves them enters and leaves one box, at which
    lines of one value, or to one box, become one: its size is the norm of all of theirs.

    Raises:
        ValueError: for fewer than one step.
    """
    if steps is not None and steps < 1:
        raise ValueError(f"draw: steps={steps}, expected at least 1, or None for all")
    names = [name for name in scene.columns if name not in (BEFORE, AFTER)]
    if steps is None or len(names) <= steps:
        return scene
    first = steps // 2
    hidden = names[first : len(names) - (steps - first)]
    column = f"{hidden[0]} … {hidden[-1]}" if len(hidden) > 1 else hidden[0]
    words = f"⋯ {len(hidden)} step{'s' * (len(hidden) > 1)} not drawn ⋯"
    folded = Box("fold", column, "", "fold", "", words, "", "", 0.0)
    made, places = Scene(), {}
    for key, box in scene.boxes.items():
        shown = folded if box.column in hidden else box
        made.boxes.setdefault(shown.key, shown)
        places[key] = shown.key
    joined: dict[tuple[str, str], Line] = {}
    for line in scene.lines:
        tail, head = places[line.tail], places[line.head]
        if tail == head:
            continue
        moved = Line(tail, head, line.size)
        if folded.key in (tail, head):
            same = joined.setdefault((tail, head), moved)
            if same is not moved:
                same.size = float(np.hypot(same.size, line.size))
                continue
        made.lines.append(moved)
    return made
