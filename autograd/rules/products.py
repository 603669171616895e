"""Products of matrices and vectors."""

from __future__ import annotations

import math
import string
from collections import Counter
from typing import Any

import numpy as np

from autograd.backward import cast
from autograd.deferred import Product
from autograd.primitive import Primitive, implements, rule
from autograd.programs.tracing import ARRAYS
from autograd.tensor import Tensor, array_of, listed, value_of

__all__ = ["inner_x", "inner_y", "rows_of"]


def _arrays(x: Any, y: Any) -> bool:
    return type(x) in ARRAYS and type(y) in ARRAYS


def _promote(x: Any, y: Any, g: Any) -> tuple[Any, Any, Any]:
    """What np.matmul makes of vectors: x as a row, y as a column, and g to match."""
    row, column = np.ndim(x) == 1, np.ndim(y) == 1
    if column:
        y, g = np.expand_dims(y, -1), np.expand_dims(g, -1)
    if row:
        x, g = np.expand_dims(x, 0), np.expand_dims(g, -2)
    return x, y, g


def _matmul_x(g: Any, ans: Any, x: Any, y: Any) -> Any:
    if type(g) in ARRAYS and _arrays(x, y) and x.ndim == 2 and y.ndim < 3:
        return Product(g.T, y.T) if y.ndim == 2 else Product(g[None], y[None])
    if _arrays(y, g) and g.ndim == y.ndim == 2:
        return np.dot(g, y.T)
    _, y2, g2 = _promote(x, y, g)
    out = np.matmul(g2, np.swapaxes(y2, -1, -2))
    return np.squeeze(out, -2) if np.ndim(x) == 1 else out


def _matmul_y(g: Any, ans: Any, x: Any, y: Any) -> Any:
    if np.ndim(y) == 2:
        return _product(x, g)
    x2, _, g2 = _promote(x, y, g)
    out = np.matmul(np.swapaxes(x2, -1, -2), g2)
    return np.squeeze(out, -1) if np.ndim(y) == 1 else out


def _product(left: Any, right: Any) -> Any:
    """Σ leftᵀ right over all vectors along their last axes; deferred, of arrays."""
    left, right = rows_of(left), rows_of(right)
    if _arrays(left, right):
        return Product(left, right)
    return np.matmul(left.T, right)


implements(np.linalg.matmul, trial=None)(rule(np.matmul, _matmul_x, _matmul_y).two)


def rows_of(x: Any) -> Any:
    """X as a matrix whose rows are the vectors along its last axis."""
    if np.ndim(x) == 2:
        return x
    *lead, width = np.shape(x)
    return np.reshape(x, (math.prod(lead), width))


def _inner_g(g: Any, x: Any, y: Any) -> Any:
    """The gradient of np.inner(x, y) as that of the product of the rows of x and of y."""
    if np.ndim(x) == np.ndim(y) == 2:
        return g
    return np.reshape(g, (math.prod(np.shape(x)[:-1]), math.prod(np.shape(y)[:-1])))


def inner_x(g: Any, ans: Any, x: Any, y: Any) -> Any:
    if not np.ndim(x) or not np.ndim(y):
        return g * y
    if _arrays(y, g) and g.ndim == y.ndim == 2 == x.ndim:
        return np.dot(g, y)  # the same product as np.matmul, called sooner
    found = np.matmul(_inner_g(g, x, y), rows_of(y))
    return found if np.ndim(x) == 2 else np.reshape(found, np.shape(x))


def inner_y(g: Any, ans: Any, x: Any, y: Any) -> Any:
    if not np.ndim(x) or not np.ndim(y):
        return g * x
    g = _inner_g(g, x, y)
    if np.ndim(y) == 2:
        return _product(g, x)
    return np.reshape(np.matmul(g.T, rows_of(x)), np.shape(y))


