"""The pages of the built site, for the tests that look at each of them."""

import pytest

from sitebuild import ROOT
from sitebuild.concepts import load_map

SITE = ROOT / "site"


def pages():
    """The address of every page, relative to the site: "", "404.html", "foundations/softmax/", ..."""
    found = (path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
    return sorted(name.removesuffix("index.html") for name in found)


def concept_pages():
    return [c.path.removesuffix(".md") + "/" for c in load_map() if c.live]


def file_of(page):
    path = SITE / page
    return path / "index.html" if path.is_dir() else path


each_page = pytest.mark.parametrize("page", pages(), ids=lambda page: page or "home")
each_concept = pytest.mark.parametrize("page", concept_pages())
