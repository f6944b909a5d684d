"""The map of the home page as strings: an inline SVG, a list of the same concepts, and map.json.

Nothing here needs JavaScript: lighting up the neighbours of a concept is CSS (`light_css`). docs/assets/map.js adds
what a browser has to remember (known concepts) or to compute (the way to a concept), in elements that start hidden.
"""

import json
from html import escape

from sitebuild.concepts import ARCS
from sitebuild.map_layout import BOX_HEIGHT, BOX_WIDTH, LEFT, PITCH_X, corner, curve, lay_out

FONT = 13  # pixels at the drawn size; map.css shows the SVG from 0.92 times that size on
KEY_ROWS = 5  # the key to the drawing stands below the first column where there is that much room
WIDTHS = {" fijlrtIJ.,:;!'()|-": 0.36, "csvxyz": 0.57, "mwMW": 0.95}  # of a letter, in font sizes; others 0.625


def map_html(the_map):
    """The block for the home page: the controls, the SVG for wide screens, the list for narrow ones.

    The search leaves it out (every page of a concept says the same): for Material's parser no second section may be
    inside, and no heading with an id.
    """
    parts = [_controls(the_map), svg(the_map), _detail(), concept_list(the_map)]
    inside = '<a class="map-skip" href="#after-map">Skip the map</a>\n' + "\n".join(parts)
    root = '<section class="kb-map" id="kb-map" aria-label="Map of the concepts" data-search-exclude>'
    return f'{root}\n{inside}\n</section>\n<div id="after-map" tabindex="-1"></div>\n'


def map_json(the_map):
    """The map for other programs: the arcs, and the concepts by slug with their needs and what they lead to."""
    arcs = [{"slug": slug, "title": title, "question": question} for slug, (title, question) in ARCS.items()]
    concepts = [_record(the_map, the_map[slug]) for slug in sorted(the_map.concepts)]
    return json.dumps({"arcs": arcs, "concepts": concepts}, ensure_ascii=False, indent=1) + "\n"


def _record(the_map, c):
    return {
        "slug": c.slug,
        "title": c.title,
        "arc": c.arc,
        "summary": c.summary,
        "chapters": list(c.chapters),
        "minutes": c.minutes,
        "live": c.live,
        "url": url(c) if c.live else None,
        "needs": [{"slug": slug, "why": c.needs[slug]} for slug in sorted(c.needs)],
        "leads_to": sorted(d.slug for d in the_map.leads_to(c.slug)),
    }


def url(c):
    """The address of a concept's page, relative to the home page."""
    return f"{c.arc}/{c.slug}/"


# ---- the SVG ---------------------------------------------------------------------------------------------------------
def svg(the_map):
    """The drawing: heads of the arcs, edges behind, boxes in front; its style lights up neighbours."""
    layout = lay_out(the_map)
    parts = [
        f'<svg class="map-svg" viewBox="0 0 {layout.width} {layout.height}" role="group" '
        'aria-label="Drawing: each column is read from the top down">',
        f"<style>{light_css(the_map)}</style>",
        *(_head(the_map, layout, arc) for arc in _arcs(the_map)),
        _key(the_map, layout),
        '<g aria-hidden="true">',
        *(_edge(the_map, layout, *edge) for edge in sorted(the_map.edges)),
        "</g>",
        *(_box(the_map, slug, *layout.cells[slug]) for column in layout.columns for slug in column),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part)


def light_css(the_map):
    """For every concept: while it is pointed at or focused, its edges and their other ends are lit.

    Class `u-x` is upstream of x (what x needs, and the edge from it to x), class `d-x` downstream.
    """
    rule = "{0} :is(.u-{1},.d-{1}){{--lit:1}}{0} .d-{1}{{--down:1}}"
    return "".join(rule.format(f".map-svg:has(#m-{c.slug}:is(:hover,:focus-within))", c.slug) for c in the_map)


def _arcs(the_map):
    return [arc for arc in ARCS if any(c.arc == arc for c in the_map)]


def _head(the_map, layout, arc):
    columns = [i for i, column in enumerate(layout.columns) if the_map[column[0]].arc == arc]
    x, width = LEFT + columns[0] * PITCH_X, (len(columns) - 1) * PITCH_X + BOX_WIDTH
    title, question = ARCS[arc]
    lines = "".join(
        f'<text class="map-question" x="{x}" y="{47 + 16 * i}">{escape(line)}</text>'
        for i, line in enumerate(wrap(question, width, FONT - 0.5))
    )
    band = f'<rect class="map-band" x="{x - 19}" y="1" width="{width + 38}" height="{layout.height - 2}" rx="8"/>'
    return f'<g class="hue-{arc}">{band}<text class="map-arc" x="{x}" y="28">{title}</text>{lines}</g>'


