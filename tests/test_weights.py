"""Weights that go to and from PyTorch in safetensors files."""

import json
import math
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from rnn import (
    GRU,
    LSTM,
    RNN,
    Embedding,
    LayerNorm,
    Linear,
    LSTMCell,
    load_weights,
    save,
    save_weights,
)
from rnn.files import ModelFileError, read_tensors
from rnn.module import Module


class Tagger(Module):
    """A network of the user's own, with others inside; PyTorch's twin is `theirs`."""

    def __init__(self, rng):
        self.words = Embedding(7, 3, rng=rng)
        self.lstm = LSTM(3, 4, num_layers=2, bidirectional=True, rng=rng)
        self.norm = LayerNorm(8)
        self.heads = [Linear(8, 2, rng=rng), Linear(8, 5, bias=False, rng=rng)]

    def __call__(self, index):
        h = self.norm(self.lstm(self.words(index))[0])
        return [head(h) for head in self.heads]


def theirs(torch, dtype="float64"):
    class Twin(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.words = torch.nn.Embedding(7, 3)
            self.lstm = torch.nn.LSTM(3, 4, num_layers=2, bidirectional=True)
            self.norm = torch.nn.LayerNorm(8)
            heads = torch.nn.Linear(8, 2), torch.nn.Linear(8, 5, bias=False)
            self.heads = torch.nn.ModuleList(heads)

        def forward(self, index):
            h = self.norm(self.lstm(self.words(index))[0])
            return [head(h) for head in self.heads]

    torch.manual_seed(0)
    return Twin().to(getattr(torch, dtype))


INDEX = np.random.default_rng(0).integers(0, 7, (5, 3))


def same_outputs(torch, ours, twin):
    expected = twin(torch.tensor(INDEX))
    for y, d in zip(ours(INDEX), expected, strict=True):
        np.testing.assert_allclose(y.data, d.detach().numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_a_file_that_pytorch_wrote_is_loaded(tmp_path, dtype):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    twin, network = theirs(torch, dtype), Tagger(rng=0)
    save_file(twin.state_dict(), tmp_path / "w.safetensors")
    found = load_weights(tmp_path / "w.safetensors")
    read = "float32" if dtype == "bfloat16" else dtype
    assert {x.dtype.name for x in found.values()} == {read}
    network.load_state_dict(found)
    for name, value in network.state_dict().items():
        expected = twin.state_dict()[name].double().numpy()
        np.testing.assert_array_equal(value, expected)
    same_outputs(torch, network, twin.double())


def test_pytorch_loads_a_file_of_ours(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    network, twin = Tagger(rng=0), theirs(torch)
    save_weights(network.state_dict(), tmp_path / "w.safetensors")
    twin.load_state_dict(load_file(tmp_path / "w.safetensors"))
    same_outputs(torch, network, twin)


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_pytorch_loads_a_saved_model(tmp_path, kind):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    network = kind(2, 3, num_layers=2, rng=0)
    save(network, tmp_path / "model.safetensors")
    twin = getattr(torch.nn, kind.__name__)(2, 3, num_layers=2, dtype=torch.float64)
    twin.load_state_dict(load_file(tmp_path / "model.safetensors"))
    x = np.random.default_rng(0).normal(size=(4, 2, 2))
    y, d = network(x)[0], twin(torch.tensor(x))[0]
    np.testing.assert_allclose(y.data, d.detach().numpy(), rtol=1e-12, atol=1e-13)


def test_weights_come_back_and_anyone_reads_them(tmp_path):
    path, state = tmp_path / "w.safetensors", Tagger(rng=0).state_dict()
    save_weights(state, path)
    for found in (load_weights(path), load_file(path)):
        assert set(found) == set(state)
        for name, value in state.items():
            assert found[name].dtype == value.dtype
            np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize("prefix", ["lstm", "lstm."])
def test_a_prefix_picks_one_module(tmp_path, prefix):
    path, network = tmp_path / "w.safetensors", Tagger(rng=0)
    save_weights(network.state_dict() | {"lstm2.weight": np.ones(1)}, path)
    lstm = LSTM(3, 4, num_layers=2, bidirectional=True, rng=1)
    lstm.load_state_dict(load_weights(path, prefix))
    for name, value in lstm.state_dict().items():
        np.testing.assert_array_equal(value, network.state_dict()[f"lstm.{name}"])
    found = load_weights(path, prefix="heads.0")
    np.testing.assert_array_equal(found["weight"], network.heads[0].weight.data)


def test_a_prefix_that_nothing_has_names_those_there_are(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(Tagger(rng=0).state_dict(), path)
    told = "prefix='rnn'; there are entries under heads.0, heads.1, lstm, norm, words$"
    with pytest.raises(ModelFileError, match=told):
        load_weights(path, prefix="rnn")
    save_weights({"weight": np.ones(1)}, path)
    with pytest.raises(ModelFileError, match="under no prefix at all"):
        load_weights(path, prefix="rnn")


def test_all_that_does_not_fit_is_named_at_once_and_nothing_is_set(tmp_path):
    cell = LSTMCell(2, 3, rng=0)
    before, state = cell.state_dict(), cell.state_dict()
    state["bias_ih"] = state["bias_ih"].astype(np.complex64)
    state |= {"weight_hr": np.ones((1, 3)), "weight_hh": np.ones((3, 12))}
    del state["weight_ih"]
    save_file(state, tmp_path / "w.safetensors")
    told = (
        r"LSTMCell.load_state_dict: weight_ih is missing; weight_hr is unknown; "
        r"weight_hh has shape \(3, 12\), expected \(12, 3\); "
        r"bias_ih is complex64, expected real numbers$"
    )
    with pytest.raises(ValueError, match=told):
        cell.load_state_dict(load_weights(tmp_path / "w.safetensors"))
    for name, value in cell.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def written_by_hand(path, **entries):
    """A file of entries (kind of number, shape, bytes), as the format has it."""
    header, data = {}, b""
    for name, (kind, shape, numbers) in entries.items():
        place = [len(data), len(data) + len(numbers)]
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": place}
        data += numbers
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def of_bfloat16(bits):
    """The number: a sign, eight bits of exponent, seven of the fraction."""
    sign, exponent, fraction = bits >> 15, bits >> 7 & 0xFF, bits & 0x7F
    if exponent == 0xFF:
        value = math.nan if fraction else math.inf
    elif exponent:
        value = math.ldexp(128 + fraction, exponent - 127 - 7)
    else:
        value = math.ldexp(fraction, 1 - 127 - 7)
    return math.copysign(value, -1 if sign else 1)


def test_every_bfloat16_comes_as_the_number_it_is(tmp_path):
    path, bits = tmp_path / "w.safetensors", np.arange(2**16, dtype="<u2")
    plain = np.ones(3, np.float32)
    written_by_hand(
        path,
        a=("BF16", [256, 256], bits.tobytes()),
        b=("F32", [3], plain.tobytes()),
        c=("BF16", [], b"\x80\x3f"),
        d=("BF16", [0, 2], b""),
    )
    found = load_weights(path)
    assert {name: x.shape for name, x in found.items()} == {
        "a": (256, 256), "b": (3,), "c": (), "d": (0, 2)
    }  # fmt: skip
    assert {x.dtype.name for x in found.values()} == {"float32"} and found["c"] == 1
    expected = np.array([of_bfloat16(int(k)) for k in bits]).reshape(256, 256)
    np.testing.assert_array_equal(found["a"], expected)
    np.testing.assert_array_equal(np.signbit(found["a"]), np.signbit(expected))
    np.testing.assert_array_equal(found["b"], plain)


def test_numbers_that_numpy_lacks_are_named(tmp_path):
    path = tmp_path / "w.safetensors"
    eighths = ("F8_E4M3", [2], b"\x00\x01")
    written_by_hand(path, a=eighths, b=("F32", [1], b"\0" * 4), c=eighths)
    with pytest.raises(ModelFileError, match=r"a is F8_E4M3, c is F8_E4M3, .*as float32"):
        load_weights(path)


class Trap:
    """Pickled, it makes the file "sprung" in the directory `where`."""

    def __init__(self, where):
        self.where = where

    def __reduce__(self):
        return (Path.touch, (self.where / "sprung",))


def in_zip(path, data):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", data)


@pytest.mark.parametrize("write", [Path.write_bytes, in_zip], ids=["plain", "zip"])
@pytest.mark.parametrize("read", [load_weights, read_tensors])
def test_a_pickle_is_told_and_never_opened(tmp_path, write, read):
    path, data = tmp_path / "w.pt", pickle.dumps({"weight": Trap(tmp_path)})
    write(path, data)
    told = r"a pickle, .*save_file\(torch.load\('w.pt', weights_only=True\), .* converts"
    with pytest.raises(ModelFileError, match=told):
        read(path)
    assert not (tmp_path / "sprung").exists()
    pickle.loads(data)
    assert (tmp_path / "sprung").exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_what_torch_save_writes_is_told_and_converts_as_told(
    tmp_path, zipped, monkeypatch
):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    monkeypatch.chdir(tmp_path)
    linear = torch.nn.Linear(2, 3, dtype=torch.float64)
    torch.save(linear.state_dict(), "w.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(ModelFileError, match="It is a pickle"):
        load_weights("w.pt")
    save_file(torch.load("w.pt", weights_only=True), "weights.safetensors")
    ours = Linear(2, 3, rng=0)
    ours.load_state_dict(load_weights("weights.safetensors"))
    np.testing.assert_array_equal(ours.weight.data, linear.weight.detach().numpy())


@given(st.data())
def test_a_damaged_file_is_told(tmp_path_factory, data):
    """Cut short anywhere."""
    path = tmp_path_factory.getbasetemp() / "damaged.safetensors"
    save_weights(Linear(3, 2, rng=0).state_dict(), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(ModelFileError, match=r"damaged\.safetensors: not a safe"):
        load_weights(path)


def test_a_damaged_file_that_begins_as_pickles_do_is_not_called_one(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes((0x0280).to_bytes(8, "little") + b'{"weight":{"dtype":"F64"')
    with pytest.raises(ModelFileError, match=r"or damaged \([^)]*\)$"):
        load_weights(path)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_weights(tmp_path / "w.safetensors")
    with pytest.raises(IsADirectoryError, match="a folder, expected a safetensors file"):
        load_weights(tmp_path)