def _inner(x: Any, y: Any) -> Any:
    """np.inner; of a matrix and at least a matrix as one product of all rows."""
    if _arrays(x, y) and y.ndim == 2 <= x.ndim and x.shape[-1] == y.shape[-1]:
        found = np.dot(rows_of(x), y.T)
        return found if x.ndim == 2 else found.reshape((*x.shape[:-1], len(y)))
    return np.inner(x, y)


# np.inner(x, W) is x Wᵀ for rows of samples x (B, D) and a matrix W (H, D).
inner = Primitive(_inner, name="inner").defvjp(inner_x, inner_y)
implements(np.inner, trial=None)(inner)


@implements(np.linalg.tensordot)
@implements(np.tensordot)
def _tensordot(x: Any, y: Any, axes: Any = 2) -> Any:
    """Sum over pairs of axes, as one matrix product."""
    if isinstance(axes, (int, np.integer)):
        axes = (range(np.ndim(x) - axes, np.ndim(x)), range(axes))
    of_x, of_y = (tuple(int(a) for a in np.atleast_1d(list(np.ravel(p)))) for p in axes)
    of_x = tuple(a % np.ndim(x) for a in of_x)
    of_y = tuple(a % np.ndim(y) for a in of_y)
    rest_x = [a for a in range(np.ndim(x)) if a not in of_x]
    rest_y = [a for a in range(np.ndim(y)) if a not in of_y]
    kept = [np.shape(x)[a] for a in rest_x] + [np.shape(y)[a] for a in rest_y]
    summed = math.prod(np.shape(x)[a] for a in of_x)
    rows = math.prod(np.shape(x)[a] for a in rest_x)
    columns = math.prod(np.shape(y)[a] for a in rest_y)
    left = np.reshape(np.transpose(x, (*rest_x, *of_x)), (rows, summed))
    right = np.reshape(np.transpose(y, (*of_y, *rest_y)), (summed, columns))
    return np.reshape(np.matmul(left, right), kept)


@implements(np.dot)
def _dot(x: Any, y: Any) -> Any:
    if not np.ndim(x) or not np.ndim(y):
        strong: list[Any] = [
            v if isinstance(v, Tensor) else np.asarray(v) for v in (x, y)
        ]
        return np.multiply(*strong)
    return _tensordot(x, y, ((np.ndim(x) - 1,), (max(np.ndim(y) - 2, 0),)))


@implements(np.vdot)
def _vdot(x: Any, y: Any) -> Any:
    return np.inner(np.ravel(x), np.ravel(y))


@implements(np.linalg.outer)
@implements(np.outer)
def _outer(x: Any, y: Any) -> Any:
    return np.reshape(x, (-1, 1)) * np.reshape(y, (1, -1))


@implements(np.kron)
def _kron(x: Any, y: Any) -> Any:
    ndim = max(np.ndim(x), np.ndim(y))
    shape_x = (1,) * (ndim - np.ndim(x)) + np.shape(x)
    shape_y = (1,) * (ndim - np.ndim(y)) + np.shape(y)
    apart = np.reshape(x, [k for n in shape_x for k in (n, 1)])
    together = apart * np.reshape(y, [k for n in shape_y for k in (1, n)])
    return np.reshape(together, [m * n for m, n in zip(shape_x, shape_y, strict=True)])


@implements(np.cross)
def _cross(
    x: Any, y: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1,
    axis: int | None = None,
) -> Any:  # fmt: skip
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = np.moveaxis(x, axisa, -1), np.moveaxis(y, axisb, -1)
    if np.shape(x)[-1] != 3 or np.shape(y)[-1] != 3:
        raise ValueError(
            f"np.cross: vectors of {np.shape(x)[-1]} and {np.shape(y)[-1]} components; "
            "expected 3 and 3"
        )
    after, before = [1, 2, 0], [2, 0, 1]
    product = x[..., after] * y[..., before] - x[..., before] * y[..., after]
    return np.moveaxis(product, -1, axisc)


