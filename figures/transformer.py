"""The figures of the transformer page."""

import math

import numpy as np
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

from figures.backwards import LENGTH, pattern, trained
from figures.style import ARC, BG, FG, LINE, MUTED, bare, canvas, label
from kb.architecture.transformer import GPTConfig, count_parameters

VIOLET, BLUE, GREEN, OCHRE = (ARC[name] for name in ("architecture", "foundations", "structure", "learning"))
ROWS = (4.8, 2.95, 1.1)
TEXT = ("The", " small", " grey")
PARTS = (("token embedding", "wte", BLUE), ("attention", ".attn.", VIOLET), ("MLPs", ".mlp.", GREEN))


def anatomy():
    """Three tokens, "The", " small" and " grey", as three horizontal lines from left to right, the residual streams.
    Each begins with a box that looks up the token's vector and adds its position. Then comes a block, which is repeated
    12 times. In it, attention first: arrows go from each line to itself and to the lines of later tokens, and a plus
    sign adds what arrives. Then an MLP for each line alone: a box above the line reads it, and a plus sign adds its
    result. At the end the unembedding turns each line into scores for the token that comes next."""
    fig, ax = canvas(height=3.1)
    bare(ax).set(xlim=(-0.3, 15.6), ylim=(0.2, 7.6))
    ax.add_patch(FancyBboxPatch((3.75, 0.6), 6.75, 6.1, boxstyle="round,pad=0.05", fc=LINE, alpha=0.3, ec="none"))
    label(ax, 7.1, 7.2, "a block, 12 times", MUTED)
    label(ax, 5.25, 6.3, "attention", VIOLET)
    for i, (y, token) in enumerate(zip(ROWS, TEXT, strict=True)):
        label(ax, 0.75, y, f"“{token}”")
        ax.annotate("", (13.6, y), (1.7, y), arrowprops={"arrowstyle": "->", "color": FG, "lw": 1.2}, zorder=0)
        label(ax, 13.75, y, "scores", ha="left")
        _box(ax, 2.6, y, 1.5, "embed", BLUE)
        _box(ax, 8.3, y + 0.85, 1.3, "MLP", GREEN)
        _box(ax, 11.9, y, 1.9, "unembed", BLUE)
        for row in range(i, 3):
            bend = "arc3,rad=-0.35" if row == i else "arc3,rad=0"
            _arrow(ax, (4.3, y), (6.2, ROWS[row]), VIOLET, bend)
        _arrow(ax, (7.2, y), (7.65, y + 0.85), GREEN, "angle,angleA=90,angleB=0,rad=4")
        _arrow(ax, (8.95, y + 0.85), (9.6, y), GREEN, "angle,angleA=0,angleB=90,rad=4")
        for x in (6.2, 9.6):
            ax.plot(x, y, "o", ms=9, mfc=BG, mec=FG, zorder=3)
            label(ax, x, y - 0.03, "+", fontsize=9, zorder=4)
    return fig


def _box(ax, x, y, width, text, colour):
    corner = (x - width / 2, y - 0.33)
    ax.add_patch(FancyBboxPatch(corner, width, 0.66, boxstyle="round,pad=0.05", fc=BG, ec=colour, lw=1.4, zorder=2))
    label(ax, x, y - 0.03, text, colour, fontsize=9, zorder=3)


def _arrow(ax, start, end, colour, bend):
    way = {"connectionstyle": bend, "arrowstyle": "-|>", "mutation_scale": 7, "shrinkA": 0, "shrinkB": 5}
    ax.add_patch(FancyArrowPatch(start, end, color=colour, lw=1.2, zorder=2, **way))


def parameters():
    """Where the parameters are, as shares of the whole, for GPT-2 small with 124 million and GPT-2 XL with 1,558
    million. In the small one the token embedding has 31 percent, attention 23 and the MLPs 46; in the large one 5, 32
    and 63. Positions and norms have less than 1 percent."""
    fig, ax = canvas(height=1.75)
    models = {"GPT-2 small": GPTConfig(), "GPT-2 XL": GPTConfig(n_embd=1600, n_layer=48, n_head=25)}
    for y, (name, config) in enumerate(models.items()):
        total, left = count_parameters(config), 0.0
        label(ax, -0.02, y - 0.12, name, ha="right")
        label(ax, -0.02, y + 0.2, f"{total / 1e6:,.0f} million", MUTED, ha="right", fontsize=9)
        for part, key, colour in PARTS:
            share = sum(math.prod(shape) for name, shape in config.shapes().items() if key in name) / total
            ax.add_patch(Rectangle((left, y - 0.32), share, 0.64, fc=colour, ec=BG))
            label(ax, left + share / 2, y, f"{100 * share:.0f} %" if share > 0.1 else f"{100 * share:.0f}", BG)
            if y == 0:
                label(ax, left + share / 2, -0.58, part, colour)
            left += share
    ax.set(xlim=(-0.3, 1.01), ylim=(1.45, -0.85), xticks=[], yticks=[])
    bare(ax)
    return fig


def learns():
    """The loss of the GPT that learns to write five letters backwards, over 150 steps, on a logarithmic axis. It starts
    at 2.4, as for a blind guess among eleven symbols. With positions it falls below 0.01 within 100 steps; without
    positions it stays near 1.9."""
    fig, ax = canvas(height=2.2)
    for positions, colour, text, place in (
        (True, VIOLET, "with positions", (88, 0.032)),
        (False, FG, "without", (120, 1.0)),
    ):
        ax.plot(trained(positions)[1], color=colour, lw=1.3)
        label(ax, *place, text, colour)
    ax.axhline(math.log(11), color=MUTED, lw=0.8, ls=(0, (4, 3)))
    label(ax, 149, 4.0, "a blind guess: log 11", MUTED, ha="right")
    ax.set_yscale("log")
    ax.set_yticks([0.01, 0.1, 1], ["0.01", "0.1", "1"])
    ax.minorticks_off()
    ax.set(xlabel="step", ylabel="loss", ylim=(0.0018, 7), xlim=(-2, 150))
    return fig


def looks_back():
    """Where the five positions that write "hcaeb" look, in the first block, averaged over its four heads. The columns
    are the letters of "beach", the bar, and what has been written so far. Nearly all the weight lies on the diagonal
    from upper right to lower left: the bar looks at the last letter of the word, the first written letter at the last
    but one, and so on to the first."""
    text = "beach|hcaeb"
    weights = np.mean(pattern(text, 0), axis=0)[LENGTH : 2 * LENGTH]
    fig, ax = canvas(height=2.5)
    for row in range(LENGTH):
        for column in range(row + LENGTH + 1):
            share = float(weights[row, column])
            ax.add_patch(Rectangle((column - 0.47, row - 0.47), 0.94, 0.94, fc=VIOLET, alpha=0.04 + 0.96 * share, lw=0))
            if share >= 0.1:
                label(ax, column, row, f"{share:.2f}".lstrip("0"), BG if share > 0.55 else FG, fontsize=8.5)
    for column, letter in enumerate(text[:-1]):
        label(ax, column, -0.85, letter)
    for row in range(LENGTH):
        label(ax, -0.85, row, text[row + LENGTH])
        label(ax, 10.15, row, f"writes {text[row + LENGTH + 1]}", VIOLET, ha="left")
    label(ax, 4.5, -1.55, "looks at", MUTED)
    label(ax, -1.6, 2, "this symbol", MUTED, rotation=90)
    ax.set(xlim=(-2, 12), ylim=(4.6, -1.9), aspect="equal")
    bare(ax)
    return fig
