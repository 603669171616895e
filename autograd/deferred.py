"""Gradients not yet written out: parts of an array, and products still to be taken.

A network unrolled over T steps uses one weight T times and one input array in T slices.
Each use sends its gradient as what stands here, and where they meet they become one
large product, or fill one buffer, in place of T arrays of full size added up.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["DEFERRED", "Deferred", "Piece", "Product", "Sum"]

HELD = 2**22
"""Elements of factors, 32 MiB of float64, that a sum of products holds at most."""


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


class Piece(Deferred):
    """A gradient that is zero but for `g` added at [index]."""

    __slots__ = ("g", "index", "shape")

    def __init__(self, g: Any, index: Any, shape: tuple[int, ...]) -> None:
        self.g, self.index, self.shape = g, index, shape

    def add_to(self, total: Any) -> None:
        """Add it to an array of its shape, in place."""
        index = self.index
        parts = index if type(index) is tuple else (index,)
        if all(part is None or isinstance(part, _BASIC) for part in parts):
            total[index] += self.g
        elif (
            isinstance(index, np.ndarray) and index.dtype.kind in "iu" and total.ndim > 1
        ):
            _add_rows(total, index, self.g)
        else:
            np.add.at(total, index, self.g)

    @property
    def sparse(self) -> bool:
        return bool(4 * np.size(self.g) < math.prod(self.shape))

    def keep(self) -> None:
        self.g = np.array(self.g)

    def full(self) -> Any:
        """Zeros, and g at [index]."""
        total = np.zeros(self.shape, np.result_type(self.g))
        self.add_to(total)
        return total


_BASIC = (int, slice, type(Ellipsis))
"""What NumPy's basic indexing takes: no element is selected twice."""


def _add_rows(total: Any, index: Any, g: Any) -> None:
    """np.add.at(total, index, g) for whole rows: equal ones are summed first."""
    # A small integer type may not hold the number of rows.
    rows, width = index.reshape(-1).astype(np.intp) % len(total), total.shape[1:]
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    first = np.flatnonzero(np.append(True, rows[1:] != rows[:-1])[: rows.size])
    if first.size:
        g = np.broadcast_to(g, (*index.shape, *width)).reshape((rows.size, *width))
        total[rows[first]] += np.add.reduceat(g[order], first, axis=0)


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

    @property
    def light(self) -> bool:
        """Whether holding the factors takes about as little room as their product."""
        rows, M = self.lefts[0].shape
        N = self.rights[0].shape[1]
        return bool(rows * (M + N) <= 2 * M * N)

    def full(self) -> Any:
        """The rows of all pairs stacked, as one product."""
        if len(self.lefts) == 1:
            return self.lefts[0].T @ self.rights[0]
        return np.concatenate(self.lefts).T @ np.concatenate(self.rights)


class Sum(Deferred):
    """The gradients that several uses sent to one node."""

    __slots__ = ("held", "own", "pieces", "products", "total")

    def __init__(self, first: Any) -> None:
        self.total: Any = None
        self.own = False
        self.products: Product | None = None
        self.held = 0
        self.pieces: list[Piece] = []
        self.add(first)

    def add(self, g: Any) -> None:
        """Take in the gradient of one more use."""
        if type(g) is Product and g.light:
            self._hold(g)
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
        for left, right in zip(g.lefts, g.rights, strict=True):
            self.held += left.size + right.size
        if self.held > HELD:
            products, self.products, self.held = self.products, None, 0
            self._add(products)

    def _add(self, g: Any) -> None:
        own = isinstance(g, Deferred)
        g = g.full() if isinstance(g, Deferred) else g
        if self.total is None:
            self.total, self.own = g, own
        elif self.own and type(g) is np.ndarray:
            self.total += g
        else:
            self.total = self.total + g
            self.own = type(self.total) is np.ndarray

    @property
    def T(self) -> Any:
        if self.total is None and self.products is not None and not self.pieces:
            return self.products.T
        return super().T

    @property
    def sparse(self) -> bool:
        if self.total is not None or self.products is not None:
            return False
        sizes = sum(np.size(piece.g) for piece in self.pieces)
        return bool(4 * sizes < math.prod(self.pieces[0].shape))

    def keep(self) -> None:
        for piece in self.pieces:
            piece.keep()

    def full(self) -> Any:
        """Their sum."""
        if self.products is not None:
            products, self.products = self.products, None
            self._add(products)
        if self.pieces:
            pieces, self.pieces = self.pieces, []
            self._add_pieces(pieces)
        return self.total

    def _add_pieces(self, pieces: list[Piece]) -> None:
        if self.own and type(self.total) is np.ndarray:
            buffer = self.total
        else:
            buffer = np.zeros(pieces[0].shape, np.result_type(pieces[0].g))
        for piece in pieces:
            piece.add_to(buffer)
        if buffer is not self.total:
            self._add(buffer)
            self.own = self.own or self.total is buffer


DEFERRED = frozenset({Piece, Product, Sum})
"""Their types, for a test quicker than isinstance."""