@implements(np.linalg.cross)
def _linalg_cross(x: Any, y: Any, *, axis: int = -1) -> Any:
    return _cross(x, y, axis=axis)


if hasattr(np, "vecdot"):  # from NumPy 2.0 on

    @implements(np.linalg.vecdot)
    @implements(np.vecdot)
    def _vecdot(x: Any, y: Any, *, axis: int = -1, keepdims: bool = False) -> Any:
        x, y = listed(x), listed(y)
        if axis != -1:
            x, y = np.moveaxis(x, axis, -1), np.moveaxis(y, axis, -1)
        found = np.sum(x * y, axis=-1)
        return np.expand_dims(found, axis) if keepdims else found


if hasattr(np, "matvec"):  # from NumPy 2.2 on

    @implements(np.matvec)
    def _matvec(x: Any, y: Any) -> Any:
        return np.matmul(x, np.expand_dims(y, -1))[..., 0]

    @implements(np.vecmat)
    def _vecmat(x: Any, y: Any) -> Any:
        return np.matmul(np.expand_dims(x, -2), y)[..., 0, :]


def _convolve_full(x: Any, y: Any) -> Any:
    return np.convolve(x, y)


convolve = Primitive(_convolve_full, name="convolve")
convolve.defvjp(
    lambda g, ans, x, y: _valid(g, y[::-1], np.size(x)),
    lambda g, ans, x, y: _valid(g, x[::-1], np.size(y)),
)
"""Σ_k x_k y_{n−k} for every n where the sum has a term."""


def _valid(g: Any, kernel: Any, size: int) -> Any:
    """The part of a convolution in which the kernel lies wholly within g."""
    start = np.size(kernel) - 1
    return convolve(g, kernel)[start : start + size]


@implements(np.convolve)
def _np_convolve(x: Any, y: Any, mode: str = "full") -> Any:
    x, y = np.atleast_1d(x), np.atleast_1d(y)
    if np.size(x) < np.size(y):
        x, y = y, x
    whole, n, m = convolve(x, y), np.size(x), np.size(y)
    if mode == "full":
        return whole
    if mode == "same":
        return whole[(m - 1) // 2 : (m - 1) // 2 + n]
    if mode == "valid":
        return whole[m - 1 : n]
    raise ValueError(f"np.convolve: mode={mode!r}, expected full, same or valid")


@implements(np.correlate)
def _correlate(x: Any, y: Any, mode: str = "valid") -> Any:
    n, m = np.size(x), np.size(y)
    whole = convolve(x, y[::-1])
    if mode == "full":
        return whole
    if mode == "same":
        start = (min(n, m) - 1) // 2
        start = start if n >= m else min(n, m) - 1 - start
        return whole[start : start + max(n, m)]
    if mode == "valid":
        return whole[min(n, m) - 1 : max(n, m)]
    raise ValueError(f"np.correlate: mode={mode!r}, expected full, same or valid")


@implements(np.interp)
def _interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """Between the points (xp, fp) around x, which must increase; beyond them constant."""
    x, xp, fp = listed(x), listed(xp), listed(fp)
    if period is not None:
        left = right = None
        x, xp, fp = _periodic(x, xp, fp, abs(period))
    at, knots = value_of(x), array_of(xp)
    below = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, knots.size - 2)
    if knots.size == 1:
        inside = np.broadcast_to(fp[0], np.shape(at))
    else:
        part = (x - xp[below]) / (xp[below + 1] - xp[below])
        inside = fp[below] + (fp[below + 1] - fp[below]) * part
    found = np.where(at < knots[0], fp[0] if left is None else left, inside)
    found = np.where(at > knots[-1], fp[-1] if right is None else right, found)
    return cast(found, np.float64)  # whatever came in, as NumPy has it


def _periodic(x: Any, xp: Any, fp: Any, period: Any) -> tuple[Any, Any, Any]:
    """One period of the points, in order, and the nearest of the periods beside it."""
    x, xp = np.remainder(x, period), np.remainder(xp, period)
    order = np.argsort(value_of(xp))
    xp, fp = xp[order], fp[order]
    xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
    return x, xp, np.concatenate([fp[-1:], fp, fp[:1]])


