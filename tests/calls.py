"""Calls of NumPy's functions, valid and invalid: what each function is called with."""

import inspect
import itertools
import random

import numpy as np

from autograd.signature import signature_of

V = np.array([0.5, 2.0, 1.25])
W = np.array([1.0, 0.25, 3.0])
A = np.array([[4.0, 1.0, 0.5], [1.0, 5.0, -1.0], [0.5, -1.0, 6.0]])
B = np.array([[1.0, 2.0, 0.5], [0.25, -3.0, 4.0]])
C = np.arange(12.0).reshape(2, 3, 2) / 4 + 0.5
S = np.array(2.0)
E = np.zeros((0,))
E2 = np.zeros((2, 0))
N = np.array([[1.0, np.nan, 2.0], [np.nan, np.nan, 0.5]])
I3 = np.array([2, 0, 1])
M3 = np.array([True, False, True])
ARRAYS = (V, A, B, C, S, E, E2, N)

SAME = {
    "axis": (None, 0, 1, -1, 2, (0, 1), (0, 0), (), np.int64(0), 1.5, "a", [0]),
    "axis1": (0, 1, -1, 2, np.int64(1), 1.5),
    "axis2": (0, 1, -1, 2, np.int64(1), 1.5),
    "axisa": (0, 1, -1, 2),
    "axisb": (0, 1, -1, 2),
    "axisc": (0, 1, -1, 2),
    "axes": (
        None,
        0,
        1,
        2,
        (0, 1),
        (1, 0),
        ((0,), (1,)),
        ([-1], [0]),
        (0, 0),
        -1,
        5,
        1.5,
    ),
    "keepdims": (True, False, 1, np.True_),
    "dtype": (None, np.float32, np.float64, float, "f4", int, complex, bool, "zz"),
    "out": (None, np.zeros(3), np.zeros(())),
    "where": (True, False, M3, np.ones((3, 3), bool), np.zeros(4, bool)),
    "initial": (0.0, 2.0, None, -3, "a"),
    "ddof": (0, 1, 5, 0.5, None),
    "correction": (0, 1, 0.5),
    "order": ("C", "F", "A", "K", "X", None, "c"),
    "casting": ("same_kind", "safe", "no", "unsafe", "equiv", "zz"),
    "subok": (True, False),
    "copy": (True, False, None),
    "device": (None, "cpu", "gpu"),
    "mode": (
        "raise",
        "wrap",
        "clip",
        "full",
        "same",
        "valid",
        "reduced",
        "r",
        "complete",
        "raw",
        "constant",
        "edge",
        "reflect",
        "symmetric",
        "linear_ramp",
        "mean",
        "median",
        "maximum",
        "minimum",
        "empty",
        "zz",
    ),
    "n": (0, 1, 2, 3, -1, -2, 1.5, np.int64(2), True, None),
    "num": (0, 1, 2, 7, -1, 2.5, np.int64(3), True),
    "k": (0, 1, -1, 5, -5, 1.5, np.int64(1)),
    "offset": (0, 1, -1, 5, -5, 1.5),
    "N": (None, 0, 1, 4, -1, 1.5),
    "increasing": (True, False),
    "endpoint": (True, False),
    "retstep": (True, False),
    "base": (10.0, 2, 0.5),
    "shape": (
        3,
        (3,),
        (1, -1),
        -1,
        (9,),
        9,
        (3, 3),
        [3, 3],
        (-1, -1),
        (2, 5),
        0,
        1.5,
        None,
    ),
    "new_shape": (3, (2, 2), 0, (0,), -1, (2, -1), [4], 1.5),
    "newshape": (3,),
    "reps": (0, 1, 2, (2, 1), (1, 2, 2), -1, 1.5),
    "repeats": (0, 1, 2, [1, 2, 0], -1, [1]),
    "indices_or_sections": (1, 2, 3, 0, -1, [1], [1, 2], [0, 5], (2,), 1.5, np.int64(3)),
    "shift": (0, 1, -4, (1, 2), 1.5),
    "source": (0, 1, -1, (0, 1), 5),
    "destination": (0, -1, (1, 0), 7),
    "start": (0, 1, -1, 3, 9),
    "discont": (None, 1.0, 4.0),
    "period": (6.0, 3, None, 0, 1.5),
    "to_end": (None, 1.0, [1.0, 2.0], V, B),
    "to_begin": (None, 2, V, "a"),
    "prepend": (0.0, V, 1, np.zeros((3, 1)), "a"),
    "append": (0.0, V, 2, np.zeros((3, 1))),
    "dx": (1.0, 2.0, 3, V[:2], V, np.array([[1.0], [10.0]])),
    "edge_order": (1, 2, 3, 0, 1.5),
    "x": (None, V, W, I3, A),
    "UPLO": ("L", "U", "l", "u", "X", 1, None),
    "upper": (True, False),
    "full_matrices": (True, False),
    "compute_uv": (True, False),
    "hermitian": (True, False),
    "rcond": (None, 1e-10, -1, 0.1),
    "rtol": (1e-10, None, 0.1),
    "ord": (
        None,
        0,
        1,
        2,
        3,
        -1,
        -2,
        0.5,
        -0.5,
        np.inf,
        -np.inf,
        "fro",
        "nuc",
        "zz",
        np.float64(2),
    ),
    "p": (None, 1, 2, -1, -2, np.inf, -np.inf, "fro", "nuc", 3, "zz"),
    "weights": (None, V, W, A, B, I3, np.zeros(3), [1, 2, 3], 2.0, np.ones(2)),
    "returned": (True, False),
    "kind": (None, "quicksort", "stable", "introselect", "zz"),
    "stable": (None, True, False),
    "kth": (0, 1, -1, 2, (0, 1), 5, 1.5),
    "q": (0.5, 0, 1, [0.25, 0.75], [[0.5]], 1.5, -0.1, np.array([0.1, 0.2]), 50, []),
    "method": ("linear", "lower", "nearest", "hazen", "inverted_cdf", "zz"),
    "overwrite_input": (True, False),
    "interpolation": (None, "lower"),
    "rowvar": (True, False, 0, 2),
    "bias": (True, False, 1),
    "fweights": (None, [1, 2, 1], [1, -1, 2], [1.5, 1, 1], [1, 2]),
    "aweights": (None, V, W, [1, -1, 2], [1, 2], 2.0),
    "y": (None, V, A, B),
    "sparse": (True, False),
    "indexing": ("xy", "ij", "zz"),
    "return_index": (True, False),
    "return_inverse": (True, False),
    "return_counts": (True, False),
    "equal_nan": (True, False),
    "sorted": (True, False),
    "minlength": (0, 2, 7, -1, 1.5, None),
    "left": (None, -1.0, S),
    "right": (None, 9.0, S),
    "nan": (0.0, 1.5, None),
    "posinf": (None, 3.0),
    "neginf": (None, -3.0),
    "a_min": (None, 0.0, 1, V, np.nan, "a"),
    "a_max": (None, 1.0, 2, W, np.nan),
    "min": (None, 0.0, 1, W, np.nan),
    "max": (None, 1.0, 2, V, np.nan),
    "mean": (1.0, A.mean(0, keepdims=True), A),
    "include_initial": (True, False),
    "default": (0, 1.5, V, "a"),
    "obj": (0, 1, -1, [0, 1], [], slice(1, 3), M3, 7, 1.5, [0, 0]),
    "values": (0.0, 1, V, [1.0, 2.0], A),
    "fill_value": (2.0, V, A, S, "a"),
    "optimize": (True, False, "greedy", "optimal", ["einsum_path", (0, 1)], "zz"),
    "constant_values": (0, 1.5, (1.0, 2.0), V[:2], S),
    "end_values": (0, (1, 2)),
    "stat_length": (None, 1, 2, (1, 2), 0, 99),
    "reflect_type": ("even", "odd", "zz"),
    "pad_width": (0, 1, (1, 2), [(1, 2)], -1, 1.5, {0: 1}),
    "decimals": (0, 1, -1),
    "m": (1, 2, 0, -1, 1.5),
    "tol": (None, 0.1),
    "ind": (1, 2, 0),
    "root": (S,),
    "condition": (M3, [True], [1, 0, 1], A > 0),
    "signature": (None, "d->d"),
}
"""For each name of a parameter, what it is given."""

