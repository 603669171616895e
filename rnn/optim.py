"""Descent: how parameters move once the sweep has left their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "clip_grad_norm", "cosine"]

Array = np.ndarray[Any, Any]


class Optimizer:
    """Parameters by name, a learning rate, and what the rule remembers of each.

    Attributes:
        parameters: the Tensors to move, by name.
        lr: the learning rate η; may be changed between steps.
        steps: how many steps it has made.
        memory: arrays by slot and parameter, e.g. memory["m"]["W_x"].
    """

    slots: tuple[str, ...] = ()

    def __init__(self, parameters: dict[str, Tensor], lr: float) -> None:
        if not lr > 0:
            raise ValueError(f"{type(self).__name__}: lr={lr}, expected above 0")
        self.parameters = parameters
        self.lr = lr
        self.steps = 0
        self.memory = {
            slot: {name: np.zeros_like(p.data) for name, p in parameters.items()}
            for slot in self.slots
        }

    def zero_grad(self) -> None:
        """Forget every gradient."""
        for p in self.parameters.values():
            p.zero_grad()

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        self.steps += 1
        for name, p in self.parameters.items():
            if p.grad is not None:
                p.data -= self._move(name, p)

    def _move(self, name: str, p: Tensor) -> Array:
        """What to take from parameter p."""
        raise NotImplementedError


class SGD(Optimizer):
    """Δw = −η ∂E/∂w; with momentum μ: m ← μ m + ∂E/∂w, Δw = −η m."""

    slots = ("m",)

    def __init__(
        self, parameters: dict[str, Tensor], lr: float = 0.01, momentum: float = 0.0
    ) -> None:
        super().__init__(parameters, lr)
        self.momentum = momentum

    def _move(self, name: str, p: Tensor) -> Array:
        m = self.memory["m"][name]
        m *= self.momentum
        m += p.grad
        return self.lr * m


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015).

    m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
    Δw = −η (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
    """

    slots = ("m", "v")

    def __init__(
        self,
        parameters: dict[str, Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr)
        self.betas = betas
        self.eps = eps

    def _move(self, name: str, p: Tensor) -> Array:
        (b1, b2), g = self.betas, p.grad
        m, v = self.memory["m"][name], self.memory["v"][name]
        m += (1 - b1) * (g - m)
        v += (1 - b2) * (np.square(g) - v)
        root = np.sqrt(v / (1 - b2**self.steps)) + self.eps
        move: Array = self.lr / (1 - b1**self.steps) * m / root
        return move


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019): −η λ w beside Δw.

    The decay λ acts on matrices, not on biases.
    """

    def __init__(
        self,
        parameters: dict[str, Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(parameters, lr, betas, eps)
        self.weight_decay = weight_decay

    def _move(self, name: str, p: Tensor) -> Array:
        move = super()._move(name, p)
        return move + self.lr * self.weight_decay * p.data if p.ndim > 1 else move


def clip_grad_norm(parameters: dict[str, Tensor], max_norm: float) -> float:
    """Scale all gradients by one factor so that their joint norm is at most `max_norm`.

    Returns:
        The norm as it was.

    Raises:
        FloatingPointError: where the norm is not finite, naming the parameters at fault.
    """
    grads = {name: p.grad for name, p in parameters.items() if p.grad is not None}
    norms = [float(np.linalg.norm(np.asarray(g, float))) for g in grads.values()]
    norm = float(np.linalg.norm(norms))
    if not np.isfinite(norm):
        bad = [name for name, g in grads.items() if not np.isfinite(g).all()]
        raise FloatingPointError(
            f"clip_grad_norm: the gradient of {', '.join(bad) or 'all'} is not finite; "
            "lower the learning rate, or look for NaN in the data"
        )
    if norm > max_norm:
        for name, g in grads.items():
            parameters[name].grad = g * (max_norm / norm)
    return norm


def cosine(lr: float, steps: int, step: int) -> float:
    """The learning rate of half a cosine: `lr` at step 0, 0 at step `steps`."""
    return lr * 0.5 * (1 + float(np.cos(np.pi * min(step, steps) / steps)))
