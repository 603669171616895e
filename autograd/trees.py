"""Nests of dicts, lists, tuples and dataclasses, with values at their leaves."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

__all__ = ["leaves", "like", "map_tree"]


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


def like(other: Any, tree: Any) -> Any:
    """The same leaves, in the order that an equal nest has them.

    >>> like({"x": 0, "y": {"a": 0, "b": 0}}, {"y": {"b": 4, "a": 3}, "x": 1})
    {'x': 1, 'y': {'a': 3, 'b': 4}}
    """
    if isinstance(tree, dict):
        equal = isinstance(other, dict) and tree.keys() == other.keys()
        return {k: like(part, tree[k]) for k, part in other.items()} if equal else tree
    if isinstance(tree, (list, tuple)):
        equal = isinstance(other, (list, tuple)) and len(tree) == len(other)
        return list(map(like, other, tree)) if equal else tree
    if dataclasses.is_dataclass(tree) and type(other) is type(tree):
        names = [field.name for field in dataclasses.fields(tree)]
        return [like(getattr(other, n), getattr(tree, n)) for n in names]
    return tree


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
