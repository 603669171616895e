"""Reading series, scoring forecasts, and the figures that the package carries."""

import contextlib
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograd.extras import MissingExtraError
from rnn.command.study import Result, Row, Study
from rnn.forecast import ELMAN, WINDOW, Forecast, Scale, forecast, has_trend, train
from rnn.series import (
    DataError,
    Series,
    read_series,
    read_text,
    relative_variance,
    sunspots,
)


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
    ("year,v\n1,2.5\n2,3\n", {}, "v", ("1", "2"), [2.5, 3]),
    ("v\n1\n2\n", {}, "v", ("1", "2"), [1, 2]),
    ("1\n2\n", {}, "1", ("1", "2"), [1, 2]),
    ("day;a;b\nmon;1;5\ntue;2;6\n", {"column": "b"}, "b", ("mon", "tue"), [5, 6]),
    ("\ufeffday\tv\nmon\t1e3\n\ntue\t-2\n", {}, "v", ("mon", "tue"), [1000, -2]),
    ('"day, month","v"\n"1, 2","7"\n', {}, "v", ("1, 2",), [7]),
    ("v,w\r\n1,2\r\n3,4\r\n", {"column": "v"}, "v", ("1", "2"), [1, 3]),
    ("v,w\r1,2\r3,4", {"column": "v"}, "v", ("1", "2"), [1, 3]),
    ("t;v\n0;0,12\n1;-3,5\n", {}, "v", ("0", "1"), [0.12, -3.5]),
    ("01.01.2020;1,5\n02.01.2020;3,25\n", {}, "2", ("01.01.2020", "02.01.2020"),
     [1.5, 3.25]),
    ("2020;1,5\n2021;2,5\n", {}, "2", ("2020", "2021"), [1.5, 2.5]),
    ("m;v\n01.2000;5\n02.2000;6\n", {}, "v", ("01.2000", "02.2000"), [5, 6]),
    ("t;v\n2020,5;3\n2021,5;4\n", {}, "v", ("2020,5", "2021,5"), [3, 4]),
    ("Wert\n1,5\n2\n3,25\n", {}, "Wert", ("1", "2", "3"), [1.5, 2, 3.25]),
    ("1,5\n2\n", {"decimal": ","}, "1", ("1", "2"), [1.5, 2]),
    ("1,5\n2,5\n", {"sep": ","}, "2", ("1", "2"), [5, 5]),
    ("v\n1 234\n2 345\n", {}, "v", ("1", "2"), [1234, 2345]),
    ("x;1.234,5\ny;1.234.567\n", {}, "2", ("x", "y"), [1234.5, 1234567]),
    ("x;1.234\ny;2.345\n", {"decimal": "."}, "2", ("x", "y"), [1.234, 2.345]),
    ("x;1.234\ny;2.345\n", {"decimal": ","}, "2", ("x", "y"), [1234, 2345]),
    ("x;1.234\ny;2.345\n", {"thousands": "."}, "2", ("x", "y"), [1234, 2345]),
    ("x;1.234\ny;2.345\n", {"thousands": ""}, "2", ("x", "y"), [1.234, 2.345]),
    ("x;1.234\ny;0.345\n", {}, "2", ("x", "y"), [1.234, 0.345]),
    ("x;1\u00a0234\ny;2\u00a0345,5\n", {}, "2", ("x", "y"), [1234, 2345.5]),
    ("x;1\u202f234\ny;5\n", {"thousands": " "}, "2", ("x", "y"), [1234, 5]),
    ("x;1'234.5\ny;2'345\n", {}, "2", ("x", "y"), [1234.5, 2345]),
    ("t;v\na;\u22125\nb;+1\nc;.5\nd;5.\n", {}, "v", tuple("abcd"), [-5, 1, 0.5, 5]),
    ("x\u2028y,v\na\x0b\x0cb\x85c,5\nd,6\n", {}, "v", ("a\x0b\x0cb\x85c", "d"), [5, 6]),
    ('t,v\n"a\nb",2\nc,3\n', {}, "v", ("a\nb", "c"), [2, 3]),
    ('t,"b ""c"""\na,"2"\nb,"3"\n', {}, 'b "c"', ("a", "b"), [2, 3]),
    ('t,v\n5" x,1\n6" y,2\n', {}, "v", ('5" x', '6" y'), [1, 2]),
    ("day,v\nJan 2020,5\nFeb 2020,7\n", {}, "v", ("Jan 2020", "Feb 2020"), [5, 7]),
    ("a, b\n1, 2\n2, 3\n", {}, "b", ("1", "2"), [2, 3]),
    ("x  y\n 1\t2\n2   3 \n", {}, "y", ("1", "2"), [2, 3]),
    ("a;b\n1;2;\n2;4;\n", {}, "b", ("1", "2"), [2, 4]),
    ("a,b\n1,2\n2,4\n,\n,\n", {}, "b", ("1", "2"), [2, 4]),
    ("\n\na,b\n1,2\n\n2,3\n \n", {}, "b", ("1", "2"), [2, 3]),
    ("sep=;\na;b\n1;2,5\n", {}, "b", ("1",), [2.5]),
    ("a:1\nb:2\n", {"sep": ":"}, "2", ("a", "b"), [1, 2]),
    ("1990,1991\n5,6\n", {"column": "1991", "header": True}, "1991", ("5",), [6]),
    ("1990;1991\n5;6\n", {"column": 1, "header": False}, "1", ("1", "2"), [1990, 5]),
    ("t,a,a\n1,2,3\n2,3,4\n", {"column": 3}, "a", ("1", "2"), [3, 4]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "options", "name", "labels", "values"), READABLE)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_read_series_reads_a_file_rightly(
    tmp_path, text, options, name, labels, values, encoding
):
    path = tmp_path / "series.csv"
    path.write_bytes(text.encode(encoding))
    series = read_series(path, **options)
    assert (series.name, series.labels) == (name, labels)
    np.testing.assert_array_equal(series.values, values)


