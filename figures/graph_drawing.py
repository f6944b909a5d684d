"""Drawing a recorded computation graph: its nodes and arrows are read from the record, only their places are chosen."""

import numpy as np
from matplotlib.patches import Circle

from figures.style import ARC, BG, FG, MUTED, label

OCHRE = ARC["learning"]
SYMBOLS = {"add": "+", "subtract": "−", "multiply": "×", "divide": "÷", "sigmoid": "σ", "pow": "²", "power": "²"}


def symbol(node, names):
    """What stands in a node: its name, or the sign of the operation that made it."""
    return names.get(node) or SYMBOLS.get(node.op, node.op)


def number(value):
    """A number as short as it is exact, with a minus that looks like one."""
    return f"{value:g}".replace("-", "−")


def arrows(ax, places, radius=0.3, colour=MUTED, labels=None, back=False):
    """An arrow from each parent to what was made from it, or back; `labels` maps (parent, node) to a text beside it."""
    for node in places:
        for parent in node.parents:
            start, end = np.array(places[parent]), np.array(places[node])
            way = (end - start) / np.hypot(*(end - start))
            style = {"arrowstyle": "<-" if back else "->", "color": colour, "shrinkA": 0, "shrinkB": 0}
            ax.annotate("", end - way * (radius + 0.03), start + way * (radius + 0.03), arrowprops=style)
            if labels:
                label(ax, *(start + end) / 2 + 0.2 * np.array([-way[1], way[0]]), labels[parent, node], MUTED)


def circles(ax, places, names, radius=0.3, colours=None):
    """A circle for each node with its symbol."""
    for node, place in places.items():
        colour = (colours or {}).get(node, FG)
        ax.add_patch(Circle(place, radius, fc=BG, ec=colour, zorder=2))
        label(ax, *place, symbol(node, names), colour, zorder=3)
