"""What an array carries besides its numbers is refused where it would be dropped."""

import inspect
import operator
from unittest.mock import Mock

import numpy as np
import pytest

from autograd import (
    Tensor,
    checkpoint,
    compile,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    linear,
    vjp,
)  # fmt: skip
from autograd.testing import check_grads
from rnn import GRU, ElmanNetwork, Embedding, Linear, WindowMLP, losses
from rnn.batching import Batches, pad

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
X = np.array([1.0, 2.0, 3.0])
MATRIX = np.array([[1.0, 2.0], [3.0, 4.0]])


class Labelled(np.ndarray):
    """A user's own class of arrays."""


class Stripping(np.ndarray):
    """A class whose own operations leave nothing but the numbers."""

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return getattr(ufunc, method)(*map(np.asarray, inputs), **kwargs)


CARRIERS = {
    "masked": np.ma.array(X, mask=[0, 1, 0]),
    "matrix": X.reshape(1, 3).view(np.matrix),
    "subclass": X.view(Labelled),
    "strips": X.view(Stripping),
    "objects": np.array([1.0, None, 2.0], object),
    "records": np.array([(1.0, 2.0)] * 3, [("a", float), ("b", float)]),
    "list": [np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0])],
}


class Series:
    """An array of another library, with labels."""

    def __array__(self, dtype=None, copy=None):
        return X.copy()


FOREIGN = {"series": Series(), "series in a list": [Series()]}


def tensor(tracked):
    return Tensor(X, requires_grad=tracked)


OPERATORS = ("add", "sub", "mul", "truediv", "pow", "mod", "matmul", "floordiv", "gt")
BESIDE = {
    "maximum": np.maximum,
    "where": lambda t, a: np.where(X > 1, t, a),
    "condition": lambda t, a: np.where(a, t, 0.0),
    "concatenate": lambda t, a: np.concatenate([t, a]),
    "dot": np.dot,
    "method dot": lambda t, a: t.dot(a),
    "einsum": lambda t, a: np.einsum("i,i->", t, a),
    "weights": lambda t, a: np.average(t, weights=a),
    "where=": lambda t, a: np.sum(t, where=a),
    "clip": lambda t, a: t.clip(0.0, a),
    "index": lambda t, a: t[a],
    "index of an axis": lambda t, a: np.stack([t, t])[:, a],
    "take": lambda t, a: np.take(t, a),
    "compress": lambda t, a: t.compress(a),
    "interp": lambda t, a: np.interp(t, a, X),
    "convolve": np.convolve,
    "insert": lambda t, a: np.insert(t, 0, a),
    "pad": lambda t, a: np.pad(t, 1, constant_values=a),
    "linear": lambda t, a: linear(a, Tensor(np.ones((2, 3)), requires_grad=True)),
    "isclose": np.isclose,
    "add to": lambda t, a: operator.iadd(t, a),
    "checkpoint": lambda t, a: checkpoint(lambda x, y: x * y)(t, a),
    "closure": lambda t, a: compile(lambda x: np.sum(x * a))(X),
}


@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize("carrier", [*CARRIERS, *FOREIGN])
@pytest.mark.parametrize("name", [*OPERATORS, *BESIDE])
def test_operations_beside_a_tensor_refuse_arrays_that_carry_more(name, carrier, tracked):
    array = (CARRIERS | FOREIGN)[carrier]
    call = BESIDE[name] if name in BESIDE else getattr(operator, name)
    with pytest.raises((TypeError, ValueError, IndexError)):
        call(tensor(tracked), array)


@pytest.mark.parametrize("carrier", [c for c in CARRIERS if c != "list"])
@pytest.mark.parametrize("name", OPERATORS[:-2])
def test_reflected_operators_refuse_arrays_that_carry_more(name, carrier):
    with pytest.raises((TypeError, ValueError)):
        getattr(operator, name)(CARRIERS[carrier], tensor(True))


@pytest.mark.parametrize("call", [np.ma.multiply, np.ma.add, operator.iadd, operator.mul])
@pytest.mark.parametrize("tracked", [True, False])
def test_operations_of_masked_arrays_refuse_tensors(call, tracked):
    with pytest.raises(TypeError, match=r"mask|np\.add: out="):
        call(CARRIERS["masked"].copy(), tensor(tracked))


def test_tensors_are_looked_into_by_pythons_own_tools():
    t = Tensor(MATRIX, requires_grad=True)
    assert not hasattr(t, "_mask") and "mT" in dict(inspect.getmembers(t))
    assert Mock(spec=t).shape is not None and not np.ma.isMaskedArray(t)
    with pytest.raises(TypeError, match=r"np\.ma"):
        np.ma.getmask(t)


def test_arrays_are_checked_after_plain_ones_of_the_same_shape():
    for call in (np.dot, np.convolve, lambda t, a: np.clip(t, 0.0, a)):
        call(tensor(True), X)
        for carrier in CARRIERS:
            with pytest.raises((TypeError, ValueError)):
                call(tensor(True), CARRIERS[carrier])
        call(tensor(False), X * 1j)
        with pytest.raises(TypeError, match="complex128"):
            call(tensor(True), X * 1j)