UNREADABLE = [
    ("", {}, "empty"),
    ("  \n\n", {}, "empty"),
    (";;\n;;\n", {}, "empty"),
    ("year,v\n", {}, "only a header"),
    ("year,v\n1,2\n2,3,4\n", {}, "line 3 has 3 fields, line 1 has 2"),
    ("a,b\n1,2\n3\n", {}, "line 3 has 1 fields, line 1 has 2"),
    ("1,2\n3,4\n5\n", {}, "line 3 has 1 fields, line 1 has 2.*sep= or the decimal mark"),
    ("# source\na,b\n1,2\n", {}, "line 2 has 2 fields, line 1 has 1"),
    ("year,v\n1,2\n2,\n", {"column": "v"}, "line 3: column 'v' has '', expected a"),
    ("t,v\na,2\n,\nb,3\n", {}, "line 3: column 'v' has ''"),
    ("year,v\n1,2\n2,nan\n", {"column": "v"}, "line 3: .*'nan'"),
    ("year,v\n1,2\n2,x\n3,4\n", {}, "line 3: .*'x'.*remove the line"),
    ("a,b,c\n1,2,3\n4,5,6\n", {}, "numeric ones: b, c. Choose with --column"),
    ("a,b\nx,y\nx,y\n", {}, "numeric ones: none"),
    ("a,b\n2,5\n1,7\n", {}, "numeric ones: a, b"),
    ("t,v\n1,\n2,5\n3,6\n", {}, "line 2: column 'v' has ''"),
    ("t,v\n1,NA\n2,5\n3,6\n", {}, "line 2: column 'v' has 'NA'"),
    ("t,v\n1,x\n2,y\n", {}, "numeric ones: none"),
    ("t,a,a\n1,2,3\n", {"column": "a"}, "2 columns 'a'"),
    ("a,b\n1,2\n", {"column": "z"}, "no column 'z'; it has a, b"),
    ("a,b\n1,2\n", {"column": 3}, "no column 3; it has a, b"),
    ('t,v\n1,"1,234"\n2,"987"\n', {}, "'1,234' can be 1234 .* or 1.234 .*--decimal"),
    ("x;1.234\ny;2.345\n", {}, r"'1\.234' can be 1\.234 .* or 1234"),
    ("v\n1,234\n", {}, "'1,234' can be"),
    ("1,5\n2,5\n", {}, "read in several ways: with separator ',', .*none.*--sep"),
    ("Wert, EUR\n1,5\n2,5\n", {}, "several ways"),
    ("1990\n5\n-6\n", {}, "header or the first row"),
    ("1 234\n2 345\n", {}, "several ways: with separator white space"),
    ("5,1\n3,2\n4,4\n", {}, "several ways"),
    ("Jan 2020,5\nFeb 2020,7\n", {}, "several ways"),
    ("a;1\tb\nc;2\td\n", {}, "numeric ones: none"),
    ("region,1990,1991\nnorth,5,6\n", {"column": 2}, "can be a header or the first row"),
    ("region;1990\nnorth;5\nsouth;6\n", {}, "header or the first row.*--no-header"),
    ("year,1990\n1,5\n2,6\n", {}, "header or the first row"),
    (",0,1\n0,5,6\n1,7,8\n", {"column": 2}, "header or the first row"),
    ("0,1\n7.5,6\n2.5,8\n", {"column": 2}, "header or the first row"),
    ("01.2000\n02.2000\n", {}, "numeric ones: none"),
    ("v\n1\n\n2\n", {}, "line 3 is blank"),
    ('a,b\n1,"1"2\n', {}, "line 2: a quotation mark"),
    ('a,b\n1,"2\n2,3\n', {}, "line 2: a quotation mark is not closed"),
    ('a,b\n"x\n\ny",1\nz,q\nf,3\n', {"column": "b"}, "line 5: column 'b' has 'q'"),
    ("a,b\n1,\x002\n", {}, "a binary file .byte 6 is 0"),
    ("[1,\n2]", {}, "a JSON file"),
    ("a::1\n", {"sep": "::"}, "separator '::', expected one character"),
    ("a;1\n", {"decimal": ";"}, r"decimal mark ';', expected '\.' or ','"),
    ("a;1\n", {"thousands": "x"}, "thousands mark 'x', expected one of"),
    ("a;1\n", {"thousands": ",", "decimal": ","}, "decimal and as thousands mark"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "options", "match"), UNREADABLE)
