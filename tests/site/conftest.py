"""What the checks of the built site share: the site, served on localhost, and Chromium."""

import contextlib
import os
import shutil
import socket

import pytest
from playwright.sync_api import Error, sync_playwright

from sitebuild import ROOT, labs
from tests.site.build import build, copy_project
from tests.site.built import SITE
from tests.site.server import CHROMIUM, FLAGS, serve

NO_CHROMIUM = (
    "not run, there is no Chromium: install one (Debian, Ubuntu: apt-get install chromium; macOS: brew install --cask "
    "chromium) or set CHROMIUM to the path of one"
)


def pytest_runtest_setup(item):
    """Without Chromium the browser tests are listed as not run; where CI=true that is a failure."""
    if item.get_closest_marker("browser") and CHROMIUM is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(NO_CHROMIUM)


@pytest.fixture(scope="session")
def site():
    assert (SITE / "index.html").exists(), "there is no built site: run make site"
    return SITE


@pytest.fixture(scope="session")
def address(site):
    with serve(site) as at:
        yield at


@pytest.fixture(scope="session")
def searched(site):
    """The address of the site with its whole search index."""
    with serve(site, search=True) as at:
        yield at


@pytest.fixture(scope="module")
def browser():
    """One Chromium for the tests of a file: Playwright allows one at a time, and some files start their own."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def windows(browser):
    """The windows of Chromium that the tests of a file share, by their options."""
    return {}


@pytest.fixture
def tab(browser, windows):
    """tab("http://…", width=390, color_scheme="dark"): the page in a tab of its own, closed after the test.

    Tests that ask for the same options share a window, since a new one takes a core for most of a second; what a page
    stored is forgotten when its tab is closed.
    """
    opened = []

    def window(options):
        key = repr(sorted(options.items()))
        if key not in windows:
            windows[key] = browser.new_context(**options)
        return windows[key]

    def open_tab(url, width=1280, height=900, until="load", watch=None, **options):
        page = window(options).new_page()
        opened.append(page)
        page.set_viewport_size({"width": width, "height": height})
        if watch:
            watch(page)
        page.goto(url, wait_until=until)
        return page

    yield open_tab
    for page in opened:
        with contextlib.suppress(Error):  # a page that may store nothing
            page.evaluate("localStorage.clear()")
        page.close()


@pytest.fixture(scope="session")
def port():
    """A free port, for a site that has to be served where its own pages say it is."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(scope="session")
def afresh(tmp_path_factory):
    """A copy of the project in a folder of another name, built from nothing; only what the labs printed and drew is
    taken over, since the tests of their notebooks run them again.

    The tests that use it carry `xdist_group("build")`, so that one test process builds for all of them.
    """
    folder = copy_project(tmp_path_factory.mktemp("afresh") / "project")
    shutil.copytree(labs.CACHE, folder / labs.CACHE.relative_to(ROOT))
    build(folder)
    return folder
