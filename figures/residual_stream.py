"""The figures of the residual stream page."""

import numpy as np
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

from figures.induction_stack import BLOCKS, SLOTS, TEXT, WORDS, last_parts, readable, shares
from figures.style import ARC, BG, BLUE, FG, GREEN, MUTED, OCHRE, bare, canvas, label
from kb.architecture.residual_stream import stream

VIOLET = ARC["architecture"]
STAGES = ["embedding", *BLOCKS]


def reading_and_writing():
    """A thick line runs from left to right: the vector of one position. Four blocks, attention, MLP, attention, MLP,
    stand above it. From each an arrow comes up from the line, and another leads back down into a plus sign on the line
    a little further on. At the left end the token's embedding enters, at the right end the unembedding reads."""
    fig, ax = canvas(height=1.6)
    bare(ax).set(xlim=(0, 16.6), ylim=(0.2, 4.2), aspect="equal")
    ax.plot([1.9, 14.5], [0.9, 0.9], color=VIOLET, lw=5, solid_capstyle="butt")
    for x, name in zip((2.6, 5.6, 8.6, 11.6), ("attention", "MLP") * 2, strict=True):
        ax.add_patch(FancyBboxPatch((x - 0.2, 2.75), 2.3, 0.95, boxstyle="round,pad=0.05", fill=False, ec=FG))
        label(ax, x + 0.95, 3.2, name, fontsize=9.5)
        _arrow(ax, (x, 1.0), (x, 2.65))
        _arrow(ax, (x + 1.9, 2.65), (x + 1.9, 1.27))
        ax.add_patch(Circle((x + 1.9, 0.9), 0.36, fc=BG, ec=VIOLET, zorder=3))
        label(ax, x + 1.9, 0.88, "+", VIOLET, zorder=4)
    label(ax, 2.75, 2.15, "reads", MUTED, ha="left", fontsize=9)
    label(ax, 4.4, 1.65, "writes", MUTED, ha="right", fontsize=9)
    label(ax, 0.85, 0.9, "embed-\nding", fontsize=9.5)
    label(ax, 15.6, 0.9, "unembed-\nding", fontsize=9.5)
    return fig


def _arrow(ax, start, end):
    ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": MUTED, "shrinkA": 0, "shrinkB": 0})


def slots():
    """The last position's vector of 21 numbers in four rows: as the embedding, and after each of three blocks. The
    embedding fills two cells, this word = grey and position = 6. Look back adds word before = the. Copy adds 4 in the
    slot next word, at cat. Habit adds 2.5 beside it, at dog. No cell that was filled ever changes."""
    states, parts = stream(last_parts()), last_parts()
    fig, ax = canvas(height=2.75)
    for row, (state, part) in enumerate(zip(states, parts, strict=True)):
        for column, value in enumerate(state):
            _cell(ax, column, row, value, new=abs(part[column]) > 0.01)
    names = [*WORDS * 3, *(str(i + 1) for i in range(len(TEXT)))]
    ax.set_xticks(range(21), names, rotation=90, color=FG)
    ax.set_yticks(range(4), ["embedding", *(f"+ {name}" for name in BLOCKS)], color=FG)
    ax.tick_params(length=0)
    ax.set(xlim=(-0.6, 20.6), ylim=(3.6, -1.3))
    for name, (first, last) in zip(SLOTS, ((0, 4), (5, 9), (10, 14), (15, 20)), strict=True):
        label(ax, (first + last) / 2, -1.0, name, VIOLET)
        if first:
            ax.plot([first - 0.5] * 2, [-1.3, 3.6], color=MUTED, lw=0.8)
    for side in ax.spines.values():
        side.set_visible(False)
    return fig


def _cell(ax, column, row, value, new):
    filled = abs(value) > 0.01
    alpha = 0.25 + 0.75 * min(abs(value) / 4, 1) if filled else 0.05
    ax.add_patch(Rectangle((column - 0.45, row - 0.42), 0.9, 0.84, facecolor=VIOLET, alpha=alpha, lw=0))
    if filled:
        label(ax, column, row, f"{value:g}" if new else "·", BG if alpha > 0.6 else FG, fontsize=7.5)


def logit_shares():
    """Horizontal bars for the logits of cat, dog and grey, each made of the shares of its parts. Cat: 4.0, all from
    copy. Dog: 2.5, all from habit. Grey: minus 1, all from the embedding. Look back has no share in any of them."""
    fig, ax = canvas(height=1.7)
    colours = dict(zip(STAGES, (OCHRE, BLUE, VIOLET, GREEN), strict=True))
    for row, word in enumerate(("cat", "dog", "grey")):
        for name, share in zip(STAGES, shares(word), strict=True):
            if abs(share) > 0.01:
                ax.barh(row, share, color=colours[name], height=0.6)
                label(
                    ax,
                    share + (0.08 if share > 0 else -0.08),
                    row,
                    f"{name} {share:+.1f}".replace("-", "−"),
                    colours[name],
                )
                ax.texts[-1].set_ha("left" if share > 0 else "right")
    ax.axvline(0, color=MUTED, lw=0.8)
    ax.set_yticks(range(3), ["cat", "dog", "grey"], color=FG)
    ax.set(xlim=(-3.6, 5.6), ylim=(2.5, -0.5), xlabel="share of the logit at the last position")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return fig


def room():
    """What a reader finds of a vector of length 1 when many others, in random directions, were written into the same
    stream: it should be 1. Three clouds of dots for every other of 192 writes. In 64 dimensions they scatter from -3.1
    to 4.3, in 768 dimensions from -0.2 to 2.1, in 12,288 dimensions they lie between 0.7 and 1.4."""
    fig, ax = canvas(height=1.9)
    rng = np.random.default_rng(1)
    for row, width in enumerate((64, 768, 12_288)):
        found = readable(width, 192)[::2]
        ax.plot(found, row + rng.uniform(-0.22, 0.22, len(found)), "o", color=VIOLET, ms=2.2, mew=0)
    ax.axvline(1, color=MUTED, lw=0.8)
    ax.axvline(0, color=MUTED, lw=0.8, ls=(0, (1, 2)))
    ax.set_yticks(range(3), ["64", "768", "12,288"], color=FG)
    ax.set(ylim=(2.5, -0.5), xlabel="what the reader of one write finds", ylabel="dimensions")
    ax.set_xticks([-4, -2, 0, 1, 2, 4])
    return fig
