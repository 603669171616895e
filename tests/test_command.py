"""The command line, end to end, in processes of its own."""

import csv
import json
import re
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser

import numpy as np
import pytest

from rnn.files import load
from rnn.language import Corpus
from rnn.text import Bigram, perplexity


def unrolled(*arguments, cwd=None, check=None):
    found = subprocess.run(
        [sys.executable, "-m", "rnn", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
    )
    if check is not None:
        assert found.returncode == check, found.stdout + found.stderr
    return found


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = set()

    def handle_starttag(self, tag, attrs):
        self.found |= {value for name, value in attrs if name in ("src", "href")}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return folder, unrolled("demo", cwd=folder, check=0)


def test_the_demo_meets_its_aim(demo):
    folder, found = demo
    scores = json.loads((folder / "unrolled-demo" / "scores.json").read_text("utf-8"))
    assert scores["scores"]["Elman network, seed 0"]["1921–1955"] <= 0.086
    assert scores["scores"]["next = this"]["1921–1955"] == pytest.approx(0.416, abs=1e-3)
    assert scores["largest_relative_difference"] <= 1e-12
    assert "Elman network: 1500/1500" in found.stderr
    rows = (r"Elman network, seed 0 .* 0.0[78]\d ", r"∂E/∂W_a .* \d\.\de-1[4-7] ", "δ_a")
    for row in rows:
        assert re.search(row, found.stdout), row


def test_the_demos_page_shows_files_that_are_there(demo):
    out = demo[0] / "unrolled-demo"
    links = Links()
    links.feed((out / "index.html").read_text("utf-8"))
    assert {"graph.svg", "forecast.png", "gradient_flow.png"} <= links.found
    assert all((out / link).stat().st_size for link in links.found)
    assert not re.search(r"\$\w", (out / "index.html").read_text("utf-8"))
    assert "t = 1979" in (out / "graph.svg").read_text("utf-8")


def test_the_demos_deltas_are_those_of_every_step(demo):
    with (demo[0] / "unrolled-demo" / "deltas.csv").open() as file:
        rows = list(csv.DictReader(file))
    for quantity in ("δ_a", "δ_y"):
        steps = [r["step"] for r in rows if r["quantity"] == quantity]
        assert steps == [str(year) for year in range(1701, 1921)]
    assert max(float(r["largest relative difference"]) for r in rows) <= 1e-12


def test_the_demos_weights_give_its_forecasts(demo):
    from rnn.forecast import Scale, forecast
    from rnn.series import sunspots

    out = demo[0] / "unrolled-demo"
    network, details = load(out / "model.safetensors")
    values = forecast(network, Scale(*details["scale"]), sunspots().values)
    with (out / "forecast.csv").open() as file:
        written = [row["Elman network"] for row in csv.DictReader(file)]
    assert [float(v) for v in written[1:]] == values.tolist()


def test_graph_flow_and_check_of_a_saved_model(demo):
    folder, _ = demo
    model = "unrolled-demo/model.safetensors"
    for out in ("one", "two"):
        unrolled("graph", model, "--steps", 3, "--out", out, cwd=folder, check=0)
    for name in ("graph.svg", "graph.png", "graph.dot"):
        assert (folder / "one" / name).read_bytes() == (
            folder / "two" / name
        ).read_bytes()
    found = unrolled("check", model, "--random", 7, "--seed", 3, cwd=folder, check=0)
    assert found.stdout.count("δ_a") == 7 and "they agree" in found.stdout
    found = unrolled("flow", model, cwd=folder, check=0)
    assert "vanishing" in found.stdout and "σ_max" in found.stdout


@pytest.fixture
def series(tmp_path):
    path = tmp_path / "waves.csv"
    t = np.arange(80)
    rows = [f"2024-{i},{i},{5 + np.sin(0.7 * i):.6f},{i * i}" for i in t]
    path.write_text("day,n,height,other\n" + "\n".join(rows) + "\n")
    return path


def test_train_on_a_series(series, tmp_path):
    arguments = ("train", "--series", series, "--column", "height", "--hidden", 4)
    unrolled(*arguments, "--out", tmp_path / "out", check=0)
    scores = json.loads((tmp_path / "out" / "scores.json").read_text("utf-8"))["scores"]
    (test_period,) = [p for p in scores["next = this"] if "fit" not in p]
    assert test_period == "2024-64–2024-79"
    elman = scores["Elman network, seed 0"][test_period]
    assert elman < 0.5 * scores["next = this"][test_period]
    model = tmp_path / "out" / "model.safetensors"
    assert load(model)[0].config["hidden_size"] == 4
    unrolled("check", model, "--series", series, "--out", tmp_path / "check", check=0)
    assert (tmp_path / "check" / "deltas.csv").exists()


def test_train_on_a_series_with_a_trend_predicts_its_changes(tmp_path):
    path = tmp_path / "series.csv"
    rows = "".join(f"{i},{i + np.sin(0.7 * i):.6f}\n" for i in range(60))
    path.write_text("day,v\n" + rows)
    script = (
        "import rnn.forecast as f; from dataclasses import replace\n"
        "import rnn.command.train as t; t.ELMAN = replace(f.ELMAN, updates=5)\n"
        "import rnn.command.study as s; s.WINDOW = replace(f.WINDOW, updates=5)\n"
        "from rnn.command import cli; cli(['train', '--series', 'series.csv'])\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path
    )
    assert found.returncode == 0, found.stderr
    told = " ".join(found.stdout.split())
    assert "series.csv: separator ',', header in line 1" in told
    assert "The values trained on have a trend" in told
    out = tmp_path / "unrolled-model"
    scores = json.loads((out / "scores.json").read_text("utf-8"))["scores"]
    assert scores["Elman network, seed 0"]["48–59"] < scores["next = this"]["48–59"]
    _, details = load(out / "model.safetensors")
    assert details["differenced"] and abs(details["scale"][0] - 1) < 0.1
    found = unrolled("check", out / "model.safetensors", check=0)
    assert "they agree" in found.stdout
    unrolled("check", out / "model.safetensors", "--series", path, check=0)


def test_headers_are_text_not_markup(tmp_path):
    path = tmp_path / "series.csv"
    rows = "".join(f"2024-{i},{5 + np.sin(0.7 * i):.6f}\n" for i in range(60))
    path.write_text("day,v [/m] $\\frac{$\n" + rows)
    script = (
        "import rnn.forecast as f; from dataclasses import replace\n"
        "import rnn.command.train as t; t.ELMAN = replace(f.ELMAN, updates=5)\n"
        "from rnn.command import cli; cli(['train', '--series', 'series.csv'])\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path
    )
    assert found.returncode == 0, found.stderr
    assert "v [/m] $\\frac{$, foretold" in found.stdout


def test_output_that_cannot_show_every_letter():
    found = subprocess.run(
        [sys.executable, "-m", "rnn", "--help"],
        capture_output=True,
        env={"PYTHONIOENCODING": "ascii", "PATH": ""},
    )
    assert found.returncode == 0


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    words = "o rei viu a rainha , e ela viu o mar azul da ilha .".split()  # noqa: SIM905
    rng = np.random.default_rng(0)
    path.write_text(" ".join(w for _ in range(60) for w in words[: rng.integers(5, 15)]))
    return path


def test_train_on_a_text_and_generate(text, tmp_path):
    out = tmp_path / "lm"
    arguments = ("train", "--text", text, "--out", out, "--epochs", 3, "--hidden", 16)
    found = unrolled(*arguments, check=0)
    perplexities = dict(re.findall(r"│ ([\w ,]+?) +│ +([\d.]+) │", found.stdout))
    assert list(perplexities) == [
        "unigram",
        "interpolated bigram",
        "Elman network, 16 hidden",
    ]
    model = out / "model.safetensors"
    texts = [
        unrolled(
            "generate", model, "--prompt", "O rei", "--words", 12, "--seed", s, check=0
        )
        for s in (1, 1, 2)
    ]
    assert texts[0].stdout == texts[1].stdout != texts[2].stdout
    assert texts[0].stdout.startswith("o rei ") and "<unk>" not in texts[0].stdout
    told = unrolled(
        "generate", model, "--prompt", "xilofone", "--out", tmp_path / "t.txt", check=0
    )
    assert "read as <unk>: xilofone" in told.stderr
    assert (tmp_path / "t.txt").read_text("utf-8").startswith("xilofone")
    found = unrolled("check", model, "--prompt", "o rei viu a rainha", check=0)
    assert "they agree" in found.stdout
    unrolled("graph", model, "--out", tmp_path / "g", check=0)
    assert (tmp_path / "g" / "graph.svg").exists()


def test_train_models_with_gates_and_look_at_them(text, tmp_path):
    """Every command takes them, words and characters alike."""

    def told(*arguments):
        return unrolled(*arguments, check=0).stdout

    for cell, unit in (("lstm", "characters"), ("gru", "words")):
        out, sizes = tmp_path / cell, ("--embedding", 4, "--hidden", 6, "--epochs", 2)
        arguments = ("--text", text, "--tokens", unit, "--cell", cell, "--out", out)
        found = unrolled("train", *arguments, *sizes, "--dropout", 0.1, check=0)
        assert f"{cell.upper()}, 6 hidden" in found.stdout
        assert re.search(rf"next-{unit[:-1]} model: .*[\d,]+ {unit}/s", found.stderr)
        model = out / "model.safetensors"
        config = load(model)[0].config
        assert [config[k] for k in ("cell", "embedding_size", "hidden_size", "dropout")] \
            == [cell, 4, 6, 0.1]  # fmt: skip
        ask = ("generate", model, "--prompt", "o rei")
        likely = told(*ask, "--words", 8, "--beam", 3)
        assert likely == told(*ask, "--words", 8, "--beam", 3)
        assert likely.startswith("o rei") and likely != told(*ask, "--words", 8)
        narrow = told(*ask, "--words", 8, "--top-k", 1, "--temperature", 5)
        assert narrow == told(*ask, "--words", 8, "--temperature", 0)
        if unit == "characters":
            assert len(likely) == len("o rei") + 8 + len("\n")
        assert "they agree" in told("check", model, "--prompt", "o rei viu a rainha")
        assert "∂s^t/∂s^(t−1)" in told("flow", model, "--out", tmp_path / "flow")
        told("graph", model, "--steps", 2, "--out", tmp_path / "graph")
        assert "x" in (tmp_path / "graph" / "graph.svg").read_text("utf-8")


def test_the_bigrams_weight_is_not_that_of_the_text_it_learned_from(tmp_path):
    words = "abcdefghijkl"
    drawn = [words[i] for i in np.random.default_rng(0).integers(0, 12, 900)]
    (tmp_path / "text.txt").write_text(" ".join(drawn))
    sizes = ("--epochs", 1, "--hidden", 2, "--out", tmp_path / "out")
    found = unrolled("train", "--text", tmp_path / "text.txt", *sizes, check=0)
    corpus = Corpus.of(drawn, 10_001, 2)
    by = {
        name: Bigram(corpus.learn, held_out, len(corpus.vocabulary)).log_p(corpus.test)
        for name, held_out in (("right", corpus.held_out), ("wrong", corpus.learn))
    }
    expected = {name: f"{perplexity(log_p):.1f}" for name, log_p in by.items()}
    told = re.search(r"interpolated bigram +│ +([\d.]+) │", found.stdout)[1]
    assert told == expected["right"] != expected["wrong"]


def test_a_model_of_several_layers_generates_but_is_not_drawn(text, tmp_path):
    arguments = ("--text", text, "--cell", "rnn", "--layers", 2, "--epochs", 1)
    unrolled("train", *arguments, "--out", tmp_path, check=0)
    model = tmp_path / "model.safetensors"
    unrolled("generate", model, "--words", 3, "--beam", 2, check=0)
    for command in ("graph", "flow", "check"):
        found = unrolled(command, model, check=2)
        assert "2 layers; graph, flow and check look at one" in found.stderr
    found = unrolled("generate", model, "--beam", 2, "--temperature", 1, check=2)
    assert "--temperature is for drawing at random" in found.stderr


def hear_interrupts():
    """What runs in the background inherits deaf ears for SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def started(out, *arguments):
    """A training in a process of its own, once it goes on.

    `fit` keeps a lock beside its checkpoint.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "rnn", *map(str, arguments), "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_interrupts,
    )
    lock, deadline = out / "checkpoint.lock.safetensors", time.monotonic() + 60
    while not lock.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return process


