"""The picture that stands beside a link to a page elsewhere (Open Graph): its title, its meaning, its place on the map.

1200 x 630 pixels, drawn by matplotlib like the figures; kept in .cache/cards until something on it changes.
"""

import hashlib
import io
import textwrap
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from figures.style import ARC
from sitebuild import ROOT
from sitebuild.concepts import ARCS, load_map
from sitebuild.map_layout import lay_out

WIDTH, HEIGHT = 1200, 630
PAPER, INK, QUIET, LINE = "#fcfcfb", "#16181d", "#565b66", "#d8dae0"
SITE = "Deep Learning Knowledge Map"
CACHE = ROOT / ".cache" / "cards"


def write(site):
    """The card of every finished page, and home.png, into the built site."""
    the_map = load_map()
    folder = site / "assets" / "cards"
    folder.mkdir(parents=True, exist_ok=True)
    for concept in [None, *(c for c in the_map if c.live)]:
        kept = CACHE / f"{fingerprint(the_map, concept)}.png"
        if not kept.exists():
            CACHE.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(card(the_map, concept))
        (folder / f"{concept.slug if concept else 'home'}.png").write_bytes(kept.read_bytes())


def fingerprint(the_map, concept):
    """A hash over all that a card shows, and this file."""
    shown = (lay_out(the_map).columns, concept and (concept.title, concept.summary, concept.arc, list(concept.needs)))
    return hashlib.sha256(Path(__file__).read_bytes() + repr(shown).encode()).hexdigest()[:24]


def card(the_map, concept=None):
    """The PNG of a concept's card, or of the whole site's."""
    fig = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100, facecolor=PAPER)
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))
    ax.set_axis_off()
    colour = ARC[concept.arc] if concept else INK
    ax.fill_between([0, WIDTH], 0, 14, color=colour, lw=0)
    small_map(ax, the_map, concept)
    words(ax, concept, colour)
    out = io.BytesIO()
    FigureCanvasAgg(fig).print_png(out, metadata={"Software": None})
    return out.getvalue()


def words(ax, concept, colour):
    """Arc, title and one-line meaning, from the top down."""
    arc = ARCS[concept.arc][0] if concept else "61 concepts, each backed by tested code"
    title = textwrap.wrap(concept.title if concept else SITE, 22)
    about = concept.summary if concept else "From one neuron to text-to-image: understand deep learning by running it."
    ax.text(70, 100, arc, color=colour, size=22, weight="bold", va="center")
    y = 180.0
    for line in title:
        ax.text(70, y, line, color=INK, size=42, weight="bold", va="center")
        y += 72
    for line in textwrap.wrap(about, 46):
        ax.text(70, y + 22, line, color=QUIET, size=21, va="center")
        y += 42
    ax.text(70, 575, SITE, color=QUIET, size=18, va="center")


def small_map(ax, the_map, concept):
    """Every concept as a dot in the column of its arc; this one large, and what it builds on joined to it."""
    cells = lay_out(the_map).cells
    place = {slug: (850 + 44 * column, 110 + 29 * row) for slug, (column, row) in cells.items()}
    for need in concept.needs if concept else ():
        ax.plot(*zip(place[need], place[concept.slug], strict=True), color=ARC[concept.arc], lw=2, alpha=0.5, zorder=1)
    for slug, (x, y) in place.items():
        near = concept is None or slug == concept.slug or slug in concept.needs
        ax.plot(x, y, "o", color=ARC[the_map[slug].arc] if near else LINE, ms=11, zorder=2)
    if concept:
        ax.plot(*place[concept.slug], "o", color=ARC[concept.arc], ms=22, mec=PAPER, mew=3, zorder=3)
