"""The built site, read as files: links and anchors, no other host, no TeX or macro left over, what a host needs."""

import html
import json
import re
from functools import cache
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree import ElementTree

import pytest
import yaml

from sitebuild import ROOT
from sitebuild.concepts import load_map
from tests.pages import all_pages
from tests.site.built import SITE, each_concept, each_page, file_of, pages
from tests.site.html import Page

pytestmark = pytest.mark.slow  # not in itself, but `make check` has no built site

# Signs of what was meant to become something else: TeX, a macro, a link, a claim, a placeholder of Python-Markdown.
LEFT_OVER = r"\$\$|\\[(\[]|\\[a-zA-Z]{2,}|\{\{|\}\}|\[\[|\[@|\{ ?[.:#]\w|data-expr=|wzxhzdk|[\x02\x03]|--8<--|:::"


@cache
def parsed(page):
    return Page(file_of(page).read_text(encoding="utf-8"))


@cache
def home():
    """The address of the site as it is written into its pages."""
    text = file_of("").read_text(encoding="utf-8")
    return re.search(r'<link rel="canonical" href="([^"]+)"', text)[1]


def problem(page, link):
    """What is wrong with a link of a page, None where nothing is."""
    address = urlsplit(urljoin(home() + page, link))
    if address.scheme not in ("http", "https") or address.netloc != urlsplit(home()).netloc:
        return None
    path = unquote(address.path).removeprefix(urlsplit(home()).path)
    target = SITE / path / "index.html" if path == "" or path.endswith("/") else SITE / path
    if not target.is_file():
        return f"{link}: there is no {target.relative_to(SITE)}"
    if address.fragment and target.suffix == ".html":
        name = target.relative_to(SITE).as_posix().removesuffix("index.html")
        if unquote(address.fragment) not in parsed(name).ids:
            return f"{link}: {name or 'home'} has no id {address.fragment}"
    return None


# ---- code --------------------------------------------------------------------------------------------------------
@each_concept
def test_code_to_copy_is_the_file_byte_for_byte(page):
    text = file_of(page).read_text(encoding="utf-8")
    blocks = re.findall(r'<span class="filename">(.*?)</span>.*?<code[^>]*>(.*?)</code>', text, re.S)
    for name, code in blocks:
        assert html.unescape(re.sub(r"<[^>]*>", "", code)) == (ROOT / name).read_text(encoding="utf-8"), name
    slug = page.split("/")[1]
    assert {f"snippets/{slug}.py", f"snippets/{slug}_torch.py"} <= {name for name, _ in blocks}


# ---- every page --------------------------------------------------------------------------------------------------
def test_every_source_has_its_page(site):
    expected = {re.sub(r"(^|/)index\.md$", r"\1", p.name).replace(".md", "/") for p in all_pages()}
    assert expected <= set(pages())


@each_page
def test_links_and_anchors_lead_somewhere(page):
    assert [p for p in (problem(page, link) for link in parsed(page).links) if p] == []


@each_page
def test_ids_are_unique(page):
    ids = [i for i in parsed(page).ids if i not in ("__toc",)]
    assert len(ids) == len(set(ids)), {i for i in ids if ids.count(i) > 1}


@each_page
def test_nothing_is_fetched_from_another_host(page):
    hosts = {urlsplit(urljoin(home(), link)).netloc for link in parsed(page).fetched if not link.startswith("data:")}
    assert hosts <= {urlsplit(home()).netloc}


@each_page
def test_nothing_is_left_over_in_the_text(page):
    text = parsed(page).text
    assert [text[max(0, m.start() - 40) : m.end() + 40] for m in re.finditer(LEFT_OVER, text)] == []
    assert "katex-error" not in file_of(page).read_text(encoding="utf-8")


@each_page
def test_a_page_says_what_it_is(page):
    text = file_of(page).read_text(encoding="utf-8")
    assert re.search(r"<title>[^<]{5,}</title>", text)
    assert len(html.unescape(re.search(r'<meta name="description" content="([^"]*)"', text)[1])) >= 40
    if page != "404.html":
        assert f'<link rel="canonical" href="{home()}{page}">' in text


