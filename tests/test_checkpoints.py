"""Runs that are killed, disks that are full, files that are damaged: nothing is lost."""

import errno
import io
import random
import re
import subprocess
import sys
import textwrap
import time
import warnings
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from autograd import Tensor
from rnn import checkpoints, training
from rnn.checkpoints import Checkpoint, forget
from rnn.files import ModelFileError, save
from rnn.optim import SGD, Adam, exponential
from rnn.training import fit

EPOCHS = 6


@pytest.fixture(autouse=True)
def _every_epoch(monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)


def trained(path, epochs=EPOCHS, seed=0, watch=lambda epoch: None, **options):
    """w after a run whose loss is drawn at random, so that its `rng` matters too."""
    w = Tensor(np.array([4.0, -1.0]), requires_grad=True)
    late = Tensor(3.0, requires_grad=True)
    rng = np.random.default_rng(seed)
    count = iter(range(10**6))

    def objective(target, state):
        E = np.sum(np.square(w - target * rng.normal(1, 0.1)))
        return (E if rng.random() < 0.5 else E + np.square(late)), None

    def validate():
        watch(next(count) + 1)
        return 1 + np.square(w.data[0])

    adam = Adam({"w": w, "late": late}, 0.05)
    targets = [np.array([1.0, -2.0]), np.array([0.5, 3.0])]
    fit(objective, targets, adam, epochs=epochs, rng=rng, checkpoint=path,
        validate=validate, schedule=partial(exponential, 0.05, 0.99),
        **options)  # fmt: skip
    return [*w.data, late.data]


class Killed(BaseException):
    """Ends a run as a signal would, with no chance to write anything."""


def killed(path, at):
    def watch(epoch):
        if epoch == at:
            raise Killed

    with pytest.raises(Killed):
        trained(path, watch=watch)


def damage(path, how):
    whole = path.read_bytes()
    if isinstance(how, float):
        path.write_bytes(whole[: int(how * len(whole))])
    else:
        place = how % len(whole)
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :])


@pytest.mark.parametrize("generator", ["PCG64", "MT19937", "Philox", "SFC64"])
def test_what_is_drawn_goes_on_too(tmp_path, generator, monkeypatch):
    make = getattr(np.random, generator)
    monkeypatch.setattr(
        np.random, "default_rng", lambda seed: np.random.Generator(make(seed))
    )
    killed(tmp_path / "c.safetensors", at=4)
    assert trained(tmp_path / "c.safetensors") == trained(None)


def test_a_finished_run_can_be_made_longer(tmp_path):
    path = tmp_path / "c.safetensors"
    trained(path, epochs=3)
    assert trained(path) == trained(None)


def test_the_progress_of_a_resumed_run_starts_where_it_stood(tmp_path, monkeypatch):
    seen = []

    @contextmanager
    def progress(*arguments):
        seen.append(arguments)
        yield lambda done, note: None

    monkeypatch.setattr(training, "progress", progress)
    trained(tmp_path / "c.safetensors", epochs=3)
    trained(tmp_path / "c.safetensors", show="run")
    assert seen == [("run", 2 * EPOCHS, 6, None)]


def test_a_run_that_stopped_early_stays_stopped(tmp_path):
    path = tmp_path / "c.safetensors"
    stopped = trained(path, epochs=300, patience=2)
    seen = []
    assert trained(path, epochs=300, patience=2, watch=seen.append) == stopped
    assert seen == [] and stopped == trained(None, epochs=300, patience=2)


@pytest.mark.parametrize("how", [0.0, 0.3, 0.9, 0.999, 3, 200, -1, -20])
def test_a_damaged_checkpoint_is_told_and_the_one_before_serves(tmp_path, how):
    path = tmp_path / "c.safetensors"
    killed(path, at=4)
    damage(path, how)
    told = (r"c\.safetensors: .*damaged.*Going on from the one before it, "
            r".*c\.previous\.safetensors$")  # fmt: skip
    with pytest.warns(UserWarning, match=told):
        assert trained(path) == trained(None)


