"""Models on disk; foreign, damaged and misfitting files."""

import copy
import json
import os
import resource
import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import SafetensorError
from safetensors.numpy import load as from_bytes
from safetensors.numpy import save as to_bytes

from autograd.files import beside, written
from rnn import LSTM, MLP, RNN, ElmanNetwork, LanguageModel, Linear, WindowMLP
from rnn.files import (
    ModelFileError,
    load,
    load_weights,
    read_tensors,
    save,
    save_weights,
    write_tensors,
)
from rnn.tensorfile import encoded


@pytest.mark.parametrize(
    "network",
    [
        ElmanNetwork(2, 3, 1, "sigmoid", "softmax", rng=0, dtype=np.float32),
        WindowMLP(2, 3, 1, 4, rng=0),
    ],
    ids=["elman", "window"],
)
def test_a_saved_network_comes_back(tmp_path, network):
    save(network, tmp_path / "model.safetensors", {"words": ["é", "<unk>"]})
    again, details = load(tmp_path / "model.safetensors")
    assert repr(again) == repr(network) and details == {"words": ["é", "<unk>"]}
    for name, value in network.state_dict().items():
        assert again.state_dict()[name].dtype == value.dtype
        np.testing.assert_array_equal(again.state_dict()[name], value)


def test_a_network_prints_its_structure():
    assert repr(WindowMLP(1, 2, 1, 3, rng=0)).splitlines()[1:] == [
        "  W_1 (2, 3): 6",
        "  b_1 (2,): 2",
        "  W_2 (1, 2): 2",
        "  b_2 (1,): 1",
        "  11 parameters",
    ]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail():
        with written(path) as temporary:
            temporary.write_text("half of the new")
            raise RuntimeError("disk full")

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def model_with(change):
    network = ElmanNetwork(1, 2, 1, rng=0)
    described = {"class": "ElmanNetwork", "arguments": dict(network.config)}
    tensors = network.state_dict()
    change(described, tensors)
    return tensors, {"architecture": described}


MISFITS = [
    (
        lambda d, t: d.update({"class": "os.system"}),
        "architectures are ElmanNetwork, WindowMLP",
    ),
    (lambda d, t: t.pop("W_a"), "W_a is missing"),
    (lambda d, t: t.update(W_a=np.full((2, 2), np.nan)), "W_a has entries .* not finite"),
    (lambda d, t: t.update(W_x=np.ones((7, 7))), r"W_x has shape \(7, 7\)"),
    (lambda d, t: d["arguments"].update(colour="red"), "colour"),
    (lambda d, t: d["arguments"].update(hidden_size=-1), "hidden_size=-1"),
    (lambda d, t: d.pop("arguments"), "arguments"),
]


@pytest.mark.parametrize(("change", "match"), MISFITS)
def test_architectures_that_do_not_fit(tmp_path, change, match):
    path = tmp_path / "model.safetensors"
    write_tensors(path, *model_with(change))
    with pytest.raises(ModelFileError, match=match):
        load(path)


def test_files_that_are_not_ours(tmp_path):
    path = tmp_path / "model.safetensors"
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_tensors(path)
    path.write_bytes(b"\x80\x04pickle")
    with pytest.raises(ModelFileError, match="not a safetensors file, or damaged"):
        read_tensors(path)
    path.write_bytes(to_bytes({"x": np.ones(2)}))
    with pytest.raises(ModelFileError, match="not one of unrolled's"):
        read_tensors(path)
    path.write_bytes(to_bytes({"x": np.ones(2)}, {"format": "unrolled", "unrolled": "{"}))
    with pytest.raises(ModelFileError, match="metadata is damaged"):
        read_tensors(path)


