"""Gradients not yet written out: parts of an array, and products still to be taken.

A network unrolled over T steps uses one weight T times and one input array in T slices.
Each use sends its gradient as what stands here, and where they meet they become one
large product, or fill one buffer, in place of T arrays of full size added up.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.context import state
from autograd.programs.tracing import ARRAYS, Traced, as_one_call

__all__ = ["DEFERRED", "Column", "Deferred", "Own", "Piece", "Product", "Rows", "Sum"]


class Deferred:
    """A gradient that `full` writes out."""

    __slots__ = ()

    def full(self) -> Any:
        """The gradient as an array of its own."""
        raise NotImplementedError

    @property
    def T(self) -> Any:
        """The transpose, deferred where that is possible."""
        return self.full().T

    @property
    def sparse(self) -> bool:
        """Whether it is little beside the array that `full` writes out."""
        return False

    def keep(self) -> None:
        """Copy what a sparse gradient holds: it outlives the sweep."""
        raise NotImplementedError


class Own(Deferred):
    """A gradient that is written out, in an array that nobody else holds."""

    __slots__ = ("g",)

    def __init__(self, g: Any) -> None:
        self.g = g

    def full(self) -> Any:
        """That array."""
        return self.g


class Piece(Deferred):
    """A gradient that is zero but for `g` added at [index]."""

    __slots__ = ("g", "index", "shape")

    def __init__(self, g: Any, index: Any, shape: tuple[int, ...]) -> None:
        self.g, self.index, self.shape = g, index, shape

    @property
    def value(self) -> Any:
        """G, written out."""
        return self.g.full() if type(self.g) is Rows else self.g

    def add_to(self, total: Any) -> None:
        """Add it to an array of its shape, in place."""
        index, g = self.index, self.value
        parts = index if type(index) is tuple else (index,)
        if all(part is None or isinstance(part, _BASIC) for part in parts):
            total[index] += g
        elif type(index) in ARRAYS and index.dtype.kind in "iu" and total.ndim > 1:
            _add_rows(total, index, g)
        else:
            np.add.at(total, index, g)

    @property
    def sparse(self) -> bool:
        return bool(4 * self.size < math.prod(self.shape))

    @property
    def size(self) -> int:
        """The elements of g."""
        return self.g.size if type(self.g) is Rows else int(np.size(self.g))

    def keep(self) -> None:
        self.g = np.copy(self.value)

    def full(self) -> Any:
        """Zeros, and g at [index]."""
        total = _blank(np.zeros_like, [self])
        self.add_to(total)
        return total


_BASIC = (int, slice, type(Ellipsis))
"""What NumPy's basic indexing takes: no element is selected twice."""


@as_one_call  # how many rows differ hangs on the values
def _add_rows(total: Any, index: Any, g: Any) -> None:
    """np.add.at(total, index, g) for whole rows: equal ones are summed first."""
    # A small integer type may not hold the number of rows.
    rows, width = index.reshape(-1).astype(np.intp) % len(total), total.shape[1:]
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    first = np.flatnonzero(np.append(True, rows[1:] != rows[:-1])[: rows.size])
    if rows.size:
        g = np.broadcast_to(g, (*index.shape, *width)).reshape((rows.size, *width))
        total[rows[first]] += np.add.reduceat(g[order], first, axis=0)


def _tile(pieces: list[Piece]) -> bool:
    """Whether pieces are all rows of an array, or cut its last axis, without a gap."""
    shape = pieces[0].shape
    kind = type(pieces[0].index)
    if kind is int:
        rows = {piece.index for piece in pieces if type(piece.index) is int}
        return len(rows) == len(pieces) == shape[0] and min(rows) == 0
    if kind is not tuple:
        return False
    cuts = []
    for piece in pieces:
        index = piece.index
        if not (type(index) is tuple and len(index) == 2 and index[0] is Ellipsis):
            return False
        part = index[1]
        if type(part) is not slice or part.step is not None:
            return False
        cuts.append((part.start, part.stop))
    end = 0
    try:
        for start, stop in sorted(cuts):
            if start != end or not start < stop <= shape[-1]:
                return False
            end = stop
    except TypeError:  # an open end, or no number
        return False
    return bool(end == shape[-1])


def _example(pieces: list[Piece]) -> Any:
    """What shows where pieces go: their values; a traced one, or index, where any is."""
    if state.get().tape is None:
        return pieces[0].value
    values = [piece.value for piece in pieces]
    indices = [piece.index for piece in pieces]
    parts = (p for i in indices for p in (i if isinstance(i, tuple) else (i,)))
    return next((v for v in (*values, *parts) if isinstance(v, Traced)), values[0])


def _blank(function: Any, pieces: list[Piece]) -> Any:
    """An array for pieces, by np.zeros_like or np.empty_like; traced where they are."""
    value, shape, example = pieces[0].value, pieces[0].shape, _example(pieces)
    if isinstance(example, Traced):
        return example.tape.run(function, (value,), {"shape": shape})
    return function(value, shape=shape)