def _key(the_map, layout):
    """What boxes and lines mean, in the empty part of the first column; nothing where it has none."""
    rows = max(map(len, layout.columns))
    if len(layout.columns[0]) > rows - KEY_ROWS:
        return ""
    x, planned = LEFT, not all(c.live for c in the_map)
    y = layout.height - 110 + 27 * (not planned)
    entries = [
        f'<rect x="{x}" y="-13" width="34" height="17" rx="4"/><text x="{x + 46}">a page to read</text>',
        f'<rect class="map-dashed" x="{x}" y="-13" width="34" height="17" rx="4"/><text x="{x + 46}">planned</text>',
        f'<path d="M{x},-4h34m-5,-3.5l5,3.5l-5,3.5"/><text x="{x + 46}">what it needs</text>',
        f'<path class="map-dashed" d="M{x},-4h29"/><path d="M{x + 29},-7.5l5,3.5l-5,3.5"/>'
        f'<text x="{x + 46}">what needs it</text>',
    ]
    entries = entries if planned else [entries[0], *entries[2:]]
    lines = "".join(f'<g transform="translate(0 {y + 27 * i})">{entry}</g>' for i, entry in enumerate(entries))
    return f'<g class="map-key">{lines}</g>'


def _edge(the_map, layout, need, slug, why):
    title = f"{the_map[need].title} → {the_map[slug].title}: {why}"
    line, tip = curve(layout, need, slug)
    return (
        f'<g class="map-edge u-{slug} d-{need} hue-{the_map[need].arc}" data-edge="{need} {slug}">'
        f'<title>{escape(title)}</title><path class="map-hit" d="{line}"/><path class="map-line" d="{line}"/>'
        f'<path d="{tip}"/></g>'
    )


def _box(the_map, slug, column, row):
    c, (x, y), leads = the_map[slug], corner(column, row), the_map.leads_to(slug)
    near = "".join(sorted([f" u-{d.slug}" for d in leads] + [f" d-{need}" for need in c.needs]))
    start, name = f'<g id="m-{slug}" data-slug="{slug}" class="map-node hue-{c.arc}{near}', escape(c.title)
    title = f"<title>{escape(_tooltip(the_map, c, leads))}</title>"
    box = f'<rect x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6"/>{_label(c.title, x, y)}'
    place = f"translate({x + BOX_WIDTH - 4} {y + 3})"
    mark = f'<g class="map-mark" transform="{place}" aria-hidden="true"><circle r="10"/><text y="4.5"></text></g>'
    if c.live:
        return f'{start}">{title}<a href="{url(c)}" aria-label="{name}">{box}</a>{mark}</g>'
    return f'{start} map-planned" tabindex="0" role="group" aria-label="{name}, planned">{title}{box}{mark}</g>'


def _tooltip(the_map, c, leads):
    lines = [c.summary if c.live else f"Planned. {c.summary}"]
    if c.needs:
        lines.append("Needs: " + ", ".join(the_map[need].title for need in c.needs))
    if leads:
        lines.append("Leads to: " + ", ".join(d.title for d in leads))
    return "\n".join(lines)


def _label(title, x, y):
    lines = wrap(title, BOX_WIDTH - 10, FONT)
    first = y + BOX_HEIGHT / 2 + 4.5 - 7.5 * (len(lines) - 1)
    lines = [line if line.endswith("-") else f"{line} " for line in lines[:-1]] + lines[-1:]
    x += BOX_WIDTH / 2
    spans = (f'<tspan x="{x:g}" y="{first + 15 * i:g}">{escape(line)}</tspan>' for i, line in enumerate(lines))
    return f"<text>{''.join(spans)}</text>"


def text_width(text, size):
    """The width of a line in pixels in a wide sans serif, so that a narrower one fits as well."""
    return size * sum(next((w for letters, w in WIDTHS.items() if ch in letters), 0.625) for ch in text)


def wrap(text, width, size):
    """The text in as few lines as the width allows, of like length; cut at a hyphen only where it must be."""
    whole, cut = _fill(text.split(), width, size), _fill(text.replace("-", "- ").split(), width, size)
    lines, words = (cut, text.replace("-", "- ").split()) if len(cut) < len(whole) else (whole, text.split())
    evener = [_fill(words, width * share / 100, size) for share in range(50, 100, 5)]
    return next((e for e in evener if len(e) == len(lines) and widest(e, size) <= width), lines)


def widest(lines, size):
    """The width of the widest of some lines."""
    return max(text_width(line, size) for line in lines)


def _fill(words, width, size):
    lines = [words[0]]
    for word in words[1:]:
        longer = lines[-1] + ("" if lines[-1].endswith("-") else " ") + word
        if text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


