"""The figures of the page on the U-Net."""

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import LinearSegmentedColormap

from figures import letter_u
from figures.digit_noise import LEVELS, TELLING, losses, reading
from figures.skipped import MEASURED, pictures
from figures.stable_diffusion_unet import by_level
from figures.style import ARC, BLUE, GREEN, LINE, MUTED, OCHRE, bare, canvas, label
from kb.generation.unet import timestep_embedding

RED = ARC["generation"]
SIGNED = colormaps["RdBu_r"].resampled(9)  # few colours: the page is smaller
SHARES = LinearSegmentedColormap.from_list("shares", ["#ffffff", ARC["generation"]], N=13)
ARROW = {"arrowstyle": "->", "color": MUTED, "shrinkA": 0, "shrinkB": 0}
KEPT = {**ARROW, "color": BLUE, "lw": 1.4}


def _plate(ax, width, height):
    bare(ax).set(xlim=(0, width), ylim=(height, 0), aspect="equal")


def through():
    """One pass of a small U-Net over a noisy 5 of 16 by 16 pixels, drawn as the letter U; of each result one channel
    is shown, with channels, rows and columns. Down the left side: 16 channels of 16 by 16, 32 of 8 by 8, 32 of 4 by 4,
    and the middle. Up the right side the same sizes again, where at every step what the left side kept at that size is
    joined on, as arrows across show: 32 and 16 channels become 48. At the end the predicted noise, 1 by 16 by 16."""
    fig, ax = canvas(height=3.75)
    _plate(ax, 17.4, 11.6)
    ax.imshow(letter_u.board(), extent=(0, 17.5, 11.5, 0), interpolation="none")
    label(ax, 1.1, 4.1, "noisy image\n1 × 16 × 16", fontsize=8.5)
    label(ax, 16.3, 4.1, "its noise\n1 × 16 × 16", fontsize=8.5)
    for x, y, text, joined in letter_u.labels():
        label(ax, x, y, text, BLUE if joined else MUTED, fontsize=8)
    for start, end in letter_u.ONWARDS:
        ax.annotate("", end, start, arrowprops=ARROW)
    for start, end, bend in letter_u.across():
        ax.annotate("", end, start, arrowprops={**KEPT, "connectionstyle": f"arc3,rad={bend}"})
    label(ax, 8.85, 0.25, "kept and joined on", BLUE, fontsize=9)
    return fig


def skips():
    """Left, three digits in columns: clean, noisy, and what two networks make of the noisy ones. With skips, clear
    strokes. Without, blurred and spotted ones. Right, the error on held-out digits by level, from 20 to 900,
    logarithmic: with skips it falls from 0.14 to 0.002, without from 0.20 to 0.014. The second curve lies above the
    first everywhere, and the further to the right the more: in the end it is eight times as high."""
    fig, (left, right) = canvas(height=2.6, columns=2, width_ratios=[1.15, 1])
    _plate(left, 5.9, 4.4)
    names = ("clean", "noisy", "with", "without")
    rows = np.array([pictures(name)[:3] for name in names])  # (4, 3, 16, 16)
    sheet = np.pad(rows, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=-99).swapaxes(1, 2).reshape(4 * 17, 3 * 17)
    left.imshow(sheet, cmap=letter_u.GREYS, vmin=-99, vmax=99, extent=(2.65, 5.84, 4.35, 0.1), interpolation="none")
    for j, name in enumerate(names):
        text = {"with": "with skips", "noisy": "noisy, $t$ = 300"}.get(name, name)
        label(left, 2.5, 0.6 + 1.06 * j, text, {"with": BLUE, "without": RED}.get(name, MUTED), ha="right", fontsize=9)
    for name, colour in (("without", RED), ("with", BLUE)):
        right.plot(MEASURED["levels"], MEASURED[name], "o-", color=colour, ms=3.5)
    right.set(yscale="log", xlabel="level $t$", ylabel="squared error", ylim=(0.001, 0.3))
    right.set_yticks([0.002, 0.01, 0.05, 0.2], ["0.002", "0.01", "0.05", "0.2"])
    right.minorticks_off()
    return fig


def clocks():
    """The timestep as 16 numbers, one row each, for t from 0 to 499 from left to right; blue is -1, red 1. The upper
    8 rows are cosines, the lower 8 sines. In each half the first row flickers, and every further row changes more
    slowly, until the last hardly changes at all."""
    fig, ax = canvas(height=1.9)
    t = np.arange(0, 500, 2)
    place = {"aspect": "auto", "extent": (0, 500, 16, 0), "interpolation": "none"}
    ax.imshow(timestep_embedding(t, 16).T, cmap=SIGNED, vmin=-1, vmax=1, **place)
    ax.set(xlabel="timestep $t$", yticks=[4, 12], yticklabels=["cosines", "sines"])
    ax.axhline(8, color=LINE, lw=1)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.tick_params(length=0)
    return fig


