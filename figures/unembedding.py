"""The figures of the unembedding page."""

import math

import numpy as np

from figures.small_vocabulary import FINAL, FORMS, TOKENS, WEIGHT, song_costs
from figures.style import ARC, FG, MUTED, bare, canvas, label
from kb.architecture.unembedding import unembed

VIOLET = ARC["architecture"]
WORDS = ["the", "cat", "sat", "on", "the"]
NEXT = ["cat", "sat", "on", "the", "mat"]


def scores():
    """On the left a plane with the final vector (2.0, 0.8) and one arrow for each of six tokens. On the right the dot
    products as bars: mat 4.72, sofa 3.20, dog 0.72, the -0.08, ran -2.44, green -2.84. The arrow of sofa points most
    nearly the way of the final vector, but that of mat is longer and scores more."""
    fig, (plane, bars) = canvas(height=2.7, columns=2, gridspec_kw={"width_ratios": [1.25, 1]})
    plane.plot(*np.stack([np.zeros(2), FINAL]).T, color=VIOLET, lw=7, alpha=0.35, solid_capstyle="butt")
    label(plane, 2.1, 1.15, "final vector", VIOLET)
    beside = {"mat": (0.4, 0.0), "sofa": (-0.45, 0.35)}
    for vector, token in zip(WEIGHT, TOKENS, strict=True):
        _arrow(plane, vector, FG, 1.2)
        label(plane, *(vector + beside.get(token, (0, 0.22 * np.sign(vector[1])))), token)
    plane.set(xlim=(-1.9, 2.95), ylim=(-1.65, 1.9), aspect="equal")
    bare(plane)
    z = unembed(FINAL, WEIGHT)
    order = np.argsort(-z)
    bars.barh(range(6), z[order], color=VIOLET, height=0.6)
    bars.axvline(0, color=MUTED, lw=0.8)
    for row, i in enumerate(order):
        label(bars, -0.25 if z[i] > 0 else 0.25, row, TOKENS[i], ha="right" if z[i] > 0 else "left")
        text = f"{z[i]:.2f}".replace("-", "−")
        label(bars, z[i] + (0.2 if z[i] > 0 else -0.2), row, text, VIOLET, ha="left" if z[i] > 0 else "right")
    bars.set(ylim=(5.6, -0.6), xlim=(-4.6, 6.6), title="dot products: the logits")
    bare(bars)
    return fig


def _arrow(ax, tip, colour, width):
    style = {"arrowstyle": "->", "color": colour, "lw": width, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", tip, (0, 0), arrowprops=style)


def positions():
    """Two rows of the five words the, cat, sat, on, the. In training each of the five final vectors gives a row of
    scores, compared with the word that follows: cat, sat, on, the, mat. In generation only the last position is
    unembedded, and its scores choose the word after the text."""
    fig, axes = canvas(height=3.3, rows=2)
    for ax, title, used in zip(axes, ("training: 5 predictions from one pass", "generation: 1"), (5, 1), strict=True):
        for i, (word, target) in enumerate(zip(WORDS, NEXT, strict=True)):
            on = i >= 5 - used
            ax.add_patch(_box(i, 0, VIOLET if on else MUTED, 0.12 if on else 0.04))
            label(ax, i, 0, word)
            if on:
                ax.annotate("", (i, 0.98), (i, 0.32), arrowprops={"arrowstyle": "->", "color": VIOLET, "lw": 1.4})
                label(ax, i, 1.2, f"{target}?" if used == 5 else "next word?", VIOLET)
        label(ax, -0.45, 1.75, title, FG, ha="left")
        ax.set(xlim=(-0.55, 4.9), ylim=(-0.4, 2.0))
        bare(ax)
    return fig


def _box(x, y, colour, alpha):
    from matplotlib.patches import FancyBboxPatch

    style = "round,pad=0,rounding_size=0.08"
    return FancyBboxPatch((x - 0.4, y - 0.28), 0.8, 0.56, boxstyle=style, facecolor=(colour, alpha), edgecolor=colour)


def song():
    """Cross-entropy against training steps, for one two three, one two three. With two separate matrices, and with one
    shared matrix and a layer between its two uses, the cost falls to 0. With one shared matrix and nothing between it
    stops at 1.0986, the logarithm of 3: guessing."""
    fig, ax = canvas(height=2.2)
    styles = [(FG, (0, (4, 2))), (VIOLET, "-"), (FG, "-")]
    for form, (colour, style) in zip(FORMS, styles, strict=True):
        ax.plot(song_costs(form)[:61], color=colour, ls=style)
    label(ax, 22, 0.19, "two matrices", ha="left")
    label(ax, 8, 0.62, "one matrix, a layer between", ha="left")
    label(ax, 22, 1.24, "one matrix, nothing between: log 3", VIOLET, ha="left")
    ax.axhline(math.log(3), color=MUTED, lw=0.8, zorder=0)
    ax.set(xlabel="training step", ylabel="cross-entropy", ylim=(0, 1.4), xlim=(0, 60))
    return fig
