"""`python -m benchmarks`: the engine beside NumPy written by hand, and beside its rivals.

Both sides of a ratio take turns, round after round, so that a change in the machine's
speed falls on both; each side is taken at the number of threads that is best for it.
Milliseconds are of this machine on this day; the ratios are the result.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from autograd.files import written
from benchmarks.cases import work
from benchmarks.engine import PAIRS, bytes_per_node
from benchmarks.worker import OURS

ROUNDS = 15
SIZES = ("50 1 16 16", "100 32 128 128", "200 64 256 256")
NETWORKS = [f"{kind} {size}" for size in SIZES for kind in ("RNN", "GRU", "LSTM")]
CASES = [*NETWORKS, "next-word LSTM", "micrograd's job"]
COLOURS = {"called": "tab:blue", "compiled": "tab:green", "recorded": "tab:orange"}
"""Our sides in the picture; see `cases`."""
SIDES = {
    "torch": ("torch", "torch cells"),
    "jax": ("jax",),
    "hips": ("hips",),
    "micrograd": ("micrograd", "micrograd, collector off"),
}
"""By library, what of it is compared."""


class Worker:
    """A process that runs the cases of some sides at one number of threads."""

    def __init__(self, whose: str, sides: tuple[str, ...], python: str, n: int) -> None:
        self.sides, self.threads = sides, n
        command = [python, str(Path(__file__).with_name("worker.py")), whose, str(n)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)

    def seconds(self, side: str, case: str) -> float | None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{side}\t{case}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise click.ClickException(f"{side}: the process of this side has ended")
        return json.loads(line)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


def compared(
    cases: list[str], pythons: dict[str, str], rounds: int, console: Console
) -> list[dict[str, Any]]:
    """The seconds of every side in every case, those of its best number of threads."""
    counts = sorted({1, os.cpu_count() or 1})
    workers = [Worker("ours", OURS, sys.executable, n) for n in counts]
    workers += [
        Worker("rivals", SIDES[library], python, n)
        for library, python in pythons.items()
        for n in (counts if library == "torch" or library == "jax" else [1])
    ]
    found = []
    try:
        for case in cases:
            console.print(f"[dim]{case}[/dim]", highlight=False)
            times: dict[tuple[str, int], list[float]] = {}
            for _ in range(rounds):
                for worker in workers:
                    for side in worker.sides:
                        took = worker.seconds(side, case)
                        if took is not None:
                            times.setdefault((side, worker.threads), []).append(took)
            best: dict[str, dict[str, Any]] = {}
            for (side, threads), row in times.items():
                before = best.get(side, {"seconds": [float("inf")]})
                if statistics.median(row) < statistics.median(before["seconds"]):
                    best[side] = {"threads": threads, "seconds": row}
            found.append({"case": case, "sides": best})
    finally:
        for worker in workers:
            worker.close()
    return found


def figures(ours: list[float], theirs: list[float]) -> tuple[float, float, float]:
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return min(ratios), statistics.median(ratios), max(ratios)


def seconds(run: Callable[[], object]) -> float:
    gc.collect()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def engine_pairs(quick: bool, rounds: int) -> list[dict[str, Any]]:
    """The pairs of `engine`, in this process."""
    found = []
    for name, pair in PAIRS.items():
        one, other = pair(quick)
        one(), other()
        slow = name.startswith(("a chain", "RNN", "GRU"))
        turns = [
            (seconds(one), seconds(other))
            for _ in range(min(rounds, 3) if slow else rounds)
        ]
        found.append({"case": name, "seconds": list(zip(*turns, strict=True))})
    return found


def peaks(cases: list[str]) -> list[dict[str, Any]]:
    """The most memory that a pass holds at once, in bytes; a program's own included."""
    return [
        {"case": case, "bytes": {side: peak(side, case) for side in OURS}}
        for case in cases
    ]


