"""Pictures that need no other program: SVG, the page to explore one in, and JSON."""

import html.parser
import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from networks import cases

import viz
from autograd import Tensor, graph, named, scope
from rnn import ElmanNetwork, losses
from viz.fold import fold
from viz.scene import scene

HOSTILE = """</script><img src=x onerror="alert('1')">&amp;]]>\u2028<!--"""
BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
SVG = "{http://www.w3.org/2000/svg}"


def elman(steps=3):
    network = ElmanNetwork(1, 4, 1, rng=0)
    x = np.random.default_rng(0).normal(size=(steps, 1, 1))
    return losses.squared_error(network(x), x)


def hostile():
    w = Tensor(np.ones((2, 2)), requires_grad=True, name=HOSTILE)
    with scope(f"t=1 {HOSTILE}"):
        h = named(f"v_{HOSTILE}\0", np.tanh(w * 2))
    return np.sum(h)


class Tags(html.parser.HTMLParser):
    """The tags of a page with their attributes, and what its scripts and texts hold."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, text):
        self.texts.append(text)


def read(drawing):
    return json.loads(drawing.render("json"))


def back(value):
    """Numbers as JSON has them, as an array."""
    return np.array(value, float)


@given(cases())
def test_json_has_every_value_every_gradient_and_every_use(case):
    network, x, d, a0, loss, _ = case
    recorded = graph(loss(network(x, a0), d), contributions=True)
    data = read(viz.draw(recorded))
    assert (data["format"], data["version"]) == ("unrolled.graph", 1)
    nodes = {node["key"]: node for node in data["nodes"]}
    assert len(nodes) == len(data["nodes"])
    assert [step["name"] for step in data["steps"]] == [
        f"t={t + 1}" for t in range(len(x))
    ]
    uses = []
    for edge in data["edges"]:
        tail, head = nodes[edge["tail"]], nodes[edge["head"]]
        uses.append((tail["index"], head["index"]))
        if tail["op"] == "leaf":
            places = [i for i, p in enumerate(recorded.nodes[head["index"]].parents)
                      if tail["key"] == f"{head['key']}_{i}"]  # fmt: skip
            (sent,) = (recorded.nodes[head["index"]].contributions[i] for i in places)
            assert (tail["gradient"] is None) == (sent is None)
            if sent is not None:
                assert np.array_equal(back(tail["gradient"]), sent)
    expected = [(p, n.index) for n in recorded for p in n.parents]
    assert sorted(uses) == sorted(expected)
    for node in data["nodes"]:
        source = recorded.nodes[node["index"]]
        assert np.array_equal(back(node["value"]), source.value)
        assert node["shape"] == list(source.shape) and node["dtype"] == source.dtype.name
        if node["op"] != "leaf":
            assert np.array_equal(back(node["gradient"]), source.grad)
            assert node["scope"] == source.scope


def test_json_of_long_arrays_of_what_is_not_finite_and_of_no_values():
    w = Tensor(np.full(1001, 2.0), requires_grad=True, name="w")
    with np.errstate(divide="ignore"):
        y = np.sum(np.log(np.append(w[:2], 0.0)))
        shown = viz.draw(y)
    w_, *_ = read(shown)["nodes"]
    assert w_["name"] == "w" and w_["value"] == {"norm": float(np.linalg.norm(w.data))}
    assert read(shown)["nodes"][-1]["value"] == "-Infinity"
    assert all(n["value"] is n["gradient"] is None for n in
               read(viz.draw(elman(), values=False))["nodes"])  # fmt: skip
    folded = read(viz.draw(elman(5), steps=2))
    (fold_,) = (n for n in folded["nodes"] if n["kind"] == "fold")
    assert fold_["index"] is fold_["shape"] is fold_["value"] is None
    assert [s["name"] for s in folded["steps"]] == ["t=1", "t=2 … t=4", "t=5"]


@given(cases())
def test_svg_has_every_box_every_line_and_every_text(case):
    network, x, d, a0, loss, _ = case
    recorded = graph(loss(network(x, a0), d), contributions=True)
    shown = fold(scene(recorded), 2)
    root = ET.fromstring(viz.draw(recorded, steps=2).render("svg"))
    groups = root.findall(f"{SVG}g")
    of = lambda kind: [g for g in groups if g.get("class").split()[0] == kind]  # noqa: E731
    assert [b.get("data-key") for b in of("box")] == list(shown.boxes)
    for box, drawn in zip(shown.boxes.values(), of("box"), strict=True):
        lines = ["".join(t.itertext()) for t in drawn.findall(f"{SVG}text")]
        assert lines == box.texts and box.kind in drawn.get("class").split()
    ends = lambda kind: [(g.get("data-tail"), g.get("data-head")) for g in of(kind)]  # noqa: E731
    assert ends("value") == [(line.tail, line.head) for line in shown.lines]
    assert ends("gradient") == [(e.tail, e.head) for e in shown.lines if e.size]
    left, top, width, height = map(float, root.get("viewBox").split())
    for rect in root.iter(f"{SVG}rect"):
        x0, y0, w, h = (float(rect.get(k)) for k in ("x", "y", "width", "height"))
        assert left - 0.2 <= x0 and x0 + w <= left + width + 0.2
        assert top - 0.2 <= y0 and y0 + h <= top + height + 0.2


def test_a_page_loads_nothing_and_holds_every_number():
    drawing = viz.draw(elman(2))
    page = drawing.render("html").decode()
    tags = Tags(page)
    assert {tag for tag, _ in tags.tags} >= {"svg", "input", "script", "style", "aside"}
    for _, attributes in tags.tags:
        assert not {"src", "href", "srcset", "data", "action"} & set(attributes)
    assert not re.search(r"url\(|@import|fetch\(|import\(|https?:(?!//www.w3.org)", page)
    (policy,) = (a["content"] for _, a in tags.tags if "http-equiv" in a)
    assert policy.startswith("default-src 'none';")
    boxes = json.loads(page.split('id="data">')[1].split("</script>")[0])["boxes"]
    recorded = graph(elman(2), contributions=True)
    fields = [n for n in recorded if n.name == "v_a"]
    told = [box for box in boxes.values() if box["title"].startswith("v_a")]
    assert [box["symbol"] for box in told] == ["δ_a", "δ_a"]
    for box, field in zip(told, fields, strict=True):
        numbers = box["gradient"].strip("[]").split()
        np.testing.assert_allclose(np.array(numbers, float), field.grad[0], atol=1e-4)


def test_a_page_shortens_what_is_long_whatever_numpy_is_set_to():
    w = Tensor(np.arange(1e4).reshape(100, 100), requires_grad=True, name="w")
    page = viz.draw(np.sum(w * 2)).render("html")
    assert len(page) < 50_000 and b"..." in page
    with np.printoptions(precision=1, threshold=10**6, sign="+", suppress=True):
        assert viz.draw(np.sum(w * 2)).render("html") == page


@pytest.mark.parametrize("make", [hostile, elman])
def test_no_name_is_ever_taken_for_markup(make):
    drawing = viz.draw(make())
    page = drawing.render("html").decode()
    tags = Tags(page).tags
    assert {tag for tag, _ in tags} <= {
        "html", "head", "meta", "title", "style", "body", "header", "label", "input",
        "output", "span", "button", "main", "svg", "g", "rect", "text", "tspan", "path",
        "aside", "script",
    }  # fmt: skip
    assert sum(tag == "script" for tag, _ in tags) == 2
    assert not any(name.startswith("on") for _, given in tags for name in given)
    texts = "".join(ET.fromstring(drawing.render("svg")).itertext())
    if make is hostile:
        assert "<img src=x onerror=\"alert('1')\">&amp;]]>" in texts
        names = [node["name"] for node in read(drawing)["nodes"]]
        assert any(name.startswith("v_</script>") for name in names)


def test_pictures_are_the_same_in_every_process_and_need_no_graphviz(tmp_path):
    """Without pygraphviz and without dot on the path; whatever strings hash to."""
    script = (
        "import sys; sys.modules['pygraphviz'] = None\n"
        "import numpy as np, viz; from rnn import ElmanNetwork, losses\n"
        "x = np.linspace(-1, 1, 3).reshape(3, 1, 1)\n"
        "E = losses.squared_error(ElmanNetwork(1, 4, 1, rng=0)(x), x)\n"
        "for e in ('svg', 'html', 'json', 'dot'): viz.draw(E, f'{sys.argv[1]}/a.{e}')\n"
    )
    for seed in "12":
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / seed)],
            env={"PATH": "", "PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            check=True,
        )
    for ending in ("svg", "html", "json", "dot"):
        one, other = ((tmp_path / s / f"a.{ending}").read_bytes() for s in "12")
        assert one == other and one
    assert len(list((tmp_path / "1").iterdir())) == 4


def parts(page, kind):
    """The tags of the picture of one kind, by their data."""
    found = [given for _, given in Tags(page).tags if "class" in given]
    return [
        SimpleNamespace(dataset=SimpleNamespace(**{
            name[5:]: int(value) if value.isdigit() else value
            for name, value in given.items() if name.startswith("data-")
        }))
        for given in found if given["class"].split()[0] == kind
    ]  # fmt: skip


@pytest.mark.parametrize("steps", [None, 2])
def test_a_page_replays_each_line_at_its_step(steps):
    """The page's own conditions, read as Python, at every moment of its slider."""
    E = elman(4)
    page = viz.draw(E, steps=steps).render("html").decode()
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    shown = fold(scene(graph(E, contributions=True)), steps)
    columns = list(shown.columns)
    n = len(columns)
    place = {key: columns.index(box.column) for key, box in shown.boxes.items()}
    later, unsent = (
        dict(re.findall(rf'(node|line)\.classList\.toggle\("{name}", (.*)\);', page))
        for name in ("later", "unsent")
    )
    assert set(later) == set(unsent) == {"node", "line"}
    for now in range(2 * n):
        names = {"now": now, "to": min(now, n - 1), "sent": data["sent"]}
        hides = lambda condition, **part: eval(condition, names | part)  # noqa: E731, B023
        for box in parts(page, "box"):
            column = place[box.dataset.key]
            assert hides(later["node"], node=box) == (column > now)
            # From the last column, at the moment n, the sweep goes a column a moment.
            assert hides(unsent["node"], node=box) == (now < n + (n - 1 - column))
        for kind in ("value", "gradient"):
            for line in parts(page, kind):
                ends = [place[line.dataset.tail], place[line.dataset.head]]
                assert hides(later["line"], line=line) == (max(ends) > now)
                arrives = n + (n - 1 - min(ends))
                assert hides(unsent["line"], line=line) == (now < arrives)


