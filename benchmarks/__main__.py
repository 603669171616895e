"""`python -m benchmarks`: what recording and sweeping cost beside plain NumPy.

Both sides of a ratio run in turn, round after round, so that a change in the machine's
speed falls on both. Milliseconds are of this machine on this day; the ratios are the
result.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from autograd import Tensor
from rnn import ElmanNetwork, deltas, losses

Work = Callable[[], object]
ROUNDS = 15


def seconds(work: Work) -> float:
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


CASES: dict[str, tuple[Work, Work]] = {
    "np.tanh of 8 numbers, 1,000 times": elementwise(8, 1000),
    "np.tanh of 100,000 numbers": elementwise(100_000, 1),
    "Elman, T 220, B 1, D 1, H 8": elman(220, 1, 1, 8),
    "Elman, T 50, B 1, D 16, H 16": elman(50, 1, 16, 16),
    "Elman, T 100, B 32, D 128, H 128": elman(100, 32, 128, 128),
}


@click.command()
@click.option("--quick", is_flag=True, help="One round: see that it runs.")
def main(quick: bool) -> None:
    """Print the engine's time over that of plain NumPy, case by case."""
    table = Table(title="engine / plain NumPy", title_justify="left")
    for i, name in enumerate(("case", "ms", "min", "median", "max")):
        table.add_column(name, justify="right" if i else "left")
    for name, (engine, plain) in CASES.items():
        engine(), plain()
        pairs = [(seconds(engine), seconds(plain)) for _ in range(1 if quick else ROUNDS)]
        ratios = [ours / theirs for ours, theirs in pairs]
        figures = (min(ratios), statistics.median(ratios), max(ratios))
        ms = 1e3 * statistics.median(ours for ours, _ in pairs)
        table.add_row(name, f"{ms:.2f}", *(f"{ratio:.2f}" for ratio in figures))
    console = Console()
    console.print(table)
    console.print(f"Python {platform.python_version()}, NumPy {np.__version__}")


if __name__ == "__main__":
    main()
