"""The figures of the page on large language models."""

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath

from figures import tale_teller
from figures.style import ARC, BG, FG, MUTED, bare, canvas, label
from kb.architecture.large_language_model import power_law
from training import scaling as measured

VIOLET = ARC["architecture"]
PROMPTS = "One", "One sunny morning", f"{tale_teller.GIFT} to"
TITLES = "One …", "One sunny morning …", "… ring belonged to …"


def next_token():
    """Three groups of bars, each the six likeliest next tokens after a prompt. After "One" come weathers, each with
    about a seventh. After "One sunny morning" come names, with 9 to 18 percent each. At the end of a story in which
    Clara gave Ben the ring, after "the silver ring belonged to", 99 percent goes to the name Ben."""
    fig, axes = canvas(height=2.5, columns=3)
    for ax, prompt, title in zip(axes, PROMPTS, TITLES, strict=True):
        words = {word.strip(): p for word, p in reversed(tale_teller.likeliest(prompt, 9))}  # with and without a space
        for i, (word, p) in enumerate(sorted(words.items(), key=lambda pair: -pair[1])[:6]):
            ax.barh(i, p, color=VIOLET, height=0.62)
            label(ax, -0.03, i, word, ha="right", fontsize=9.5)
            label(ax, p + 0.03, i, f"{p:.0%}" if p >= 0.01 else "< 1%", MUTED, ha="left", fontsize=8.5)
        ax.set(xlim=(-0.55, 1.25), ylim=(5.6, -0.6))
        ax.set_title(title, fontsize=9, color=FG)
        bare(ax)
    return fig


def surprises():
    """A story that the model has never read, each token on a ground that is darker the more it surprised the model.
    Dark are the weather, the first names, the place and the thing, which the grammar chooses freely. Light is almost
    all else."""
    text = tale_teller.told()[1][SHOWN].text
    tokens = [tale_teller.model()[1].decode([i]) for i in tale_teller.tokens(text)[1:]]
    found = tale_teller.surprises(text)
    fig, ax = canvas(height=2.3)
    x, row = 0.0, 0
    for i, (token, width) in enumerate(zip(tokens, map(_width, tokens), strict=True)):
        gap = SPACE * token.startswith(" ")
        rest = sum(_width(part) for part in _rest_of_word(tokens, i))
        x, row = (0.0, row + 1) if x + gap + width + rest > LINE_WIDTH else (x + gap * (x > 0), row)
        shade = min(float(found[i]) / 5, 1.0)
        ax.add_patch(Rectangle((x, row - 0.41), width, 0.82, facecolor=VIOLET, alpha=shade, lw=0))
        label(ax, x + width / 2, row, token.strip(), BG if shade > 0.55 else FG, fontsize=SIZE)
        x += width
    ax.set(xlim=(0, LINE_WIDTH), ylim=(row + 0.6, -0.6))
    bare(ax)
    return fig


SHOWN = 2  # of the held-out stories
SIZE, SPACE, LINE_WIDTH = 9.5, 2.2, 385  # of the letters, between two words, of the lines: points


def _width(token):
    """Of the ground under a token: as wide as it is in a wide font, for readers have different ones."""
    box = TextPath((0, 0), token.strip(), size=SIZE).get_extents()
    return box.width + 2.4


def _rest_of_word(tokens, i):
    """The tokens after number i that belong to the same word."""
    following = tokens[i + 1 :]
    return following[: next((n for n, token in enumerate(following) if token.startswith(" ")), len(following))]


def scaling():
    """Two panels. Left, the loss on held-out stories over 600 steps for models of three sizes: all fall, the larger
    ones faster and further. Right, the losses at the end against the number of weights, both axes logarithmic: the
    three points lie near a straight line that falls."""
    fig, (left, right) = canvas(height=2.6, columns=2)
    for run, shade in zip(measured.read(), (0.4, 0.65, 1.0), strict=True):
        steps, losses = np.array(run["held_out"]).T
        left.plot(steps, losses, color=VIOLET, alpha=shade)
        label(left, steps[-1] + 12, losses[-1], f"{run['parameters']:,}", FG, ha="left", fontsize=9)
        right.plot(run["parameters"], losses[-1], "o", color=VIOLET, alpha=shade)
    weights, losses = tale_teller.sizes()
    a, k = power_law(weights, losses)
    along = np.geomspace(weights[0] / 1.5, weights[-1] * 1.5, 2)
    right.plot(along, a * along**k, color=MUTED, lw=0.9, zorder=0)
    label(
        right, weights[1] * 1.1, losses[1] * 1.12, f"loss ∝ weights$^{{{k:.2f}}}$".replace("-", "−"), MUTED, ha="left"
    )
    left.set(xlabel="step", ylabel="held-out loss", xlim=(0, 860), ylim=(0, 7.2), xticks=[0, 200, 400, 600])
    left.spines["bottom"].set_bounds(0, 600)
    right.set(xscale="log", yscale="log", xlabel="weights")
    ticks = [tick for tick in (0.5, 0.7, 1, 1.4, 2, 2.8, 4) if losses.min() / 1.3 < tick < losses.max() * 1.3]
    right.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    right.set_xticks([2e4, 5e4, 1e5, 2e5], ["20,000", "", "100,000", ""])
    right.minorticks_off()
    return fig