@given(cases())
def test_a_folded_line_is_as_wide_as_all_that_it_stands_for(case):
    network, x, d, a0, loss, _ = case
    recorded = graph(loss(network(x, a0), d), contributions=True)
    whole, shown = scene(recorded), fold(scene(recorded), 2)
    places = {key: key if key in shown.boxes else "fold" for key in whole.boxes}
    squares = {}
    for line in whole.lines:
        ends = places[line.tail], places[line.head]
        if "fold" in ends and ends[0] != ends[1]:
            squares[ends] = squares.get(ends, 0.0) + line.size**2
    found = {(e.tail, e.head): e.size for e in shown.lines if "fold" in (e.tail, e.head)}
    assert found.keys() == squares.keys()
    for ends, size in found.items():
        assert size == pytest.approx(np.sqrt(squares[ends]), rel=1e-12)


def test_a_red_line_is_drawn_as_wide_as_its_gradient_is_large():
    drawing = viz.draw(elman(6), steps=2)
    root = ET.fromstring(drawing.render("svg"))
    norms = {(e["tail"], e["head"]): e["norm"] for e in read(drawing)["edges"]}
    widths = {}
    for g in root.findall(f"{SVG}g"):
        if g.get("class") == "gradient":
            ends = g.get("data-tail"), g.get("data-head")
            widths[ends] = float(g.find(f"{SVG}path").get("stroke-width"))
    assert any("fold" in ends for ends in widths)
    order = sorted(widths, key=lambda ends: norms[ends])
    drawn = [widths[ends] for ends in order]
    assert drawn == sorted(drawn) and drawn[0] < drawn[-1]