@pytest.mark.parametrize("kept", [0, 4, 100, 0.5, 0.99])
def test_a_file_cut_short_is_an_error(tmp_path, kept):
    path = tmp_path / "model.safetensors"
    save(ElmanNetwork(1, 8, 1, rng=0), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    with pytest.raises(ModelFileError, match="damaged"):
        load(path)


def test_metadata_is_json_and_nothing_runs(tmp_path):
    path = tmp_path / "model.safetensors"
    save(ElmanNetwork(1, 2, 1, rng=0), path, {"a": 1})
    header = path.read_bytes()[8:].split(b"}}")[0]
    assert b"ElmanNetwork" in header and b"pickle" not in header
    assert json.dumps(load(path)[1]) == '{"a": 1}'


def edited(path, metadata):
    """A good model file with another text for its metadata."""
    save(LSTM(2, 3, rng=0), path)
    data = path.read_bytes()
    (N,) = struct.unpack("<Q", data[:8])
    head = json.loads(data[8 : 8 + N])
    head["__metadata__"]["unrolled"] = metadata
    text = json.dumps(head).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + N :])


def described(**change):
    """The metadata of an LSTM, changed."""
    arguments = LSTM(2, 3, rng=0).config | change.pop("arguments", {})
    architecture = {"class": "LSTM", "arguments": arguments} | change
    return json.dumps({"architecture": architecture})