def peak(side: str, case: str) -> int:
    """That of one side: the median of three, as Python's own tables grow now and then."""
    found = []
    for _ in range(3):
        tracemalloc.start()
        run = work(side, case)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(24):  # as in `worker`
            run()
        gc.collect()
        tracemalloc.reset_peak()
        run()
        found.append(tracemalloc.get_traced_memory()[1] - before)
        tracemalloc.stop()
    return statistics.median(found)


def startup(rounds: int) -> float:
    """Seconds that `import autograd, rnn, viz` takes beyond NumPy's own import."""

    def took(code: str) -> float:
        return seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True))

    turns = [
        took("import numpy, autograd, rnn, viz") - took("import numpy")
        for _ in range(rounds)
    ]
    return statistics.median(turns)


def median_ms(side: dict[str, Any]) -> float:
    return 1e3 * statistics.median(side["seconds"])


def ms_of(side: dict[str, Any] | None) -> float | str:
    return "" if side is None else median_ms(side)


def rows_of(found: list[dict[str, Any]], side: str) -> list[tuple[Any, ...]]:
    """Ours over each other side: case, side, milliseconds, and the three figures."""
    rows = []
    for result in found:
        sides = result["sides"]
        for name, rival in sides.items():
            if name in OURS and name != "by hand":
                continue
            if side not in sides:
                continue
            ours = sides[side]["seconds"]
            ms = median_ms(sides[side]), median_ms(rival)
            rows.append((result["case"], name, *ms, *figures(ours, rival["seconds"])))
    return rows


def number(x: float) -> str:
    return f"{x:.2f}" if x >= 0.1 else f"{x:.2g}"


