"""The figures of the one-hot encoding page."""

import numpy as np
from matplotlib.patches import Rectangle

from figures.style import ARC, BG, FG, MUTED, RED, bare, canvas, label
from kb.architecture.one_hot_encoding import one_hot

VIOLET = ARC["architecture"]
ANIMALS = ["cat", "dog", "fish", "owl"]
PETS = np.array([30.0, 45.0, 10.0, 5.0])  # how many of 90 households have one


def vectors():
    """Four rows of four cells. The rows are cat, dog, fish and owl; row n has a filled cell with a 1 in column n and
    zeros in the others."""
    fig, ax = canvas(height=1.9)
    bare(ax).set(xlim=(-2.6, 4.1), ylim=(4.05, -0.6), aspect="equal")
    for n, row in enumerate(one_hot(np.arange(4))):
        label(ax, -0.3, n + 0.5, f"{ANIMALS[n]}, number {n}", ha="right")
        _cells(ax, row, 0, n)
    return fig


def _cells(ax, values, x, y, colour=VIOLET):
    for k, value in enumerate(values):
        face = colour if value else "none"
        ax.add_patch(Rectangle((x + k, y), 1, 1, facecolor=face, edgecolor=MUTED, lw=0.8))
        label(ax, x + k + 0.5, y + 0.52, f"{value:g}", BG if value else MUTED)


def false_order():
    """Two panels with the same four numbers of households: cat 30, dog 45, fish 10, owl 5. On the left a straight line
    through the category numbers 0 to 3 misses them, for cat by 9 and for dog by 17. On the right one weight per
    one-hot category, drawn as a level for each, meets them all."""
    fig, axes = canvas(height=2.4, columns=2, sharey=True)
    place = np.arange(4)
    line = np.polyval(np.polyfit(place, PETS, 1), place)
    for ax, fit, title in zip(axes, (line, PETS), ("one number, one slope", "one-hot, a weight for each"), strict=True):
        for n in place:
            ax.plot([n, n], [fit[n], PETS[n]], color=RED, lw=1.2)
        ax.plot(place, PETS, "o", color=FG, ms=5, zorder=3)
        ax.set_xticks(place, [f"{name}\n{n}" for n, name in enumerate(ANIMALS)])
        ax.set(title=title, xlim=(-0.5, 3.5), ylim=(0, 52))
    axes[0].plot(place, line, color=VIOLET)
    for n in place:
        axes[1].plot([n - 0.3, n + 0.3], [PETS[n]] * 2, color=VIOLET)
    axes[0].set_ylabel("households")
    return fig


def selects_a_row():
    """A one-hot row vector with its 1 in the third place, times a matrix with four rows of three numbers, gives the
    third row of the matrix: 7, 8, 9. That row is filled; the other rows are multiplied by 0."""
    fig, ax = canvas(height=1.75)
    bare(ax).set(xlim=(-0.3, 13.6), ylim=(4.3, -0.6), aspect="equal")
    _cells(ax, [0, 0, 1, 0], 0, 1.5)
    label(ax, 4.7, 2, "×")
    for row in range(4):
        for k in range(3):
            chosen = row == 2
            face = VIOLET if chosen else "none"
            ax.add_patch(Rectangle((5.4 + k, row), 1, 1, facecolor=face, edgecolor=MUTED, lw=0.8))
            label(ax, 5.9 + k, row + 0.52, f"{3 * row + k + 1}", BG if chosen else MUTED)
    label(ax, 9.2, 2, "=")
    for k, value in enumerate((7, 8, 9)):
        ax.add_patch(Rectangle((9.9 + k, 1.5), 1, 1, facecolor=VIOLET, edgecolor=MUTED, lw=0.8))
        label(ax, 10.4 + k, 2.02, f"{value}", BG)
    for x, y, text in ((2, 3.0, "one-hot, (1, 4)"), (6.9, -0.4, "W, (4, 3)"), (11.4, 3.0, "row 2 of W")):
        label(ax, x, y, text, MUTED, fontsize=9.5)
    return fig
