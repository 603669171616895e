"""Where the picture puts things: read from the DOT text, since that is what is drawn."""

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import viz
from autograd import Tensor, graph, named, scope, sigmoid
from rnn import (
    GRU,
    LSTM,
    RNN,
    ElmanNetwork,
    Embedding,
    GRUCell,
    Linear,
    LSTMCell,
    RNNCell,
    encoder_decoder,
    losses,
    many_to_one,
    one_to_many,
)  # fmt: skip
from rnn.bptt import cut
from viz.scene import AFTER, scene

NODE = re.compile(r'^\s*(n\d+(?:_\d+)?|fold) \[.*?height=(\S+) .*?pos="([^"]+)"'
                  r".*?width=([\d.]+)", re.M)  # fmt: skip
EDGE = re.compile(r'^\s*(\w+) -> (\w+) \[.*?pos="e,(\S+) ([^"]+)"', re.M)
FRAME = re.compile(r'bb="([^"]+)"')
FINE = np.linspace(0, 1, 33)


def numbers(text):
    return [float(x) for x in text.replace(",", " ").split()]


def points_of(text):
    return np.reshape(numbers(text), (-1, 2)).tolist()


def boxes_of(source):
    """Name → (left, bottom, right, top), in points."""
    found = {}
    for name, height, pos, width in NODE.findall(source):
        (x, y), w, h = numbers(pos), 36 * float(width), 36 * float(height)
        found[name] = np.array([x - w, y - h, x + w, y + h])
    return found


def ways_of(source):
    """(tail, head, points along the drawn line (N, 2)) of every edge."""
    b = [(1 - FINE) ** 3, 3 * FINE * (1 - FINE) ** 2, 3 * FINE**2 * (1 - FINE), FINE**3]
    for tail, head, tip, pos in EDGE.findall(source):
        controls = np.array(points_of(pos))
        pieces = [
            np.stack(b, -1) @ controls[i : i + 4] for i in range(0, len(controls) - 1, 3)
        ]
        yield tail, head, np.concatenate([*pieces, [numbers(tip)]])


