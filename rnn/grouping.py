"""The parameters that optimisers and clipping take: networks, lists, groups, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from rnn.module import Module

__all__ = ["as_groups", "by_name"]

FORMS = (
    "expected a Module, a list of Modules, Tensors by name as network.parameters() gives "
    'them, an iterable of Tensors, or groups [{"params": network, "lr": 0.1}, …]'
)

Named = dict[str, Tensor]


def by_name(caller: str, parameters: Any) -> Named:
    """Tensors by name, of any form that `FORMS` lists.

    Names that would stand for two Tensors get the position in the list as a prefix,
    "0.weight"; a Tensor without a name is called by its position.

    Raises:
        TypeError: for another form, and for values that are no Tensors, naming them.
    """
    named, _ = as_groups(caller, parameters)
    return named


def as_groups(caller: str, parameters: Any) -> tuple[Named, list[dict[str, Any]]]:
    """Tensors by name, and the groups, whose "params" are the lists of their names.

    There are no groups unless the parameters are a list of dicts with "params".

    Raises:
        TypeError: as `by_name`; and for a list of groups and others.
    """
    if isinstance(parameters, Module | Mapping):
        return _part(caller, "parameters", parameters), []
    _check_iterable(caller, "parameters", parameters)
    items = list(parameters)
    grouped = [isinstance(x, Mapping) and "params" in x for x in items]
    if not any(grouped):
        return _listed(caller, "parameters", items), []
    if not all(grouped):
        raise TypeError(
            f"{caller}: item {grouped.index(False)} of the parameters is no group, the "
            'others are; expected dicts with "params" throughout'
        )
    parts = [_group(caller, i, x["params"]) for i, x in enumerate(items)]
    named, names = _joined(parts)
    return named, [{**x, "params": own} for x, own in zip(items, names, strict=True)]


def _group(caller: str, i: int, x: Any) -> Named:
    """The Tensors of a group, of which there must be one."""
    found = _part(caller, f"params of group {i}", [x] if isinstance(x, Tensor) else x)
    if not found:
        raise ValueError(f"{caller}: group {i} has no parameters")
    return found


def _part(caller: str, what: str, x: Any) -> Named:
    """The Tensors of a Module, a dict, or an iterable of these and of Tensors."""
    if isinstance(x, Module):
        return dict(x.parameters())
    if isinstance(x, Mapping):
        for name, p in x.items():
            _check_tensor(caller, str(name), p)
        return dict(x)
    _check_iterable(caller, what, x)
    return _listed(caller, what, list(x))


def _listed(caller: str, what: str, items: list[Any]) -> Named:
    """The Tensors in a list; one that two of its Modules share is there once."""
    parts: list[Named] = []
    shared: set[Tensor] = set()
    for i, x in enumerate(items):
        pair = isinstance(x, tuple) and len(x) == 2 and isinstance(x[0], str)
        if pair:
            _check_tensor(caller, x[0], x[1])
            parts.append({x[0]: x[1]})
        elif isinstance(x, Tensor):
            parts.append({x.name or str(i): x})
        elif isinstance(x, Module):
            own = {n: p for n, p in x.parameters().items() if p not in shared}
            shared |= set(own.values())
            parts.append(own)
        elif isinstance(x, Mapping):
            parts.append(_part(caller, what, x))
        else:
            raise TypeError(
                f"{caller}: item {i} of the {what} is a {type(x).__name__}; {FORMS}"
            )
    return _joined(parts)[0]


def _joined(parts: list[Named]) -> tuple[Named, list[list[str]]]:
    """All parts as one dict, and the names of each part in it."""
    names = [name for part in parts for name in part]
    if len(set(names)) < len(names):
        parts = [
            {name if name == str(i) else f"{i}.{name}": p for name, p in part.items()}
            for i, part in enumerate(parts)
        ]
    whole: Named = {}
    for part in parts:
        whole |= part
    return whole, [list(part) for part in parts]


def _check_iterable(caller: str, what: str, x: Any) -> None:
    """Check that x can be listed in an order of its own; TypeError otherwise."""
    ordered = isinstance(x, Iterable) and not isinstance(x, set | frozenset)
    if not ordered or isinstance(x, Tensor | str | bytes | np.ndarray):
        one = "; one Tensor is [w]" if isinstance(x, Tensor) else ""
        raise TypeError(f"{caller}: {what} are a {type(x).__name__}; {FORMS}{one}")


def _check_tensor(caller: str, name: str, p: Any) -> None:
    if not isinstance(p, Tensor):
        raise TypeError(
            f"{caller}: {name} is a {type(p).__name__}; expected "
            "Tensor(…, requires_grad=True)"
        )
