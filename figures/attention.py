"""The figures of the attention page."""

import numpy as np

from figures.attention_head import pattern, train_head
from figures.style import ARC, BG, FG, MUTED, canvas, label
from kb.architecture.attention import attention_weights, score_variance

VIOLET = ARC["architecture"]
SENTENCE = "the small grey cat chased the old red ball"


def pattern_of_a_sentence():
    """A triangular table for the sentence "the small grey cat chased the old red ball": one row for each word that
    looks, one column for each word that is looked at. The row of cat has nearly all its weight on small and grey, the
    row of ball on old and red. Everything right of the diagonal is empty: no word looks ahead."""
    words, weights, _ = pattern(train_head(), SENTENCE)
    fig, ax = canvas(height=4.1)
    n = len(words)
    for row in range(n):
        for column in range(row + 1):
            share = float(weights[row, column])
            ax.add_patch(_cell(column, row, share))
            if share >= 0.1:
                label(ax, column, row, f"{share:.2f}".lstrip("0"), BG if share > 0.55 else FG, fontsize=8.5)
    ax.set(xlim=(-0.55, n - 0.45), ylim=(n - 0.45, -0.55), xticks=range(n), yticks=range(n), aspect="equal")
    ax.set_xticks(range(n), words, rotation=45, ha="left", rotation_mode="anchor", color=FG)
    ax.set_yticks(range(n), words, color=FG)
    ax.tick_params(length=0, labeltop=True, labelbottom=False)
    ax.set_ylabel("the word that looks")
    for side in ax.spines.values():
        side.set_visible(False)
    return fig


def _cell(column, row, share):
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.47, row - 0.47), 0.94, 0.94, facecolor=VIOLET, alpha=0.04 + 0.96 * share, lw=0)


def variance():
    """The variance of the dot product of two random vectors against their width d, from 4 to 1024, on logarithmic
    axes. The measured dots lie on the line variance = d; divided by the square root of d they lie on the line
    variance = 1. A mark shows d = 128, the head size of GPT-3."""
    rng = np.random.default_rng(0)
    widths = 2 ** np.arange(2, 11)
    pairs = [score_variance(*rng.standard_normal((2, 4000, d))) for d in widths]
    fig, ax = canvas(height=2.3)
    ax.plot(widths, widths, color=MUTED, lw=0.8)
    ax.axhline(1, color=MUTED, lw=0.8)
    ax.plot(widths, [raw for raw, _ in pairs], "o", color=FG, ms=4)
    ax.plot(widths, [scaled for _, scaled in pairs], "o", color=VIOLET, ms=4)
    label(ax, 60, 260, "q · k", FG)
    label(ax, 60, 2.6, "q · k / √d", VIOLET)
    ax.axvline(128, color=MUTED, lw=0.8, ls=(0, (4, 3)))
    label(ax, 140, 0.42, "d = 128: GPT-3's heads", MUTED, ha="left")
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    ax.set_xticks([4, 16, 64, 256, 1024], ["4", "16", "64", "256", "1024"])
    ax.set_yticks([1, 16, 256], ["1", "16", "256"])
    ax.minorticks_off()
    ax.set(xlabel="width d of queries and keys", ylabel="variance", ylim=(0.25, 1500))
    return fig


def lookup():
    """Four bars, the weights that the query of cat gives to four words. The keys of small and grey score 3.18 and
    4.24 and get the weights 0.252 and 0.727; the and cat score 0 and get 0.010 each."""
    q = np.array([[3.0, 0.0]])
    k = np.array([[0.0, 1.0], [1.5, 0.0], [2.0, 0.0], [0.0, 0.5]])
    weights = attention_weights(q, k)[0]
    fig, ax = canvas(height=1.75)
    ax.barh(range(4), weights, color=VIOLET, height=0.6)
    for i, (word, share) in enumerate(zip(("the", "small", "grey", "cat"), weights, strict=True)):
        score = float(q[0] @ k[i] / np.sqrt(2))
        label(ax, -0.02, i, f"{word}   q · k / √2 = {score:.2f}", ha="right")
        label(ax, share + 0.015, i, f"{share:.3f}", VIOLET, ha="left")
    ax.set(yticks=[], xticks=[], xlim=(-0.62, 1), ylim=(3.5, -0.5))
    for side in ax.spines.values():
        side.set_visible(False)
    return fig
