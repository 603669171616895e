"""Pictures: equal graphs give equal text; what is drawn is what was recorded."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from networks import cases

import viz
from autograd import Tensor, graph, named, scope
from rnn import GRU, LSTM, ElmanNetwork, Hopfield, credit, gradient_flow, losses
from rnn.training import History
from viz.layout import frames, place
from viz.scene import AFTER, BEFORE, scene
from viz.words import number, title

GOLDEN = Path(__file__).parent / "golden"


def two_steps():
    w = Tensor(np.array([[0.5]]), requires_grad=True, name="w")
    a = Tensor(np.array([[1.0]]), name="a0")
    for t in ("1900", "1901 <é>"):
        with scope(f"t={t}"):
            a = named("a", np.tanh(named("v_a", np.inner(a, w))))
    return np.sum(a)


def test_golden_dot():
    """A small picture's whole text; to renew it, write viz.graph(two_steps()).source."""
    assert viz.graph(two_steps()).source == (GOLDEN / "two_steps.dot").read_text("utf-8")


def elman(steps=3):
    network = ElmanNetwork(1, 4, 1, rng=0)
    x = np.random.default_rng(0).normal(size=(steps, 1, 1))
    return losses.squared_error(network(x), x)


def test_equal_graphs_give_equal_pictures():
    for ending in ("svg", "png", "dot"):
        pictures = [viz.draw(elman()).render(ending) for _ in range(2)]
        assert pictures[0] == pictures[1]


@given(cases())
def test_every_operation_and_every_use_of_a_leaf_is_drawn_once(case):
    network, x, d, a0, loss, _ = case
    recorded = graph(loss(network(x, a0), d))
    shown = scene(recorded)
    operations = [n for n in recorded if n.op != "leaf"]
    uses = sum(recorded.nodes[p].op == "leaf" for n in operations for p in n.parents)
    assert len(shown.boxes) == len(operations) + uses
    assert len(shown.lines) == sum(len(n.parents) for n in operations)
    columns = list(shown.columns)
    assert columns == [*(f"t={t + 1}" for t in range(len(x))), AFTER]


@given(cases())
def test_no_box_covers_another_and_time_runs_rightwards(case):
    network, x, d, a0, loss, _ = case
    shown = scene(graph(loss(network(x, a0), d)))
    place(shown)
    boxes = list(shown.boxes.values())
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            apart = abs(a.x - b.x) - (a.width + b.width) / 2
            above = abs(a.y - b.y) - (a.height + b.height) / 2
            assert max(apart, above) > 0
    edges = [(left, right) for _, left, _, right, _ in frames(shown)]
    assert all(a[1] < b[0] for a, b in pairwise(edges))
    for line in shown.lines:
        tail, head = shown.boxes[line.tail], shown.boxes[line.head]
        assert tail.column != head.column or tail.y < head.y


def test_a_box_stands_above_all_that_it_comes_from():
    x = Tensor(np.ones(2), requires_grad=True, name="x")
    shown = scene(graph(np.sum(np.exp(np.tanh(x)) + np.sin(x))))
    place(shown)
    assert len(shown.boxes) == 7
    for line in shown.lines:
        assert shown.boxes[line.tail].y < shown.boxes[line.head].y


@pytest.mark.parametrize("kind", [None, GRU, LSTM])
def test_what_takes_the_state_stands_leftmost(kind):
    x = np.random.default_rng(0).normal(size=(3, 1, 2))
    shown = scene(graph(np.sum(kind(2, 3, rng=0)(x)[0]) if kind else elman()))
    place(shown)
    for line in shown.lines:
        tail, head = shown.boxes[line.tail], shown.boxes[line.head]
        if AFTER not in (tail.column, head.column) and tail.column != head.column:
            row = [b for b in shown.columns[head.column] if b.rank == head.rank]
            assert head.x == min(b.x for b in row if b.kind != "parameter")


