"""NumPy's own signatures: a call gives on Tensors what it gives on arrays."""

import copy
import re
import warnings
import zlib

import numpy as np
import pytest
from calls import calls

from autograd import Tensor, grad
from autograd.rules.plain import IN_PLACE, PLAIN
from autograd.tensor import DISPATCH
from autograd.testing import check_grads


def is_numpys(ufunc):
    return getattr(np, ufunc.__name__, None) is ufunc


FUNCTIONS = [
    f
    for f in DISPATCH
    if f not in IN_PLACE and (not isinstance(f, np.ufunc) or is_numpys(f))
    if callable(f) and f.__name__ != "getitem"
]
PRIVATE = re.compile(r"(^|[ .])_[a-z]\w*\(\)|<locals>|<lambda>")
V = np.array([1.0, 2.0, 5.0])
A = np.array([[1.0, 2.0, 4.0], [3.0, 5.0, 9.0]])


def with_tensors(x):
    """A nest with a Tensor in the place of every array of floats."""
    if isinstance(x, np.ndarray) and x.dtype.kind == "f":
        return Tensor(x, requires_grad=True)
    return type(x)(map(with_tensors, x)) if type(x) in (list, tuple) else x


def holds_tensor(x):
    return isinstance(x, Tensor) or (
        type(x) in (list, tuple) and any(map(holds_tensor, x))
    )


def flat(x):
    if isinstance(x, (list, tuple)):
        return [type(x), *(part for y in x for part in flat(y))]
    return [x]


def outcome(function, args, kwargs):
    """The result, or the error."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return function(*args, **kwargs), None
        except Exception as error:
            return None, error


def assert_same(found, expected):
    for ours, theirs in zip(flat(found), flat(expected), strict=True):
        if isinstance(theirs, type):
            assert ours is theirs
            continue
        ours = np.asarray(ours.data if isinstance(ours, Tensor) else ours)
        theirs = np.asarray(theirs)
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        if ours.dtype.kind == "f":
            eps = 1e3 * np.finfo(ours.dtype).eps
            np.testing.assert_allclose(ours, theirs, rtol=eps, atol=eps)
        else:
            np.testing.assert_array_equal(ours, theirs)


def asks_for_more(function, kwargs):
    """Whether NumPy's own result is not determined, or a matter of convention."""
    names = kwargs.keys() & {"out", "where"} if function in PLAIN else ()
    return bool(names) or str(kwargs.get("UPLO")) in "Uu"


def assert_agrees(function, args, kwargs):
    """The call on Tensors gives NumPy's result, or is refused as it should be."""
    given = [with_tensors(x) for x in copy.deepcopy(args)]
    options = {
        name: v if name in ("dtype", "out") else with_tensors(v)
        for name, v in copy.deepcopy(kwargs).items()
    }
    if not any(map(holds_tensor, (*given, *options.values()))):
        return
    before = [x.data.copy() for x in given if isinstance(x, Tensor)]
    found, refusal = outcome(function, given, options)
    after = [x.data for x in given if isinstance(x, Tensor)]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)
    if kwargs.get("out") is not None:
        expected, error = None, TypeError("out")  # NumPy crashes on some of these
    else:
        expected, error = outcome(function, copy.deepcopy(args), copy.deepcopy(kwargs))
    if refusal is None and error is None:
        assert_same(found, expected)
    elif refusal is None:
        raise AssertionError(f"accepted, where NumPy raises {error!r}")
    elif error is None:
        named = function.__name__ in str(refusal) or "ndarray would drop" in str(refusal)
        assert isinstance(refusal, (TypeError, ValueError)) and named, refusal
        assert not PRIVATE.search(str(refusal)), refusal


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_a_call_on_tensors_is_numpys(function):
    """Value, shape, dtype and refusal, for every keyword that NumPy's signature has."""
    seed = zlib.crc32(function.__name__.encode())
    for args, kwargs in calls(function, 30, seed):
        if asks_for_more(function, kwargs):
            continue
        try:
            assert_agrees(function, args, kwargs)
        except AssertionError as error:
            error.add_note(f"np.{function.__name__}(*{args}, **{kwargs})")
            raise