# ---- the list --------------------------------------------------------------------------------------------------------
def concept_list(the_map):
    """Every arc with its concepts: what narrow screens show, and what the detail area copies from."""
    return "\n".join(['<div class="map-list">', *(_part(the_map, arc) for arc in _arcs(the_map)), "</div>"])


def _part(the_map, arc):
    title, question = ARCS[arc]
    items = "\n".join(_item(the_map, c) for c in the_map if c.arc == arc)
    head = f'<h2>{title}</h2>\n<p class="map-question">{escape(question)}</p>'
    return f'<div id="list-{arc}" class="hue-{arc}">\n{head}\n<ul>\n{items}\n</ul>\n</div>'


def _item(the_map, c):
    needs = [f"{_link(the_map[need])}: {escape(why)}" for need, why in c.needs.items()]
    leads = [_link(d) for d in the_map.leads_to(c.slug)]
    counts = [f"needs {len(needs)}"] * bool(needs) + [f"leads to {len(leads)}"] * bool(leads)
    return (
        f'<li data-slug="{c.slug}" data-needs="{" ".join(c.needs)}" data-minutes="{c.minutes}" '
        f'data-in="{" ".join([c.arc, *c.chapters])}" data-terms="{escape(", ".join(c.terms), quote=True)}">'
        f'<div class="map-about"><p class="map-title">{_title(c)}</p><p>{escape(c.summary)}</p>'
        '<p class="map-own" hidden><label><input type="checkbox" class="map-knows"> I know this</label> '
        '<button type="button" class="map-ask">Show me the way</button></p></div>'
        f"<details><summary>{', '.join(counts).capitalize()}</summary>"
        f"{_block('Needs', needs)}{_block('Leads to', leads)}</details></li>"
    )


def _title(c):
    minutes = f' <span class="map-minutes">{c.minutes} min</span>' if c.minutes else ""
    return f"{_link(c)}{minutes}" + ("" if c.live else ' <span class="map-tag">planned</span>')


def _link(c):
    return f'<a href="{url(c)}">{escape(c.title)}</a>' if c.live else f"<span>{escape(c.title)}</span>"


def _block(head, entries):
    if not entries:
        return ""
    lines = "".join(f"<li>{entry}</li>" for entry in entries)
    return f'<div class="map-{head.lower().replace(" ", "-")}"><p>{head}</p><ul>{lines}</ul></div>'


# ---- the controls ----------------------------------------------------------------------------------------------------
def _controls(the_map):
    """The choice between map and list works without JavaScript; what is hidden here is shown by map.js."""
    options = "\n".join(_options(the_map, arc) for arc in _arcs(the_map))
    jumps = " ".join(f'<a href="#list-{arc}">{ARCS[arc][0]}</a>' for arc in _arcs(the_map))
    return (
        '<div class="map-bar">\n<fieldset class="map-view"><legend>Show as</legend>'
        '<label><input type="radio" name="map-view" value="map" checked> map</label>'
        '<label><input type="radio" name="map-view" value="list"> list</label></fieldset>\n'
        f'<nav class="map-jump" aria-label="Parts of the list">{jumps}</nav>\n'
        '<label class="map-find" hidden>Find '
        '<input type="search" autocomplete="off" spellcheck="false"></label>\n'
        '<label class="map-filter" hidden>Only '
        f'<select><option value="">…</option>{_filters(the_map)}</select></label>\n'
        '<label class="map-target" hidden>Show me the way to '
        f'<select><option value="">…</option>\n{options}\n</select></label>\n'
        '<span class="map-found" role="status"></span>\n<span class="map-count" role="status"></span>\n'
        '<button type="button" class="map-clear" hidden>Forget them</button>\n</div>\n'
        '<div class="map-way" aria-live="polite"></div>'
    )


def _options(the_map, arc):
    entries = "".join(f'<option value="{c.slug}">{escape(c.title)}</option>' for c in the_map if c.arc == arc)
    return f'<optgroup label="{ARCS[arc][0]}">{entries}</optgroup>'


def _filters(the_map):
    """An arc, or a chapter of the 3Blue1Brown series."""
    arcs = "".join(f'<option value="{arc}">{ARCS[arc][0]}</option>' for arc in _arcs(the_map))
    chapters = sorted({chapter for c in the_map for chapter in c.chapters})
    listed = "".join(f'<option value="{chapter}">{chapter}</option>' for chapter in chapters)
    groups = [f'<optgroup label="Arc">{arcs}</optgroup>', f'<optgroup label="Chapter">{listed}</optgroup>']
    return "".join(groups if chapters else groups[:1])


def _detail():
    """The detail area at rest; map.js puts the concept there that is pointed at."""
    return (
        '<div class="map-detail"><p>Point at a concept, or reach it with the Tab key, to see what it needs and what it '
        "leads to.</p></div>"
    )
