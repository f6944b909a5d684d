"""Every page of the built site in Chromium: quiet, on its own host, accessible, narrow, readable without JavaScript."""

from urllib.parse import urlsplit

import pytest

from sitebuild import ROOT
from tests.site.built import each_page
from tests.site.waiting import until

pytestmark = pytest.mark.browser

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
READ = """() => [...document.querySelectorAll(
    "article :is(h1, h2, h3, h4, p, li, td, th, dt, dd, pre, figcaption, summary, svg text, .katex-html)")]
    .filter((e) => e.checkVisibility() && !e.querySelector("button") && !e.closest(".map-detail, [role=status]"))
    .map((e) => e.textContent.replace(/\\s+/g, " ").trim())"""
SCROLLS_BY_KEY = """[...document.querySelectorAll(".md-typeset__scrollwrap, article pre > code")]
    .filter((box) => box.scrollWidth > box.clientWidth && box.checkVisibility()).every((box) => box.tabIndex === 0)"""
# Everything is drawn, on the screen or not, and in the colours of now.
DRAW_ALL = ".md-typeset * { content-visibility: visible !important } * { transition: none !important }"
# Answers are read too. Of the source code in the reference, hundreds of closed blocks of one kind, two are enough; so
# are two words of code of each kind in each kind of block, whose colour is that of all the others.
OPEN_ALL = """() => {
    const sources = [...document.querySelectorAll("article details.mkdocstrings-source")];
    for (const source of sources.slice(2)) source.remove();
    for (const details of document.querySelectorAll("article details")) details.open = true;
    const seen = {};
    for (const word of document.querySelectorAll("article pre span[class]:not(:has(span))")) {
        let kind = "";
        for (let e = word; e.tagName !== "ARTICLE"; e = e.parentElement) kind += e.tagName + "." + e.className + " ";
        seen[kind] = (seen[kind] ?? 0) + 1;
        if (seen[kind] > 2) word.replaceWith(word.textContent);
    }
}"""
IN_COLOUR = ["color-contrast", "link-in-text-block"]  # what can be wrong in one scheme and right in the other
WHEN_NARROW = ["scrollable-region-focusable", "target-size"]


def violations(page, rules=None):
    """What axe-core finds, one line each: by all rules of WCAG 2.2 AA, or by those named."""
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
    result = page.evaluate("only => axe.run(document, { runOnly: only, resultTypes: ['violations'] })", only)
    return [f"{v['id']}: {node['html'][:120]}" for v in result["violations"] for node in v["nodes"]]


def listen(page):
    """Write down, while the page is open, what it asks of other hosts and what it complains about."""
    page.heard = []
    page.on("request", lambda r: page.heard.append(r.url) if foreign(r.url) else None)
    page.on("requestfailed", lambda r: page.heard.append(f"failed: {r.url}"))
    page.on("response", lambda r: page.heard.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
    page.on("console", lambda m: page.heard.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: page.heard.append(str(error)))


def foreign(url):
    return urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).hostname != "127.0.0.1"


def overflow(page):
    """By how many pixels the page is wider than the window, and what sticks out furthest."""
    return page.evaluate("""() => {
        const width = document.documentElement.clientWidth, over = document.documentElement.scrollWidth - width;
        if (over <= 0) return "";
        const right = (e) => e.getBoundingClientRect().right;
        const widest = [...document.querySelectorAll("article *")].sort((a, b) => right(b) - right(a))[0];
        return `${over} px: ${widest.outerHTML.slice(0, 120)}`;
    }""")


@each_page
def test_a_page_is_quiet_accessible_narrow_and_whole_without_javascript(tab, address, page):
    """All text that one reads with a script, labels of figures and formulas included, is visible without one."""
    shown = tab(address + page, color_scheme="light", watch=listen)
    with_script = shown.evaluate(READ)
    without = tab(address + page, java_script_enabled=False).evaluate(READ)
    assert with_script
    assert [text for text in with_script if text not in without] == []
    shown.add_style_tag(content=DRAW_ALL)
    shown.evaluate(OPEN_ALL)
    assert violations(shown) == [], "light and wide"
    shown.evaluate("document.querySelector('[data-md-color-scheme=slate]').click()")
    until(shown, "document.body.dataset.mdColorScheme === 'slate'")
    shown.set_viewport_size({"width": 360, "height": 740})
    until(shown, SCROLLS_BY_KEY)
    assert overflow(shown) == ""
    assert violations(shown, IN_COLOUR + WHEN_NARROW) == [], "dark and narrow"
    assert shown.heard == []


@pytest.mark.parametrize("page", ["foundations/softmax/", "api/foundations/", "labs/digits/"])
def test_the_frame_of_a_wide_page_has_contrast_in_the_dark(tab, address, page):
    """Tabs, contents and lists of pages, which a narrow window hides, are the same on all pages of a kind."""
    shown = tab(address + page, color_scheme="dark")
    shown.add_style_tag(content=DRAW_ALL)
    assert shown.evaluate("document.body.dataset.mdColorScheme") == "slate"
    assert shown.locator(".md-tabs, .md-sidebar--secondary").first.is_visible()
    assert violations(shown, IN_COLOUR) == []


# ---- the checks themselves can fail ------------------------------------------------------------------------------
@pytest.fixture
def bad(tab, address):
    """The home page with something wrong in it."""

    def make(html):
        page = tab(address, watch=listen)
        page.evaluate("html => document.querySelector('article').insertAdjacentHTML('beforeend', html)", html)
        return page

    return make


def test_axe_finds_pale_text_and_a_nameless_button(bad):
    found = violations(bad('<p style="color: #aaa; background: #fff">pale</p><button></button>'))
    assert [line.split(":")[0] for line in found] == ["button-name", "color-contrast"]


def test_what_is_too_wide_is_found(bad):
    page = bad('<p style="width: 2000px">wide</p>')
    assert overflow(page).startswith("7") or "2000px" in overflow(page)


def test_another_host_and_an_error_are_heard(bad):
    page = bad('<img src="http://other.invalid/x.png">')
    page.evaluate("console.error('ouch')")
    page.wait_for_timeout(200)
    assert "http://other.invalid/x.png" in page.heard
    assert "ouch" in page.heard
