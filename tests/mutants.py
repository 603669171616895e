"""Proof that the suite bites: break every rule, one at a time, and require red.

    python tests/mutants.py                 one of each kind in each rule: 15 minutes
    python tests/mutants.py --all           every place: 30 minutes
    python tests/mutants.py --list -k tanh  what there is, by id
    python tests/mutants.py --sample 30     some, at random

A mutant is one expression of a source file replaced, found by the syntax tree. It runs in
a copy of the tree, in a process forked from this one, which has imported everything but
the packages under test. Results go to `--out` as they come; a run that is given them
again goes on where they end.
"""

import compileall
import difflib
import hashlib
import importlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode

import click
from mutations import broken
from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
OPERATIONS, DELTAS = "tests/test_operations.py", "rnn/deltas/"
RULES = sorted(ROOT.glob("autograd/rules/*.py"))
FILES = (
    {path.relative_to(ROOT).as_posix(): OPERATIONS for path in RULES}
    | {
        "autograd/backward.py": "tests/test_graph.py",
        "autograd/deferred.py": "tests/test_graph.py",
        "autograd/functional.py": "tests/test_functional.py",
        "autograd/checkpointing.py": "tests/test_functional.py",
    }
    | {
        path.relative_to(ROOT).as_posix(): "tests/test_deltas.py"
        for path in sorted(ROOT.glob(f"{DELTAS}[!_]*.py"))
    }
)
"""What is broken, and the tests that ought to see it first."""
OTHERS = [
    f"tests/test_{name}.py"
    for name in ("graph", "functional", "unrolling", "special", "outside")
]
NETWORKS = [f"tests/test_{name}.py" for name in ("recurrent", "blocks", "compile")]
ORACLE = [f"tests/test_{name}.py" for name in ("deltas", "cells", "autonomous")]
ROWS = "complex_step or second_derivative or dtypes_are or values_are"
PACKAGES = ("autograd", "rnn", "viz")
PRELOADED = ("numpy", "pytest", "hypothesis.extra.numpy", "graphviz", "doctest")
SECONDS = 60
OPTIONS = [
    "-x",
    "-p",
    "no:cacheprovider",
    "--override-ini=addopts=--import-mode=importlib",
]
"""One process a mutant, with the plugins that are there already."""

LIKE = "np.zeros_like looks at shape and dtype alone"
ZERO = "−0, 2·0 and 0 are 0 in every element"
WHEN = "moves when a gradient is written out, not what it is"
ONE = "deferred or written out, the gradient is one"
EMPTY = "of no elements"
SQUARE = "a square matrix has as many rows as columns"
EXPLAINED = {
    "elementwise.py:copysign.1:sign": ZERO,
    "elementwise.py:copysign.1:factor": ZERO,
    "elementwise.py:copysign.1:dropped:2": ZERO,
    "elementwise.py:heaviside.0:sign": ZERO,
    "elementwise.py:heaviside.0:factor": ZERO,
    "elementwise.py:heaviside.0:dropped:2": ZERO,
    "linalg.py:_cholesky:index": SQUARE,
    "linalg.py:_matrix_power:index": SQUARE,
    "factorisations.py:_lstsq:swapped:2": "(b − c)² = (c − b)²",
    "products.py:_vdot:swapped": "Σ x y = Σ y x",
    "products.py:_einsum:comparison": "the order of contraction changes the time alone",
    "products.py:_spelled_out:dropped:5": "an ellipsis of no axes is taken out again",
    "reductions.py:_extremum:dropped:5": "the extremum of numbers with a NaN is NaN",
    "reductions.py:_gradient:dropped": "np.moveaxis counts axes from the end too",
    "compositions.py:_cov:swapped": "the product of two deviations",
    "reductions.py:_cumprod_vjp:sign": EMPTY,
    "reductions.py:_cumprod_vjp:factor": EMPTY,
    "special.py:_moment:index": "the last term of the series is below rounding",
    "shapes.py:_lower:factor": "as a condition 2 is True",
    "shapes.py:_transpose:comparison": ONE,
    "linear.py:linear:comparison": "np.dot takes more axes too, more slowly",
    "linear.py:_linear_x:comparison": ONE,
    "linear.py:_linear_W:comparison": ONE,
    "linear.py:_linear_b:comparison": ONE,
    "linalg.py:_pinv:index": "the bound of what counts as rounding, a little higher",
    "deferred.py:Piece.sparse:comparison": WHEN,
    "deferred.py:Piece.sparse:dropped": WHEN,
    "deferred.py:Piece.size:comparison": WHEN,
    "deferred.py:Rows.size:dropped": WHEN,
    "deferred.py:Sum.sparse:comparison": WHEN,
    "deferred.py:Sum.sparse:dropped": WHEN,
    "deferred.py:_tile:comparison": ONE,
    "deferred.py:_tiled:index": "pieces of one kind have one product",
    "deferred.py:_example:comparison": "in a program the gradients themselves are traced",
    "deferred.py:_example:sign": LIKE,
    "deferred.py:_example:factor": LIKE,
    "deferred.py:Sum.sparse:index": "pieces of one sum are of one shape",
    "activations.py:Activation:dropped": "a type, which nothing computes with",
    "functional.py:_Traced.pull:sign:2": ZERO,
    "functional.py:_Traced.pull:factor:2": ZERO,
    "functional.py:jacobian:sign": ZERO,
    "functional.py:jacobian:factor": ZERO,
}
"""Mutants that compute the same as the original, and why."""


