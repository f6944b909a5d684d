"""Where every concept of the map stands and how its edges run: columns, rows and curves, the same on every build.

An arc is a column, read from the top down: a concept stands below everything in its column that it needs. An edge
that has to pass a column runs through the space between two boxes, never behind one. Whether a page exists does not
move anything, so the map keeps its shape while it is filled.
Source: Sugiyama, Tagawa, Toda (1981), https://doi.org/10.1109/TSMC.1981.4308636, for the barycentre sweeps.
"""

import functools
from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from statistics import mean

from sitebuild.concepts import ARCS

LONGEST = 14  # an arc with more concepts than this gets a second column
SWEEPS = 24
BOX_WIDTH, BOX_HEIGHT = 154, 38
PITCH_X, PITCH_Y = 197, 53
LEFT, TOP = 26, 84  # the first box: room for its edges at the left, for the head of its column above
CLEAR = 5  # the least distance between an edge and a box that it passes


@dataclass(frozen=True)
class Layout:
    """Columns of slugs, each from the top down; pixels follow from the place in a column."""

    columns: tuple[tuple[str, ...], ...]

    @property
    def cells(self):
        """slug -> (column, row)"""
        return {slug: (i, row) for i, column in enumerate(self.columns) for row, slug in enumerate(column)}

    @property
    def width(self):
        return 2 * LEFT + (len(self.columns) - 1) * PITCH_X + BOX_WIDTH

    @property
    def height(self):
        return TOP + (max(map(len, self.columns)) - 1) * PITCH_Y + BOX_HEIGHT + 20


def corner(column, row):
    """The top left corner of a box in pixels."""
    return LEFT + column * PITCH_X, TOP + row * PITCH_Y


# ---- columns and rows ------------------------------------------------------------------------------------------------
@functools.lru_cache(maxsize=4)
def lay_out(the_map):
    """Columns by arc; inside them the best order, by `cost`, that the barycentre sweeps come upon.

    A concept is drawn to the rows of its neighbours, and as to one more to its own row by depth, which keeps the
    columns in an order of learning.
    """
    columns = split_arcs(the_map)
    near = {c.slug: sorted([*c.needs, *(d.slug for d in the_map.leads_to(c.slug))]) for c in the_map}
    best = Layout(tuple(columns))
    by_depth = {slug: row for slug, (_, row) in best.cells.items()}
    for sweep in range(SWEEPS):
        for i in range(len(columns)) if sweep % 2 else reversed(range(len(columns))):
            row = {slug: r for slug, (_, r) in Layout(tuple(columns)).cells.items()}
            wish = {slug: mean([by_depth[slug], *(row[n] for n in near[slug])]) for slug in columns[i]}
            columns[i] = in_learning_order(the_map, wish)
        best = min(best, Layout(tuple(columns)), key=lambda layout: cost(the_map, layout))
    return best