TRAINING = ("--hidden", 24, "--epochs", 40)


@pytest.fixture(scope="module")
def straight(text, tmp_path_factory):
    """The weights of a training that was not interrupted."""
    out = tmp_path_factory.mktemp("straight")
    unrolled("train", "--text", text, *TRAINING, "--out", out, check=0)
    return load(out / "model.safetensors")[0].state_dict()


@pytest.mark.parametrize(
    ("signals", "status"),
    [
        ([signal.SIGINT], 130),
        ([signal.SIGINT, signal.SIGINT, signal.SIGTERM], 130),
        ([signal.SIGTERM], 143),
    ],
)
def test_an_interrupted_training_goes_on(text, straight, tmp_path, signals, status):
    arguments = ("train", "--text", text, *TRAINING)
    process = started(tmp_path, *arguments)
    time.sleep(0.2)
    for number in signals:
        process.send_signal(number)
    told, _ = process.communicate(timeout=60)
    assert process.returncode == status and "goes on from" in " ".join(told.split())
    unrolled(*arguments, "--out", tmp_path, check=0)
    for name, value in load(tmp_path / "model.safetensors")[0].state_dict().items():
        np.testing.assert_array_equal(straight[name], value)
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def test_two_trainings_in_one_folder_are_refused(text, straight, tmp_path):
    arguments = ("train", "--text", text, *TRAINING)
    process = started(tmp_path, *arguments)
    process.send_signal(signal.SIGSTOP)
    found = unrolled(*arguments, "--out", tmp_path, check=2)
    told = f"{tmp_path}: another run (process {process.pid}) is writing to it. Wait"
    assert told in found.stderr
    process.kill()
    process.communicate(timeout=60)
    unrolled(*arguments, "--out", tmp_path, check=0)
    for name, value in load(tmp_path / "model.safetensors")[0].state_dict().items():
        np.testing.assert_array_equal(straight[name], value)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "ragged.csv").write_text("year,v\n1,2\n2\n")
    (tmp_path / "words.csv").write_text("name,v\nx,a\ny,b\n")
    (tmp_path / "good.csv").write_text(
        "year,v\n" + "".join(f"{i},{i % 7}\n" for i in range(60))
    )
    (tmp_path / "short.csv").write_text("year,v\n1,2\n2,3\n")
    (tmp_path / "flat.csv").write_text(
        "year,v\n" + "".join(f"{i},3\n" for i in range(60))
    )
    for name, size in (("huge", "e200"), ("tiny", "e-200")):
        rows = "".join(f"{i},{i % 7}{size}\n" for i in range(60))
        (tmp_path / f"{name}.csv").write_text("year,v\n" + rows)
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "word.txt").write_text("palavra")
    (tmp_path / "latin1.txt").write_bytes("São João".encode("latin1"))
    (tmp_path / "model.safetensors").write_bytes(b"nonsense")
    (tmp_path / "file").write_text("")
    return tmp_path


