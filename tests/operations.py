"""The table of operations: what is called, on which shapes, on which numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd as ag
from autograd.tensor import value_of
from autograd.testing import arrays, axes, broadcastable, numbers, shapes

SHAPES, NONEMPTY = shapes(), shapes(min_dims=1)
VECTORS = shapes(min_dims=1, max_dims=1)


MATRICES = shapes(min_dims=2, max_side=3)
ANY = numbers(-3, 3)
HALVES = st.integers(-40, 40).map(lambda n: n / 2)
POSITIVE = numbers(0.1, 3)
NONZERO = numbers(-3, 3, without=0.1)
MIDWAY = st.integers(-9, 9).map(lambda n: n + 0.37)
"""Numbers whose quotients by STEPS are no integers, where mod would jump."""
STEPS = st.sampled_from([-2.0, -1.0, 1.0, 2.0])
LOG2 = np.log(2)


@st.composite
def unary(draw, elements=ANY, shape=SHAPES, unique=False):
    return [draw(arrays(shape, elements, unique=unique))], {}


@st.composite
def binary(draw, left=ANY, right=ANY):
    return draw(broadcastable(left, right)), {}


@st.composite
def apart(draw):
    """Two broadcastable arrays whose elements are never equal."""
    (x, y), _ = draw(binary())
    return [x, np.where(np.isclose(y - y.round(2), 0), y + 0.0005, y) + 0.0002], {}


@st.composite
def by_signature(draw, signature, batch=True, side=3):
    """Arrays of the shapes of a gufunc's signature; in batches, or just those."""
    most = 2 if batch else 0
    return draw(broadcastable(signature=signature, max_dims=most, max_side=side)), {}


@st.composite
def reduced(draw, unique=False, where=True, ddof=False, spread=False):
    """An array, and along which axes; of `spread`, two different elements or more."""
    least, elements = (2, HALVES) if spread else (1, ANY)
    shape = shapes(min_dims=1, min_side=least, max_side=3)
    (x,), _ = draw(unary(elements, shape, unique or spread))
    axis = draw(axes(x.ndim))
    kwargs = {"axis": axis, "keepdims": draw(st.booleans())}
    if where and draw(st.booleans()):
        mask = draw(hnp.arrays(bool, x.shape))
        if np.all(np.sum(mask, axis=axis) >= least):
            kwargs["where"] = mask
    if ddof and np.all(np.sum(np.full(x.shape, kwargs.get("where", True)), axis) > 1):
        kwargs["ddof"] = draw(st.integers(0, 1))
    return [x], kwargs


@st.composite
def one_axis(draw, unique=False):
    (x,), _ = draw(unary(ANY, NONEMPTY, unique))
    return [x], {"axis": draw(axes(x.ndim, several=False, none=False))}


@st.composite
def layer(draw, most=2):
    """x (…, N), W (M, N) and b (M,)."""
    N, M = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    lead = draw(hnp.array_shapes(min_dims=1, max_dims=most, max_side=3))
    return [draw(arrays(s, ANY)) for s in ((*lead, N), (M, N), (M,))], {}


@st.composite
def sequence(draw):
    """The same of a sequence x (T, B, N)."""
    N, M, T, B = (draw(st.integers(1, 3)) for _ in range(4))
    return [draw(arrays(s, ANY)) for s in ((T, B, N), (M, N), (M,))], {}


@st.composite
def classes(draw):
    """z (…, K) and, for each place, one of the K."""
    (z,), _ = draw(unary(ANY, NONEMPTY))
    index = st.integers(0, z.shape[-1] - 1)
    return [z], {"d": draw(hnp.arrays(np.intp, z.shape[:-1], elements=index))}


@st.composite
def scanned(draw):
    (x,), kwargs = draw(one_axis())
    return [x], kwargs if draw(st.booleans()) else {"axis": None}


@st.composite
def indexed(draw):
    (x,), _ = draw(unary(ANY, NONEMPTY))
    index = draw(
        hnp.basic_indices(x.shape, allow_newaxis=True)
        | hnp.integer_array_indices(x.shape)
        | hnp.arrays(bool, x.shape)
    )
    return [x], {"index": index}


@st.composite
def alongside(draw):
    (x,), kwargs = draw(one_axis())
    axis, n = kwargs["axis"], x.shape[kwargs["axis"]]
    shape = list(x.shape)
    shape[axis] = draw(st.integers(1, 4))
    indices = draw(hnp.arrays(np.intp, tuple(shape), elements=st.integers(0, n - 1)))
    return [x], {"indices": indices, "axis": axis}


@st.composite
def joined(draw, same):
    (x,), kwargs = draw(one_axis())
    axis, several = kwargs["axis"], [x]
    for _ in range(draw(st.integers(0, 3))):
        shape = list(x.shape)
        if not same:
            shape[axis] = draw(st.integers(1, 3))
        several.append(draw(arrays(tuple(shape), ANY)))
    return several, {"axis": axis}


@st.composite
def reshaped(draw):
    (x,), _ = draw(unary())
    shape = draw(st.permutations(x.shape)) + [1] * draw(st.integers(0, 1))
    return [x], {"shape": tuple(shape)}


@st.composite
def permuted(draw):
    (x,), _ = draw(unary())
    axes = draw(st.none() | st.permutations(range(x.ndim)).map(tuple))
    if axes:
        axes = tuple(a - x.ndim * draw(st.booleans()) for a in axes)
    return [x], {"axes": axes}


@st.composite
def two_axes(draw):
    (x,), _ = draw(unary(ANY, NONEMPTY))
    axis = st.integers(-x.ndim, x.ndim - 1)
    return [x], {"a": draw(axis), "b": draw(axis)}


@st.composite
def squeezed(draw):
    (x,), _ = draw(unary())
    ones = [i for i, n in enumerate(x.shape) if n == 1]
    return [x], {"axis": draw(st.none() | st.sampled_from(ones)) if ones else None}


@st.composite
def square(draw, least, most):
    """An array of `least` to `most` axes, and the number of a diagonal."""
    shape = shapes(min_dims=least, max_dims=most, min_side=2, max_side=3)
    (x,), _ = draw(unary(ANY, shape))
    return [x], {"k": draw(st.integers(-1, 1))}


@st.composite
def pair_of_rows(draw):
    (x,), _ = draw(unary(ANY, shapes(min_dims=1, max_dims=2, max_side=3)))
    return [x, draw(arrays(x.shape, ANY))], {}


@st.composite
def pair_of_vectors(draw):
    """Of any lengths, and without zeros, which np.polymul leaves out in front."""
    return [draw(arrays(VECTORS, NONZERO)), draw(arrays(VECTORS, NONZERO))], {}


@st.composite
def pair_of_columns(draw):
    """One row or more, of three columns or four."""
    shape = (draw(st.integers(1, 3)), draw(st.integers(3, 4)))
    return [draw(arrays(shape, ANY))], {}


@st.composite
def matrices(draw, least=1):
    """Square matrices far from singular, and their determinants positive."""
    n = draw(st.integers(least, 3))
    lead = draw(shapes(min_dims=0, max_dims=1, max_side=2))
    x = draw(arrays((*lead, n, n), numbers(-1, 1)))
    return [x + 4 * np.eye(n)], {}


@st.composite
def systems(draw):
    """A matrix and a right-hand side: a vector, or as many columns as wanted."""
    (a,), _ = draw(matrices())
    n = a.shape[-1]
    shape = draw(st.sampled_from([(n,), (*a.shape[:-1], 2)]))
    return [a, draw(arrays(shape, ANY))], {}


@st.composite
def symmetric(draw, least=1):
    """Symmetric matrices of well separated eigenvalues."""
    (x,), _ = draw(matrices(least))
    n = x.shape[-1]
    return [(x + np.swapaxes(x, -1, -2)) / 16 + np.diag(np.arange(n) * 1.5)], {}


@st.composite
def square_matrices(draw):
    (x,), _ = draw(matrices(least=2))
    return [x], {}


