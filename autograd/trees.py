"""Nests of dicts, lists, tuples and dataclasses, with values at their leaves."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

__all__ = ["leaves", "map_tree"]


def map_tree(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same nest, with `function` applied to every leaf; None stays None."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        found = copy.copy(tree)  # a defaultdict, say, keeps its default
        found.update((key, map_tree(function, v)) for key, v in tree.items())
        return found
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(map_tree(function, v) for v in tree))
    if isinstance(tree, (list, tuple)):
        return type(tree)(map_tree(function, v) for v in tree)
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        fields = [field.name for field in dataclasses.fields(tree)]
        changed = {name: map_tree(function, getattr(tree, name)) for name in fields}
        return dataclasses.replace(tree, **changed)
    return function(tree)


def leaves(tree: Any) -> list[Any]:
    """The leaves of a nest, in the order of `map_tree`; None is none."""
    found: list[Any] = []
    _collect(tree, found)
    return found


def _collect(tree: Any, found: list[Any]) -> None:
    if isinstance(tree, (list, tuple)):
        for part in tree:
            _collect(part, found)
    elif isinstance(tree, dict):
        for part in tree.values():
            _collect(part, found)
    elif dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        for field in dataclasses.fields(tree):
            _collect(getattr(tree, field.name), found)
    elif tree is not None:
        found.append(tree)