@dataclass(frozen=True)
class Mutant:
    """One change: `text` in place of the bytes from `start` to `stop` of a file."""

    id: str
    path: str
    kind: str
    start: int
    stop: int
    text: str
    rows: tuple[str, ...] = ()

    def source(self) -> str:
        right = (ROOT / self.path).read_bytes()
        return (right[: self.start] + self.text.encode() + right[self.stop :]).decode()

    def diff(self) -> str:
        sides = ((ROOT / self.path).read_text("utf-8"), self.source())
        lines = difflib.unified_diff(*(s.splitlines() for s in sides), n=0, lineterm="")
        return "\n".join(list(lines)[2:])

    def stages(self) -> Iterator[list[str]]:
        """What to run, as arguments of pytest: the likeliest to bite first.

        The rows of other operations are left out: a minute more for each survivor, which
        at the worst makes one more of them.
        """
        if self.path.startswith(DELTAS):
            yield ORACLE
            return
        if FILES[self.path] == OPERATIONS:
            yield [OPERATIONS, "-k", " or ".join(f"[{row}" for row in self.rows)]
        else:
            yield [FILES[self.path]]
        yield [OPERATIONS, *OTHERS, "-k", f"not ({ROWS})"]
        yield NETWORKS


def mutants() -> list[Mutant]:
    """All there are, in the order of the files; the bugs of rnn/bugs come last."""
    found = []
    for path in FILES:
        for name, *where, rows in broken((ROOT / path).read_bytes()):
            found.append(Mutant(f"{Path(path).name}:{name}", path, *where, rows))
    return [*found, *bugs()]


def bugs() -> Iterator[Mutant]:
    sys.path.insert(0, str(ROOT))
    planted = importlib.import_module("rnn.bugs").BUGS
    for name in [n for n in sys.modules if n.split(".")[0] in PACKAGES]:
        del sys.modules[name]  # each process imports its own
    for bug in planted:
        path = f"{DELTAS}{bug.module.split('.')[-1]}.py"
        start = (ROOT / path).read_bytes().index(bug.right.encode())
        stop = start + len(bug.right.encode())
        name = f"{Path(path).name}:{bug.of[0]}, {bug.name}:bug"
        yield Mutant(name, path, "bug", start, stop, bug.wrong)


def run(tree: Path, arguments: list[str], seconds: int) -> str:
    """The verdict of pytest on the tree: survived, killed or timeout."""
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(seconds)
            resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
            os.chdir(tree)
            ours = (ROOT, ROOT / "tests")
            sys.path[:] = [str(tree), *(p for p in sys.path if Path(p) not in ours)]
            sys.dont_write_bytecode = True
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, 1)
            os.dup2(nothing, 2)
            pytest = importlib.import_module("pytest")
            os._exit(pytest.main([*OPTIONS, *arguments]))
        finally:
            os._exit(70)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return "timeout" if os.WTERMSIG(status) == signal.SIGALRM else "killed"
    verdicts = {0: "survived", 1: "killed", 2: "killed", 5: "survived"}
    code = os.WEXITSTATUS(status)
    if code not in verdicts:
        raise click.ClickException(f"pytest {' '.join(arguments)}: exit status {code}")
    return verdicts[code]


def judged(mutant: Mutant, tree: Path) -> str:
    """Break the tree, run the tests stage by stage until one bites, and mend the tree."""
    file, verdict = tree / mutant.path, "survived"
    right = file.read_text("utf-8")
    try:
        file.write_text(mutant.source(), "utf-8")
        for stage in mutant.stages():
            if verdict == "survived":
                verdict = run(tree, stage, SECONDS)
    finally:
        file.write_text(right, "utf-8")
    return verdict