def split_arcs(the_map):
    """The concepts by arc; a long arc in columns of like length, what is learned earlier in the first."""
    depth = depths(the_map)
    uses = Counter(slug for above in the_map.ancestors.values() for slug in above)
    columns = []
    for arc in ARCS:
        column = sorted((c.slug for c in the_map if c.arc == arc), key=lambda slug: (depth[slug], -uses[slug], slug))
        parts = -(-len(column) // LONGEST)
        size = -(-len(column) // max(parts, 1))
        columns += [tuple(column[i * size : (i + 1) * size]) for i in range(parts)]
    return columns


def depths(the_map):
    """slug -> number of edges on the longest way to it."""
    found: dict[str, int] = {}
    for slug in the_map.order:
        found[slug] = 1 + max((found[need] for need in the_map[slug].needs), default=-1)
    return found


def in_learning_order(the_map, wish):
    """The slugs of a column, each after what it needs, and else the smallest wished row first."""
    left, order = set(wish), []
    while left:
        ready = [slug for slug in left if not the_map.ancestors[slug] & left]
        order.append(min(ready, key=lambda slug: (wish[slug], slug)))
        left.remove(order[-1])
    return tuple(order)


def cost(the_map, layout):
    """How hard the map is to read: the rows that its edges climb, and their crossings if they were drawn straight."""
    cells = layout.cells
    lines = [(cells[need], cells[slug]) for need, slug, _ in the_map.edges]
    climbs = sum(abs(a[1] - b[1]) for a, b in lines)
    return climbs + sum(crosses(*pair) for pair in combinations(lines, 2))


def crosses(first, second):
    """Whether two segments cross at an inner point of both."""

    def side(line, point):
        (ax, ay), (bx, by) = line
        return (bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax)

    return side(first, second[0]) * side(first, second[1]) < 0 and side(second, first[0]) * side(second, first[1]) < 0


# ---- edges -----------------------------------------------------------------------------------------------------------
def curve(layout, need, slug):
    """(line, tip): the path of an edge and its arrow head, as SVG path data."""
    (from_column, first), (to_column, last) = layout.cells[need], layout.cells[slug]
    if from_column != to_column:
        return across(layout, (from_column, first), (to_column, last))
    x, y0 = corner(from_column, first)
    y1 = corner(to_column, last)[1]
    if last == first + 1:
        middle = x + BOX_WIDTH / 2
        return f"M{middle:g},{y0 + BOX_HEIGHT}V{y1}", f"M{middle - 3.5:g},{y1 - 5}l3.5,5l3.5,-5"
    return _round_the_left(x, y0 + BOX_HEIGHT / 2, y1 + BOX_HEIGHT / 2, last - first)


def across(layout, start, end):
    """From the side of a box to the facing side of a box in another column, between the boxes of those it passes."""
    (from_column, _), (to_column, _) = start, end
    step = 1 if to_column > from_column else -1
    (x0, y0), (x1, y1) = corner(*start), corner(*end)
    x, y = x0 + (step > 0) * BOX_WIDTH, y0 + BOX_HEIGHT / 2
    line = f"M{x:g},{y:g}"
    for column in range(from_column + step, to_column, step):
        share = (column - from_column) / (to_column - from_column)
        passing = between_boxes(layout, column, y0 + (y1 - y0) * share + BOX_HEIGHT / 2)
        near, far = LEFT + column * PITCH_X + (step < 0) * BOX_WIDTH, LEFT + column * PITCH_X + (step > 0) * BOX_WIDTH
        line += f"{_bend(x, y, near, passing)}H{far:g}"
        x, y = far, passing
    tip_x, tip_y = x1 + (step < 0) * BOX_WIDTH, y1 + BOX_HEIGHT / 2
    return line + _bend(x, y, tip_x, tip_y), _tip(tip_x, tip_y, step)


def between_boxes(layout, column, y):
    """The height nearest to y at which an edge can pass a column."""
    tops = [corner(column, row)[1] for row in range(len(layout.columns[column]))]
    ends = [TOP - 12, *(edge for top in tops for edge in (top - CLEAR, top + BOX_HEIGHT + CLEAR)), layout.height - 6]
    spaces = zip(ends[::2], ends[1::2], strict=True)
    return min((min(max(y, low), high) for low, high in spaces), key=lambda found: abs(found - y))


def _bend(x0, y0, x1, y1):
    middle = (x0 + x1) / 2
    return f"C{middle:g},{y0:.4g} {middle:g},{y1:.4g} {x1:g},{y1:.4g}"


def _tip(x, y, step):
    return f"M{x - 5 * step:g},{y - 3.5:g}l{5 * step},3.5l{-5 * step},3.5"


def _round_the_left(x, y0, y1, rows):
    """Round the boxes between two boxes of a column; a longer way swings out further."""
    out = x - 9 - 2 * min(rows, 5)
    line = f"M{x},{y0:g}C{out:g},{y0:g} {out:g},{y0 + 6:g} {out:g},{y0 + 20:g}"
    return f"{line}V{y1 - 20:g}C{out:g},{y1 - 6:g} {out:g},{y1:g} {x},{y1:g}", _tip(x, y1, 1)