def test_read_series_refuses_a_file_and_says_why(tmp_path, text, options, match):
    path = tmp_path / "series.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=match):
        read_series(path, **options)


NO_NUMBERS = (  # noqa: SIM905
    "NA nan NaN inf -inf null 0x1F 1_0 (123) 5% €5 ٣ ５ True 007 01.2000 1e999 1,2.3 "
    "1.2.3 --5 1e 1d5 1,23,456 - . $1 1:30"
).split()


@pytest.mark.parametrize("cell", ["", "1 2", '"1\n2"', *NO_NUMBERS])
def test_read_series_names_an_entry_that_is_no_number(tmp_path, cell):
    path = tmp_path / "series.csv"
    path.write_text(f"t;v\na;1.5\nb;{cell}\nc;2\nd;3\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 3: column 'v' has"):
        read_series(path, "v")


NOTATIONS = [(".", ","), (".", "'"), (".", " "), (",", "."), (",", " "), (",", "\u202f")]


@st.composite
def written(draw):
    """A column of numbers, and a file of it in one of the notations that there are."""
    decimal, thousands = draw(st.sampled_from(NOTATIONS))
    digits = draw(st.integers(0, 4))
    numbers = draw(st.lists(st.integers(-(10**7), 10**7), min_size=1, max_size=6))
    values = [float(f"{n}e-{digits}") for n in numbers]
    mark = "" if draw(st.booleans()) else thousands
    cells = [
        f"{value:,.{digits}f}".translate({ord(","): mark, ord("."): decimal})
        for value in values
    ]
    sep = draw(st.sampled_from(",;\t| "))
    label = draw(st.sampled_from(["day 1", "2000", "01.2000", "1", "x", "2000-01-31"]))
    labelled, header, quoted = (draw(st.booleans()) for _ in range(3))
    rows = [[label, cell][not labelled :] for cell in cells]
    if header:
        rows.insert(0, ["t", "v"][not labelled :])
    text = "".join(
        sep.join(f'"{cell}"' if quoted or sep in cell else cell for cell in row) + "\n"
        for row in rows
    )
    column = 2 if labelled else 1
    options = {"sep": sep, "decimal": decimal, "thousands": mark, "header": header}
    return text, values, options | {"column": column}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written())