ACTIONS = """{
const press = (key, node) => (node ?? document.body).dispatchEvent(
  new KeyboardEvent("keydown", { key, bubbles: true }));
const told = () => document.getElementById("told").textContent;
const hidden = () => [...document.querySelectorAll(".gradient")].filter(
  (g) => getComputedStyle(g).visibility === "hidden").length;
const view = () => svg.viewBox.baseVal.width;
const width = view();
const found = { images: document.images.length, start: [told(), hidden()] };
time.value = 0; time.dispatchEvent(new Event("input"));
found.first = [document.getElementById("when").textContent, hidden(),
  document.querySelectorAll(".box.later").length];
time.value = columns.length; time.dispatchEvent(new Event("input"));
found.loss = [document.getElementById("when").textContent, hidden()];
for (let i = 0; i < 2 * columns.length; i++) press("n");
found.last = [time.value, hidden()];
press("p");
found.previous = time.value;
nodes[0].dispatchEvent(new MouseEvent("click", { bubbles: true }));
found.click = told();
press("ArrowRight", nodes[0]);
found.right = document.activeElement.dataset.key !== nodes[0].dataset.key;
press("Escape");
found.escape = told() === found.start[0];
nodes.at(-1).dispatchEvent(new PointerEvent("pointerenter"));
found.hover = told();
press("+");
found.zoom = width / view();
document.title = JSON.stringify(found);
}"""