@pytest.mark.parametrize(
    "make",
    [
        lambda w: w,
        lambda w: np.ones((4, 3)) @ (w * np.ones((3, 2))),
        lambda w: np.inner(np.ones((2, 3)), np.ones((1, 3)) * w),
        lambda w: np.log(w * 0),
        lambda w: -w.T + w[None][0] * 2.5,
    ],
    ids=["leaf", "constant matrix", "inner", "infinite", "unnamed"],
)
def test_graphs_of_ones_own_can_be_drawn(make):
    w = Tensor(np.array(2.0), requires_grad=True, name="w\0")
    with np.errstate(divide="ignore", invalid="ignore"):
        root = make(w)
        snapshot = graph(root, np.ones(root.shape))
        assert viz.draw(snapshot).render("svg").startswith(b"<?xml")


def test_titles_read_as_formulas():
    w = Tensor(np.ones((2, 3)), requires_grad=True, name="w")
    x = Tensor(np.ones((1, 3)), name="x")
    root = np.sum(np.tanh(np.inner(x, w)) * 0.5 - np.ones((1, 2)))
    recorded = graph(root)
    titles = [title(n, recorded) for n in recorded if n.op != "leaf"]
    assert titles == [("", x) for x in ("w x", "tanh(·)", "· × 0.5", "· − const", "Σ ·")]


@pytest.mark.parametrize(
    ("index", "text"),
    [
        (3, "3"),
        ((..., slice(0, 4)), "…, 0:4"),
        ((slice(None, None, 2), None, -1), "::2, None, -1"),
        (slice(2, None), "2:"),
        (np.array([0, 2, 2]), "array (3,)"),
        ((slice(None), np.arange(3)[:, None]), ":, array (3, 1)"),
        ((np.arange(3), np.arange(3)), "const"),
    ],
)
def test_an_index_reads_as_it_is_written(index, text):
    v = Tensor(np.ones((9, 9)), requires_grad=True, name="v")
    recorded = graph(v[index], np.ones(v.data[index].shape))
    assert title(recorded.root, recorded) == ("", f"v[{text}]")


def test_what_comes_before_the_steps_stands_before_them():
    w = Tensor(np.ones(2), requires_grad=True, name="w")
    h = w * 2
    with scope("t=1"):
        h = np.tanh(h)
    shown = scene(graph(np.sum(h)))
    place(shown)
    columns = list(shown.columns)
    assert columns == [BEFORE, "t=1", AFTER]
    middles = [[b.x for b in shown.columns[c]] for c in columns]
    assert max(middles[0]) < min(middles[1]) and max(middles[1]) < min(middles[2])


def test_only_tensors_have_a_graph():
    with pytest.raises(TypeError, match="expected a Tensor, got float"):
        viz.draw(3.0)


def test_the_gradients_drawn_are_those_of_the_sweep():
    network = ElmanNetwork(1, 1, 1, rng=0)
    x = np.array([0.3, -0.8]).reshape(2, 1, 1)
    instants = network.unroll(x)
    E = losses.squared_error(instants[1].y, x[1])
    source = viz.graph(E).source
    instants[0].v_a.retain_grad()
    E.backward()
    delta = number(float(instants[0].v_a.grad[0, 0]))
    assert f">δ_a {delta}<" in source
    assert source.count("<B>W_a</B>") == 2


def test_values_may_be_left_out():
    source = viz.graph(two_steps(), values=False).source
    labels = "".join(re.findall(r"label=<.*?>>", source))
    assert "tanh" in labels and "∂" not in labels and "0.5" not in labels


def test_svg_is_well_formed_and_shows_the_text(tmp_path):
    drawing = viz.draw(two_steps(), tmp_path / "graph.svg")
    text = (tmp_path / "graph.svg").read_text("utf-8")
    assert drawing._repr_svg_() == text
    words = "".join(ET.fromstring(text).itertext())
    assert "1901 <é>" in words and "δ_a" in words and "red frame" in words


