"""Descent: how parameters move once the sweep has left their gradients."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, ClassVar

import numpy as np

from rnn.clipping import clip_grad_norm, clip_grad_value
from rnn.optimizer import Optimizer
from rnn.schedules import constant, cosine, exponential, one_cycle, staircase, warm_up

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSprop",
    "clip_grad_norm",
    "clip_grad_value",
    "constant",
    "cosine",
    "exponential",
    "one_cycle",
    "staircase",
    "warm_up",
]

Array = np.ndarray[Any, Any]


def _blend(average: Array, new: Array, decay: float, part: Array) -> None:
    """average ← decay · average + (1 − decay) · new, in place.

    `part` is overwritten; it may be `new`.

    The smaller share is that of the difference: average + (new − average) would lose a
    small `new` beside a large `average` that is to be forgotten.
    """
    if new is part and decay < 0.5:
        new = part.copy()
    np.subtract(new, average, out=part)
    if decay >= 0.5:
        part *= 1 - decay
        average += part
    else:
        part *= decay
        np.subtract(new, part, out=average)


def _check_square(kind: str, name: str, g: Any, decay: float, eps: float) -> None:
    """Check that (1 − decay) g² is a number of its dtype, or hidden by eps.

    Raises:
        FloatingPointError: naming the parameter.
    """
    array = np.asarray(g)
    least, largest, precision = _limits(array.dtype)
    small_eps = eps * (1 - decay) ** 0.5 < least / precision
    with np.errstate(over="ignore", invalid="ignore"):
        flat = np.ravel(array, order="K")
        if not small_eps and np.isfinite(np.dot(flat, flat)):
            return
        sizes = np.abs(array)
    large = np.isfinite(sizes) & (sizes > largest)
    small = (sizes > 0) & (sizes < least / (1 - decay) ** 0.5)
    if large.any():
        raise FloatingPointError(
            f"{kind}: the gradient of {name} has {sizes[large].max():.3g}, the square of "
            f"which is beyond {array.dtype}. Clip the gradients with clip_grad_norm, or "
            "scale the loss"
        )
    if small_eps and small.any():
        raise FloatingPointError(
            f"{kind}: the gradient of {name} has {sizes[small].min():.3g}, the square of "
            f"which is below the numbers of {array.dtype}, and eps={eps:.3g} is too "
            "small to make up for it. Give a larger eps, or scale the loss"
        )


@cache
def _limits(dtype: np.dtype[Any]) -> tuple[float, float, float]:
    """The least and largest numbers that have squares, and the relative precision."""
    found = np.finfo(dtype)
    least, largest = float(found.smallest_normal) ** 0.5, float(found.max) ** 0.5
    return least, largest, float(found.eps)


def _rest(beta: float, t: int) -> float:
    """1 − βᵗ, also where β is close to 1."""
    near = beta > 1 - 1e-6
    return -math.expm1(t * math.log1p(beta - 1)) if near else 1 - beta**t


class SGD(Optimizer):
    """Δw = −η ∂E/∂w; with momentum μ: m ← μ m + ∂E/∂w, Δw = −η m.

    Nesterov's momentum looks ahead: Δw = −η (∂E/∂w + μ m), in Sutskever's form.

    Args:
        parameters, lr: see `Optimizer`.
        momentum: μ, from 0 to below 1.
        nesterov: whether to look ahead; with a momentum above 0.
    """

    ranges: ClassVar[dict[str, str]] = {
        "momentum": "0 to below 1",
        "nesterov": "True or False",
    }

    def __init__(
        self,
        parameters: Any,
        lr: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(parameters, lr, momentum=momentum, nesterov=nesterov)
        if any(group["momentum"] for group in self.param_groups):
            self.slots = ("m",)
            zeros = {name: np.zeros_like(p.data) for name, p in self.parameters.items()}
            self.memory = {"m": zeros}

    def _move(
        self, own: Any, w: Array, g: Array, t: int, ndim: int, *memory: Array
    ) -> Array:
        if not own.momentum:
            return own.lr * g
        (m,) = memory
        m *= own.momentum
        m += g
        return own.lr * (g + own.momentum * m if own.nesterov else m)


class RMSprop(Optimizer):
    """RMSprop (Hinton, 2012): v ← α v + (1 − α) g²,  Δw = −η g / (√v + ε).

    Args:
        parameters, lr: see `Optimizer`.
        alpha: α, from 0 to below 1.
        eps: ε, above 0.
    """

    slots = ("v",)
    ranges: ClassVar[dict[str, str]] = {"alpha": "0 to below 1", "eps": "above 0"}

    def __init__(
        self,
        parameters: Any,
        lr: float = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr, alpha=alpha, eps=eps)

    def _move(
        self, own: Any, w: Array, g: Array, t: int, ndim: int, *memory: Array
    ) -> Array:
        (v,) = memory
        part = np.square(g)
        _blend(v, part, own.alpha, part)
        move: Array = own.lr * g / (np.sqrt(v) + own.eps)
        return move

    def _check_gradient(self, name: str, g: Any, own: Any) -> None:
        _check_square("RMSprop", name, g, own.alpha, own.eps)


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015).

    m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
    Δw = −η (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)

    t counts the parameter's own moves: one that first gets a gradient late starts then.

    Args:
        parameters, lr: see `Optimizer`.
        betas: β₁ and β₂, each from 0 to below 1.
        eps: ε, above 0.
    """

    slots = ("m", "v")
    ranges: ClassVar[dict[str, str]] = {"betas": "two numbers", "eps": "above 0"}

    def __init__(
        self,
        parameters: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr, betas=betas, eps=eps)

    def _move(
        self, own: Any, w: Array, g: Array, t: int, ndim: int, *memory: Array
    ) -> Array:
        (b1, b2), (m, v) = own.betas, memory
        # Two arrays for all that comes between, and 1 − β₂ᵗ taken out of the root.
        part, root = np.empty_like(m), _rest(b2, t) ** 0.5
        _blend(m, g, b1, part)
        _blend(v, np.square(g, out=part), b2, part)
        np.sqrt(v, out=part)
        part += own.eps * root
        np.divide(m, part, out=part)
        part *= own.lr * root / _rest(b1, t)
        return part

    def _check_gradient(self, name: str, g: Any, own: Any) -> None:
        _check_square(type(self).__name__, name, g, own.betas[1], own.eps)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019): −η λ w beside Δw.

    The decay λ acts on matrices, not on biases (PyTorch's acts on all).

    Args:
        parameters, lr, betas, eps: see `Adam`.
        weight_decay: λ, 0 or above.
    """

    ranges: ClassVar[dict[str, str]] = Adam.ranges | {"weight_decay": "0 or above"}

    def __init__(
        self,
        parameters: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        options: dict[str, Any] = {"betas": betas, "eps": eps}
        Optimizer.__init__(self, parameters, lr, **options, weight_decay=weight_decay)

    def _move(
        self, own: Any, w: Array, g: Array, t: int, ndim: int, *memory: Array
    ) -> Array:
        move = super()._move(own, w, g, t, ndim, *memory)
        return move + own.lr * own.weight_decay * w if ndim > 1 else move
