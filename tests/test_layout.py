"""Where the picture puts things: read from the DOT text, since that is what is drawn."""

import re

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

import viz
from rnn import (
    GRU,
    LSTM,
    RNN,
)  # fmt: skip

NODE = re.compile(r'^\s*(n\d+(?:_\d+)?) \[.*?height=(\S+) .*?pos="([^"]+)"'
                  r".*?width=([\d.]+)", re.M)  # fmt: skip
EDGE = re.compile(r'^\s*(n\w+) -> (n\w+) \[.*?pos="e,(\S+) ([^"]+)"', re.M)
FRAME = re.compile(r'bb="([^"]+)"')
FINE = np.linspace(0, 1, 33)


def numbers(text):
    return [float(x) for x in text.replace(",", " ").split()]


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
        controls = np.reshape(numbers(pos), (-1, 2))
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
        re.findall(r"^\s*n\d\w* \[", source, re.M)
    )
    names, sides = list(boxes), np.array(list(boxes.values()))
    found = []
    for i, box in enumerate(sides):
        over = (np.minimum(box[2:], sides[:, 2:]) - np.maximum(box[:2], sides[:, :2])) > 0
        found += [("boxes", names[i], names[j]) for j in np.flatnonzero(over.all(1))
                  if j > i]  # fmt: skip
    for tail, head, way in ways:
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


@given(networks())
@example(loss_of(GRU(2, 4, rng=0)(data(3))[0]))
@example(loss_of(LSTM(2, 4, rng=0)(data(3))[0]))
def test_no_box_covers_another_and_no_line_crosses_one(loss):
    assert faults(viz.graph(loss).source) == []