def test_a_damaged_one_never_takes_the_place_of_a_good_one(tmp_path):
    path, previous = tmp_path / "c.safetensors", tmp_path / "c.previous.safetensors"
    killed(path, at=4)
    damage(path, 0.5)
    before = previous.read_bytes()
    with pytest.warns(UserWarning, match="Going on"):
        killed(path, at=2)  # resumes after epoch 2, writes epoch 3
    assert previous.read_bytes() == before
    damage(path, 0.5)
    with pytest.warns(UserWarning, match="Going on"):
        assert trained(path) == trained(None)


def test_where_both_are_damaged_both_are_named(tmp_path):
    path = tmp_path / "c.safetensors"
    killed(path, at=4)
    for damaged in (path, tmp_path / "c.previous.safetensors"):
        damage(damaged, 0.5)
    with pytest.raises(ModelFileError, match=r"c\.safetensors.*c\.previous.*begin anew"):
        trained(path)
    forget(path)
    assert list(tmp_path.iterdir()) == [] and trained(path) == trained(None)


@pytest.mark.parametrize("at", range(2 * EPOCHS - 1))
def test_killed_between_two_names(tmp_path, monkeypatch, at):
    """At the even moments the old one has its new name, the new one not yet its own."""
    path = tmp_path / "c.safetensors"
    replace, count = Path.replace, iter(range(100))

    def broken(self, target):
        if next(count) == at:
            raise Killed
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(Killed):
        trained(path)
    monkeypatch.undo()
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    assert (tmp_path / "c.previous.safetensors").exists() == (at > 1)
    assert path.exists() == bool(at % 2)
    seen = []
    assert trained(path, watch=seen.append) == trained(None)
    assert len(seen) == EPOCHS - (at + 1) // 2


@pytest.mark.parametrize("full_from", [1, 3])
def test_a_full_disk_is_told_and_training_goes_on(tmp_path, monkeypatch, full_from):
    path = tmp_path / "c.safetensors"
    opened, count = Path.open, iter(range(1, 100))

    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    def limited(self, mode="r", **options):
        if mode == "wb" and next(count) >= full_from:
            return Full()
        return opened(self, mode, **options)

    monkeypatch.setattr(Path, "open", limited)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert trained(path) == trained(None)
    good = rf"{re.escape(str(path))}, after epoch {full_from - 1}$"
    for epoch, warning in enumerate(caught, full_from):
        told = rf"after epoch {epoch} could not be written \(No space left on device\)"
        assert re.search(told, str(warning.message))
        expected = "none yet$" if full_from == 1 else good
        assert re.search(f"the last good checkpoint is {expected}", str(warning.message))
    assert len(caught) == EPOCHS - full_from + 1
    names = [] if full_from == 1 else ["c.previous.safetensors", "c.safetensors"]
    assert sorted(p.name for p in tmp_path.iterdir()) == names
    monkeypatch.undo()
    seen = []
    assert trained(path, watch=seen.append) == trained(None)
    assert len(seen) == EPOCHS - full_from + 1


