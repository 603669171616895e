"""Runs that are interrupted at any step end bit for bit like those that are not."""

import os
import random
import signal
import subprocess
import sys
import threading
import warnings
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Tensor
from rnn import GRU, LSTM, RNN, LanguageModel, Linear, losses, training
from rnn.batching import Batches, Segmentation
from rnn.bptt import segments
from rnn.checkpoints import Checkpoint
from rnn.files import ModelFileError
from rnn.interrupts import shielded
from rnn.layers import dropout
from rnn.locks import alone
from rnn.module import Module
from rnn.optim import SGD, Adam, AdamW, RMSprop, cosine, exponential, warm_up
from rnn.reached import reached
from rnn.training import fit

X, D = np.random.default_rng(0).normal(size=(2, 12, 3, 2))
PIECES = segments(4, X, D)
GLOBAL = np.random.default_rng(7)


class Killed(BaseException):
    """Ends a run as a signal would, with no chance to write anything."""


@pytest.fixture(autouse=True)
def _every_epoch(monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)


def weights(parameters):
    return {name: np.array(p.data) for name, p in parameters.items()}


def equal(a, b):
    assert a.keys() == b.keys()
    for name, value in a.items():
        np.testing.assert_array_equal(value, b[name])


def losing(network, noise=lambda: 0.0):
    def objective(segment, state):
        y, state = network(segment[0], state)
        return losses.mse(y, segment[1] + noise()), state

    return objective


def dying(objective, optimizer, at, how=Killed):
    """An objective that ends the run in a step."""

    def mortal(segment, state):
        if optimizer.steps == at:
            raise how
        return objective(segment, state)

    return mortal


def own_rng(seed):
    network = LSTM(2, 2, 2, dropout=0.3, rng=seed)
    return network, losing(network), PIECES


def closure(seed):
    network, rng = RNN(2, 2, rng=0), np.random.default_rng(seed)
    return network, losing(network, rng.normal), PIECES


def in_a_list(seed):
    network, rngs = RNN(2, 2, rng=0), {"a": [np.random.default_rng(seed)]}
    return network, losing(network, lambda: rngs["a"][0].normal()), PIECES


def with_default(seed):
    network = RNN(2, 2, rng=0)
    rng = random.Random(seed)
    return network, losing(network, lambda r=rng: r.gauss(0, 1)), PIECES


def legacy(seed):
    network, rng = RNN(2, 2, rng=0), np.random.RandomState(seed)
    return network, losing(network, rng.normal), PIECES


def cached(seed):
    """Inside of a function that is kept by another one, and of a namespace."""
    network, own = RNN(2, 2, rng=0), SimpleNamespace(rng=np.random.default_rng(seed))
    return network, losing(network, lru_cache(0)(lambda: own.rng.normal())), PIECES


def bound(seed):
    class Noisy:
        def __init__(self):
            self.network, self.rng = RNN(2, 2, rng=0), np.random.default_rng(seed)

        def objective(self, segment, state):
            y, state = self.network(segment[0], state)
            return losses.mse(y, segment[1] + self.rng.normal()), state

    noisy = Noisy()
    return noisy.network, noisy.objective, PIECES


def given_by_partial(seed):
    network = RNN(2, 2, rng=0)
    return network, losing(network, partial(_noise, np.random.default_rng(seed))), PIECES


def _noise(rng):
    return rng.normal()


def of_the_module(seed):
    """A global of this file, used by a helper and by a class."""
    GLOBAL.bit_generator.state = np.random.default_rng(seed).bit_generator.state

    class Dropping(Module):
        def __init__(self):
            self.rnn = RNN(2, 2, rng=0)

        def forward(self, x, state=None):
            y, state = self.rnn(x, state)
            return dropout(y, 0.2, GLOBAL), state

        __call__ = forward

    network = Dropping()
    return network, losing(network, lambda: _noise(GLOBAL)), PIECES


def global_numpy(seed):
    np.random.seed(seed)
    network = RNN(2, 2, rng=0)
    return network, losing(network, np.random.normal), PIECES


def global_python(seed):
    random.seed(seed)
    network = RNN(2, 2, rng=0)
    return network, losing(network, lambda: random.gauss(0, 1)), PIECES


