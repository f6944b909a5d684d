"""What a reader does with a page, by keyboard too: ask for a meaning, change tabs and colours, copy, search, jump."""

import re

import pytest

from sitebuild import ROOT
from tests.site.built import each_concept
from tests.site.waiting import until

pytestmark = pytest.mark.browser

SOFTMAX = "foundations/softmax/"
SAID = "article :is(a.term, em.kb)"
OPEN_ALL = "document.querySelectorAll('article details').forEach((d) => { d.open = true; })"

MEANING = "function () { return [this.textContent, getComputedStyle(this, '::after').content]; }"


def box_of_after(session, element):
    """(left, top, right, bottom) of the ::after of an element in the window, None where there is none."""
    node = session.send("DOM.describeNode", {"objectId": element["objectId"]})["node"]
    after = [p for p in node.get("pseudoElements", []) if p["pseudoType"] == "after"]
    if not after:
        return None
    quad = session.send("DOM.getBoxModel", {"backendNodeId": after[0]["backendNodeId"]})["model"]["border"]
    return min(quad[::2]), min(quad[1::2]), max(quad[::2]), max(quad[1::2])


def luminance(colour):
    parts = [int(v) / 255 for v in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


# ---- meanings ----------------------------------------------------------------------------------------------------
@each_concept
def test_every_meaning_appears_on_focus_inside_the_window(tab, address, page):
    shown = tab(address + page, width=390, height=700, until="load")
    shown.evaluate(OPEN_ALL)
    session = shown.context.new_cdp_session(shown)
    shown.keyboard.press("Tab")  # from here on focus is visible
    count = shown.evaluate(f"document.querySelectorAll('{SAID}').length")
    assert count >= 5
    for i in range(count):
        focus = f"(() => {{ const e = document.querySelectorAll('{SAID}')[{i}]; e.focus(); return e; }})()"
        element = session.send("Runtime.evaluate", {"expression": focus})["result"]
        left, top, right, bottom = box_of_after(session, element)
        asked = {"objectId": element["objectId"], "functionDeclaration": MEANING, "returnByValue": True}
        said = session.send("Runtime.callFunctionOn", asked)["result"]["value"]
        assert 0 <= left < right <= 390, said
        assert 0 <= top < bottom <= 700, said
        assert len(said[1]) > 4, said
    assert shown.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_meaning_appears_on_hover_and_can_be_read(tab, address, scheme):
    shown = tab(address + SOFTMAX, color_scheme=scheme)
    after = "e => { const s = getComputedStyle(e, '::after'); return [s.content, s.color, s.backgroundColor]; }"
    for kind, attribute in (("a.term", "data-summary"), ("em.kb", "data-expr")):
        said = shown.locator(f"article {kind}").first
        assert said.evaluate(after)[0] == "none"
        said.hover()
        content, colour, background = said.evaluate(after)
        assert content.strip('"').replace("\\", "") == said.get_attribute(attribute)
        assert contrast(colour, background) >= 7


def test_contrast_by_hand():
    assert contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)") == pytest.approx(21)
    assert contrast("rgb(118, 118, 118)", "rgb(255, 255, 255)") == pytest.approx(4.54, abs=0.01)


# ---- code --------------------------------------------------------------------------------------------------------
def test_what_is_copied_is_the_file_byte_for_byte(tab, address):
    """That each page holds the files as they are is read in the built pages, in test_built."""
    shown = tab(address + SOFTMAX, permissions=["clipboard-read", "clipboard-write"])
    blocks = shown.locator(".highlight:has(> .filename)")
    assert blocks.count() >= 3
    for i in range(blocks.count()):
        block = blocks.nth(i)
        name = block.locator(".filename").text_content()
        if not block.is_visible():
            shown.get_by_text("PyTorch", exact=True).click()
        block.locator("[data-clipboard-target]").click()
        assert shown.evaluate("navigator.clipboard.readText()") == (ROOT / name).read_text(encoding="utf-8")


def test_the_tabs_work_by_keyboard(tab, address):
    shown = tab(address + SOFTMAX)
    numpy, torch = (shown.get_by_text(f"snippets/softmax{end}.py", exact=True) for end in ("", "_torch"))
    assert (numpy.is_visible(), torch.is_visible()) == (True, False)
    for _ in range(200):
        shown.keyboard.press("Tab")
        if shown.evaluate("document.activeElement.matches('.tabbed-set > input')"):
            break
    shown.keyboard.press("ArrowRight")
    assert (numpy.is_visible(), torch.is_visible()) == (False, True)
    assert shown.evaluate("document.querySelector('.tabbed-set > input:focus-visible') !== null")


# ---- the frame ---------------------------------------------------------------------------------------------------
def test_the_scheme_changes_by_keyboard_and_is_remembered(tab, address):
    shown = tab(address, color_scheme="light")
    shown.locator("#__palette_0").focus()
    shown.keyboard.press("Enter")
    assert shown.locator("body").get_attribute("data-md-color-scheme") == "slate"
    shown.goto(address + SOFTMAX)
    assert shown.locator("body").get_attribute("data-md-color-scheme") == "slate"


def test_the_search_opens_with_a_key_and_finds_a_concept(tab, searched):
    shown = tab(searched)
    shown.keyboard.press("/")
    shown.keyboard.type("softmax jacobian")
    found = shown.locator(".md-search-result__link").first
    found.wait_for()
    assert "/foundations/softmax/" in found.get_attribute("href")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_link_to_a_section_shows_it(tab, address, width):
    """Formulas that were not laid out yet must not move the target away."""
    shown = tab(address + SOFTMAX + "#check-yourself", width=width)
    top = shown.evaluate("document.getElementById('check-yourself').getBoundingClientRect().top")
    assert 0 <= top <= 150


def test_only_a_table_that_scrolls_is_a_stop_of_the_tab_key(tab, address):
    shown = tab(address + "reference/notation/")
    boxes = "[...document.querySelectorAll('.md-typeset__scrollwrap')]"
    right = f"{boxes}.every((b) => (b.tabIndex === 0) === (b.scrollWidth > b.clientWidth))"
    stops = f"{boxes}.filter((b) => b.tabIndex === 0).length"
    until(shown, right)
    before, tables = shown.evaluate(stops), shown.evaluate(f"{boxes}.length")
    shown.set_viewport_size({"width": 360, "height": 740})
    until(shown, f"{stops} > {before}")
    until(shown, right)
    assert before < tables