BY_KEYWORD = [
    (lambda x, w: np.average(x, weights=w), (V, V[::-1] + 1)),
    (lambda x, w: np.average(x, axis=1, weights=w, returned=True)[0], (A, V)),
    (lambda x, w: np.clip(x, min=w), (V, np.array(1.5))),
    (lambda x, w: np.clip(x, max=w), (V, np.array([0.5, 3.0, 4.0]))),
    (lambda x, w: np.clip(a=x, a_min=0.0, a_max=w), (V, np.array(2.5))),
    (lambda x, w: np.var(x, axis=1, ddof=1, mean=w), (A, np.array([[2.0], [5.0]]))),
    (lambda x, w: np.std(x, mean=w, keepdims=True), (A, np.array([[2.0]]))),
    (lambda x, w: np.pad(x, 1, constant_values=w), (V, np.array([2.0, 3.0]))),
    (lambda x, w: np.pad(x, 2, mode="linear_ramp", end_values=w), (V, np.array(2.0))),
    (lambda x, w: np.diff(x, prepend=w, append=x), (V, np.array(2.0))),
    (lambda x, w: np.ediff1d(x, to_end=w, to_begin=x), (V, np.array(2.0))),
    (lambda x, w: np.trapezoid(x, dx=w), (V, np.array([1.0, 2.0]))),
    (lambda x, w: np.trapezoid(y=A, x=w) + np.sum(x), (V, np.cumsum(V))),
    (lambda x, w: np.interp(np.array([-1.0, 9.0]), V, x, left=w, right=w), (V, V[0])),
    (lambda x, w: np.select([V > 1], [x], default=w), (V, np.array(3.0))),
    (lambda x, w: np.cov(x, y=w, aweights=V), (V, np.array([3.0, 1.0, 2.0]))),
    (lambda x, w: np.logspace(x, 2.0, num=3, base=w), (np.array(0.5), np.array(3.0))),
    (lambda x, w: np.dot(b=w, a=x), (V, np.array([3.0, 1.0, 2.0]))),
    (lambda x, w: np.full_like(x, fill_value=w), (V, np.array(3.0))),
    (lambda x, w: np.insert(x, obj=1, values=w), (V, np.array(3.0))),
    (lambda x, w: np.append(x, values=w), (V, np.array([3.0, 4.0]))),
    (lambda x, w: np.bincount([0, 2, 2], weights=w) * np.sum(x), (V, V + 1)),
    (lambda x, w: np.piecewise(x, [V > 1], [lambda v, k: v * k, 0.0], k=w),
     (V, np.array(3.0))),
]  # fmt: skip


@pytest.mark.parametrize(("f", "args"), BY_KEYWORD)
def test_a_tensor_given_by_keyword_has_its_gradient(f, args):
    check_grads(f, args)


REFUSED = [
    (lambda t: np.prod(t, dtype=int), "np.prod: dtype= has no rule"),
    (lambda t: np.nansum(t, out=np.zeros(())), "np.nansum: out= "),
    (lambda t: np.add(t, 1, where=[True, False, True]), "np.add: where= has no rule"),
    (lambda t: np.sum(t, 0, None, np.zeros(())), "np.sum: out= "),
    (lambda t: np.sum(t, initial=t[0]), "sum: initial= was given as a Tensor"),
    (lambda t: np.median(t, overwrite_input=True), "np.median: overwrite_input= has no"),
    (lambda t: np.nan_to_num(t, copy=False), "np.nan_to_num: copy= has no rule"),
    (lambda t: np.pad(t, 1, mode="reflect", reflect_type="odd"), "pad: reflect_type="),
    (lambda t: t.prod(0, keepdims=False, foo=1), "np.prod: foo= has no rule"),
    (lambda t: t.cumprod(0, None, None, 1), "np.cumprod: expected at most 4 arguments"),
    (lambda t: t.cumprod(0, axis=0), "np.cumprod: expected at most 4 .* each of them"),
    (lambda t: t.sort(), r"Tensor.sort: .* np.sort\(t\)"),
]


@pytest.mark.parametrize(("call", "match"), REFUSED)
def test_a_keyword_without_a_rule_is_refused_by_its_name(call, match):
    with pytest.raises(TypeError, match=match):
        call(Tensor(V, requires_grad=True))


