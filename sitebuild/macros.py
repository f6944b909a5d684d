"""Macros: a line `{{ name slug: text }}` becomes Markdown. What the map knows is never typed into a page.

{{ head softmax }}                      first line of a concept page: arc, chapters, minutes
{{ needs softmax }}                     what the concept builds on, with the reasons
{{ figure softmax.temperature: … }}     a figure drawn by figures/softmax.py, its caption, and the code that drew it
{{ check f(x) == g(x) for x = normal(3) }}   the line of NumPy under a formula; a test evaluates it
{{ snippet softmax }}                   the snippet in NumPy and torch, in tabs, with download and run line
{{ break softmax: without the maximum }}     a snippet in which one thing is taken away, and what it prints
{{ foot softmax }}                      last line: what the concept leads to, where kb uses it, its reference
{{ lab digits }}                        a notebook of docs/labs, run, with all that it prints and draws
{{ map }}, {{ labs }}, {{ glossary }}, {{ sources }}, {{ last_run }}, {{ speed }}, {{ slower }}   whole pages
{{ bundle }}                            the link to the zip that opens from disk
{{ notation … }}, {{ parity … }}         tables of the reference: see notation.py and parity.py
{{ stops … }}, {{ chapter … }}, {{ questions … }}   the paths: see paths.py
"""

import html
import os
import re
from dataclasses import dataclass

from sitebuild import ROOT, figures, labs, last_run, late, links, notation, parity, paths, sources, speed
from sitebuild.concepts import ARCS, load_map

_MACRO = re.compile(r"^\{\{ (\w+)(?: +([^:}]*?))?(?:: (.*?))? \}\}$")
BUNDLE = "downloads/deep-learning-knowledge-map.zip"  # made by offline.py
_CHECK = re.compile(r"^\{\{ check (.*) \}\}$")


@dataclass
class Page:
    """What a macro may reach: the Markdown instance of the page."""

    md: object


def match(line):
    """(name, argument, text) where the line is a macro, else None."""
    if found := _CHECK.match(line):
        return "check", found[1], ""
    found = _MACRO.match(line)
    return (found[1], found[2] or "", found[3] or "") if found else None


def expand(macro, page):
    """The Markdown of a macro. Raises ValueError for an unknown name."""
    name, argument, text = macro
    if name not in MACROS:
        raise ValueError(f"{{{{ {name} }}}}: no such macro; there are {sorted(MACROS)}")
    return MACROS[name](page, argument, text)


def concept(slug):
    the_map = load_map()
    if slug not in the_map.concepts:
        raise ValueError(f"{slug!r} is not on the map")
    return the_map[slug]


# ---- a concept page ----------------------------------------------------------------------------------------------
def head(page, slug, _):
    """The line above the title, and the hue of the arc for the whole page."""
    c = concept(slug)
    page.md.kb_slug = slug
    chapters = f' <span class="chapters">{", ".join(c.chapters)}</span>' if c.chapters else ""
    return (
        f'<p class="concept-head arc-{c.arc}" data-search-exclude><a href="../../">{ARCS[c.arc][0]}</a>{chapters} '
        f'<span class="minutes">{c.minutes} min</span> '
        f'<button type="button" class="known-toggle" data-slug="{slug}" hidden>I know this</button></p>'
    )


def needs(page, slug, _):
    c = concept(slug)
    if not c.needs:
        return '<p class="needs" markdown="1">**Builds on** nothing: you can start here.</p>'
    rows = [f"- {links.link(load_map()[need])}: {why}" for need, why in c.needs.items()]
    return "\n".join(
        ['<div class="needs" markdown="1" data-search-exclude="1">', "**Builds on**", "", *rows, "", "</div>"]
    )


def foot(page, slug, _):
    the_map, c = load_map(), concept(slug)
    rows = [f"- {links.link(other)}: {other.needs[slug]}" for other in the_map.leads_to(slug)]
    lines = [
        '<div class="leads" markdown="1" data-search-exclude="1">',
        "## Where it leads",
        "",
        *(rows or ["Nothing on this map builds on it."]),
    ]
    used = [links.link(other) for other in the_map.used_in(slug)]
    lines += ["", f"**Used in** the code of {', '.join(used)}." if used else ""]
    modules = [f"[`{name}`](../api/{name.split('.')[1]}.md#{name})" for name in c.code if name.split(".")[1] in ARCS]
    lines += ["", f"**In the reference** {', '.join(modules)}" if modules else "", "", "</div>"]
    return "\n".join(lines)


