"""The one style sheet: what is left out of it, and that no page looks different for it."""

import pytest

from sitebuild import styles
from sitebuild.styles import Rule, known, parse, split, strip
from tests.site.server import serve
from tests.site.waiting import until

PAGE = """<html lang="en"><body dir="ltr"><p class="used two" id="here" data-mode='dark'>x</p>
<style>p { color: var(--seen) }</style></body></html>"""


def stripped(css, script=""):
    return strip(css, known([PAGE], [script])).removeprefix('@charset "UTF-8";')


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        ("p{color:red}", "p{color:red}"),
        (".used{color:red}.gone{color:red}", ".used{color:red}"),
        (".used .gone,.two>p{color:red}", ".two>p{color:red}"),
        ("#here{color:red}#gone{color:red}", "#here{color:red}"),
        ("[dir=rtl] p{color:red}[dir=ltr] p{color:red}", "[dir=ltr] p{color:red}"),
        ('[data-mode="dark"] p{color:red}[data-mode=light] p{color:red}', '[data-mode="dark"] p{color:red}'),
        ("[hidden] p,[type^=gone] p{color:red}", "[hidden] p,[type^=gone] p{color:red}"),
        ("p:not(.gone),p:is(.gone,.gone2) a{color:red}", "p:not(.gone),p:is(.gone,.gone2) a{color:red}"),
        ("@media print{.gone{color:red}}", ""),
        ("@media print{.gone{color:red}.used{color:red}}", "@media print{.used{color:red}}"),
        ("@supports (a:b){@media screen{.used{color:red}}}", "@supports (a:b){@media screen{.used{color:red}}}"),
        ("@font-face{font-family:X;src:url(x.woff2)}", "@font-face{font-family:X;src:url(x.woff2)}"),
        ("@keyframes a{0%{top:0}100%{top:1px}}", "@keyframes a{0%{top:0}100%{top:1px}}"),
        ('@charset "UTF-8";/* .used{} */ p { color : red ; }', "p{color : red}"),
        ("p{--gone:1;--kept:2;top:var(--kept)}", "p{--kept:2;top:var(--kept)}"),
        (":root{--a:var(--b);--b:1;--c:2}p{top:var( --a )}", ":root{--a:var(--b);--b:1}p{top:var( --a )}"),
        (":root{--chain:var(--link);--link:1}", ""),
        ("p{--seen:1}", "p{--seen:1}"),
        (".used{&:hover{color:red}}", ".used{&:hover{color:red}}"),
        ('.used:before{content:"} .gone{ ; /"}', '.used:before{content:"} .gone{ ; /"}'),
        (".used{background:url(data:image/svg+xml;base64,x)}", ".used{background:url(data:image/svg+xml;base64,x)}"),
    ],
)
def test_by_hand(css, kept):
    assert stripped(css) == kept


def test_what_a_script_can_add_is_kept():
    assert stripped(".made{top:0}", 'e.classList.add("made")') == ".made{top:0}"
    assert stripped(".made--up{top:0}.mad{top:0}", "c = `made--${way}`") == ".made--up{top:0}"
    assert stripped("[data-state=on]{top:0}", 'e.dataset.state = "on"') == "[data-state=on]{top:0}"
    assert stripped("p{--x:1}", 'e.style.setProperty("--x", 2)') == "p{--x:1}"
    assert stripped("[dir=rtl]{top:0}", '"rtl"') == "", "no page is written from right to left"


def test_reading():
    rules = parse("a,b{top:0}@media x{c{top:1px}}@import y;")
    assert rules == [Rule("a,b", "top:0"), Rule("@media x", rules=[Rule("c", "top:1px")]), Rule("@import y")]
    assert split('a:is(b,c),d[e=","]', ",") == ["a:is(b,c)", 'd[e=","]']
    with pytest.raises(ValueError, match="never closed"):
        parse("a{top:0")