def browsed(page, path, *options):
    """What ACTIONS find in a page, in a real browser."""
    end = page.rindex("</script>")
    path.write_text(f"{page[:end]}{ACTIONS}{page[end:]}", "utf-8")
    found = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", *options,
         f"--user-data-dir={path.parent / 'browser'}", path.as_uri()],
        capture_output=True, check=True, timeout=60,
    ).stdout.decode()  # fmt: skip
    (title,) = re.findall("<title>(.*?)</title>", found, re.S)
    return json.loads(html.unescape(title))


@pytest.mark.skipif(BROWSER is None, reason="no browser here")
@pytest.mark.parametrize("make", [elman, hostile])
def test_in_a_browser(make, tmp_path):
    E = make()
    page = viz.draw(E).render("html").decode()
    found = browsed(page, tmp_path / "a.html", "--window-size=420,800")
    drawn = page.count('<g class="gradient"')
    columns = json.loads(page.split('id="data">')[1].split("</script>")[0])["columns"]
    assert found["images"] == 0
    assert found["start"][0].startswith("Values go forward") and found["start"][1] == 0
    assert found["first"][:2] == [f"forward, {columns[0]}", drawn]
    assert found["first"][2] == page.count('<g class="box') - len(
        re.findall(r'<g class="box[^>]*data-column="0"', page)
    )
    low = map(int, re.findall(r'<g class="gradient"[^>]*data-low="(\d+)"', page))
    inside = sum(column < len(columns) - 1 for column in low)
    assert found["loss"] == [f"backward, {columns[-1]}", inside]
    assert found["last"] == [str(2 * len(columns) - 1), 0]
    assert found["previous"] == str(2 * len(columns) - 2)
    assert "gradient" in found["click"] or "constant" in found["click"]
    assert found["right"] and found["escape"] and "value" in found["hover"]
    assert found["zoom"] == pytest.approx(1.25)
