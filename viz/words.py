"""How operations, names and numbers read in a picture."""

from __future__ import annotations

import html
from typing import Any

import numpy as np

from autograd import Graph, Node

__all__ = ["number", "quantity", "title"]

SYMBOLS = {
    "add": "+", "subtract": "−", "multiply": "×", "divide": "÷", "negative": "−",
    "square": "( )²", "sum": "Σ", "positive": "identity",
    "absolute": "| |", "sqrt": "√", "power": "xʸ",
    "sigmoid": "σ",
}  # fmt: skip
PRODUCTS = {
    "inner": "{1} {0}", "matmul": "{0} @ {1}", "getitem": "{0}[ ]", "transpose": "{0}ᵀ"
}  # fmt: skip
"""How a product reads from its factors' names: np.inner(x, W) is the lecture's W x."""

SHOWN = 3
"""Arrays of as many elements are written out; of larger ones, their shape and norm."""


def title(node: Node, graph: Graph) -> str:
    """What a node is called and how it came about, as an HTML label."""
    symbol = html.escape(SYMBOLS.get(node.op, node.op))
    if node.op in PRODUCTS:
        names = [graph.nodes[parent].name or "" for parent in node.parents]
        symbol = html.escape(PRODUCTS[node.op].format(*names)).strip()
    if node.op == "leaf":
        return f"<B>{html.escape(node.name or 'constant')}</B>"
    return f"<B>{html.escape(node.name)}</B> = {symbol}" if node.name else symbol


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
    text = f"{x:.3g}"
    mantissa, e, exponent = text.partition("e")
    return (mantissa + (f"e{int(exponent)}" if e else "")).replace("-", "−")
