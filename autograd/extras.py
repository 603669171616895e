"""Libraries that are optional, imported where they are needed."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["MissingExtraError", "require"]


class MissingExtraError(ImportError):
    """An optional library is not installed; the message says which extra brings it."""


def require(module: str, extra: str, purpose: str) -> Any:
    """Import `module`; MissingExtraError naming the extra where it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{purpose} needs {module.split('.')[0]} ({error}). The extra {extra!r} "
            f"brings it: pip install 'unrolled[{extra}]'"
        ) from error