METHODS = [
    lambda t: t.sum(axis=0, where=A > 1, initial=2.0),
    lambda t: t.mean(1, keepdims=True),
    lambda t: t.max(axis=1, initial=4.0, where=A > 2),
    lambda t: t.std(axis=0, ddof=1, mean=A.mean(0, keepdims=True)),
    lambda t: t.prod(0, np.float32, None, True),
    lambda t: t.astype(float, copy=False),
    lambda t: t.astype(np.float32, "F", "same_kind"),
    lambda t: t.reshape(3, -1, order="F"),
    lambda t: t.reshape((6,), copy=True),
    lambda t: t.clip(min=2.0),
    lambda t: t.clip(2, max=np.full((2, 3), 4.0)),
    lambda t: t.clip(max=3),
    lambda t: t.round(1),
    lambda t: t.round(decimals=-1),
    lambda t: t.repeat([1, 2], axis=0),
    lambda t: t.take([0, 5], mode="wrap", out=None),
    lambda t: t.flatten("F"),
    lambda t: t.ravel(order="F"),
    lambda t: t.copy("F"),
    lambda t: t.compress([True, False], axis=0),
    lambda t: t.dot(V, out=None),
    lambda t: t.cumsum(axis=1, dtype=np.float32),
    lambda t: t.trace(1, dtype=np.float32),
    lambda t: t.diagonal(offset=1),
    lambda t: t.squeeze(axis=None),
    lambda t: t.argsort(axis=0, kind="stable"),
    lambda t: t.argpartition(1),
    lambda t: t[0].searchsorted(2.0, side="right"),
    lambda t: t.all(axis=0, where=A > 1),
    lambda t: t.transpose(1, 0),
    lambda t: t.conj().conjugate(),
    lambda t: t.tolist(),
    lambda t: t.item(1, 2),
    lambda t: t.swapaxes(0, 1),
]


@pytest.mark.parametrize("call", METHODS)
def test_a_method_takes_what_an_ndarrays_takes(call):
    assert_same(call(Tensor(A, requires_grad=True)), call(A))


def test_functions_given_as_arguments_are_called_once_for_each_part():
    calls_of = []

    def noted(v):
        calls_of.append(v.shape)
        return v * v

    np.apply_along_axis(noted, 0, Tensor(A, requires_grad=True))
    assert calls_of == [(2,)] * 3
    calls_of.clear()
    np.piecewise(Tensor(V, requires_grad=True), [V > 1, V > 9, V < 0], [noted] * 3)
    assert calls_of == [(2,)]


def test_empty_arrays_are_composed_as_numpy_does():
    empty = np.zeros(0)
    assert np.array_equal(grad(lambda x: np.sum(np.resize(x, (2,))))(empty), empty)
    rows = np.apply_along_axis(np.sum, -1, Tensor(np.zeros((3, 0)), requires_grad=True))
    np.testing.assert_array_equal(rows.data, np.zeros(3))
    halves = np.piecewise(
        Tensor(empty, requires_grad=True), [empty < 0], [np.negative, 1]
    )
    assert halves.shape == (0,)
    found, _ = outcome(np.median, [Tensor(empty, requires_grad=True)], {})
    assert np.isnan(found.item())


def test_a_python_float_is_composed_like_an_array_without_axes():
    f = lambda x: np.piecewise(x, [x > 0], [np.square, np.negative])  # noqa: E731
    assert grad(f)(1.5) == 3.0
    assert grad(f)(-1.5) == -1.0
    assert grad(lambda a: np.tensordot(a, a, 0))(3.0) == 6.0


def test_refusals_that_depend_on_the_numbers_are_numpys_each_time():
    t = Tensor(V, requires_grad=True)
    np.average(t, weights=V)
    with pytest.raises(ZeroDivisionError, match="sum to zero"):
        np.average(t, weights=np.array([1.0, 1.0, -2.0]))
    np.bincount([0, 1, 1], weights=t)
    with pytest.raises(ValueError, match="negative"):
        np.bincount([0, 1, -1], weights=t)
