"""Models on disk; foreign, damaged and misfitting files."""

import json

import numpy as np
import pytest
from safetensors.numpy import save as to_bytes

from autograd.files import written
from rnn import ElmanNetwork, WindowMLP
from rnn.files import ModelFileError, load, read_tensors, save, write_tensors


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