def test_read_series_reads_rightly_or_refuses(tmp_path, case):
    """With nothing given, no other numbers; with all that can be given, the numbers."""
    text, values, options = case
    path = tmp_path / "series.csv"
    path.write_text(text, encoding="utf-8", newline="")
    with contextlib.suppress(DataError):
        np.testing.assert_array_equal(read_series(path).values, values)
    np.testing.assert_array_equal(read_series(path, **options).values, values)


SERIES = pd.Series([1.5, 2.0], name="v")
DAYS = pd.date_range("2020-01-31", periods=2)
FRAMES = [
    (SERIES, {}, "v", ("1", "2"), [1.5, 2]),
    (SERIES.set_axis(DAYS), {}, "v", ("2020-01-31", "2020-02-01"), [1.5, 2]),
    (SERIES.set_axis(["p", "q"]), {"column": "v"}, "v", ("p", "q"), [1.5, 2]),
    (pd.Series([1, 2], dtype="Int64"), {}, "values", ("1", "2"), [1, 2]),
    (pd.Series(["1,5", "2"]), {}, "values", ("1", "2"), [1.5, 2]),
    (pd.Series(["1,500", "2"]), {"decimal": "."}, "values", ("1", "2"), [1500, 2]),
    (pd.Series(["1", "2"], dtype="category"), {}, "values", ("1", "2"), [1, 2]),
    (pd.Series([1, Decimal("2.5")], dtype=object), {}, "values", ("1", "2"), [1, 2.5]),
    (pd.DataFrame({"y": [7, 8], "v": [1, 0]}), {}, "v", ("7", "8"), [1, 0]),
    (pd.DataFrame({"d": DAYS, "v": [1, 0]}), {}, "v", ("2020-01-31", "2020-02-01"),
     [1, 0]),
    (pd.DataFrame({"v": [1, 0]}, index=["p", "q"]), {}, "v", ("p", "q"), [1, 0]),
    (pd.DataFrame({("a", "x"): [1, 2], ("a", "y"): [3, 4]}), {"column": ("a", "y")},
     "a y", ("1", "2"), [3, 4]),
    (pd.DataFrame({1990: [1, 2], 1991: [3, 4]}), {"column": 1991},
     "1991", ("1", "2"), [3, 4]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "options", "name", "labels", "values"), FRAMES)
def test_read_series_takes_frames_and_series(data, options, name, labels, values):
    series = read_series(data, **options)
    assert (series.name, series.labels) == (name, labels)
    assert series.values.dtype == float
    np.testing.assert_array_equal(series.values, values)


WRONG_FRAMES = [
    (pd.Series([1, None, 3]), {}, "row '2': column 'values' has .*nan"),
    (pd.Series([1, pd.NA], dtype="Int64"), {}, "row '2': .*<NA>, expected a finite"),
    (pd.Series(["1", None]), {}, "row '2'"),
    (pd.Series([1, True], dtype=object), {}, "row '2': .*True"),
    (pd.Series([10**400], dtype=object), {}, "row '1'"),
    (pd.Series([True, False]), {}, "is bool, expected real numbers"),
    (pd.Series([1j]), {}, "is complex128"),
    (pd.Series(DAYS), {}, "is datetime64"),
    (pd.Series([], dtype=float), {}, "empty"),
    (pd.Series(["1,500"]), {}, "'1,500' can be"),
    (SERIES, {"column": "w"}, "no column 'w'; the Series is 'v'"),
    (SERIES, {"sep": ","}, "sep and header are for files"),
    (pd.DataFrame({"a": [1, 2], "b": [3, 4], "c": [5, 6]}), {}, "numeric ones: b, c"),
    (pd.DataFrame({"v": [1]}), {"column": "w"}, "no column 'w'; it has v"),
    (pd.DataFrame([[1, 2]], columns=["a", "a"]), {"column": "a"}, "2 columns 'a'"),
    (pd.DataFrame(), {}, "none of none"),
]


@pytest.mark.parametrize(("data", "options", "match"), WRONG_FRAMES)
def test_read_series_refuses_a_frame_and_says_why(data, options, match):
    with pytest.raises(DataError, match=match):
        read_series(data, **options)


