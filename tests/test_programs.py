"""Random programs of arrays that are written in place and looked at in parts.

What a recorded program does with its memory, of which plain NumPy knows nothing, must
not show: calls made as one, moved, made once or in the place of a larger array.
"""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_compile import same, sized

from autograd import compile
from autograd.tensor import value_of


def joined(a, b, n):
    """Two arrays side by side, or one above the other."""
    return (
        np.stack([a, b, a][: 2 + n % 2], n % (a.ndim + 1)) if n % 3 else by_rows(a, b, n)
    )


def by_rows(a, b, n):
    return np.concatenate([a, b] if n % 2 else [b, a], n % a.ndim)


COMPUTED = {
    "add": lambda a, b, n: np.add(a, b),
    "multiply": lambda a, b, n: a * b,
    "maximum": lambda a, b, n: np.maximum(a, b),
    "tanh": lambda a, b, n: np.tanh(a),
    "scaled": lambda a, b, n: a * (0.5 + n),
    "copy": lambda a, b, n: np.copy(a),
    "sum": lambda a, b, n: np.add.reduce(a, axis=n % a.ndim),
    "joined": joined,
    "product": lambda a, b, n: np.tanh(np.dot(a, b.T if n % 2 else b)),
}
VIEWS = {
    "row": lambda a, b, n: a[n % len(a)],
    "rows": lambda a, b, n: a[n % len(a) :],
    "columns": lambda a, b, n: a[..., n % a.shape[-1] :],
    "every other": lambda a, b, n: a[:: 2 if n % 2 else -1],
    "transposed": lambda a, b, n: np.transpose(a),
    "flat": lambda a, b, n: np.reshape(a, (-1,)),
}


def add_to(a, b, n):
    a += b


def scale(a, b, n):
    a *= b if n % 2 else 0.25


def fill(a, b, n):
    a[n % len(a)] = b if n % 2 else 0.5


WRITES = {"add to": add_to, "scale": scale, "fill": fill}

MOVES = st.tuples(
    st.sampled_from(sorted(COMPUTED | VIEWS | WRITES)),
    st.integers(0, 30), st.integers(0, 30), st.integers(0, 5),
)  # fmt: skip


def played(moves, x, y):
    """All values that a program comes to; what does not fit is left out."""
    values = [np.multiply(x, 1.0), np.multiply(y, 1.0), x, y]
    writable = [True, True, False, False]
    for name, i, j, n in moves:
        i, j = i % len(values), j % len(values)
        a, b = values[i], values[j]
        try:
            if name in WRITES:
                if writable[i]:
                    WRITES[name](a, b, n)
                continue
            found = (COMPUTED | VIEWS)[name](a, b, n)
        except (ValueError, IndexError, ZeroDivisionError, TypeError) as error:
            if "compile" in str(error):
                raise
            continue
        if 0 < found.size <= 200 and found.ndim:
            values.append(found)
            writable.append(name in COMPUTED or writable[i])
    return values


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@settings(max_examples=8 * settings.default.max_examples)
@given(st.lists(MOVES, max_size=24), st.booleans(), st.sets(st.integers(0, 30)))
@example([("tanh", 0, 0, 0), ("fill", 0, 0, 0), ("tanh", 0, 0, 0)], False, {4, 5})
def test_what_is_written_in_place_is_seen_by_whoever_looks(moves, large, looked_at):
    rng = np.random.default_rng(len(moves))

    def f(x, y):
        values = played(moves, value_of(x), value_of(y))
        places = sorted({i % len(values) for i in looked_at} | {len(values) - 1})
        return [np.copy(values[i]) for i in places]

    compiled = compile(f)
    for _ in range(3):
        x, y = rng.normal(size=(2, 4, 5))
        with sized(large):
            found = compiled(x, y)
        same(found, f(x, y))
