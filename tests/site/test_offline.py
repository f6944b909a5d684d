"""The bundle that opens from disk: what is in it, and Chromium reading it from file:// without a network."""

import json
import re
import zipfile
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from sitebuild import macros, offline
from tests.site.waiting import until

TAG = re.compile(r"<[a-z][^<>]*>")


# ---- what is changed ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("../gradient/", "../gradient/index.html"),
        ("../../", "../../index.html"),
        ("../..", "../../index.html"),
        (".", "index.html"),
        ("./", "index.html"),
        ("../../assets/a.js", "../../assets/a.js"),
        ("https://example.org/x/", "https://example.org/x/"),
        ("data:,", "data:,"),
        ("../../downloads/x.zip", macros.site_url() + "downloads/x.zip"),
        ("../nowhere/", macros.site_url() + "foundations/nowhere/"),
    ],
)
def test_addresses(path, expected):
    kept = {"index.html", "foundations/softmax/index.html", "foundations/gradient/index.html", "assets/a.js"}
    assert offline.target(path, "foundations/softmax/index.html", kept) == expected


def test_only_tags_are_changed():
    kept = {"a/index.html", "a/b/index.html"}
    html = '<head></head><a class="x" href="../#y">a</a><pre>&lt;a href="../"</pre>'
    html += '<script src="q.js" type="module"></script>'
    made = offline.page(html, "a/b/index.html", kept | {"a/b/q.js"})
    assert '<a class="x" href="../index.html#y">' in made
    assert '<pre>&lt;a href="../"</pre>' in made
    assert '<script defer src="q.js"></script>' in made
    assert '<script src="../../assets/search.js"></script></head>' in made


def test_a_module_becomes_a_plain_script(tmp_path):
    path = tmp_path / "a.js"
    (tmp_path / "b.bin").write_bytes(b"\0\1")
    text = 'export function f() {}\nconst x = new URL("b.bin", import.meta.url);\n'
    assert offline.plain_script(text, path) == (
        '(() => {\nfunction f() {}\nconst x = "data:application/octet-stream;base64,AAE=";\n})();\n'
    )
    for line in (
        'import { f } from "./b.js";',
        "export default 1;",
        "const y = import.meta.env;",
        'await import("./b.js");',
    ):
        with pytest.raises(ValueError, match=r"a\.js cannot be a plain script"):
            offline.plain_script(line + "\n", path)


def test_code_takes_the_wheel_beside_it():
    url = macros.site_url() + "wheels/kb-1-py3-none-any.whl"
    script = f'# /// script\n# dependencies = [\n#   "kb @ {url}",\n#   "numpy",\n# ]\n# ///\nx = 1\n'
    made = offline.nearby_wheel(script)
    assert '#   "kb",\n' in made
    assert '# [tool.uv.sources]\n# kb = { path = "../wheels/kb-1-py3-none-any.whl" }\n# ///\nx = 1\n' in made
    cell = json.dumps({"source": [f'%pip install -q "kb @ {url}" numpy']})
    assert json.loads(offline.nearby_wheel(cell)) == {
        "source": ["%pip install -q ../wheels/kb-1-py3-none-any.whl numpy"]
    }


# ---- what is in it -----------------------------------------------------------------------------------------------
pytestmark = pytest.mark.xdist_group("offline")


@pytest.fixture(scope="module")
def folder(site, tmp_path_factory):
    """The bundle of the built site, unpacked."""
    folder = tmp_path_factory.mktemp("disk with a space")
    with zipfile.ZipFile(site / macros.BUNDLE) as bundle:
        bundle.extractall(folder)
    return folder / offline.NAME


@pytest.mark.slow
def test_the_bundle_says_nothing_of_when_it_was_made(site):
    with zipfile.ZipFile(site / macros.BUNDLE) as bundle:
        entries = bundle.infolist()
        assert bundle.testzip() is None
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert sum(entry.compress_size for entry in entries) < 20e6


