"""The Markdown extension: what a line of a page becomes, and what it refuses."""

import re

import markdown
import pytest
import yaml
from material.plugins.search.plugin import Parser

from sitebuild import ROOT, figures, katex, late, links, macros, sources
from sitebuild.concepts import load_map
from tests.pages import concept_pages

MAP = load_map()
LIVE = next(c for c in MAP if c.live)
OTHER = next(c for c in MAP if c.live and c is not LIVE)
PLANNED = next((c for c in MAP if not c.live), None)


def html(text):
    extensions = yaml.safe_load(
        re.sub(r"!ENV.*", "x", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")),
    )["markdown_extensions"]
    names = [next(iter(e)) if isinstance(e, dict) else e for e in extensions]
    configs = {k: v for e in extensions if isinstance(e, dict) for k, v in e.items()}
    return markdown.markdown(text, extensions=names, extension_configs=configs)


# ---- links -------------------------------------------------------------------------------------------------------
def test_a_link_to_a_finished_concept_carries_its_meaning():
    out = html(f"See [[{LIVE.slug}]] and [[{LIVE.slug}|the words]].")
    assert out.count(f'href="../{LIVE.path}"') == 2
    assert ">the words</a>" in out
    assert LIVE.summary[:30] in out


@pytest.mark.skipif(PLANNED is None, reason="every concept has a page: the branch is tested by test_target")
def test_a_link_to_a_planned_concept_leads_to_the_glossary():
    assert f"glossary.md#{PLANNED.slug}" in html(f"See [[{PLANNED.slug}]].")


def test_target():
    planned = LIVE.__class__("x", "X", "structure", "It is x.", {})
    assert links.target(planned) == "../reference/glossary.md#x"
    assert links.target(LIVE) == f"../{LIVE.path}"


def test_an_unknown_concept_fails():
    with pytest.raises(ValueError, match="no such concept"):
        html("See [[nowhere]].")


def test_the_first_mention_of_a_term_is_linked_once_and_not_inside_code_or_headings():
    term = OTHER.terms[0]
    out = html(f"{{{{ head {LIVE.slug} }}}}\n\n# {term}\n\n`{term}` then {term} and {term} again, $x$.")
    assert out.count("term auto") == 1
    assert f"<code>{term}</code>" in out
    assert "term auto" not in out.split("</h1>")[0]


def test_a_longer_term_is_not_split_by_a_shorter_one():
    out = html("{{ head neuron }}\n\nAn activation function here, an activation function there.")
    assert ">activation<" not in out


def test_docstrings_have_no_automatic_links():
    assert "term auto" not in html(f"A paragraph about {OTHER.terms[0]}.")


# ---- claims and macros -------------------------------------------------------------------------------------------
def test_a_claim_can_be_reached_by_keyboard():
    out = html('It has *13,002*{ .kb data-expr="count_parameters(784, 16, 16, 10)" } of them.')
    assert re.search(r'<em class="kb" data-expr="count_parameters\(784, 16, 16, 10\)" tabindex="0">13,002</em>', out)


def test_markdown_does_not_see_an_expression():
    out = html('A *1*{ .kb data-expr="a[0][1] ** 2" } and *2*{ .kb data-expr="b ** 2 * x_[`k`]" }.')
    assert 'data-expr="a[0][1] ** 2"' in out
    assert 'data-expr="b ** 2 * x_[`k`]"' in out


@pytest.mark.slow
@pytest.mark.parametrize("page", concept_pages(), ids=lambda page: page.name)
def test_every_claim_of_a_page_arrives(page, monkeypatch):
    """Two `**` in one paragraph would be read as bold, and the claims between them be lost. Nothing is drawn for it."""
    monkeypatch.setattr(late, "MAKERS", dict.fromkeys(late.MAKERS, lambda name: ""))
    assert html(page.body).count('class="kb"') == len(page.claims)


def test_an_unknown_macro_fails():
    with pytest.raises(ValueError, match="no such macro"):
        html("{{ nonsense softmax }}")


def test_a_macro_in_a_code_fence_is_text():
    assert "{{ nonsense softmax }}" in html("```text\n{{ nonsense softmax }}\n```")


def test_a_check_shows_both_sides_and_not_its_draws():
    out = html("{{ check f(x)[0] == sum(x[i] for i in range(3)) for x = normal(3) }}")
    assert "<code>f(x)[0]</code> equals <code>sum(x[i] for i in range(3))</code>" in out
    assert "normal" not in out


def test_a_snippet_is_shown_byte_for_byte_with_its_two_ways_out():
    out = html(f"{{{{ snippet {LIVE.slug} }}}}")
    shown = re.sub(r"<[^>]+>", "", out)
    for line in (ROOT / "snippets" / f"{LIVE.slug}.py").read_text(encoding="utf-8").splitlines()[:3]:
        assert line.replace('"', "&quot;") in shown or line in shown
    assert f"uv run {macros.site_url()}snippets/{LIVE.slug}.py" in shown
    assert f'href="../snippets/{LIVE.slug}.py"' in out


# ---- mathematics -------------------------------------------------------------------------------------------------
def test_formulas_become_html_and_mathml():
    out = html("Inline $a^2$ and\n\n$$ \\frac{a}{b} $$")
    assert out.count("<math") == 2
    assert '<div class="formula" tabindex="0" data-search-exclude>' in out
    assert "arithmatex" not in out


def test_the_search_gets_a_formula_in_the_text_once_and_a_displayed_one_not():
    parser = Parser()
    parser.feed("<h1 id=t>T</h1>" + html("Weights $W_E$ and\n\n$$ \\frac{Q}{b} $$\n\nend."))
    assert re.sub(r"\s+", " ", "".join(parser.data[0].text)) == "<p>Weights WE and</p> <p>end.</p>"


def test_an_unparsable_formula_fails():
    with pytest.raises(ValueError, match="KaTeX"):
        katex.render(r"\frac{a}{")
    with pytest.raises(ValueError, match="KaTeX"):
        html(r"Inline $\nosuchcommand$ here.")


# ---- citations ---------------------------------------------------------------------------------------------------
def test_citations():
    out = html("As shown [@vaswani2017attention].\n\n- [@vaswani2017attention], equation 1.")
    assert out.count("https://arxiv.org/abs/1706.03762") == 2
    assert "Vaswani et al., 2017" in out
    assert "Vaswani et al. (2017)" in out
    with pytest.raises(ValueError, match="no such entry"):
        html("[@nobody1900nothing]")


def test_people():
    assert sources.people({"authors": ["A, B"]}) == "A"
    assert sources.people({"authors": ["A, B", "C, D"]}) == "A and C"
    assert sources.people({"authors": ["A, B", "C, D", "E, F"]}) == "A et al."


# ---- figures -----------------------------------------------------------------------------------------------------
RAW = """<?xml version="1.0"?><!DOCTYPE svg><svg width="10pt" viewBox="0 0 10 10" xmlns="http://www.w3.org/2000/svg">
 <metadata>date</metadata><g id="figure_1"><path id="used" d="M 1.23456 2" style="fill: #0b5cad"/>
 <use href="#used"/><text style="font: 10px 'DejaVu Sans'">0.6590</text></g></svg>"""


def test_a_figure_takes_the_colours_of_the_page_and_keeps_its_labels():
    out = figures.tidy(RAW, 'three "bars"')
    assert "var(--foundations)" in out
    assert "M 1.2 2" in out
    assert ">0.6590<" in out, "labels are not rounded"
    assert 'aria-label="three &quot;bars&quot;"' in out
    assert 'id="figure-0"' in out
    assert 'href="#figure-0"' in out
    for gone in ("figure_1", "metadata", "DOCTYPE", "DejaVu", 'width="10pt"'):
        assert gone not in out


@pytest.mark.slow  # every figure has to be drawn for it
@pytest.mark.parametrize("name", figures.names())
def test_the_alternative_text_says_what_the_figure_shows(name):
    svg = figures.svg(name)
    alt = re.search(r'aria-label="([^"]*)"', svg)[1]
    assert len(alt.split()) >= 12, f"{name}: {alt}"
    assert "#0" not in re.sub(r'(?:href|url\()="?#[\w-]+', "", svg), f"{name}: a colour that is not the page's"


def test_the_code_shown_under_a_figure_is_the_code_that_drew_it():
    text = (ROOT / "figures" / "softmax.py").read_text(encoding="utf-8")
    shown = figures.source("softmax.steps")
    assert shown.startswith("def steps():")
    assert all(line in text for line in shown.splitlines())
    assert '"""' not in shown
    with pytest.raises(ValueError, match="no function"):
        figures.source("softmax.nothing")


def test_a_figure_is_drawn_again_when_kb_changes():
    """The fingerprint covers the drawing code and everything of kb that it imports."""
    files = {path.relative_to(ROOT).as_posix() for path in figures.dependencies(ROOT / "figures" / "softmax.py")}
    assert {"figures/softmax.py", "figures/style.py", "kb/foundations/softmax.py", "kb/shapes.py"} <= files
