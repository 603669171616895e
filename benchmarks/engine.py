"""What recording and sweeping cost beside plain NumPy, operation by operation."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np

from autograd import Tensor
from rnn import GRU, RNN

__all__ = ["PAIRS", "bytes_per_node"]

Work = Callable[[], object]


def elementwise(size: int, repeats: int) -> tuple[Work, Work]:
    """np.tanh: the value, and the derivative times g."""
    x, g = np.linspace(-1, 1, size), np.ones(size)
    leaf = Tensor(x, requires_grad=True)

    def engine() -> None:
        for _ in range(repeats):
            np.tanh(leaf).backward(g)
            leaf.grad = None

    def bare() -> None:
        for _ in range(repeats):
            y = np.tanh(x)
            g * (1 - y * y)

    return engine, bare


def in_a_row(size: int, length: int) -> tuple[Work, Work]:
    """np.tanh of np.tanh of …, swept once: what an operation costs within a graph."""
    x, g = np.linspace(-1, 1, size), np.ones(size)
    leaf = Tensor(x, requires_grad=True)

    def engine() -> None:
        y = leaf
        for _ in range(length):
            y = np.tanh(y)
        y.backward(g)
        leaf.grad = None

    def bare() -> None:
        values, back = [x], g
        for _ in range(length):
            values.append(np.tanh(values[-1]))
        for y in reversed(values[1:]):
            back = back * (1 - y * y)

    return engine, bare


def segmented(steps: int) -> tuple[Work, Work]:
    """A GRU whose steps are run again in segments of √T, against one that keeps them."""
    network = GRU(8, 64, rng=0)
    x = np.random.default_rng(0).normal(size=(steps, 8, 8))

    def run(segment: int | None) -> Work:
        def work() -> None:
            network.zero_grad()
            np.sum(np.square(network(x, segment=segment)[1])).backward()

        return work

    return run(int(steps**0.5)), run(None)


def tied(steps: int, batch: int, width: int) -> tuple[Work, Work]:
    """One weight used `steps` times, h ← tanh(h W), against the pass written out."""
    rng = np.random.default_rng(0)
    W = Tensor(rng.normal(size=(width, width)) / (2 * width**0.5), requires_grad=True)
    start = rng.normal(size=(batch, width))

    def engine() -> None:
        W.grad, h = None, Tensor(start)
        for _ in range(steps):
            h = np.tanh(h @ W)
        np.sum(h).backward()

    def by_hand() -> None:
        w, hs, ds = W.data, [start], []
        for _ in range(steps):
            hs.append(np.tanh(hs[-1] @ w))
        g = np.ones_like(start)
        for h in reversed(hs[1:]):
            ds.append(g * (1 - h * h))
            g = ds[-1] @ w.T
        np.concatenate(hs[-2::-1]).T @ np.concatenate(ds)

    return engine, by_hand


def gathered(table: int, rows: int, width: int) -> tuple[Work, Work]:
    """Rows of an embedding, against the same of a table of just as many rows."""
    rng = np.random.default_rng(0)

    def of(size: int) -> Work:
        weights = Tensor(rng.normal(size=(size, width)), requires_grad=True)
        index = rng.integers(0, size, rows)

        def work() -> None:
            weights.grad = None
            np.sum(weights[index] * 2.0).backward()

        return work

    return of(table), of(rows)


def sliced(steps: int, width: int) -> tuple[Work, Work]:
    """`steps` slices of one array, against one of them as many times."""
    x = Tensor(np.ones((steps, width)), requires_grad=True)
    row = Tensor(np.ones((1, width)), requires_grad=True)

    def engine() -> None:
        x.grad = None
        np.sum(np.stack([x[t] for t in range(steps)])).backward()

    def small() -> None:
        row.grad = None
        np.sum(np.stack([row[0] for t in range(steps)])).backward()

    return engine, small


def chain(length: int) -> Work:
    """`length` operations, each on the result of the one before."""

    def work() -> None:
        y = Tensor(np.full(4, 0.5), requires_grad=True)
        for _ in range(length):
            y = np.tanh(y)
        y.backward(np.ones(4))

    return work


def bytes_per_node(length: int) -> float:
    tracemalloc.start()
    y = Tensor(np.full(4, 0.5), requires_grad=True)
    for _ in range(length):
        y = np.tanh(y)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return held / length


def long(steps: int) -> Work:
    """An RNN of 16 units over so many steps."""
    network = RNN(4, 16, rng=0)
    x = np.random.default_rng(0).normal(size=(steps, 1, 4))

    def work() -> None:
        network.zero_grad()
        np.sum(network(x)[1]).backward()

    return work


PAIRS: dict[str, Callable[[bool], tuple[Work, Work]]] = {
    "np.tanh of 8 numbers, 1,000 times": lambda quick: elementwise(8, 1000),
    "np.tanh of 8 numbers, in a row of 1,000": lambda quick: in_a_row(8, 1000),
    "np.tanh of 100,000 numbers": lambda quick: elementwise(100_000, 1),
    "one W (256, 256) used 100 times, B 1": lambda quick: tied(100, 1, 256),
    "one W (128, 128) used 100 times, B 32": lambda quick: tied(100, 32, 128),
    "1,000 slices of 1,000 × 64 / of 1 × 64": lambda quick: sliced(1000, 64),
    "64 rows of 10,001 × 512 / of 64 × 512": lambda quick: gathered(10_001, 64, 512),
    "a chain ten times as long, to 1,000,000": lambda quick: (
        chain(10**4 if quick else 10**6),
        chain(10**3 if quick else 10**5),
    ),
    "RNN, ten times the steps, to T 100,000": lambda quick: (
        long(10**3 if quick else 10**5),
        long(10**2 if quick else 10**4),
    ),
    "GRU, T 10,000, steps run again / kept": lambda quick: segmented(
        100 if quick else 10_000
    ),
}
"""(quick) → two pieces of work; what is asked is the ratio of their times."""
