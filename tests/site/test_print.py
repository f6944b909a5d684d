"""Pages on paper: light, without the frame, both tabs and all answers open, nothing wider than the sheet."""

import pytest

from tests.site.built import concept_pages
from tests.site.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHEET = 672  # 178 mm, A4 between its margins, in CSS pixels
CONCEPTS = concept_pages()
WIDEST = ("softmax", "attention", "backpropagation", "computation_graph", "tokenization", "positional_encoding")
SAMPLE = [page for page in CONCEPTS if page.split("/")[1] in WIDEST]
OTHERS = ["paths/interview_check/", "labs/digits/", "reference/notation/", "api/foundations/"]


@pytest.fixture
def paper(tab, address):
    """paper("foundations/softmax/"): the page of a reader who likes it dark, as the printer gets it."""

    def show(page, **options):
        shown = tab(address + page, width=SHEET, color_scheme="dark", **options)
        shown.emulate_media(media="print")
        return shown

    return show


def hidden(page, selector):
    """The first words of those that are not visible, or lie in something closed."""
    return page.evaluate(
        """selector => [...document.querySelectorAll(selector)]
        .filter((e) => !e.checkVisibility({ contentVisibilityAuto: true }) || e.getBoundingClientRect().height === 0)
        .map((e) => e.textContent.trim().slice(0, 60))""",
        selector,
    )


@pytest.mark.parametrize("scripts", [True, False], ids=["with a script", "without"])
def test_both_tabs_and_the_answers_are_printed_with_their_names(paper, scripts):
    page = paper("foundations/softmax/", java_script_enabled=scripts)
    assert page.locator(".tabbed-block").count() >= 2
    assert hidden(page, ".tabbed-labels > label, .tabbed-block pre, .filename") == []
    assert page.locator("details.answer").count() >= 3
    assert hidden(page, "details.answer > *") == []
    tops = page.evaluate("""[".tabbed-labels > label:nth-child(1)", ".tabbed-block:nth-child(1)",
        ".tabbed-labels > label:nth-child(2)", ".tabbed-block:nth-child(2)"]
        .map((selector) => document.querySelector(`.tabbed-set ${selector}`).getBoundingClientRect().top)""")
    assert tops == sorted(tops), "NumPy, its code, PyTorch, its code"


def test_the_frame_and_the_buttons_stay_behind(paper):
    page = paper("foundations/softmax/")
    frame = (
        ".md-header, .md-tabs, .md-sidebar, .md-footer, .md-top, .md-search, .headerlink, .known-toggle, button, .run"
    )
    assert [part for part in page.locator(frame).all() if part.is_visible()] == []


def test_paper_is_light_whatever_the_screen(paper):
    page = paper("foundations/softmax/")
    assert page.evaluate("document.body.dataset.mdColorScheme") == "slate"
    colours = """[getComputedStyle(document.querySelector("article h1 + p")).color,
        getComputedStyle(document.body).getPropertyValue("--foundations")]"""
    assert page.evaluate(colours) == ["rgb(28, 30, 33)", "#0b5cad"]
    page.emulate_media(media="screen")
    assert page.evaluate(colours) == ["rgb(229, 230, 227)", "#7db8f5"]


@pytest.mark.parametrize("page", ["", *SAMPLE, *OTHERS], ids=lambda page: page or "home")
def test_nothing_is_wider_than_the_sheet(paper, page):
    shown = paper(page)
    until(shown, "document.fonts.status === 'loaded'")
    over = shown.evaluate(
        """width => [...document.querySelectorAll("article *")]
        .filter((e) => e.checkVisibility() && !e.closest(".katex-mathml, svg"))
        .filter((e) => e.getBoundingClientRect().right > width + 1)
        .map((e) => e.outerHTML.slice(0, 100))""",
        SHEET,
    )
    assert over == []


def test_figures_and_formulas_are_not_cut_and_sources_say_where(paper):
    page = paper("foundations/softmax/")
    inside = (
        "selector => [...new Set([...document.querySelectorAll(selector)].map((e) => getComputedStyle(e).breakInside))]"
    )
    for selector in ("figure", ".formula", "tr"):
        assert page.evaluate(inside, selector) == ["avoid"], selector
    said = """selector => [...document.querySelectorAll(selector)].map((e) => getComputedStyle(e, "::after").content)"""
    addresses = page.evaluate(said, "#sources ~ ul a[href^=http]")
    assert addresses
    assert all("http" in address for address in addresses)
    assert set(page.evaluate(said, "article p a[href]:not(.headerlink)")) == {"none"}


def test_the_map_is_drawn_and_listed(paper):
    page = paper("")
    assert page.locator(".map-svg").is_visible()
    assert hidden(page, ".map-list .map-title, .map-list .map-about > p:not(.map-own)") == []
    controls = ".map-bar, .map-own, .map-detail, .map-skip, .map-way, .map-list details"
    assert [part for part in page.locator(controls).all() if part.is_visible()] == []
    sheets = page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n")
    assert 3 <= sheets <= 9


def test_a_pdf_can_be_made_of_a_page(paper):
    made = paper("foundations/softmax/").pdf()
    assert made.startswith(b"%PDF-")
    assert 4 <= made.count(b"/Type /Page\n") <= 10
