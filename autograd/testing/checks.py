"""Derivatives held against differences of values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.arrays import check_plain
from autograd.functional import jvp, vjp
from autograd.tensor import value_of
from autograd.trees import leaves, map_tree

__all__ = ["check_grads"]

Array = np.ndarray[Any, Any]
Function = Callable[..., Any]

TOLERANCE = {"float64": 1e-7, "float32": 1e-3}
"""How far engine and differences may be apart, relative to the size of the terms."""

FIRST_STEP, SHRINK, STEPS = 0.05, 1.6, 12
LOOKED_AT = 1000
"""Elements of the arguments that are looked at one by one to say which is wrong."""


def check_grads(
    fun: Function,
    args: Sequence[Any],
    order: int = 2,
    modes: Sequence[str] = ("rev", "fwd"),
    *,
    seed: int = 0,
) -> None:
    """See that the derivatives of `fun` at `args` are those of its values.

    In random directions u (of the arguments) and v (of the result), ⟨vjp(v), u⟩ and
    jvp(u) are compared with the derivative of h ↦ f(args + h u) at 0 by central
    differences, extrapolated to h = 0 (Ridders, 1982). The next order is the same check
    of args ↦ vjp(v).

    Args:
        fun: of arrays, floats or nests of them, to one array or scalar; smooth at `args`.
            It is called with Tensors and with arrays. Draw no random numbers inside.
        args: its arguments. Those that hold numbers other than floats are constants.
        order: of the highest derivative checked.
        modes: "rev" checks gradients, "fwd" derivatives along a direction.
        seed: of the directions.

    Raises:
        AssertionError: where a derivative is wrong, naming the order, the mode, the
            argument and its first wrong element; where the value on Tensors is not that
            on arrays; where the differences do not settle, as at a kink.
        ValueError: for an unknown mode, an order below 1, or nothing to differentiate by.
    """
    unknown = [mode for mode in modes if mode not in ("rev", "fwd")]
    if unknown or not modes or order < 1:
        raise ValueError(
            f"check_grads: modes={tuple(modes)!r}, order={order}; expected modes of "
            '"rev" and "fwd", and an order of at least 1'
        )
    places = [i for i, arg in enumerate(args) if _differentiable(arg)]
    if not places:
        raise ValueError("check_grads: no argument is an array or nest of floats")

    def of_variables(*variables: Any) -> Any:
        given = dict(zip(places, variables, strict=True))
        return fun(*(given.get(i, arg) for i, arg in enumerate(args)))

    variables = [map_tree(_plain, args[i]) for i in places]
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        for reached in range(1, order + 1):
            check = _Check(of_variables, variables, places, reached, rng)
            for mode in dict.fromkeys(modes):
                check.rev() if mode == "rev" else check.fwd()
            of_variables = check.gradient


def _differentiable(arg: Any) -> bool:
    dtypes = [np.result_type(value_of(x)) for x in leaves(arg) if not isinstance(x, str)]
    return bool(dtypes) and all(dtype.kind == "f" for dtype in dtypes)


def _plain(x: Any) -> Any:
    x = value_of(x)
    check_plain("check_grads", x)
    return x if type(x) is float else np.array(x)


class _Check:
    """One function at one point, in one pair of directions."""

    def __init__(
        self,
        fun: Function,
        variables: list[Any],
        places: list[int],
        order: int,
        rng: np.random.Generator,
    ) -> None:
        self.fun, self.variables, self.places, self.order = fun, variables, places, order
        value = fun(*variables)
        if not isinstance(value_of(value), (np.ndarray, np.generic, float, int)):
            raise AssertionError(
                f"check_grads: the function returned {type(value).__name__}, expected "
                "one array or scalar"
            )
        self.value = np.asarray(value_of(value))
        points = leaves(variables)
        self.u = [np.asarray(rng.normal(size=np.shape(x))) for x in points]
        self.v = rng.normal(size=self.value.shape).astype(self.value.dtype)
        worst = min((np.result_type(x) for x in (*points, self.value)), key=_digits)
        self.size = np.abs(self.value).astype(float)
        """The largest values met: differences of them are no more exact than these."""
        self.tolerance = TOLERANCE.get(worst.name, TOLERANCE["float64"])

    def gradient(self, *variables: Any) -> Any:
        """All of vjp(v) at `variables`, as one vector."""
        _, pull = vjp(self.fun, *variables)
        return np.concatenate([np.reshape(g, -1) for g in leaves(pull(self.v))])

    def rev(self) -> None:
        """⟨vjp(v), u⟩ against the differences."""
        out, pull = vjp(self.fun, *self.variables)
        self._same_value(out)
        gradients = [np.asarray(value_of(g)) for g in leaves(pull(self.v))]
        for x, g in zip(leaves(self.variables), gradients, strict=True):
            if g.shape != np.shape(x) or g.dtype != np.result_type(x):
                raise AssertionError(
                    f"{self._title('rev')}: a gradient of shape {g.shape} and dtype "
                    f"{g.dtype} came for an argument of {np.shape(x)}, "
                    f"{np.result_type(x)}"
                )
        slope, error = self._slope(self.u)
        terms = [g * u for g, u in zip(gradients, self.u, strict=True)]
        found = sum(float(np.sum(t)) for t in terms)
        expected = float(np.sum(slope * self.v))
        sizes = (*terms, slope * self.v, self.size * self.v)
        size = float(sum(np.sum(np.abs(t)) for t in sizes))
        self._settled("rev", float(np.sum(np.abs(error * self.v))), size)
        if not abs(found - expected) <= self.tolerance * size:
            raise AssertionError(self._which("rev", gradients, found, expected))

    def fwd(self) -> None:
        """jvp(u) against the differences, element by element."""
        flat = iter(self.u)
        along = map_tree(lambda x: _like(next(flat), x), tuple(self.variables))
        out, tangent = jvp(self.fun, tuple(self.variables), along)
        self._same_value(out)
        tangent = np.asarray(value_of(tangent))
        slope, error = self._slope(self.u)
        size = sum(
            float(np.max(np.abs(a), initial=0)) for a in (self.size, slope, tangent)
        )
        self._settled("fwd", float(np.max(error, initial=0)), size)
        gap = np.abs(tangent - slope)
        if not np.all(gap <= self.tolerance * size):
            at = tuple(map(int, np.unravel_index(np.argmax(gap), gap.shape)))
            raise AssertionError(
                f"{self._title('fwd')}: the derivative along a random direction is "
                f"wrong, most at {at} of the result: {_apart(tangent[at], slope[at])}"
            )

    def _title(self, mode: str) -> str:
        return f'check_grads: order {self.order}, mode "{mode}"'

    def _same_value(self, out: Any) -> None:
        if not np.allclose(
            value_of(out), self.value, rtol=self.tolerance, equal_nan=True
        ):
            raise AssertionError(
                "check_grads: the function returned "
                f"{np.asarray(value_of(out))} for Tensors, {self.value} for arrays; they "
                "must be equal"
            )

    def _settled(self, mode: str, error: float, size: float) -> None:
        if not error <= self.tolerance * size:
            raise AssertionError(
                f"{self._title(mode)}: the differences do not settle (to {error:.1e} of "
                f"{size:.1e}): the function has a kink or is not defined near these "
                "arguments, or is not the same each time. Check it at other arguments"
            )

    def _slope(self, direction: list[Array]) -> tuple[Array, Array]:
        """The derivative of h ↦ f(x + h u) at 0, of the result's shape, and its error."""

        def at(h: float) -> Array:
            moves = iter(direction)
            moved = map_tree(lambda x: _moved(x, h * next(moves)), tuple(self.variables))
            return np.asarray(value_of(self.fun(*moved)), float)

        best = np.full(self.value.shape, np.nan)
        error = np.full(self.value.shape, np.inf)
        last: list[Array] = []
        for i in range(STEPS):
            h = FIRST_STEP / SHRINK**i
            ahead, behind = at(h), at(-h)
            self.size = np.fmax(self.size, np.abs(ahead))
            row = [(ahead - behind) / (2 * h)]
            for j, before in enumerate(last):
                weight = SHRINK ** (2 * j + 2)
                row.append((weight * row[j] - before) / (weight - 1))
                apart = np.maximum(np.abs(row[-1] - row[j]), np.abs(row[-1] - before))
                better = apart < error
                best = np.where(better, row[-1], best)
                error = np.where(better, apart, error)
            last = row
        return best, error

    def _which(
        self, mode: str, gradients: list[Array], found: float, expected: float
    ) -> str:
        """The first argument and element whose derivative is wrong, in words."""
        points = leaves(self.variables)
        owner = [i for i, arg in zip(self.places, self.variables, strict=True)
                 for _ in leaves(arg)]  # fmt: skip
        zero = [np.zeros(np.shape(x)) for x in points]
        if sum(z.size for z in zero) <= LOOKED_AT:
            for number, (g, unit) in enumerate(zip(gradients, zero, strict=True)):
                wrong = []
                for at in np.ndindex(unit.shape):
                    unit[at] = 1
                    expected_at = float(np.sum(self._slope(zero)[0] * self.v))
                    unit[at] = 0
                    size = abs(g[at]) + abs(expected_at)
                    size += np.sum(self.size * np.abs(self.v))
                    if not abs(g[at] - expected_at) <= self.tolerance * size:
                        wrong.append((at, expected_at))
                if wrong:
                    at, expected_at = wrong[0]
                    return (
                        f"{self._title(mode)}: the gradient by argument {owner[number]} "
                        f"is wrong in {len(wrong)} of {g.size} elements, first at {at}: "
                        f"{_apart(g[at], expected_at)}"
                    )
        return (
            f"{self._title(mode)}: the gradient along a random direction is wrong: "
            f"{_apart(found, expected)}"
        )


def _digits(dtype: np.dtype[Any]) -> int:
    return dtype.itemsize if dtype.kind == "f" else 99


def _like(u: Array, x: Any) -> Any:
    return float(u) if type(x) is float else u.astype(x.dtype)


def _moved(x: Any, by: Array) -> Any:
    """x + by, in float64: differences of float32 would say little."""
    return float(x + by) if type(x) is float else np.asarray(x, float) + by


def _apart(found: Any, expected: Any) -> str:
    words = f"the engine says {found:.6g}, differences say {expected:.6g}"
    if found and expected and np.isfinite(found) and np.isfinite(expected):
        words += f", {expected / found:.6g} times as much"
    return words
