"""The Markdown extension that makes a page of this site out of plain Markdown: the one entry in mkdocs.yml.

    {{ name … }} on a line of its own   macros.py   needs, figures, snippets, checks, the map, the glossary
    [[softmax]], [[softmax|the shares]] links.py    a link to a concept, planned or finished, with its one-line meaning
    [@vaswani2017attention]             sources.py  a citation from docs/reference/bibliography.yaml
    *2.6*{ .kb data-expr="…" }          links.py    a computed claim, reachable by keyboard
    $a$, $$a$$                          katex.py    mathematics as HTML + MathML, an unparsable formula fails

It is an extension and not a plugin or a hook, so that mkdocs and Zensical both run it.
"""

from markdown import Extension
from markdown.preprocessors import Preprocessor

from sitebuild import katex, late, links, macros, sources


class Pages(Preprocessor):
    """Everything that is text for text, before any other extension sees the lines."""

    def run(self, lines):
        page = macros.Page(self.md)
        out: list[str] = []
        fence = None
        for line in lines:
            fence = fence_after(line, fence)
            expanded = [line] if fence or line.lstrip().startswith(("```", "~~~")) else self.expand(line, page)
            out.extend(expanded)
        return out

    def expand(self, line, page):
        if macro := macros.match(line):
            return [links.protect(made) for made in macros.expand(macro, page).split("\n")]
        return [links.protect(sources.expand(links.expand(line)))]


def fence_after(line, fence):
    """The marker of the code fence that is open after `line`, or None."""
    text = line.lstrip()
    marker = text[:3] if text.startswith(("```", "~~~")) else None
    if marker is None:
        return fence
    return None if fence == marker else fence or marker


class Knowledge(Extension):
    def extendMarkdown(self, md):
        md.preprocessors.register(Pages(md), "kb_pages", 40)  # before pymdownx.snippets (32), which reads our output
        md.treeprocessors.register(links.Claims(md), "kb_claims", 6)  # after attr_list (8)
        md.treeprocessors.register(links.Terms(md), "kb_terms", 4)
        md.postprocessors.register(katex.Formulas(md), "kb_formulas", 0)
        md.postprocessors.register(late.Late(md), "kb_late", -1)


def makeExtension(**kwargs):
    return Knowledge(**kwargs)
