"""Pictures of recorded graphs, and plots of what training saw."""

from viz.dot import graph
from viz.draw import Drawing, draw

__all__ = ["Drawing", "draw", "graph"]
