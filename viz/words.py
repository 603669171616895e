"""How operations, names and numbers read in a picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Graph, Node

__all__ = ["is_cut", "number", "quantity", "shown", "title"]

FORMS = {
    "add": "{0} + {1}", "subtract": "{0} − {1}", "multiply": "{0} × {1}",
    "divide": "{0} ÷ {1}", "power": "{0} ^ {1}", "negative": "−{0}",
    "square": "({0})²", "sqrt": "√{0}", "absolute": "|{0}|", "sum": "Σ {0}",
    "inner": "{1} {0}", "matmul": "{0} @ {1}", "getitem": "{0}[{1}]",
    "transpose": "{0}ᵀ", "sigmoid": "σ({0})", "positive": "{0}",
}  # fmt: skip
"""How an operation reads from its arguments: np.inner(x, W) is the lecture's W x."""

LONGEST, LONGEST_INDEX = 8, 16
"""Constants that read longer are just called so; which an index is rarely to be."""

SHOWN = 3
"""Arrays of as many elements are written out; of larger ones, their shape and norm."""


def title(node: Node, graph: Graph) -> tuple[str, str]:
    """What a node is called, and how it came about."""
    if node.op == "leaf":
        cut = f" ({node.scope.replace('/', ', ')})" if is_cut(node) else ""
        return shown(node.name or "constant"), shown(cut)
    longest = LONGEST_INDEX if node.op == "getitem" else LONGEST
    words = [_argument(a, graph, longest) for a in node.arguments]
    plain = not words or node.op.startswith("checkpoint ")  # whose first is its value
    form = FORMS.get(node.op, node.op if plain else f"{node.op}({{0}})")
    made = form.format(*words, *("·", "·"))
    return shown(node.name or ""), shown(f" = {made}" if node.name else made)


def is_cut(node: Node) -> bool:
    """By convention a leaf in a scope "…/cut" is a state cut off from its past."""
    return node.op == "leaf" and node.scope.split("/")[-1] == "cut"


def _argument(argument: int | str, graph: Graph, longest: int) -> str:
    """A node's name, or · for one without; of constants, numbers as they are."""
    if isinstance(argument, int):
        return graph.nodes[argument].name or "·"
    return argument if len(argument) <= longest else "const"


def shown(text: str) -> str:
    """Text without control characters, which no label can hold."""
    return "".join(c for c in text if c.isprintable())


def quantity(value: Any) -> str:
    """A value: its numbers where they are few, else its Euclidean norm and its shape."""
    value = np.asarray(value)
    if value.size <= SHOWN:
        return " ".join(number(float(x)) for x in value.ravel())
    shape = "×".join(map(str, value.shape))
    return f"‖{number(float(np.linalg.norm(value)))}‖ {shape}"


def number(x: float) -> str:
    """Three significant digits, with a true minus sign.

    >>> number(-0.0000012345)
    '−1.23e−6'
    """
    text = f"{x + 0.0:.3g}"  # −0 reads 0
    mantissa, e, exponent = text.partition("e")
    return (mantissa + (f"e{int(exponent)}" if e else "")).replace("-", "−")
