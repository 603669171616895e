"""What a training run depends on, so that only the same run goes on from a checkpoint."""

from __future__ import annotations

import json
from typing import Any

from rnn.optim import Optimizer
from rnn.randomness import kind_of
from rnn.reached import Reached

__all__ = ["as_json", "differences", "identity", "options", "set_options"]

NOT_OPTIONS = {"parameters", "lr", "steps", "moves", "memory", "slots"}
"""Attributes of an optimiser that are no options of its rule."""
NONE = "nothing"
"""What stands in a message for a value that is not there."""


def identity(
    run: Any, optimizer: Optimizer, found: Reached, settings: dict[str, Any]
) -> dict[str, Any]:
    """What a run depends on, as JSON; the learning rate may change.

    Args:
        run: what the user says of it, a dict.
        optimizer: of the run.
        found: what the run reads.
        settings: of `fit`.
    """
    parameters = optimizer.parameters.items()
    kinds = {name: kind_of(each) for name, each in found.generators.items()}
    return {
        "run": run,
        "optimizer": {"optimizer": type(optimizer).__name__},
        "parameters": {"parameters": {n: f"{p.shape} {p.dtype}" for n, p in parameters}},
        "options": options(optimizer),
        "fit": settings,
        "settings": found.settings,
        "generators": kinds,
    }


def options(optimizer: Optimizer) -> dict[str, Any]:
    """The options of an optimiser's rule as they are now, as JSON."""
    found = {k: v for k, v in vars(optimizer).items() if k not in NOT_OPTIONS}
    return json.loads(json.dumps(found, default=repr))


def set_options(optimizer: Optimizer, found: dict[str, Any]) -> None:
    """Set those that have changed since the run began."""
    now = options(optimizer)
    for name, value in found.items():
        if value != now[name]:
            kind = type(getattr(optimizer, name))
            setattr(optimizer, name, kind(value))


def differences(then: dict[str, Any], now: dict[str, Any]) -> list[tuple[str, str]]:
    """The names of what differs, and how, one after the other."""
    found: list[tuple[str, str]] = []
    for section, values in now.items():
        if section == "options" and found and found[-1][0] in ("optimizer", "parameters"):
            continue
        before = then[section]
        for name in dict.fromkeys([*before, *values]):
            a, b = before.get(name, NONE), values.get(name, NONE)
            if a != b:
                found.append((name, _told(a, b)))
    return found


def _told(then: Any, now: Any) -> str:
    """Both values; of dicts those entries that differ."""
    if isinstance(then, dict) and isinstance(now, dict):
        names = [n for n in {**then, **now} if then.get(n) != now.get(n)]
        then = {n: then[n] for n in names if n in then} or NONE
        now = {n: now[n] for n in names if n in now} or NONE
    return f"{_short(then)} in the checkpoint, {_short(now)} now"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:97]}…"


def as_json(run: Any) -> dict[str, Any]:
    """`run` as a checkpoint gives it back: a tuple is a list there."""
    try:
        found = json.loads(json.dumps(run))
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"fit: run= is not JSON: {error}. Name arrays by digest(array)"
        ) from error
    if not isinstance(found, dict):
        raise TypeError(
            f"fit: run is a {type(run).__name__}, expected a dict of what the run "
            'depends on, such as {"seed": 0}'
        )
    return found
