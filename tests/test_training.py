"""Training, its optimisers, and runs that are interrupted."""

import io
import re
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import viz
from autograd import Tensor
from rnn import training
from rnn.files import ModelFileError
from rnn.optim import SGD, Adam, AdamW, clip_grad_norm, cosine
from rnn.training import History, fit

TARGETS = [np.array([1.0, -2.0]), np.array([0.5, 3.0])]


def parameter():
    return {"w": Tensor(np.array([4.0, -1.0]), requires_grad=True)}


def objective(parameters):
    def E(target, state):
        state = 0 if state is None else state
        return np.sum(np.square(parameters["w"] - target)) + 0.1 * state, state + 1

    return E


def test_fit_sweeps_steps_and_passes_the_state_on():
    p = parameter()
    history = fit(objective(p), TARGETS, SGD(p, 0.1), epochs=5)
    w, losses = np.array([4.0, -1.0]), []
    for _ in range(5):
        epoch = []
        for state, target in enumerate(TARGETS):
            epoch.append(np.sum((w - target) ** 2) + 0.1 * state)
            w = w - 0.1 * 2 * (w - target)
        losses.append(np.mean(epoch))
    np.testing.assert_allclose(p["w"].data, w, rtol=1e-13)
    np.testing.assert_allclose(history.loss, losses, rtol=1e-13)


def test_fit_clips_and_follows_the_schedule():
    p = parameter()
    rates = [0.5, 0.2, 0.1, 0.05]
    options = {"schedule": lambda step: rates[step], "max_norm": 1.5}
    fit(objective(p), TARGETS, SGD(p, 99.0), epochs=2, **options)
    w = np.array([4.0, -1.0])
    for rate, target in zip(rates, TARGETS * 2, strict=True):
        g = 2 * (w - target)
        w = w - rate * g * min(1, 1.5 / np.linalg.norm(g))
    np.testing.assert_allclose(p["w"].data, w, rtol=1e-13)


def test_a_parameter_without_gradient_stays():
    p = parameter() | {"idle": Tensor(np.ones(2), requires_grad=True)}
    optimizer = Adam(p, 0.1)
    np.sum(p["w"]).backward()
    optimizer.step()
    np.testing.assert_array_equal(p["idle"].data, [1, 1])


def test_the_best_parameters_are_put_back():
    p, seen = parameter(), []

    def validate():
        seen.append(p["w"].data.copy())
        return [3.0, 1.0, 2.0, 2.0, 2.0][len(seen) - 1]

    history = fit(
        objective(p), TARGETS, SGD(p, 0.1), epochs=9, validate=validate, patience=3
    )
    assert history.best == 1 and len(history.score) == 5
    np.testing.assert_array_equal(p["w"].data, seen[1])


def test_momentum_is_its_recursion():
    p = parameter()
    optimizer = SGD(p, 0.1, momentum=0.9)
    w, m = p["w"].data.copy(), np.zeros(2)
    for _ in range(3):
        optimizer.zero_grad()
        np.sum(np.square(p["w"])).backward()
        optimizer.step()
        m = 0.9 * m + 2 * w
        w = w - 0.1 * m
    np.testing.assert_allclose(p["w"].data, w, rtol=1e-14)


@pytest.mark.parametrize(("rule", "decay"), [(Adam, 0.0), (AdamW, 0.3)])
def test_adam_is_its_recursion(rule, decay):
    p = {"w": Tensor(np.array([[4.0, -1.0]]), requires_grad=True)}
    optimizer = rule(p, 0.05, **({"weight_decay": decay} if decay else {}))
    w, m, v = p["w"].data.copy(), 0.0, 0.0
    for t in range(1, 5):
        optimizer.zero_grad()
        np.sum(np.square(p["w"])).backward()
        optimizer.step()
        g = 2 * w
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - 0.05 * (
            m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8) + decay * w
        )
    np.testing.assert_allclose(p["w"].data, w, rtol=1e-12)


def test_decay_spares_biases():
    p = {"b": Tensor(np.ones(2), requires_grad=True)}
    optimizer = AdamW(p, 0.1, weight_decay=5.0)
    np.sum(p["b"] * 0).backward()
    optimizer.step()
    np.testing.assert_array_equal(p["b"].data, [1, 1])


@given(st.floats(0.1, 10))
def test_clipping_scales_all_gradients_alike(limit):
    p = {k: Tensor(np.ones(2), requires_grad=True) for k in "ab"}
    (3 * np.sum(p["a"]) + 4 * np.sum(p["b"])).backward()
    norm = clip_grad_norm(p, limit)
    assert norm == pytest.approx(np.sqrt(50))
    factor = min(1, limit / np.sqrt(50))
    np.testing.assert_allclose(p["a"].grad, [3 * factor] * 2, rtol=1e-12)
    np.testing.assert_allclose(p["b"].grad, [4 * factor] * 2, rtol=1e-12)


