"""The map: what is drawn where, what its strings say, and the way that map.js computes."""

import json
import random
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from material.plugins.search.plugin import Parser

from sitebuild import ROOT
from sitebuild.concepts import ARCS, Concept, Map, load_map
from sitebuild.map_layout import (
    BOX_HEIGHT,
    BOX_WIDTH,
    LONGEST,
    Layout,
    corner,
    cost,
    crosses,
    curve,
    lay_out,
    split_arcs,
)
from sitebuild.map_svg import FONT, concept_list, light_css, map_html, map_json, svg, text_width, wrap

SVG = "{http://www.w3.org/2000/svg}"
NODE = Path(sys.executable).parent / "node"


@pytest.fixture(scope="module")
def the_map():
    return load_map()


@pytest.fixture(scope="module")
def layout(the_map):
    return lay_out(the_map)


@pytest.fixture(scope="module")
def tree(half_live):
    return ElementTree.fromstring(svg(half_live).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


@pytest.fixture(scope="module")
def half_live(the_map):
    """The map with every second page finished, whatever the state of the site."""
    return Map({c.slug: replace(c, live=i % 2 == 0) for i, c in enumerate(the_map)})


def small(**needs):
    """A map of one arc from needs alone, for example small(a="", b="a", c="a b")."""
    lists = {slug: {need: f"{need} is used in {slug}" for need in names.split()} for slug, names in needs.items()}
    return Map({slug: Concept(slug, slug.upper(), "structure", f"Says {slug}.", n) for slug, n in lists.items()})


def points(path, steps=40):
    """Points along absolute SVG path data (M, H, V, C), many on every curve."""
    x = y = 0.0
    for command, numbers in re.findall(r"([MHVC])([^MHVC]*)", path):
        values = [float(n) for n in re.findall(r"-?[\d.]+", numbers)]
        if command == "C":
            xs, ys = (x, *values[::2]), (y, *values[1::2])
            ends = [(_bezier(xs, t / steps), _bezier(ys, t / steps)) for t in range(1, steps + 1)]
        else:
            x1, y1 = {"M": values, "H": (values[0], y), "V": (x, values[0])}[command]
            shares = [1] if command == "M" else [t / steps for t in range(1, steps + 1)]
            ends = [(x + (x1 - x) * t, y + (y1 - y) * t) for t in shares]
        yield from ends
        x, y = ends[-1]


def _bezier(p, t):
    return (1 - t) ** 3 * p[0] + 3 * (1 - t) ** 2 * t * p[1] + 3 * (1 - t) * t * t * p[2] + t**3 * p[3]


class Page(HTMLParser):
    """What a test asks of a piece of HTML: (tag, attributes) of every element, and its text."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.words = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag, **wanted):
        return [a for t, a in self.elements if t == tag and all(a.get(k) == v for k, v in wanted.items())]


# ---- the layout ------------------------------------------------------------------------------------------------------
def test_every_concept_stands_in_one_column_of_its_arc(the_map, layout):
    placed = [slug for column in layout.columns for slug in column]
    assert sorted(placed) == sorted(the_map.concepts)
    arcs = [{the_map[slug].arc for slug in column} for column in layout.columns]
    assert all(len(arc) == 1 for arc in arcs)
    order = [list(ARCS).index(arc.pop()) for arc in arcs]
    assert order == sorted(order)
    assert max(map(len, layout.columns)) <= LONGEST


def test_a_concept_stands_below_what_it_needs(the_map, layout):
    cells = layout.cells
    for slug, above in the_map.ancestors.items():
        for need in above:
            assert cells[need][0] != cells[slug][0] or cells[need][1] < cells[slug][1], (need, slug)


def test_the_layout_does_not_depend_on_which_pages_are_finished(the_map, layout, half_live):
    shuffled = Map(dict(sorted(the_map.concepts.items())))
    assert lay_out(half_live) == lay_out(shuffled) == layout


def test_boxes_are_apart_and_inside(layout):
    boxes = sorted(corner(*cell) for cell in layout.cells.values())
    for x, y in boxes:
        assert 0 < x < x + BOX_WIDTH < layout.width
        assert 0 < y < y + BOX_HEIGHT < layout.height
    for i, (x, y) in enumerate(boxes):
        assert all(abs(x - x1) > BOX_WIDTH or abs(y - y1) > BOX_HEIGHT for x1, y1 in boxes[i + 1 :])


def test_no_edge_runs_behind_a_box(the_map, layout):
    boxes = [corner(*cell) for cell in layout.cells.values()]
    for need, slug, _ in the_map.edges:
        for x, y in points(curve(layout, need, slug)[0]):
            assert 0 <= x <= layout.width
            assert 0 <= y <= layout.height
            for left, top in boxes:
                assert not (left < x < left + BOX_WIDTH and top < y < top + BOX_HEIGHT), (need, slug, x, y)


def test_an_edge_joins_its_two_boxes(the_map, layout):
    def touches(point, slug):
        left, top = corner(*layout.cells[slug])
        return left <= point[0] <= left + BOX_WIDTH and top <= point[1] <= top + BOX_HEIGHT

    for need, slug, _ in the_map.edges:
        line, tip = curve(layout, need, slug)
        first, *_, last = points(line)
        assert touches(first, need), (need, slug)
        assert touches(last, slug), (need, slug)
        x, y, dx, dy = map(float, re.match(r"M([\d.]+),([\d.]+)l(-?[\d.]+),(-?[\d.]+)", tip).groups())
        assert last == pytest.approx((x + dx, y + dy)), "the arrow head ends where the line ends"


def test_the_sweeps_beat_the_order_by_depth(the_map, layout):
    by_depth = split_arcs(the_map)
    assert cost(the_map, layout) < 0.9 * cost(the_map, Layout(tuple(by_depth)))


def test_crosses_by_hand():
    assert crosses(((0, 0), (2, 2)), ((0, 2), (2, 0)))
    assert not crosses(((0, 0), (2, 2)), ((0, 1), (2, 3)))
    assert not crosses(((0, 0), (2, 2)), ((0, 0), (2, 0))), "a common end is no crossing"


def test_a_small_map_by_hand():
    found = small(d="b c", c="a", b="a", a="")
    layout = lay_out(found)
    assert layout.columns == (("a", "b", "c", "d"),)
    # d, one row below c: straight down. d, two rows below b: round c on the left.
    assert curve(layout, "c", "d")[0] == "M103,228V243"
    assert min(x for x, _ in points(curve(layout, "b", "d")[0])) < 26
    assert cost(found, layout) == 1 + 2 + 2 + 1


def test_a_long_arc_gets_two_columns():
    chain = {f"c{i:02}": f"c{i - 1:02}" if i else "" for i in range(LONGEST + 1)}
    assert [len(column) for column in lay_out(small(**chain)).columns] == [8, 7]


# ---- the words in the boxes ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Softmax", ["Softmax"]),
        ("Inference and the KV cache", ["Inference and", "the KV cache"]),
        ("Classifier-free guidance", ["Classifier-free", "guidance"]),
        ("The Johnson-Lindenstrauss lemma", ["The Johnson-", "Lindenstrauss lemma"]),
    ],
)
def test_wrap(text, lines):
    assert wrap(text, BOX_WIDTH - 10, FONT) == lines


def test_every_title_fits_into_its_box(the_map):
    for c in the_map:
        lines = wrap(c.title, BOX_WIDTH - 10, FONT)
        assert len(lines) <= 2, c.title
        assert max(text_width(line, FONT) for line in lines) <= BOX_WIDTH - 10, c.title
        assert " ".join(lines).replace("- ", "-") == c.title


# ---- the drawing -----------------------------------------------------------------------------------------------------
def nodes(tree):
    return {g.get("data-slug"): g for g in tree.iter(f"{SVG}g") if "map-node" in g.get("class", "")}


def test_a_live_concept_is_a_link_and_a_planned_one_is_not(half_live, tree):
    drawn = nodes(tree)
    assert sorted(drawn) == sorted(half_live.concepts)
    for c in half_live:
        g = drawn[c.slug]
        links = g.findall(f"{SVG}a")
        assert [a.get("href") for a in links] == ([f"{c.arc}/{c.slug}/"] if c.live else [])
        assert [a.get("aria-label") for a in links] == ([c.title] if c.live else [])
        assert ("map-planned" in g.get("class")) is not c.live
        if not c.live:
            assert (g.get("tabindex"), g.get("role"), g.get("aria-label")) == ("0", "group", f"{c.title}, planned")


def test_a_box_says_its_title_and_its_tooltip_the_rest(half_live, tree):
    for slug, g in nodes(tree).items():
        c = half_live[slug]
        assert "".join(t.text for t in g.iter(f"{SVG}tspan")) == c.title
        tooltip = g.find(f"{SVG}title").text
        assert c.summary in tooltip
        assert tooltip.startswith("Planned.") is not c.live
        for near in [half_live[need] for need in c.needs] + half_live.leads_to(slug):
            assert near.title in tooltip


def test_every_edge_has_its_reason(half_live, tree):
    titles = {g.get("data-edge"): g.find(f"{SVG}title").text for g in tree.iter(f"{SVG}g") if g.get("data-edge")}
    assert len(titles) == len(half_live.edges)
    for need, slug, why in half_live.edges:
        assert titles[f"{need} {slug}"] == f"{half_live[need].title} → {half_live[slug].title}: {why}"


def test_what_is_lit_up_are_the_neighbours(half_live, tree):
    """The style sheet says which classes are lit with a concept; these must be on its neighbours and edges alone."""
    css = light_css(half_live)
    drawn = nodes(tree)
    edges = {g.get("data-edge"): g.get("class").split() for g in tree.iter(f"{SVG}g") if g.get("data-edge")}
    for c in half_live:
        start = f".map-svg:has(#m-{c.slug}:is(:hover,:focus-within)) "
        assert f"{start}:is(.u-{c.slug},.d-{c.slug}){{--lit:1}}{start}.d-{c.slug}{{--down:1}}" in css
        up = {slug for slug, g in drawn.items() if f"u-{c.slug}" in g.get("class").split()}
        down = {slug for slug, g in drawn.items() if f"d-{c.slug}" in g.get("class").split()}
        assert up == set(c.needs)
        assert down == {d.slug for d in half_live.leads_to(c.slug)}
        assert {e for e, names in edges.items() if f"u-{c.slug}" in names} == {f"{need} {c.slug}" for need in up}
        assert {e for e, names in edges.items() if f"d-{c.slug}" in names} == {f"{c.slug} {slug}" for slug in down}


def test_the_key_needs_room():
    assert 'class="map-key"' not in svg(small(a="", b="a"))


# ---- the block -------------------------------------------------------------------------------------------------------
def test_the_list_has_every_concept_once_with_its_summary_and_reasons(half_live):
    page = Page(concept_list(half_live))
    items = [a["data-slug"] for a in page.all("li") if "data-slug" in a]
    assert items == list(half_live.concepts)
    text = " ".join("".join(page.words).split())
    for c in half_live:
        assert c.summary in text
        assert all(f"{half_live[need].title}: {why}" in text for need, why in c.needs.items())
    assert text.count(" planned") >= sum(not c.live for c in half_live)
    item_of = dict(re.findall(r'<li data-slug="(\w+)".*?<p class="map-title">(.*?)</p>', concept_list(half_live)))
    for c in half_live:
        assert (f'<a href="{c.arc}/{c.slug}/">' in item_of[c.slug]) is c.live
        assert (">planned<" in item_of[c.slug]) is not c.live


def test_no_link_leads_to_a_planned_page(half_live):
    links = {a["href"] for a in Page(map_html(half_live)).all("a")}
    pages = {f"{c.arc}/{c.slug}/" for c in half_live if c.live}
    assert links == pages | {"#after-map"} | {f"#list-{arc}" for arc in ARCS}


def test_the_block_is_whole(half_live):
    html = map_html(half_live)
    page = Page(html)
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    for tag, attrs in page.elements:
        assert not [name for name in attrs if name.startswith("on")], f"an inline handler on {tag}"
        assert "javascript:" not in attrs.get("href", "")
        assert attrs.get("href", "")[:1] == "#" or "://" not in attrs.get("href", "")
    assert "\n\n" not in html, "a blank line would end the block for Markdown"
    assert html == map_html(Map(dict(half_live.concepts))), "two builds are the same"


def test_the_search_leaves_the_map_out(half_live):
    """Every page of a concept says the same, and the home page would answer every question."""

    def indexed(html):
        parser = Parser()
        parser.feed("<h1>Home</h1><p>Before.</p>" + html)
        return "".join(text for section in parser.data for text in section.title + section.text).split()

    assert indexed(map_html(half_live)) == ["Home<p>Before.</p>"]
    assert "Softmax" in " ".join(indexed(map_html(half_live).replace("data-search-exclude", "")))


def test_what_needs_a_script_is_hidden_without_one(the_map):
    page = Page(map_html(the_map))
    assert all("hidden" in a for a in page.all("p") if a.get("class") == "map-own")
    assert all("hidden" in a for a in page.all("label", **{"class": "map-target"}))
    assert all("hidden" in a for a in page.all("button", **{"class": "map-clear"}))
    assert len(page.all("option", value="")) == 2
    targets = [o["value"] for o in page.all("option") if o["value"] in the_map.concepts]
    assert sorted(targets) == sorted(the_map.concepts)


def test_text_is_escaped():
    odd = Map(
        {
            "a": Concept("a", "A < B & C", "structure", 'Says "x < y" & more.', {}, live=True),
            "b": Concept("b", "B", "structure", "Says b.", {"a": "<b> & co"}),
        }
    )
    html = map_html(odd)
    ElementTree.fromstring(svg(odd))
    assert "A < B" not in html
    assert "<b>" not in html
    words = "".join(Page(html).words)
    assert all(text in words for text in ("A < B & C", 'Says "x < y" & more.', "<b> & co"))


def test_the_json_says_what_the_map_says(half_live):
    text = map_json(half_live)
    assert text.endswith("}\n")
    assert text == map_json(Map(dict(reversed(half_live.concepts.items()))))
    data = json.loads(text)
    assert [arc["slug"] for arc in data["arcs"]] == list(ARCS)
    assert [c["slug"] for c in data["concepts"]] == sorted(half_live.concepts)
    for found in data["concepts"]:
        c = half_live[found["slug"]]
        assert {need["slug"]: need["why"] for need in found["needs"]} == c.needs
        assert found["leads_to"] == sorted(d.slug for d in half_live.leads_to(c.slug))
        assert found["url"] == (f"{c.arc}/{c.slug}/" if c.live else None)
        assert (found["title"], found["arc"], found["summary"]) == (c.title, c.arc, c.summary)
        assert (found["minutes"], found["chapters"]) == (c.minutes, list(c.chapters))


# ---- the way, in map.js ----------------------------------------------------------------------------------------------
def ways(the_map, cases):
    """What wayTo of map.js answers to every (known, target)."""
    script = """
      import { readFileSync } from "node:fs";
      import { wayTo } from "./docs/assets/map.js";
      const { concepts, cases } = JSON.parse(readFileSync(0, "utf8"));
      console.log(JSON.stringify(cases.map(([known, target]) => wayTo(concepts, new Set(known), target))));
    """
    concepts = [{"slug": c.slug, "needs": list(c.needs)} for c in the_map]
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", script],
        input=json.dumps({"concepts": concepts, "cases": cases}),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    return json.loads(done.stdout)


def without(the_map, known):
    """The map of what is not known."""
    left = [c for c in the_map if c.slug not in known]
    return Map({c.slug: replace(c, needs={n: w for n, w in c.needs.items() if n not in known}) for c in left})


def test_the_way_is_what_is_needed_and_not_known_in_an_order_of_learning(the_map):
    rng = random.Random(0)
    slugs = list(the_map.concepts)
    cases = []
    for _ in range(200):
        known = set(rng.sample(slugs, rng.randrange(0, 30)))
        if rng.random() < 0.5:  # who knows a concept knows what it needs: then the way is ancestors without known
            known |= {need for slug in known for need in the_map.ancestors[slug]}
        cases.append((sorted(known), rng.choice(slugs)))
    answers = ways(the_map, cases)
    for (known, target), way in zip(cases, answers, strict=True):
        rest = without(the_map, set(known))
        assert set(way) == (set() if target in known else {target} | rest.ancestors[target])
        assert len(way) == len(set(way))
        for i, slug in enumerate(way):
            assert not set(rest[slug].needs) - set(way[:i]), "a stop comes after what it needs"
        if all(the_map.ancestors[slug] <= set(known) for slug in known) and target not in known:
            assert set(way) == ({target} | the_map.ancestors[target]) - set(known)
    assert sum(map(len, answers)) > 500, "the cases are not trivial"


def test_the_way_by_hand():
    found = small(a="", b="a", c="a", d="b c")
    assert ways(found, [([], "d"), (["b"], "d"), (["b", "c"], "d"), (["d"], "d"), (["a"], "c")]) == [
        ["a", "b", "c", "d"],
        ["a", "c", "d"],
        ["d"],
        [],
        ["c"],
    ]


def test_the_script_is_small_and_stays_on_this_site():
    source = (ROOT / "docs" / "assets" / "map.js").read_text(encoding="utf-8")
    assert len(source.encode()) < 9_000
    assert not re.findall(r"https?:|\beval\b|new Function|innerHTML|fetch\(|import\(", source)
