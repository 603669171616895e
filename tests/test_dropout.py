"""Dropout keeps the mean: what is kept is divided by 1 − p."""

import numpy as np
import pytest

from rnn import GRU
from rnn.layers import dropout


@pytest.mark.parametrize("p", [0.1, 0.3, 0.8])
def test_what_dropout_keeps_is_divided_by_its_probability(p):
    x = np.linspace(1, 2, 20_000)
    y = dropout(x, p, np.random.default_rng(0))
    kept = y != 0
    np.testing.assert_allclose(y[kept], x[kept] / (1 - p), rtol=1e-15)
    assert np.mean(kept) == pytest.approx(1 - p, abs=0.02)
    assert np.mean(y) == pytest.approx(np.mean(x), rel=0.05)


def test_dropout_between_layers_keeps_the_mean():
    """A second layer that passes on what it gets: its field has the mean of the first."""
    network = GRU(2, 400, 2, dropout=0.3, rng=0)
    x = np.ones((1, 1, 2))
    cell = network._cells["l1"]
    seen = []
    whole = cell.of_steps
    cell.of_steps = lambda xs: seen.append([np.array(x.data) for x in xs]) or whole(xs)
    network._replays = False
    network(x)
    network.eval()
    network(x)
    dropped, plain = np.asarray(seen[0]), np.asarray(seen[1])
    kept = dropped != 0
    np.testing.assert_allclose(dropped[kept], plain[kept] / 0.7, rtol=1e-14)
    assert 0.6 < np.mean(kept) < 0.8