def words():
    """Two tables of attention in per cent, four blocks by the tokens of a prompt, the darker the more is read; level
    400. For "a photo of a thick seven" most is read at the ends that fill the text up, 82 in the middle block and 66 in
    the first; "thick" has 5 to 9, "seven" 0 to 6. For "a photo of a thin narrow three" the ends have 79 in the middle
    and 35 to 53 elsewhere, "narrow" 20 in the middle, "thin" 22 in the last block, "three" 0 to 6."""
    fig, axes = canvas(height=3.3, rows=2)
    prompts = {"a photo of a thick seven": 7, "a photo of a thin narrow three": 3}
    for ax, (prompt, digit) in zip(axes, prompts.items(), strict=True):
        tokens = ["start", *prompt.split()]
        shares = np.array([maps.mean(axis=(0, 1)) for maps in reading(prompt, 400, digit).values()])
        ends = shares[:, len(tokens) :].sum(axis=1, keepdims=True)
        shares = np.concatenate([shares[:, : len(tokens)], ends], axis=1)
        ax.imshow(np.sqrt(shares), cmap=SHARES, vmin=0, vmax=1, aspect="auto")
        ax.set_xticks(range(len(tokens) + 1), [*tokens, "ends"])
        ax.set_yticks(range(4), ("down", "middle", "up, first", "up, second"))
        for (i, j), share in np.ndenumerate(shares):
            label(ax, j, i, f"{100 * share:.0f}", "#ffffff" if share > 0.5 else "#1c1e21", fontsize=9.5)
        for spine in ax.spines.values():
            spine.set_visible(False)
        ax.tick_params(length=0)
    return fig


def losses_by_level():
    """The error of the predicted noise against the level from 0 to 999, in the one channel of the codes that tells most
    about the digit. Answering no noise: 1 everywhere. The best linear answer falls from 1 to nearly 0. The network
    without the prompt lies below it between the levels 100 and 600, and the network with the prompt further below: at
    level 400 they have 0.37, 0.32 and 0.23. At both ends the three meet."""
    fig, ax = canvas(height=2.7)
    ax.axhline(1, color=MUTED, lw=0.8, ls=(0, (4, 3)))
    label(ax, 700, 0.95, "no noise", MUTED)
    for answer, name, colour, place in (
        ("linear", "best linear answer", OCHRE, (455, 0.42)),
        ("empty", "without the prompt", BLUE, (560, 0.24)),
        ("network", "with the prompt", RED, (60, 0.19)),
    ):
        ax.plot(LEVELS, losses(answer, TELLING), color=colour)
        label(ax, *place, name, colour, ha="left")
    ax.set(xlabel="level $t$", ylabel="squared error", ylim=(0, 1.05), xlim=(0, 1000))
    return fig


def parameters():
    """Bars: the millions of parameters of each of the nine levels of Stable Diffusion 1.5's U-Net, in the order of the
    pass, stacked by kind. 64 by 64 places: 11; 32 by 32: 37; 16 by 16: 140; 8 by 8: 62; the middle: 97; then up, 8 by
    8: 162; 16 by 16: 258; 32 by 32: 71; 64 by 64: 19. Most of every bar is 3 by 3 convolutions and their shortcuts."""
    fig, ax = canvas(height=2.9)
    groups = {
        "convolutions": ("3 x 3 convolutions", "shortcuts"),
        "MLPs": ("MLPs",),
        "attention": ("self-attention", "cross-attention", "into and out of attention"),
        "timestep, norms": ("timestep", "norms"),
    }
    levels = by_level()
    x, base = np.arange(len(levels)), np.zeros(len(levels))
    for (name, kinds), colour in zip(groups.items(), (RED, OCHRE, BLUE, GREEN), strict=True):
        height = np.array([sum(level[kind] for kind in kinds) for level in levels.values()]) / 1e6
        ax.bar(x, height, 0.75, base, color=colour, lw=0)
        label(ax, 0.05, {RED: 225, OCHRE: 195, BLUE: 165, GREEN: 255}[colour] - 12, name, colour, ha="left")
        base += height
    for k, total in enumerate(base):
        label(ax, k, total + 9, f"{total:.0f}", MUTED, fontsize=9)
    sides = ("64²", "32²", "16²", "8²", "8²", "8²", "16²", "32²", "64²")
    ax.set_xticks(x, [f"{s}\n{w}" for s, w in zip(sides, ["down"] * 4 + ["middle"] + ["up"] * 4, strict=True)])
    ax.set(ylabel="million parameters", ylim=(0, 285))
    return fig