@st.composite
def tall(draw, stacked=True, least=1, most=1):
    """Matrices of at least as many rows as columns, of well separated singular values."""
    (x,), _ = draw(matrices(least))
    x = x if stacked or x.ndim == 2 else x[0]
    x = x / 8 + np.diag(np.arange(x.shape[-1]) * 1.5)
    extra = draw(st.integers(0, most))
    return [np.concatenate([x, x[..., :extra, :] + 0.5], axis=-2)], {}


@st.composite
def sampled(draw):
    """Values at three points or more along the first axis, and a step's logarithm."""
    shape = (draw(st.integers(3, 5)), draw(st.integers(1, 2)))
    values = arrays(shape, ANY)
    step = arrays((), ANY)
    return [draw(values), draw(step)], {}


@st.composite
def expanded(draw):
    (x,), _ = draw(unary())
    return [x], {"axis": draw(st.integers(-x.ndim - 1, x.ndim))}


@st.composite
def broadcast(draw):
    (x,), _ = draw(unary())
    lead = draw(shapes(min_dims=0, max_dims=2, max_side=3))
    stretched = tuple(draw(st.integers(1, 3)) if n == 1 else n for n in x.shape)
    return [x], {"shape": lead + stretched}


@st.composite
def chosen(draw):
    both, _ = draw(binary())
    shape = np.broadcast_shapes(*(a.shape for a in both))
    return both, {"condition": draw(hnp.arrays(bool, shape))}


@dataclass(frozen=True)
class Operation:
    """A row: `call(*arrays, **options)`, with both drawn from `inputs`.

    `plain` is the same function for the complex step, where NumPy's own does not take
    complex numbers. `second` is False where the derivative is piecewise constant.
    """

    name: str
    call: Callable[..., Any]
    inputs: Any
    covers: tuple[Any, ...] = ()
    plain: Callable[..., Any] | None = None
    second: bool = True


def ufunc(function, inputs, **kwargs):
    return Operation(function.__name__, function, inputs, (function,), **kwargs)


def call(function, wrapper, inputs, **kwargs):
    return Operation(function.__name__, wrapper, inputs, (function,), **kwargs)


def own(function, inputs, **kwargs):
    return Operation(function.name, function, inputs, (function,), **kwargs)


def correlate(mode):
    """np.correlate without its conjugation: convolution with the reversed."""

    def call(x, y):
        whole, (n, m) = np.convolve(x, y[::-1]), (len(x), len(y))
        short, long = min(n, m), max(n, m)
        shift = (short - 1) // 2 if n >= m else short - 1 - (short - 1) // 2
        first, length = {
            "full": (0, n + m - 1),
            "same": (shift, long),
            "valid": (short - 1, long - short + 1),
        }[mode]
        return whole[first : first + length]

    return call


def piecewise(x, y):
    """np.interp of the row `np.interp`, by its formula."""
    xp, fp = np.cumsum(np.exp(y)), np.sin(y)
    knots = real(xp)
    k = np.clip(np.searchsorted(knots, real(x), side="right") - 1, 0, len(knots) - 2)
    inside = fp[k] + (fp[k + 1] - fp[k]) * (x - xp[k]) / (xp[k + 1] - xp[k])
    found = np.where(real(x) < knots[0], fp[0], inside)
    return np.where(real(x) > knots[-1], fp[-1], found)


def cholesky(x):
    """Column by column, without conjugation."""
    n, columns = x.shape[-1], []
    for j in range(n):
        rest = x[..., :, j]
        for c in columns:
            rest = rest - c * c[..., j : j + 1]
        columns.append(rest / np.sqrt(rest[..., j : j + 1]) * (np.arange(n) >= j))
    return np.stack(columns, axis=-1)


def pseudo_inverse(x):
    """Of matrices with independent columns: (xᵀx)⁻¹ xᵀ."""
    t = np.swapaxes(x, -1, -2)
    return np.linalg.inv(t @ x) @ t


def exponential(x):
    """exp of the symmetric part of x, by its eigenvectors."""
    w, v = np.linalg.eigh((x + np.swapaxes(x, -1, -2)) / 2)
    return (v * np.exp(w)[..., np.newaxis, :]) @ np.swapaxes(v, -1, -2)


def exponential_series(x):
    x = (x + np.swapaxes(x, -1, -2)) / 2
    term = total = x * 0 + np.eye(x.shape[-1])
    for n in range(1, 60):
        term = term @ x / n
        total = total + term
    return total


def cubed(x, full=False):
    """x xᵀ x, by the singular values."""
    u, s, vh = np.linalg.svd(x, full_matrices=full)
    k = s.shape[-1]
    return (u[..., :k] * (s**3)[..., np.newaxis, :]) @ vh[..., :k, :]


def projected(x):
    """Squares projected onto the columns of x, by its orthogonal factor."""
    q, _ = np.linalg.qr(x)
    return q @ (np.swapaxes(q, -1, -2) @ (x * x))


def eigenpairs(x, near, start):
    """Eigenvalues and vectors of length 1 by Newton's steps from those of real(x).

    Each doubles the order of the error, so that the steps carry complex parts too.
    """
    values, vectors = [], []
    for i in range(near.shape[-1]):
        w, v = near[..., i, np.newaxis, np.newaxis], start[..., :, i, np.newaxis]
        for _ in range(3):
            t = np.swapaxes(v, -1, -2)
            above = np.concatenate([x - w * np.eye(x.shape[-1]), -v], axis=-1)
            jacobian = np.concatenate(
                [above, np.concatenate([t, 0 * w], axis=-1)], axis=-2
            )
            error = np.concatenate([x @ v - w * v, (t @ v - 1) / 2], axis=-2)
            step = np.linalg.solve(jacobian, error)
            w, v = w - step[..., -1:, :], v - step[..., :-1, :]
        values.append(w[..., 0, 0])
        vectors.append(v)
    return np.stack(values, axis=-1), np.concatenate(vectors, axis=-1)


def spectrum(x):
    """The eigenvalues above the eigenvectors."""
    w, v = np.linalg.eig(x)
    return np.concatenate([w[..., np.newaxis, :], v], axis=-2)


def spectrum_by_newton(x):
    w, v = eigenpairs(x, *np.linalg.eig(real(x)))
    return np.concatenate([w[..., np.newaxis, :], v], axis=-2)


def symmetric_part(x):
    return (x + np.swapaxes(x, -1, -2)) / 2


def singular_values(x):
    """As the positive eigenvalues of (0 xᵀ; x 0), from the greatest on."""
    m, n = x.shape[-2:]
    t = np.swapaxes(x, -1, -2)
    above = np.concatenate([np.zeros((*x.shape[:-2], n, n)), t], axis=-1)
    below = np.concatenate([x, np.zeros((*x.shape[:-2], m, m))], axis=-1)
    both = np.concatenate([above, below], axis=-2)
    w, v = np.linalg.eigh(real(both))
    return eigenpairs(both, w[..., : -n - 1 : -1], v[..., : -n - 1 : -1])[0]


def uneven(x):
    """Numbers from 0.2 on with alternating signs, whose sums are never equal."""
    k = np.arange(x.size).reshape(x.shape)
    return (x / 40 + 0.3 * (k + 1)) * (-1.0) ** k


def row_or_column_norm(order):
    """The norms of order ±1 and ±∞ of uneven(x), by the numbers' known order."""

    def norm(x):
        x = uneven(x)
        sums = np.sum(x * sign(x), axis=-2 if abs(order) == 1 else -1)
        return sums[..., -1 if order > 0 else 0]

    return norm


def squared_factors(q, r):
    """The squares of both, which have no signs, as one array."""
    return np.concatenate([q * q, r * r], axis=-1)


def gram_schmidt(x):
    """The factors of wide matrices from the Cholesky factor of the square part's."""
    part = x[..., : x.shape[-2]]
    r = np.swapaxes(cholesky(np.swapaxes(part, -1, -2) @ part), -1, -2)
    q = part @ np.linalg.inv(r)
    return squared_factors(q, np.swapaxes(q, -1, -2) @ x)


