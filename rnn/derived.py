"""Whether a network still computes the formulas of the library's class it is of."""

from __future__ import annotations

from typing import Any

from rnn.activations import ACTIVATIONS, OUTPUT_ACTIVATIONS

__all__ = ["changes", "check_unchanged", "library_class"]

HARMLESS = {
    "__annotations__", "__dict__", "__doc__", "__firstlineno__", "__init__",
    "__module__", "__orig_bases__", "__parameters__", "__qualname__", "__repr__",
    "__static_attributes__", "__str__", "__weakref__",
}  # fmt: skip
"""What a derived class may define without changing what is computed."""
NAMES = {
    "config", "W_x", "W_a", "W_y", "b_a", "b_y", "weight_ih", "weight_hh", "bias_ih",
    "bias_hh",
}  # fmt: skip
"""Attributes of instances, which a derived class could make properties."""
CHOSEN = {
    "_phi": ("activation", "nonlinearity"),
    "_psi": ("output_activation",),
}
"""The activations, and what they are called in `config`."""


def library_class(network: Any) -> type:
    """The first class of this library that a network is derived from, or of."""
    for kind in type(network).__mro__:
        if kind.__module__.startswith("rnn."):
            return kind
    return object


def changes(network: Any) -> list[str]:
    """The methods and attributes in which a network differs from the library's class.

    They are those of the library's class that a derived class or the instance replaces,
    and an activation other than the one that `config` names.
    """
    base = library_class(network)
    derived = type(network).__mro__[: type(network).__mro__.index(base)]
    names = [name for kind in derived for name in vars(kind) if name not in HARMLESS]
    found = [name for name in names if hasattr(base, name) or name in NAMES]
    found += [n for n, x in vars(network).items() if callable(x) and hasattr(base, n)]
    known = {**ACTIVATIONS, **OUTPUT_ACTIVATIONS}
    for attribute, options in CHOSEN.items():
        function = vars(network).get(attribute)
        chosen = [network.config[o] for o in options if o in network.config]
        if function is not None and [known.get(name) for name in chosen] != [function]:
            found.append(attribute)
    return list(dict.fromkeys(found))


def check_unchanged(caller: str, *networks: Any) -> None:
    """Check that networks compute the formulas of the library's classes.

    Raises:
        TypeError: naming what is changed.
    """
    for network in networks:
        if changed := changes(network):
            base = library_class(network).__name__
            raise TypeError(
                f"{caller}: {type(network).__name__} changes {', '.join(changed)} of "
                f"{base}, so that the formulas of {base} do not hold for it. credit, "
                "autograd.contributions and autograd.testing.check_grads work on what "
                "was recorded"
            )
