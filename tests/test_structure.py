"""Dependencies point one way; the documentation's examples run."""

import ast
import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import covered
import pytest

import autograd
import rnn
import viz

ROOT = Path(__file__).parents[1]
FORBIDDEN = {"autograd": {"rnn", "viz"}, "viz": {"rnn"}, "rnn": {"viz"}}


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module.split(".")[0]


@pytest.mark.parametrize("package", FORBIDDEN)
def test_dependencies_point_one_way(package):
    """Rnn → autograd ← viz; rnn and viz meet only in the command line."""
    files = list((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        if path.parent.name != "command":
            assert not FORBIDDEN[package] & set(imports_of(path)), path


def test_the_oracle_stands_alone():
    """It imports NumPy and itself, and nothing else of the library."""
    files = list((ROOT / "rnn" / "deltas").glob("*.py"))
    assert files
    for path in files:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                outside = name in {"__future__", "collections.abc", "numpy", "typing"}
                assert outside or name.startswith("rnn.deltas."), f"{path}: {name}"


def modules():
    for package in (autograd, rnn, viz):
        yield package.__name__
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield found.name


@pytest.mark.parametrize("name", list(modules()))
def test_modules_export_what_they_say_and_their_examples_hold(name):
    module = importlib.import_module(name)
    assert all(hasattr(module, exported) for exported in module.__all__)
    assert doctest.testmod(module).failed == 0


def test_importing_the_library_needs_only_the_core():
    script = (
        "import sys\n"
        "extras = 'matplotlib pygraphviz click rich safetensors scipy pandas regex'\n"
        "for extra in extras.split():\n"
        "    sys.modules[extra] = None\n"
        "import autograd, rnn, viz\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_readmes_examples_run(tmp_path):
    """One after the other, as in a notebook."""
    blocks = re.findall(
        r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S
    )
    assert len(blocks) == 4
    block = "\n".join(blocks)
    expected = re.findall(r"# → (.*)", block)
    script = re.sub(r"^(.*?)\s+# → .*$", r"print(\1)", block, flags=re.M)
    found = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert expected and found.stdout.split("\n")[:-1] == expected


def test_the_page_of_what_is_covered_is_up_to_date():
    """Where it is not: `python tests/covered.py` writes it anew."""
    found = covered.PAGE.read_text("utf-8")
    if covered.VERSIONS not in found:
        pytest.skip(f"the page is not of {covered.VERSIONS}")
    assert found == covered.page()