def projector(x):
    return x @ pseudo_inverse(x) @ (x * x)


def bent(x):
    """x + x²: not linear, so that it has a second derivative, and not even, so that a
    wrong sign shows.
    """
    return x + x * x


def joined_bent(parts):
    """Each part differently weighted, as one array."""
    flat = [np.reshape(p, (-1,)) * (i + p.size) for i, p in enumerate(parts)]
    return bent(np.concatenate(flat))


def real(x):
    return np.real(value_of(x))


def sign(x):
    """The sign of the real part."""
    return np.where(real(x) < 0, -1.0, 1.0)


def erf_series(x):
    """Erf by Kummer's series, whose terms have one sign."""
    term = total = 1.0
    for n in range(1, 80):
        term = term * 2 * x * x / (2 * n + 1)
        total = total + term
    return 2 / np.sqrt(np.pi) * x * np.exp(-x * x) * total


def variance(x, axis=None, keepdims=False, ddof=0, where=True):
    n = np.sum(np.broadcast_to(where, x.shape), axis=axis, keepdims=True)
    mean = np.sum(x, axis=axis, keepdims=True, where=where) / n
    squares = np.sum((x - mean) ** 2, axis=axis, keepdims=True, where=where) / (n - ddof)
    return squares if keepdims else np.sum(squares, axis=axis)


METHODS = {
    "linear": lambda n, q: (n - 1) * q,
    "lower": lambda n, q: np.floor((n - 1) * q),
    "higher": lambda n, q: np.ceil((n - 1) * q),
    "nearest": lambda n, q: np.round((n - 1) * q),
    "midpoint": lambda n, q: (np.floor((n - 1) * q) + np.ceil((n - 1) * q)) / 2,
    "inverted_cdf": lambda n, q: np.ceil(n * q) - 1,
    "averaged_inverted_cdf": lambda n, q: (np.ceil(n * q) + np.floor(n * q + 1)) / 2 - 1,
    "closest_observation": lambda n, q: np.round(n * q) - 1,
    "interpolated_inverted_cdf": lambda n, q: n * q - 1,
    "hazen": lambda n, q: n * q - 1 / 2,
    "weibull": lambda n, q: (n + 1) * q - 1,
    "median_unbiased": lambda n, q: (n + 1 / 3) * q - 2 / 3,
    "normal_unbiased": lambda n, q: (n + 1 / 4) * q - 5 / 8,
}
"""Places among n order statistics from 0 on: Hyndman and Fan (1996), and NumPy's own."""


def quantile(x, q, axis=None, keepdims=False, method="linear"):
    """By sorting, which for complex numbers goes by the real part."""
    ndim = np.ndim(x)
    axes = range(ndim) if axis is None else [a % ndim for a in np.atleast_1d(axis)]
    rows = np.moveaxis(x, list(axes), range(len(axes)))
    rows = np.reshape(rows, (-1, *rows.shape[len(axes) :]))
    ordered = np.sort(rows, axis=0)
    place = np.clip(METHODS[method](len(ordered), np.asarray(q)), 0, len(ordered) - 1)
    below = np.floor(place).astype(int)
    part = np.reshape(place - below, np.shape(q) + (1,) * (rows.ndim - 1))
    found = ordered[below] * (1 - part) + ordered[np.ceil(place).astype(int)] * part
    shape = [1 if i in axes else n for i, n in enumerate(x.shape)]
    return np.reshape(found, np.shape(q) + tuple(shape)) if keepdims else found


def with_nan(function):
    """The function of x with NaN wherever `where` is False."""

    def call(x, where=True, **kwargs):
        return function(np.where(where, x, np.nan), **kwargs)

    return call


def skipping(q):
    """The quantile of the elements of each row that `where` leaves."""

    def call(x, where=True, axis=None, keepdims=False):
        where = np.broadcast_to(where, x.shape)
        axes = (
            range(x.ndim) if axis is None else [a % x.ndim for a in np.atleast_1d(axis)]
        )
        kept = [a for a in range(x.ndim) if a not in axes]
        shape = [1 if a in axes else n for a, n in enumerate(x.shape)]
        rows, left = (
            np.reshape(np.transpose(a, (*kept, *axes)), (np.prod(shape, dtype=int), -1))
            for a in (x, where)
        )
        found = [quantile(r[m], q) for r, m in zip(rows, left, strict=True)]
        return np.reshape(
            np.stack(found), shape if keepdims else [shape[a] for a in kept]
        )

    return call


def nan_scan(function):
    """The scan of x with NaN in place of its negative elements."""
    return lambda x, axis: function(np.where(real(x) < 0, np.nan, x), axis=axis)


def zeroed(function, fill):
    return lambda x, axis: function(np.where(real(x) < 0, fill, x), axis=axis)


def covariance(x, *, bias=False):
    n = x.shape[1]
    x = x - np.sum(x, axis=1, keepdims=True) / n
    return np.squeeze(x @ np.swapaxes(x, 0, 1) / (n - (not bias)))


def bessel_series(x):
    """I₀ by its power series."""
    term = total = x * 0 + 1
    for n in range(1, 40):
        term = term * (x / 2) ** 2 / n**2
        total = total + term
    return total


def straight_line(x, y):
    """The slope and the constant of least squares, by their formula."""
    n = len(x)
    mx, my = np.sum(x) / n, np.sum(y) / n
    slope = np.sum((x - mx) * (y - my)) / np.sum((x - mx) ** 2)
    return np.stack([slope, my - slope * mx])


def weighted_covariance(x):
    """np.cov of the row `cov of weights`, by its formula."""
    importance = np.exp(x[0])
    w = importance * [1, 2, 3]
    x = x - (x @ w / np.sum(w))[:, np.newaxis]
    count = np.sum(w) - np.sum(w * importance) / np.sum(w)
    return np.squeeze((x * w) @ x.T / count)


def correlation(x):
    c = np.reshape(covariance(x), (len(x), len(x)))
    return np.squeeze(c / np.sqrt(np.outer(np.diagonal(c), np.diagonal(c))))


def rows_apart(x):
    """Rows that are not constant."""
    return x + 3 * np.arange(x.shape[1]) ** 2


def masked(function):
    def call(x, where=True, **kwargs):
        return function(x, where=np.broadcast_to(where, x.shape), **kwargs)

    return call


def real_choice(left, right):
    """Which of two complex numbers has the larger real part, as a mask."""
    return real(left) > real(right)


