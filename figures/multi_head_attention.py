"""The figures of the multi-head attention page."""

import numpy as np
from matplotlib.patches import Rectangle

from figures.style import ARC, FG, LINE, MUTED, bare, canvas, label
from figures.two_heads import patterns

VIOLET = ARC["architecture"]
TEXT = "badcafeh"


def one_and_two():
    """Three triangular tables for the text b a d c a f e h: who looks where. With one head, each letter shares its
    weight between the letters one and two places back. With two heads, the one looks one place back and the other two
    places back, with nearly all its weight."""
    one, two = patterns(1, TEXT), patterns(2, TEXT)
    fig, panels = canvas(height=2.35, columns=3)
    for ax, table, title in zip(panels, (one[0], *two), ("one head", "first of two", "second of two"), strict=True):
        for row, column in zip(*np.tril_indices(len(TEXT)), strict=True):
            share = float(table[row, column])
            ax.add_patch(
                Rectangle((column - 0.47, row - 0.47), 0.94, 0.94, facecolor=VIOLET, alpha=0.05 + 0.95 * share, lw=0)
            )
        ends = len(TEXT) - 0.45
        ax.set(xlim=(-0.55, ends), ylim=(ends, -0.55), aspect="equal", title=title)
        ax.set_xticks(range(len(TEXT)), TEXT)
        ax.set_yticks(range(len(TEXT)), TEXT)
        ax.tick_params(length=0)
        ax.spines[["left", "bottom"]].set_visible(False)
    panels[0].set_ylabel("letter that looks")
    return fig


def thin_matrices():
    """A large square, 12,288 by 12,288, with 150,994,944 numbers; beside it, at the same scale, an upright strip and a
    lying strip, 12,288 by 128 each, with 3,145,728 numbers together: hardly thicker than a line. Their product has the
    shape of the square."""
    fig, ax = canvas(height=2.3)
    side, thin = 12288, 128
    ax.add_patch(Rectangle((0, 0), side, side, facecolor=LINE, edgecolor=MUTED, lw=0.8))
    label(ax, side / 2, side / 2, "12,288 × 12,288\n150,994,944\nnumbers")
    label(ax, side * 1.16, side / 2, "or", MUTED)
    x = side * 1.35
    ax.add_patch(Rectangle((x, 0), thin, side, facecolor=VIOLET, lw=0))
    label(ax, x + side * 0.06, side * 0.5, "output matrix, 12,288 × 128", VIOLET, ha="left")
    label(ax, x + side * 0.2, side * 0.97, "×", MUTED)
    ax.add_patch(Rectangle((x + side * 0.4, side - thin), side, thin, facecolor=VIOLET, lw=0))
    label(ax, x + side * 0.9, side * 0.86, "value matrix, 128 × 12,288", VIOLET)
    label(ax, x + side * 0.06, side * 0.08, "3,145,728 numbers together", FG, ha="left")
    bare(ax).set(xlim=(-300, x + side * 1.6), ylim=(-300, side + 300), aspect="equal")
    return fig


def sharing():
    """Three rows of dots. Multi-head: eight query heads, each with a head of keys and values of its own. Grouped-query:
    eight query heads, two heads of keys and values, each serving four. Multi-query: one for all eight."""
    fig, panels = canvas(height=1.9, columns=3)
    for ax, (title, groups) in zip(
        panels, {"multi-head": 8, "grouped-query": 2, "multi-query": 1}.items(), strict=True
    ):
        places = np.arange(8.0)
        keys = places.reshape(groups, -1).mean(axis=1)
        for head in range(8):
            ax.plot([places[head], keys[head * groups // 8]], [0, 1], color=MUTED, lw=0.8, zorder=0)
        ax.plot(places, np.zeros(8), "o", color=FG, ms=7)
        ax.plot(keys, np.ones(groups), "s", color=VIOLET, ms=8)
        bare(ax).set(xlim=(-0.6, 7.6), ylim=(-0.75, 1.65))
        ax.set_title(title, color=FG)
        label(ax, 3.5, -0.5, "8 query heads", FG, fontsize=9)
        label(ax, 3.5, 1.42, f"{groups} × keys and values", VIOLET, fontsize=9)
    return fig