def test_cosine():
    assert cosine(2.0, 10, 0) == 2 and cosine(2.0, 10, 5) == pytest.approx(1)
    assert cosine(2.0, 10, 10) == 0 and cosine(2.0, 10, 99) == 0


def test_fit_clips_elements():
    p = parameter()
    fit(objective(p), TARGETS, SGD(p, 0.1), epochs=2, max_value=1.5)
    w = np.array([4.0, -1.0])
    for target in TARGETS * 2:
        w = w - 0.1 * np.clip(2 * (w - target), -1.5, 1.5)
    np.testing.assert_allclose(p["w"].data, w, rtol=1e-13)


def test_the_history_is_what_there_was_and_plots():
    p = parameter()
    rates = [0.5, 0.2, 0.1, 0.05]
    history = fit(
        objective(p), TARGETS, SGD(p, 1.0), epochs=2, schedule=lambda step: rates[step],
        max_norm=1e3, validate=lambda: -1.0,
    )  # fmt: skip
    norms, w = [], np.array([4.0, -1.0])
    for rate, target in zip(rates, TARGETS * 2, strict=True):
        norms.append(np.linalg.norm(2 * (w - target)))
        w = w - rate * 2 * (w - target)
    assert history.rate == [0.2, 0.05]
    assert history.norm == pytest.approx([np.mean(norms[:2]), np.mean(norms[2:])])
    curves = history.curves()
    assert list(curves) == ["loss", "score", "learning rate", "gradient norm"]
    (axes,) = viz.curves(curves).axes
    assert [line.get_label() for line in axes.lines] == list(curves)
    assert axes.get_yscale() == "linear"  # the score is below 0
    del curves["score"]
    assert viz.curves(curves).axes[0].get_yscale() == "log"
    assert list(History([1.0]).curves()) == ["loss"]


def test_progress_tells_loss_rate_and_time_left(capsys, monkeypatch):
    monkeypatch.setattr("rnn.progress.LOG_SECONDS", 0.0)
    p = parameter()
    fit(objective(p), TARGETS, SGD(p, 0.25), epochs=3, show="wave [/x]")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6
    shape = r"wave \[/x\]: 6/6, [\d.e+]+/s, 0 s left, loss [\d.]+, learning rate 0.25"
    assert re.fullmatch(shape, lines[-1])


def test_the_progress_of_a_resumed_run_counts_only_what_it_did(monkeypatch):
    lines = []
    console = SimpleNamespace(print=lambda line, **_: lines.append(line))
    monkeypatch.setattr("rnn.progress.time.monotonic", lambda: next(clock))
    monkeypatch.setattr("rnn.progress.LOG_SECONDS", 0.0)
    from rnn.progress import _log

    for each, speed in ((None, "5/s"), (("words", 700.0), "3,500 words/s")):
        clock, lines[:] = iter([0.0, 2.0]), []
        advance = next(_log(console, "run", 100, 60, each))
        advance(70, "loss 1")
        assert lines == [f"run: 70/100, {speed}, 6 s left, loss 1"]


def test_a_bar_in_a_terminal_shows_the_same(monkeypatch):
    from rich.console import Console

    from rnn.progress import _bar

    console = Console(force_terminal=True, width=100, file=io.StringIO(), _environ={})
    bar = _bar(console, "run", 100, 60)
    advance = next(bar)
    for done in (61, 62, 100):
        advance(done, "loss 0.5, learning rate 0.1")
    next(bar, None)
    shown = console.file.getvalue()
    assert "100%" in shown and "loss 0.5, learning rate 0.1" in shown


def calls(p, **options):
    """`fit` with one thing that is wrong."""
    given = {"objective": objective(p), "segments": TARGETS, "epochs": 1} | options
    return fit(given.pop("objective"), given.pop("segments"), SGD(p, 0.1), **given)


MISTAKES = [
    ({"epochs": 0}, ValueError, "epochs=0, expected at least 1"),
    ({"segments": []}, ValueError, "there are no segments"),
    ({"segments": iter(TARGETS)}, TypeError, "are a list_iterator, expected a list"),
    ({"patience": 2}, ValueError, "patience=2, expected at least 1 epoch, with a valid"),
    ({"schedule": lambda step: -1}, ValueError, "the schedule gives -1 for step 0"),
    ({"schedule": lambda step: np.nan}, ValueError, "the schedule gives nan"),
    ({"max_norm": -1}, ValueError, "clip_grad_norm: max_norm=-1"),
    ({"max_value": 0}, ValueError, "clip_grad_value: max_value=0"),
    ({"validate": lambda: np.inf}, FloatingPointError, "returned inf after epoch 1"),
    ({"objective": lambda s, a: 1.0}, TypeError, "returned a float, expected the two"),
    ({"objective": lambda s, a: (1.0, a)}, TypeError,
     r"E is a float of shape \(\), expected a Tensor of one element"),
    ({"objective": lambda s, a: (Tensor(1.0), a)}, TypeError, "computed from the param"),
    ({"objective": lambda s, a: (Tensor(s, requires_grad=True), a)}, TypeError,
     r"E is a Tensor of shape \(2,\)"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "error", "match"), MISTAKES)