MISTAKES = [
    ("train", "give either --series FILE.csv or --text FILE"),
    ("train --series good.csv --text word.txt", "give either"),
    ("train --series missing.csv", "'missing.csv' does not exist"),
    ("train --series empty.csv", "empty.csv: empty; expected a CSV file"),
    ("train --series ragged.csv", "ragged.csv: line 3 has 1 fields, line 1 has 2"),
    ("train --series words.csv", "numeric ones: none"),
    ("train --series words.csv --column v", "line 2: column 'v' has 'a'"),
    ("train --series good.csv --column w", "no column 'w'; it has year, v"),
    ("train --series short.csv", "2 values, expected at least 30"),
    ("train --series flat.csv", "column 'v' is constant"),
    ("train --series good.csv --out file/below", "--out: file/below cannot be written"),
    ("train --series good.csv --out file", "--out: file cannot be written to"),
    ("demo --out /proc/nowhere", "cannot be written to"),
    ("demo --seeds 0", "Invalid value for '--seeds'"),
    ("train --text empty.txt", "a text of 0 words is too short"),
    ("train --text word.txt", "word.txt: a text of 1 words is too short to learn from"),
    ("train --text latin1.txt", "not UTF-8 text"),
    ("train --text word.txt --column v", "--column goes with --series"),
    ("train --series good.csv --epochs 3", "--epochs goes with --text"),
    ("generate model.safetensors", "not a safetensors file, or damaged"),
    ("check model.safetensors", "not a safetensors file, or damaged"),
    ("graph missing", "'missing' does not exist"),
    ("graph model.safetensors --steps 0", "Invalid value for '--steps'"),
    ("nonsense", "No such command 'nonsense'"),
    ("demo --seed -1", "Invalid value for '--seed'"),
    ("generate model.safetensors --temperature -1", "'--temperature'"),
    ("train --series good.csv --min-count 2", "--min-count goes with --text"),
    ("train --text word.txt --holdout 0.3", "--holdout goes with --series"),
    ("train --series huge.csv", "squares are too large or too small"),
    ("train --series tiny.csv", "squares are too large or too small"),
    ("graph model.safetensors --prompt a --random 3", "give one of --series, --prompt"),
    ("check model.safetensors --column v", "--column goes with --series"),
    ("train --series good.csv --cell lstm", "--cell goes with --text"),
    ("train --series good.csv --layers 2", "--layers goes with --text"),
    ("train --text word.txt --embedding 3", "--embedding goes with --cell rnn, gru or"),
    ("train --text word.txt --cell elm", "Invalid value for '--cell'"),
    ("train --text word.txt --cell gru --dropout 1", "Invalid value for '--dropout'"),
    ("train --text word.txt --tokens characters", "7 characters is too short"),
    ("generate model.safetensors --beam 0", "Invalid value for '--beam'"),
]


@pytest.mark.parametrize(("line", "message"), MISTAKES)
def test_mistakes_are_named_with_exit_status_2(files, line, message):
    found = unrolled(*line.split(), cwd=files)
    told = re.sub(r"\s+", " ", found.stderr.replace("│", " "))
    assert found.returncode == 2, found
    assert message in told and "Traceback" not in told


def test_a_model_of_another_kind_is_named(demo):
    folder, _ = demo
    model = "unrolled-demo/model.safetensors"
    found = unrolled("generate", model, cwd=folder, check=2)
    assert "not a next-word model" in found.stderr
    found = unrolled("check", model, "--prompt", "o rei", cwd=folder, check=2)
    assert "--prompt goes with a next-word model" in found.stderr


@pytest.mark.parametrize(
    "command", ["", "demo", "train", "generate", "graph", "flow", "check"]
)
def test_help(command):
    found = unrolled(*command.split(), "--help", check=0)
    assert "Usage: unrolled" in found.stdout
    if command:
        assert "--seed" in found.stdout and "--out" in found.stdout
