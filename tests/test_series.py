"""Reading series, scoring forecasts, and the figures that the package carries."""

import numpy as np
import pytest

from rnn.forecast import ELMAN, WINDOW, Scale, forecast, train
from rnn.series import DataError, read_series, read_text, relative_variance, sunspots


def test_sunspots_are_the_series_of_the_literature():
    series = sunspots()
    assert series.labels[0] == "1700" and series.labels[-1] == "2008"
    assert len(series.values) == 309
    assert np.var(series.values[:280]) == pytest.approx(1496, abs=1)
    values = series.values
    persistence = [
        relative_variance(values[a - 1 : b - 1], values[a:b], 1535)
        for a, b in ((221, 256), (256, 280))
    ]
    assert persistence == pytest.approx([0.42, 0.94], abs=0.005)


READABLE = [
    ("year,v\n1,2.5\n2,3\n", None, "v", ("1", "2"), [2.5, 3]),
    ("v\n1\n2\n", None, "v", ("1", "2"), [1, 2]),
    ("1\n2\n", None, "1", ("1", "2"), [1, 2]),
    ("day;a;b\nmon;1;5\ntue;2;6\n", "b", "b", ("mon", "tue"), [5, 6]),
    ("\ufeffday\tv\nmon\t1e3\n\ntue\t-2\n", None, "v", ("mon", "tue"), [1000, -2]),
    ('"day, month","v"\n"1, 2","7"\n', None, "v", ("1, 2",), [7]),
    ("v,w\r\n1,2\r\n3,4\r\n", "v", "v", ("1", "2"), [1, 3]),
    ("t;v\n0;0,12\n1;-3,5\n", None, "v", ("0", "1"), [0.12, -3.5]),
]


@pytest.mark.parametrize(("text", "column", "name", "labels", "values"), READABLE)
def test_files_that_can_be_read(tmp_path, text, column, name, labels, values):
    path = tmp_path / "series.csv"
    path.write_text(text, encoding="utf-8")
    series = read_series(path, column)
    assert (series.name, series.labels) == (name, labels)
    np.testing.assert_array_equal(series.values, values)


UNREADABLE = [
    ("", None, "empty"),
    ("  \n\n", None, "empty"),
    ("year,v\n", None, "only a header"),
    ("year,v\n1,2\n2,3,4\n", None, "line 3 has 3 fields, line 1 has 2"),
    ("year,v\n1,2\n2,\n", "v", "line 3: column 'v' has '', expected a finite number"),
    ("year,v\n1,2\n2,nan\n", "v", "line 3: .*'nan'"),
    ("year,v\n1,2\n2,x\n3,4\n", None, "line 3: .*'x'.*remove the line"),
    ("a,b,c\n1,2,3\n4,5,6\n", None, "numeric ones: b, c. Choose with --column"),
    ("a,b\nx,y\nx,y\n", None, "numeric ones: none"),
    ("a,b\n2,5\n1,7\n", None, "numeric ones: a, b"),
    ("t,v\n1,\n2,5\n3,6\n", None, "line 2: column 'v' has ''"),
    ("t,v\n1,NA\n2,5\n3,6\n", None, "line 2: column 'v' has 'NA'"),
    ("t,v\n1,x\n2,y\n", None, "numeric ones: none"),
    ("t,a,a\n1,2,3\n", "a", "2 columns 'a'"),
    ("a,b\n1,2\n", "z", "no column 'z'; it has a, b"),
]


@pytest.mark.parametrize(("text", "column", "match"), UNREADABLE)
def test_files_that_cannot_be_read(tmp_path, text, column, match):
    path = tmp_path / "series.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=match):
        read_series(path, column)


def test_text_that_is_not_utf8(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("São".encode("latin1"))
    with pytest.raises(DataError, match=r"not UTF-8 text .byte 1.*iconv"):
        read_text(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_text(tmp_path / "missing.txt")


def test_scale_goes_there_and_back():
    values = np.array([3.0, 5.0, 10.0])
    scale = Scale.of(values)
    x = scale.forward(values)
    assert np.mean(x) == pytest.approx(0, abs=1e-15) and np.std(x) == pytest.approx(1)
    np.testing.assert_allclose(scale.back(x), values)
    assert Scale.of(np.ones(3)).width == 1


def wave(n=160):
    return 50 + 30 * np.sin(np.arange(n) * 0.6)


@pytest.mark.parametrize("recipe", [ELMAN, WINDOW], ids=["elman", "window"])
def test_a_network_learns_a_wave(recipe):
    from dataclasses import replace

    short = replace(recipe, updates=150, bptt=50, decay={}, lr=0.02)
    values = wave()
    found = train(short, values, 120, Scale.of(values), seed=0)
    lag = len(values) - len(found.values)
    assert lag == max(1, recipe.window)
    error = relative_variance(found.values[-40:], values[-40:], np.var(values))
    still = relative_variance(values[-41:-1], values[-40:], np.var(values))
    assert error < still / 10
    again = forecast(found.network, found.scale, values)
    np.testing.assert_array_equal(again, found.values)


def test_a_forecast_knows_nothing_of_what_it_foretells():
    values = wave()
    from dataclasses import replace

    found = train(replace(ELMAN, updates=2), values, 100, Scale.of(values), seed=0)
    changed = values.copy()
    changed[70:] += 7
    again = forecast(found.network, found.scale, changed)
    np.testing.assert_array_equal(again[:70], found.values[:70])
    assert again[70] != found.values[70]


def test_too_few_values():
    with pytest.raises(ValueError, match="5 values to train on, expected at least 13"):
        train(ELMAN, wave(20), 5, Scale(0, 1), seed=0)


def test_the_objective_is_washed_in_once_decayed_and_passes_its_state_on():
    from dataclasses import replace

    from rnn.forecast import _network, _objective

    recipe = replace(ELMAN, wash_in=3, decay={"W_a": 0.7})
    network = _network(recipe, seed=0)
    x = np.random.default_rng(0).normal(size=(11, 1, 1))
    y, a = network(x[:-1], states=True)
    penalty = 0.35 * np.sum(network.W_a.data**2)
    first, state = _objective(network, recipe, (x[:5], x[1:6]), None)
    assert first.item() == pytest.approx(np.mean((y.data - x[1:])[3:5] ** 2) + penalty)
    np.testing.assert_array_equal(state, a.data[4])
    second, state = _objective(network, recipe, (x[5:-1], x[6:]), state)
    assert second.item() == pytest.approx(np.mean((y.data - x[1:])[5:] ** 2) + penalty)
    np.testing.assert_array_equal(state, a.data[-1])
