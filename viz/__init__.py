"""Pictures of recorded graphs, and plots of what training saw."""

from viz.autonomous import capacity, likelihood, recall, samples
from viz.dot import graph
from viz.draw import Drawing, draw
from viz.plots import credit, curves, forecast, gradient_flow

__all__ = [
    "Drawing", "capacity", "credit", "curves", "draw", "forecast", "gradient_flow",
    "graph", "likelihood", "recall", "samples",
]  # fmt: skip
