"""The figures of the MLP block page."""

import numpy as np
from matplotlib.patches import Rectangle

from figures.stored_facts import basketball_added, matches, pre_activation_of
from figures.style import ARC, BLUE, FG, MUTED, OCHRE, bare, canvas, label
from kb.structure.activation_functions import gelu, relu

VIOLET = ARC["architecture"]


def keys_and_values():
    """A vector x of 3 numbers meets a matrix of 8 rows, W up; one row is marked: the key of a neuron, what it looks
    for. Eight neurons follow, only the marked one is active. Then a matrix of 8 columns, W down; the column of the same
    neuron is marked: its value, what it adds. The result has 3 numbers again and is added to x."""
    fig, ax = canvas(height=2.3)
    bare(ax).set(xlim=(-0.6, 21.6), ylim=(-1.6, 10), aspect="equal")
    _grid(ax, 0, 2.5, 3, 1)
    _grid(ax, 3, 0, 8, 3, row=5)
    _grid(ax, 8, 0, 8, 1, row=5)
    _grid(ax, 11, 2.5, 3, 8, column=2)
    _grid(ax, 20.5, 2.5, 3, 1)
    for x in (2, 7, 10, 19.75):
        label(ax, x, 4, "→", MUTED)
    for x, y, text in ((0.5, 1.6, "x"), (4.5, -0.9, "W up"), (8.5, -0.9, "neurons"), (15, 1.6, "W down")):
        label(ax, x, y, text, MUTED, fontsize=9.5)
    label(ax, 21, 1.6, "adds", MUTED, fontsize=9.5)
    ax.annotate("key: looks for", (4.5, 6), (3.2, 9.2), color=VIOLET, ha="center", va="center", arrowprops=_line())
    ax.annotate("value: adds", (13.5, 5.5), (14.5, 9.2), color=VIOLET, ha="center", va="center", arrowprops=_line())
    return fig


def _grid(ax, x, y, rows, columns, row=None, column=None):
    """Cells of a matrix, with one row or one column filled; rows count from the bottom."""
    for i in range(rows):
        for j in range(columns):
            marked = i == row or j == column
            ax.add_patch(Rectangle((x + j, y + i), 1, 1, fill=marked, fc=VIOLET, ec=MUTED, lw=0.6))


def _line():
    return {"arrowstyle": "-", "color": VIOLET, "lw": 0.8, "shrinkB": 0}


def gate():
    """What the neuron passes on against its pre-activation z, from -2 to 2, for ReLU and GELU. Three marked places:
    z = -1, nobody is there: ReLU 0, GELU -0.159. z = 0, one of the two names: both 0. z = 1, Michael Jordan: ReLU 1,
    GELU 0.841."""
    z = np.linspace(-2, 2, 161)
    fig, ax = canvas(height=2.5)
    ax.axhline(0, color=MUTED, lw=0.8)
    ax.plot(z, relu(z), color=FG)
    ax.plot(z, gelu(z), color=VIOLET)
    for context, place, side in (
        ("nobody", -0.42, "center"),
        ("Michael", 0.38, "right"),
        ("Michael Jordan", 1.45, "right"),
    ):
        at = pre_activation_of(context)
        for activation, colour in ((relu, FG), (gelu, VIOLET)):
            ax.plot(at, basketball_added(context, activation), "o", color=colour, ms=5)
        text = "Michael, Jordan, Michael Phelps" if context == "Michael" else context
        label(ax, at - (0 if side == "center" else 0.08), place, text, ha=side)
    label(ax, 1.75, 1.3, "GELU", VIOLET, ha="left")
    label(ax, 1.35, 1.65, "ReLU", FG, ha="right")
    ax.set(xlabel="z = Michael · x + Jordan · x − 1", ylabel="basketball added", ylim=(-0.6, 2.05))
    ax.set_xticks([-2, -1, 0, 1, 2], ["−2", "−1", "0", "1", "2"])
    ax.set_yticks([0, 1, 2])
    return fig


def crowd():
    """Three humps: the pre-activations of 3,072 neurons when 100 people are asked for, by how many of the neuron's two
    names are there. None: around -1. One: around 0. Both: around 1. Each is about 0.07 wide, so none of them touch."""
    count, z = matches()
    fig, ax = canvas(height=1.9)
    for k, (text, colour) in enumerate((("neither name", MUTED), ("one of the two", OCHRE), ("both", BLUE))):
        bars, edges = np.histogram(z[count == k], bins=np.arange(-1.4, 1.4, 0.05))
        ax.stairs(bars / bars.max(), edges, fill=True, color=colour, alpha=0.75)
        label(ax, k - 1, 1.18, f"{text}: {np.sum(count == k):,}", colour)
    ax.axvline(0, color=MUTED, lw=0.8, ls=(0, (4, 3)), ymax=0.75)
    ax.set(yticks=[], xlabel="pre-activation z", ylim=(0, 1.3), xlim=(-1.5, 1.5))
    ax.set_xticks([-1, 0, 1], ["−1", "0", "1"])
    ax.spines["left"].set_visible(False)
    return fig
