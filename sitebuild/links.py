"""Links between concepts, the one-line meaning on every mention, and computed claims that the keyboard can reach.

Every page but the home page lies one folder deep, so `../<arc>/<slug>.md` is right everywhere.
"""

import html
import re
from xml.etree import ElementTree

from markdown.treeprocessors import Treeprocessor

from sitebuild.concepts import load_map

_WIKI = re.compile(r"\[\[([a-z][a-z0-9_]*)(?:\|([^\]]+))?\]\]")
_SKIP = {"a", "code", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "svg", "script", "style", "summary", "button"}
_SKIP_CLASSES = {"arithmatex", "kb", "check", "concept-head", "needs", "leads", "no-terms"}
_TEXT = {"p", "li", "dd"}
GLOSSARY = "../reference/glossary.md"


def target(concept):
    """Where a mention of a concept leads: its page, or its line in the glossary while it is planned."""
    return f"../{concept.path}" if concept.live else f"{GLOSSARY}#{concept.slug}"


def link(concept, text=None):
    """A Markdown link to a concept that shows its meaning on hover and focus."""
    meaning = html.escape(concept.summary, quote=True)
    planned = "" if concept.live else " .planned"
    return f'[{text or concept.title}]({target(concept)}){{ .term{planned} data-summary="{meaning}" }}'


def expand(line):
    """`[[slug]]` and `[[slug|words]]` become links. Raises ValueError for a slug that is not on the map."""

    def replace(match):
        the_map = load_map()
        if match[1] not in the_map.concepts:
            raise ValueError(f"[[{match[1]}]]: no such concept on the map")
        return link(the_map[match[1]], match[2])

    return _WIKI.sub(replace, line) if "[[" in line else line


_MARKDOWN = "[]*_`"  # in an expression these are Python: Markdown must not see them
_HIDDEN = {ord(sign): chr(0xE000 + i) for i, sign in enumerate(_MARKDOWN)}
_SHOWN = {ord(hidden): chr(sign) for sign, hidden in _HIDDEN.items()}


def protect(line):
    """The line with the Markdown signs inside its expressions hidden; `Claims` brings them back."""
    return re.sub(r'data-expr="[^"]*"', lambda match: match[0].translate(_HIDDEN), line)


class Claims(Treeprocessor):
    """A claim `*2.6*{ .kb data-expr="…" }` can take the focus, and then shows the expression that computes it."""

    def run(self, root):
        for element in root.iter("em"):
            if "kb" in element.get("class", "").split():
                element.set("tabindex", "0")
                element.set("data-expr", element.get("data-expr", "").translate(_SHOWN))


class Terms(Treeprocessor):
    """The first mention of each concept's terms in a page's running text becomes a link with its meaning.

    Only whole pages (they begin with the `head` macro, which sets `md.kb_slug`), not docstrings.
    """

    def run(self, root):
        slug = getattr(self.md, "kb_slug", None)
        if slug is None:
            return
        the_map = load_map()
        linked = {a.get("href") for a in root.iter("a") if "term" in a.get("class", "")}
        self.concepts = {term.lower(): c for c in the_map for term in c.terms}
        self.done = {c.slug for c in the_map if target(c) in linked} | {slug}
        words = "|".join(map(re.escape, sorted(self.concepts, key=len, reverse=True)))  # the longest term wins
        self.pattern = re.compile(rf"(?<![\w-])({words})(s?)(?![\w-])", re.I)
        self.walk(root)

    def walk(self, element):
        """Depth first, in reading order."""
        if element.tag in _SKIP or _SKIP_CLASSES & set(element.get("class", "").split()):
            return
        if element.tag in _TEXT:
            self.mark(element, None)
        for child in list(element):
            self.walk(child)
            if element.tag in _TEXT:
                self.mark(element, child)

    def mark(self, parent, after):
        """Link first mentions in `parent.text` (after None) or in the tail of the child `after`."""
        text = (parent.text if after is None else after.tail) or ""
        found = next(
            (m for m in self.pattern.finditer(text) if self.concepts[m[1].lower()].slug not in self.done), None
        )
        if found is None or "\x02" in text:  # \x02 opens a placeholder of Python-Markdown
            return
        concept = self.concepts[found[1].lower()]
        self.done.add(concept.slug)
        meaning = {"class": "term auto", "href": target(concept), "data-summary": concept.summary}
        anchor = ElementTree.Element("a", meaning)
        anchor.text, anchor.tail = found[0], text[found.end() :]
        if after is None:
            parent.text = text[: found.start()]
            parent.insert(0, anchor)
        else:
            after.tail = text[: found.start()]
            parent.insert(list(parent).index(after) + 1, anchor)
        self.mark(parent, anchor)
