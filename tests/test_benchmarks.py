"""What the engine is measured against computes the same as the readable oracle."""

import sys
from pathlib import Path

import numpy as np
import pytest

import rnn
from rnn import deltas

sys.path.append(str(Path(__file__).parents[1]))  # last: what is installed is tested

from benchmarks.by_hand import PASSES
from benchmarks.cases import work


@pytest.mark.parametrize("kind", PASSES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_passes_by_hand_are_the_oracles(kind, dtype):
    network = getattr(rnn, kind)(3, 5, rng=0, dtype=dtype)
    x = np.random.default_rng(0).normal(size=(7, 2, 3)).astype(dtype)
    parameters = network.state_dict()
    suffix = "" if kind == "RNN" else "_l0"
    formulas = {name.removesuffix(suffix): p for name, p in parameters.items()}
    expected = getattr(deltas, kind.lower())(formulas, x, lambda h: h)
    found = PASSES[kind](parameters, x)
    assert set(found) == {*parameters, "x", "h"}
    for name, value in found.items():
        right = expected.get(name, expected.get(name.removesuffix("_l0")))
        tolerance = 1e-12 if dtype is np.float64 else 1e-4
        np.testing.assert_allclose(value, right, rtol=tolerance, atol=tolerance)
        assert value.dtype == dtype


@pytest.mark.parametrize("kind", PASSES)
def test_all_sides_do_the_same_work(kind):
    case = f"{kind} 4 2 3 5"
    h = work("by hand", case)()["h"]
    for side in ("called", "compiled", "recorded"):
        run = work(side, case)
        for _ in range(5):
            np.testing.assert_allclose(run().data, h, rtol=1e-5, atol=1e-6)