def shuffled(seed):
    texts = [np.random.default_rng(i).integers(0, 5, 3 + i % 4) for i in range(7)]
    network = LanguageModel(5, 3, 3, "gru", dropout=0.2, rng=0)

    def objective(segment, state):
        x, d, _ = segment
        return losses.cross_entropy(network(x)[0], d, ignore_index=-1), None

    return network, objective, Batches(texts, 2, seed, bucketed=seed % 2 == 0)


def of_users_segments(seed):
    class Drawn:
        def __init__(self):
            self._rng = np.random.default_rng(seed)

        def __len__(self):
            return 3

        def __iter__(self):
            for _ in range(3):
                t = self._rng.integers(0, 8)
                yield X[t : t + 4], D[t : t + 4]

    network = RNN(2, 2, rng=0)
    return network, losing(network), Drawn()


DRAWING = [
    own_rng, cached, closure, in_a_list, with_default, legacy, bound, given_by_partial,
    of_the_module, global_numpy, global_python, shuffled, of_users_segments,
]  # fmt: skip


def run(make, path, epochs=5, dies=None, seed=0, rule=SGD, **options):
    network, objective, pieces = make(seed)
    optimizer = rule(network.parameters(), 0.05)
    if dies is not None:
        objective = dying(objective, optimizer, dies)
    fit(objective, pieces, optimizer, epochs=epochs, checkpoint=path, **options)
    return weights(network.parameters())


@pytest.mark.parametrize("make", DRAWING)
def test_each_generator_that_a_run_reaches_goes_on(tmp_path, make):
    """Wherever it is, and whatever it was seeded with when the run is resumed."""
    whole, path = run(make, None), tmp_path / "c.safetensors"
    for dies in (4, 7, 11):
        with pytest.raises(Killed):
            run(make, path, dies=dies)
    equal(run(make, path), whole)
    other = tmp_path / "d.safetensors"
    with pytest.raises(Killed):
        run(make, other, dies=7)
    equal(run(make, other, seed=2), whole)


def running(seed):
    rng = np.random.default_rng(seed)
    drawn = (rng.normal() for _ in range(100))
    network = RNN(2, 2, rng=0)
    return network, losing(network, lambda: next(drawn)), PIECES


def of_the_system(seed):
    network, draw = RNN(2, 2, rng=0), random.SystemRandom()
    return network, losing(network, draw.random), PIECES


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (running, "fit: drawn is a running Python generator that draws random numbers"),
        (of_the_system, "fit: the state of noise, a SystemRandom, cannot be saved"),
    ],
)
def test_randomness_that_cannot_be_saved_is_refused_by_name(tmp_path, make, match):
    run(make, None, epochs=1)
    with pytest.raises(TypeError, match=match):
        run(make, tmp_path / "c.safetensors", epochs=1)


def test_generators_have_names_whatever_wraps_them():
    network = LSTM(2, 2, 2, dropout=0.1, rng=0)
    expected = ["random", "np.random", "rng", "LSTM._rng"]
    plain = losing(network)
    for objective in (plain, dying(plain, None, 3), partial(plain, state=None)):
        found = reached([], PIECES, rng=np.random.default_rng(0), objective=objective)
        assert list(found.generators) == expected


CHOICES = {
    "network": [
        lambda: LSTM(2, 2, 2, dropout=0.3, rng=0),
        lambda: GRU(2, 2, rng=1, dtype=np.float32),
        lambda: RNN(2, 2, 2, dropout=0.5, rng=2, nonlinearity="relu"),
    ],
    "rule": [
        partial(SGD, lr=0.05), partial(SGD, lr=0.02, momentum=0.9, nesterov=True), Adam,
        partial(AdamW, lr=0.01), partial(RMSprop, lr=0.01),
    ],
    "schedule": [
        None, partial(exponential, 0.03, 0.9), partial(cosine, 0.1, 15),
        partial(warm_up, partial(cosine, 0.1, 15), 4),
    ],
    "truncation": [3, 5, 12],
    "max_norm": [None, 0.5],
    "validated": [False, True],
    "patience": [None, 2],
}  # fmt: skip


