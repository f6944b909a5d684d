"""The Content-Security-Policy: what it allows, and that every page carries one that names all its scripts."""

import base64
import hashlib
import re

import pytest

from sitebuild import policy
from tests.site.built import each_page, file_of

PAGE = """<html><head><meta charset="utf-8"><script src="a.js"></script><script>one()</script>
<script type="module">two()</script><script id="__config" type="application/json">{"a":1}</script>
<script type="application/ld+json">{"b":2}</script></head></html>"""


def test_only_scripts_that_run_are_named():
    assert policy.inline_scripts(PAGE) == ["one()", "two()"]
    expected = base64.b64encode(hashlib.sha256(b"one()").digest()).decode()
    assert policy.digest("one()") == f"'sha256-{expected}'"


def test_the_policy_stands_first_and_only_once():
    once = policy.guarded(PAGE)
    assert policy.guarded(once) == once
    assert once.index("Content-Security-Policy") < once.index("<script")
    assert once.count("'sha256-") == 2


def test_no_script_from_elsewhere_and_none_without_its_hash():
    rules = dict(rule.split(" ", 1) for rule in policy.policy(["one()"]).split("; "))
    assert rules["default-src"] == "'self'"
    assert "unsafe" not in rules["script-src"]
    assert not re.search(r"https?:|\*", " ".join(rules.values()))


@pytest.mark.slow
@each_page
def test_every_page_obeys_its_policy(site, page):
    html = file_of(page).read_text(encoding="utf-8")
    said = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)"', html)[1]
    for script in policy.inline_scripts(html):
        assert policy.digest(script) in said
    assert not re.search(r"<[^>]*\son(click|load|error|change|input)=", re.sub(r"<pre.*?</pre>", "", html, flags=re.S))


@pytest.mark.slow
def test_hosts_get_the_policy_as_a_header(site):
    headers = (site / "_headers").read_text(encoding="utf-8")
    assert headers.startswith("/*\n  Content-Security-Policy: default-src 'self'")
    assert "frame-ancestors 'none'" in headers


@pytest.mark.browser
def test_chromium_refuses_a_script_that_was_slipped_in(tab, address):
    refused = []
    page = tab(address + "foundations/softmax/", watch=lambda p: p.on("console", lambda m: refused.append(m.text)))
    assert refused == []
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.slipped = true";
        document.head.append(script);
    }""")
    assert page.evaluate("window.slipped") is None
    assert any("Content Security Policy" in text for text in refused)
