"""The map in a browser: without a script, by keyboard, on a phone, in both schemes, and what it remembers."""

import re
import time
from dataclasses import replace

import pytest
from playwright.sync_api import sync_playwright

from sitebuild import ROOT
from sitebuild.concepts import Map, load_map
from sitebuild.map_svg import map_html, map_json
from tests.site.server import CHROMIUM, FLAGS, serve
from tests.site.test_map import without
from tests.site.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("map")]

ASSETS = ROOT / "docs" / "assets"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Map</title>
<meta http-equiv="Content-Security-Policy"
  content="default-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
{styles}<script type="module" src="map.js"></script></head>
<body dir="ltr" data-md-color-scheme="{scheme}"><main class="md-main"><div class="md-grid">
<article class="md-content__inner md-typeset"><h1>Map</h1>{body}<p>After the map.</p></article>
</div></main></body></html>"""


@pytest.fixture(scope="module")
def the_map():
    """The map with every third page planned, whatever the state of the site."""
    return Map({c.slug: replace(c, live=i % 3 > 0) for i, c in enumerate(load_map())})


@pytest.fixture(scope="module")
def address(the_map, tmp_path_factory):
    """A page for each scheme with the map, and one with a toggle, under the style sheets of the site."""
    import material

    folder = tmp_path_factory.mktemp("map")
    sheets = sorted((ROOT / next(iter(material.__path__)) / "templates/assets/stylesheets").glob("*.css"))
    sheets += [ASSETS / "site.css", ASSETS / "map.css"]
    for path in [*sheets, ASSETS / "map.js"]:
        (folder / path.name).write_bytes(path.read_bytes())
    styles = "".join(f'<link rel="stylesheet" href="{path.name}">' for path in sheets)
    toggle = '<button class="known-toggle" data-slug="softmax" hidden>I know this</button>'
    for name, scheme, body in [
        ("light", "default", map_html(the_map)),
        ("dark", "slate", map_html(the_map)),
        ("toggle", "default", toggle),
    ]:
        (folder / f"{name}.html").write_text(PAGE.format(styles=styles, scheme=scheme, body=body), encoding="utf-8")
    with serve(folder) as at:
        yield at


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, address):
    """visit(name, width, …) opens a page in a context of its own; at the end nothing may have gone wrong in it."""
    contexts, troubles = [], []

    def open_page(name="light", width=1280, height=900, before=None, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        if before:
            context.add_init_script(before)
        tab = context.new_page()
        tab.on("console", lambda message: troubles.append(message.text))
        tab.on("pageerror", lambda error: troubles.append(str(error)))
        tab.on("request", lambda r: r.url.startswith((address, "data:")) or troubles.append(f"asked for {r.url}"))
        tab.goto(f"{address}{name}.html")
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert not troubles


def focus(tab, slug):
    tab.evaluate(
        "slug => { const g = document.getElementById(`m-${slug}`); (g.querySelector('a') || g).focus() }", slug
    )


def point(tab, slug):
    tab.hover(f"#m-{slug} rect", position={"x": 8, "y": 8})


def lit(tab):
    """({slugs}, {edges}) of what is lit up."""
    found = """name => [...document.querySelectorAll(`.kb-map svg [data-${name}]`)]
        .filter(e => getComputedStyle(e).getPropertyValue("--lit") === "1").map(e => e.dataset[name])"""
    return set(tab.evaluate(found, "slug")), set(tab.evaluate(found, "edge"))


def around(the_map, slug):
    up, down = set(the_map[slug].needs), {d.slug for d in the_map.leads_to(slug)}
    return up | down, {f"{need} {slug}" for need in up} | {f"{slug} {d}" for d in down}


SAMPLE = ["vectors_and_dot_products", "transformer", "clip"]


# ---- without a script ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("slug", SAMPLE)
def test_pointing_and_focus_light_up_the_neighbours_without_a_script(visit, the_map, slug):
    tab = visit(java_script_enabled=False, height=1300)
    assert lit(tab) == (set(), set())
    point(tab, slug)
    assert lit(tab) == around(the_map, slug)
    tab.mouse.move(0, 0)
    assert lit(tab) == (set(), set())
    focus(tab, slug)
    assert lit(tab) == around(the_map, slug)


def test_without_a_script_nothing_is_offered_that_needs_one(visit):
    for width in (1280, 390):
        tab = visit(width=width, java_script_enabled=False)
        for part in (".map-own", ".map-target", ".map-clear"):
            assert not any(found.is_visible() for found in tab.locator(part).all()), part


def test_wide_screens_get_the_map_or_the_list_and_narrow_ones_the_list(visit):
    tab = visit(java_script_enabled=False)
    assert (tab.locator(".map-svg").is_visible(), tab.locator(".map-list").is_visible()) == (True, False)
    tab.check("[value=list]")
    assert (tab.locator(".map-svg").is_visible(), tab.locator(".map-list").is_visible()) == (False, True)
    tab = visit(width=390, java_script_enabled=False)
    assert (tab.locator(".map-svg").is_visible(), tab.locator(".map-list").is_visible()) == (False, True)
    assert not tab.locator(".map-view").is_visible()


# ---- readable --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("width", [320, 360, 390, 768, 1024, 1180, 1280, 1920])
def test_nothing_is_wider_than_the_screen(visit, width):
    tab = visit(width=width)
    tab.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    tab.select_option(".map-target select", "text_to_image")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_text_is_at_least_12_pixels_and_inside_its_box(visit):
    for width in (1180, 1280):
        tab = visit(width=width)
        if not tab.locator(".map-svg").is_visible():
            continue
        sizes = tab.evaluate("""() => [...document.querySelectorAll(".map-svg text")].filter(t => t.textContent)
            .map(t => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a)""")
        assert min(sizes) >= 12
        outside = tab.evaluate("""() => [...document.querySelectorAll(".map-node")].filter(g => {
            const [t, r] = ["text", "rect"].map(name => g.querySelector(name).getBBox());
            return t.x < r.x + 3 || t.x + t.width > r.x + r.width - 3 || t.y < r.y || t.y + t.height > r.y + r.height;
        }).map(g => g.dataset.slug)""")
        assert outside == []


def rgb(colour):
    """Red, green, blue from 0 to 1 of a computed colour: rgb(…) or color(srgb …)."""
    numbers = [float(n) for n in re.findall(r"[\d.]+", colour)][:3]
    return numbers if colour.startswith("color(") else [n / 255 for n in numbers]


def contrast(first, second):
    """The contrast ratio of WCAG 2."""

    def luminance(colour):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb(colour)]
        return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_by_hand():
    assert contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)") == pytest.approx(21)
    assert contrast("rgb(119, 119, 119)", "color(srgb 1 1 1)") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["rest", "way", "focus"])
def test_text_in_the_boxes_has_contrast(visit, scheme, state):
    tab = visit(scheme)
    if state == "way":
        tab.select_option(".map-target select", "clip")
    if state == "focus":
        focus(tab, "attention")
    pairs = tab.evaluate("""() => [...document.querySelectorAll(".map-node")].flatMap(g => {
        const fill = selector => getComputedStyle(g.querySelector(selector)).fill;
        const pairs = [[fill("text"), fill("rect")]];
        return g.classList.contains("is-marked") ? [...pairs, [fill(".map-mark text"), fill("circle")]] : pairs;
    })""")
    assert len(pairs) >= 61
    assert min(contrast(*pair) for pair in pairs) >= 4.5
    heads = tab.evaluate("""() => [...document.querySelectorAll(".map-svg > g[class^=hue-]")].flatMap(g =>
        [".map-arc", ".map-question"].map(s => [s, "rect"].map(n => getComputedStyle(g.querySelector(n)).fill)))""")
    assert min(contrast(*pair) for pair in heads) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(visit, scheme, width):
    tab = visit(scheme, width=width)
    tab.evaluate((ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    for state in ("rest", "way", "list"):
        if state == "way":
            tab.select_option(".map-target select", "text_to_image")
            focus(tab, "attention")
        if state == "list":
            tab.evaluate("document.querySelector('[value=list]').click()")
            tab.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        found = tab.evaluate("rules => axe.run(document, { runOnly: rules })", RULES)
        assert len(found["passes"]) > 20
        assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == [], state


# ---- by keyboard -----------------------------------------------------------------------------------------------------
def test_the_tab_key_reaches_every_concept_and_none_is_covered(visit, the_map):
    tab = visit(height=720)
    tab.focus(".map-target select")
    seen = []
    for _ in range(len(the_map.concepts)):
        tab.keyboard.press("Tab")
        slug, bottom, top = tab.evaluate("""() => {
            const box = document.activeElement.querySelector("rect").getBoundingClientRect();
            const detail = document.querySelector(".map-detail").getBoundingClientRect();
            return [document.activeElement.closest(".map-node").dataset.slug, box.bottom, detail.top];
        }""")
        assert bottom <= top, f"{slug} is behind the detail area"
        assert tab.locator(".map-detail").get_attribute("data-slug") == slug
        seen.append(slug)
    assert sorted(seen) == sorted(the_map.concepts)


def test_the_map_can_be_skipped(visit):
    tab = visit()
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "map-skip"
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "after-map"


def test_a_focused_concept_has_a_ring(visit, the_map):
    tab = visit()
    for c in list(the_map)[:2]:  # one planned, one a link
        focus(tab, c.slug)
        tab.keyboard.press("Shift")  # the keyboard is in use: :focus-visible
        style = f"getComputedStyle(document.querySelector('#m-{c.slug} rect'))"
        assert tab.evaluate(f"{style}.outlineStyle") == "solid"
        assert tab.evaluate(f"parseFloat({style}.outlineWidth)") >= 2


# ---- what it remembers, and the way ----------------------------------------------------------------------------------
def known(tab):
    return tab.evaluate("JSON.parse(localStorage.getItem('kb.known') || '[]')")


def test_what_is_known_is_marked_and_kept(visit, the_map):
    tab = visit()
    focus(tab, "softmax")
    tab.keyboard.press("k")
    point(tab, "neuron")
    tab.locator(".map-detail[data-slug=neuron] .map-knows").check()
    assert known(tab) == ["neuron", "softmax"]
    tab.reload()
    for slug in ("neuron", "softmax"):
        assert tab.locator(f"#m-{slug} .map-mark text").text_content() == "✓"
        named = tab.locator(f"#m-{slug} a" if the_map[slug].live else f"#m-{slug}")
        assert named.get_attribute("aria-label").endswith(", known")
        assert tab.locator(f".map-list [data-slug={slug}] .map-knows").is_checked()
    assert tab.locator(".map-node.is-marked").count() == 2
    assert tab.locator(".map-count").text_content() == f"You know 2 of {len(the_map.concepts)}."
    tab.click(".map-clear")
    assert known(tab) == []
    assert tab.locator(".map-node.is-marked").count() == 0


def test_the_toggle_of_a_concept_page(visit, address):
    tab = visit("toggle")
    button = tab.get_by_role("button", name="I know this")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    other = tab.context.new_page()
    other.goto(f"{address}light.html")
    assert other.locator("#m-softmax .map-mark text").text_content() == "✓"
    focus(other, "softmax")
    other.keyboard.press("k")  # the first tab hears of it
    until(tab, "document.querySelector('.known-toggle').ariaPressed === 'false'")
    assert not visit("toggle", java_script_enabled=False).locator(".known-toggle").is_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_way_to_a_concept(visit, the_map, width):
    tab = visit(width=width, before="localStorage.setItem('kb.known', '[\"layers\",\"softmax\"]')")
    rest = without(the_map, {"layers", "softmax"})
    want = {"clip"} | rest.ancestors["clip"]
    tab.select_option(".map-target select", "clip")
    stops = tab.locator(".map-way li").all_inner_texts()
    assert len(stops) == len(want)
    for c in the_map:
        here = [s for s in stops if s.startswith((c.title + " ", c.title + "\n")) or s == c.title]
        assert bool(here) == (c.slug in want), c.slug
        assert ("planned" in here[0] if here else False) == (bool(here) and not c.live)
    minutes = sum(the_map[slug].minutes for slug in want)
    head = tab.locator(".map-way strong").inner_text()
    assert head == f"The way to CLIP: {len(want)} concepts, {minutes // 60} h {minutes % 60} min"
    if width == 1280:
        marks = tab.evaluate("""() => Object.fromEntries([...document.querySelectorAll(".on-way[data-slug]")].map(g =>
            [g.dataset.slug, +g.querySelector(".map-mark text").textContent]))""")
        assert sorted(marks, key=marks.get) == tab.evaluate("""() => {
            const slugs = Object.fromEntries([...document.querySelectorAll("option")].map(o => [o.text, o.value]));
            return [...document.querySelectorAll(".map-way li")].map(li => slugs[li.firstChild.textContent]);
        }""")
        assert sorted(marks.values()) == list(range(1, len(want) + 1))
        assert lit(tab)[0] == want
        assert lit(tab)[1] == {f"{a} {b}" for a, b, _ in the_map.edges if {a, b} <= want}
    tab.get_by_role("button", name="Close").click()
    assert tab.locator(".map-way").inner_text() == ""
    assert lit(tab) == (set(), set())


def test_the_way_by_keyboard_and_from_the_list(visit):
    tab = visit()
    focus(tab, "gradient")
    tab.keyboard.press("w")
    assert tab.locator(".map-way strong").inner_text().startswith("The way to The gradient: 2 concepts, ")
    tab.keyboard.press("k")
    assert tab.locator(".map-way strong").inner_text() == "You know The gradient already."
    tab = visit(width=390)
    tab.locator(".map-list [data-slug=gradient] .map-ask").click()
    assert tab.locator(".map-way").is_visible()
    assert tab.locator(".map-way li").count() == 2


# ---- looking for something -------------------------------------------------------------------------------------------
def found(tab):
    """The slugs that are found, in the drawing and in the list."""
    drawn = tab.locator(".map-node:not(.is-out)").evaluate_all("gs => gs.map(g => g.dataset.slug)")
    listed = tab.locator(".map-list li[data-slug]:not([hidden])").evaluate_all("ls => ls.map(l => l.dataset.slug)")
    assert sorted(drawn) == sorted(listed)
    return set(listed)


def test_the_map_is_searched_by_title_meaning_and_terms(visit, the_map):
    tab = visit()
    tab.fill(".map-find input", "softMAX")
    hits = found(tab)
    assert "softmax" in hits
    assert 1 <= len(hits) < len(the_map.concepts) / 3
    assert tab.locator(".map-found").inner_text() == f"{len(hits)} found."
    tab.fill(".map-find input", "log-sum-exp")
    assert found(tab) == {"softmax"}, "one of its terms"
    tab.press(".map-find input", "Enter")
    assert tab.evaluate("document.activeElement.closest('[data-slug]').dataset.slug") == "softmax"
    tab.fill(".map-find input", "clip")
    assert {"clip", "optimizers"} <= found(tab), "one clips gradients too"
    tab.press(".map-find input", "Enter")
    assert tab.evaluate("document.activeElement.closest('[data-slug]').dataset.slug") == "clip"
    tab.fill(".map-find input", "no such thing")
    assert found(tab) == set()
    assert tab.locator(".map-list h2").evaluate_all("hs => hs.every(h => h.parentElement.hidden)")
    tab.fill(".map-find input", "")
    assert len(found(tab)) == len(the_map.concepts)
    assert tab.locator(".map-found").inner_text() == ""


def test_the_map_is_filtered_by_arc_and_by_chapter(visit, the_map):
    tab = visit(width=390)
    for group, expected in (
        ("learning", {c.slug for c in the_map if c.arc == "learning"}),
        ("DL6", {c.slug for c in the_map if "DL6" in c.chapters}),
    ):
        tab.select_option(".map-filter select", group)
        assert found(tab) == expected
    tab.fill(".map-find input", "queries")
    assert found(tab) < expected


@pytest.mark.parametrize(
    "before",
    [
        "localStorage.setItem('kb.known', '{broken')",
        "localStorage.setItem('kb.known', '{\"softmax\": 1}')",
        "localStorage.setItem('kb.known', '[\"no_such_concept\"]')",
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('denied') } })",
    ],
)
def test_a_storage_that_is_odd_or_denied_breaks_nothing(visit, before):
    tab = visit(before=before)
    assert tab.locator(".map-node.is-marked").count() == 0
    focus(tab, "softmax")
    tab.keyboard.press("k")
    assert tab.locator("#m-softmax .map-mark text").text_content() == "✓"


MOVING = """document.getAnimations().filter((a) => a.effect.target.closest(".kb-map"))
    .map((a) => `${a.effect.target.outerHTML.slice(0, 100)}: ${a.transitionProperty ?? a.animationName}`)"""


def test_nothing_moves(visit):
    tab = visit()
    until(tab, f"{MOVING}.length === 0")  # the theme fades links in while the page loads
    focus(tab, "attention")
    assert tab.evaluate(MOVING) == []


# ---- the built home page ---------------------------------------------------------------------------------------------
def test_the_home_page_is_the_map(browser):
    whole = load_map()
    with serve(ROOT / "site") as at:
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto(at)
        slugs = tab.evaluate("[...document.querySelectorAll('.map-node')].map(g => g.dataset.slug)")
        assert sorted(slugs) == sorted(whole.concepts)
        assert tab.locator(".map-svg").is_visible()
        assert tab.locator(".kb-map.is-live").count() == 1, "map.js runs"
        assert tab.evaluate("getComputedStyle(document.querySelector('.map-node rect')).strokeWidth") == "1.2px"
        assert tab.request.get(f"{at}map.json").text() == map_json(whole)
        for path in {a.get_attribute("href") for a in tab.locator(".map-node a").all()}:
            assert tab.request.get(at + path).ok, path
        tab.close()


SHIFTS = """window.shifts = 0;
    const add = (list) => { for (const entry of list.getEntries()) window.shifts += entry.value; };
    new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });"""


@pytest.mark.parametrize("width", [412, 1280])
def test_nothing_moves_when_the_script_comes_late(browser, width):
    with serve(ROOT / "site") as at:
        tab = browser.new_page(viewport={"width": width, "height": 823})
        tab.add_init_script(SHIFTS)
        tab.route("**/map*.js", lambda route: (time.sleep(0.4), route.continue_()))
        tab.goto(at)
        until(tab, "document.querySelector('.kb-map.is-live')")
        until(tab, "performance.getEntriesByName('first-contentful-paint').length")
        tab.wait_for_timeout(100)
        assert tab.evaluate("window.shifts") < 0.01
        tab.close()