@given(
    st.fixed_dictionaries({k: st.sampled_from(v) for k, v in CHOICES.items()}),
    st.lists(st.integers(0, 19), min_size=1, max_size=3),
    st.sampled_from([Killed, KeyboardInterrupt, RuntimeError, SystemExit]),
)
def test_a_run_interrupted_at_any_steps_ends_like_a_straight_one(
    tmp_path_factory, choice, deaths, how
):
    path = tmp_path_factory.mktemp("run") / "c.safetensors"

    def attempt(path, dies=None):
        network, rng = choice["network"](), np.random.default_rng(0)
        optimizer = choice["rule"](network.parameters())
        objective = losing(network, lambda: rng.normal(0, 0.1))
        if dies is not None:
            objective = dying(objective, optimizer, dies, how)
        options = {key: choice[key] for key in ("schedule", "max_norm")}
        if choice["validated"]:
            options["validate"] = lambda: (
                float(np.mean(network(X)[0].data)) + rng.random()
            )
            options["patience"] = choice["patience"]
        pieces = segments(choice["truncation"], X, D)
        history = fit(
            objective, pieces, optimizer, epochs=5, checkpoint=path, rng=rng, **options
        )
        return weights(network.parameters()), history

    whole, history = attempt(None)
    for dies in deaths:
        try:
            attempt(path, dies)
        except how:
            continue
    found, again = attempt(path)
    equal(found, whole)
    assert again == history


KILLED = """
    import sys, time
    import numpy as np
    from rnn import LSTM, losses, training
    from rnn.bptt import segments
    from rnn.optim import Adam

    training.CHECKPOINT_SECONDS = 0.0
    network = LSTM(2, 3, 2, dropout=0.2, rng=0)
    x, d = np.random.default_rng(0).normal(size=(2, 12, 3, 2))
    scores = np.random.default_rng(1)

    def objective(segment, state):
        print("step", flush=True)
        y, state = network(segment[0], state)
        return losses.mse(y[..., :2], segment[1]), state

    adam = Adam(network.parameters(), 0.01)
    training.fit(objective, segments(4, x, d), adam, epochs=12, checkpoint=sys.argv[1],
                 validate=scores.random)
    np.savez(sys.argv[2], **network.state_dict())
"""


