"""Walks over the map: the macros of docs/paths. A path's stops are slugs in the front matter of its page.

{{ stops three_step_primer }}    where the stops lie on the map, and each with its meaning and what it assumes
{{ chapter DL5 }}                the concepts of this map that belong to a chapter of the 3Blue1Brown series
{{ questions foundations }}      every "check yourself" of an arc's pages, with its answers
"""

import re
from html import escape

from sitebuild import ROOT, links, sources
from sitebuild.concepts import front_matter, load_map
from sitebuild.map_layout import lay_out

FOLDER = ROOT / "docs" / "paths"
STEP_X, STEP_Y, EDGE = 58, 34, 22
_SECTION = re.compile(r"^## Check yourself\n(.*?)(?=^## )", re.M | re.S)


def stops(name):
    """The concepts of a path in their order. Raises ValueError for a slug that is not on the map."""
    the_map = load_map()
    slugs = front_matter(FOLDER / f"{name}.md")["stops"]
    if unknown := [slug for slug in slugs if slug not in the_map.concepts]:
        raise ValueError(f"the path {name} has stops that are not on the map: {unknown}")
    return [the_map[slug] for slug in slugs]


# ---- the macros ----------------------------------------------------------------------------------------------------
def stops_markdown(page, name, _):
    found = stops(name)
    minutes = sum(c.minutes for c in found)
    lines = [drawing(name), "", f"{len(found)} stops, about {duration(minutes)} of reading.", ""]
    for number, c in enumerate(found, 1):
        lines += [f"{number}. **{links.link(c)}**, {c.minutes} min. {c.summary}", *_assumes(c, found[: number - 1]), ""]
    return "\n".join(lines)


def _assumes(concept, before):
    """What a stop needs, apart from what the path has passed."""
    needs = [links.link(load_map()[slug]) for slug in concept.needs if slug not in {c.slug for c in before}]
    return [f"    Assumes {', '.join(needs)}."] if needs else []


def duration(minutes):
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def chapter(page, name, _):
    found = [links.link(c) for c in load_map() if name in c.chapters]
    if not found:
        raise ValueError(f"no concept belongs to the chapter {name!r}")
    return f"*On this map:* {', '.join(found)}."


def questions(page, arc, _):
    lines = []
    for c in (c for c in load_map() if c.arc == arc and c.live):
        lines += [
            "",
            f'<div class="quiz" data-slug="{c.slug}" markdown="1" data-search-exclude="1">',
            "",
            f"### {links.link(c)}",
            "",
        ]
        lines += [links_of(asked(c)), "", "</div>", ""]
    return "\n".join(lines)


def asked(concept):
    """The section "Check yourself" of a page."""
    text = (ROOT / "docs" / concept.path).read_text(encoding="utf-8")
    return _SECTION.findall(text)[0].strip()


def links_of(text):
    """The section with its links and citations written out: it is handed to Markdown as a macro's result."""
    return "\n".join(sources.expand(links.expand(line)) for line in text.split("\n"))


# ---- the drawing ---------------------------------------------------------------------------------------------------
def drawing(name):
    """The map in small: every concept a dot in its arc's column, the stops numbered and joined in their order."""
    the_map, found = load_map(), stops(name)
    cells = lay_out(the_map).cells
    place = {slug: (EDGE + STEP_X * column, EDGE + STEP_Y * row) for slug, (column, row) in cells.items()}
    width = max(x for x, _ in place.values()) + EDGE
    height = max(y for _, y in place.values()) + EDGE
    others = [_dot(c, place[c.slug]) for c in the_map if c not in found]
    route = " ".join(f"{x},{y}" for x, y in (place[c.slug] for c in found))
    numbered = [_stop(c, number, place[c.slug]) for number, c in enumerate(found, 1)]
    label = escape(
        f"Map of all concepts with the {len(found)} stops of this path: {', '.join(c.title for c in found)}."
    )
    svg = f'<svg class="path-map" viewBox="0 0 {width} {height}" role="img" aria-label="{label}">'
    return "".join([svg, f'<polyline points="{route}"/>', *others, *numbered, "</svg>"])


def _dot(concept, at):
    x, y = at
    return f'<circle class="hue-{concept.arc}" cx="{x}" cy="{y}" r="5"><title>{escape(concept.title)}</title></circle>'


def _stop(concept, number, at):
    x, y = at
    shown = f'<circle cx="{x}" cy="{y}" r="13"/><text x="{x}" y="{y + 4.5}">{number}</text>'
    return f'<g class="hue-{concept.arc} stop"><title>{number}. {escape(concept.title)}</title>{shown}</g>'


MACROS = {"stops": stops_markdown, "chapter": chapter, "questions": questions}