def _tiled(pieces: list[Piece]) -> Any:
    """The array that pieces without a gap make up."""
    first, shape = pieces[0].g, pieces[0].shape
    if all(type(piece.g) is Rows and piece.g.right is first.right for piece in pieces):
        ordered = sorted(pieces, key=lambda piece: piece.index)
        lefts = [piece.g.left for piece in ordered]
        return np.dot(np.concatenate(lefts), first.right).reshape(shape)
    total = _blank(np.empty_like, pieces)
    for piece in pieces:
        total[piece.index] = piece.value
    return total


class Rows(Deferred):
    """The product of left (rows, N) and a matrix (N, M): an array (rows, M)."""

    __slots__ = ("left", "right")

    def __init__(self, left: Any, right: Any) -> None:
        self.left, self.right = left, right

    @property
    def size(self) -> int:
        """The elements of the product."""
        return len(self.left) * int(self.right.shape[1])

    def full(self) -> Any:
        """The product."""
        return np.dot(self.left, self.right)


class Product(Deferred):
    """Σ leftᵀ right over pairs of factors (rows, M) and (rows, N): an array (M, N)."""

    __slots__ = ("lefts", "rights")

    def __init__(self, left: Any, right: Any) -> None:
        self.lefts, self.rights = [left], [right]

    @property
    def T(self) -> Product:
        swapped = Product.__new__(Product)
        swapped.lefts, swapped.rights = self.rights, self.lefts
        return swapped

    def full(self) -> Any:
        """The rows of all pairs stacked, as one product."""
        return _joined(self.lefts).T @ _joined(self.rights)


class Column(Deferred):
    """Σ over the rows of each part (rows, N): an array (N,)."""

    __slots__ = ("parts",)

    def __init__(self, part: Any) -> None:
        self.parts = [part]

    def full(self) -> Any:
        """The sum over the rows of all parts, joined in the order of time."""
        return np.add.reduce(_joined(self.parts), axis=0)


def _joined(parts: list[Any]) -> Any:
    """The rows of all parts. A sweep goes backwards, so the last part comes first."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts[::-1])


class Sum(Deferred):
    """The gradients that several uses sent to one node."""

    __slots__ = ("columns", "own", "pieces", "products", "total")

    def __init__(self, first: Any) -> None:
        self.total: Any = None
        self.own = False
        self.products: Product | None = None
        self.columns: Column | None = None
        self.pieces: list[Piece] = []
        self.add(first)

    def add(self, g: Any) -> None:
        """Take in the gradient of one more use."""
        if type(g) is Product:
            self._hold(g)
        elif type(g) is Column:
            self._hold_column(g)
        elif type(g) is Piece:
            self.pieces.append(g)
        else:
            self._add(g)

    def _hold(self, g: Product) -> None:
        if self.products is None:
            self.products = Product.__new__(Product)
            self.products.lefts, self.products.rights = list(g.lefts), list(g.rights)
        else:
            self.products.lefts += g.lefts
            self.products.rights += g.rights

    def _hold_column(self, g: Column) -> None:
        if self.columns is None:
            self.columns = Column.__new__(Column)
            self.columns.parts = list(g.parts)
        else:
            self.columns.parts += g.parts

    def _add(self, g: Any) -> None:
        own = isinstance(g, Deferred)
        g = g.full() if isinstance(g, Deferred) else g
        if self.total is None:
            self.total, self.own = g, own
        elif self.own and type(g) is type(self.total):
            self.total += g
        else:
            self.total = self.total + g
            self.own = type(self.total) in ARRAYS

    @property
    def T(self) -> Any:
        pure = self.total is None and self.columns is None and not self.pieces
        if pure and self.products is not None:
            return self.products.T
        return super().T

    @property
    def sparse(self) -> bool:
        dense = (self.total, self.products, self.columns)
        if not self.pieces or any(part is not None for part in dense):
            return False
        sizes = sum(piece.size for piece in self.pieces)
        return bool(4 * sizes < math.prod(self.pieces[0].shape))

    def keep(self) -> None:
        for piece in self.pieces:
            piece.keep()

    def full(self) -> Any:
        """Their sum."""
        if self.products is not None:
            products, self.products = self.products, None
            self._add(products)
        if self.columns is not None:
            columns, self.columns = self.columns, None
            self._add(columns)
        if self.pieces:
            pieces, self.pieces = self.pieces, []
            self._add_pieces(pieces)
        return self.total

    def _add_pieces(self, pieces: list[Piece]) -> None:
        """Add what they make up, summed by itself, whoever holds the rest."""
        if _tile(pieces):
            self._add(Own(_tiled(pieces)))
            return
        buffer = _blank(np.zeros_like, pieces)
        for piece in pieces:
            piece.add_to(buffer)
        self._add(Own(buffer))


DEFERRED = frozenset({Column, Own, Piece, Product, Rows, Sum})
"""Their types, for a test quicker than isinstance."""
