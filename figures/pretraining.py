"""The figures of the page on pretraining."""

import math

import numpy as np

from figures import tale_teller
from figures.style import ARC, FG, LINE, MUTED, bare, canvas, label

VIOLET = ARC["architecture"]
FIRST = 12  # tokens of a story that are shown


def every_position():
    """Two rows of tokens, the beginning of a story. Below, what the model reads at each position, from the token that
    begins a story on; above, what it should say there, which is the token that it reads next. Between them a bar for
    each position, the probability that the trained model gives to the right answer: small for the weather, the name
    and the place, which nobody can know, and near 1 for the words between."""
    text = next(one.text for one in tale_teller.told()[1] if one.text.startswith("It was a"))
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
    """The loss against the step, on a logarithmic axis. It begins at 6.94, just above a dotted line at ln 896 = 6.80,
    and falls steeply within the first 300 steps to below 1, then ever more slowly to about 0.22. The loss on the
    held-out stories, drawn as dots, goes along at first, is lowest at step 1,200 with 0.44, and then rises to 0.56."""
    fig, ax = canvas(height=2.8)
    losses, vocabulary = tale_teller.record()["losses"], tale_teller.model()[1].vocab_size
    steps, means = tale_teller.smoothed(losses)
    ax.plot([1, *steps], [losses[0], *means], color=VIOLET, lw=1.4)
    steps, held_out = tale_teller.held_out_losses()
    ax.plot(steps, held_out, "o", color=FG, ms=3)
    ax.axhline(math.log(vocabulary), color=MUTED, lw=0.9, ls=(0, (1, 2)))
    label(ax, steps[-1], math.log(vocabulary) * 0.84, f"ln {vocabulary}: every token alike", MUTED, ha="right")
    label(ax, steps[-1], held_out[-1] * 1.35, "held-out stories", FG, ha="right")
    label(ax, steps[-1], losses[-1] * 0.85, "batches, mean of 25", VIOLET, ha="right", va="top")
    ax.set(xlabel="step", ylabel="loss, nats per token", xlim=(-30, steps[-1] * 1.01), ylim=(0.13, 8.5), yscale="log")
    ax.set_yticks([0.25, 0.5, 1, 2, 4], ["0.25", "0.5", "1", "2", "4"])
    ax.minorticks_off()
    return fig


def abilities():
    """Five lines against the step: the share of answers in held-out stories that the model would write itself. All
    stay below a half for the first 800 steps. Who has it climbs from 0.14 at step 600 to 0.71 at step 1,200 and ends at
    0.81, which place ends at 0.77, who gave it at 0.75, which feeling at 0.57, which thing at 0.27."""
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
    ax.set_xticks(range(0, steps[-1] + 1, 500))
    ax.set_yticks([0, 0.5, 1], ["0", "½", "1"])
    ax.spines["bottom"].set_bounds(0, steps[-1])
    return fig
