"""Nests of dicts, lists, tuples and dataclasses, with values at their leaves.

Subclasses count, namedtuples among them. The entries of a dataclass are its fields. None
is a nest without leaves.
"""

from __future__ import annotations

import copy
import dataclasses
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from operator import is_not
from typing import Any

import numpy as np

from autograd.tensor import Tensor

__all__ = [
    "Repeated", "alike", "by_place", "hidden", "itself", "leaves", "like", "map_tree",
    "ordered_keys", "paired", "paths",
]  # fmt: skip


LEAVES = frozenset({Tensor, np.ndarray, float, int, bool, str})
"""The types of most leaves, known as such without a closer look."""


def itself(x: Any) -> Any:
    """x; `map_tree(itself, tree)` is the same nest in containers of its own."""
    return x


def by_place(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[Any, Any]:
    """The arguments of a call in one nest: by number, and by keyword."""
    return {**dict(enumerate(args)), **kwargs}


def map_tree(function: Callable[[Any], Any], tree: Any) -> Any:
    """A new nest of the same structure and types, `function` applied to every leaf.

    No constructor, `__init__` or `__post_init__` of a user's class is called. Attributes
    that are no entries are handed on as they are; values of `cached_property` are left
    out, since they are computed from the entries.

    Raises:
        ValueError: for a nest that contains itself, or is nested too deep for Python.
    """
    try:
        return _mapped(function, tree)
    except RecursionError:
        raise _endless(tree) from None


def _mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    kind = type(tree)
    if kind in LEAVES:
        return function(tree)
    if tree is None:
        return None
    if kind is tuple or kind is list:
        return kind([_mapped(function, part) for part in tree])
    if isinstance(tree, dict):
        mapped = [(key, _mapped(function, part)) for key, part in tree.items()]
        entries = copy.copy(tree)  # a defaultdict, say, keeps its default
        for key, part in mapped:
            dict.__setitem__(entries, key, part)
        return _with_attributes(entries, tree)
    if isinstance(tree, list):
        elements = copy.copy(tree)
        list.__setitem__(elements, slice(None), [_mapped(function, x) for x in tree])
        return _with_attributes(elements, tree)
    if isinstance(tree, tuple):
        parts = [_mapped(function, part) for part in tree]
        return _with_attributes(tuple.__new__(kind, parts), tree)
    if _is_dataclass(tree):
        found = _with_attributes(object.__new__(kind), tree)
        for name, part in _fields(tree).items():
            object.__setattr__(found, name, _mapped(function, part))
        return found
    return function(tree)


def _endless(tree: Any) -> Exception:
    """The error for a nest of which there is no end within Python's recursion limit."""
    above, finished = set(), set()
    stack = [(tree, "", False)]
    while stack:
        x, path, done = stack.pop()
        entries = _entries(x)
        if done:
            above.discard(id(x))
            finished.add(id(x))
        elif entries and id(x) in above:
            return ValueError(
                f"a {type(x).__name__} contains itself, at {path or 'its top'}; expected "
                "containers with an end. Take the inner one out"
            )
        elif entries and id(x) not in finished:
            above.add(id(x))
            stack.append((x, path, True))
            stack += [(part, path + _step(x, k), False) for k, part in entries.items()]
    return ValueError(
        "containers are nested deeper than Python's recursion limit "
        f"({sys.getrecursionlimit()}). Use fewer levels, or sys.setrecursionlimit"
    )


def leaves(tree: Any) -> list[Any]:
    """The leaves of a nest, in the order of `map_tree`."""
    found: list[Any] = []
    try:
        _collect(tree, found)
    except RecursionError:
        raise _endless(tree) from None
    return found


def paths(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a nest with their paths, in the order of `leaves`.

    >>> list(paths({"W": [1, 2]}, "p"))
    [('p["W"][0]', 1), ('p["W"][1]', 2)]
    """
    entries = _entries(tree)
    if entries is None:
        yield path, tree
        return
    for key, part in entries.items():
        yield from paths(part, path + _step(tree, key))


def hidden(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The attributes of containers that are no entries, with their paths.

    What is computed from the entries and kept there does not change with them.
    """
    entries = _entries(tree)
    if entries is None:
        return
    for name, value in _attributes(tree).items():
        yield f"{path}.{name}", value
    for key, part in entries.items():
        yield from hidden(part, path + _step(tree, key))


class Repeated:
    """The containers that stand in several places of a nest.

    In a copy of the nest they are as many containers, so that what a function does to one
    of them does not show in the other places, as it would in the nest itself.

    Args:
        tree: the nest.
        own: its copy, which a function is to get.
    """

    def __init__(self, tree: Any, own: Any) -> None:
        self._found: dict[int, list[tuple[str, Any, list[Any]]]] = {}
        self._collect(tree, own, "")

    def _collect(self, tree: Any, own: Any, path: str) -> None:
        entries = _entries(tree)
        if tree is None or entries is None:
            return
        parts = _entries(own) or {}
        places = self._found.setdefault(id(tree), [])
        places.append((path, own, [*parts, *parts.values()]))
        for key, part in entries.items():
            self._collect(part, parts[key], path + _step(tree, key))

    def check(self, caller: str, names: str = "") -> None:
        """Raise ValueError where one of them was changed in the copy."""
        for places in self._found.values():
            if len(places) == 1:
                continue
            for path, own, before in places:
                parts = _entries(own) or {}
                now = [*parts, *parts.values()]
                if len(now) != len(before) or any(map(is_not, now, before)):
                    others = ", ".join(names + other for other, *_ in places)
                    raise ValueError(
                        f"{caller}: the function changes the {type(own).__name__} "
                        f"{names}{path}, which is one object in several places ({others})"
                        ": its copies would differ. Give each place a copy of its own"
                    )


def ordered_keys(tree: Any) -> Any:
    """The keys of all dicts of a nest in their order, as something to look up by."""
    try:
        return _ordered_keys(tree)
    except RecursionError:
        raise _endless(tree) from None


def _ordered_keys(tree: Any) -> Any:
    entries = _entries(tree)
    if not entries:
        return None
    parts = tuple(_ordered_keys(part) for part in entries.values())
    return (tuple(entries) if isinstance(tree, dict) else None), parts


def alike(tree: Any, other: Any) -> bool:
    """Whether two nests have the same structure, and equal leaves and attributes.

    Dicts are alike that have the same keys, in any order and of any kind of dict; all
    other containers have to be of one type.
    """
    entries, others = _entries(tree), _entries(other)
    if entries is None or others is None:
        return entries is others and bool(tree == other)
    return (
        _comparable(tree, other)
        and entries.keys() == others.keys()
        and _equal(_attributes(tree), _attributes(other))
        and all(alike(part, others[key]) for key, part in entries.items())
    )


def paired(
    tree: Any, other: Any, names: tuple[str, str], leaf: Callable[[str, Any, Any], Any]
) -> list[Any]:
    """One value for each leaf of `tree`, from the leaf of `other` at the same path.

    Args:
        tree: a nest.
        other: a nest of the same structure; see `alike`. A leaf of `tree` that is an
            array may meet a list of numbers.
        names: what `other` and `tree` are called in messages, with their paths: "jvp:
            tangents[0]" and "primals[0]".
        leaf: of the name, the leaf of `tree`, and what stands there in `other`: the
            value, or an error.

    Raises:
        TypeError: where a container meets another type.
        ValueError: where a key or an element is missing or added; for a nest that
            contains itself.
    """
    try:
        return _paired(tree, other, names, leaf)
    except RecursionError:
        raise _endless(tree) from None


def _paired(
    tree: Any, other: Any, names: tuple[str, str], leaf: Callable[[str, Any, Any], Any]
) -> list[Any]:
    name, model = names
    entries, others = _entries(tree), _entries(other)
    if entries is None:
        return [leaf(name, tree, other)]
    if others is None or not _comparable(tree, other):
        raise TypeError(
            f"{name} is of type {_kind(other)}, expected {_kind(tree)}, as {model} is. "
            "Give both the same structure"
        )
    if entries.keys() != others.keys():
        raise ValueError(
            f"{name} has {_keys(other)}, expected {_keys(tree)}, as {model} has. Give "
            "both the same structure"
        )
    found = []
    for key, part in entries.items():
        step = _step(tree, key)
        found += _paired(part, others[key], (name + step, model + step), leaf)
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
    if _is_dataclass(tree) and type(other) is type(tree):
        return like(_fields(other), _fields(tree))
    return tree


def _collect(tree: Any, found: list[Any]) -> None:
    if type(tree) in LEAVES:
        found.append(tree)
    elif isinstance(tree, (list, tuple)):
        for part in tree:
            _collect(part, found)
    elif isinstance(tree, dict):
        for part in tree.values():
            _collect(part, found)
    elif _is_dataclass(tree):
        for part in _fields(tree).values():
            _collect(part, found)
    elif tree is not None:
        found.append(tree)


def _is_dataclass(tree: Any) -> bool:
    return hasattr(type(tree), "__dataclass_fields__")


def _fields(tree: Any) -> dict[str, Any]:
    """The fields of a dataclass that are set, by name."""
    names = [field.name for field in dataclasses.fields(tree)]
    return {name: getattr(tree, name) for name in names if hasattr(tree, name)}


def _entries(tree: Any) -> dict[Any, Any] | None:
    """The parts of a container by key, place or field; None of a leaf."""
    if type(tree) in LEAVES:
        return None
    if tree is None:
        return {}
    if isinstance(tree, dict):
        return dict(tree)
    if isinstance(tree, (list, tuple)):
        return dict(enumerate(tree))
    return _fields(tree) if _is_dataclass(tree) else None


def _step(tree: Any, key: Any) -> str:
    """What leads from a container to one of its parts, as Python writes it."""
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return f".{tree._fields[key]}"
    if not isinstance(tree, (dict, list, tuple)):
        return f".{key}"
    return f'["{key}"]' if isinstance(key, str) else f"[{key!r}]"


def _comparable(tree: Any, other: Any) -> bool:
    return type(tree) is type(other) or (
        isinstance(tree, dict) and isinstance(other, dict)
    )


def _attributes(tree: Any) -> dict[str, Any]:
    """The attributes of a container that are neither entries nor computed from them."""
    held = getattr(tree, "__dict__", None)
    if not held or held is tree:
        return {}
    container = isinstance(tree, (dict, list, tuple))
    fields = {} if container or not _is_dataclass(tree) else _fields(tree)
    return {
        name: value
        for name, value in held.items()
        if name not in fields
        and not isinstance(getattr(type(tree), name, None), cached_property)
    }


def _equal(attributes: dict[str, Any], others: dict[str, Any]) -> bool:
    """Whether attributes are of the same names, types and values."""
    return attributes.keys() == others.keys() and all(
        type(x) is type(others[name]) and bool(x == others[name])
        for name, x in attributes.items()
    )


def _with_attributes(found: Any, tree: Any) -> Any:
    """`found` with the attributes of `tree`; entries that are attributes stay so."""
    held = getattr(tree, "__dict__", None)
    if held is tree:
        found.__dict__ = found
    elif held is not None:
        vars(found).clear()
        vars(found).update(_attributes(tree))
    return found


def _kind(tree: Any) -> str:
    return "None" if tree is None else type(tree).__name__


def _keys(tree: Any) -> str:
    if isinstance(tree, (list, tuple)):
        return f"{len(tree)} elements"
    return f"the keys {sorted(_entries(tree) or {}, key=str)}"
