"""The figures of the page on vectors and dot products."""

import numpy as np
from matplotlib.patches import Polygon, Rectangle

from figures.digit_neighbours import as_vectors
from figures.style import ARC, FG, LINE, MUTED, bare, canvas, label
from kb.foundations.vectors_and_dot_products import (
    cosine_similarity,
    dot,
    euclidean_distance,
    nearest_neighbours,
    projection,
)

BLUE = ARC["foundations"]
TASTE = np.array([2.0, 1.0])
FILMS = {"A": np.array([1.0, 2.0]), "B": np.array([-1.0, 2.0]), "C": np.array([-3.0, 2.0])}


def alignment():
    """A plane with thrill to the right and romance upwards. One arrow is your taste, (2, 1). The arrow of film A, (1,
    2), points to the same side: dot product 4. Film B, (-1, 2), is perpendicular to it: 0. Film C, (-3, 2), lies on
    the other side: -4. A dashed line drops from the tip of A to the line of your taste; its foot ends the shadow of
    A."""
    fig, ax = canvas(height=3.0)
    across = 6 * np.array([-TASTE[1], TASTE[0]])  # perpendicular to the taste
    side = np.stack([across, across + 8 * TASTE, -across + 8 * TASTE, -across])
    ax.add_patch(Polygon(side, facecolor=BLUE, alpha=0.1, lw=0))
    ax.plot(*np.stack([-across, across]).T, color=MUTED, lw=0.8, ls=(0, (4, 3)))
    foot = projection(FILMS["A"], TASTE)
    ax.plot(*np.stack([FILMS["A"], foot]).T, color=MUTED, lw=0.8, ls=(0, (4, 3)))
    for tip, colour, width in [(TASTE, BLUE, 2.4), *((film, FG, 1.4) for film in FILMS.values())]:
        ax.annotate(
            "", tip, (0, 0), arrowprops={"arrowstyle": "->", "color": colour, "lw": width, "shrinkA": 0, "shrinkB": 0}
        )
    ax.plot(*np.stack([np.zeros(2), foot]).T, color=BLUE, lw=6, alpha=0.3, solid_capstyle="butt")
    label(ax, 2.1, 1.0, "your taste (2, 1)", BLUE, ha="left")
    label(ax, 0.85, 0.1, "A's shadow", BLUE, ha="left")
    for (name, film), (x, y), align in zip(
        FILMS.items(), ((1.1, 2.05), (-0.75, 2.2), (-3.1, 2.2)), ("left",) * 3, strict=True
    ):
        shown = ", ".join(f"{v:g}" for v in film).replace("-", "−")
        label(ax, x, y, f"{name} ({shown}): {dot(TASTE, film):g}".replace("-", "−"), ha=align)
    label(ax, 3.4, -0.4, "positive side", BLUE)
    label(ax, -2.4, 0.6, "negative side", MUTED)
    ax.set(xlim=(-3.6, 4.4), ylim=(-0.75, 2.6), aspect="equal", xlabel="thrill", ylabel="romance")
    ax.set(xticks=range(-3, 5), yticks=range(3))
    return fig


def cosine_and_distance():
    """Two curves for two vectors of length 1 against the angle between them, from 0 to 180 degrees. The cosine falls
    from 1 through 0 at 90 degrees to -1. The distance rises from 0 through 1.41 at 90 degrees to 2. Where one falls
    the other rises, so both name the same nearest neighbour."""
    fig, ax = canvas(height=2.4)
    angle = np.linspace(0, np.pi, 181)
    turned = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    fixed = np.array([1.0, 0.0])
    ax.axhline(0, color=LINE, lw=0.8, zorder=0)
    ax.axvline(90, color=MUTED, lw=0.8, ls=(0, (4, 3)))
    ax.plot(np.degrees(angle), cosine_similarity(fixed, turned), color=BLUE)
    ax.plot(np.degrees(angle), euclidean_distance(fixed, turned), color=FG)
    label(ax, 128, -0.35, "cosine", BLUE, ha="left")
    label(ax, 118, 1.45, "distance", FG, ha="left")
    label(ax, 92, 0.15, "0", BLUE, ha="left")
    label(ax, 88, 1.55, f"{np.sqrt(2):.2f}", FG, ha="right")
    ax.set(xlim=(0, 180), ylim=(-1.05, 2.1), xticks=[0, 45, 90, 135, 180], yticks=[-1, 0, 1, 2])
    ax.set(xlabel="angle between two unit vectors, in degrees")
    return fig


def currency():
    """Three tables of dot products, drawn alike: a stack of rows times a stack of columns gives a table, and one row
    with one column gives one entry. In a layer the rows are neurons' weights and the columns inputs; in attention
    queries and keys; in CLIP images and texts."""
    fig, axes = canvas(height=2.2, columns=3)
    panels = (
        ("a layer", "weights of\neach neuron", "inputs", "z"),
        ("attention", "queries", "keys", "scores"),
        ("CLIP", "images", "texts", "similarities"),
    )
    for ax, (title, rows, columns, result) in zip(axes, panels, strict=True):
        bare(ax).set(xlim=(-0.2, 8.4), ylim=(-1.6, 8.3), aspect="equal", title=title)
        _grid(ax, 0, 0, 4, 3, row=2)
        _grid(ax, 4, 4.9, 3, 4, column=1)
        _grid(ax, 4, 0, 4, 4, row=2, column=1)
        label(ax, 1.5, 5.3, rows, MUTED, fontsize=9)
        label(ax, 6, 8.2, columns, MUTED, fontsize=9)
        label(ax, 6, -0.75, result, BLUE, fontsize=9)
    return fig


def _grid(ax, left, bottom, rows, columns, row=None, column=None):
    """A table of cells; one row, one column, or the cell where both meet is filled."""
    for r in range(rows):
        for c in range(columns):
            chosen = (row is None or r == row) and (column is None or c == column)
            ax.add_patch(
                Rectangle(
                    (left + c, bottom + r), 0.9, 0.9, facecolor=BLUE if chosen else "none", edgecolor=MUTED, lw=0.8
                )
            )


def neighbours():
    """Three rows of images. On the left of each a held-out digit, then the five training digits with the largest
    cosine to it and that cosine. A 3 meets five threes, with cosines from 0.949 down, and a 6 five sixes, from 0.961
    down. The 9 in the last row meets five threes: it is one of the six held-out digits of 360 that are read
    wrongly."""
    vectors, _, queries, digits = as_vectors()
    fig, axes = canvas(height=3.5, columns=6, rows=3, gridspec_kw={"wspace": 0.0})
    for line, place in zip(axes, CHOSEN, strict=True):
        cosine, found = nearest_neighbours(queries[place], vectors, 5)
        titles = [f"held out: a {digits[place]}", *(f"{c:.3f}" for c in cosine)]
        for ax, image, title in zip(line, [queries[place], *vectors[found]], titles, strict=True):
            ax.imshow(image.reshape(8, 8), cmap=_ink(), vmin=0, vmax=1, interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.set_title(title, color=FG if title[0] == "0" else MUTED, fontsize=9.5)
            ax.spines[:].set_visible(False)
    return fig


CHOSEN = (7, 4, 331)  # places among the held-out digits


def _ink():
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("ink", ["#ffffff", "#1c1e21"])