def started(folder, name):
    lines = [line[4:] for line in KILLED.splitlines()]
    paths = [str(folder / f"{name}.safetensors"), str(folder / f"{name}.npz")]
    return subprocess.Popen(
        [sys.executable, "-c", "\n".join(lines), *paths],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_killed_run_ends_with_the_same_best_parameters(tmp_path):
    """Kill −9 and SIGTERM, with dropout's own generator and scores drawn at random."""
    draw = random.Random(1)
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        process = started(tmp_path, "killed")
        for _ in range(draw.randrange(3, 12)):
            process.stdout.readline()
        process.send_signal(number)
        process.communicate()
    for name in ("killed", "straight"):
        process = started(tmp_path, name)
        process.communicate()
        assert process.returncode == 0
    equal(*(dict(np.load(tmp_path / f"{n}.npz")) for n in ("killed", "straight")))
    names = {p.name for p in tmp_path.iterdir() if p.suffix == ".safetensors"}
    ends = (".safetensors", ".previous.safetensors")
    assert names == {n + end for n in ("killed", "straight") for end in ends}


@dataclass(frozen=True)
class Settings:
    strength: float = 0.1


def changed(path, **change):
    """A short run with one thing that is other than before."""
    given = {
        "hidden": 2, "layers": 2, "p": 0.3, "nonlinearity": "tanh", "rule": SGD,
        "lr": 0.01, "momentum": 0.5, "data": 1.0, "steps": 4, "settings": Settings(),
        "scale": 1.0, "rng": np.random.default_rng(0), "frozen": 0, "more": False,
    } | change  # fmt: skip
    network = RNN(2, given["hidden"], given["layers"], dropout=given["p"], rng=0,
                  nonlinearity=given["nonlinearity"])  # fmt: skip
    fixed, data, rng = Linear(2, 2, rng=given["frozen"]), X * given["data"], given["rng"]
    settings, pieces = given["settings"], segments(given["steps"], X, D)
    if "batch" in change:
        pieces = Segmentation(np.arange(40) % 3, change["batch"], 5)
    parameters = network.parameters()
    if given["more"]:
        parameters |= {"extra": Tensor(np.ones(2), requires_grad=True)}
    noise = rng.normal if rng is not None else float
    rule = given["rule"]
    options = {"momentum": given["momentum"]} if rule is SGD else {}
    optimizer = rule(parameters, given["lr"], **options | change.get("options", {}))

    def objective(segment, state, scale=1.0):
        y = network(fixed(data))[0]
        E = losses.mse(y, y.data + noise()) * settings.strength * scale
        return E, None

    kept = ("max_norm", "max_value", "schedule", "validate", "run", "epochs")
    rest = {"epochs": 2} | {key: change[key] for key in kept if key in change}
    E = partial(objective, scale=given["scale"])
    return fit(E, pieces, optimizer, checkpoint=path, **rest)


ADAM = {"rule": Adam}
OTHERS = [
    ({}, {"momentum": 0.9}, "momentum. .*momentum: 0.5 in the checkpoint, 0.9 now"),
    ({}, {"momentum": 0.0}, "momentum. .*0.0 now"),
    ({}, {"options": {"nesterov": True}}, "nesterov. .*false in the checkpoint, true n"),
    ({}, {"rule": Adam}, "optimizer. .*optimizer: SGD in the checkpoint, Adam now"),
    (ADAM, ADAM | {"options": {"betas": (0.5, 0.9)}}, r"betas. .*\[0.9, 0.999\] in"),
    (ADAM, ADAM | {"options": {"eps": 1e-3}}, "eps. .*0.001 now"),
    ({}, {"more": True}, r"parameters. .*nothing in the checkpoint, .*extra.*\(2,\)"),
    ({}, {"hidden": 3, "data": 1.0}, "parameters, RNN.hidden_size"),
    ({}, {"p": 0.4}, r"RNN.dropout\. .*0.3 in the checkpoint, 0.4 now"),
    ({}, {"nonlinearity": "relu"}, "RNN.nonlinearity. .*tanh in the checkpoint, rel"),
    ({}, {"max_norm": 1.0}, "max_norm. .*null in the checkpoint, 1.0 now"),
    ({"max_value": 2.0}, {"max_value": 1.0}, "max_value. .*2.0 in the checkpoint, 1.0 "),
    ({}, {"validate": lambda: 1.0}, "validate. .*false in the checkpoint, true now"),
    ({}, {"steps": 6}, "segments, segments. .*3 in the checkpoint, 2 now"),
    ({}, {"data": 2.0}, r"data\. "),
    ({}, {"settings": Settings(0.2)}, "Settings.strength. .*0.1 in the checkpoint, 0.2"),
    ({"scale": 1.0}, {"scale": 2.0}, "scale. .*1.0 in the checkpoint, 2.0 now"),
    ({}, {"frozen": 1}, "Linear.bias, Linear.weight"),
    ({"rng": None}, {}, "noise. .*nothing in the checkpoint, PCG64 now"),
    ({}, {"rng": np.random.RandomState(0)}, "noise. .*PCG64 in the checkpoint, MT199"),
    ({"batch": 2}, {"batch": 4}, "Segmentation.x, Segmentation.d"),
    ({"run": {"seed": [1, 2]}}, {"run": {"seed": (1, 3)}}, r"seed. .*\[1, 2\] in the"),
    ({"run": {"seed": 1}}, {"run": {}}, "seed. .*1 in the checkpoint, nothing now"),
]  # fmt: skip


@pytest.mark.parametrize(("first", "then", "match"), OTHERS, ids=[m for *_, m in OTHERS])
def test_a_run_with_other_settings_is_refused_by_name(tmp_path, first, then, match):
    path = tmp_path / "c.safetensors"
    changed(path, **first)
    before = path.read_bytes()
    told = rf"c\.safetensors: the checkpoint of another run, which differs in .*{match}"
    with pytest.raises(ModelFileError, match=told) as caught:
        changed(path, **then)
    assert "Delete it, or write somewhere else, to begin anew" in str(caught.value)
    assert path.read_bytes() == before


def test_the_same_settings_of_other_types_are_no_other_run(tmp_path):
    path = tmp_path / "c.safetensors"
    changed(path, momentum=0.5, max_norm=1.0, run={"a": (1, 2)})
    changed(path, momentum=np.float64(0.5), max_norm=np.float64(1), run={"a": [1, 2]})


def test_another_learning_rate_is_taken_up_with_a_warning(tmp_path):
    """The descent goes on from where it stood, with the new one."""
    path = tmp_path / "c.safetensors"
    p = {"w": Tensor(np.array([4.0]), requires_grad=True)}

    def descend(lr, epochs, **options):
        return fit(
            lambda s, _: (np.sum(p["w"]), None), [0], SGD(p, lr), epochs=epochs,
            checkpoint=path, **options,
        )  # fmt: skip

    descend(0.5, 2)
    told = r"learning rate of step 1 was 0.5, and is 0.25 now\. .* new one from step 3"
    with pytest.warns(UserWarning, match=told):
        history = descend(0.25, 4)
    assert history.rate == [0.5, 0.5, 0.25, 0.25] and p["w"].data == 2.5
    with pytest.warns(UserWarning, match=r"step 1 was 0.5, and is 0.125 now"):
        descend(9.0, 5, schedule=lambda step: 0.125)
    assert p["w"].data == 2.375


def test_a_schedule_that_was_the_same_so_far_goes_on_in_silence(tmp_path):
    path = tmp_path / "c.safetensors"
    rates = lambda last: lambda step: [0.1, 0.2, 0.3, last][step // 3]  # noqa: E731
    changed(path, epochs=3, schedule=rates(0.4))
    assert changed(path, epochs=4, schedule=rates(0.5)).rate == [0.1, 0.2, 0.3, 0.5]


def test_options_that_change_on_the_way_go_on_as_they_were(tmp_path):
    """Set by a function that is called after each epoch, as with a plateau."""

    def descend(path, dies=None):
        network = RNN(2, 2, rng=0)
        optimizer = SGD(network.parameters(), 0.1, momentum=0.9)

        def validate():
            if optimizer.steps == 9:
                optimizer.lr, optimizer.momentum = 0.01, 0.5
            return 1.0

        objective = dying(losing(network), optimizer, dies)
        fit(objective, PIECES, optimizer, epochs=6, checkpoint=path, validate=validate)
        return optimizer.memory["m"] | {"lr": optimizer.lr}

    path = tmp_path / "c.safetensors"
    with pytest.raises(Killed):
        descend(path, dies=13)
    equal(descend(path), descend(None))


def test_a_finished_short_run_leaves_a_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 1e9)
    path = tmp_path / "c.safetensors"
    run(own_rng, path, epochs=2, rule=Adam)
    assert [p.name for p in tmp_path.iterdir()] == ["c.safetensors"]
    equal(run(own_rng, path, rule=Adam), run(own_rng, None, rule=Adam))


@pytest.mark.parametrize("how", [Killed, KeyboardInterrupt, RuntimeError, "nan"])
@pytest.mark.parametrize("kept", [False, True])
def test_the_best_parameters_come_back_however_a_run_ends(tmp_path, how, kept):
    network, seen, scores = RNN(2, 2, rng=0), [], iter([3.0, 1.0, 2.0, 4.0])
    optimizer = SGD(network.parameters(), 0.1)

    def validate():
        seen.append(weights(network.parameters()))
        return next(scores)

    objective = losing(network, lambda: np.nan if optimizer.steps >= 10 else 0.0)
    if how != "nan":
        objective = dying(losing(network), optimizer, 10, how)
    path = tmp_path / "c.safetensors" if kept else None
    with pytest.raises(FloatingPointError if how == "nan" else how):
        fit(objective, PIECES, optimizer, epochs=5, validate=validate, checkpoint=path)
    equal(weights(network.parameters()), seen[1])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("options", [{}, {"max_norm": 1.0}, {"max_value": 1.0}])
def test_a_gradient_that_is_not_finite_moves_no_weight(bad, options):
    p = {k: Tensor(np.ones(2), requires_grad=True) for k in "ab"}
    optimizer = Adam(p, 0.1)

    def objective(target, state):
        late = optimizer.steps == 2
        E = np.sum(p["a"] - target) + np.sum(p["b"])
        return E if not late else E + _steep(p["b"], bad), None

    told = r"fit: the gradient of b is not finite at step 3\. Lower the learning rate, cl"
    with pytest.raises(FloatingPointError, match=told):
        fit(objective, [np.zeros(2)], optimizer, epochs=5, **options)
    assert optimizer.steps == 2 and optimizer.moves == {"a": 2, "b": 2}
    for x in (*weights(p).values(), *optimizer.memory["m"].values()):
        assert np.isfinite(x).all() and (x == x[0]).all()


def _steep(x, slope):
    """0, with a gradient of one's choice for the first element."""
    from autograd import primitive

    flat = primitive(lambda x: 0.0 * np.sum(x))
    flat.defvjp(lambda g, ans, x: g * np.array([slope, 1]))
    return flat(x)


def test_parameters_that_are_not_finite_take_no_checkpoints_place(tmp_path):
    """The last good one stays, and the run goes on from it with a lower rate."""
    path, p = tmp_path / "c.safetensors", {"w": Tensor(np.ones(1), requires_grad=True)}

    def descend(lr):
        optimizer = SGD(p, lr)
        rate = lambda step: 1e308 if step == 2 and lr == 1 else lr  # noqa: E731
        fit(lambda s, _: (np.sum(p["w"] * 1e10), None), [0], optimizer, epochs=4,
            checkpoint=path, schedule=rate)  # fmt: skip

    with (
        np.errstate(over="ignore"),
        pytest.raises(
            FloatingPointError,
            match="fit: the parameter of w is not finite after epoch 3",
        ),
    ):
        descend(1.0)
    assert len(Checkpoint(path).read()[1][1]["history"]["loss"]) == 2
    with pytest.warns(UserWarning, match="learning rate"):
        descend(0.5)


def test_two_runs_with_one_checkpoint_are_refused(tmp_path):
    path = tmp_path / "c.safetensors"
    told = (
        rf"c\.safetensors: another run \(process {os.getpid()}\) is writing to it\. Wait"
    )

    def second(segment, state):
        if optimizer.steps == 1:
            with pytest.raises(ModelFileError, match=told):
                run(own_rng, path)
        return losing(network)(segment, state)

    network = RNN(2, 2, rng=0)
    optimizer = SGD(network.parameters())
    fit(second, PIECES, optimizer, epochs=1, checkpoint=path)
    assert [p.name for p in tmp_path.iterdir()] == ["c.safetensors"]


def test_a_lock_is_let_go_by_a_process_that_is_killed(tmp_path):
    lock = tmp_path / "lock"
    script = (
        "import sys, time; from pathlib import Path; from rnn.locks import alone\n"
        "with alone(Path(sys.argv[1]), Path('x')): print(1, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(lock)], stdout=subprocess.PIPE
    )
    process.stdout.readline()
    told = rf"x: another run \(process {process.pid}\)"
    with pytest.raises(ModelFileError, match=told), alone(lock, Path("x")):
        pass
    process.kill()
    process.communicate()
    assert lock.exists()
    with alone(lock, Path("x")):
        assert lock.exists()
    assert not lock.exists()


def test_of_many_threads_one_at_a_time_has_the_lock(tmp_path):
    inside, most, got = [], [], []

    def work():
        for _ in range(30):
            try:
                with alone(tmp_path / "lock", Path("x")):
                    inside.append(1)
                    most.append(len(inside))
                    got.append(1)
                    inside.pop()
            except ModelFileError:
                continue

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1} and got and list(tmp_path.iterdir()) == []


