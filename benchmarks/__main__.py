"""`python -m benchmarks`: what recording and sweeping cost beside plain NumPy.

Both sides of a ratio run in turn, round after round, so that a change in the machine's
speed falls on both. Milliseconds are of this machine on this day; the ratios are the
result.
"""

from __future__ import annotations

import gc
import platform
import random
import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from autograd import Tensor, Value
from rnn import GRU, ElmanNetwork, deltas, losses

Work = Callable[[], object]
ROUNDS = 15


def seconds(work: Work) -> float:
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


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


def elman(steps: int, batch: int, inputs: int, hidden: int) -> tuple[Work, Work]:
    """A forward and a full backward pass, against the formulas of `rnn.deltas`."""
    network = ElmanNetwork(inputs, hidden, 1, output_activation="identity", rng=0)
    rng = np.random.default_rng(0)
    x, d = rng.normal(size=(steps, batch, inputs)), rng.normal(size=(steps, batch, 1))
    parameters = network.state_dict()

    def engine() -> None:
        network.zero_grad()
        losses.squared_error(network(x), d).backward()

    def by_hand() -> None:
        deltas.elman(parameters, x, lambda y: y - d, output_activation="identity")

    return engine, by_hand


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


def scalars(value: type) -> Work:
    """micrograd's own job: its network 2-16-16-1 over 100 points, there and back."""
    draw = random.Random(0)

    def neuron(inputs: int) -> tuple[list[Any], Any]:
        return [value(draw.uniform(-1, 1)) for _ in range(inputs)], value(0.0)

    def layer(inputs: int, outputs: int) -> list[tuple[list[Any], Any]]:
        return [neuron(inputs) for _ in range(outputs)]

    layers = [layer(2, 16), layer(16, 16), layer(16, 1)]
    points = [
        (draw.gauss(0, 1), draw.gauss(0, 1), draw.choice((-1, 1))) for _ in range(100)
    ]

    def work() -> None:
        losses = []
        for first, second, target in points:
            x = [value(first), value(second)]
            for depth, neurons in enumerate(layers):
                x = [
                    sum((w * v for w, v in zip(ws, x, strict=True)), b)
                    for ws, b in neurons
                ]
                x = x if depth == 2 else [v.relu() for v in x]
            losses.append((1 + -target * x[0]).relu())
        (sum(losses) * (1.0 / len(losses))).backward()

    return work


def micrograd() -> dict[str, tuple[Work, Work]]:
    """The same job in micrograd, where it is installed beside us."""
    try:
        from micrograd.engine import Value as Theirs
    except ImportError:
        return {}

    def uncollected(work: Work) -> Work:
        def run() -> None:
            gc.collect()
            gc.disable()
            try:
                work()
            finally:
                gc.enable()

        return run

    ours, theirs = scalars(Value), scalars(Theirs)
    return {
        "micrograd's job / micrograd": (ours, theirs),
        "micrograd's job / micrograd, its collector off": (ours, uncollected(theirs)),
    }


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


CASES: dict[str, tuple[Work, Work]] = {
    "np.tanh of 8 numbers, 1,000 times": elementwise(8, 1000),
    "np.tanh of 8 numbers, in a row of 1,000": in_a_row(8, 1000),
    "np.tanh of 100,000 numbers": elementwise(100_000, 1),
    "one W (256, 256) used 100 times, B 1": tied(100, 1, 256),
    "one W (128, 128) used 100 times, B 32": tied(100, 32, 128),
    "1,000 slices of 1,000 × 64 / of 1 × 64": sliced(1000, 64),
    "64 rows of 10,001 × 512 / of 64 × 512": gathered(10_001, 64, 512),
    "GRU, T 2,500, steps run again / kept": segmented(2500),
    "Elman, T 220, B 1, D 1, H 8": elman(220, 1, 1, 8),
    "Elman, T 50, B 1, D 16, H 16": elman(50, 1, 16, 16),
    "Elman, T 100, B 32, D 128, H 128": elman(100, 32, 128, 128),
    **micrograd(),
}


@click.command()
@click.option("--quick", is_flag=True, help="One round: see that it runs.")
def main(quick: bool) -> None:
    """Print the engine's time over that of plain NumPy, case by case."""
    cases = CASES | {"a chain of 1,000,000 / of 100,000": (chain(10**6), chain(10**5))}
    if quick:
        cases = CASES | {"a chain of 10,000 / of 1,000": (chain(10**4), chain(10**3))}
    table = Table(title="engine / plain NumPy, or as it says", title_justify="left")
    for i, name in enumerate(("case", "ms", "min", "median", "max")):
        table.add_column(name, justify="right" if i else "left")
    for name, (engine, rival) in cases.items():
        engine(), rival()
        rounds = 1 if quick else 3 if "chain" in name else ROUNDS
        pairs = [(seconds(engine), seconds(rival)) for _ in range(rounds)]
        ratios = [ours / theirs for ours, theirs in pairs]
        figures = (min(ratios), statistics.median(ratios), max(ratios))
        ms = 1e3 * statistics.median(ours for ours, _ in pairs)
        table.add_row(name, f"{ms:.2f}", *(f"{ratio:.2f}" for ratio in figures))
    console = Console()
    console.print(table)
    console.print(f"{bytes_per_node(10_000):.0f} bytes a node, its array of 4 included")
    console.print(f"Python {platform.python_version()}, NumPy {np.__version__}")


if __name__ == "__main__":
    main()