def test_png_and_pdf(tmp_path):
    drawing = viz.draw(two_steps())
    assert drawing.save(tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert drawing.save(tmp_path / "a.PDF").read_bytes().startswith(b"%PDF")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.PDF", "a.png"]


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no format 'gif'; expected one of dot, svg"):
        viz.draw(two_steps(), tmp_path / "a.gif")
    assert not list(tmp_path.iterdir())


def test_without_graphviz_the_message_names_the_extra():
    """In a process of its own, without pygraphviz and without dot on the path."""
    script = (
        "import sys; sys.modules['pygraphviz'] = None\n"
        "import numpy as np, viz; from autograd import Tensor\n"
        "y = np.exp(Tensor(1.0, requires_grad=True))\n"
        "print(len(viz.draw(y).render('dot')) > 100)\n"
        "viz.draw(y).render('png')\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env={"PATH": ""}
    )
    assert found.stdout == "True\n"
    assert "pip install 'unrolled[graphviz]'" in found.stderr


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (-0.5, "−0.5"),
        (1234.5, "1.23e3"),
        (1e-9, "1e−9"),
        (np.nan, "nan"),
    ],
)
def test_numbers(x, text):
    assert number(x) == text


def test_plots_draw_what_they_are_given():
    values = np.arange(10.0)
    figure = viz.forecast(
        values, {"guess": values[3:] + 1}, labels=[str(1900 + i) for i in range(10)],
        periods={"late": (5, 10)}, title="t", unit="u",
    )  # fmt: skip
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    np.testing.assert_array_equal(lines["guess"].get_xdata(), np.arange(1903, 1910))
    np.testing.assert_array_equal(lines["guess"].get_ydata(), values[3:] + 1)
    flow = viz.gradient_flow(
        np.array([1, 0.1, 0.01]), 0.5, factor=0.1, verdict="vanishing"
    )
    bound = flow.axes[0].lines[1]
    np.testing.assert_allclose(bound.get_ydata(), [1, 0.5, 0.25])
    curve = viz.curves({"loss": [3.0, 2.0]}, title="t", xlabel="epoch").axes[0].lines[0]
    np.testing.assert_array_equal(curve.get_xdata(), [1, 2])


def test_the_credit_matrix_is_drawn_where_it_is_not_zero():
    norms = np.tril(np.full((4, 4), 0.5))
    axes = viz.credit(norms, parameter="W_a", steps=[f"t={k}" for k in range(1, 5)]).axes
    (image,) = axes[0].images
    assert np.array_equal(~image.get_array().mask, norms > 0)
    assert [t.get_text() for t in axes[0].get_xticklabels()] == ["1", "2", "3", "4"]
    assert "W_a" in axes[0].get_title() and "W_{a}" in axes[1].get_ylabel()
    viz.credit(np.zeros((2, 2)))


def test_plots_take_what_the_networks_give():
    """The object itself in place of its arrays, and lists in place of arrays."""
    network = ElmanNetwork(1, 2, 1, rng=0)
    x = np.random.default_rng(0).normal(size=(5, 1, 1))
    errors = lambda t, i: losses.squared_error(i.y, x[t])  # noqa: E731
    found = credit([errors(t, i) for t, i in enumerate(network.unroll(x))], network.W_a)
    (whole,), (alone,) = (
        viz.credit(what, steps=steps).axes[0].images
        for what, steps in ((found, ()), (found.norms.tolist(), found.steps))
    )
    assert whole.get_array().tolist() == alone.get_array().tolist()
    flow = gradient_flow(network, x, lambda t, i: errors(t - 1, i))
    axes = viz.gradient_flow(flow).axes[0]
    assert flow.verdict in axes.get_title() and len(axes.lines) == 2
    assert len(viz.gradient_flow(flow.by_distance.tolist()).axes[0].lines) == 1
    (line,) = viz.curves(History(loss=[2.0, 1.0])).axes[0].lines
    assert line.get_ydata().tolist() == [2, 1]
    machine = Hopfield(4)
    machine.store(np.array([[1, -1, 1, -1]]))
    path = machine.recall(np.array([1, 1, 1, -1]), rng=0)
    below = viz.recall(path, shape=(2, 2), title="t").axes[-1]
    assert np.array_equal(below.lines[0].get_ydata(), path.energies)