def test_read_series_says_what_it_understood(tmp_path):
    path = tmp_path / "series.csv"
    path.write_text("day;v\nmon;1.234,5\ntue;2\n")
    assert read_series(path).understood == (
        "separator ';', header in line 1, decimal mark a comma, thousands mark a point, "
        "column 'v' (2 of 2), 2 rows, from 'mon' to 'tue'"
    )
    with pytest.raises(TypeError, match="read_series: got a list, expected a path"):
        read_series([1.0, 2.0])


def test_read_series_names_the_extra_where_pandas_is_missing(tmp_path, monkeypatch):
    path = tmp_path / "series.csv"
    path.write_text("v\n1\n")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"needs pandas.*unrolled\[all\]"):
        read_series(path)


BYTES = [
    ("São".encode("latin1"), r"not UTF-8 text .byte 1.*iconv -f ENCODING"),
    ("São Paulo".encode("utf-16-le"), "looks like UTF-16LE .*iconv -f utf-16le"),
    ("São Paulo".encode("utf-16-be"), "looks like UTF-16BE .*iconv -f utf-16be"),
    ("São Paulo".encode("utf-16")[:-1], "not UTF-16 text"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture, expected a text file"),
    (b"PK\x03\x04", r"a workbook such as \.xlsx"),
    (b"\x1f\x8b\x08", "a gzip archive.*unpack it"),
]


@pytest.mark.parametrize(("data", "match"), BYTES)
@pytest.mark.parametrize("read", [read_text, read_series])
def test_files_that_are_no_text_are_named(tmp_path, read, data, match):
    path = tmp_path / "text.txt"
    path.write_bytes(data)
    with pytest.raises(DataError, match=match):
        read(path)


def test_text_is_read_in_utf8_and_utf16(tmp_path):
    path = tmp_path / "text.txt"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        path.write_bytes("olá\r\nmundo\u2028\r".encode(encoding))
        assert read_text(path) == "olá\nmundo\u2028\n"
    for wrong in (tmp_path / "missing.txt", tmp_path):
        with pytest.raises(DataError, match="cannot be read"):
            read_text(wrong)


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


def test_a_trend_is_told_from_a_wave():
    t = np.arange(200)
    rng = np.random.default_rng(0)
    for values in (0.1 * t + np.sin(t), -t + 20 * rng.normal(size=200), np.exp(t / 100)):
        assert has_trend(values)
    for values in (wave(200), rng.normal(size=200), np.ones(200), sunspots().values):
        assert not has_trend(values)


def study_of(values, differenced):
    series = Series("v", tuple(map(str, range(len(values)))), values)
    return Study(
        series=series, known=20, periods={"fit": (12, 20), "test": (20, 30)},
        variance=1.0, scale=Scale(0, 1), recipe=ELMAN, title="", unit="",
        differenced=differenced,
    )  # fmt: skip


def test_a_study_of_differences_forecasts_values():
    values = np.cumsum(np.arange(30.0))
    study = study_of(values, differenced=True)
    x, labels = study.inputs(10)
    np.testing.assert_array_equal(x, np.arange(1.0, 10))
    assert labels == tuple(map(str, range(1, 10)))
    changes = study.inputs()[0][5:]  # foreseen without an error, from the sixth on
    found = study.forecasts(Forecast(None, study.scale, changes, None))
    np.testing.assert_array_equal(found.values, values[6:])
    assert study.scores(found.values) == [0, 0]
    plain = study_of(values, differenced=False)
    np.testing.assert_array_equal(plain.inputs(3)[0], values[:3])
    assert plain.forecasts(found) is found


@pytest.mark.parametrize(("error", "warned"), [(0.5, False), (2.0, True)])
def test_a_study_says_where_no_network_beats_next_is_this(error, warned):
    values = np.arange(30.0)  # next = this is wrong by 1
    study = study_of(values, differenced=False)
    good, bad = (Forecast(None, study.scale, values + e, None) for e in (error, 3.0))
    rows = [Row("next = this", study.scores(values[:-1]))]
    words = Result(study, [0], [bad], [good], rows).warning()
    assert warned == words.startswith('No network is better than "next = this" on test')
    assert bool(words) == warned
