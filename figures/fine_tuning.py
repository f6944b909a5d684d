"""The figures of the page on fine-tuning; what was trained was recorded by training/fine_tuning.py."""

import numpy as np
from matplotlib.patches import Rectangle

from figures.style import ARC, FG, MUTED, bare, canvas, label
from kb.architecture.fine_tuning import low_rank_share
from training.fine_tuning import RANKS, curve, ends, reached, share, trainable

VIOLET = ARC["architecture"]


def low_rank():
    """A wide grey rectangle W of 768 rows and 2,304 columns, a plus sign, and the update: a column 768 high and 8 wide
    called B times a strip 8 high and 2,304 wide called A. All are drawn to scale, except that 8 is drawn as 60. W has
    1,769,472 numbers and stays as it is; B and A have 24,576 and are trained."""
    fig, ax = canvas(height=1.6)
    bare(ax).set(xlim=(-40, 5900), ylim=(-260, 1000), aspect="equal")
    ax.add_patch(Rectangle((0, 0), 2304, 768, facecolor=MUTED, alpha=0.22, lw=0))
    label(ax, 1152, 440, "W", FG, fontsize=13)
    label(ax, 1152, 250, "1,769,472 numbers, frozen", MUTED, fontsize=9.5)
    label(ax, 2560, 384, "+", FG, fontsize=15)
    ax.add_patch(Rectangle((2850, 0), 60, 768, facecolor=VIOLET, lw=0))
    ax.add_patch(Rectangle((3300, 354), 2304, 60, facecolor=VIOLET, lw=0))
    label(ax, 3100, 384, "×", FG, fontsize=13)
    label(ax, 2880, 860, "B", VIOLET, fontsize=13)
    label(ax, 4450, 520, "A", VIOLET, fontsize=13)
    label(ax, 4450, 250, "together 24,576 numbers, trained", VIOLET, fontsize=9.5)
    label(ax, 1152, -140, "768 × 2,304", MUTED, fontsize=9)
    label(ax, 2880, -140, "768 × 8", MUTED, fontsize=9)
    label(ax, 4450, 30, "8 × 2,304", MUTED, fontsize=9)
    return fig


def learned_and_forgotten():
    """Four curves over 150 steps. The share of tilted digits that are read rises from 35 % to 74 % when all weights are
    trained, and to 70 % with rank 4. The share of upright digits that are still read falls from 91 % to 57 % with all
    weights, and to 61 % with rank 4. Most of both happens in the first 30 steps."""
    fig, ax = canvas(height=2.6)
    for way, colour in (("full", FG), (4, VIOLET)):
        steps, tilted, upright = curve(way).T
        ax.plot(steps, tilted, ".-", color=colour, ms=5, lw=1.4)
        ax.plot(steps, upright, ".--", color=colour, ms=5, lw=1.0)
    label(ax, 153, 0.76, "tilted, all weights", FG, ha="left", fontsize=9.5)
    label(ax, 153, 0.695, "tilted, rank 4", VIOLET, ha="left", fontsize=9.5)
    label(ax, 153, 0.625, "upright, rank 4", VIOLET, ha="left", fontsize=9.5)
    label(ax, 153, 0.56, "upright, all weights", FG, ha="left", fontsize=9.5)
    ax.set(xlabel="step", ylabel="digits read", xlim=(-3, 205), ylim=(0.25, 1), xticks=[0, 50, 100, 150])
    ax.set(yticks=[0.4, 0.6, 0.8, 1.0])
    return fig


def ranks():
    """Ten dots for each way of training, above the number of parameters that it trains, and their mean. The mean share
    of tilted digits read rises with the rank: 65 % for rank 1 with 174 numbers, 69, 70 and 72 % for ranks 2, 4 and 8,
    and 74 % for all 3,760 weights. The dots scatter by up to 11 points around it. A dashed line marks a network from
    random weights, 69 %."""
    fig, ax = canvas(height=2.4)
    ways = (*RANKS, "full")
    for way in ways:
        colour, name = (FG, "all weights") if way == "full" else (VIOLET, f"rank {way}")
        tilted = ends(way)[:, 0]
        ax.plot(np.full(len(tilted), trainable(way)), tilted, ".", color=colour, ms=4, alpha=0.4)
        ax.plot(trainable(way), reached(way), "o", color=colour, ms=6)
        label(ax, trainable(way), tilted.max() + 0.03, name, colour, fontsize=9.5)
    ax.plot([trainable(rank) for rank in RANKS], [reached(rank) for rank in RANKS], "-", color=VIOLET, lw=1.2)
    ax.axhline(reached("nothing"), color=MUTED, lw=0.9, ls=(0, (4, 3)))
    label(ax, 2250, reached("nothing") - 0.035, "from random\nweights", MUTED, fontsize=8.5)
    ax.set_xscale("log")
    ax.set_xticks([trainable(way) for way in ways], [f"{trainable(way):,}" for way in ways])
    ax.minorticks_off()
    ax.set(xlabel="numbers trained", ylabel="tilted digits read", xlim=(140, 4700), ylim=(0.5, 0.88))
    ax.set(yticks=[0.5, 0.6, 0.7, 0.8])
    return fig


def spectrum():
    """Two curves over the rank from 1 to 50. The best approximation of the update that full fine-tuning makes to the
    first layer holds 30 % of its squared length with rank 1, 74 % with rank 4, which is marked, and 92 % with rank 8.
    For random numbers it rises slowly: 7 %, 25 % and 42 %."""
    numbers = np.arange(1, 51)
    noise = np.random.default_rng(0).standard_normal((50, 64))
    fig, ax = canvas(height=2.1)
    ax.plot(numbers, [share(rank) for rank in numbers], color=VIOLET)
    ax.plot(numbers, [low_rank_share(noise, rank) for rank in numbers], color=MUTED)
    ax.plot(4, share(4), "o", color=VIOLET, ms=5)
    label(ax, 5.5, share(4) - 0.04, "rank 4", VIOLET, ha="left")
    label(ax, 16, 0.5, "random numbers", MUTED, ha="left")
    ax.set(xlabel="rank of the best approximation", ylabel="share of the update", xlim=(0, 50), ylim=(0, 1.03))
    ax.set(xticks=[0, 10, 20, 30, 40, 50], yticks=[0, 0.5, 1])
    return fig