ODD = (None, "zz", -1, 2.5, np.int64(1), (0,), [], True, V, np.array([[1.0]]))
"""What any parameter may be given."""

square, vectors, pairs = (
    [(A,), (C[:, :2, :],)],
    [(V,), (E,), (S,), (A,)],
    [
        (V, W),
        (A, V),
        (A, B.T),
        (A, A),
        (S, V),
        (V, S),
        (B, B),
        (A, W[:2]),
        (C, A),
        (E, E),
        (C, C.transpose(0, 2, 1)),
        (B, A),
    ],
)
arrays = [(x,) for x in ARRAYS]
sets = [
    ([V, W],),
    ([A, B],),
    ((A, A, A),),
    ([V],),
    ([],),
    ([V, A],),
    ([S, S],),
    (A,),
    ([E, E],),
    ([V, I3],),
]


def with_(*more):
    return [(x, *m) for x in ARRAYS for m in more]


BASES = {
    "broadcast_to": with_(((3,),), ((2, 3),), ((3, 3, 3),), (3,), (-1,)),
    "expand_dims": with_((0,), (-1,), ((0, 1),), (7,), (1.5,)),
    "swapaxes": with_((0, 1), (0, -1), (0, 0), (0, 5)),
    "moveaxis": with_((0, 1), (0, -1), ((0, 1), (1, 0)), (0, (0, 1)), (5, 0)),
    "rollaxis": with_((0,), (1,), (5,)),
    "repeat": with_((2,), ([1, 2, 0],), (-1,), (0,)),
    "roll": with_((1,), (-4,), ((1, 2),)),
    "tile": with_((2,), ((2, 1),), (0,)),
    "resize": with_(((2, 3),), (0,), (4,), (-1,)),
    "delete": with_((0,), ([0, 1],), (M3,), (9,), ([],), (slice(0, 2),)),
    "reshape": with_((-1,), ((3, -1),), ((9,),), ((1, -1, 1),), ((),), (0,)),
    "take": with_(
        (0,), ([0, 1],), (I3,), ([[0], [1]],), (9,), (-9,), (M3,), ([],), ([0.5],)
    ),
    "compress": [(m, x) for x in ARRAYS for m in (M3, [True], [0, 1], [True] * 9, A > 0)],
    "extract": [(m, x) for x in ARRAYS for m in (M3, [1, 0], A > 1)],
    "take_along_axis": [
        (V, I3),
        (A, np.argsort(A, 0)),
        (A, I3),
        (A, I3[:, None]),
        (V, np.array([9])),
        (V, np.array([0.5])),
        (S, I3),
    ],
    "select": [
        ([A > 1, A < 0], [A, A * A]),
        ([M3], [V]),
        ([M3, M3], [V]),
        ([], []),
        ([V], [V]),
        ([M3], [2.0]),
        ([M3], [A]),
    ],
    "choose": [
        (I3, [V, W, A[0]]),
        (I3 % 2, [V, 1.0]),
        (np.zeros(3, int), [S]),
        (I3 + 2, [V, W]),
        (0, [V, W]),
        (V, [V, W]),
        (I3, []),
    ],
    "pad": with_((1,), ((1, 2),), (0,), (-1,), ([(1, 2)],), (1.5,)),
    "stack": sets,
    "concatenate": sets,
    "vstack": sets,
    "hstack": sets,
    "dstack": sets,
    "column_stack": sets,
    "row_stack": sets,
    "block": [*sets, ([[A, A]],), ([[V], [W]],), ([[V], 1.0],), (V,), ([[], V],)],
    "append": pairs,
    "split": with_((1,), (2,), ([1],), ([1, 2],), (0,), (-1,)),
    "array_split": with_((1,), (2,), ([1],), (0,), (-1,)),
    "hsplit": with_((1,), ([1],), (2,), (0,)),
    "vsplit": with_((1,), ([1],), (2,), (0,)),
    "dsplit": with_((1,), ([1],), (2,), (0,)),
    "linspace": [(S, 1.0), (0.0, S), (V, W), (V, 1), (A, V), (S, V[:2])],
    "logspace": [(S, 1.0), (0.0, S), (V, W), (V, 1)],
    "geomspace": [(S, 1.0), (3.0, S), (V, W), (V, 1), (S, 0.0), (-V, -W), (V, -W)],
    "polyval": [
        (V, S),
        (V, W),
        (A, V),
        (S, V),
        (V, 2.0),
        ([1, 2], V),
        (E, V),
        (V, [1.0, 2.0]),
    ],
    "polyadd": pairs,
    "polysub": pairs,
    "polymul": pairs,
    "polyder": vectors,
    "polyint": vectors,
    "vander": vectors,
    "insert": [
        (x, *m)
        for x in (V, A, B, S, E)
        for m in (
            (0, 1.0),
            (1, V),
            ([0, 1], [1.0, 2.0]),
            (9, 1.0),
            (M3, 1.0),
            (slice(0, 2), 3.0),
            ([0, 0, 1], V),
            (-1, V),
            (1.5, 0.0),
        )
    ],
    "bincount": [
        (I3,),
        (I3, V),
        (I3, W[:2]),
        (V,),
        (-I3,),
        ([0, 1], [S, S]),
        (I3, A),
        (I3.astype(bool), V),
        (np.zeros(0, int), E),
    ],
    "where": [
        (M3, V, W),
        (A > 1, A, 0.0),
        (M3,),
        (M3, V),
        (A, V, A),
        (np.ones(2, bool), V, W),
    ],
    "matrix_power": [
        (x, n)
        for x in (A, B, C[:, :2], V, S)
        for n in (0, 1, 2, 5, -1, 2.5, np.int64(2), "a", None, True)
    ],
    "multi_dot": [
        ([A, A],),
        ([V, A, A],),
        ([A, B.T, V[:2]],),
        ([V, A, W],),
        ([A],),
        ([C, C],),
        ([A, B],),
        ([V, W],),
        ([S, A],),
    ],
    "solve": [
        (A, V),
        (A, A),
        (A, B.T),
        (A, B),
        (B, V),
        (np.ones((3, 3)), V),
        (C[:, :2], V[:2]),
        (A, S),
        (C[:, :2], C[:, :2]),
    ],
    "lstsq": [
        (A, V),
        (A[:, :2], V),
        (B, V[:2]),
        (A, A),
        (A, B),
        (V, V),
        (C, V),
        (A, B.T),
    ],
    "tensorsolve": [(A, V), (np.eye(6).reshape(2, 3, 2, 3) * 2 + 0.1, B), (A, B), (B, V)],
    "tensorinv": [
        ((np.eye(6) * 2 + 0.1).reshape(2, 3, 2, 3),),
        ((np.eye(6) * 2 + 0.1).reshape(6, 2, 3),),
        (A,),
        (B,),
    ],
    "bmat": [],
    "quantile": with_((0.5,), ([0.25, 0.75],), (1.5,), (0,)),
    "percentile": with_((50,), ([25.0, 75],), (150,), (0,)),
    "partition": with_((0,), (1,), ((0, 1),), (9,)),
    "gradient": [
        *with_((), (2.0,), (V,)),
        (A, 1.0, 2.0),
        (A, V, W),
        (A, V, 1.0, 2.0),
        (V, np.ones((2, 2))),
        (V, np.arange(3)),
        (A, A),
    ],
    "trapezoid": [*arrays, (V, W), (A, V), (A, A), (B.T, V), (A, W[:2])],
    "interp": [
        (V, [0.0, 1.0, 3.0], V),
        (S, np.arange(3.0), W),
        (A, np.arange(3.0), V),
        (V, [0, 1], V),
        (V, E, E),
        (V, [1.0], [S]),
    ],
    "einsum": [
        ("ij,jk", A, A),
        ("ij->ji", B),
        ("ii", A),
        ("ij,jk", A, B),
        ("...i,i", B, V),
        ("i,i->", V, W),
        ("ij", V),
        ("ij,jk->zz", A, A),
        (A, [0, 1], A, [1, 2], [0, 2]),
        (A, [0, 1]),
        (B, [Ellipsis, 0], V, [0]),
        (B, [Ellipsis, 0], V, [0], [Ellipsis]),
        (A, [0, 0]),
        (A, [0, 0], [0]),
        (A, [5, 3], [3, 5]),
        (A, [0], V, [0]),
        ("i j , j", A, V),
        ("", 2.0),
        ("i", S),
        ("ij,jk,kl", A, A, A),
        ("i->ii", V),
        (B, [1, 0], B, [1, 0], []),
        (A, [0, 60], [0]),
        (B, ["i", "j"]),
    ],
    "atleast_1d": [*arrays, (V, W), ()],
    "atleast_2d": [*arrays, (V, W)],
    "atleast_3d": [*arrays, (V, A)],
    "broadcast_arrays": [(V, A), (V, B), (S, A), (V,), (A, B)],
    "meshgrid": [(V, W), (V,), (V, W, V), (A, V), (S, V), ()],
    "cov": [*arrays, (V, W), (A, A), (A, V), (A, B), (V, B)],
    "corrcoef": [(V, W), (A,), (B,), (A, V), (A, B)],
    "average": arrays,
    "full_like": with_((2.0,), (S,), (V,), (A,)),
    "cond": [(A,), (B,), (C,), (V,), (S,)],
    "unique": [(np.array([2.0, 1.0, 2.0]),), *arrays],
    "ndarray.astype": with_((np.float32,)),
    "astype": with_((np.float32,), (int,)),
    "piecewise": [
        (V, [V > 1], [1.0]),
        (V, [V > 1], [np.square, np.negative]),
        (V, V > 1, [np.square]),
        (S, S > 1, [np.square, 2.0]),
        (E, [E > 0], [np.square, 1.0]),
        (V, [V > 1], []),
        (V, [V > 1], [1.0, 2.0, 3.0]),
        (A, [A > 1, A < 0], [np.square, 2.0]),
        (A, A > 1, [np.square]),
    ],
    "apply_along_axis": [
        (f, a, x)
        for x in (V, A, C, E, E2, S)
        for a in (0, 1, -1, 5)
        for f in (np.sum, np.square, lambda r: np.outer(r, r))
    ],
    "apply_over_axes": [(np.sum, A, 0), (np.sum, C, (0, 1)), (np.sum, A, 5)],
    "tensordot": pairs,
    "diff": arrays,
    "linalg.outer": pairs,
}
"""For each function its arguments; for all others, those of `bases`."""