def test_where_there_can_be_no_lock_training_goes_on(tmp_path):
    (tmp_path / "file").touch()
    with alone(tmp_path / "file" / "lock", Path("x")):
        done = True
    assert done


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_wait_for_the_end_of_a_write(number):
    done = []

    def interrupted(number):
        with shielded():
            signal.raise_signal(number)
            signal.raise_signal(signal.SIGINT)
            done.append(1)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(n, signal.default_int_handler) for n in numbers]
    try:
        with pytest.raises(KeyboardInterrupt):
            interrupted(number)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        for n, handler in zip(numbers, before, strict=True):
            signal.signal(n, handler)
    assert done == [1]


def forged(path, change):
    """A checkpoint with a right checksum, whose contents are not those of a run."""
    _, (arrays, metadata) = Checkpoint(path).read()
    change(arrays, metadata)
    checkpoint = Checkpoint(path)
    checkpoint.read()
    checkpoint.write(arrays, metadata)


FORGED = [
    lambda a, m: a.pop("parameter/weight_ih_l0"),
    lambda a, m: a.update({"parameter/weight_ih_l0": np.ones((7, 7))}),
    lambda a, m: a.update({"parameter/bias_ih_l0": a["parameter/bias_ih_l0"] > 0}),
    lambda a, m: a.pop("m/bias_ih_l0"),
    lambda a, m: a.pop("best/bias_ih_l0"),
    lambda a, m: a.update({"q/w": np.ones(1)}),
    lambda a, m: a.update({"w": np.ones(1)}),
    lambda a, m: m.pop("history"),
    lambda a, m: m.update(run=[]),
    lambda a, m: m["run"].pop("options"),
    lambda a, m: m["run"].update(options=None),
    lambda a, m: m["history"].update(loss=None),
    lambda a, m: m["history"].update(loss=["a"]),
    lambda a, m: m["history"].update(best=7),
    lambda a, m: m["history"].update(best="0"),
    lambda a, m: m["history"].update(colour=[]),
    lambda a, m: m.update(steps=1.5),
    lambda a, m: m.update(moves={"weight_ih_l0": 1}),
    lambda a, m: m.update(ends=[]),
    lambda a, m: m.update(lr=[1.0]),
    lambda a, m: m.update(options={}),
    lambda a, m: m.update(options=m["options"] | {"momentum": "x"}),
    lambda a, m: m.update(generators={}),
    lambda a, m: m["generators"].update({"LSTM._rng": None}),
    lambda a, m: m["generators"].update({"LSTM._rng": {"bit_generator": "PCG64"}}),
    lambda a, m: m["generators"].update({"random": [3, [1, 2], None]}),
]


