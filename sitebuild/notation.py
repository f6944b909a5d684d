"""The table of symbols, from docs/reference/notation.yaml, and which page means what by which symbol.

{{ notation signs }}, {{ notation functions }}   what stands between symbols, and named functions
{{ notation common }}                            letters that mean the same on many pages
{{ notation learning }}                          what first appears on a page of an arc
{{ notation doubles }}                           letters that mean several things
"""

import functools
import re
from dataclasses import dataclass, field

import yaml

from sitebuild import ROOT, tex
from sitebuild.concepts import ARCS, load_map

PATH = ROOT / "docs" / "reference" / "notation.yaml"
COUNTERS = set("ijklnt")  # as the whole subscript of a row: any subscript
MANY = 5  # pages that make a symbol common


@dataclass
class Row:
    """One meaning of one symbol; `pages` are those whose formulas use it, in the order of the map."""

    symbol: str
    means: str
    kind: str
    where: str | list
    shape: str = ""
    kb: str = ""
    torch: str = ""
    show: str = ""
    pages: list = field(default_factory=list)

    @functools.cached_property
    def key(self):
        """(base, subscript) as sitebuild.tex writes them."""
        found = tex.symbols(self.symbol)
        if len(found) != 1:
            raise ValueError(f"{PATH.name}: {self.symbol!r} is {len(found)} symbols")
        return next(iter(found))

    def fits(self, sub):
        """0 for just this subscript, 1 for any, 2 for a row without one, None if it is about another subscript."""
        own = self.key[1]
        if own == sub:
            return 0
        if own in COUNTERS and sub:
            return 1
        return None if own else 2


def rows():
    """All rows with their pages. The same list is returned until a file changes."""
    pages = [(c.slug, ROOT / "docs" / c.path) for c in load_map() if c.live]
    return _resolve(PATH.stat().st_mtime_ns, tuple((slug, path, path.stat().st_mtime_ns) for slug, path in pages))


@functools.lru_cache(maxsize=2)
def _resolve(_, pages):
    found = [Row(kind=kind, **row) for kind, group in _load().items() for row in group]
    table = by_base(found)
    for slug, path, _ in pages:
        for base, sub in used(path):
            for row in meanings(table, slug, base, sub):
                if slug not in row.pages:
                    row.pages.append(slug)
    return found


def _load():
    return yaml.load(PATH.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def by_base(found):
    """{symbol without its subscript: its rows}"""
    table: dict[str, list] = {}
    for row in found:
        table.setdefault(row.key[0], []).append(row)
    return table


@functools.lru_cache(maxsize=256)
def _used(path, _):
    text = re.sub(r"\A---\n.*?\n---\n", "", path.read_text(encoding="utf-8"), flags=re.S)
    return sorted({symbol for formula in tex.formulas(text) for symbol in tex.symbols(formula)})


def used(path):
    """Every (symbol, subscript) of a page's formulas."""
    return _used(path, path.stat().st_mtime_ns)


def meanings(table, slug, base, sub):
    """The rows that say what this symbol means on this page: those that name the page before those for all pages."""
    same = [(row.fits(sub), row) for row in table.get(base, ()) if row.fits(sub) is not None]
    for wanted in ([(fit, row) for fit, row in same if row.where != "all" and slug in row.where], same):
        best = min((fit for fit, row in wanted if row.where == "all" or slug in row.where), default=None)
        if best is not None:
            return [row for fit, row in wanted if fit == best and (row.where == "all" or slug in row.where)]
    return []


# ---- the page ----------------------------------------------------------------------------------------------------
def markdown(page, name, _):
    if name == "doubles":
        return doubles()
    return by_page(group(name)) if name in ARCS else table(group(name))


def group(name):
    """The rows of one table of the page, in the order of the map where they belong to an arc."""
    if name in ("signs", "functions"):
        return [row for row in rows() if row.kind == name and row.pages]
    letters = [row for row in rows() if row.kind == "symbols" and row.pages]
    if name == "common":
        return [row for row in letters if common(row)]
    the_map = load_map()
    order = list(the_map.concepts)
    mine = [row for row in letters if not common(row) and the_map[row.pages[0]].arc == name]
    return sorted(mine, key=lambda row: order.index(row.pages[0]))


def common(row):
    return len(row.pages) >= MANY


def table(found):
    """Symbol, shape where one has one, meaning with the page that introduces it, and the names in code."""
    shapes = any(row.shape for row in found)
    return framed([*head(shapes), *(cells(row, shapes, introduced(row)) for row in found)])


def by_page(found):
    """The same with a line for each page that introduces something, and below it what it introduces."""
    lines, before = head(True), None
    for row in found:
        if row.pages[0] != before:
            lines.append(f"| **{to_page(row.pages[0])}** | | | | |")
        lines.append(cells(row, True, also(row)))
        before = row.pages[0]
    return framed(lines)


def head(shapes):
    names = ["Symbol", *(["Shape"] if shapes else []), "Meaning", "In kb", "In torch"]
    return [f"| {' | '.join(names)} |", "|" + ":--|" * len(names)]


def cells(row, shapes, where):
    meaning = row.means + (f"<br><small>{where}</small>" if where else "")
    said = [f"${row.show or row.symbol}$", *([row.shape] if shapes else []), meaning, code(row.kb), code(row.torch)]
    return f"| {' | '.join(said)} |"


def code(names):
    return "<br>".join(f"`{name}`" for name in names.split(", ")) if names else ""


def introduced(row):
    rest = len(row.pages) - 1
    return to_page(row.pages[0]) + (f" and {rest} more" if rest else "")


def also(row):
    return f"also {', '.join(map(to_page, row.pages[1:]))}" if row.pages[1:] else ""


def to_page(slug):
    concept = load_map()[slug]
    return f"[{concept.title}](../{concept.path})"


def framed(lines, kind="notation"):
    """Kept out of the search: whoever looks for a symbol or a function looks for the page that explains it."""
    return "\n".join([f'<div class="{kind}" markdown="1" data-search-exclude="1">', "", *lines, "", "</div>"])


def doubles():
    """A line for each letter with several meanings; a name of its own, such as W_E, is another symbol."""
    letters = by_base(row for row in rows() if row.pages and row.key[1] in {"", *COUNTERS})
    lines = []
    for found in sorted((rows for rows in letters.values() if len({row.means for row in rows}) > 1), key=alphabet):
        said = "; ".join(f"{row.means} ({_first(row)})" for row in found)
        lines += [f"- ${_plain(found)}$: {said}."]
    return framed(lines)


def alphabet(found):
    base = found[0].key[0]
    return base.lstrip("\\").lower(), base


def _plain(found):
    base = found[0].key[0]
    return base if base.startswith("\\") or len(base) == 1 else f"\\operatorname{{{base}}}"


def _first(row):
    return to_page(row.pages[0]) + (" and others" if len(row.pages) > 1 else "")
