"""A page of HTML, taken apart: its ids, its addresses and its text."""

import re
from html.parser import HTMLParser

# What a browser fetches by itself when it shows the page; an `a` is only followed by a reader.
FETCHED = {"script", "img", "source", "iframe", "audio", "video", "embed", "object", "input", "track", "use", "image"}
FETCHED_RELATIONS = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "preconnect", "manifest"}
NO_TEXT = {"script", "style", "annotation", "code", "pre", "template"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Page(HTMLParser):
    """`ids`, `links` (every href, src, …), `fetched` (what a browser fetches by itself) and `text` (what one reads)."""

    def __init__(self, html):
        super().__init__()
        self.ids, self.links, self.fetched, self.words, self.open = [], [], [], [], []
        self.feed(html)

    @property
    def text(self):
        """The text outside code, scripts and the TeX that KaTeX keeps for screen readers."""
        return re.sub(r"\s+", " ", "".join(self.words))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [attrs["id"]] if attrs.get("id") else []
        relations = set((attrs.get("rel") or "").split()) if tag == "link" else set()
        for address in addresses(tag, attrs):
            self.links.append(address)
            if tag in FETCHED or relations & FETCHED_RELATIONS:
                self.fetched.append(address)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        if not NO_TEXT & set(self.open):
            self.words.append(data)


def addresses(tag, attrs):
    """Every address in the attributes of a tag."""
    found = [attrs[name] for name in ("href", "src", "xlink:href", "poster", "data", "action") if attrs.get(name)]
    found += [part.split()[0] for part in (attrs.get("srcset") or "").split(",") if part.strip()]
    return found if tag != "form" else []
