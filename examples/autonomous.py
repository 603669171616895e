"""Networks without inputs: letters recalled from noise, pictures dreamt up.

    python examples/autonomous.py --out pictures

A Hopfield network stores letters and recalls them; Boltzmann machines learn bars and
stripes, and digits where scikit-learn is installed. Half a minute on one core.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

import viz
from autograd import no_grad
from rnn import (
    Hopfield,
    RestrictedBoltzmannMachine,
    bars_and_stripes,
    capacity_curve,
    fit_boltzmann,
    optim,
)

LETTERS = {
    "A": "..##.. .#..#. #....# #....# ###### #....# #....# #....#",
    "C": ".####. #....# #..... #..... #..... #..... #....# .####.",
    "J": "...### ....#. ....#. ....#. ....#. #...#. #...#. .###..",
    "X": "#....# #....# .#..#. ..##.. ..##.. .#..#. #....# #....#",
}
SHAPE = (8, 6)
METHODS = {"exact likelihood": ("exact", 1), "CD-1": ("cd", 1), "CD-10": ("cd", 10),
           "PCD-5": ("pcd", 5)}  # fmt: skip
console = Console()


def letters() -> np.ndarray[Any, Any]:
    """The letters as patterns (P, N) of {−1, +1}."""
    rows = ["".join(text.split()) for text in LETTERS.values()]
    return np.array([[1.0 if c == "#" else -1.0 for c in row] for row in rows])


def hopfield(out: Path) -> None:
    """Letters stored by the pseudo-inverse, one recalled from noise; and the capacity."""
    patterns, network = letters(), Hopfield(SHAPE[0] * SHAPE[1])
    network.store(patterns, "pseudo-inverse")
    noisy = patterns[0].copy()
    noisy[np.random.default_rng(3).permutation(len(noisy))[:14]] *= -1
    found = network.recall(noisy, rng=0)
    right = bool(np.array_equal(found.state, patterns[0]))
    console.print(
        f"Hopfield: an A with 14 of 48 pixels wrong; {len(found.states) - 1} changes "
        f"later a {found.outcome}, {'the A' if right else 'not the A'}"
    )
    viz.recall(
        found.states, found.energies, shape=SHAPE, title="A letter recalled from noise",
        levels={"the stored A": float(network.energy(patterns[0]))},
    ).savefig(out / "recall.png")  # fmt: skip

    loads = np.arange(0.02, 0.261, 0.02)
    overlaps = capacity_curve(500, loads, trials=3, rng=0)
    table = Table("load P/N", "mean overlap", title="Hebbian recall, N = 500")
    for load, overlap in zip(loads, overlaps.mean(axis=1), strict=True):
        table.add_row(f"{load:.2f}", f"{overlap:.3f}")
    console.print(table)
    viz.capacity(loads, overlaps, title="Hebbian recall collapses, N = 500").savefig(
        out / "capacity.png"
    )


def learn(
    data: Any, hidden: int, method: str, k: int, lr: float, epochs: int, **options: Any
) -> tuple[RestrictedBoltzmannMachine, Any]:
    """A machine that learned the data with Adam, at a rate that falls to nothing."""
    machine = RestrictedBoltzmannMachine(data.shape[1], hidden, rng=0)
    steps = epochs * -(-len(data) // options.get("batch_size", len(data))) + 1
    seen = fit_boltzmann(
        machine, data, optim.Adam(machine.parameters(), lr), epochs=epochs, method=method,
        k=k, rng=1, schedule=lambda step: optim.cosine(lr, steps, step), **options,
    )  # fmt: skip
    return machine, seen


def stripes(out: Path) -> None:
    """The thirty 4×4 pictures, learned in four ways, with the likelihood of each."""
    data, curves = bars_and_stripes(4, 4), {}
    some = np.random.default_rng(0).permutation(data)[:12]
    images, best = {"data": some.reshape(-1, 4, 4)}, -np.log(len(data))
    table = Table("method", "mean log p(v)", "changed by a sweep", "true samples")
    for name, (method, k) in METHODS.items():
        machine, seen = learn(data, 12, method, k, 0.02, 2000, every=50)
        v = machine.sample(1000, 300, rng=0)
        true = np.mean((v[:, None] == data).all(axis=2).any(axis=1))
        curves[name], changed = seen.log_likelihood, seen.reconstruction[-1]
        table.add_row(name, f"{curves[name][-1]:.3f}", f"{changed:.1%}", f"{true:.0%}")
        images[name] = v[:12].reshape(-1, 4, 4)
    table.add_row("the best there is", f"{best:.3f}", "", "")
    table.title = "Bars and stripes, 12 hidden units"
    console.print(table)
    title = "Bars and stripes: the likelihood that each way of learning reaches"
    viz.likelihood(seen.epochs, curves, best=best, title=title).savefig(
        out / "likelihood.png"
    )
    viz.samples(
        images, title="Bars and stripes: data, and samples of each machine"
    ).savefig(out / "stripes.png")


def digits(out: Path) -> None:
    """Digits of 8×8 pixels, and what the machine dreams up."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        console.print("digits: skipped, since scikit-learn is not installed")
        return
    data = (load_digits().data > 7).astype(float)
    shares = np.clip(data.mean(axis=0), 1e-3, 1 - 1e-3)
    each = data * np.log(shares) + (1 - data) * np.log(1 - shares)
    machine, _ = learn(data, 18, "pcd", 1, 0.02, 100, batch_size=50, every=100)
    with no_grad():
        likelihood = machine.log_likelihood(data).item()
    console.print(
        f"digits: mean log p(v) = {likelihood:.2f} with 18 hidden units; "
        f"{each.sum(axis=1).mean():.2f} for pixels that know nothing of each other"
    )
    v = machine.sample(14, 2000, rng=0)
    rows = {"data": data[:14].reshape(-1, 8, 8), "samples": v.reshape(-1, 8, 8)}
    viz.samples(rows, title="Digits, and what the machine makes up").savefig(
        out / "digits.png"
    )


@click.command(help=__doc__)
@click.option(
    "--out", type=click.Path(path_type=Path), default="autonomous", show_default=True
)
def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    hopfield(out)
    stripes(out)
    digits(out)
    console.print(
        f"pictures in {out}/: {', '.join(sorted(p.name for p in out.iterdir()))}"
    )


if __name__ == "__main__":
    main()