def _einsum(subscripts: str, *operands: Any) -> Any:
    return np.einsum(subscripts, *operands, optimize=len(operands) > 2)


einsum = Primitive(_einsum, name="einsum")
"""np.einsum with explicit letters: no ellipsis, no repeated letter in one operand."""


def _einsum_vjp(place: int) -> Any:
    if place == 0:
        return None
    i = place - 1

    def vjp(g: Any, ans: Any, subscripts: str, *operands: Any) -> Any:
        """Swap the operand's letters with the result's; spread those it alone had."""
        terms, result = subscripts.split("->")
        letters = terms.split(",")
        mine = letters[i]
        others = [*letters[:i], *letters[i + 1 :]]
        arrays = [*operands[:i], *operands[i + 1 :]]
        known = set(result).union(*others)
        kept = "".join(c for c in mine if c in known)
        back = einsum(f"{','.join([result, *others])}->{kept}", g, *arrays)
        sizes = dict(zip(kept, np.shape(back), strict=True))
        shape = [sizes.get(c, 1) for c in mine]
        return np.reshape(back, shape)

    return vjp


einsum.defvjp_each(_einsum_vjp)


def _as_text(operands: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Operands, each with the numbers of its axes, as subscripts and operands."""
    letters = string.ascii_uppercase + string.ascii_lowercase

    def text(axes: Any) -> str:
        return "".join("..." if a is Ellipsis else letters[a] for a in axes)

    result = f"->{text(operands[-1])}" if len(operands) % 2 else ""
    return ",".join(map(text, operands[1::2])) + result, operands[: len(operands) - 1 : 2]


@implements(np.einsum)
def _np_einsum(
    *operands: Any, optimize: Any = False, order: Any = "K", casting: Any = "safe"
) -> Any:
    """Any number of operands; ellipses get letters, repeated letters take diagonals."""
    subscripts, *rest = operands
    if not isinstance(subscripts, str):
        subscripts, rest = _as_text(operands)  # type: ignore[assignment]
    operands = tuple(map(listed, rest))
    terms, result = _spelled_out(subscripts.replace(" ", ""), operands)
    plain = [_diagonals(t, x) for t, x in zip(terms, operands, strict=True)]
    letters = ",".join(term for term, _ in plain)
    return einsum(f"{letters}->{result}", *(x for _, x in plain))


def _spelled_out(subscripts: str, operands: Any) -> tuple[list[str], str]:
    """The letters of each operand and of the result, without ellipsis or default."""
    terms, arrow, result = subscripts.partition("->")
    parts = terms.split(",")
    free = [c for c in string.ascii_letters if c not in subscripts]
    widths = [
        np.ndim(x) - len(part.replace("...", ""))
        for part, x in zip(parts, operands, strict=True)
    ]
    dots = max((w for w, p in zip(widths, parts, strict=True) if "..." in p), default=0)
    ellipsis = "".join(free[:dots])
    spelled = [
        part.replace("...", ellipsis[dots - width :] if width else "")
        for part, width in zip(parts, widths, strict=True)
    ]
    if not arrow:
        counts = Counter("".join(part.replace("...", "") for part in parts))
        result = "..." * bool(dots) + "".join(
            sorted(c for c, n in counts.items() if n == 1)
        )
    return spelled, result.replace("...", ellipsis)


def _diagonals(letters: str, x: Any) -> tuple[str, Any]:
    """Take the diagonal for each letter that an operand has twice."""
    for c in dict.fromkeys(letters):
        while letters.count(c) > 1:
            first = letters.index(c)
            second = letters.index(c, first + 1)
            x = np.diagonal(x, 0, first, second)
            letters = (
                letters[:first] + letters[first + 1 : second] + letters[second + 1 :] + c
            )
    return letters, x
