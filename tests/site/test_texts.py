"""The Markdown copies: nothing of the site's own notation is left, and nothing that a reader needs is lost."""

import inspect
import re

import pytest

from kb.foundations.softmax import softmax
from sitebuild import macros, texts
from sitebuild.concepts import ARCS, load_map
from tests.pages import concept_pages

LIVE = [c for c in load_map() if c.live]


def of(markdown, folder="foundations"):
    lines = texts.outside_code(markdown.split("\n"), texts.written_out)
    return texts.tidy(texts.outside_code(lines, lambda line: [texts.links(line, folder)]))


def test_every_macro_has_its_markdown():
    assert set(texts.MACROS) == set(macros.MACROS)


def test_tables_that_are_made_stand_in_the_copies():
    for name, said in (("contributing/testing", "layer_norm, (1024, 768)"), ("api/parity", "](")):
        tables = [line for line in texts.copy(texts.DOCS / f"{name}.md").split("\n") if line.startswith("| ")]
        assert len(tables) > 40, name
        assert any(said in line for line in tables), name


def test_claims_are_their_numbers():
    assert of('about *2.6*{ .kb data-expr="f(x)[0]" } of *12*{ .given } *all*') == "about 2.6 of 12 *all*\n"


def test_links_are_whole_addresses():
    url = macros.site_url()
    concept = LIVE[0]
    assert of(f"[[{concept.slug}|these]]") == f"[these]({url}{concept.arc}/{concept.slug}/)\n"
    assert of("[a](../reference/glossary.md#x)") == f"[a]({url}reference/glossary/#x)\n"
    assert of("`[[i]]` and [b](https://example.org/x.md)") == "`[[i]]` and [b](https://example.org/x.md)\n"


def test_admonitions_are_quotes():
    assert of('!!! honesty "Is it?"\n    Yes.\n\n    No.\n\nMore.') == "> **Is it?**\n>\n> Yes.\n>\n> No.\n\nMore.\n"
    assert of("??? answer\n    7.") == "> **Answer**\n>\n> 7.\n"


def test_code_stays_as_it_is():
    text = "```python\na = [[b]]\n\n\nc = '*1*{ .given }'\n```\n"
    assert of(text) == text


@pytest.mark.parametrize("page", concept_pages(), ids=lambda page: page.name)
def test_a_page_is_whole_and_plain(page):
    copy = texts.copy(page.path)
    text = re.sub(r"```.*?```|`[^`\n]*`", "", copy, flags=re.S)
    assert not re.search(r"\{\{|data-expr|\{ ?\.|\[\[[a-z]|\]\(\.\.?/|\[@|^!!!|^\?\?\?", text, re.M)
    for formula in re.findall(r"\$\$.*?\$\$", texts.body(page.path), re.S):
        assert formula in copy
    for name in (page.path.stem, f"{page.path.stem}_torch"):
        snippet = macros.snippet_path(f"{name}.py")
        assert not snippet.exists() or snippet.read_text(encoding="utf-8").rstrip() in copy


OTHERS = [path for path in texts.pages() if path.parent.name not in ARCS]
SLOW = {path for path in OTHERS if path.parent.name == "labs"}  # a lab that has changed is run for its page


@pytest.mark.parametrize(
    "page", [pytest.param(path, marks=[pytest.mark.slow] if path in SLOW else [], id=path.stem) for path in OTHERS]
)
def test_the_other_pages_are_plain_too(page):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", texts.copy(page), flags=re.S)
    assert text.startswith("# ")
    assert not re.search(r"^\{\{|data-expr|\{ ?\.|\[\[[a-z]|\]\(\.\.?/|\[@|^!!!|^\?\?\?", text, re.M)


def test_the_reference_has_signatures_and_meanings():
    text = texts.copy(texts.DOCS / "api" / "foundations.md")
    assert "```python\ndef softmax(x, axis=-1)\n```\n\n" in text
    assert inspect.getdoc(softmax).split("\n")[0] in text
    assert "def _" not in text
    engine = texts.copy(texts.DOCS / "api" / "engine.md")
    assert "```python\nclass Tensor\n```" in engine
    assert "def backward(self" in engine


def test_the_list_names_every_page_once():
    listed = re.findall(r"\]\((\S+)\)", texts.listing())
    assert len(set(listed)) == len(listed) == len(texts.pages())
    assert all(url.startswith(macros.site_url()) and url.endswith("index.md") for url in listed)


@pytest.mark.slow
def test_the_copies_are_in_the_site(site):
    for url in re.findall(r"\]\((\S+)\)", (site / "llms.txt").read_text(encoding="utf-8")):
        place = site / re.sub(r"^https?://[^/]+/", "", url)
        assert place.read_text(encoding="utf-8").startswith("# ")
    assert (site / "llms-full.txt").read_text(encoding="utf-8").count("\n## Check yourself\n") == len(LIVE)