HOSTILE = [
    ("[" * 100_000 + "]" * 100_000, "JSON that is nested too deep"),
    ("[]", "the metadata is damaged .a list, expected an object"),
    ("null", "the metadata is damaged .null, expected"),
    ("3", "a whole number, expected"),
    ('"x"', "a text, expected an object"),
    ('{"a": 1, "a": 2}', "the name 'a' twice"),
    ("1" * 5000, "an integer of more digits"),
    ("{", "no JSON"),
    ("{}", "the architecture is null, expected an object"),
    ('{"architecture": [1]}', "the architecture is a list"),
    ('{"architecture": {}}', "class is missing, expected a text"),
    (described(arguments={"hidden_size": 10**12}), "more numbers than the file has left"),
    (described(arguments={"num_layers": 10**9}), "more numbers than the file has left"),
    (described(arguments={"hidden_size": 10**400}), "more numbers than the file"),
    (described(arguments={"hidden_size": -3}), "hidden_size=-3, expected at least 1"),
    (described(arguments={"hidden_size": 3.0}), "hidden_size is a number, expected a wh"),
    (described(arguments={"hidden_size": "3"}), "hidden_size is a text, expected a whol"),
    (described(arguments={"hidden_size": True}), "hidden_size is true or false, expecte"),
    (described(arguments={"hidden_size": None}), "hidden_size is null, expected a whole"),
    (described(arguments={"hidden_size": [3]}), "hidden_size is a list, expected a whol"),
    (described(arguments={"bias": 1}), "bias is a whole number, expected true or false"),
    (described(arguments={"dropout": "x"}), "dropout is a text, expected a number"),
    (described(arguments={"dtype": "int8"}), "dtype='int8', expected float32 or float64"),
    (described(arguments={"self": 1}), "LSTM has no argument 'self', only input_size"),
    (described(**{"class": ["LSTM"]}), "class is a list, expected a text"),
    (described(tied={"weight_ih_l0": "w"}), "weight_ih_l0 is tied to 'w', one of which"),
    (described(tied={"weight_ih_l0": "bias_ih_l0"}), r"of shape \(12, 2\) is tied to"),
    (described(tied=["weight_ih_l0"]), "tied is a list, expected an object"),
    (
        json.dumps(json.loads(described()) | {"details": [1]}),
        "details is a list, expected an object",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("metadata", "match"), HOSTILE, ids=[m for _, m in HOSTILE])
def test_a_hostile_file_is_refused_in_words_of_the_file(tmp_path, metadata, match):
    path = tmp_path / "m.safetensors"
    edited(path, metadata)
    with pytest.raises(ModelFileError, match=match) as caught:
        load(path)
    for word in ("NoneType", "'int' object", "__init__", "unhashable"):
        assert word not in str(caught.value)


def test_sizes_of_other_networks_are_held_against_the_file_too(tmp_path):
    path, N = tmp_path / "m.safetensors", 10**9
    for kind, arguments in (
        ("MLP", {"sizes": [N, N]}),
        ("Hopfield", {"size": N}),
        ("LayerNorm", {"normalized_shape": 10**12}),
        ("BoltzmannMachine", {"visible": N}),
        ("RestrictedBoltzmannMachine", {"visible": N, "hidden": N}),
        ("Embedding", {"num_embeddings": N, "embedding_dim": N}),
        ("WindowMLP", dict.fromkeys(WindowMLP(1, 1, 1, 1).config, N)
         | {"activation": "tanh", "output_activation": "tanh", "dtype": "float32"}),
    ):  # fmt: skip
        architecture = {"class": kind, "arguments": arguments}
        write_tensors(path, {"x": np.ones(3)}, {"architecture": architecture})
        with pytest.raises(ModelFileError, match="more numbers than the file has left"):
            load(path)
    write_tensors(path, {}, {"architecture": {"class": "MLP", "arguments": {}}})
    with pytest.raises(ModelFileError, match="MLP has no sizes"):
        load(path)


def with_ties():
    """A language model whose table is its output matrix; an LSTM with one bias."""
    model = LanguageModel(10, 8, 8, rng=0)
    model.output.weight = model.embedding.weight
    lstm = LSTM(3, 3, 2, rng=0)
    lstm.weight_ih_l1 = lstm.weight_ih_l0
    lstm.bias_hh_l0 = lstm.bias_ih_l0
    layers = MLP([2, 2, 2], rng=0)
    layers.layers[1].weight = layers.layers[0].weight
    return [model, lstm, layers]


@pytest.mark.parametrize("at", range(3))
def test_tied_weights_come_back_tied(tmp_path, at):
    network, path = with_ties()[at], tmp_path / "m.safetensors"
    save(network, path)
    again, _ = load(path)
    assert len(load_weights(path)) == len(network.parameters())
    assert list(again.parameters()) == list(network.parameters())
    x = [np.arange(6).reshape(3, 2), np.ones((4, 1, 3)), np.ones((3, 2))][at]
    y, d = again(x), network(x)
    np.testing.assert_array_equal(y[0].data, d[0].data)


def test_a_tied_parameter_is_loaded_under_either_name_and_under_both():
    network = with_ties()[0]
    state = network.state_dict()
    both = "embedding.weight", "output.weight"
    for missing in ((), *[(name,) for name in both]):
        again = with_ties()[0]
        again.embedding.weight.data = np.zeros((10, 8))
        again.load_state_dict({k: x for k, x in state.items() if k not in missing})
        assert again.output.weight is again.embedding.weight
        np.testing.assert_array_equal(again.output.weight.data, state[both[0]])
    other = state | {"output.weight": state["output.weight"] + 1}
    with pytest.raises(ValueError, match=r"ding.weight and output.weight are one param"):
        network.load_state_dict(other)
    rest = {k: x for k, x in state.items() if k not in both}
    with pytest.raises(ValueError, match=r"dict: embedding.weight is missing$"):
        network.load_state_dict(rest)


def test_a_name_that_pytorch_left_out_of_a_file_comes_too(tmp_path):
    """As `safetensors.torch.save_model` writes what has two names."""
    path = tmp_path / "m.safetensors"
    path.write_bytes(to_bytes({"a": np.ones(2)}, {"b": "a", "format": "pt", "c": "d"}))
    found = load_weights(path)
    assert sorted(found) == ["a", "b"] and found["a"] is not found["b"]
    np.testing.assert_array_equal(found["b"], found["a"])


def test_one_network_gives_one_sequence_of_bytes(tmp_path):
    details = {"kind": "x", "words": ["é", "<unk>"]}
    for network in (LSTM(2, 3, 2, rng=0), *with_ties()):
        seen = set()
        for name in ("a", "b"):
            save(network, tmp_path / name, details)
            seen.add((tmp_path / name).read_bytes())
        again, found = load(tmp_path / "a")
        save(again, tmp_path / "c", found)
        assert seen == {(tmp_path / "c").read_bytes()}
    arrays = {"b": np.ones(2), "a": np.ones(2, np.float32), "c": np.ones(2)}
    assert encoded(arrays) == encoded(dict(reversed(arrays.items())))


KINDS = [
    *("float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint64"),
    *("uint32", "uint16", "uint8", "bool", "complex64", ">f8", ">i4", ">c8"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (2, 3)])
def test_numbers_of_every_kind_come_back(tmp_path, kind, shape):
    x = np.arange(np.prod(shape, dtype=int) * 2).reshape(*shape, 2).astype(kind)
    x = x[..., 0] if shape else x[1]  # not contiguous
    path = tmp_path / "w.safetensors"
    save_weights({"x": x}, path)
    for found in (load_weights(path), from_bytes(path.read_bytes())):
        assert found["x"].shape == x.shape
        assert found["x"].dtype == np.dtype(kind).newbyteorder("=")
        np.testing.assert_array_equal(found["x"], x)


@pytest.mark.parametrize(
    "x",
    [
        np.ones(2, np.longdouble), np.ones(2, complex), np.array([None]), np.array(["a"]),
        np.array(["2020"], "datetime64[D]"), 10**30, np.ma.array([1.0, 2], mask=[0, 1]),
        np.zeros(2, [("a", float)]), np.array([1], "timedelta64[s]"),
    ],
    ids=str,
)  # fmt: skip
def test_numbers_that_a_file_lacks_are_named(tmp_path, x):
    with pytest.raises(
        TypeError, match=r"^w is .*, (which|whose mask) safetensors lacks"
    ):
        save_weights({"v": np.ones(2), "w": x}, tmp_path / "w.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_names_of_every_kind_come_back_or_are_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    names = ["", "a\0b", "é", "e\u0301", "\N{FAMILY}", 'a"b', "a\nb", "format", "a.b"]
    save_weights({name: np.full(2, i) for i, name in enumerate(names)}, path)
    for found in (load_weights(path), from_bytes(path.read_bytes())):
        assert {name: int(x[0]) for name, x in found.items()} == {
            name: i for i, name in enumerate(names)
        }
    for name, error in (("__metadata__", ValueError), ("\ud800", ValueError)):
        with pytest.raises(error, match="expected another name"):
            save_weights({name: np.ones(2)}, path)
    with pytest.raises(TypeError, match="1 is a int, expected a string"):
        save_weights({1: np.ones(2)}, path)
    with pytest.raises(TypeError, match="details are not JSON"):
        save(Linear(1, 1), path, {"word": "\ud800"})
    with pytest.raises(TypeError, match="details are not JSON: a list"):
        save(Linear(1, 1), path, [1])


@pytest.mark.parametrize(
    "name",
    ["a" * 255, "a" * 238 + ".safetensors", "é" * 120 + ".txt", "m", "a." + "b" * 250],
)
@pytest.mark.parametrize("form", [Path, str, os.fsencode])
def test_every_name_that_a_file_may_have_is_written(tmp_path, name, form):
    path = tmp_path / name
    save(RNN(2, 2, rng=0), form(path))
    assert load(form(path))[0].config["hidden_size"] == 2
    assert list(tmp_path.iterdir()) == [path]


def test_names_beside_a_long_one_are_short_and_its_own():
    long = [Path("a" * 240 + end) for end in ("b.txt", "c.txt")]
    found = {beside(path, ".previous") for path in long}
    assert len(found) == 2 and all(len(path.name) < 100 for path in found)
    assert all(path.suffix == ".txt" for path in found)
    assert beside(Path("x/c.txt"), ".previous") == Path("x/c.previous.txt")


def test_what_is_no_regular_file_is_neither_read_nor_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/null", tmp_path / "pipe"):
        with pytest.raises(
            ModelFileError, match="a device or a pipe, expected a regular"
        ):
            load(path)
        with pytest.raises(OSError, match=f"a device or a pipe.*{path}"):
            save(Linear(1, 1), path)
    assert Path("/dev/null").is_char_device()
    with pytest.raises(IsADirectoryError, match=f"{tmp_path} is a folder, expected"):
        save(Linear(1, 1), tmp_path)
    (tmp_path / "empty").touch()
    with pytest.raises(ModelFileError, match=r"empty: not a safetensors file.*too small"):
        load(tmp_path / "empty")


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for H in (2, 3):
        save(RNN(1, H, rng=0), tmp_path / "link")
        assert (tmp_path / "link").is_symlink()
        assert load(tmp_path / "file")[0].config["hidden_size"] == H


def test_a_full_disk_names_the_file_and_leaves_the_old_one(tmp_path):
    path, big = tmp_path / "m.safetensors", RNN(2, 50, rng=0)
    save(RNN(2, 2, rng=0), path)
    before, weights = path.read_bytes(), big.state_dict()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, hard))
    try:
        with pytest.raises(OSError, match=f"File too large: '{path}'$"):
            save(big, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
    for name, value in big.state_dict().items():
        np.testing.assert_array_equal(value, weights[name])


def flipped(data, places):
    data = bytearray(data)
    for place in places:
        data[place // 8 % len(data)] ^= 1 << place % 8
    return bytes(data)


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 10**13)
    | st.floats()
    | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["class", "arguments", "tied", "a"]), inner)
    ),
)


