"""A column of a pandas DataFrame or Series as numbers with labels."""

from __future__ import annotations

import sys
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from rnn.numerals import increase, share_of_numbers
from rnn.reading import DataError
from rnn.table import Column, Marks, read_cells

__all__ = ["column_of_frame"]

Array = np.ndarray[Any, Any]
WHAT = "read_series"


def column_of_frame(data: Any, column: Any, marks: Marks) -> Column:
    """The numbers of a pandas object; see `rnn.read_series`.

    Raises:
        TypeError: for what is not of pandas.
        DataError: for an unknown or ambiguous column, and what is no finite number.
    """
    pandas: Any = sys.modules.get("pandas")
    if pandas is not None and isinstance(data, pandas.Series):
        if column is not None and column != data.name:
            raise DataError(f"{WHAT}: no column {column!r}; the Series is {data.name!r}")
        return _column(pandas, data, None, marks)
    if pandas is None or not isinstance(data, pandas.DataFrame):
        raise TypeError(
            f"{WHAT}: got a {type(data).__name__}, expected a path, or a DataFrame or "
            "Series of pandas"
        )
    default = _is_default(pandas, data.index)
    k = _place(pandas, data, column, default)
    labels = data.iloc[:, 0] if default and k else None
    return _column(pandas, data.iloc[:, k], labels, marks)


def _is_default(pandas: Any, index: Any) -> bool:
    return isinstance(index, pandas.RangeIndex) and index.start == 0 and index.step == 1


def _name(name: Any) -> str:
    return " ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _place(pandas: Any, data: Any, column: Any, default: bool) -> int:
    """Which column of a DataFrame is meant, by its name, or its place from 1."""
    names = list(data.columns)
    listed = ", ".join(map(_name, names)) or "none"
    if column is not None:
        found = [i for i, name in enumerate(names) if name == column]
        found = found or [i for i, n in enumerate(names) if _name(n) == str(column)]
        if len(found) == 1:
            return found[0]
        if found:
            raise DataError(f"{WHAT}: {len(found)} columns {column!r}; it has {listed}")
        if isinstance(column, int) and 0 < column <= len(names):
            return column - 1
        raise DataError(f"{WHAT}: no column {column!r}; it has {listed}")
    numeric = [k for k in range(len(names)) if _can_be_numbers(pandas, data.iloc[:, k])]
    if default and len(names) > 1 and 0 in numeric and _counts_up(pandas, data):
        numeric.remove(0)
    if len(numeric) == 1 and not (default and numeric == [0] and len(names) > 1):
        return numeric[0]
    words = ", ".join(_name(names[k]) for k in numeric) or f"none of {listed}"
    raise DataError(
        f"{WHAT}: cannot tell which column to take; numeric ones: {words}. Choose with "
        "column="
    )


def _counts_up(pandas: Any, data: Any) -> bool:
    first = data.iloc[:, 0]
    if pandas.api.types.is_numeric_dtype(first.dtype):
        return bool(first.is_monotonic_increasing and first.is_unique)
    return increase([str(cell).strip() for cell in first])


def _can_be_numbers(pandas: Any, data: Any) -> bool:
    """Whether most of a column's entries are numbers, or texts of numbers."""
    types = pandas.api.types
    if types.is_bool_dtype(data.dtype) or types.is_complex_dtype(data.dtype):
        return False
    if types.is_numeric_dtype(data.dtype):
        return True
    if data.dtype.kind in "mM" or isinstance(data.dtype, pandas.PeriodDtype):
        return False
    return share_of_numbers([str(cell).strip() for cell in data]) > 0.5


def _column(pandas: Any, data: Any, labels: Any, marks: Marks) -> Column:
    """The entries of a pandas Series as numbers, its index or `labels` beside them."""
    if not len(data):
        raise DataError(f"{WHAT}: empty; expected a column of numbers")
    name = "values" if data.name is None else _name(data.name)
    if labels is not None:
        called = _texts(pandas, labels)
    elif _is_default(pandas, data.index):
        called = [str(i) for i in range(1, len(data) + 1)]
    else:
        called = _texts(pandas, data.index)
    values, words = _numbers(pandas, data, name, marks, called)
    N = len(values)
    span = f"{N:,} row{'s' * (N > 1)}, from {called[0]!r} to {called[-1]!r}"
    return Column(name, tuple(called), values, f"{words}, column {name!r}, {span}")


def _texts(pandas: Any, labels: Any) -> list[str]:
    """Labels as texts; dates at midnight without their time of day."""
    if isinstance(labels, pandas.MultiIndex):
        return [_name(label) for label in labels]
    return [str(label) for label in pandas.Index(labels).astype(str)]


def _numbers(
    pandas: Any, data: Any, name: str, marks: Marks, labels: list[str]
) -> tuple[Array, str]:
    types, dtype = pandas.api.types, data.dtype
    if types.is_bool_dtype(dtype) or types.is_complex_dtype(dtype) or dtype.kind in "mM":
        raise DataError(f"{WHAT}: column {name!r} is {dtype}, expected real numbers")
    if types.is_numeric_dtype(dtype):
        values = data.to_numpy(float, na_value=np.nan)
        wrong = ~np.isfinite(values)
        if wrong.any():
            k = int(np.argmax(wrong))
            raise DataError(_not_finite(name, labels[k], data.iloc[k]))
        return values, str(dtype)
    cells = list(data)
    if all(isinstance(cell, str) for cell in cells):
        texts = [cell.strip() for cell in cells]
        return read_cells(WHAT, texts, name, marks, lambda i: f"row {labels[i]!r}")
    found = [_finite(cell) for cell in cells]
    wrong = [k for k, value in enumerate(found) if value is None]
    if wrong:
        k = next((k for k in wrong if not isinstance(cells[k], str)), wrong[0])
        raise DataError(_not_finite(name, labels[k], cells[k]))
    return np.array(found, float), "numbers"


def _finite(entry: Any) -> float | None:
    """An entry as a number; None where it is none, or not finite."""
    if isinstance(entry, bool | np.bool) or not isinstance(entry, Real | Decimal):
        return None
    try:
        value = float(entry)
    except (OverflowError, ValueError):
        return None
    return value if np.isfinite(value) else None


def _not_finite(name: str, label: str, entry: Any) -> str:
    return (
        f"{WHAT}: row {label!r}: column {name!r} has {repr(entry)[:60]}, expected a "
        "finite number; drop the row, or fill the gap"
    )