def test_bundle(tmp_path):
    (tmp_path / "assets" / "deep").mkdir(parents=True)
    (tmp_path / "page").mkdir()
    (tmp_path / "assets" / "a.css").write_text("p{color:red}.gone{color:red}")
    (tmp_path / "assets" / "deep" / "b.css").write_text('p{background:url("x.png")}i{background:url(data:y)}')
    for path, up in (("index.html", ""), ("page/index.html", "../")):
        links = "".join(f'<link rel="stylesheet" href="{up}assets/{name}">' for name in ("a.css", "deep/b.css"))
        (tmp_path / path).write_text(f"<head>{links}</head>")
    sheet = styles.bundle(tmp_path)
    assert sheet.read_text() == '@charset "UTF-8";p{color:red}p{background:url(deep/x.png)}i{background:url(data:y)}'
    assert [p.name for p in tmp_path.rglob("*.css")] == [sheet.name]
    before = sheet.read_text()
    assert styles.bundle(tmp_path) == sheet, "a second time changes nothing"
    assert sheet.read_text() == before
    html = (tmp_path / "page" / "index.html").read_text()
    assert html.count("<link") == 1
    assert f'href="../assets/{sheet.name}"' in html


# ---- the independent oracle: Chromium ----------------------------------------------------------------------------
LOOK = """() => {
    document.body.style.display = "none"; // laid out afresh: Chromium reports some margins of an old layout as 0
    document.body.offsetHeight;
    document.body.style.display = "";
    const seen = {};
    return [...document.querySelectorAll("body, body *")].flatMap((e) => {
        const kind = e.tagName + "." + e.getAttribute("class") + " in " + e.parentElement.getAttribute("class");
        seen[kind] = (seen[kind] ?? 0) + 1;
        return seen[kind] > 2 ? [] : ["", "::before", "::after"].map((part) => {
            const style = getComputedStyle(e, part || undefined);
            if (part && style.content === "none") return [];
            const names = [...style].filter((name) => !name.startsWith("--"));
            return names.map((name) => kind + part + " " + name + ": " + style.getPropertyValue(name));
        });
    });
}"""
STILL = """*, *::before, *::after {
    transition: none !important; animation: none !important; content-visibility: visible !important }"""
CHANGE = """async (href) => {
    const old = [...document.querySelectorAll("link[rel=stylesheet]")];
    const one = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
    const loaded = new Promise((resolve) => one.addEventListener("load", resolve));
    old.at(-1).after(one);
    await loaded;
    for (const link of old) link.remove();
    await document.fonts.ready;
    return old.length;
}"""


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.xdist_group("build")
@pytest.mark.parametrize(
    ("page", "scheme", "width"),
    [
        ("", "light", 1280),
        ("foundations/softmax/", "dark", 390),
        ("foundations/softmax/", "light", 1280),
        ("api/foundations/", "dark", 1280),
    ],
)
def test_no_element_looks_different(tab, afresh, page, scheme, width):
    """Every computed property of elements of every kind, with the sheets as mkdocs links them and then with the one."""
    sheet = next((afresh / "site" / "assets").glob("style.*.css"))
    plain = afresh / "site-plain"
    (plain / "assets" / sheet.name).write_bytes(sheet.read_bytes())
    with serve(plain) as at:
        shown = tab(at + page, width=width, color_scheme=scheme, until="networkidle")
        shown.add_style_tag(content=STILL)
        shown.evaluate("async () => { document.body.offsetHeight; await document.fonts.ready; }")
        until(shown, "!document.querySelector('.md-search-result__meta').textContent.includes('Initializing')")
        before = shown.evaluate(LOOK)
        assert shown.evaluate(CHANGE, f"{at}assets/{sheet.name}") > 3
        after = shown.evaluate(LOOK)
    assert len(before) == len(after) > 300
    assert [sorted(set(one) ^ set(other)) for one, other in zip(before, after, strict=True) if one != other] == []
