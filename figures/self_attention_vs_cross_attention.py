"""The figures of the page on self-attention and cross-attention."""

import numpy as np
from matplotlib.patches import FancyBboxPatch, Rectangle

from figures.painter import CAPTION, paint
from figures.style import BLUE, FG, GREEN, LINE, MUTED, OCHRE, RED, VIOLET, bare, canvas, label

PAINT = {"red": RED, "blue": BLUE, "green": GREEN, "violet": VIOLET, "brown": OCHRE}
WORDS = CAPTION.split()


def _cell(ax, column, row, colour, share=1.0):
    corner = column - 0.47, row - 0.47
    ax.add_patch(Rectangle(corner, 0.94, 0.94, facecolor=colour, alpha=0.05 + 0.95 * float(share), lw=0))


def maps():
    """Eight small pictures of 4 by 5 places. Seven show, for each word of the caption "a red sun and a blue sea", how
    strongly each place looks at it: the seven places of the sun look at the word sun, the other thirteen at the word
    sea, and none much at the other words. The eighth is the painted picture: the sun is red, the sea is blue."""
    _, shares, colours = paint()
    fig, panels = canvas(height=3.0, columns=4, rows=2)
    for word, ax in enumerate(panels.flat):
        for place in range(20):
            row, column = divmod(place, 5)
            if word < 7:
                _cell(ax, column, row, VIOLET, shares[place, word])
            else:
                _cell(ax, column, row, PAINT[colours[place]])
        bare(ax).set(xlim=(-0.6, 4.6), ylim=(3.6, -0.6), aspect="equal")
        ax.set_title(f"“{WORDS[word]}”" if word < 7 else "painted", color=FG)
    return fig


def sources():
    """Two diagrams. Self-attention: one box, the words; arrows lead from it to queries, keys and values, and the result
    goes back to the words. Cross-attention: two boxes; the image gives the queries, the words give keys and values, and
    the result goes to the image."""
    fig, panels = canvas(height=2.5, columns=2)
    for ax, title, givers in (
        (panels[0], "self-attention", {"words": (("Q", VIOLET), ("K", FG), ("V", FG))}),
        (panels[1], "cross-attention", {"image": (("Q", VIOLET),), "words": (("K", FG), ("V", FG))}),
    ):
        places = {"Q": 0, "K": 1.4, "V": 2.8}
        for name, made in givers.items():
            centre = np.mean([places[letter] for letter, _ in made])
            _box(ax, centre, 0, name)
            for letter, colour in made:
                ax.annotate("", (places[letter], 1.35), (centre, 0.35), arrowprops={"arrowstyle": "->", "color": MUTED})
                label(ax, places[letter], 1.65, letter, colour, fontsize=13)
        _box(ax, 1.4, 3.0, "attention")
        for x in places.values():
            ax.annotate("", (1.4 + (x - 1.4) * 0.5, 2.65), (x, 1.95), arrowprops={"arrowstyle": "->", "color": MUTED})
        ax.annotate("", (1.4, 4.0), (1.4, 3.35), arrowprops={"arrowstyle": "->", "color": MUTED})
        label(ax, 1.4, 4.25, f"added to the {next(iter(givers))}", VIOLET)
        bare(ax).set(xlim=(-1.7, 4.3), ylim=(-0.5, 4.6))
        ax.set_title(title, color=FG)
    return fig


def _box(ax, x, y, text):
    width = 0.14 * len(text) + 0.35
    ax.add_patch(
        FancyBboxPatch((x - width / 2, y - 0.27), width, 0.54, boxstyle="round,pad=0.05", facecolor=LINE, lw=0)
    )
    label(ax, x, y, text)


def tables():
    """Two tables of weights. Left, self-attention in the caption: seven rows and seven columns, empty right of the
    diagonal; the row of sun has most of its weight on red, the row of sea on blue. Right, cross-attention: twenty rows,
    the places, and seven columns, the words; no part is empty by rule, and the weight stands in the columns of sun and
    sea."""
    text, shares, _ = paint()
    fig, (left, right) = canvas(height=3.4, columns=2, width_ratios=(1.25, 1))
    for row, column in zip(*np.tril_indices(7), strict=True):
        _cell(left, column, row, VIOLET, text[row, column])
    for row, column in np.ndindex(20, 7):
        _cell(right, column, row, VIOLET, shares[row, column])
    left.set(xlim=(-0.55, 6.55), ylim=(6.55, -0.55), aspect="equal", title="words look at words")
    left.set_yticks(range(7), WORDS)
    right.set(xlim=(-0.55, 6.55), ylim=(19.55, -0.55), title="places look at words", ylabel="20 places")
    right.set_yticks([])
    for ax in (left, right):
        ax.set_xticks(range(7), WORDS, rotation=60)
        ax.tick_params(length=0)
        ax.spines[["left", "bottom"]].set_visible(False)
    return fig
