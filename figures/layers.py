"""The figures of the layers page."""

from itertools import pairwise

import numpy as np
from matplotlib.patches import Circle, Rectangle

from figures.display_digits import DIGITS, EDGES, HEIGHT, SHAPES, WIDTH, activations, images, pixels
from figures.style import ARC, BG, FG, LINE, MUTED, bare, canvas, label
from kb.structure.layers import linear

GREEN, BLUE, OCHRE = ARC["structure"], ARC["foundations"], ARC["learning"]
X = np.array([2.0, 3.0])
WEIGHT, BIAS = np.array([[0.5, 0.2], [1.0, -1.0], [0.0, 1.0]]), np.array([1.0, 0.5, -2.0])


def matrix():
    """Left, two inputs 2 and 3 and three neurons; each neuron reads both inputs, so there are six weights. Right, the
    same as a matrix with three rows and two columns times the inputs, plus a bias vector: the rows 0.5 0.2, 1 -1 and 0
    1 with the biases 1, 0.5 and -2 give the pre-activations 2.6, -0.5 and 1.0. Each neuron has the colour of its
    row."""
    fig, ax = canvas(height=2.0)
    bare(ax).set(xlim=(0, 14), ylim=(0, 4.9), aspect="equal")
    colours, z = (GREEN, BLUE, OCHRE), linear(X, WEIGHT, BIAS)
    for i, (colour, y) in enumerate(zip(colours, (3.9, 2.3, 0.7), strict=True)):
        for x, start in zip(X, (3.1, 1.5), strict=True):
            ax.plot([0.9, 3.5], [start, y], color=colour, lw=1.2, zorder=0)
            ax.add_patch(Circle((0.9, start), 0.5, fc=BG, ec=MUTED))
            label(ax, 0.9, start, f"{x:g}")
        ax.add_patch(Circle((3.9, y), 0.55, fc=BG, ec=colour, lw=1.6))
        label(ax, 3.9, y, f"{z[i]:.1f}".replace("-", "−"))
        for text, x in zip((*WEIGHT[i], BIAS[i], z[i]), (6.2, 7.4, 10.6, 12.9), strict=True):
            label(ax, x, y, f"{text:g}".replace("-", "−"), colour)
    for text, x in (("W", 6.8), ("x", 8.9), ("b", 10.6), ("z", 12.9)):
        label(ax, x, 4.75, text, MUTED, style="italic")
    for x, y in zip(X, (3.1, 1.5), strict=True):
        label(ax, 8.9, y, f"{x:g}")
    for text, x in (("+", 9.7), ("=", 11.7)):
        label(ax, x, 2.3, text)
    for left, right, low, high in (
        (5.6, 8.0, 0.2, 4.4),
        (8.5, 9.3, 1.0, 3.6),
        (10.0, 11.2, 0.2, 4.4),
        (12.3, 13.6, 0.2, 4.4),
    ):
        for x, way in ((left, 0.15), (right, -0.15)):
            ax.plot([x + way, x, x, x + way], [high, high, low, low], color=FG, lw=1)
    return fig


def width_and_depth():
    """The 784-16-16-10 network as four columns of dots: the input with 784 numbers, two hidden layers with 16 neurons,
    and the output with 10. Between neighbouring columns every dot is joined to every dot. An arrow along the hidden
    layers says depth, one beside a column says width."""
    fig, ax = canvas(height=3.0)
    bare(ax).set(xlim=(-0.75, 3.6), ylim=(-2.1, 19.2))
    columns = [np.linspace(0, 16, n) if n > 10 else np.linspace(3, 13, n) for n in (17, 16, 16, 10)]
    for x, (here, there) in enumerate(pairwise(columns)):
        ends = np.array([(start, end, np.nan) for start in here for end in there])  # nan lifts the pen
        ax.plot(np.tile([x, x + 1, np.nan], len(ends)), ends.ravel(), color=LINE, lw=0.35, zorder=0)
    titles = (("input", "784 pixels"), ("hidden", "16 neurons"), ("hidden", "16 neurons"), ("output", "10 neurons"))
    for x, (ys, (name, size)) in enumerate(zip(columns, titles, strict=True)):
        colour = MUTED if x == 0 else GREEN
        ax.plot([x] * len(ys), ys, "o", color=colour, ms=4, mfc=BG if x == 0 else GREEN)
        label(ax, x, 18.6, name, colour)
        label(ax, x, 17.4, size, MUTED, fontsize=9)
    ax.add_patch(Rectangle((-0.05, 7.4), 0.1, 1.2, fc=BG, ec="none", zorder=3))
    label(ax, 0, 7.9, "⋮", zorder=4)
    ax.annotate("", (3.1, -1.0), (0.9, -1.0), arrowprops={"arrowstyle": "<->", "color": FG})
    label(ax, 2, -1.75, "depth: three layers of weights")
    ax.annotate("", (3.28, 2.6), (3.28, 13.4), arrowprops={"arrowstyle": "<->", "color": FG})
    label(ax, 3.4, 8, "width", rotation=90)
    return fig


def hope():
    """A hand-wired network reads the 9 of a display. Four columns: the image of 35 pixels; seven edge neurons, of
    which all but the lower left one are on; eight shape neurons, of which upper loop, right side, hook, roof and floor
    are on; ten digit neurons, of which only the 9 is on. Lines join the neurons that are on with what they need."""
    fig, ax = canvas(height=4.1)
    bare(ax).set(xlim=(-1, 15.3), ylim=(-0.7, 10.6), aspect="equal")
    found = activations(images()[9])
    edges, shapes = list(EDGES), list(SHAPES)
    edge_images = [pixels(places) for places in EDGES.values()]
    shape_images = [sum(edge_images[edges.index(e)] for e in on).clip(0, 1) for on, _ in SHAPES.values()]
    pictures = [[images()[9]], edge_images, shape_images, images()]
    places = [np.array([4.5]), np.linspace(8.1, 0.9, 7), np.linspace(8.6, 0.4, 8), np.linspace(9, 0, 10)]
    needs = [[[]], [[0]] * 7, [[edges.index(e) for e in on] for on, _ in SHAPES.values()]]
    needs.append([[shapes.index(s) for s in on] for _, on, _ in DIGITS])
    for k, title in enumerate(("35 pixels", "7 edges", "8 shapes", "10 digits")):
        label(ax, 0.3 + 4.6 * k, 10.2, title, MUTED)
        for i, y in enumerate(places[k]):
            on = k == 0 or found[k][i] > 0
            _tile(ax, pictures[k][i], 0.3 + 4.6 * k, y, GREEN if on else LINE, 2.2 if k == 0 else 0.85)
            for j in needs[k][i] if on else []:
                start = 4.6 * (k - 1) + (1.2 if k == 1 else 0.75)
                ax.plot([start, 4.6 * k - 0.15], [places[k - 1][j], y], color=GREEN, lw=0.9, zorder=0)
    label(ax, 14.9, places[3][9], "9", GREEN, fontsize=13)
    return fig


def _tile(ax, image, x, y, colour, size):
    """A small picture of 7 x 5 pixels around (x, y), `size` high."""
    pixel = size / HEIGHT
    left, top = x - WIDTH / 2 * pixel, y + size / 2
    ax.add_patch(Rectangle((left, y - size / 2), WIDTH * pixel, size, fc=BG, ec=LINE, lw=0.5))
    for k in np.flatnonzero(image):
        ax.add_patch(
            Rectangle(
                (left + k % WIDTH * pixel, top - (k // WIDTH + 1) * pixel), pixel, pixel, fc=colour, ec=colour, lw=0.4
            )
        )