@pytest.fixture(scope="module")
def tags(folder):
    """path -> the start tags of the page, for every page of the bundle."""
    return {path: TAG.findall(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}


@pytest.mark.slow
def test_every_page_is_in_it_and_every_link_leads_to_a_file(site, folder, tags):
    pages = {path.relative_to(site) for path in site.rglob("*.html")}
    assert {path.relative_to(folder) for path in tags} == {page for page in pages if page.name != "404.html"}
    ids = {path: set(re.findall(r'\sid="([^"]*)"', "".join(found))) for path, found in tags.items()}
    files, dead = {path for path in folder.rglob("*") if path.is_file()}, []
    for path, found in tags.items():
        for link in set(re.findall(r'\s(?:href|src)="([^"]*)"', "".join(found))):
            address = urlsplit(urljoin(path.as_uri(), link))
            if address.scheme == "file":
                target, part = type(path)(unquote(address.path)), unquote(address.fragment)
                whole = not part or target not in ids or part in ids[target]
                dead += [] if target in files and whole else [f"{path.relative_to(folder)}: {link}"]
    assert dead == []


@pytest.mark.slow
def test_nothing_needs_a_host(folder, tags):
    for path, found in tags.items():
        fetched = [
            tag for tag in found if re.match(r"<(script|img|iframe|link\b.*\brel=\"?(stylesheet|icon|preload))", tag)
        ]
        assert len(fetched) >= 4
        assert not [tag for tag in fetched if re.search(r'\s(src|href)="(https?:|//)', tag)], path
        assert not [tag for tag in found if "Content-Security-Policy" in tag or 'type="module"' in tag], path
    for path in folder.glob("assets/*.js"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^export |^import |import\.meta|\bfetch\([\"'`]", text, re.M), path
    assert not re.search(r"url\([\"']?(https?:|//)", next(folder.glob("assets/*.css")).read_text(encoding="utf-8"))
    assert not list(folder.rglob("*.map"))


@pytest.mark.slow
def test_its_code_names_its_wheel(folder):
    (wheel,) = folder.glob("wheels/*.whl")
    for path in [*folder.glob("snippets/*.py"), *folder.glob("notebooks/*")]:
        text = path.read_text(encoding="utf-8")
        assert f"../wheels/{wheel.name}" in text, path
        assert "kb @" not in text, path
    assert wheel.name in (folder / "README.txt").read_text(encoding="utf-8")


# ---- in Chromium, from disk, without a network ---------------------------------------------------------------------
@pytest.fixture
def disk(browser, folder):
    """disk("foundations/softmax/"): the page from disk; nothing may go wrong or be asked of a network."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_offline(True)
    context.route(re.compile(r"^(?!file:|data:|blob:)"), lambda route: route.abort())
    heard = []

    def open_page(page):
        tab = context.new_page()
        tab.on("request", lambda r: heard.append(r.url) if not r.url.startswith(("file:", "data:", "blob:")) else None)
        tab.on("requestfailed", lambda r: heard.append(f"failed: {r.url[:200]}"))
        tab.on("console", lambda m: heard.append(m.text))
        tab.on("pageerror", lambda error: heard.append(str(error)))
        tab.goto(f"{folder.as_uri()}/{page}index.html", wait_until="load")
        return tab

    yield open_page
    context.close()
    assert heard == []


PAGES = [
    "",
    "foundations/softmax/",
    "paths/from_neuron_to_gpt/",
    "labs/digits/",
    "api/foundations/",
    "reference/glossary/",
]


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page or "home")
def test_a_page_opens_from_disk(disk, page):
    tab = disk(page)
    assert tab.locator("article h1").is_visible()
    until(tab, "document.fonts.status === 'loaded'")
    assert tab.evaluate("[...document.fonts].filter((font) => font.status === 'error').length") == 0
    assert tab.evaluate("getComputedStyle(document.body).getPropertyValue('--foundations')") == "#0b5cad"
    assert tab.locator("article a[href]").count() > 0


@pytest.mark.browser
@pytest.mark.slow
def test_the_search_finds_and_its_links_open(disk):
    tab = disk("")
    tab.locator("[data-md-component=search-query]").click()
    tab.keyboard.type("softmax")
    until(tab, "document.querySelector('.md-search-result__link')")
    tab.locator(".md-search-result__link").first.click()
    tab.wait_for_url("**/foundations/softmax/index.html*")
    assert tab.locator("h1").inner_text().startswith("Softmax")
    tab.locator(".needs a").first.click()
    tab.wait_for_url("**/foundations/vectors_and_dot_products/index.html")


@pytest.mark.browser
@pytest.mark.slow
def test_the_map_works_and_remembers(disk):
    tab = disk("")
    tab.select_option(".map-target select", "attention")
    assert tab.locator(".map-way li").count() > 3
    tab.locator(".map-way a").first.click()
    tab.wait_for_url("**/foundations/vectors_and_dot_products/index.html")
    tab.get_by_role("button", name="I know this").click()
    tab.goto(disk("").url)
    until(tab, "document.querySelector('#m-vectors_and_dot_products .map-mark text').textContent === '✓'")


@pytest.mark.browser
@pytest.mark.slow
def test_digits_are_read_and_questions_ticked(disk):
    tab = disk("structure/neural_network/")
    tab.locator("#draw-digit").scroll_into_view_if_needed()
    tab.locator("#draw-digit button", has_text="3").first.click()
    until(tab, "document.querySelector('#draw-digit output').textContent.includes('held-out 3')")
    tab = disk("paths/interview_check/")
    tab.locator(".quiz summary").first.click()
    tab.locator(".quiz-knew input").first.check()
    assert tab.locator(".quiz-count").inner_text().startswith("You knew 1 of")