@pytest.mark.parametrize("at", range(len(FORGED)))
def test_a_checkpoint_of_other_contents_leaves_the_one_before_to_serve(tmp_path, at):
    path, options = tmp_path / "c.safetensors", {"validate": lambda: 1.0}
    rule = partial(SGD, momentum=0.9)
    whole = run(own_rng, None, rule=rule, **options)
    with pytest.raises(Killed):
        run(own_rng, path, dies=10, rule=rule, **options)
    forged(path, FORGED[at])
    with pytest.warns(UserWarning, match="Going on from the one before it"):
        equal(run(own_rng, path, rule=rule, **options), whole)


@given(st.data())
def test_a_damaged_checkpoint_never_keeps_the_one_before_from_serving(
    tmp_path_factory, data
):
    path = tmp_path_factory.mktemp("run") / "c.safetensors"
    with pytest.raises(Killed):
        run(closure, path, dies=7)
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.booleans())
    flipped = bytes([whole[place] ^ 1 << data.draw(st.integers(0, 7))])
    path.write_bytes(whole[:place] + (b"" if cut else flipped + whole[place + 1 :]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = run(closure, path)
    equal(found, run(closure, None))
    assert all("Going on from the one before it" in str(w.message) for w in caught)


def test_a_checkpoint_is_a_file(tmp_path):
    with pytest.raises(IsADirectoryError, match="a folder, expected the path of a check"):
        run(own_rng, tmp_path)
    with pytest.raises(OSError, match=r"a device .*expected the path of a checkp.*null"):
        run(own_rng, "/dev/null")
    path = tmp_path / ("é" * 120 + ".safetensors")
    with pytest.raises(Killed):
        run(own_rng, path, dies=7)
    equal(run(own_rng, path), run(own_rng, None))