@pytest.mark.parametrize("concept", [c for c in load_map() if c.live], ids=lambda c: c.slug)
def test_a_concept_page_is_described_by_its_summary_and_has_mathematics_and_figures(concept):
    text = file_of(concept.path.removesuffix(".md") + "/").read_text(encoding="utf-8")
    assert html.unescape(re.search(r'<meta name="description" content="([^"]*)"', text)[1]) == concept.summary
    assert text.count('class="katex-display"') >= 1
    assert text.count("<figure") >= 1
    assert text.count("<figure") == len(re.findall(r"<figure.*?<svg.*?</figure>", text, re.S))


# ---- the other files ---------------------------------------------------------------------------------------------
def test_the_style_sheets_fetch_nothing_from_elsewhere(site):
    sheets = list(site.rglob("*.css"))
    assert len(sheets) == 1, "sitebuild.styles makes one style sheet of all"
    for address in re.findall(r"url\(\s*[\"']?([^\"')]+)", sheets[0].read_text(encoding="utf-8")):
        assert address.startswith(("data:", "#")) or (sheets[0].parent / address).is_file(), address


def test_the_map_leads_to_pages(site):
    concepts = json.loads((site / "map.json").read_text(encoding="utf-8"))["concepts"]
    live = [c["url"] for c in concepts if c["live"]]
    assert len(concepts) == 61
    assert live
    assert [problem("", url) for url in live if problem("", url)] == []


def test_the_search_finds_places_that_exist(site):
    docs = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))["docs"]
    assert docs
    assert [p for p in (problem("", doc["location"]) for doc in docs if doc["location"]) if p] == []
    assert not any("<pre>" in doc["text"] for doc in docs), "code is not searched"
    texts = {doc["location"]: re.sub(r"<code>.*?</code>", "", doc["text"], flags=re.S) for doc in docs}
    assert [place for place, text in texts.items() if re.search(LEFT_OVER, text)] == [], (
        "the search shows this to readers"
    )


def test_published_snippets_name_the_published_wheel(site):
    for path in (ROOT / "snippets").glob("*.py"):
        published = (site / "snippets" / path.name).read_text(encoding="utf-8")
        wheel = re.search(r'"kb @ ([^"]+)"', published)[1]
        assert problem("", wheel) is None, wheel
        assert wheel.startswith(home())
        assert published.endswith(path.read_text(encoding="utf-8"))


def test_the_source_is_published_as_it_is(site):
    for path in (ROOT / "kb").rglob("*.py"):
        assert (site / "source" / path.relative_to(ROOT)).read_bytes() == path.read_bytes()


def test_hosts_and_robots_get_what_they_need(site):
    assert (site / ".nojekyll").exists()
    assert (site / "robots.txt").read_text() == f"User-agent: *\nAllow: /\nSitemap: {home()}sitemap.xml\n"
    listed = [e.text for e in ElementTree.parse(site / "sitemap.xml").iter() if e.tag.endswith("loc")]
    assert sorted(listed) == sorted(home() + page for page in pages() if page != "404.html")
    assert "lastmod" not in (site / "sitemap.xml").read_text(), "the day of the build says nothing about the page"


def test_the_build_is_strict_about_everything():
    text = re.sub(r"!ENV", "", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    config = yaml.safe_load(text)
    assert config["strict"] is True
    assert config["validation"] == {
        "nav": dict.fromkeys(["omitted_files", "not_found", "absolute_links"], "warn"),
        "links": dict.fromkeys(["not_found", "anchors", "absolute_links", "unrecognized_links"], "warn"),
    }
    assert "hooks" not in config


# ---- the checks themselves can fail ------------------------------------------------------------------------------
def test_a_dead_link_and_a_dead_anchor_are_found(site):
    assert "there is no" in problem("", "nowhere/")
    assert "has no id" in problem("", "#nowhere")
    assert problem("", "https://example.org/nowhere") is None


def test_left_over_signs_are_found_and_ordinary_text_is_not():
    for text in (r"\(x\)", "$$ y $$", r"a \frac12", "{{ head softmax }}", "[[softmax]]", "16{ .kb data-expr=… }"):
        assert re.search(LEFT_OVER, Page(f"<p>{text}</p>").text), text
        assert not re.search(LEFT_OVER, Page(f"<p><code>{text}</code> costs $4.6 million</p>").text), text


def test_what_is_fetched_is_told_from_what_is_followed():
    image, link = '<img srcset="b.png 1x, https://c.org/d.png 2x">', '<link rel="preconnect" href="//e">'
    page = Page(f'<a href="https://a.org">x</a>{image}{link}')
    assert page.fetched == ["b.png", "https://c.org/d.png", "//e"]
    assert len(page.links) == 4
