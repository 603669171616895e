"""Derivatives from outside of the engine: the complex step."""

import numpy as np

from autograd import Tensor
from autograd.backward import sweep
from autograd.tensor import wrap

STEP = 1e-30
TOLERANCE = 1e-12


def complex_step(function, args, directions):
    """The derivative of `function` at `args` along `directions`: Im f(x + ihu) / h."""
    moved = [x + 1j * STEP * u for x, u in zip(args, directions, strict=True)]
    return np.imag(function(*moved)) / STEP


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
