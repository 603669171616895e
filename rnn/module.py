"""What all networks share: named parameters and a printed form."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import numpy as np

from autograd import Tensor, steady
from autograd.arrays import as_plain
from autograd.tensor import value_of
from rnn.activations import ACTIVATIONS, OUTPUT_ACTIVATIONS, activation_named
from rnn.budget import charge
from rnn.checks import check_sizes
from rnn.parameters import Parameters, replaced, replacements

__all__ = ["Module", "check_config", "tie", "uniform"]

SWITCHES = {"bias", "batch_first", "bidirectional"}
"""Arguments that are on or off."""


class Module:
    """A network: its parameters are the Tensors among its attributes, and those of the
    Modules among them, also in lists, tuples and dicts: "layers.0.weight".

    A private list or dict ("_cells") holds no parameters of its own.

    A class derived from this defines `forward` or `__call__`: `network(x)` and
    `network.forward(x)` are the same call.

    Attributes:
        config: the constructor's arguments, with which `load` builds it again.
    """

    config: dict[str, Any]
    _training = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own: Any = cls
        if "forward" in vars(cls) and "__call__" not in vars(cls):
            own.__call__ = cls.forward
        elif "__call__" in vars(cls) and "forward" not in vars(cls):
            own.forward = cls.__call__

    def forward(self, *args: Any, **options: Any) -> Any:
        """Compute the outputs; a derived class says how.

        Raises:
            TypeError: unless the class defines `forward` or `__call__`.
        """
        raise TypeError(
            f"{type(self).__name__}: the class defines neither forward nor __call__. "
            "Define forward(self, x)"
        )

    __call__: Callable[..., Any] = forward

    @property
    def training(self) -> bool:
        """Whether dropout is on."""

        def training() -> bool:
            return self._training

        return bool(steady(training))

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
        """See that numeric inputs are (T, B, D), and finite."""
        kind, D = type(self).__name__, self.config["input_size"]
        if x.ndim != 3 or x.shape[2] != D:
            raise ValueError(
                f"{kind}: x has shape {x.shape}, expected (T, B, D) with D = {D}. One "
                "sequence of T numbers is x.reshape(T, 1, 1)"
            )
        if x.dtype.kind != "f":
            raise ValueError(f"{kind}: x is {x.dtype}, expected floating-point numbers")
        bad = ~np.isfinite(x)
        if bad.any():
            first = [int(i) for i in np.argwhere(bad)[0]]
            what = "NaN" if np.isnan(value_of(x)[tuple(first)]) else "∞"
            raise ValueError(f"{kind}: x has {what}, the first at [t, b, d] = {first}")

    def parameters(self) -> Parameters:
        """Its parameters by name, in the order they were made.

        One that has several names, since two layers share it, is there once, under the
        first of them: it is one parameter to count, to clip and to move.
        """
        found: dict[Tensor, str] = {}
        for name, p in self.under_all_names():
            found.setdefault(p, name)
        return Parameters({name: p for p, name in found.items()})

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Iterate over (name, parameter), as `parameters` has them."""
        yield from self.parameters().items()

    def under_all_names(self) -> Iterator[tuple[str, Tensor]]:
        """Name and parameter; one that two layers share comes under both names."""
        for name, x in vars(self).items():
            if isinstance(x, Tensor):  # most attributes are one, or hold none
                yield name, x
            elif isinstance(x, (Module, list, tuple, dict)):
                for path, part in _parts(name, x):
                    if isinstance(part, Tensor):
                        yield path, part
                        continue
                    for inner, p in part.under_all_names():
                        yield f"{path}.{inner}", p

    def having(self, /, **parameters: Any) -> Self:
        """The same network with these parameters in the places of its own.

        It computes what this network would if the values of these parameters were set,
        and gradients go to the Tensors given. This network stays as it is; the other
        parameters are shared.

        Args:
            parameters: by the names of `parameters()`; `**{"layers.0.weight": W}` for
                one with dots. Tensors of the parameter's shape and dtype; or arrays of
                real numbers of its shape, which become Tensors of its dtype.

        Raises:
            ValueError: naming every parameter that is unknown, or has another shape or
                dtype; and two names of one parameter with different values.
        """
        caller, own = f"{type(self).__name__}.having", dict(self.under_all_names())
        network: Self = replaced(self, replacements(caller, own, parameters), {}, Module)
        return network

    def _bound(self, parameters: dict[str, Any]) -> Self:
        """`having` unchecked, for attributes: values may be those a program records."""
        network = copy.copy(self)
        vars(network).update(parameters)
        return network

    def train(self, training: bool = True) -> Module:
        """Switch dropout on, or off; returns the network."""
        self._training = training
        for name, x in vars(self).items():
            for _, part in _parts(name, x):
                if isinstance(part, Module):
                    part.train(training)
        return self

    def eval(self) -> Module:
        """Switch dropout off; returns the network."""
        return self.train(False)

    def state_dict(self) -> dict[str, Any]:
        """A copy of every parameter's value by name.

        One that two layers share is there under both names, as in PyTorch.
        """
        return {name: np.array(p.data) for name, p in self.under_all_names()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Set every parameter's value.

        Args:
            state: arrays, or Tensors, by name, as `state_dict` gives them. One name
                is enough for a parameter that two layers share.

        Raises:
            TypeError: for no dict.
            ValueError: naming every entry that is missing, unknown, misshapen or has no
                real numbers; and two names of one parameter with different values.
        """
        own = self.parameters()
        for name, value in self._checked_state(state).items():
            own[name].data = value

    def _checked_state(self, state: Any) -> dict[str, Any]:
        """The values by name, once all of them are seen to fit."""
        caller = f"{type(self).__name__}.load_state_dict"
        if not isinstance(state, Mapping):
            raise TypeError(
                f"{caller}: got a {type(state).__name__}, expected arrays by name, as "
                "state_dict() gives them"
            )
        given = {name: as_plain(caller, value_of(v)) for name, v in state.items()}
        names: dict[Tensor, list[str]] = {}
        for name, p in self.under_all_names():
            names.setdefault(p, []).append(name)
        known = {name for each in names.values() for name in each}
        there = [[n for n in each if n in given] for each in names.values()]
        pairs = list(zip(names.items(), there, strict=True))
        wrong = [f"{each[0]} is missing" for (_, each), have in pairs if not have]
        wrong += [f"{name} is unknown" for name in given if name not in known]
        for (p, _), have in pairs:
            wrong += [w for n in have for w in _misfits(n, given[n], p.shape)]
            wrong += [
                f"{have[0]} and {n} are one parameter, but have different values"
                for n in have[1:]
                if not _equal(given[have[0]], given[n])
            ]
        if wrong:
            raise ValueError(f"{caller}: {'; '.join(wrong)}")
        return {each[0]: given[have[0]] for (_, each), have in pairs}

    def zero_grad(self) -> None:
        """Forget every parameter's gradient."""
        for p in self.parameters().values():
            p.zero_grad()

    def __repr__(self) -> str:
        config = vars(self).get("config", {})  # which a network of one's own may lack
        arguments = ", ".join(f"{name}={value!r}" for name, value in config.items())
        rows = [f"  {n} {p.shape}: {p.size:,}" for n, p in self.parameters().items()]
        total = sum(p.size for p in self.parameters().values())
        head = f"{type(self).__name__}({arguments})"
        return "\n".join((head, *rows, f"  {total:,} parameters"))


def tie(module: Module, name: str, first: Any) -> None:
    """Put the parameter called `first` in the place of that called `name`.

    Raises:
        ValueError: if the module lacks one of them, or they have different shapes.
    """
    found = dict(module.under_all_names())
    if not (isinstance(first, str) and name in found and first in found):
        raise ValueError(f"{name} is tied to {first!r}, one of which there is not")
    if found[name].shape != found[first].shape:
        raise ValueError(
            f"{name} of shape {found[name].shape} is tied to {first} of shape "
            f"{found[first].shape}"
        )
    owner, _, attribute = name.rpartition(".")
    holder: Any = module
    for part in owner.split(".") if owner else ():
        holder = holder[int(part)] if isinstance(holder, list) else getattr(holder, part)
    setattr(holder, attribute, found[first])


def _misfits(name: str, value: Any, shape: tuple[int, ...]) -> list[str]:
    """What keeps a value from being that of a parameter of this shape."""
    if value.shape != shape:
        return [f"{name} has shape {value.shape}, expected {shape}"]
    if value.dtype.kind not in "fiu":
        return [f"{name} is {value.dtype}, expected real numbers"]
    return []


def _equal(a: Any, b: Any) -> bool:
    """Whether two arrays of real numbers have the same ones, NaN in the same places."""
    if a.dtype.kind not in "fiu" or b.dtype.kind not in "fiu":
        return True  # which is told anyway
    return np.array_equal(a, b, equal_nan=True)


def _parts(name: str, attribute: Any) -> Iterator[tuple[str, Any]]:
    """The Tensors and Modules that an attribute is or holds; no private list or dict."""
    if isinstance(attribute, (Tensor, Module)):
        yield name, attribute
    elif isinstance(attribute, (list, tuple, dict)) and not name.startswith("_"):
        keyed = attribute if isinstance(attribute, dict) else dict(enumerate(attribute))
        for key, value in keyed.items():
            yield from _parts(f"{name}.{key}", value)


def check_config(
    network: Module, sizes: dict[str, int], dtype: Any, **rest: Any
) -> dict[str, Any]:
    """The arguments of a network as its `config`, once they are seen to be possible.

    Raises:
        ValueError: for a size that is no integer of at least 1, a switch that is neither
            on nor off, or another dtype.
    """
    kind = type(network).__name__
    check_sizes(kind, **sizes)
    for name in SWITCHES & set(rest):
        if not isinstance(rest[name], bool | np.bool_):
            raise ValueError(
                f"{kind}: {name}={rest[name]!r}, expected True or False. Where it is "
                "meant for another argument, give it by name"
            )
        rest[name] = bool(rest[name])
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = ""
    if name not in ("float32", "float64"):
        raise ValueError(f"{kind}: dtype={dtype!r}, expected float32 or float64")
    return {name: int(size) for name, size in sizes.items()} | rest | {"dtype": name}


def uniform(
    rng: np.random.Generator, fan: int, *shape: int, name: str, dtype: Any
) -> Tensor:
    """A parameter drawn from U(−1/√fan, 1/√fan), PyTorch's range for recurrent nets."""
    charge(shape)
    bound = 1 / np.sqrt(fan)
    draw = rng.uniform(-bound, bound, shape).astype(dtype)
    return Tensor(draw, requires_grad=True, name=name)