def campaign(chosen: list[Mutant], out: Path) -> dict[str, str]:
    """The verdict on each mutant, by id; what `out` has of them is not run again.

    A survivor is, where the tests have changed since.
    """
    tests = digest(
        *(path.read_text("utf-8") for path in sorted(ROOT.glob("tests/[!m]*.py")))
    )
    lines = out.read_text("utf-8").splitlines() if out.exists() else []
    known = {tuple(key): verdict for key, verdict in map(json.loads, lines)}
    verdicts = {}
    with tempfile.TemporaryDirectory() as folder, out.open("a", encoding="utf-8") as file:
        tree = copied(Path(folder))
        for mutant in track(chosen, "mutants", auto_refresh=False):
            source = digest(mutant.source())
            killed, survived = (mutant.id, source, ""), (mutant.id, source, tests)
            verdict = known.get(killed) or known.get(survived)
            if verdict is None:
                verdict = judged(mutant, tree)
                key = survived if verdict == "survived" else killed
                file.write(json.dumps([key, verdict]) + "\n")
                file.flush()  # line by line, so that an interrupt leaves whole lines
            verdicts[mutant.id] = verdict
    return verdicts


def digest(*texts: str) -> str:
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:12]


def copied(folder: Path) -> Path:
    """A copy of the tree whose compiled files are good by content, not by time."""
    os.environ |= {"HYPOTHESIS_PROFILE": "mutants", "PYTHONPATH": str(folder)}
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # imported already, it warns
    for name in PRELOADED:
        importlib.import_module(name)
    for name in (*PACKAGES, "examples", "tests"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    compileall.compile_dir(
        folder, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH
    )
    if run(folder, [OPERATIONS, *OTHERS, *ORACLE], 10 * SECONDS) != "survived":
        raise click.ClickException("the tests fail before anything is broken")
    return folder


def report(chosen: list[Mutant], verdicts: dict[str, str], console: Console) -> bool:
    """Print the table and the survivors; whether the suite bites as it ought to."""
    table = Table("file", "kind", "mutants", "killed", "timed out", "survivors")
    groups = {}
    for mutant in chosen:
        place = Path(mutant.path).name, mutant.kind
        for group in (place, ("all", "")):
            groups.setdefault(group, Counter())[verdicts[mutant.id]] += 1
    total = groups.pop(("all", ""))
    for (file, kind), n in [*groups.items(), (("all", ""), total)]:
        numbers = n.total(), n["killed"] + n["timeout"], n["timeout"], n["survived"]
        table.add_row(file, kind, *(str(number or "") for number in numbers))
    console.print(table)
    unexplained = 0
    for mutant in chosen:
        if verdicts[mutant.id] == "survived":
            reason = EXPLAINED.get(mutant.id)
            unexplained += reason is None
            console.print(f"\n{mutant.id}: {reason or 'NOT EXPLAINED'}", style="bold")
            console.print(mutant.diff(), soft_wrap=True)
        elif mutant.id in EXPLAINED:
            console.print(f"\n{mutant.id}: killed, so its explanation is wrong")
            unexplained += 1
    return not unexplained and total["survived"] <= 0.05 * len(chosen)


@click.command()
@click.option("-k", "pattern", default="", help="Only those whose id contains this.")
@click.option(
    "--all", "every", is_flag=True, help="Every place, not one of each kind in each rule."
)
@click.option("--sample", type=int, help="So many of them, at random.")
@click.option("--seed", default=0, help="Of the sample.")
@click.option("--list", "listing", is_flag=True, help="Print the ids and run nothing.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=ROOT / "build/mutants.jsonl"
)
def main(
    pattern: str, every: bool, sample: int | None, seed: int, listing: bool, out: Path
) -> None:
    """Break every rule, one at a time, and require the tests to see it."""
    found = mutants()
    if gone := EXPLAINED.keys() - {m.id for m in found}:
        raise click.ClickException(f"EXPLAINED, but not there: {', '.join(sorted(gone))}")
    chosen = [m for m in found if pattern in m.id and (every or m.id.count(":") == 2)]
    if sample is not None and sample < len(chosen):
        chosen = random.Random(seed).sample(chosen, sample)
    if listing:
        click.echo("\n".join(m.id for m in chosen))
        return
    out.parent.mkdir(exist_ok=True)
    sys.exit(
        not report(chosen, campaign(chosen, out), Console(markup=False, highlight=False))
    )


if __name__ == "__main__":
    main()