def places(tree, path=()):
    """The paths to all that a JSON value holds."""
    keys = tree if isinstance(tree, dict) else range(len(tree)) if path == () else ()
    if isinstance(tree, list):
        keys = range(len(tree))
    yield path
    if isinstance(tree, (dict, list)):
        for key in keys:
            yield from places(tree[key], (*path, key))


def replaced(tree, path, value):
    """The same JSON with another value at a path."""
    if not path:
        return value
    tree = copy.copy(tree)
    tree[path[0]] = replaced(tree[path[0]], path[1:], value)
    return tree


@given(st.data())
def test_a_mutated_file_is_read_as_safetensors_does_or_refused(tmp_path_factory, data):
    """Flipped bits, cut ends, another JSON value in the header or in the metadata."""
    path = tmp_path_factory.getbasetemp() / "mutated.safetensors"
    save(data.draw(st.sampled_from([RNN(1, 2, rng=0), *with_ties()])), path, {"a": [1]})
    whole = path.read_bytes()
    (N,) = struct.unpack("<Q", whole[:8])
    head = json.loads(whole[8 : 8 + N])
    how = data.draw(st.sampled_from(["flip", "cut", "header", "metadata"]))
    if how == "flip":
        bits = st.lists(st.integers(0, 8 * len(whole) - 1), min_size=1, max_size=3)
        whole = flipped(whole, data.draw(bits))
    elif how == "cut":
        whole = whole[: data.draw(st.integers(0, len(whole)))]
    else:
        inner = json.loads(head["__metadata__"]["unrolled"])
        tree = head if how == "header" else inner
        at = data.draw(st.sampled_from(list(places(tree))))
        tree = replaced(tree, at, data.draw(JUNK))
        if how == "metadata":
            head["__metadata__"]["unrolled"] = json.dumps(tree)
            tree = head
        text = json.dumps(tree).encode()
        whole = struct.pack("<Q", len(text)) + text + whole[8 + N :]
    path.write_bytes(whole)
    for read in (load, read_tensors):
        with suppress(ModelFileError):
            read(path)
    try:
        expected = from_bytes(whole)
    except SafetensorError:
        with pytest.raises(ModelFileError):
            load_weights(path)
    else:
        found = load_weights(path)
        for name, value in expected.items():
            np.testing.assert_array_equal(found[name], value)
