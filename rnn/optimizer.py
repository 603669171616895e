"""What all optimisers share: parameters, options of groups, memory, the step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from autograd import Tensor
from autograd.blocks import in_place, in_rows
from rnn.checks import as_number
from rnn.grouping import as_groups

__all__ = ["Optimizer"]

Array = np.ndarray[Any, Any]

RANGES: dict[str, Callable[[float], bool]] = {
    "above 0": lambda number: number > 0,
    "0 or above": lambda number: number >= 0,
    "0 to below 1": lambda number: 0 <= number < 1,
}


class Optimizer:
    """Parameters by name, a learning rate, and what the rule remembers of each.

    Args:
        parameters: the Tensors to move: a Module, a list of Modules, Tensors by name as
            `network.parameters()` gives them, an iterable of Tensors, or groups
            `[{"params": …, "lr": …}, …]`. A group may set any of the optimiser's options
            for its own parameters.
        lr: the learning rate η.
        options: the other options of the rule, by name.

    Attributes:
        parameters, lr: these, the parameters as a dict; the learning rate may be changed
            between steps, and those of groups change in proportion.
        groups: the groups' options and the names of their parameters; "of" is the
            optimiser's learning rate that a group's own was given with.
        steps: how many steps it has made.
        moves: by parameter, in how many of them it had a gradient and was moved.
        memory: arrays by slot and parameter, e.g. memory["m"]["W_x"].

    Raises:
        ValueError, TypeError: for parameters that cannot be moved, or are given twice;
            for settings out of range or unknown.
    """

    slots: tuple[str, ...] = ()
    ranges: ClassVar[dict[str, str]] = {}
    """What the rule's options are to be, in words of `RANGES`, beside the rate."""

    def __init__(self, parameters: Any, lr: float, **options: Any) -> None:
        kind = type(self).__name__
        self.lr = lr
        vars(self).update(options)
        self._check({"lr": lr} | options)
        self.parameters, groups = as_groups(kind, parameters)
        _check_parameters(kind, self.parameters, groups)
        self.groups = [self._group(i, group) for i, group in enumerate(groups)]
        self.steps = 0
        self.moves = dict.fromkeys(self.parameters, 0)
        self.memory = {
            slot: {name: np.zeros_like(p.data) for name, p in self.parameters.items()}
            for slot in self.slots
        }

    @property
    def param_groups(self) -> tuple[Mapping[str, Any], ...]:
        """The options in force for each group, read-only; "params" are its Tensors."""
        settings = self._settings()
        found = []
        for names in [g["params"] for g in self.groups] or [list(self.parameters)]:
            own = settings[names[0]]
            group = {name: getattr(own, name) for name in ("lr", *self.ranges)}
            tensors = {name: self.parameters[name] for name in names}
            found.append(MappingProxyType({"params": tensors} | group))
        return tuple(found)

    def zero_grad(self) -> None:
        """Forget every gradient."""
        for p in self.parameters.values():
            p.zero_grad()

    def step(self) -> None:
        """Move every parameter that has a gradient.

        Values and memory change in place, a few rows at a time: what a rule makes on the
        way stays in the cache.

        Raises:
            FloatingPointError: before anything is moved, for a gradient whose square the
                rule needs and the dtype does not have, naming the parameter.
        """
        settings = self._settings()
        grads = {n: p.grad for n, p in self.parameters.items() if p.grad is not None}
        for name, g in grads.items():
            self._check_gradient(name, g, settings[name])
        self.steps += 1
        for name, g in grads.items():
            p, own = self.parameters[name], settings[name]
            self.moves[name] += 1
            memory = [self.memory[slot][name] for slot in self.slots]
            with in_place(p) as value:
                for w, rows, *m in in_rows(value, g, *memory):
                    w -= self._move(own, w, rows, self.moves[name], p.ndim, *m)

    def _move(
        self, own: Any, w: Array, g: Array, t: int, ndim: int, *memory: Array
    ) -> Array:
        """What to take from some rows w of a parameter.

        Args:
            own: has the options of this parameter as attributes.
            w, g: the rows, and the same rows of the gradient.
            t: how many moves the parameter has made, this one included.
            ndim: how many axes the parameter has.
            memory: the rows of each slot, to be changed in place.
        """
        raise NotImplementedError

    def _check_gradient(self, name: str, g: Any, own: Any) -> None:
        """Check that the rule can take a gradient; see `step`."""

    def _settings(self) -> dict[str, Any]:
        """What has the options of each parameter: the optimiser, or its group's own."""
        found: dict[str, Any] = dict.fromkeys(self.parameters, self)
        for group in self.groups:
            rest = {k: v for k, v in group.items() if k not in ("params", "lr", "of")}
            lr, of = group.get("lr", self.lr), group.get("of", self.lr)
            own = {name: getattr(self, name) for name in self.ranges} | rest
            own["lr"] = lr if of == self.lr else lr * (self.lr / of)
            found |= dict.fromkeys(group["params"], SimpleNamespace(**own))
        return found

    def _group(self, number: int, group: dict[str, Any]) -> dict[str, Any]:
        """A group, its options checked; its rate along with the one of the optimiser."""
        given = {name: value for name, value in group.items() if name != "params"}
        known = ("lr", *self.ranges)
        if unknown := [str(name) for name in given if name not in known]:
            raise TypeError(
                f"{type(self).__name__}: group {number} has {', '.join(unknown)}, "
                f"expected params and of {', '.join(known)}"
            )
        self._check({name: getattr(self, name) for name in known} | given)
        return group | ({"of": self.lr} if "lr" in given else {})

    def _check(self, options: dict[str, Any]) -> None:
        """Check options; ValueError naming the one that is out of range."""
        for name, value in options.items():
            expected = "above 0" if name == "lr" else self.ranges[name]
            if expected in RANGES:
                self._within(name, value, expected)
        if "betas" in options:
            betas = options["betas"]
            if not isinstance(betas, tuple | list) or len(betas) != 2:
                raise ValueError(
                    f"{type(self).__name__}: betas={betas!r}, expected two numbers, β₁ "
                    "and β₂"
                )
            for beta in betas:
                self._within("a beta", beta, "0 to below 1")
        if options.get("nesterov") and not options["momentum"]:
            raise ValueError("SGD: nesterov=True needs a momentum above 0")

    def _within(self, name: str, value: Any, expected: str) -> None:
        number = as_number(value)
        if not (RANGES[expected](number) and number < np.inf):
            raise ValueError(
                f"{type(self).__name__}: {name}={value!r}, expected {expected}, a number"
            )


def _check_parameters(
    kind: str, parameters: dict[str, Tensor], groups: list[dict[str, Any]]
) -> None:
    if not parameters:
        raise ValueError(f"{kind}: there are no parameters to move")
    names: dict[int, str] = {}
    group_of = {n: f" of group {i}" for i, g in enumerate(groups) for n in g["params"]}
    for name, p in parameters.items():
        if not p.requires_grad:
            raise TypeError(
                f"{kind}: {name} is a Tensor, which requires no gradient; expected "
                "Tensor(…, requires_grad=True). Leave out what is not to be moved"
            )
        first = names.setdefault(id(p), name)
        if first != name:
            raise ValueError(
                f"{kind}: {first}{group_of.get(first, '')} and {name}"
                f"{group_of.get(name, '')} are one Tensor, which a step would move "
                "twice; give it under one name"
            )