TABLE = [
    ufunc(np.add, binary()),
    ufunc(np.subtract, binary()),
    ufunc(np.multiply, binary()),
    ufunc(np.divide, binary(right=NONZERO)),
    ufunc(np.power, binary(left=POSITIVE)),
    ufunc(np.negative, unary()),
    ufunc(np.positive, unary()),
    ufunc(np.square, unary()),
    ufunc(np.sqrt, unary(POSITIVE)),
    ufunc(np.reciprocal, unary(NONZERO)),
    ufunc(np.exp, unary()),
    ufunc(np.expm1, unary()),
    ufunc(np.log, unary(POSITIVE)),
    ufunc(np.log1p, unary(POSITIVE)),
    ufunc(
        np.cbrt,
        unary(NONZERO),
        plain=lambda x: sign(x) * (x * sign(x)) ** (1 / 3),
    ),
    ufunc(np.exp2, unary(), plain=lambda x: np.exp(x * LOG2)),
    ufunc(np.log2, unary(POSITIVE)),
    ufunc(np.log10, unary(POSITIVE)),
    ufunc(np.float_power, binary(left=POSITIVE)),
    ufunc(np.tan, unary(numbers(-1.4, 1.4))),
    ufunc(np.arcsin, unary(numbers(-0.99, 0.99))),
    ufunc(np.arccos, unary(numbers(-0.99, 0.99))),
    ufunc(np.arctan, unary()),
    ufunc(np.sinh, unary()),
    ufunc(np.cosh, unary()),
    ufunc(np.arcsinh, unary(), plain=lambda x: np.log(x + np.sqrt(1 + x * x))),
    ufunc(np.arccosh, unary(numbers(1.05, 4))),
    ufunc(np.arctanh, unary(numbers(-0.99, 0.99))),
    ufunc(np.deg2rad, unary(), plain=lambda x: x * (np.pi / 180), second=False),
    ufunc(np.radians, unary(), plain=lambda x: x * (np.pi / 180), second=False),
    ufunc(np.rad2deg, unary(), plain=lambda x: x * (180 / np.pi), second=False),
    ufunc(np.degrees, unary(), plain=lambda x: x * (180 / np.pi), second=False),
    ufunc(
        np.logaddexp2,
        binary(),
        plain=lambda x, y: np.log2(np.exp(x * LOG2) + np.exp(y * LOG2)),
    ),
    ufunc(
        np.hypot,
        binary(NONZERO, NONZERO),
        plain=lambda x, y: np.sqrt(x * x + y * y),
    ),
    ufunc(
        np.arctan2,
        binary(NONZERO, POSITIVE),
        plain=lambda x, y: np.arctan(x / y),
    ),
    ufunc(
        np.remainder,
        binary(MIDWAY, STEPS),
        plain=lambda x, y: x - y * np.floor(real(x) / real(y)),
        second=False,
    ),
    ufunc(
        np.fmod,
        binary(MIDWAY, STEPS),
        plain=lambda x, y: x - y * np.trunc(real(x) / real(y)),
        second=False,
    ),
    ufunc(np.sinc, unary(NONZERO), plain=lambda x: np.sin(np.pi * x) / (np.pi * x)),
    ufunc(np.fabs, unary(NONZERO), plain=lambda x: x * sign(x), second=False),
    ufunc(
        np.copysign,
        binary(NONZERO, NONZERO),
        plain=lambda x, y: x * sign(x) * sign(y),
        second=False,
    ),
    call(np.nan_to_num, np.nan_to_num, unary(), second=False),
    call(
        np.clip,
        lambda x, y: np.clip(x, y - 0.5, y + 0.5),
        apart(),
        plain=lambda x, y: np.where(
            abs(real(x) - real(y)) > 0.5, y + 0.5 * sign(x - y), x
        ),
        second=False,
    ),
    own(ag.erf, unary(numbers(-2, 2)), plain=lambda x: erf_series(x)),
    Operation(
        "gelu",
        ag.gelu,
        unary(),
        plain=lambda x: 0.5 * x * (1 + erf_series(x / np.sqrt(2))),
    ),
    ufunc(np.sin, unary()),
    ufunc(np.cos, unary()),
    ufunc(np.tanh, unary()),
    ufunc(np.logaddexp, binary(), plain=lambda x, y: np.log(np.exp(x) + np.exp(y))),
    ufunc(
        np.absolute,
        unary(NONZERO),
        plain=lambda x: x * sign(x),
        second=False,
    ),
    ufunc(
        np.maximum,
        apart(),
        plain=lambda x, y: np.where(real_choice(x, y), x, y),
        second=False,
    ),
    ufunc(
        np.minimum,
        apart(),
        plain=lambda x, y: np.where(real_choice(x, y), y, x),
        second=False,
    ),
    ufunc(
        np.fmax,
        apart(),
        plain=lambda x, y: np.where(real_choice(x, y), x, y),
        second=False,
    ),
    ufunc(
        np.fmin,
        apart(),
        plain=lambda x, y: np.where(real_choice(x, y), y, x),
        second=False,
    ),
    call(np.where, lambda x, y, condition: np.where(condition, x, y), chosen()),
    own(ag.sigmoid, unary(), plain=lambda x: 1 / (1 + np.exp(-x))),
    Operation(
        "heaviside",
        np.heaviside,
        binary(NONZERO),
        (np.heaviside,),
        plain=lambda x, y: (sign(x) + 1) / 2 + 0 * y,
        second=False,
    ),
    own(ag.relu, unary(NONZERO), plain=lambda x: x * (real(x) > 0), second=False),
    own(ag.softplus, unary(), plain=lambda x: np.log(1 + np.exp(x))),
    own(ag.logsumexp, one_axis()),
    own(ag.softmax, one_axis()),
    own(ag.log_softmax, one_axis()),
    Operation(
        "nll",
        ag.nll,
        classes(),
        (),
        plain=lambda z, d: (
            np.log(np.sum(np.exp(z), axis=-1))
            - np.take_along_axis(z, d[..., np.newaxis], axis=-1)[..., 0]
        ),
    ),
    Operation("linear", ag.linear, layer(), (), plain=lambda x, W, b: x @ W.T + b),
    Operation(
        "linear_steps",
        lambda x, W, b: np.stack([*map(ag.linear_steps(x, W, b), range(len(x)))]),
        sequence(),
        (),
        plain=lambda x, W, b: x @ W.T + b,
    ),
    Operation(
        "times_transposed",
        lambda x, W, b: ag.times_transposed(W)(x) * b,
        layer(most=1),
        (),
        plain=lambda x, W, b: x @ W.T * b,
    ),
    call(np.sum, np.sum, reduced()),
    call(np.mean, np.mean, reduced()),
    call(np.max, np.max, reduced(unique=True, where=False), second=False),
    call(np.min, np.min, reduced(unique=True, where=False), second=False),
    Operation(
        "max where",
        lambda x, where=True, **kw: np.max(x, where=where, initial=-9, **kw),
        reduced(unique=True),
        second=False,
    ),
    call(np.prod, np.prod, reduced()),
    Operation("prod initial", lambda x, k: np.prod(x, axis=0, initial=3.0), square(3, 3)),
    call(np.var, np.var, reduced(ddof=True), plain=variance),
    call(
        np.std,
        np.std,
        reduced(ddof=True, spread=True),
        plain=lambda x, **kw: np.sqrt(variance(x, **kw)),
    ),
    call(np.ptp, np.ptp, reduced(unique=True, where=False), second=False),
    call(
        np.average,
        lambda x, axis, keepdims: np.average(
            x, axis=axis, keepdims=keepdims, weights=np.exp(x)
        ),
        reduced(where=False),
    ),
    Operation(
        "average along",
        lambda x, axis: np.average(
            x, axis=axis, weights=np.arange(1.0, x.shape[axis] + 1)
        ),
        one_axis(),
    ),
    call(np.cumsum, np.cumsum, scanned()),
    call(np.cumprod, np.cumprod, scanned()),
    call(
        np.median,
        np.median,
        reduced(unique=True, where=False),
        plain=lambda x, **kw: quantile(x, 0.5, **kw),
        second=False,
    ),
    call(
        np.quantile,
        lambda x, **kw: np.quantile(x, [0.3, 0.85], **kw),
        reduced(unique=True, where=False),
        plain=lambda x, **kw: quantile(x, [0.3, 0.85], **kw),
        second=False,
    ),
    call(
        np.percentile,
        lambda x, **kw: np.percentile(x, 40, **kw),
        reduced(unique=True, where=False),
        plain=lambda x, **kw: quantile(x, 0.4, **kw),
        second=False,
    ),
    *(
        Operation(
            f"quantile {method}",
            lambda x, method=method, **kw: np.quantile(
                x, [0.31, 0.83], method=method, **kw
            ),
            reduced(unique=True, where=False),
            plain=lambda x, method=method, **kw: quantile(
                x, [0.31, 0.83], method=method, **kw
            ),
            second=False,
        )
        for method in METHODS
    ),
    *(
        call(
            function,
            with_nan(lambda x, f=function, q=q, **kw: f(x, *q, **kw)),
            reduced(unique=True),
            plain=skipping(0.4 if q else 0.5),
            second=False,
        )
        for function, q in (
            (np.nanmedian, ()),
            (np.nanquantile, (0.4,)),
            (np.nanpercentile, (40,)),
        )
    ),
    call(np.nanprod, with_nan(np.nanprod), reduced(), plain=masked(np.prod)),
    call(np.nancumsum, nan_scan(np.nancumsum), scanned(), plain=zeroed(np.cumsum, 0)),
    call(np.nancumprod, nan_scan(np.nancumprod), scanned(), plain=zeroed(np.cumprod, 1)),
    call(np.amax, np.amax, reduced(unique=True, where=False), second=False),
    call(np.amin, np.amin, reduced(unique=True, where=False), second=False),
    call(np.nansum, with_nan(np.nansum), reduced(), plain=masked(np.sum)),
    call(np.nanmean, with_nan(np.nanmean), reduced(), plain=masked(np.mean)),
    call(np.nanvar, with_nan(np.nanvar), reduced(), plain=masked(variance)),
    call(
        np.nanstd,
        with_nan(np.nanstd),
        reduced(spread=True),
        plain=masked(lambda x, **kw: np.sqrt(variance(x, **kw))),
    ),
    call(
        np.nanmax,
        with_nan(np.nanmax),
        reduced(unique=True),
        plain=masked(lambda x, where, **kw: np.max(np.where(where, x, -9), **kw)),
        second=False,
    ),
    call(
        np.nanmin,
        with_nan(np.nanmin),
        reduced(unique=True),
        plain=masked(lambda x, where, **kw: np.min(np.where(where, x, 9), **kw)),
        second=False,
    ),
    call(np.sort, np.sort, one_axis(unique=True), second=False),
    call(
        np.partition,
        lambda x, axis: np.partition(x, 0, axis=axis),
        one_axis(unique=True),
        plain=lambda x, axis: np.take_along_axis(
            x, np.argpartition(x.real, 0, axis=axis), axis
        ),
        second=False,
    ),
    call(np.diff, lambda x, axis: np.diff(x, n=2, axis=axis, prepend=0.5), one_axis()),
    Operation("diff 1", lambda x, axis: np.diff(x, axis=axis, append=0.5), one_axis()),
    call(
        np.trapezoid,
        lambda x, axis: np.trapezoid(x, np.cumsum(np.exp(x), axis=axis), axis=axis),
        one_axis(),
    ),
    call(
        np.gradient,
        lambda x, h: np.gradient(x, np.exp(h), axis=0, edge_order=2),
        sampled(),
    ),
    Operation(
        "gradient all",
        lambda x, k: joined_bent([*np.gradient(x), *np.gradient(x, 0.5)]),
        square(2, 3),
    ),
    Operation("gradient axis", lambda x, k: np.gradient(x, 2.0, axis=-2), square(2, 3)),
    call(np.reshape, lambda x, shape: np.reshape(x, shape), reshaped()),
    call(np.ravel, np.ravel, unary()),
    call(np.squeeze, np.squeeze, squeezed()),
    call(np.expand_dims, np.expand_dims, expanded()),
    call(np.broadcast_to, lambda x, shape: np.broadcast_to(x, shape), broadcast()),
    call(np.flip, np.flip, scanned()),
    call(np.swapaxes, lambda x, a, b: np.swapaxes(x, a, b), two_axes()),
    call(np.moveaxis, lambda x, a, b: np.moveaxis(x, a, b), two_axes()),
    call(np.transpose, lambda x, axes: np.transpose(x, axes), permuted()),
    Operation(
        "getitem",
        lambda x, index: x[index],
        indexed(),
        ("getitem",),
    ),
    call(
        np.ndarray.astype,
        lambda x: x.astype(np.longdouble),
        unary(HALVES),
        plain=lambda x: x,
        second=False,
    ),
    call(np.copy, np.copy, unary(), second=False),
    call(
        np.full_like,
        lambda x: np.full_like(x, np.sum(x) ** 2) * np.full_like(x, 3.0),
        unary(),
        plain=lambda x: np.sum(x) ** 2 * np.full_like(x, 3.0),
    ),
    call(np.diagonal, lambda x, k: np.diagonal(x, k, -1, 0), square(2, 3)),
    call(np.repeat, lambda x, axis: np.repeat(x, 2, axis=axis), scanned()),
    call(np.rollaxis, lambda x, axis: np.rollaxis(x, axis), one_axis()),
    call(np.rot90, lambda x, k: np.rot90(x, k), square(2, 3)),
    call(np.roll, lambda x, axis: np.roll(x, 2, axis=axis), scanned()),
    call(np.tile, lambda x: np.tile(x, (2, 1, 2)), unary()),
    call(np.resize, lambda x: np.resize(x, (2, 3)), unary()),
    call(np.delete, lambda x, axis: np.delete(x, [0], axis=axis), one_axis()),
    call(np.atleast_1d, np.atleast_1d, unary()),
    call(np.atleast_2d, np.atleast_2d, unary()),
    call(np.atleast_3d, np.atleast_3d, unary()),
    call(np.diag, lambda x, k: np.diag(x, k), square(1, 2)),
    call(np.trace, lambda x, k: np.trace(x, k), square(2, 3)),
    call(np.triu, lambda x, k: np.triu(x, k), square(2, 3)),
    call(np.tril, lambda x, k: np.tril(x, k), square(2, 3)),
    call(np.fliplr, lambda x, k: np.fliplr(x), square(2, 3)),
    call(np.flipud, lambda x, k: np.flipud(x), square(2, 3)),
    call(
        np.take,
        lambda x, axis: np.take(x, [0, 5, -1, 0], axis=axis, mode="wrap"),
        scanned(),
    ),
    Operation(
        "take clip",
        lambda x, axis: np.take(x, [0, 9, -1], axis=axis, mode="clip"),
        scanned(),
    ),
    call(np.compress, lambda x, axis: np.compress([True], x, axis=axis), scanned()),
    call(
        np.select,
        lambda x, y, condition: np.select([condition, ~condition], [x * x, y], 3.0),
        chosen(),
    ),
    call(
        np.choose,
        lambda x, y, condition: np.choose(
            condition.astype(int), [x + y * 0, y * y + x * 0]
        ),
        chosen(),
    ),
    call(np.pad, lambda x, k: np.pad(x, 1, constant_values=2.0), square(1, 3)),
    Operation("pad edge", lambda x, k: np.pad(x, (2, 1), mode="edge"), square(1, 3)),
    Operation("pad reflect", lambda x, k: np.pad(x, 2, mode="symmetric"), square(1, 3)),
    *(
        Operation(
            f"pad {mode}",
            lambda x, mode=mode, option=option: np.pad(x, (2, 1), mode=mode, **option),
            # Medians of unequal numbers may be equal: along one axis they are taken once.
            unary(ANY, VECTORS if mode == "median" else NONEMPTY, unique=True),
            second=False,
        )
        for mode, option in (
            ("linear_ramp", {"end_values": (0.5, 2.0)}),
            ("mean", {"stat_length": 2}),
            ("maximum", {}),
            ("minimum", {}),
            ("median", {}),
        )
    ),
    call(np.append, lambda x, y: np.append(x, y), binary()),
    call(np.vstack, lambda x, y: np.vstack([x, y, x]), pair_of_rows()),
    call(np.hstack, lambda x, y: np.hstack([x, y]), pair_of_rows()),
    call(np.dstack, lambda x, y: np.dstack([x, y]), pair_of_rows()),
    call(np.column_stack, lambda x, y: np.column_stack([x, y]), pair_of_rows()),
    call(np.split, lambda x, axis: joined_bent(np.split(x, [1], axis=axis)), one_axis()),
    call(
        np.array_split,
        lambda x, axis: joined_bent(np.array_split(x, 2, axis=axis)),
        one_axis(),
    ),
    call(np.hsplit, lambda x, k: joined_bent(np.hsplit(x, [1])), square(2, 3)),
    call(np.vsplit, lambda x, k: joined_bent(np.vsplit(x, [1])), square(2, 3)),
    call(np.dsplit, lambda x, k: joined_bent(np.dsplit(x, [1])), square(3, 3)),
    call(
        np.take_along_axis,
        lambda x, indices, axis: np.take_along_axis(x, indices, axis=axis),
        alongside(),
    ),
    call(np.stack, lambda *xs, axis: np.stack(xs, axis=axis), joined(same=True)),
    call(np.concatenate, lambda *xs, axis: np.concatenate(xs, axis=axis), joined(False)),
    ufunc(np.matmul, by_signature("(m?,n),(n,p?)->(m?,p?)")),
    call(np.matvec, np.matvec, by_signature("(a,n),(n)->(a)")),
    call(
        np.vecmat,
        np.vecmat,
        by_signature("(n),(n,b)->(b)"),
        plain=lambda x, y: np.sum(x[..., None] * y, axis=-2),
    ),
    Operation(
        "inner of stacks",
        np.inner,
        by_signature("(a,b,n),(c,d,n)->(a)", batch=False),
    ),
    Operation(
        "vecdot along the first axis",
        lambda x, y: np.vecdot(x, y, axis=0),
        by_signature("(n,k,m),(n,k,m)->(k)", batch=False),
        plain=lambda x, y: np.sum(x * y, axis=0),
    ),
    call(
        np.vecdot,
        np.vecdot,
        by_signature("(n),(n)->()"),
        plain=lambda x, y: np.sum(x * y, axis=-1),
    ),
    call(
        np.inner,
        np.inner,
        by_signature("(a,n),(b,n)->(a,b)").map(
            lambda drawn: ([x.reshape(-1, x.shape[-1]) for x in drawn[0]], {})
        ),
    ),
    call(np.dot, np.dot, by_signature("(a,n),(n,b)->(a,b)", batch=False)),
    Operation(
        "dot scalar", lambda x: np.dot(x, 2.0) * np.dot(x.ravel(), x.ravel()), unary()
    ),
    Operation("dot n-d", np.dot, by_signature("(a,c,n),(b,n,d)->(a,b)", batch=False)),
    call(
        np.vdot,
        np.vdot,
        by_signature("(n,m),(n,m)->()", batch=False),
        plain=lambda x, y: np.sum(x * y),
    ),
    call(np.outer, np.outer, binary()),
    call(
        np.tensordot,
        lambda x, y: np.tensordot(x, y, axes=((-1, 0), (1, 2))),
        by_signature("(a,b,c),(d,c,a)->(b,d)", batch=False),
    ),
    Operation(
        "tensordot 2",
        lambda x, y: np.tensordot(x, y),
        by_signature("(b,c,a),(c,a,d)->(b,d)", batch=False),
    ),
    Operation(
        "tensordot inside",
        lambda x, y: np.tensordot(x, y, axes=(0, -1)),
        by_signature("(c,a),(b,c)->(a,b)", batch=False),
    ),
    call(np.kron, np.kron, binary()),
    call(np.cross, np.cross, by_signature("(3),(3)->(3)")),
    Operation(
        "cross axes",
        lambda x, y: np.cross(x, y, axisa=0, axisb=1, axisc=0),
        by_signature("(3,a,b),(a,3,b)->(3,a,b)", batch=False),
    ),
    Operation(
        "cross axis",
        lambda x, y: np.cross(x, y, axis=0),
        by_signature("(3,a,b),(3,a,b)->(3,a,b)", batch=False),
    ),
    call(
        np.convolve,
        lambda x, y: np.convolve(x, y, "same"),
        by_signature("(a),(b)->(a)", batch=False, side=5),
    ),
    Operation(
        "convolve full", np.convolve, by_signature("(a),(b)->(a)", batch=False, side=5)
    ),
    Operation(
        "convolve valid",
        lambda x, y: np.convolve(x, y, "valid"),
        by_signature("(a),(b)->(a)", batch=False, side=5),
    ),
    call(
        np.correlate,
        np.correlate,
        by_signature("(a),(b)->(a)", batch=False, side=5),
        plain=correlate("valid"),
    ),
    Operation(
        "correlate same",
        lambda x, y: np.correlate(x, y, "same"),
        by_signature("(a),(b)->(a)", batch=False, side=5),
        plain=correlate("same"),
    ),
    Operation(
        "correlate full",
        lambda x, y: np.correlate(x, y, "full"),
        by_signature("(a),(b)->(a)", batch=False, side=5),
        plain=correlate("full"),
    ),
    call(
        np.interp,
        lambda x, y: np.interp(x, np.cumsum(np.exp(y)), np.sin(y)),
        binary(MIDWAY)
        .filter(lambda drawn: drawn[0][1].size > 1)
        .map(lambda drawn: ([drawn[0][0] / 3, drawn[0][1].ravel()], {})),
        plain=piecewise,
    ),
    call(
        np.einsum,
        lambda x, y: np.einsum("ij,jk->ik", x, y),
        by_signature("(a,n),(n,b)->(a,b)", batch=False),
    ),
    Operation(
        "einsum trace",
        lambda x, k: np.einsum("ii...->...", x) * np.einsum("ii", x[..., 0]),
        square(3, 3).filter(lambda drawn: drawn[0][0].shape[0] == drawn[0][0].shape[1]),
    ),
    Operation(
        "einsum diagonal",
        lambda x, y: np.einsum("jiki->kj", np.tensordot(x, y, 0)),
        by_signature("(a,n),(b,n)->(b,a)", batch=False),
    ),
    Operation(
        "einsum dots",
        lambda x, y: np.einsum("...ij,...jk->...ki", x, y),
        by_signature("(a,n),(n,b)->(a,b)"),
    ),
    Operation(
        "einsum dots 3",
        lambda x, y: np.einsum("...ij,...j", x, y),
        by_signature("(a,b,c,m,n),(c,n)->(a,b,c,m)", batch=False),
    ),
    Operation(
        "einsum three",
        lambda x, y: np.einsum("ij,jk,lj->k", x, y, x),
        by_signature("(a,n),(n,b)->(b)", batch=False),
    ),
    Operation(
        "einsum sum",
        lambda x, y: np.einsum("ij,k->i", x, y),
        by_signature("(a,n),(b)->(a)", batch=False),
    ),
    call(np.linalg.inv, np.linalg.inv, matrices()),
    call(np.linalg.det, np.linalg.det, matrices()),
    call(
        np.linalg.slogdet,
        lambda x: np.linalg.slogdet(x)[1],
        matrices(),
        plain=lambda x: np.log(np.linalg.det(x)),
    ),
    call(np.linalg.solve, np.linalg.solve, systems()),
    call(
        np.linalg.cholesky,
        lambda x: np.linalg.cholesky(x @ np.swapaxes(x, -1, -2)),
        matrices(),
        plain=lambda x: cholesky(x @ np.swapaxes(x, -1, -2)),
    ),
    call(
        np.linalg.pinv,
        lambda x: np.linalg.pinv(x[..., 1:]),
        matrices(least=2),
        plain=lambda x: pseudo_inverse(x[..., 1:]),
    ),
    call(np.linalg.matrix_power, lambda x: np.linalg.matrix_power(x, 5), matrices()),
    Operation("matrix_power -2", lambda x: np.linalg.matrix_power(x, -2), matrices()),
    call(
        np.linalg.multi_dot,
        lambda x, y: np.linalg.multi_dot([x, y, x]),
        by_signature("(a,b),(b,a)->(a,b)", batch=False),
        plain=lambda x, y: x @ y @ x,
    ),
    call(
        np.linalg.norm,
        lambda x: np.linalg.norm(x, axis=-1, keepdims=True),
        unary(st.integers(1, 40).map(lambda n: n / 2), NONEMPTY),
        plain=lambda x: np.sqrt(np.sum(x * x, axis=-1, keepdims=True)),
    ),
    Operation(
        "norm 3",
        lambda x: np.linalg.norm(x, 3, axis=-1),
        unary(st.integers(1, 40).map(lambda n: -n / 2), NONEMPTY),
        plain=lambda x: np.sum((x * sign(x)) ** 3, axis=-1) ** (1 / 3),
    ),
    *(
        Operation(
            f"norm {order} of matrices",
            lambda x, order=order: np.linalg.norm(uneven(x), order, (-2, -1)),
            unary(ANY, MATRICES),
            plain=row_or_column_norm(order),
            second=False,
        )
        for order in (1, -1, np.inf, -np.inf)
    ),
    Operation(
        "norm 2 of matrices",
        lambda x: np.linalg.norm(x, 2, (-2, -1)),
        tall(least=2),
        plain=lambda x: singular_values(x)[..., 0],
    ),
    Operation(
        "norm -2 of matrices",
        lambda x: np.linalg.norm(np.moveaxis(x, -1, 0), -2, (-1, 0), keepdims=True),
        tall(least=2),
        plain=lambda x: np.moveaxis(singular_values(x)[..., -1:, np.newaxis], -1, 0),
    ),
    call(
        np.linalg.matrix_norm,
        lambda x: np.linalg.matrix_norm(x, ord="nuc"),
        tall(least=2),
        plain=lambda x: np.sum(singular_values(x), axis=-1),
    ),
    call(
        np.linalg.vector_norm,
        lambda x: np.linalg.vector_norm(x, ord=3, axis=None, keepdims=True),
        unary(POSITIVE, MATRICES).filter(lambda drawn: drawn[0][0].size > 1),
        plain=lambda x: np.reshape(np.sum(x**3) ** (1 / 3), (1,) * x.ndim),
    ),
    call(
        np.linalg.cond,
        np.linalg.cond,
        tall(least=2),
        plain=lambda x: singular_values(x)[..., 0] / singular_values(x)[..., -1],
    ),
    Operation(
        "cond -2",
        lambda x: np.linalg.cond(x, -2),
        tall(least=2),
        plain=lambda x: singular_values(x)[..., -1] / singular_values(x)[..., 0],
    ),
    Operation(
        "cond fro",
        lambda x: np.linalg.cond(x, "fro"),
        matrices(),
        plain=lambda x: np.sqrt(
            np.sum(x * x, axis=(-2, -1)) * np.sum(np.linalg.inv(x) ** 2, axis=(-2, -1))
        ),
    ),
    call(np.linalg.svdvals, np.linalg.svdvals, tall(least=2), plain=singular_values),
    call(
        np.linalg.eigvalsh,
        lambda x: np.linalg.eigvalsh(symmetric_part(x)),
        symmetric(least=2),
        plain=lambda x: eigenpairs(
            symmetric_part(x), *np.linalg.eigh(symmetric_part(real(x)))
        )[0],
    ),
    call(np.linalg.eig, spectrum, tall(least=2, most=0), plain=spectrum_by_newton),
    call(
        np.linalg.eigvals,
        np.linalg.eigvals,
        tall(least=2, most=0),
        plain=lambda x: eigenpairs(x, *np.linalg.eig(real(x)))[0],
    ),
    call(np.linalg.matmul, np.linalg.matmul, by_signature("(a,n),(n,b)->(a,b)")),
    call(np.linalg.outer, np.linalg.outer, by_signature("(a),(b)->(a,b)", batch=False)),
    call(
        np.linalg.tensordot,
        lambda x, y: np.linalg.tensordot(x, y, axes=1),
        by_signature("(b,c),(c,a)->(b,a)", batch=False),
    ),
    call(
        np.linalg.vecdot,
        lambda x, y: np.linalg.vecdot(x, y, axis=0),
        by_signature("(n,a),(n,a)->(a)", batch=False),
        plain=lambda x, y: np.sum(x * y, axis=0),
    ),
    call(
        np.linalg.cross,
        lambda x, y: np.linalg.cross(x, y, axis=0),
        by_signature("(3,a),(3,a)->(3,a)", batch=False),
    ),
    call(
        np.linalg.matrix_transpose,
        lambda x: bent(np.linalg.matrix_transpose(x)),
        unary(ANY, MATRICES),
    ),
    call(
        np.matrix_transpose, lambda x: bent(np.matrix_transpose(x)), unary(ANY, MATRICES)
    ),
    call(
        np.linalg.diagonal, lambda x: np.linalg.diagonal(x, offset=1), square_matrices()
    ),
    call(np.linalg.trace, lambda x: np.linalg.trace(x, offset=-1), square_matrices()),
    call(np.linalg.eigh, exponential, symmetric(), plain=exponential_series),
    call(np.linalg.svd, cubed, tall(), plain=lambda x: x @ np.swapaxes(x, -1, -2) @ x),
    call(np.linalg.qr, projected, tall(), plain=projector),
    Operation(
        "svd full",
        lambda x: (
            cubed(np.swapaxes(x, -1, -2), full=True)
            + np.swapaxes(cubed(x, full=True), -1, -2)
        ),
        tall(),
        plain=lambda x: 2 * np.swapaxes(x @ np.swapaxes(x, -1, -2) @ x, -1, -2),
    ),
    Operation(
        "qr wide",
        lambda x: squared_factors(*np.linalg.qr(np.swapaxes(x, -1, -2))),
        tall(),
        plain=lambda x: gram_schmidt(np.swapaxes(x, -1, -2)),
    ),
    Operation(
        "qr r",
        lambda x: np.swapaxes(np.linalg.qr(x, "r"), -1, -2) @ np.linalg.qr(x).R,
        tall(),
        plain=lambda x: np.swapaxes(x, -1, -2) @ x,
    ),
    call(
        np.linalg.lstsq,
        lambda a, b: np.linalg.lstsq(a, b)[0],
        tall(stacked=False).map(
            lambda drawn: ([drawn[0][0], drawn[0][0][:, 0] ** 2], {})
        ),
        plain=lambda a, b: pseudo_inverse(a) @ b,
    ),
    Operation(
        "svd wide",
        lambda x: cubed(np.swapaxes(x, -1, -2)),
        tall(),
        plain=lambda x: np.swapaxes(x @ np.swapaxes(x, -1, -2) @ x, -1, -2),
    ),
    Operation(
        "pinv wide",
        lambda x: np.linalg.pinv(np.swapaxes(x, -1, -2)),
        tall(),
        plain=lambda x: np.swapaxes(pseudo_inverse(x), -1, -2),
    ),
    call(np.conjugate, np.conjugate, unary(), plain=lambda x: x, second=False),
    call(
        np.ldexp, lambda x: np.ldexp(x, 3), unary(), plain=lambda x: 8 * x, second=False
    ),
    call(
        np.divmod,
        lambda x, y: np.divmod(x, y)[1] * np.divmod(x, y)[0],
        binary(MIDWAY, STEPS),
        plain=lambda x, y: (
            (x - y * np.floor(real(x) / real(y))) * np.floor(real(x) / real(y))
        ),
        second=False,
    ),
    call(
        np.modf,
        lambda x: bent(np.modf(x)[0]),
        unary(MIDWAY),
        plain=lambda x: bent(x - np.trunc(real(x))),
    ),
    call(
        np.frexp,
        lambda x: bent(np.frexp(x)[0]),
        unary(MIDWAY),
        plain=lambda x: bent(x / 2.0 ** np.frexp(real(x))[1]),
    ),
    call(
        np.unwrap,
        lambda x, axis: bent(np.unwrap(3 * x, axis=axis)),
        one_axis(),
        plain=lambda x, axis: bent(
            3 * x + np.unwrap(3 * real(x), axis=axis) - 3 * real(x)
        ),
    ),
    call(
        np.cumulative_sum,
        lambda x, axis: bent(np.cumulative_sum(x, axis=axis, include_initial=True)),
        one_axis(),
    ),
    Operation(
        "cumulative_sum alone",
        lambda x: np.cumulative_sum(x),
        unary(ANY, shapes(min_dims=1, max_dims=1)),
    ),
    call(
        np.cumulative_prod,
        lambda x, axis: np.cumulative_prod(x, axis=axis, include_initial=True),
        one_axis(),
    ),
    call(
        np.ediff1d,
        lambda x: np.ediff1d(x, to_begin=x[..., -1:] ** 2, to_end=[1.0, 2.0]),
        unary(ANY, NONEMPTY),
    ),
    call(
        np.linspace,
        lambda x, y: np.linspace(x * x, y, 5, axis=-1),
        binary(),
    ),
    Operation(
        "linspace open", lambda x, y: np.linspace(x, y, 4, endpoint=False), binary()
    ),
    call(np.logspace, lambda x, y: np.logspace(x * x / 9, y / 3, 4), binary()),
    Operation(
        "logspace by base",
        lambda x, y: np.logspace(x, 2.0, 3, base=y, endpoint=False),
        binary(right=POSITIVE),
    ),
    call(
        np.geomspace,
        lambda x, y: np.geomspace(-x, -y, 5, axis=-1),
        binary(POSITIVE, POSITIVE),
        plain=lambda x, y: np.stack(
            [-np.exp(np.log(x) * (1 - k / 4) + np.log(y) * k / 4) for k in range(5)],
            axis=-1,
        ),
    ),
    Operation(
        "einsum of numbered axes",
        lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [2, 0]),
        by_signature("(a,n),(n,b)->(a,b)", batch=False),
    ),
    Operation(
        "einsum of dots and numbered axes",
        lambda x, y: np.einsum(x, [..., 0, 1], y, [..., 1, 2]),
        by_signature("(a,n),(n,b)->(a,b)"),
    ),
    Operation(
        "var about a mean",
        lambda x: np.var(x, axis=0, mean=np.sum(x, axis=0, keepdims=True)),
        unary(ANY, NONEMPTY),
        plain=lambda x: np.sum((x - np.sum(x, axis=0)) ** 2, axis=0) / len(x),
    ),
    Operation(
        "average over axes",
        lambda x, k: np.average(x, axis=(1, 0), weights=np.exp(x[..., 0].T)),
        square(3, 3),
    ),
    Operation(
        "pad by its own elements",
        lambda x, k: np.pad(x, 1, constant_values=np.sum(x) ** 2),
        square(1, 3),
    ),
    Operation(
        "cov of weights",
        lambda x: np.cov(x, fweights=[1, 2, 3], aweights=np.exp(x[0])),
        unary(ANY, st.integers(1, 3).map(lambda n: (n, 3))),
        plain=weighted_covariance,
    ),
    *(
        Operation(
            f"{f.__self__.__name__}.{f.__name__}",
            lambda x, axis, f=f: f(x, axis=axis),
            one_axis(unique=True),
            (f,),
            second=f.__self__ in (np.add, np.multiply),
        )
        for f in (
            np.add.reduce,
            np.multiply.reduce,
            np.maximum.reduce,
            np.minimum.reduce,
            np.add.accumulate,
            np.multiply.accumulate,
            np.maximum.accumulate,
            np.minimum.accumulate,
        )
    ),
    Operation("multiply.outer", lambda x, y: np.multiply.outer(x, y * y), binary()),
    call(np.i0, np.i0, unary(), plain=bessel_series),
    call(np.polyder, lambda x: bent(np.polyder(x, 2)), unary(ANY, VECTORS)),
    call(np.polyint, lambda x: bent(np.polyint(x, 2, [1.0, 2.0])), unary(ANY, VECTORS)),
    call(np.polyadd, lambda x, y: bent(np.polyadd(x, y)), pair_of_vectors()),
    call(np.polysub, lambda x, y: bent(np.polysub(x, y)), pair_of_vectors()),
    call(np.polymul, np.polymul, pair_of_vectors()),
    call(np.poly, np.poly, unary(NONZERO, VECTORS)),
    call(
        np.polyfit,
        lambda x: np.polyfit(np.cumsum(np.exp(x / 3)), x * x, 1),
        unary(ANY, shapes(min_dims=1, max_dims=1, min_side=3)),
        plain=lambda x: straight_line(np.cumsum(np.exp(x / 3)), x * x),
    ),
    call(
        np.linalg.tensorsolve,
        lambda a, b: np.linalg.tensorsolve(np.reshape(a, (3, 1, 3)), b[:, None]),
        by_signature("(3,3),(3)->(3)", batch=False).map(
            lambda drawn: ([drawn[0][0] / 8 + np.eye(3), drawn[0][1]], {})
        ),
    ),
    call(
        np.linalg.tensorinv,
        lambda a, b: np.linalg.tensorinv(np.reshape(a, (3, 1, 3)), 1) * b,
        by_signature("(3,3),(3)->(3)", batch=False).map(
            lambda drawn: ([drawn[0][0] / 8 + np.eye(3), drawn[0][1]], {})
        ),
    ),
    call(
        np.polyval,
        lambda x, y: np.polyval(x, y),
        binary().map(lambda drawn: ([np.ravel(drawn[0][0]), drawn[0][1]], {})),
    ),
    call(
        np.vander,
        lambda x: np.concatenate([np.vander(x), np.vander(x, increasing=True)]),
        unary(NONZERO, NONEMPTY).map(lambda drawn: ([np.ravel(drawn[0][0])], {})),
    ),
    call(
        np.cov,
        lambda x: np.cov(rows_apart(x), bias=True),
        pair_of_columns(),
        plain=lambda x: covariance(rows_apart(x), bias=True),
    ),
    Operation(
        "cov columns",
        lambda x: np.cov(x.T[:, :1], x.T, rowvar=False),
        pair_of_columns(),
        plain=lambda x: covariance(np.concatenate([x[:1], x])),
    ),
    call(
        np.corrcoef,
        lambda x: np.corrcoef(rows_apart(x)),
        pair_of_columns(),
        plain=lambda x: correlation(rows_apart(x)),
    ),
    call(
        np.broadcast_arrays,
        lambda x, y: joined_bent(np.broadcast_arrays(x, y)),
        binary(),
    ),
    call(
        np.meshgrid,
        lambda x, y: joined_bent(np.meshgrid(x, y, x)),
        by_signature("(a),(b)->(a)", batch=False),
    ),
    Operation(
        "meshgrid sparse",
        lambda x, y: joined_bent(np.meshgrid(x, y, indexing="ij", sparse=True)),
        by_signature("(a),(b)->(a)", batch=False),
    ),
    call(
        np.block,
        lambda x, y: bent(np.block([[x, y, x], [y, x, y]])),
        pair_of_rows(),
    ),
    call(np.unstack, lambda x, axis: joined_bent(np.unstack(x, axis=axis)), one_axis()),
    call(
        np.insert,
        lambda x, axis: np.insert(x, [0, 1, 0], np.sum(x) ** 2, axis=axis),
        scanned(),
    ),
    Operation(
        "insert each",
        lambda x, y: np.insert(x, 0, y, axis=-1),
        pair_of_rows().map(
            lambda drawn: ([drawn[0][0], np.take(drawn[0][1], 0, axis=-1)], {})
        ),
    ),
    call(
        np.unique,
        lambda x: bent(np.unique(x)),
        unary(ANY, unique=True),
    ),
    Operation(
        "unique rows",
        lambda x: bent(np.unique(x, axis=0, return_counts=True)[0]),
        unary(ANY, MATRICES, unique=True),
        plain=lambda x: bent(x[np.unique(real(x), axis=0, return_index=True)[1]]),
    ),
    call(
        np.extract,
        lambda x, y, condition: bent(np.extract(condition, x + y)),
        chosen(),
    ),
    call(np.diagflat, lambda x: bent(np.diagflat(x, 1)), unary()),
    call(
        np.bincount,
        lambda x, indices, axis: np.bincount(
            np.ravel(indices), np.ravel(np.take_along_axis(x, indices, axis)), minlength=5
        ),
        alongside(),
        plain=lambda x, indices, axis: np.stack(
            [
                np.sum(np.take_along_axis(x, indices, axis) * (indices == k))
                for k in range(5)
            ]
        ),
    ),
    call(
        np.piecewise,
        lambda x: np.piecewise(
            x, [real(x) > 1, real(x) < 0], [np.log, 2.5, lambda x: x * x]
        ),
        unary(ANY, NONEMPTY),
        plain=lambda x: np.where(
            real(x) > 1,
            np.log(np.where(real(x) > 1, x, 1)),
            np.where(real(x) < 0, 2.5, x * x),
        ),
    ),
    call(
        np.apply_along_axis,
        lambda x, axis: np.apply_along_axis(lambda r: np.outer(r, r), axis, x),
        one_axis(),
    ),
]