def test_a_really_full_device_is_told(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    checkpoint = Checkpoint(tmp_path / "c.safetensors")
    checkpoint.write({}, {"epoch": 1})
    # The temporary file as a link to the device that is always full.
    written = checkpoints.written
    try:
        checkpoints.written = lambda path: _Into(Path("/dev/full"))
        with pytest.raises(OSError, match="No space left"):
            checkpoint.write({}, {"epoch": 2})
    finally:
        checkpoints.written = written
    assert Checkpoint(checkpoint.path).read()[1][1] == {"epoch": 1}


class _Into:
    def __init__(self, path):
        self.path = path

    def __enter__(self):
        return self.path

    def __exit__(self, *exc):
        return None


def test_two_are_kept_and_a_killed_ones_leftovers_go(tmp_path):
    path = tmp_path / "c.safetensors"
    for name in (".c-abcd1234.safetensors", ".c-1-abcd1234.safetensors"):
        (tmp_path / name).write_bytes(b"half")
    checkpoint = Checkpoint(path)
    assert checkpoint.read() is None
    for epoch in range(4):
        checkpoint.write({"x": np.full((), epoch)}, {"epoch": epoch})
    found, (tensors, metadata) = Checkpoint(path).read()
    assert found == path and metadata == {"epoch": 3} and tensors["x"].shape == ()
    path.unlink()
    found, (_, metadata) = Checkpoint(path).read()
    assert found == checkpoint.previous and metadata == {"epoch": 2}
    forget(path)
    # That of another checkpoint, "c-1", stays.
    assert [p.name for p in tmp_path.iterdir()] == [".c-1-abcd1234.safetensors"]


def other_run(path, w=None, rule=SGD, **options):
    p = {"w": Tensor(np.ones(2) if w is None else w, requires_grad=True)}
    E = lambda s, a: (np.sum(np.square(p["w"])), None)  # noqa: E731
    return fit(E, [0], rule(p, 0.1), epochs=2, checkpoint=path, **options)


@pytest.mark.parametrize(
    ("options", "differs"),
    [
        ({"run": {"seed": 1}}, "seed"),
        ({"w": np.ones(3)}, "parameters"),
        ({"w": np.ones(2, np.float32)}, "parameters"),
        ({"rule": Adam}, "optimizer"),
        ({"run": {"seed": 1}, "rule": Adam}, "seed, optimizer"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path, options, differs):
    path = tmp_path / "c.safetensors"
    given = {"run": {"seed": 0}}
    other_run(path, **given)
    told = rf"c\.safetensors: the checkpoint of another run, which differs in {differs}\."
    with pytest.raises(ModelFileError, match=told):
        other_run(path, **(given | options))


def test_files_that_are_no_checkpoints(tmp_path):
    from rnn import ElmanNetwork

    path = tmp_path / "c.safetensors"
    save(ElmanNetwork(1, 2, 1, rng=0), path)
    with pytest.raises(ModelFileError, match=r"c\.safetensors: not a checkpoint.*delete"):
        other_run(path)
    other_run(path := tmp_path / "d.safetensors")
    checkpoint = Checkpoint(path)
    _, (tensors, metadata) = checkpoint.read()
    del metadata["moves"]
    checkpoint.write(tensors, metadata)
    told = r"d.safetensors: the checkpoint of another version .*Going on from the one"
    with pytest.warns(UserWarning, match=told):
        other_run(path)
    forget(path)
    checkpoint.write(tensors, metadata)
    with pytest.raises(ModelFileError, match=r"another version \(it has no moves\)"):
        other_run(path)


KILLED = """
    import sys, time
    import numpy as np
    from autograd import Tensor
    from rnn import ElmanNetwork, losses, training
    from rnn.bptt import segments
    from rnn.optim import Adam

    training.CHECKPOINT_SECONDS = 0.0
    network = ElmanNetwork(1, 24, 1, rng=0)
    rng = np.random.default_rng(0)
    x = np.sin(np.arange(31)).reshape(-1, 1, 1)

    def objective(segment, state):
        x, d = segment
        instants = network.unroll(x + rng.normal(0, 0.01, x.shape), state)
        time.sleep(0.001)
        print("step", flush=True)
        return losses.mse(np.stack([i.y for i in instants]), d), instants[-1].a

    adam = Adam(network.parameters(), 0.01)
    training.fit(objective, segments(6, x[:-1], x[1:]), adam, epochs=EPOCHS, rng=rng,
                 validate=lambda: np.square(network.W_a.data).sum(),
                 checkpoint=sys.argv[1])
    np.save(sys.argv[2], network.W_a.data)
"""


def test_a_run_killed_at_random_moments_ends_bit_for_bit_like_a_straight_one(tmp_path):
    """Kill −9 again and again, at moments drawn at random, until it is done."""
    script = textwrap.dedent(KILLED).replace("EPOCHS", "40")
    draw = random.Random(0)

    def start(name):
        paths = [str(tmp_path / f"{name}.safetensors"), str(tmp_path / f"{name}.npy")]
        return subprocess.Popen(
            [sys.executable, "-c", script, *paths], stdout=subprocess.PIPE, text=True
        )

    kills = 0
    while not (tmp_path / "killed.npy").exists():
        process = start("killed")
        if kills < 6:
            for _ in range(draw.randrange(1, 20)):
                process.stdout.readline()
            time.sleep(draw.random() * 0.01)
            process.kill()
            kills += 1
            process.communicate()
        else:
            process.communicate()
            assert process.returncode == 0
    straight = start("straight")
    straight.communicate()
    assert straight.returncode == 0 and kills >= 2  # 6, where the machine keeps up
    np.testing.assert_array_equal(
        np.load(tmp_path / "killed.npy"), np.load(tmp_path / "straight.npy")
    )
    assert not list(tmp_path.glob(".killed-*"))
