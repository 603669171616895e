"""Descent: how parameters move once the sweep has left their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.blocks import in_place, in_rows
from rnn.checks import as_number
from rnn.clipping import clip_grad_norm, clip_grad_value
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

RANGES: dict[str, Callable[[float], bool]] = {
    "above 0": lambda number: number > 0,
    "0 or above": lambda number: number >= 0,
    "0 to below 1": lambda number: 0 <= number < 1,
}


class Optimizer:
    """Parameters by name, a learning rate, and what the rule remembers of each.

    Args:
        parameters: the Tensors to move, by name, as `network.parameters()` gives them.
        lr: the learning rate η.

    Attributes:
        parameters, lr: these; the learning rate may be changed between steps.
        steps: how many steps it has made.
        moves: by parameter, in how many of them it had a gradient and was moved.
        memory: arrays by slot and parameter, e.g. memory["m"]["W_x"].

    Raises:
        ValueError, TypeError: for parameters that cannot be moved, or settings out of
            range.
    """

    slots: tuple[str, ...] = ()

    def __init__(self, parameters: dict[str, Tensor], lr: float) -> None:
        _check_parameters(type(self).__name__, parameters)
        self._within("lr", lr, "above 0")
        self.parameters = parameters
        self.lr = lr
        self.steps = 0
        self.moves = dict.fromkeys(parameters, 0)
        self.memory = {
            slot: {name: np.zeros_like(p.data) for name, p in parameters.items()}
            for slot in self.slots
        }

    def zero_grad(self) -> None:
        """Forget every gradient."""
        for p in self.parameters.values():
            p.zero_grad()

    def step(self) -> None:
        """Move every parameter that has a gradient.

        Values and memory change in place, a few rows at a time: what a rule makes on the
        way stays in the cache.
        """
        self.steps += 1
        for name, p in self.parameters.items():
            if p.grad is not None:
                self.moves[name] += 1
                memory = [self.memory[slot][name] for slot in self.slots]
                with in_place(p) as value:
                    for w, g, *m in in_rows(value, p.grad, *memory):
                        w -= self._move(w, g, self.moves[name], p.ndim, *m)

    def _move(self, w: Array, g: Array, t: int, ndim: int, *memory: Array) -> Array:
        """What to take from some rows w of a parameter.

        Args:
            w, g: these, and the same rows of the gradient.
            t: how many moves the parameter has made, this one included.
            ndim: how many axes the parameter has.
            memory: the rows of each slot, to be changed in place.
        """
        raise NotImplementedError

    def _within(self, name: str, value: Any, expected: str) -> None:
        number = as_number(value)
        if not (RANGES[expected](number) and number < np.inf):
            raise ValueError(
                f"{type(self).__name__}: {name}={value!r}, expected {expected}, a number"
            )


def _check_parameters(kind: str, parameters: Any) -> None:
    if not isinstance(parameters, dict):
        raise TypeError(
            f"{kind}: parameters are a {type(parameters).__name__}, expected Tensors by "
            "name: network.parameters(), or {'w': w}"
        )
    if not parameters:
        raise ValueError(f"{kind}: there are no parameters to move")
    names: dict[int, str] = {}
    for name, p in parameters.items():
        if not (isinstance(p, Tensor) and p.requires_grad):
            what = ", which requires no gradient" if isinstance(p, Tensor) else ""
            raise TypeError(
                f"{kind}: {name} is a {type(p).__name__}{what}; expected "
                "Tensor(…, requires_grad=True)"
            )
        first = names.setdefault(id(p), name)
        if first != name:
            raise ValueError(
                f"{kind}: {first} and {name} are one Tensor, which a step would move "
                "twice; give it under one name"
            )


class SGD(Optimizer):
    """Δw = −η ∂E/∂w; with momentum μ: m ← μ m + ∂E/∂w, Δw = −η m.

    Nesterov's momentum looks ahead: Δw = −η (∂E/∂w + μ m), in Sutskever's form.

    Args:
        parameters, lr: see `Optimizer`.
        momentum: μ, from 0 to below 1.
        nesterov: whether to look ahead; with a momentum above 0.
    """

    def __init__(
        self,
        parameters: dict[str, Tensor],
        lr: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        self._within("momentum", momentum, "0 to below 1")
        if nesterov and not momentum:
            raise ValueError("SGD: nesterov=True needs a momentum above 0")
        self.slots = ("m",) if momentum else ()
        super().__init__(parameters, lr)
        self.momentum = momentum
        self.nesterov = nesterov

    def _move(self, w: Array, g: Array, t: int, ndim: int, *memory: Array) -> Array:
        if not self.momentum:
            return self.lr * g
        (m,) = memory
        m *= self.momentum
        m += g
        return self.lr * (g + self.momentum * m if self.nesterov else m)


class RMSprop(Optimizer):
    """RMSprop (Hinton, 2012): v ← α v + (1 − α) g²,  Δw = −η g / (√v + ε).

    Args:
        parameters, lr: see `Optimizer`.
        alpha: α, from 0 to below 1.
        eps: ε, above 0.
    """

    slots = ("v",)

    def __init__(
        self,
        parameters: dict[str, Tensor],
        lr: float = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr)
        self._within("alpha", alpha, "0 to below 1")
        self._within("eps", eps, "above 0")
        self.alpha = alpha
        self.eps = eps

    def _move(self, w: Array, g: Array, t: int, ndim: int, *memory: Array) -> Array:
        (v,) = memory
        v += (1 - self.alpha) * (np.square(g) - v)
        move: Array = self.lr * g / (np.sqrt(v) + self.eps)
        return move


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

    def __init__(
        self,
        parameters: dict[str, Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr)
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise ValueError(
                f"{type(self).__name__}: betas={betas!r}, expected two numbers, β₁ and β₂"
            )
        for beta in betas:
            self._within("a beta", beta, "0 to below 1")
        self._within("eps", eps, "above 0")
        self.betas = betas
        self.eps = eps

    def _move(self, w: Array, g: Array, t: int, ndim: int, *memory: Array) -> Array:
        (b1, b2), (m, v) = self.betas, memory
        # One array for all that comes between, and 1 − β₂ᵗ taken out of the root.
        part, root = np.empty_like(m), (1 - b2**t) ** 0.5
        np.subtract(g, m, out=part)
        part *= 1 - b1
        m += part
        np.square(g, out=part)
        part -= v
        part *= 1 - b2
        v += part
        np.sqrt(v, out=part)
        part += self.eps * root
        np.divide(m, part, out=part)
        part *= self.lr * root / (1 - b1**t)
        return part


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019): −η λ w beside Δw.

    The decay λ acts on matrices, not on biases (PyTorch's acts on all).

    Args:
        parameters, lr, betas, eps: see `Adam`.
        weight_decay: λ, 0 or above.
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
        self._within("weight_decay", weight_decay, "0 or above")
        self.weight_decay = weight_decay

    def _move(self, w: Array, g: Array, t: int, ndim: int, *memory: Array) -> Array:
        move = super()._move(w, g, t, ndim, *memory)
        return move + self.lr * self.weight_decay * w if ndim > 1 else move
