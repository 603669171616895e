"""Pictures on disk and in notebooks."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.sax.saxutils import escape

import graphviz

from autograd import Graph, Tensor
from autograd.extras import MissingExtraError, require
from autograd.files import written
from viz.dot import laid_out, text
from viz.page import page
from viz.plain import to_json
from viz.scene import Scene
from viz.svg import svg

__all__ = ["Drawing", "draw"]

WRITTEN: dict[str, Callable[[Graph, Scene], str]] = {
    "dot": lambda graph, scene: text(scene).source,
    "svg": lambda graph, scene: HEAD + svg(scene),
    "html": page,
    "json": to_json,
}
"""What is written here, without any other program."""
RENDERED = ("png", "pdf")
FORMATS = (*WRITTEN, *RENDERED)
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


class Drawing:
    """A picture of a graph; a notebook shows it by itself.

    Attributes:
        graph: what was recorded.
        scene: what is drawn of it, with everything in its place.
    """

    def __init__(self, graph: Graph, scene: Scene) -> None:
        self.graph = graph
        self.scene = scene

    @property
    def source(self) -> str:
        """The DOT text."""
        return WRITTEN["dot"](self.graph, self.scene)

    def render(self, format: str) -> bytes:  # noqa: A002 (graphviz' own word)
        """The picture in one of "dot", "svg", "html", "json", "png", "pdf".

        Raises:
            ValueError: for another format.
            MissingExtraError: for PNG and PDF where there is no Graphviz to draw them.
        """
        if format in WRITTEN:
            return WRITTEN[format](self.graph, self.scene).encode()
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
        path: where to write it, by its ending: `.svg`; `.html`, a page to explore it
            in; `.dot`; `.json`, as `viz.plain` has it; `.png` or `.pdf`, which
            need Graphviz.
        values: write values and gradients into the nodes.
        steps: draw at most so many steps, the first and the last; all unless given.
    """
    drawing = Drawing(*laid_out(tensor, values, steps))
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
