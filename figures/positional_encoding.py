"""The figures of the positional encoding page."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from figures.style import ARC, BG, FG, MUTED, canvas, label
from kb.architecture.attention import scaled_dot_product_attention
from kb.architecture.positional_encoding import rope, score_by_distance, sinusoidal_positions

VIOLET, OCHRE = ARC["architecture"], ARC["learning"]
WORDS = ["dog", "bites", "man"]


def order():
    """Bars for four of the numbers that attention computes for each word of "dog bites man" and of "man bites dog". On
    the left, without positions, each word has exactly the same bars in both sentences. On the right, with rotary
    positions, dog and man have other bars in the second sentence, because they stand in other places."""
    x = np.random.default_rng(158).standard_normal((3, 8)) * 0.7
    swapped = [2, 1, 0]
    fig, panels = canvas(height=2.6, columns=2, sharey=True)
    for ax, title, turn in (
        (panels[0], "without positions", lambda x: x),
        (panels[1], "with rotary positions", lambda x: rope(x, np.arange(3))),
    ):
        first = scaled_dot_product_attention(turn(x), turn(x), x)
        second = scaled_dot_product_attention(turn(x[swapped]), turn(x[swapped]), x[swapped])[swapped]
        for word in range(3):
            places = 5.2 * word + np.arange(4)
            ax.bar(places - 0.2, first[word, :4], 0.38, color=VIOLET)
            ax.bar(places + 0.2, second[word, :4], 0.38, color=OCHRE)
            label(ax, places.mean(), -1.6, WORDS[word])
        ax.axhline(0, color=MUTED, lw=0.8)
        ax.set(xticks=[], title=title, ylim=(-1.8, 1.7), yticks=[])
        for side in ("bottom", "left"):
            ax.spines[side].set_visible(False)
    label(panels[0], -0.8, 1.5, "dog bites man", VIOLET, ha="left")
    label(panels[0], 7.6, 1.5, "man bites dog", OCHRE, ha="left")
    return fig


def clocks():
    """A table of colours with a row for each of 32 columns of the sinusoidal encoding and a column for each of 100
    positions. The upper rows alternate every few positions, the lower rows change more and more slowly, and the last
    ones hardly at all."""
    table = sinusoidal_positions(100, 32).T
    fig, ax = canvas(height=2.6)
    shades = LinearSegmentedColormap.from_list("", ["#ffffff", "#b591cd", "#4d1d6b"])
    ax.imshow(table, cmap=shades, aspect="auto", interpolation="nearest", vmin=-1, vmax=1)
    ax.set(xlabel="position", ylabel="entry of the vector")
    ax.set_yticks([0, 10, 20, 30])
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return fig


def distance():
    """Left: the scores of one query with one key for nine places of each, as a table of coloured squares; every
    diagonal has one colour. Right: the score of a vector of 64 ones with itself against the distance of the two, from 0
    to 200: it falls in waves from 64 at distance 0 to about 20 at distance 200."""
    fig, (left, right) = canvas(height=2.7, columns=2, width_ratios=(1, 1.25))
    rng = np.random.default_rng(46)
    table = score_by_distance(*rng.standard_normal((2, 16)), np.arange(9))
    low, high = table.min(), table.max()
    for i, j in np.ndindex(9, 9):
        share = float((table[i, j] - low) / (high - low))
        left.add_patch(_cell(j, i, share))
        if i in (0, 8) or j in (0, 8):
            label(
                left,
                j,
                i,
                f"{table[i, j]:.1f}".replace("-0.0", "0.0").replace("-", "−"),
                BG if share > 0.5 else FG,
                fontsize=6.5,
            )
    left.set(xlim=(-0.55, 8.55), ylim=(8.55, -0.55), aspect="equal", xticks=range(0, 9, 2), yticks=range(0, 9, 2))
    left.set(xlabel="place of the key", ylabel="place of the query")
    left.spines[["left", "bottom"]].set_visible(False)
    left.tick_params(length=0)
    right.plot(score_by_distance(np.ones(64), np.ones(64), np.arange(201))[0], color=VIOLET, lw=1.3)
    right.set(xlabel="distance", ylabel="score", ylim=(0, 68), yticks=[0, 32, 64])
    return fig


def _cell(column, row, share):
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.47, row - 0.47), 0.94, 0.94, facecolor=VIOLET, alpha=0.06 + 0.94 * share, lw=0)
