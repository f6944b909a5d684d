"""The figures of the layer normalisation page."""

import numpy as np
from matplotlib.patches import Rectangle

from figures.norm_stack import last_gradient, stream_sizes
from figures.style import ARC, FG, LINE, MUTED, bare, canvas, label
from kb.architecture.layer_normalization import layer_norm, post_norm, pre_norm

VIOLET = ARC["architecture"]


def three_vectors():
    """Three vectors of 24 numbers, each drawn as a row of dots on a line from -10 to 40. On the left as they come: one
    lies around 0 within 1, one around 25 within 8, one between 5 and 6. On the right after layer norm: all three spread
    around 0 between about -2 and 2."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((3, 24)) * np.array([[0.6], [5.0], [0.2]]) + np.array([[0.0], [25.0], [5.5]])
    fig, axes = canvas(height=1.9, columns=2)
    for ax, values, title in zip(axes, (x, layer_norm(x)), ("before", "after layer norm"), strict=True):
        for row, vector in enumerate(values):
            ax.axhline(row, color=LINE, lw=0.8, zorder=0)
            ax.plot(vector, np.full(24, row), "o", color=VIOLET, ms=4.5, alpha=0.55, mew=0)
            ax.plot(vector.mean(), row, "|", color=FG, ms=15, mew=1.4)
        ax.set(yticks=[], ylim=(2.6, -0.6), title=title)
        ax.spines["left"].set_visible(False)
    axes[0].set(xlim=(-10, 40))
    axes[1].set(xlim=(-4, 4))
    axes[0].set_yticks(range(3), ["token 1", "token 2", "token 3"])
    axes[0].tick_params(axis="y", length=0)
    return fig


def axes():
    """Three times the same numbers: three blocks side by side, one for each example; each has four rows, positions or
    pixels, and six columns, channels. Coloured are the numbers that share one mean and one variance. Layer norm and RMS
    norm: one row of one block. Group norm with three groups: two columns of one block, all rows. Batch norm: one column
    of all three blocks."""
    fig, ax = canvas(height=3.3)
    shared = {
        "layer norm,\nRMS norm": lambda example, row, column: example == 0 and row == 1,
        "group norm,\n3 groups": lambda example, row, column: example == 0 and column < 2,
        "batch norm": lambda example, row, column: column == 0,
    }
    for panel, (title, inside) in enumerate(shared.items()):
        label(ax, -2.2, 5.4 * panel + 1.9, title, ha="right")
        for example, row, column in np.ndindex(3, 4, 6):
            colour = VIOLET if inside(example, row, column) else LINE
            corner = column + 7.5 * example, row + 5.4 * panel
            ax.add_patch(Rectangle(corner, 0.86, 0.86, facecolor=colour, edgecolor="none"))
    for example in range(3):
        label(ax, 7.5 * example + 3, -0.8, f"example {example + 1}", MUTED, fontsize=9.5)
        label(ax, 7.5 * example + 3, 15.5, "channels", MUTED, fontsize=9)
    label(ax, -0.8, 1.9, "positions", MUTED, rotation=90, fontsize=9)
    bare(ax).set(xlim=(-8.6, 21.4), ylim=(16.1, -1.4), aspect="equal")
    return fig


def depth():
    """Two plots of stacks of random blocks. Left: the size of the vectors after each of 24 blocks, on a logarithmic
    axis. Without a norm it grows to more than 4000, with pre-norm to 4.6, with post-norm it stays 1. Right: the
    gradient of the last block's weights against the number of blocks, from 1 to 32. With pre-norm it falls from 0.78 to
    0.32; with post-norm it does not fall, it rises to 1.3."""
    fig, (left, right) = canvas(height=2.5, columns=2)
    for norm, name, colour, place in (
        (None, "no norm", MUTED, (12, 700)),
        (pre_norm, "pre-norm", VIOLET, (18, 9)),
        (post_norm, "post-norm", FG, (18, 0.55)),
    ):
        left.plot(stream_sizes(norm), color=colour)
        label(left, *place, name, colour)
    left.set(xlabel="after block", ylabel="size of the vectors", yscale="log", ylim=(0.3, 1e4))
    left.minorticks_off()
    depths = [1, 2, 4, 8, 16, 32]
    for norm, name, colour, place in (
        (pre_norm, "pre-norm", VIOLET, (6, 0.22)),
        (post_norm, "post-norm", FG, (5, 1.3)),
    ):
        right.plot(depths, [last_gradient(norm, n) for n in depths], "o-", color=colour, ms=4)
        label(right, *place, name, colour)
    right.set_xscale("log", base=2)
    right.set_xticks(depths, map(str, depths))
    right.minorticks_off()
    right.set(xlabel="number of blocks", ylabel="gradient, last block", ylim=(0, 1.6))
    return fig
