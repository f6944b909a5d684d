"""The figures of the page on pretraining."""

import math

import numpy as np

from figures import tale_teller
from figures.style import ARC, FG, LINE, MUTED, bare, canvas, label

VIOLET = ARC["architecture"]
FIRST = 11  # tokens of a story that are shown


def every_position():
    """Two rows of tokens, the beginning of a story. Below, what the model reads at each position, from the token that
    begins a story on; above, what it should say there, which is the token that it reads next. Between them a bar for
    each position, the probability that the trained model gives to the right answer: small for the weather, the name
    and the place, which nobody can know, and near 1 for the words between."""
    text = tale_teller.told()[1][0].text
    ids = tale_teller.tokens(text)[: FIRST + 1]
    words = ["⟨end⟩", *(tale_teller.model()[1].decode([i]).strip() for i in ids[1:])]
    chances = np.exp(-tale_teller.surprises(text)[:FIRST])
    fig, ax = canvas(height=2.5)
    for i in range(FIRST):
        label(ax, i, -0.16, words[i], MUTED, fontsize=9, rotation=55, ha="right", va="top", rotation_mode="anchor")
        label(ax, i, 1.3, words[i + 1], FG, fontsize=9, rotation=55, ha="left", va="bottom", rotation_mode="anchor")
        ax.bar(i, 1, color=LINE, width=0.62, alpha=0.5)
        ax.bar(i, chances[i], color=VIOLET, width=0.62)
        label(ax, i, 1.12, f"{chances[i]:.2f}".lstrip("0") if chances[i] < 0.995 else "1", VIOLET, fontsize=8.5)
    label(ax, -0.75, 1.5, "should say", FG, ha="right", fontsize=9.5)
    label(ax, -0.75, 0.5, "chance it gave", VIOLET, ha="right", fontsize=9.5)
    label(ax, -0.75, -0.35, "reads", MUTED, ha="right", fontsize=9.5)
    ax.set(xlim=(-3.4, FIRST + 0.6), ylim=(-1.15, 2.35))
    bare(ax)
    return fig


def curve():
    """The loss against the step. It begins at 6.94, just above a dotted line at ln 1024 = 6.93, falls steeply within
    the first 300 steps to about 1, and then ever more slowly. The loss on the held-out stories, drawn as dots, stays
    close to that of the training batches."""
    fig, ax = canvas(height=2.7)
    losses = tale_teller.record()["losses"]
    ax.plot(*tale_teller.smoothed([losses[0]] * 12 + losses[:-12]), color=VIOLET, lw=1.4)
    steps, held_out = tale_teller.held_out_losses()
    ax.plot(steps, held_out, "o", color=FG, ms=3)
    ax.axhline(math.log(1024), color=MUTED, lw=0.9, ls=(0, (1, 2)))
    label(ax, len(losses), math.log(1024) + 0.3, "ln 1024: every token alike", MUTED, ha="right")
    label(ax, len(losses) * 0.6, held_out[-1] + 1.1, "held-out stories (dots)", FG, ha="left")
    label(ax, len(losses) * 0.12, 3.2, "batches (mean of 25)", VIOLET, ha="left")
    ax.set(xlabel="step", ylabel="loss, nats per token", xlim=(-30, len(losses)), ylim=(0, 7.6))
    return fig


def abilities():
    """Five lines against the step: the share of answers in held-out stories that the model would write itself."""
    fig, ax = canvas(height=2.7)
    names = {"thing": "which thing", "feeling": "which feeling", "place": "which place"}
    names |= {"giver": "who gave it", "holder": "who has it"}
    ends = sorted((tale_teller.marks(about)[1][-1], about) for about in names)
    places = [ends[0][0]]
    for share, _ in ends[1:]:
        places.append(max(share, places[-1] + 0.085))
    shift = max(0, places[-1] - 1.0)
    for (_, about), place in zip(ends, places, strict=True):
        steps, shares = tale_teller.marks(about)
        main = about == "holder"
        ax.plot(steps, shares, color=VIOLET if main else MUTED, lw=2 if main else 1.1)
        label(ax, steps[-1] * 1.02, place - shift, names[about], VIOLET if main else MUTED, ha="left", fontsize=9.5)
    ax.set(xlabel="step", ylabel="share right", xlim=(0, steps[-1] * 1.28), ylim=(0, 1.03))
    ax.set_yticks([0, 0.5, 1], ["0", "½", "1"])
    ax.spines["bottom"].set_bounds(0, steps[-1])
    return fig