def figure(page, name, caption):
    source = figures.source(name)
    return "\n".join(
        [
            '<figure class="drawing" markdown="1">',
            late.placeholder("figure", name),
            "",
            '<figcaption markdown="1">',
            caption,
            "</figcaption>",
            "</figure>",
            "",
            f'??? code "The code that draws this figure: figures/{name.split(".")[0]}.py"',
            "",
            "    ```python",
            *[f"    {line}" for line in source.rstrip().split("\n")],
            "    ```",
            "",
        ]
    )


def check(page, expression, _):
    statement = expression.rsplit(" for ", 1)[0]
    left, right = (f"<code>{html.escape(side.strip())}</code>" for side in statement.split(" == ", 1))
    return f'<p class="check"><span class="tick" aria-hidden="true">✓</span> {left} equals {right}</p>'


def snippet(page, slug, _):
    tabs = [("NumPy", f"{slug}.py"), ("PyTorch", f"{slug}_torch.py")]
    return "\n".join(line for title, name in tabs if snippet_path(name).exists() for line in _tab(title, name))


def snippet_path(name):
    return ROOT / "snippets" / name


def _tab(title, name):
    return [f'=== "{title}"', "", *(f"    {line}" for line in _shown(name)), ""]


def _shown(name):
    """The fence with the file's own text, and under it the two ways to take it along."""
    return [
        f'```python title="snippets/{name}"',
        f'--8<-- "{name}"',
        "```",
        "",
        f'<p class="run" markdown="1" data-search-exclude="1">[Download](../snippets/{name}){{ download="{name}" }} '
        f"or run it with nothing installed: `uv run {site_url()}snippets/{name}`</p>",
    ]


def site_url():
    """The address of the site with a slash at the end: SITE_URL, as in mkdocs.yml."""
    return os.environ.get("SITE_URL", "http://127.0.0.1:8000/").rstrip("/") + "/"


def break_it(page, name, text):
    broken = f"{name}_break.py"
    lines = _shown(broken if snippet_path(broken).exists() else f"{name}.py")
    return "\n".join([f'!!! break "Break it yourself: {text}"', "", *(f"    {line}" for line in lines), ""])


# ---- whole pages -------------------------------------------------------------------------------------------------
def the_map(page, *_):
    return late.placeholder("map")


def glossary(page, *_):
    lines = []
    for arc, (title, question) in ARCS.items():
        lines += [f"## {title}", "", f"*{question}*", ""]
        for c in sorted((c for c in load_map() if c.arc == arc), key=lambda c: c.title.lower()):
            name = f"[{c.title}](../{c.path})" if c.live else c.title
            planned = "" if c.live else " *(page planned)*"
            lines += [f"### {name} {{ #{c.slug} }}", "", f"{c.summary}{planned}", ""]
            if c.terms:
                lines += [f"Also: {', '.join(c.terms)}.", ""]
    return "\n".join(lines)


def lab(page, name, _):
    return labs.markdown(name)


def all_labs(page, *_):
    return labs.index()


def bundle(page, *_):
    return f'<p><a href="../../{BUNDLE}" download>Download the offline site</a> (zip)</p>'


def api(page, name, _):
    """The reference of an arc, of its torch twins (`torch-structure`), or of the shared parts (`engine`)."""
    return "\n".join(line for module, title in api_modules(name) for line in _module(module, title))


def api_modules(name):
    """(module, title) of all that stands on a page of the reference."""
    if name == "engine":
        return [(module, f"`{module}`") for module in _shared()]
    prefix = "kb.torch" if name.startswith("torch-") else "kb"
    arc = name.removeprefix("torch-")
    modules = [(f"{prefix}.{arc}.{c.slug}", c.title) for c in load_map() if c.arc == arc]
    return [(module, title) for module, title in modules if has_file(module)]


def _shared():
    """The modules that belong to no concept: shape check, protocol, engine, data, checkpoints, the trainer."""
    folders = (ROOT / "kb" / name for name in ("autograd", "data", "checkpoints", "torch"))
    files = [path for folder in folders for path in sorted(folder.glob("*.py"))]
    return ["kb.shapes", "kb.protocol", *(f"kb.{p.parent.name}.{p.stem}" for p in files if p.name != "__init__.py")]


def has_file(module):
    return (ROOT / (module.replace(".", "/") + ".py")).exists()


def _module(module, title):
    return [f"## {title} {{ #{module} }}", "", f"::: {module}", ""]


MACROS = {
    "api": api,
    "head": head,
    "needs": needs,
    "foot": foot,
    "figure": figure,
    "check": check,
    "snippet": snippet,
    "break": break_it,
    "lab": lab,
    "labs": all_labs,
    "map": the_map,
    "bundle": bundle,
    "glossary": glossary,
    "sources": sources.page,
    "last_run": last_run.table,
    "speed": speed.table,
    "slower": speed.missed,
    "notation": notation.markdown,
    "parity": parity.markdown,
    **paths.MACROS,
}
