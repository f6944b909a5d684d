"""Building: the same bytes twice, no dead link, the same pages with Zensical, snippets that run from the site."""

import filecmp
import html
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sitebuild import ROOT
from sitebuild.concepts import load_map
from tests.site.build import environment, run
from tests.site.html import Page
from tests.site.server import serve

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("build")]

LIVE = [c for c in load_map() if c.live]


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# ---- the same bytes ----------------------------------------------------------------------------------------------
def test_two_builds_are_the_same_bytes(site, afresh):
    """The site of `make site`, with the figures drawn before, and one whose figures are drawn anew: nothing in them
    says when or where they were built. A difference here may also mean that `make site` was not run after a change.
    """
    second = afresh / "site"
    assert files(site) == files(second)
    assert filecmp.cmpfiles(site, second, files(site), shallow=False)[1:] == ([], [])


# ---- strict ------------------------------------------------------------------------------------------------------
@pytest.fixture
def two_pages(tmp_path):
    """Builds two pages with the settings of mkdocs.yml, the first of which links to what is given."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "other.md").write_text("# Other\n\n## There\n", encoding="utf-8")
    settings = {"INHERIT": str(ROOT / "mkdocs.yml"), "nav": ["index.md", "other.md"], "watch": []}
    settings["theme"] = {"custom_dir": str(ROOT / "overrides")}
    (tmp_path / "mkdocs.yml").write_text(json.dumps(settings), encoding="utf-8")

    def built(*targets):
        links = " ".join(f"[a]({target})" for target in targets)
        (docs / "index.md").write_text(f"# One\n\n## Here\n\n{links}\n", encoding="utf-8")
        return run(ROOT, "mkdocs", "build", "--config-file", str(tmp_path / "mkdocs.yml"), check=False)

    return built


def test_a_dead_link_and_a_dead_anchor_stop_the_build(two_pages):
    done = two_pages("other.md", "other.md#there", "#here")
    assert done.returncode == 0, done.stderr
    done = two_pages("nowhere.md", "other.md#nowhere", "#nowhere")
    assert done.returncode != 0
    for dead in ("'nowhere.md'", "'other.md#nowhere'", "'#nowhere'"):
        assert dead in done.stderr, done.stderr


# ---- Zensical ----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def zensical(afresh):
    """The site that Zensical makes of the same mkdocs.yml, cold, beside the one that mkdocs made."""
    ours, theirs, put_aside = (afresh / name for name in ("site", "site-zensical", "site-mkdocs"))
    ours.rename(put_aside)
    done = run(afresh, "zensical", "build", "--strict")  # --clean would remove .cache, with all figures in it
    ours.rename(theirs)
    put_aside.rename(ours)
    assert "issue" not in done.stdout, done.stdout
    return theirs, ours


def test_zensical_builds_every_page(zensical):
    theirs, ours = zensical
    pages = {name for name in files(ours) if name.endswith(".html")}
    assert pages <= files(theirs)
    for name in pages - {"404.html"}:
        texts = [main_text((site / name).read_text(encoding="utf-8")) for site in (theirs, ours)]
        assert texts[0] == texts[1], name


def main_text(page):
    """The words of the article, without what a theme adds around them."""
    return Page(re.search(r"<article.*?</article>", page, re.S)[0]).text.replace("¶", "").split()


@pytest.mark.parametrize("concept", LIVE, ids=lambda c: c.slug)
def test_zensical_keeps_mathematics_figures_meanings_and_code(zensical, concept):
    theirs, ours = ((site / concept.path.removesuffix(".md") / "index.html").read_text("utf-8") for site in zensical)
    for sign in ("<math", "katex-html", "<figure", 'role="img"', 'class="term', "data-expr=", 'class="needs"', "<pre"):
        assert theirs.count(sign) == ours.count(sign) > 0, sign
    assert f"--arc:var(--{concept.arc})" in theirs
    assert f'<meta name="description" content="{concept.summary}"' in html.unescape(theirs)


# ---- snippets ----------------------------------------------------------------------------------------------------
def test_a_snippet_runs_from_the_site(afresh, port, tmp_path):
    """`uv run <address>` on a machine that has nothing installed prints what stands in the file."""
    uv = Path(sys.executable).parent / "uv"
    run(afresh, "sitebuild.prepare", SITE_URL=f"http://127.0.0.1:{port}/")  # the snippets name the wheel's address
    with serve(afresh / "docs", port) as address:
        command = [str(uv), "run", "--no-project", "--python", sys.executable, f"{address}snippets/softmax.py"]
        clean = environment(UV_CACHE_DIR=str(tmp_path / "cache"))
        clean.pop("PYTHONPATH")
        done = subprocess.run(command, cwd=tmp_path, env=clean, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    snippet = (ROOT / "snippets" / "softmax.py").read_text(encoding="utf-8")
    assert done.stdout.splitlines() == re.findall(r"^# ?> (.*)$", snippet, re.M)