def bases(function):
    """The required arguments that a function is called with."""
    name = function.__name__
    if name in BASES:
        return BASES[name]
    if isinstance(getattr(function, "__self__", None), np.ufunc):
        return arrays
    if isinstance(function, np.ufunc):
        count = function.nin
    else:
        parameters = inspect.signature(function).parameters.values()
        count = sum(
            p.default is p.empty
            and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
            for p in parameters
        )
    return arrays if count == 1 else pairs


PADDED = ("constant_values", "end_values", "stat_length", "reflect_type")


def keywords_of(function):
    """The names of a function's optional parameters."""
    if isinstance(getattr(function, "__self__", None), np.ufunc):
        return list(signature_of(function).defaults)
    if isinstance(function, np.ufunc):
        found = ["out", "where", "casting", "order", "dtype", "subok"]
        return [*found, "axis", "keepdims"] if function.signature else found
    found = [
        p.name
        for p in inspect.signature(function).parameters.values()
        if p.default is not p.empty and p.kind is not p.POSITIONAL_ONLY
    ]
    return [*found, *PADDED] if function.__name__ == "pad" else found


def calls(function, count, seed=0):
    """`count` calls of a function, as arguments and keywords, and all of its bases."""
    rng = random.Random(seed)
    names = keywords_of(function)
    yield from ((args, {}) for args in bases(function))
    if not bases(function):
        return
    # NumPy itself crashes where out= is no array.
    each = [
        (n, v) for n in names for v in (*SAME.get(n, ()), *(() if n == "out" else ODD))
    ]
    rng.shuffle(each)
    for (name, value), _ in zip(
        itertools.cycle(each or [("", None)]), range(count), strict=False
    ):
        kwargs = {name: value} if name else {}
        for other in rng.sample(
            names, rng.choice([0, 0, 1, 1, 2]) if len(names) > 2 else 0
        ):
            kwargs.setdefault(other, rng.choice(SAME.get(other, ODD)))
        args = list(rng.choice(bases(function)))
        if args and rng.random() < 0.15:
            args[rng.randrange(len(args))] = rng.choice((*ODD, *ARRAYS))
        yield tuple(args), kwargs
