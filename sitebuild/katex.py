"""Mathematics at build time: KaTeX makes HTML + MathML of TeX in one node process, so a page needs no script for it."""

import atexit
import functools
import html
import json
import re
import shutil
import subprocess
import threading

from markdown.postprocessors import Postprocessor

from sitebuild import ROOT

_INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.S)
_BLOCK = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', re.S)
_DRAWN = re.compile(
    r'(<span class="katex-html" aria-hidden="true">)(.*)</span></span>$', re.S
)  # inline: these two close it
_lock = threading.Lock()


@functools.cache
def _node():
    node = shutil.which("node")
    if node is None:
        raise RuntimeError("node is not on the PATH: it comes with the environment, use make")
    script = str(ROOT / "sitebuild" / "katex.mjs")
    process = subprocess.Popen([node, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    atexit.register(process.communicate)  # closes its input, on which it ends
    return process


@functools.cache
def render(tex, display=False):
    """The HTML of one formula. Raises ValueError with KaTeX's message where it cannot be parsed."""
    with _lock:
        process = _node()
        process.stdin.write(json.dumps({"tex": tex, "display": display}) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline() or '{"error": "node stopped: is katex installed?"}')
    if "error" in answer:
        raise ValueError(f"formula {tex!r}: {answer['error']}")
    return _once_for_the_search(answer["html"], display)


def _once_for_the_search(formula, display):
    """The formula without its TeX; in a line of text, the drawn half is kept out of the search, which has the other.

    The search plugin takes the first end tag of the excluded element's name for its end, so it is one of its own.
    """
    formula = re.sub(r"<annotation.*?</annotation>", "", formula, flags=re.S)
    return formula if display else _DRAWN.sub(r"\1<bdi data-search-exclude>\2</bdi></span></span>", formula)


class Formulas(Postprocessor):
    """Replaces what pymdownx.arithmatex left. A wide formula scrolls by itself, so it can take the focus."""

    def run(self, text):
        text = _INLINE.sub(lambda m: render(html.unescape(m[1])), text)
        return _BLOCK.sub(lambda m: _block(render(html.unescape(m[1]), True)), text)


def _block(formula):
    return f'<div class="formula" tabindex="0" data-search-exclude>{formula}</div>'
