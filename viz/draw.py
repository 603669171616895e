"""Pictures on disk and in notebooks."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.sax.saxutils import escape

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
    tensor: Tensor | Graph,
    path: str | Path | None = None,
    *,
    values: bool = True,
    steps: int | None = None,
) -> Drawing:
    """Draw the graph below a Tensor; `viz.graph` says how it looks.

    Args:
        tensor: the root, usually the loss; or a snapshot of it.
        path: where to write it: `.svg`, `.png`, `.pdf` or `.dot`.
        values: write values and gradients into the nodes.
        steps: draw at most so many steps, the first and the last; all unless given.
    """
    drawing = Drawing(graph(tensor, values=values, steps=steps))
    if path is not None:
        drawing.save(path)
    return drawing


def _lay_out(source: str, format: str) -> bytes:  # noqa: A002 (graphviz' own word)
    """Run Graphviz: in this process by pygraphviz, or the executable on the path."""
    with _fonts():
        try:
            pygraphviz = require("pygraphviz", "graphviz", f"A picture in {format}")
        except MissingExtraError:
            if shutil.which("dot") is None:
                raise
            rendered: bytes = graphviz.Source(source).pipe(format=format)
            return rendered
        with _without_font_warnings():
            drawn: bytes = pygraphviz.AGraph(string=source).draw(
                format=format, prog="nop2"
            )
        return drawn


@contextmanager
def _without_font_warnings() -> Iterator[None]:
    """Drop Fontconfig's remarks on the system's own files; pass on all else.

    The library inside pygraphviz reads the system's font settings whatever it is told,
    and complains on standard error of those of another version.
    """
    errors = os.dup(2)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(errors, 2)
            caught.seek(0)
            for line in caught:
                if not line.startswith(b"Fontconfig"):
                    os.write(errors, line)
            os.close(errors)


@contextmanager
def _fonts() -> Iterator[None]:
    """Have Graphviz write with the fonts that come with matplotlib, where that is.

    A machine need not have any fonts, and a picture is to be the same on all machines.
    """
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None or "FONTCONFIG_FILE" in os.environ:
        yield
        return
    fonts = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "fonts.conf"
        dirs = f"<dir>{escape(str(fonts))}</dir><cachedir>{escape(folder)}</cachedir>"
        configuration.write_text(f"<fontconfig>{dirs}</fontconfig>", encoding="utf-8")
        os.environ["FONTCONFIG_FILE"] = str(configuration)
        try:
            yield
        finally:
            del os.environ["FONTCONFIG_FILE"]
