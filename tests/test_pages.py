"""Every concept page has the anatomy of the template, says what the code computes, and shows code that ran."""

import re

import numpy as np
import pytest

from sitebuild import ROOT, sources
from sitebuild.concepts import SUMMARY_LENGTH
from sitebuild.sources import bibliography, citations
from tests.pages import SECTIONS, Page, agrees, all_pages, concept_pages

PAGES = concept_pages()
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
# What takes a second or more, such as drawing digits: `make check` leaves it to `make test`.
SLOW = re.compile(r"\b(held_out_accuracy|score_variance|mean_loss_over_levels|codes|drawn|read_as_asked|small_pair)\(")


each_claim = pytest.mark.parametrize(
    ("page", "text", "expression"),
    [
        pytest.param(page, text, expression, marks=[pytest.mark.slow] if SLOW.search(expression) else [])
        for page in all_pages()
        for text, expression in page.claims
    ],
    ids=lambda value: value.name if isinstance(value, Page) else value,
)
each_check = pytest.mark.parametrize(
    ("page", "statement", "right", "bindings"),
    [(page, *check) for page in PAGES for check in page.checks],
    ids=lambda value: value.name if isinstance(value, Page) else value,
)


# ---- anatomy -----------------------------------------------------------------------------------------------------
@each_page
def test_sections_in_order(page):
    assert re.findall(r"^## (.*)$", page.body, re.M) == SECTIONS


@each_page
def test_frame(page):
    slug = page.path.stem
    lines = [line for line in page.body.split("\n") if line.strip()]
    assert lines[0] == f"{{{{ head {slug} }}}}"
    assert lines[1] == f"# {page.meta['title']}"
    assert lines[2].endswith("."), "the definition is one sentence"
    assert lines[3] == f"{{{{ needs {slug} }}}}"
    assert lines[4].startswith("{{ figure ") or lines[4].startswith("{{ explore "), "a figure comes first"
    assert lines[-1] == f"{{{{ foot {slug} }}}}"
    assert page.path.parent.name == page.meta["arc"]


@each_page
def test_front_matter(page):
    keys = {"title", "arc", "chapters", "needs", "summary", "terms", "code", "minutes"}
    assert set(page.meta) - {"search"} == keys
    assert set(page.meta.get("search", {})) <= {"boost", "words"}
    assert 20 <= len(page.meta["summary"]) <= SUMMARY_LENGTH
    assert page.meta["summary"].endswith(".")
    assert page.meta["code"], "a page names the kb modules that it explains"


@each_page
def test_the_words_of_the_search_are_on_the_page(page):
    """`search: words:` may say a thing as readers type it, but of nothing that is not there (hyphens, -ise aside)."""
    slug, module = page.path.stem, page.path.with_suffix(".py").relative_to(ROOT / "docs")
    files = [page.path, *(ROOT / "snippets").glob(f"{slug}*.py"), ROOT / "kb" / module, ROOT / "kb" / "torch" / module]
    there = plain("\n".join(path.read_text(encoding="utf-8") for path in files if path.exists()))
    for words in page.meta.get("search", {}).get("words", []):
        for word in plain(words).split():
            assert re.search(rf"(?<![a-z]){re.escape(word)}", there), f"{words!r} is not what {page.name} is about"


def plain(text):
    """Small letters, British, no hyphens and brackets; without the front matter's own words."""
    text = re.sub(r"^search: .*$", "", text, flags=re.M)
    return re.sub(r"[\s\-_.()]+", " ", text.lower().replace("z", "s"))


@each_page
def test_length(page):
    words = len(re.findall(r"[A-Za-z]{2,}", prose(page.body)))
    assert 600 <= words <= 1700, f"{words} words"


@each_page
def test_three_to_five_questions_each_with_an_answer(page):
    section = page.section("Check yourself")
    questions = re.findall(r"^\*\*(\d)\.\*\* ", section, re.M)
    assert questions == [str(i + 1) for i in range(len(questions))]
    assert 3 <= len(questions) <= 5
    assert section.count('??? answer "Answer"') == len(questions)


@each_page
def test_shows_its_snippet_and_a_broken_one(page):
    assert f"{{{{ snippet {page.path.stem} }}}}" in page.section("Example")
    assert re.search(rf"^\{{\{{ break {page.path.stem}\w*: .+ \}}\}}$", page.body, re.M), "Break it yourself"


@each_page
def test_a_display_formula_is_followed_by_its_check(page):
    """A formula on a line of its own has a line of NumPy that a test compares with it, or says why it has none."""
    blocks = [b.strip() for b in re.split(r"\n\s*\n", page.body) if b.strip()]
    for block, after in zip(blocks, [*blocks[1:], ""], strict=True):
        if block.startswith("$$"):
            assert after.startswith(("{{ check ", "<!-- no check: ")), f"no check after {block}"


# ---- claims and formulas -----------------------------------------------------------------------------------------
@each_claim
def test_claim(page, text, expression):
    value = eval(expression.replace("&quot;", '"').replace("&lt;", "<"), page.namespace())
    assert agrees(text, value), f"{page.name} prints {text}, {expression} is {value}"


@each_check
def test_check(page, statement, right, bindings):
    """Both sides of the line under a formula agree on three random draws, and a changed draw changes the value."""
    values = []
    for seed in range(3):
        names = page.namespace(seed)
        for binding in bindings.split("; "):
            name, _, expression = binding.partition(" = ")
            names[name.strip()] = eval(expression, names)
        left = eval(statement, names)
        np.testing.assert_allclose(left, eval(right, names), rtol=1e-9, atol=1e-12)
        values.append(np.asarray(left, dtype=np.float64))
    assert any(v.shape != values[0].shape or not np.array_equal(v, values[0]) for v in values[1:]), "constant"


