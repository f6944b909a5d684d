"""The figures of the logits page."""

import math

import numpy as np

from figures.small_vocabulary import FINAL, TOKENS, WEIGHT
from figures.style import ARC, FG, MUTED, bare, canvas, label
from kb.architecture.logits import log_odds
from kb.architecture.unembedding import unembed
from kb.foundations.softmax import softmax

VIOLET = ARC["architecture"]
LOGITS = unembed(FINAL, WEIGHT)
ORDER = np.argsort(-LOGITS)


def scores_and_shares():
    """Six tokens with two bars each. On the left the logits: mat 4.72, sofa 3.20, dog 0.72, the -0.08, ran -2.44, green
    -2.84, on both sides of 0. On the right the probabilities that softmax makes of them: 0.802, 0.175, 0.015, 0.007,
    0.001 and 0.000."""
    fig, (left, right) = canvas(height=2.3, columns=2)
    z, p = LOGITS[ORDER], softmax(LOGITS)[ORDER]
    left.barh(range(6), z, color=VIOLET, height=0.6)
    left.axvline(0, color=MUTED, lw=0.8)
    right.barh(range(6), p, color=VIOLET, height=0.6)
    for row, i in enumerate(ORDER):
        sign = 1 if z[row] > 0 else -1
        label(left, -0.25 * sign, row, TOKENS[i], ha="right" if sign > 0 else "left")
        text = f"{z[row]:.2f}".replace("-", "−")
        label(left, z[row] + 0.2 * sign, row, text, VIOLET, ha="left" if sign > 0 else "right")
        label(right, -0.03, row, TOKENS[i], ha="right")
        label(right, p[row] + 0.02, row, f"{p[row]:.3f}", VIOLET, ha="left")
    left.set(ylim=(5.6, -0.6), xlim=(-5, 7), title="logits: any number")
    right.set(ylim=(5.6, -0.6), xlim=(-0.3, 1.05), title="probabilities: sum 1")
    bare(left)
    bare(right)
    return fig


def odds():
    """The probability of a token against its log-odds: an S-shaped curve from 0 to 1. The six tokens lie on it: green
    at log-odds -7.8, ran at -7.4, the at -5.0, dog at -4.2, sofa at -1.5 and mat at 1.4, where the probability is 0.80.
    Marks say that log-odds 0 is one in two, 2.2 is nine in ten and 4.6 is 99 in a hundred."""
    fig, ax = canvas(height=2.7)
    x = np.linspace(-8.5, 6.5, 300)
    ax.plot(x, 1 / (1 + np.exp(-x)), color=MUTED, lw=1.2)
    at, p = log_odds(LOGITS), softmax(LOGITS)
    ax.plot(at, p, "o", color=VIOLET, ms=5)
    beside = {"ran": (0.1, 0.17), "the": (-0.2, 0.08), "dog": (0.15, 0.08), "green": (-0.05, 0.08)}
    for i, token in enumerate(TOKENS):
        dx, dy = beside.get(token, (-0.3, 0.02))
        label(ax, at[i] + dx, p[i] + dy, token, VIOLET, ha="center" if token in beside else "right")
    for share, text in ((0.5, "1 : 1"), (0.9, "9 : 1"), (0.99, "99 : 1")):
        place = math.log(share / (1 - share))
        ax.plot([place, place], [0, share], color=MUTED, lw=0.8, ls=(0, (4, 3)))
        label(ax, place + 0.15, 0.06, text, FG, ha="left")
    ax.set(xlabel="log-odds against all other tokens together", ylabel="probability", ylim=(0, 1.05), xlim=(-8.5, 6.5))
    return fig


def twice():
    """The shares of the six tokens after one softmax, 0.80, 0.18 and four below 0.02, and after two: 0.30, 0.16 and
    four between 0.13 and 0.14. A dashed line marks one sixth, the share of pure guessing."""
    fig, ax = canvas(height=2.3)
    once, again = softmax(LOGITS)[ORDER], softmax(softmax(LOGITS))[ORDER]
    ax.bar(np.arange(6) - 0.2, once, width=0.36, color=VIOLET)
    ax.bar(np.arange(6) + 0.2, again, width=0.36, color=MUTED, alpha=0.3)
    for i in range(6):
        label(ax, i - 0.2, once[i] + 0.02, f"{once[i]:.2f}", VIOLET, va="bottom", fontsize=9)
        label(ax, i + 0.2, again[i] + 0.05 if i == 0 else again[i] / 2, f"{again[i]:.2f}", FG, fontsize=9)
    ax.axhline(1 / 6, color=FG, lw=0.8, ls=(0, (4, 3)))
    label(ax, 5.5, 0.42, "dashed: guessing, 1/6", FG, ha="right")
    label(ax, 5.5, 0.72, "softmax once", VIOLET, ha="right")
    label(ax, 5.5, 0.57, "softmax twice", MUTED, ha="right")
    ax.set_xticks(range(6), [TOKENS[i] for i in ORDER], color=FG)
    ax.set(yticks=[], ylim=(0, 0.95))
    ax.tick_params(length=0)
    ax.spines["left"].set_visible(False)
    return fig