def double(x):
    return np.sum(x * 2)


def replayed(x):
    compiled = compile(double)
    compiled(X)
    return compiled(x)


ENTRANCES = {
    "Tensor": Tensor,
    "Tensor of a list": lambda a: Tensor([a, a]),
    "grad": grad(double),
    "compile": compile(double),
    "replay": replayed,
    "compile, in a dict": lambda a: compile(lambda d: double(d["a"]))({"a": a}),
    "vjp": lambda a: vjp(double, a),
    "cotangent": lambda a: vjp(lambda x: x * 2, X)[1](a),
    "jvp": lambda a: jvp(double, (a,), (X,)),
    "tangent": lambda a: jvp(lambda x: x * x, (X,), (a,)),
    "hvp": lambda a: hvp(lambda x: np.sum(x**3))(X, a),
    "jacobian": jacobian(double),
    "hessian": hessian(double),
    "check_grads": lambda a: check_grads(double, (a,)),
    "backward": lambda a: (tensor(True) * 2).backward(a),
    "data": lambda a: setattr(tensor(True), "data", a),
    "grad attribute": lambda a: setattr(tensor(True), "grad", a),
    "loss": lambda a: losses.mse(tensor(True), a),
    "target": lambda a: losses.cross_entropy(Tensor(np.eye(3)), a),
    "pad": lambda a: Tensor(pad([a, X])[0]),
    "Batches": lambda a: Batches([a], 1),
    "Linear": lambda a: Linear(3, 2, rng=0)(a),
    "Embedding": lambda a: Embedding(4, 2, rng=0)(a),
    "weight": lambda a: Linear(3, 1, rng=0).load_state_dict({"weight": a, "bias": [0.0]}),
}


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("name", ENTRANCES)
def test_entrances_refuse_arrays_that_carry_more(name, carrier):
    with pytest.raises((TypeError, ValueError)):
        ENTRANCES[name](CARRIERS[carrier])


@pytest.mark.parametrize("network", [GRU, ElmanNetwork, WindowMLP])
def test_networks_refuse_masked_inputs(network):
    sizes = (
        (2, 3) if network is GRU else (2, 3, 1) if network is ElmanNetwork else (2,) * 4
    )
    x = np.ma.array(np.ones((3, 1, 2)), mask=np.arange(6).reshape(3, 1, 2) == 1)
    with pytest.raises(TypeError, match=rf"{network.__name__}: got a numpy\.ma"):
        network(*sizes, rng=0)(x)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: vjp(lambda x: x * 2, X)[1](X * 1j), "imaginary part"),
        (lambda: (tensor(True) * 2).backward(X * 1j), "imaginary part"),
        (lambda: setattr(tensor(True), "data", X * 1j), "new value: got complex128"),
        (lambda: setattr(tensor(True), "grad", X * 1j), "new gradient: got complex128"),
        (lambda: tensor(True) * Tensor(X * 1j), "no gradient passes"),
        (
            lambda: np.insert(tensor(True), 0, 1j * X),
            "insert: got an array of complex128",
        ),
        (lambda: setattr(Tensor([1, 2, 3]), "data", X + 0.5), "int64 cannot hold"),
    ],
)
def test_what_a_dtype_cannot_hold_is_refused(call, match):
    with pytest.raises(TypeError, match=match):
        call()


def test_messages_name_the_way_out():
    for carrier, remedy in (
        ("masked", r"multiply: got a numpy\.ma\.MaskedArray.*x\.filled"),
        ("matrix", r"multiply: got a numpy\.matrix.*np\.asarray\(x\)"),
        ("subclass", r"multiply: got a .*Labelled.*np\.asarray\(x\) for the numbers"),
    ):
        with pytest.raises(TypeError, match=remedy):
            tensor(True) * CARRIERS[carrier]


def test_plain_numbers_on_disk_are_accepted(tmp_path):
    mapped = np.memmap(tmp_path / "x", float, "w+", shape=3)
    mapped[:] = X
    records = X.view(np.recarray)
    for array in (mapped, records):
        assert np.sum(tensor(True) * array).item() == 14.0
        np.testing.assert_array_equal(grad(np.sum)(array), 1.0)
        assert replayed(array).item() == 12.0
    np.testing.assert_array_equal(Tensor(FOREIGN["series"]).data, X)


def test_gradients_that_are_set_take_the_form_of_the_value():
    t = Tensor(MATRIX.astype(np.float32), requires_grad=True)
    t.grad = 0
    assert t.grad.dtype == np.float32 and t.grad.shape == (2, 2)
    t.grad = MATRIX
    assert t.grad.dtype == np.float32
    held = MATRIX.astype(np.float32)
    t.grad = held
    assert t.grad is held
    with pytest.raises(ValueError, match=r"new gradient has shape \(2,\), expected"):
        t.grad = X[:2]