@each_page
def test_a_page_has_claims_and_checks(page):
    assert len(page.claims) >= 5
    assert page.checks


def test_the_claim_comparison_can_fail():
    assert agrees("13,002", 13002)
    assert not agrees("13,002", 13003)
    assert agrees("0.66", 0.659)
    assert not agrees("0.659", 0.6596)
    assert agrees("95.3 %", 0.9528)
    assert not agrees("95.3 %", 95.3)
    assert agrees("4.04e-5", 4.0366e-5)
    assert agrees("[1, −2]", np.array([1.2, -2.4]))
    assert not agrees("[1, 2]", np.array([1.0, 2.0, 3.0]))
    assert not agrees("True", False)


@each_page
def test_no_number_in_the_prose_without_its_expression(page):
    """A number with a decimal point or at least three digits is a claim, code, mathematics, a year, or marked `.given`.

    `.given` marks what the reader is handed (an input of an example, a size from a paper), not what code could compute.
    """
    body = page.body[: page.body.index("## Sources")]
    body = re.sub(r"\*[^*\n]+\*\{ \.(kb|given)[^}]*\}", "", body)
    naked = re.findall(r"(?<![\w.@/-])(?:\d[\d,]*\.\d+|\d{1,3}(?:,\d{3})+|\d{3,})(?![\w-])", prose(body))
    naked = [n for n in naked if not re.fullmatch(r"(19|20)\d\d", n)]
    assert not naked, f"numbers without an expression: {naked}"


def test_prose_keeps_the_words_and_drops_the_rest():
    text = 'A *2.5*{ .kb data-expr="x" } b `3.5` $4.5$\n\n$$ 5.5 $$\n\n{{ check 6.5 == x for x = 1 }}\n\n'
    text += "[7.5](8.5.md) [[softmax|it]] 9.5"
    assert re.findall(r"\d\.5", prose(text)) == ["2.5", "7.5", "9.5"]


def prose(text):
    """A page without macros, code, mathematics, HTML, link targets and attributes."""
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    text = re.sub(r"^\s*\{\{ (?:figure|break) [\w.]+: (.*) \}\}$", r"\1", text, flags=re.M)
    text = re.sub(r"^\s*\{\{.*\}\}$", "", text, flags=re.M)
    for pattern in (r"<!--.*?-->", r"\$\$.*?\$\$", r"\$[^$\n]+\$", r"`[^`\n]*`", r"<[^>\n]+>"):
        text = re.sub(pattern, "", text, flags=re.S)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return re.sub(r"\{[^}\n]*\}|\[\[\w+\|?|\[@\w+\]", "", text)


# ---- code on pages -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("page", all_pages(), ids=lambda page: page.name)
def test_every_python_fence_ran(page):
    """Python on a page comes from a snippet or a figure; a fence typed by hand says visibly why it is not run."""
    for match in re.finditer(r"^(?P<indent> *)```(?P<info>[^\n]*)\n(?P<code>.*?)^ *```", page.body, re.M | re.S):
        language = re.sub(r"[{\s.].*", "", match["info"].strip().lstrip("{. "))
        assert language, f"{page.name}: a fence without a language"
        if language in {"python", "py", "pycon"}:
            assert 'title="not run, because ' in match["info"], f"{page.name}: unmarked Python fence"


# ---- citations ---------------------------------------------------------------------------------------------------
@each_page
def test_sources_cite_the_bibliography(page):
    keys = re.findall(r"^- \[@(\w+)\]", page.section("Sources"), re.M)
    assert keys
    assert set(keys) <= set(bibliography())


def test_bibliography():
    """Every entry can be found by a reader: authors, title, year, and an address that lasts where there is one."""
    for key, source in bibliography().items():
        assert {"authors", "title", "year", "kind"} <= set(source), key
        assert all(author.strip() for author in source["authors"]), key
        assert source.get("arxiv") or source.get("doi") or source.get("url"), key
        assert re.fullmatch(r"\d{4}\.\d{4,5}|[a-z-]+/\d{7}", source.get("arxiv", "0000.0000")), key
        assert source.get("doi", "10.").startswith("10."), key
        assert str(source["year"]) in key, f"{key}: the year is {source['year']}"


def test_every_citation_is_listed_and_every_entry_is_cited():
    cited = {key for page in all_pages() for key in citations(page.path)}
    assert cited <= set(bibliography()), "not in the bibliography"
    assert set(bibliography()) <= cited, "nobody cites it"


def test_the_page_of_sources_names_every_entry_with_all_it_has():
    page = sources.everything()
    for key in {key for page in all_pages() for key in citations(page.path)}:
        source = bibliography()[key]
        line = next(line for line in page.split("\n") if f'id="{key}"' in line)
        said = [sources.family(author) for author in source["authors"]] + [str(source["year"]), source["title"]]
        said += [source[kind] for kind in ("arxiv", "doi") if source.get(kind)]
        assert [part for part in said if part not in line] == [], key
        assert "Cited in [" in line


# ---- layout ------------------------------------------------------------------------------------------------------
def test_every_page_but_home_is_one_folder_deep():
    """`../<arc>/<slug>.md` and the links of the glossary are written for that depth."""
    depths = {page.name: page.name.count("/") for page in all_pages()}
    assert {name for name, depth in depths.items() if depth != 1} == {"index.md"}


def test_the_template_has_the_anatomy():
    template = (ROOT / "templates" / "concept" / "page.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", template, re.M) == SECTIONS
