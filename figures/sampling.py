"""The figures of the sampling page."""

import math

import numpy as np

from figures.small_bigram import FORK, FORK_WORDS, WORDS, after, fork_logits
from figures.style import ARC, FG, LINE, MUTED, bare, canvas, label
from kb.architecture.sampling import beam_search, entropy, min_p, temperature, top_k, top_p
from kb.foundations.softmax import softmax

VIOLET = ARC["architecture"]


def filters():
    """Six bar charts of the twelve words after the. The model's own shares: cat 0.41, dog 0.29, mat 0.18, bird and log
    0.06, seven others 0.001 each. Temperature 0.5 gives cat 0.58; temperature 2 gives cat 0.27 and the seven others
    together 0.10. Top-k with 3 keeps cat, dog and mat. Top-p with 0.9 keeps four words, log but not bird. Min-p with
    0.1 keeps five."""
    z = after("the")
    order = np.argsort(-z, kind="stable")
    panels = {
        "the model's own": z,
        "temperature 0.5": temperature(z, 0.5),
        "temperature 2": temperature(z, 2),
        "top-k, k = 3": top_k(z, 3),
        "top-p, p = 0.9": top_p(z, 0.9),
        "min-p, p = 0.1": min_p(z, 0.1),
    }
    fig, axes = canvas(height=4.6, rows=2, columns=3)
    for ax, (title, logits) in zip(axes.flat, panels.items(), strict=True):
        shares = softmax(logits)[order]
        gone = np.isneginf(logits[order])
        ax.barh(np.arange(12), np.where(gone, 0, np.maximum(shares, 0.004)), color=VIOLET, height=0.66)
        for row in np.flatnonzero(gone):
            label(ax, 0.02, row, "dropped", MUTED, ha="left", fontsize=7.5)
        for row in range(5):
            if not gone[row]:
                label(ax, shares[row] + 0.02, row, f"{shares[row]:.2f}", VIOLET, ha="left", fontsize=8.5)
        ax.set(title=title, xlim=(0, 0.75), ylim=(11.6, -0.6), xticks=[])
        ax.set_yticks(range(12), [WORDS[i] for i in order] if ax in axes[:, 0] else [""] * 12, color=FG, fontsize=9)
        ax.tick_params(length=0)
        ax.spines["bottom"].set_visible(False)
    return fig


def draw():
    """A bar from 0 to 1 cut into the shares of the words after the, in the order of the vocabulary: a sliver for the
    full stop, bird up to 0.06, cat up to 0.47, dog up to 0.76, log up to 0.82, mat up to 0.99, then slivers. An arrow
    at u = 0.637 falls into dog."""
    fig, ax = canvas(height=1.35)
    ends = np.cumsum(softmax(after("the")))
    starts = np.concatenate([[0], ends[:-1]])
    u = float(np.random.default_rng(0).random())
    chosen = int(np.sum(ends <= u))
    for i, (a, b) in enumerate(zip(starts, ends, strict=True)):
        ax.barh(0, b - a, left=a, color=VIOLET, alpha=0.85 if i == chosen else 0.15, height=0.6, ec=LINE, lw=0.6)
        if b - a > 0.03:
            label(ax, (a + b) / 2, -0.62, WORDS[i], VIOLET if i == chosen else FG)
    ax.annotate("", (u, 0.3), (u, 0.95), arrowprops={"arrowstyle": "->", "color": FG, "lw": 1.5})
    label(ax, u + 0.015, 0.78, f"u = {u:.3f}", ha="left")
    label(ax, 0, 0.52, "0", MUTED)
    label(ax, 1, 0.52, "1", MUTED)
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.85, 1.05))
    bare(ax)
    return fig


def entropies():
    """Entropy against temperature, from 0.1 to 30 on a logarithmic axis, for the words after the and after on. Both
    rise from 0 to the logarithm of 12, 2.48. At temperature 1 they are 1.42, as undecided as 4.1 equal words, and
    0.27, as 1.3 equal words."""
    fig, ax = canvas(height=2.5)
    t = np.geomspace(0.1, 30, 150)
    for word, x, y in (("the", 0.62, 1.47), ("on", 2.15, 0.8)):
        values = [entropy(temperature(after(word), each)) for each in t]
        ax.plot(t, values, color=VIOLET, alpha=1 if word == "the" else 0.6)
        label(ax, x, y, f"after “{word}”", VIOLET)
        own = float(entropy(after(word)))
        ax.plot(1, own, "o", color=VIOLET, ms=5)
        label(ax, 1.08, own - 0.12, f"{own:.2f}", VIOLET, ha="left")
    ax.axhline(math.log(12), color=MUTED, lw=0.8, ls=(0, (4, 3)))
    label(ax, 0.1, math.log(12) - 0.17, "log 12: all words equal", MUTED, ha="left")
    ax.axvline(1, color=MUTED, lw=0.8, ls=(0, (4, 3)))
    ax.set_xscale("log")
    ax.set_xticks([0.1, 1, 10], ["0.1", "1: the model's own", "10"], color=FG)
    ax.minorticks_off()
    ax.set(xlabel="temperature T", ylabel="entropy in nats", ylim=(0, 2.65), xlim=(0.1, 30))
    return fig


def fork():
    """A tree. From saw two branches: a with 0.55, an with 0.45. From a: bird 0.40, cat 0.30, dog 0.30. From an: owl
    0.96, ant 0.04. Greedy takes a and ends at a bird with 0.22. A beam of two keeps both and finds an owl with 0.43."""
    fig, ax = canvas(height=2.9)
    best = {int(i) for i in beam_search(fork_logits, np.array([0]), 2, 2)[0][0]}
    places = {
        0: (0.0, 2.0),
        1: (1.0, 3.0),
        2: (1.0, 0.5),
        3: (2.0, 4.0),
        4: (2.0, 3.0),
        5: (2.0, 2.0),
        6: (2.0, 1.0),
        7: (2.0, 0.0),
    }
    edges = [(0, 1), (0, 2), (1, 3), (1, 4), (1, 5), (2, 6), (2, 7)]
    for a, b in edges:
        on = a in best and b in best
        (x0, y0), (x1, y1) = places[a], places[b]
        ax.plot([x0 + 0.12, x1 - 0.14], [y0, y1], color=VIOLET if on else MUTED, lw=2.2 if on else 1.0)
        label(
            ax, (x0 + x1) / 2, (y0 + y1) / 2 + (0.45 if b == 2 else 0.24), f"{FORK[a, b]:.2f}", VIOLET if on else MUTED
        )
    for i, (x, y) in places.items():
        label(ax, x, y, FORK_WORDS[i], VIOLET if i in best else FG)
    for end in (3, 4, 5, 6, 7):
        first = 1 if end < 6 else 2
        text = f"{FORK[0, first] * FORK[first, end]:.3f}"
        who = {3: "  greedy", 6: "  beam of 2"}.get(end, "")
        label(ax, 2.25, places[end][1], text + who, VIOLET if end == 6 else FG, ha="left")
    label(ax, 2.25, 4.65, "whole text", MUTED, ha="left")
    ax.set(xlim=(-0.2, 3.1), ylim=(-0.35, 4.9))
    bare(ax)
    return fig
