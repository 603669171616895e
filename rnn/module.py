"""What all networks share: named parameters and a printed form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd import Tensor
from rnn.activations import ACTIVATIONS, OUTPUT_ACTIVATIONS, activation_named

__all__ = ["Module", "check_config", "uniform"]


class Module:
    """A network: attributes that are Tensors are its parameters, and those of the Modules
    among its attributes, under names such as "layers.0.weight".

    Attributes:
        config: the constructor's arguments, with which `load` builds it again.
        training: whether dropout is on.
    """

    config: dict[str, Any]
    training = True

    def _configure(
        self,
        sizes: dict[str, int],
        activation: str,
        output_activation: str,
        dtype: Any,
    ) -> None:
        """Check and note the arguments; look up the activations φ and ψ.

        Raises:
            ValueError: for a size below 1, an unknown activation, or another dtype.
        """
        self._phi = activation_named(activation, ACTIVATIONS, "activation")
        self._psi = activation_named(
            output_activation, OUTPUT_ACTIVATIONS, "output_activation"
        )
        chosen = {"activation": activation, "output_activation": output_activation}
        self.config = check_config(self, sizes, dtype, **chosen)

    def _check_sequence(self, x: Any) -> None:
        """See that numeric inputs are (T, B, D), without NaN."""
        kind, D = type(self).__name__, self.config["input_size"]
        if x.ndim != 3 or x.shape[2] != D:
            raise ValueError(
                f"{kind}: x has shape {x.shape}, expected (T, B, D) with D = {D}. One "
                "sequence of T numbers is x.reshape(T, 1, 1)"
            )
        if x.dtype.kind != "f":
            raise ValueError(f"{kind}: x is {x.dtype}, expected floating-point numbers")
        if np.isnan(x).any():
            first = [int(i) for i in np.argwhere(np.isnan(x))[0]]
            raise ValueError(f"{kind}: x has NaN, the first at [t, b, d] = {first}")

    def parameters(self) -> dict[str, Tensor]:
        """Its parameters by name, in the order they were made."""
        found = {}
        for name, x in vars(self).items():
            if isinstance(x, Tensor):
                found[name] = x
            else:
                for inner, module in _modules(name, x):
                    for path, p in module.parameters().items():
                        found[f"{inner}.{path}"] = p
        return found

    def train(self, training: bool = True) -> Module:
        """Switch dropout on, or off; returns the network."""
        self.training = training
        for name, x in vars(self).items():
            for _, module in _modules(name, x):
                module.train(training)
        return self

    def eval(self) -> Module:
        """Switch dropout off; returns the network."""
        return self.train(False)

    def state_dict(self) -> dict[str, Any]:
        """A copy of every parameter's value by name."""
        return {name: np.array(p.data) for name, p in self.parameters().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Set every parameter's value.

        Raises:
            ValueError: naming every entry that is missing, unknown, misshapen or not of
                real numbers; nothing is set then.
        """
        own = self.parameters()
        state = {name: np.asarray(value) for name, value in state.items()}
        wrong = [f"{name} is missing" for name in own if name not in state]
        wrong += [f"{name} is unknown" for name in state if name not in own]
        wrong += [
            f"{name} has shape {np.shape(state[name])}, expected {p.shape}"
            for name, p in own.items()
            if name in state and np.shape(state[name]) != p.shape
        ]
        wrong += [
            f"{name} is {value.dtype}, expected real numbers"
            for name, value in state.items()
            if name in own and not np.can_cast(value.dtype, float, "same_kind")
        ]
        if wrong:
            raise ValueError(f"{type(self).__name__}.load_state_dict: {'; '.join(wrong)}")
        for name, p in own.items():
            p.data = state[name]

    def zero_grad(self) -> None:
        """Forget every parameter's gradient."""
        for p in self.parameters().values():
            p.zero_grad()

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.config.items())
        rows = [f"  {n} {p.shape}: {p.size:,}" for n, p in self.parameters().items()]
        total = sum(p.size for p in self.parameters().values())
        head = f"{type(self).__name__}({arguments})"
        return "\n".join((head, *rows, f"  {total:,} parameters"))


def _modules(name: str, attribute: Any) -> Iterator[tuple[str, Module]]:
    """The Modules that an attribute is or lists; private ones share what others own."""
    if isinstance(attribute, Module):
        yield name, attribute
    elif isinstance(attribute, (list, tuple)) and not name.startswith("_"):
        for i, module in enumerate(attribute):
            if isinstance(module, Module):
                yield f"{name}.{i}", module


def check_config(
    network: Module, sizes: dict[str, int], dtype: Any, **rest: Any
) -> dict[str, Any]:
    """The arguments of a network as its `config`, once they are seen to be possible.

    Raises:
        ValueError: for a size that is no integer of at least 1, or another dtype.
    """
    kind = type(network).__name__
    for name, size in sizes.items():
        if not isinstance(size, (int, np.integer)) or isinstance(size, bool) or size < 1:
            raise ValueError(f"{kind}: {name}={size}, expected at least 1")
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise ValueError(f"{kind}: dtype={dtype}, expected float32 or float64")
    return sizes | rest | {"dtype": np.dtype(dtype).name}


def uniform(
    rng: np.random.Generator, fan: int, *shape: int, name: str, dtype: Any
) -> Tensor:
    """A parameter drawn from U(−1/√fan, 1/√fan), PyTorch's range for recurrent nets."""
    bound = 1 / np.sqrt(fan)
    draw = rng.uniform(-bound, bound, shape).astype(dtype)
    return Tensor(draw, requires_grad=True, name=name)
