"""Networks of networks: whose parameters are found, shared, counted, moved and kept."""

import copy

import numpy as np
import pytest

from autograd import Tensor
from rnn import GRU, LSTM, MLP, Embedding, Linear, Module, Sequential, load, optim, save

X = np.random.default_rng(0).normal(size=(3, 2))


class Tied(Module):
    """Two layers of one matrix."""

    def __init__(self):
        self.read, self.write = Linear(2, 2, rng=0), Linear(2, 2, rng=1)
        self.write.weight = self.read.weight

    def __call__(self, x):
        return self.write(np.tanh(self.read(x)))


class Nested(Module):
    def __init__(self):
        self.heads = {"mean": Linear(2, 1, rng=0), "spread": [Linear(2, 1, rng=1)]}
        self.gains = (Tensor(np.ones(2), requires_grad=True, name="gain"),)
        self._views = [Linear(2, 2, rng=2)]


def test_parameters_are_found_in_lists_tuples_and_dicts():
    network = Nested()
    assert list(network.parameters()) == [
        "heads.mean.weight", "heads.mean.bias", "heads.spread.0.weight",
        "heads.spread.0.bias", "gains.0",
    ]  # fmt: skip
    network.eval()
    assert not network.heads["spread"][0].training


def test_a_tied_parameter_is_one():
    network = Tied()
    assert list(network.parameters()) == ["read.weight", "read.bias", "write.bias"]
    assert "8 parameters" in repr(network)
    again = copy.deepcopy(network)
    assert again.read.weight is again.write.weight

    W = network.read.weight
    np.sum(network(X)).backward()
    before, g = W.data.copy(), W.grad.copy()
    optim.SGD(network.parameters(), 0.5).step()
    np.testing.assert_allclose(W.data, before - 0.5 * g, rtol=1e-15)

    again.load_state_dict(network.state_dict())
    np.testing.assert_array_equal(again(X).data, network(X).data)


@pytest.mark.parametrize("clip", [optim.clip_grad_norm, optim.clip_grad_value])
def test_a_tied_parameter_is_clipped_once(clip):
    network = Tied()
    W = network.read.weight
    W.grad = np.full((2, 2), 3.0)
    both = {"first": W, "second": W}
    assert clip(both, 1.0) == pytest.approx(6.0 if clip is optim.clip_grad_norm else 3.0)
    size = np.linalg.norm(W.grad) if clip is optim.clip_grad_norm else W.grad.max()
    assert size == pytest.approx(1.0, rel=1e-15)


@pytest.mark.parametrize(
    "network",
    [LSTM(np.int64(2), np.int32(3), bias=np.True_, rng=0), MLP(np.array([2, 3]), rng=0)],
)
def test_sizes_out_of_an_array_are_saved_too(tmp_path, network):
    save(network, tmp_path / "model.safetensors")
    again, _ = load(tmp_path / "model.safetensors")
    assert repr(again) == repr(network)


def test_tensors_are_loaded_by_their_values():
    network, other = GRU(2, 3, rng=0), GRU(2, 3, rng=1)
    network.load_state_dict(other.parameters())
    for name, p in network.parameters().items():
        np.testing.assert_array_equal(p.data, other.parameters()[name].data)
        assert p is not other.parameters()[name] and p.requires_grad


def test_joining_parameters_refuses_equal_names_of_different_tensors():
    table, out = Embedding(3, 2, rng=0), Linear(2, 3, rng=1)
    joins = [
        lambda: table.parameters() | out.parameters(),
        lambda: table.parameters() | dict(out.parameters()),
        lambda: dict(table.parameters()) | out.parameters(),
        lambda: table.parameters().update(out.parameters()),
        lambda: table.parameters().update(weight=out.weight),
        lambda: table.parameters().update([("weight", out.weight)]),
        lambda: table.parameters().__ior__(out.parameters()),
        lambda: table.parameters().copy() | out.parameters(),
    ]
    for join in joins:
        with pytest.raises(ValueError, match="weight is the name of two different Tens"):
            join()


def test_parameters_are_joined_where_no_name_is_lost():
    table, out = Embedding(3, 2, rng=0), Linear(2, 3, rng=1)
    prefixed = {f"out.{name}": p for name, p in out.parameters().items()}
    joined = table.parameters() | prefixed
    assert list(joined) == ["weight", "out.weight", "out.bias"]
    out.weight = table.weight
    assert list(table.parameters() | out.parameters()) == ["weight", "bias"]
    own = table.parameters()
    own |= prefixed
    own.update(prefixed)
    assert own == joined


def test_named_parameters_are_those_of_parameters():
    network = Nested()
    assert list(network.named_parameters()) == list(network.parameters().items())


class Called(Module):
    def __init__(self):
        self.layer = Linear(2, 2, rng=0)


class WithForward(Called):
    def forward(self, x):
        return np.tanh(self.layer(x))


class WithCall(Called):
    def __call__(self, x):
        return np.tanh(self.layer(x))


class Further(WithCall):
    def forward(self, x):
        return 2 * super().forward(x)


def test_forward_and_the_call_are_one():
    expected = np.tanh(Linear(2, 2, rng=0)(X)).data
    for network in (WithForward(), WithCall()):
        np.testing.assert_array_equal(network(X).data, expected)
        np.testing.assert_array_equal(network.forward(X).data, expected)
    for found in (Further()(X), Further().forward(X)):
        np.testing.assert_array_equal(found.data, 2 * expected)
    network = LSTM(2, 3, rng=0)
    x = X[:, np.newaxis]
    np.testing.assert_array_equal(network.forward(x)[0].data, network(x)[0].data)


def test_a_class_without_forward_is_named():
    for call in (Called(), Called().forward):
        with pytest.raises(TypeError, match="Called: the class defines neither forward"):
            call(X)


def test_sequential_is_its_layers_one_after_the_other():
    first, last = Linear(2, 4, rng=0), Linear(4, 1, rng=1)
    network = Sequential(first, np.tanh, last)
    np.testing.assert_array_equal(network(X).data, last(np.tanh(first(X))).data)
    assert list(network.parameters()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    with pytest.raises(TypeError, match="Sequential: layer 1 is a str, expected a funct"):
        Sequential(first, "tanh")