def crossed(box, way):
    """Whether a line of short straight pieces meets the inside of a box."""
    low, high = box[:2] + 0.15, box[2:] - 0.15
    start, step = way[:-1], np.diff(way, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = (low - start) / step, (high - start) / step
    inside = (low < start) & (start < high)
    enter = np.where(step == 0, np.where(inside, -np.inf, np.inf), np.minimum(a, b))
    leave = np.where(step == 0, np.where(inside, np.inf, -np.inf), np.maximum(a, b))
    return bool((np.maximum(enter.max(1), 0) < np.minimum(leave.min(1), 1)).any())


def faults(source):
    """Boxes that overlap, and lines through boxes that are none of their ends."""
    boxes, ways = boxes_of(source), list(ways_of(source))
    assert len(ways) == source.count(" -> ") and len(boxes) == len(
        re.findall(r"^\s*(?:n\d\w*|fold) \[", source, re.M)
    )
    names, sides = list(boxes), np.array(list(boxes.values()))
    found = []
    for i, box in enumerate(sides):
        over = (np.minimum(box[2:], sides[:, 2:]) - np.maximum(box[:2], sides[:, :2])) > 0
        found += [("boxes", names[i], names[j]) for j in np.flatnonzero(over.all(1))
                  if j > i]  # fmt: skip
    for tail, head, way in ways:
        for end, key in ((way[0], tail), (way[-1], head)):
            outside = np.maximum(boxes[key][:2] - end, end - boxes[key][2:]).max()
            found += [("end", tail, head)] * int(abs(outside) > 0.2)
        low, high = way.min(0), way.max(0)
        near = ((sides[:, 2:] > low) & (sides[:, :2] < high)).all(1)
        found += [("line", tail, head, names[j]) for j in np.flatnonzero(near)
                  if names[j] not in (tail, head) and crossed(sides[j], way)]  # fmt: skip
    return found


def loss_of(y):
    return np.sum(np.square(y))


def data(T, D=2):
    return np.random.default_rng(T).normal(size=(T, 1, D))


@st.composite
def networks(draw):
    """The loss of a recurrent network of any kind, size and length."""
    kind, T = draw(st.sampled_from([RNN, GRU, LSTM])), draw(st.integers(1, 5))
    network = kind(
        2,
        draw(st.integers(1, 4)),
        draw(st.integers(1, 2)),
        bias=draw(st.booleans()),
        bidirectional=draw(st.booleans()),
        rng=0,
    )
    B = draw(st.integers(1, 2))
    x = np.random.default_rng(T).normal(size=(T, B, 2))
    options = {}
    if draw(st.booleans()):
        options["lengths"] = draw(st.lists(st.integers(1, T), min_size=B, max_size=B))
    elif draw(st.booleans()):
        options["segment"] = draw(st.integers(1, T))
    y, state = network(x, **options)
    last = state[0] if isinstance(state, tuple) else state
    return loss_of(y if draw(st.booleans()) else last)


@st.composite
def scribbles(draw):
    """Any graph at all: values used again anywhere, in scopes that come and go."""
    made = [Tensor(1.5, requires_grad=True, name="w"), Tensor(-0.5, name="x")]
    scopes = st.sampled_from(
        ["", "t=1", "t=2", "t=3", "t=1/a", "t=2/a", "t=2/b", "t=3/b"]
    )
    for place in draw(st.lists(scopes, min_size=1, max_size=30)):
        a, b = (made[draw(st.integers(0, len(made) - 1))] for _ in range(2))
        with scope(place):
            made.append(a * b if draw(st.booleans()) else np.tanh(a))
    return np.sum(np.stack(made[-draw(st.integers(1, len(made))) :]))


def lstm_of_words():
    layers = Embedding(7, 3, rng=0), LSTM(3, 4, rng=0), Linear(4, 7, rng=0)
    y = np.array([[1], [2], [5]])
    for layer in layers[:2]:
        y = layer(y)
    return losses.cross_entropy(layers[2](y[0]), np.array([[2], [5], [0]]))


def attention():
    cell, h, kept = GRUCell(2, 3, rng=0), np.zeros((1, 3)), []
    q = Tensor(np.ones(3), requires_grad=True, name="q")
    for t, x in enumerate(data(4), 1):
        with scope(f"t={t}"):
            h = cell(Tensor(x, name="x"), h)
            weights = [np.exp(np.sum(k * q)) for k in kept]
            for weight, k in zip(weights, kept, strict=True):
                h = named("h", h + weight / sum(weights) * k)
            kept.append(h)
    return np.sum(h)


def truncated():
    cell = LSTMCell(2, 4, rng=0)
    state, E = cell.zero_state((1,)), 0
    for t, x in enumerate(data(4), 1):
        with scope(f"t={t}"):
            state = cell(Tensor(x, name="x"), cut(state) if t == 3 else state)
            E = named("E", E + loss_of(state[0]))
    return E


def softmax():
    W = Tensor(np.ones((3, 2)), requires_grad=True, name="W")
    z = data(4, 3)[:, 0] @ W
    p = np.exp(z - np.max(z, axis=1, keepdims=True))
    return loss_of(np.log(p / np.sum(p, axis=1, keepdims=True))) + 0.1 * loss_of(W)


def generated():
    out = Linear(2, 2, rng=0)
    y, _ = one_to_many(GRUCell(2, 2, rng=0), data(1)[0], 3, readout=out, feedback=np.tanh)
    return loss_of(y)


def translated():
    cells = LSTMCell(2, 2, rng=0), LSTMCell(2, 2, rng=1)
    return loss_of(encoder_decoder(*cells, data(3), 2, readout=Linear(2, 2, rng=0))[0])


def judged():
    return loss_of(many_to_one(RNNCell(2, 3, rng=0), data(4), readout=sigmoid)[0])


def crosswise():
    """The low value goes to the high place, the high value to the low one."""
    with scope("t=1"):
        low = np.tanh(Tensor(1.0, requires_grad=True, name="w"))
        high = np.tanh(low)
    with scope("t=2"):
        return np.tanh(high) * low


CASES = [
    crosswise,
    lstm_of_words, attention, truncated, softmax, generated, translated, judged,
    lambda: loss_of(GRU(2, 4, rng=0)(data(3))[0]),
    lambda: loss_of(LSTM(2, 4, num_layers=2, bidirectional=True, rng=0)(data(2))[0]),
    lambda: loss_of(ElmanNetwork(2, 3, 2, rng=0)(data(5))),
]  # fmt: skip


@pytest.mark.parametrize("make", CASES)
def test_the_family_is_drawn_without_a_fault(make):
    source = viz.graph(make()).source
    assert faults(source) == []
    assert source == viz.graph(make()).source


@given(st.one_of(networks(), scribbles()), st.none() | st.integers(1, 3))
def test_no_box_covers_another_and_no_line_crosses_one(loss, steps):
    assert faults(viz.graph(loss, steps=steps).source) == []


def wires(source):
    """(tail, head, level or upright, its place, from, to) of each straight piece."""
    for tail, head, _, pos in EDGE.findall(source):
        controls = points_of(pos)
        for (x0, y0), (x1, y1) in zip(controls[::3], controls[3::3], strict=False):
            if abs(y1 - y0) < 0.05 < abs(x1 - x0):
                yield tail, head, "level", y0, *sorted((x0, x1))
            elif abs(x1 - x0) < 0.05 < abs(y1 - y0):
                yield tail, head, "upright", x0, *sorted((y0, y1))


@pytest.mark.parametrize("make", CASES)
def test_lines_run_together_only_where_they_share_an_end(make):
    pieces = sorted(wires(viz.graph(make()).source), key=lambda piece: piece[2:])
    for i, (tail, head, way, place, low, high) in enumerate(pieces):
        for other in pieces[i + 1 :]:
            if other[2] != way or other[3] > place + 1:
                break
            if {tail, head}.isdisjoint(other[:2]):
                assert min(high, other[5]) - max(low, other[4]) < 1


def test_steps_between_are_one_box():
    source = viz.graph(CASES[-1](), steps=3).source
    assert re.findall('label="(t = .*?)"', source) == [
        "t = 1",
        "t = 2 … t = 3",
        "t = 4",
        "t = 5",
    ]
    assert "⋯ 2 steps not drawn ⋯" in source
    ends = [way[:2] for way in ways_of(source) if "fold" in way[:2]]
    assert len(ends) == 6 and len(set(ends)) == 6  # a comes, a goes, y goes; and back
    assert viz.graph(CASES[-1](), steps=5).source == viz.graph(CASES[-1]()).source
    with pytest.raises(ValueError, match="steps=0, expected at least 1, or None for all"):
        viz.graph(CASES[-1](), steps=0)


def test_graphviz_leaves_everything_where_it_was_put():
    """All of it is moved by the same distance, and nothing is laid out again."""
    pygraphviz = pytest.importorskip("pygraphviz")
    source = viz.graph(CASES[-2]()).source
    drawn = pygraphviz.AGraph(string=source).draw(format="dot", prog="nop2").decode()
    laid = pygraphviz.AGraph(string=drawn)
    boxes = boxes_of(source)
    put = [*(box[:2] + box[2:] for box in boxes.values())]
    found = [2 * np.array(numbers(laid.get_node(n).attr["pos"])) for n in boxes]
    away = (found[0] - put[0]) / 2
    np.testing.assert_allclose(found, put + 2 * away, atol=0.3)
    before = sorted((*e[:2], *points_of(e[3])) for e in EDGE.findall(source))
    after = sorted((*e, *points_of(e.attr["pos"].split(" ", 1)[1])) for e in laid.edges())
    assert [e[:2] for e in after] == [e[:2] for e in before]
    for was, now in zip(before, after, strict=True):
        np.testing.assert_allclose(now[2:], np.array(was[2:]) + away, atol=0.3)


@pytest.mark.parametrize("kind", [LSTM, GRU, RNN])
def test_every_step_is_laid_out_like_the_others(kind):
    """One finds each box where it was a step before, the first step included."""
    source = viz.graph(loss_of(kind(2, 4, rng=0)(data(3))[0])).source
    boxes = boxes_of(source)
    steps = []
    for step in source.split("subgraph ")[1:]:
        keys = re.findall(r"(n\w+) \[label=", step.split("}")[0])
        steps.append(np.array([boxes[key] for key in keys]))
        steps[-1][:, ::2] -= steps[-1][0, 0]
    assert len(steps) == 3 and len(steps[0]) >= 7
    for step in steps[1:]:
        np.testing.assert_allclose(step, steps[0], atol=0.21)  # they are written to 0.1


def test_what_comes_after_the_steps_is_as_high_as_they_are():
    source = viz.graph(loss_of(LSTM(2, 4, rng=0)(data(3))[0])).source
    boxes = list(boxes_of(source).values())
    steps, after = boxes[:-3], boxes[-3:]  # stack, square and sum
    assert max(b[3] for b in after) == max(b[3] for b in steps)
    assert min(b[0] for b in after) > max(b[2] for b in steps)


def test_terms_stand_right_below_their_sum():
    w = Tensor(1.0, requires_grad=True, name="w")
    boxes = boxes_of(source := viz.graph(sum(np.tanh(w * i) for i in range(1, 9))).source)
    rows = sorted({round(box[1]) for box in boxes.values()})
    for tail, head, _ in ways_of(source):
        steps = rows.index(round(boxes[head][1])) - rows.index(round(boxes[tail][1]))
        assert abs(steps) == 1


@pytest.mark.parametrize("kind", [LSTM, GRU, RNN])
def test_layers_stand_above_each_other(kind):
    y, _ = kind(2, 4, 2, bidirectional=True, rng=0)(data(2))
    source = viz.graph(loss_of(y)).source
    boxes = boxes_of(source)
    for step in source.split("subgraph ")[1:]:
        bands = {}
        found = re.findall(
            r"(n\w+) \[label=.*?<B>weight_.h_(\w+)</B>", step.split("}")[0]
        )
        for key, layer in found:
            bands.setdefault(layer, []).append(boxes[key])
        assert list(bands) == ["l0", "l0_reverse", "l1", "l1_reverse"]
        for below, above in pairwise(map(np.array, bands.values())):
            assert below[:, 3].max() < above[:, 1].min()


@pytest.mark.parametrize("options", [{}, {"bidirectional": True}, {"dropout": 0.5}])
def test_what_goes_to_the_next_layer_stays_in_its_step(options):
    """Only the state of a layer leaves a step, for the next; and y^t, for the end."""
    network = LSTM(2, 4, num_layers=2, rng=0, **options)
    shown = scene(graph(loss_of(network(data(4))[0])))
    order = {name: i for i, name in enumerate(shown.columns)}
    assert list(order) == ["t=1", "t=2", "t=3", "t=4", AFTER]
    for line in shown.lines:
        tail, head = shown.boxes[line.tail], shown.boxes[line.head]
        if head.column not in (tail.column, AFTER):
            assert abs(order[head.column] - order[tail.column]) == 1
            assert tail.inner == head.inner != ""


def test_segments_are_laid_out_in_time():
    """Those of both directions in the same columns; each value is handed on once."""
    y, _ = RNN(2, 4, 2, bidirectional=True, rng=0)(data(5), segment=2)
    source = viz.graph(recorded := graph(loss_of(y), contributions=True)).source
    titles = {"t=1…2": 2, "t=3…4": 2, "t=5": 1}
    assert re.findall('label="(t = .*?)"', source) == [
        t.replace("=", " = ") for t in titles
    ]
    runs = [node for node in recorded if node.op == "checkpoint run"]
    layers = [f"l{k}{direction}" for k in (0, 1) for direction in ("", "_reverse")]
    assert sorted(node.scope for node in runs) == sorted(
        f"{title}/{layer}" for title in titles for layer in layers
    )
    assert all(len(node.value) == titles[node.scope.split("/")[0]] for node in runs)
    assert source.count("<B>h</B> = ·[") == 2 * 2 * 5
    assert faults(source) == []


def test_many_lines_to_one_box_come_together():
    chain = [Tensor(1.0, requires_grad=True, name="w") * 2]
    for _ in range(9):
        chain.append(np.tanh(chain[-1]))
    source = viz.graph(np.sum(np.stack(chain))).source
    (stack,) = re.findall(r"(n\d+) \[label=.*?stack", source)
    ends = {round(way[-1, 0] / 5) for _, head, way in ways_of(source) if head == stack}
    assert len(ends) == 3  # from the last of the chain, from all others, from above