def test_mistakes(options, error, match):
    with pytest.raises(error, match=match):
        calls(parameter(), **options)


def test_errors(tmp_path):
    p = parameter()
    with pytest.raises(FloatingPointError, match="loss is nan at step 1; lower"):
        fit(lambda s, a: (np.sum(p["w"]) * np.nan, None), TARGETS, SGD(p, 0.1), epochs=1)
    np.sum(p["w"][:1] * np.inf).backward()
    with pytest.raises(FloatingPointError, match="gradient of w is not finite"):
        clip_grad_norm(p, 1.0)
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(b"nonsense")
    with pytest.raises(ModelFileError, match="not a safetensors file"):
        fit(objective(p), TARGETS, SGD(p, 0.1), epochs=1, checkpoint=path)


def ever_better(p):
    """A score that falls from epoch to epoch, so that the last one is put back."""
    return lambda: float(p["w"].data[0])


def straight(epochs=12):
    p = parameter()
    fit(objective(p), TARGETS, Adam(p, 0.05), epochs=epochs, validate=ever_better(p))
    return p["w"].data


@pytest.mark.parametrize("stop_at", range(1, 25, 4))
def test_an_interrupted_run_ends_bit_for_bit_like_a_straight_one(tmp_path, stop_at):
    path = tmp_path / "checkpoint.safetensors"
    run = {"seed": 0}

    def attempt(limit):
        p, count = parameter(), iter(range(10**6))

        def interrupted(segment, state):
            if next(count) == limit:
                raise KeyboardInterrupt
            return objective(p)(segment, state)

        options = {"epochs": 12, "checkpoint": path, "run": run}
        fit(interrupted, TARGETS, Adam(p, 0.05), validate=ever_better(p), **options)
        return p["w"].data

    with pytest.raises(KeyboardInterrupt):
        attempt(stop_at)
    np.testing.assert_array_equal(attempt(10**6), straight())


def test_an_interruption_while_validating_loses_nothing(tmp_path):
    path = tmp_path / "checkpoint.safetensors"

    def attempt(limit):
        p, count = parameter(), iter(range(10**6))

        def validate():
            if next(count) == limit:
                raise KeyboardInterrupt
            return ever_better(p)()

        options = {"epochs": 12, "checkpoint": path, "validate": validate}
        fit(objective(p), TARGETS, Adam(p, 0.05), **options)
        return p["w"].data

    with pytest.raises(KeyboardInterrupt):
        attempt(5)
    np.testing.assert_array_equal(attempt(10**6), straight())


def test_scores_and_patience_are_checked():
    p = parameter()
    with pytest.raises(FloatingPointError, match="validate returned nan after epoch 1"):
        fit(objective(p), TARGETS, SGD(p, 0.1), epochs=2, validate=lambda: np.nan)
    for options in ({"patience": 2}, {"patience": 0, "validate": lambda: 1.0}):
        with pytest.raises(ValueError, match="expected at least 1 epoch"):
            fit(objective(p), TARGETS, SGD(p, 0.1), epochs=2, **options)


def test_a_float_is_clipped_too():
    p = {"w": Tensor(50.0, requires_grad=True)}
    (p["w"] * p["w"]).backward()
    assert clip_grad_norm(p, 1.0) == 100 and p["w"].grad == pytest.approx(1.0)
    big = {"w": Tensor(np.ones(2, np.float32), requires_grad=True)}
    np.sum(big["w"] * np.float32(1e20)).backward()
    assert clip_grad_norm(big, 1.0) == pytest.approx(1e20 * np.sqrt(2), rel=1e-6)


def test_a_checkpoint_of_another_run_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    path = tmp_path / "checkpoint.safetensors"
    p = parameter()
    options = {"epochs": 1, "checkpoint": path}
    fit(objective(p), TARGETS, SGD(p, 0.1), run={"seed": 0}, **options)
    with pytest.raises(
        ModelFileError, match=r"of another run, which differs in seed. Delete"
    ):
        fit(objective(p), TARGETS, SGD(p, 0.1), run={"seed": 1}, **options)


def test_what_a_run_depends_on_may_be_a_tuple(tmp_path, monkeypatch):
    """JSON gives a list back, which is no other run."""
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    options = {"run": {"window": (3, 4)}, "checkpoint": tmp_path / "c.safetensors"}
    p = parameter()
    first = fit(objective(p), TARGETS, SGD(p, 0.1), epochs=1, **options)
    q = parameter()
    assert fit(objective(q), TARGETS, SGD(q, 0.1), epochs=1, **options) == first
    np.testing.assert_array_equal(q["w"].data, p["w"].data)