def table(title: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Table:
    found = Table(title=title, title_justify="left")
    for column in columns:
        justify = "left" if column in ("case", "beside") else "right"
        found.add_column(column, justify=justify, no_wrap=column == "case")
    for row in rows:
        found.add_row(*(x if isinstance(x, str) else number(x) for x in row))
    return found


def picture(rows: dict[str, list[tuple[Any, ...]]], path: Path) -> None:
    """The medians of every network beside every rival."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    networks = [row for row in rows["called"] if row[0] in NETWORKS]
    names = list(dict.fromkeys(row[1] for row in networks))
    figure = Figure(figsize=(9, 1.2 + 0.34 * len(networks)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
    for ax, name in zip(axes, names, strict=True):
        cases = [row[0] for row in networks if row[1] == name]
        for side, colour in COLOURS.items():
            mine = [r for r in rows[side] if r[1] == name and r[0] in cases]
            y = [cases.index(r[0]) for r in mine]
            ax.hlines(y, [r[4] for r in mine], [r[6] for r in mine], colour, alpha=0.4)
            ax.plot([r[5] for r in mine], y, "o", color=colour, label=side)
        ax.set_yticks(range(len(cases)), cases)
        ax.axvline(1, color="black", linewidth=0.8)
        ax.set_xscale("log")
        ax.invert_yaxis()
        ax.set_title(f"beside {name}", loc="left", fontsize=10)
    ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20]
    axes[-1].set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes[-1].set_xlabel("our time / theirs: left of 1 we are ahead (median, least, most)")
    axes[0].legend(loc="lower right", fontsize=8)
    with written(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)


def interpreters(given: tuple[str, ...]) -> dict[str, str]:
    """By library, the interpreter that has it: as given, or this one."""
    found = {
        library: sys.executable
        for library in ("torch", "jax", "micrograd")
        if importlib.util.find_spec(library)
    }
    for pair in given:
        library, _, python = pair.partition("=")
        if library not in SIDES or not Path(python).exists():
            raise click.BadParameter(
                f"{pair!r}; expected LIBRARY=PYTHON, with one of {', '.join(SIDES)} and "
                "an interpreter that has it",
                param_hint="--rival",
            )
        found[library] = python
    return found


def show_times(
    console: Console, rows: dict[str, list[Any]], found: list[dict[str, Any]]
) -> None:
    columns = ("case", "beside", "ms", "theirs", "min", "median", "max")
    for side in rows:
        title = f"\nour time, {side}, over that of others: T, batch, inputs, hidden"
        console.print(table(title, columns, rows[side]))
    alone = [
        (r["case"], *(ms_of(r["sides"].get(side)) for side in rows))
        for r in found
        if r["case"] not in NETWORKS
    ]
    if alone:
        console.print(table("\nmilliseconds", ("case", *rows), alone))


def show_memory(console: Console, memory: list[dict[str, Any]]) -> None:
    held = [
        (m["case"], *(m["bytes"][side] / m["bytes"]["by hand"] for side in COLOURS))
        for m in memory
    ]
    title = "\nthe most memory held, over that by hand"
    console.print(table(title, ("case", *COLOURS), held))


def show_pairs(console: Console, pairs: list[dict[str, Any]]) -> None:
    lines = [
        (p["case"], 1e3 * statistics.median(p["seconds"][0]), *figures(*p["seconds"]))
        for p in pairs
    ]
    if lines:
        title = "\nthe engine over plain NumPy, or as it says"
        console.print(table(title, ("case", "ms", "min", "median", "max"), lines))
        console.print(
            f"{bytes_per_node(10_000):.0f} bytes a node, its array of 4 included"
        )


@click.command()
@click.option("--quick", is_flag=True, help="Small sizes, one round: see that it runs.")
@click.option("--rounds", default=ROUNDS, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--rival",
    multiple=True,
    metavar="LIBRARY=PYTHON",
    help="An interpreter that has torch, jax, hips or micrograd; may be repeated.",
)
@click.option("--only", multiple=True, help="Cases that begin with this.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="A folder for benchmarks.json and benchmarks.png.",
)
def main(
    quick: bool,
    rounds: int,
    rival: tuple[str, ...],
    only: tuple[str, ...],
    out: Path | None,
) -> None:
    """Print our time over that of NumPy by hand, and of every rival that is there."""
    console, rounds = Console(), 1 if quick else rounds
    cases = [f"{kind} 4 2 3 3" for kind in ("RNN", "GRU", "LSTM")] if quick else CASES
    cases = [case for case in cases if not only or case.startswith(only)]
    if quick:
        NETWORKS[:] = cases
    pythons = interpreters(rival)
    found = compared(cases, pythons, rounds, console)
    rows = {side: rows_of(found, side) for side in COLOURS}
    show_times(console, rows, found)
    memory = peaks([c for c in cases if c in NETWORKS])
    show_memory(console, memory)
    pairs = [] if only else engine_pairs(quick, rounds)
    show_pairs(console, pairs)
    imports = startup(rounds)
    console.print(f"import autograd, rnn, viz: {imports:.2f} s beyond NumPy's own")
    machine = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "products": blas(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "rivals": {library: version(library, p) for library, p in pythons.items()},
    }
    console.print(", ".join(f"{k} {v}" for k, v in machine.items()), highlight=False)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        data = {
            "machine": machine, "networks": found, "memory": memory, "pairs": pairs,
            "import seconds": imports, "bytes a node": bytes_per_node(10_000),
        }  # fmt: skip
        with written(out / "benchmarks.json") as temporary:
            temporary.write_text(json.dumps(data, indent=1))
        if any(name in NETWORKS for name in cases):
            picture(rows, out / "benchmarks.png")


def blas() -> str:
    """The library of NumPy's products, and its version."""
    found = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{found['name']} {found['version']}"


def version(library: str, python: str) -> str:
    """The version of a library in its interpreter."""
    name = {"hips": "autograd"}.get(library, library)
    code = f"import importlib.metadata as m; print(m.version({name!r}))"
    run = subprocess.run([python, "-c", code], capture_output=True, text=True)
    return run.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
