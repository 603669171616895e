"""Derivatives from outside of the engine: the complex step, and Cauchy's integral."""

import numpy as np

from autograd import Tensor
from autograd.backward import sweep
from autograd.tensor import value_of, wrap

STEP = 1e-30
TOLERANCE = 1e-12


def complex_step(function, args, directions):
    """The derivative of `function` at `args` along `directions`: Im f(x + ihu) / h."""
    moved = [x + 1j * STEP * u for x, u in zip(args, directions, strict=True)]
    return np.imag(function(*moved)) / STEP


def by_cauchy(function, radius=lambda x: 1.0):
    """`function` near real numbers as its Taylor polynomial, for the complex step.

    A library may know a function of complex numbers to 1e-16 of its size, but not an
    imaginary part of 1e-30. The coefficients are the means of f(x + rw) / (rw)^k over
    the 64th roots of one, exact to rounding where f is analytic in a circle of 2r.
    """
    w = np.exp(2j * np.pi * np.arange(64) / 64)

    def polynomial(x):
        at = np.real(value_of(x))
        r = np.expand_dims(radius(at) * np.ones_like(at), -1)
        around = function(at[..., np.newaxis] + r * w)
        c = [np.real(np.mean(around / (r * w) ** k, axis=-1)) for k in range(4)]
        d = x - at
        return c[0] + d * (c[1] + d * (c[2] + d * c[3]))

    return polynomial


def by_newton(function, slope, start):
    """The x with `function(x)` = y, by Newton's steps from start(y), exact at reals.

    Each doubles the order of the error, so that the steps carry complex parts too.
    """

    def inverse(y):
        x = start(np.real(value_of(y)))
        for _ in range(3):
            x = x - (function(x) - y) / slope(x)
        return x

    return inverse


def gradients_at(function, args, g):
    """gᵀ ∂f/∂args by the engine, at real or complex arguments."""
    tensors = [wrap(np.asarray(x)) for x in args]
    for t in tensors:
        t._tracked = True
    out = function(*tensors)
    start = np.broadcast_to(g, out.shape)
    table = {node: total for node, total, _ in sweep(out, start)}
    return [table.get(t, np.zeros(t.shape)) for t in tensors]


def assert_same_derivative(found, expected, g):
    """Σ found = Σ expected, relative to the sum of the terms' sizes.

    Where a rule subtracts equal numbers, as softmax does, its result is exact only to
    the rounding of g, which is therefore allowed for.
    """
    size = sum(float(np.sum(np.abs(term))) for term in (*found, *expected))
    gap = abs(
        sum(float(np.sum(t)) for t in found) - sum(float(np.sum(t)) for t in expected)
    )
    assert gap <= TOLERANCE * size + 1e-14 * float(np.sum(np.abs(g))), f"{gap} of {size}"


def tensors(*arrays):
    return [Tensor(x, requires_grad=True) for x in arrays]
