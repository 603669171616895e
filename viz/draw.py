"""Pictures on disk and in notebooks."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import graphviz

from autograd import Graph, Tensor
from autograd.extras import MissingExtraError, require
from autograd.files import written
from viz.dot import graph

__all__ = ["Drawing", "draw"]

RENDERED = ("svg", "png", "pdf")
FORMATS = ("dot", *RENDERED)


class Drawing:
    """A picture of a graph; a notebook shows it by itself.

    Attributes:
        source: the DOT text.
    """

    def __init__(self, dot: graphviz.Digraph) -> None:
        self.source: str = dot.source

    def render(self, format: str) -> bytes:  # noqa: A002 (graphviz' own word)
        """The picture in one of "dot", "svg", "png", "pdf".

        Raises:
            ValueError: for another format.
            MissingExtraError: where there is no Graphviz to lay it out.
        """
        if format == "dot":
            return self.source.encode()
        if format not in RENDERED:
            raise ValueError(
                f"draw: no format {format!r}; expected one of {', '.join(FORMATS)}"
            )
        return _lay_out(self.source, format)

    def save(self, path: str | Path) -> Path:
        """Write the picture, in the format of the path's ending; returns the path."""
        path = Path(path)
        picture = self.render(path.suffix[1:].lower())
        with written(path) as temporary:
            temporary.write_bytes(picture)
        return path

    def _repr_svg_(self) -> str:
        return self.render("svg").decode()


def draw(
    tensor: Tensor | Graph, path: str | Path | None = None, *, values: bool = True
) -> Drawing:
    """Draw the graph below a Tensor; `viz.graph` says how it looks.

    Args:
        tensor: the root, usually the loss; or a snapshot of it.
        path: where to write it: `.svg`, `.png`, `.pdf` or `.dot`.
        values: write values and gradients into the nodes.
    """
    drawing = Drawing(graph(tensor, values=values))
    if path is not None:
        drawing.save(path)
    return drawing


def _lay_out(source: str, format: str) -> bytes:  # noqa: A002 (graphviz' own word)
    """Run Graphviz: in this process by pygraphviz, or the executable on the path."""
    try:
        pygraphviz: Any = require("pygraphviz", "graphviz", f"A picture in {format}")
    except MissingExtraError:
        if shutil.which("neato") is None:
            raise
        neato = graphviz.Source(source, engine="neato")
        rendered: bytes = neato.pipe(format=format, neato_no_op=2)
        return rendered
    picture = pygraphviz.AGraph(string=source)
    drawn: bytes = picture.draw(format=format, prog="nop2")
    return drawn
