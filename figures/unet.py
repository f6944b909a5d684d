"""The figures of the page on the U-Net."""

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import LinearSegmentedColormap

from figures.digit_noise import LEVELS, TELLING, losses, reading
from figures.neural_network import INK
from figures.skipped import MEASURED, pictures
from figures.stable_diffusion_unet import by_level
from figures.style import ARC, BLUE, GREEN, LINE, MUTED, OCHRE, bare, canvas, label
from kb.generation.unet import timestep_embedding

RED = ARC["generation"]
SIGNED = colormaps["RdBu_r"].resampled(9)  # few colours: the page is smaller
SHARES = LinearSegmentedColormap.from_list("shares", ["#ffffff", ARC["generation"]], N=13)
ARROW = {"arrowstyle": "->", "color": MUTED, "shrinkA": 0, "shrinkB": 0}


def _picture(ax, image, x, y, size, cmap=INK, low=-99, high=99):
    """An image whose top left is at (x, y), where y runs down."""
    ax.imshow(image, cmap=cmap, vmin=low, vmax=high, extent=(x, x + size, y + size, y), interpolation="none")


def _plate(ax, width, height):
    bare(ax).set(xlim=(0, width), ylim=(height, 0), aspect="equal")


def through():
    """One pass of a small U-Net over a noisy 5 of 16 by 16 pixels, drawn as the letter U; of each result one channel
    is shown, with channels, rows and columns. Down the left side: 16 channels of 16 by 16, 32 of 8 by 8, 32 of 4 by 4,
    and the middle. Up the right side the same sizes again, where at every step what the left side kept at that size is
    joined on, as arrows across show: 32 and 16 channels become 48. At the end the predicted noise, 1 by 16 by 16."""
    fig, ax = canvas(height=3.75)
    _plate(ax, 17.4, 11.6)
    met = {name: (shape, np.array(tile)) for name, shape, tile in MEASURED["met"]}
    sizes, tops = {16: 2.0, 8: 1.45, 4: 0.95}, {16: 1.4, 8: 5.3, 4: 8.3}
    x_of = {16: (2.85, 5.75, 10.1, 12.6), 8: (4.0, 6.2, 9.9, 12.1), 4: (4.4, 6.9, 9.95, 12.1)}
    rows = {
        16: ("conv_in", "down_blocks.0.resnets.0", "up_blocks.2.resnets.0", "up_blocks.2.resnets.1"),
        8: ("down_blocks.0.down", "down_blocks.1.resnets.0", "up_blocks.1.resnets.0", "up_blocks.1.resnets.1"),
        4: ("down_blocks.1.down", "down_blocks.2.resnets.0", "up_blocks.0.resnets.0", "up_blocks.0.resnets.1"),
    }
    _picture(ax, pictures("noisy")[2], 0.1, 1.4, 2.0)
    _picture(ax, met["conv_out"][1], 15.3, 1.4, 2.0)
    label(ax, 1.1, 4.1, "noisy image\n1 × 16 × 16", fontsize=8.5)
    label(ax, 16.3, 4.1, "its noise\n1 × 16 × 16", fontsize=8.5)
    for side, names in rows.items():
        size, top = sizes[side], tops[side]
        for name, x in zip(names, x_of[side], strict=True):
            shape, tile = met[name]
            _picture(ax, tile, x, top, size, SIGNED)
            joined = met.get(name.replace("resnets", "joined")) if name.startswith("up") else None
            text = f"{shape[0]} × {side} × {side}" if joined is None else f"{joined[0][0]} → {shape[0]}"
            label(ax, x + size / 2, top + size + 0.36, text, BLUE if joined else MUTED, fontsize=8)
        (a, b, c, d), y = x_of[side], top + size / 2
        ax.annotate("", (c - 0.1, y), (b + size + 0.1, y), arrowprops={**ARROW, "color": BLUE, "lw": 1.4})
        arc = {**ARROW, "color": BLUE, "lw": 1.4, "connectionstyle": f"arc3,rad={-0.17 if side == 16 else -0.2}"}
        ax.annotate("", (d + size / 2, top - 0.08), (a + size / 2, top - 0.08), arrowprops=arc)
    _picture(ax, met["mid_block.resnets.0"][1], 8.3, 10.2, 0.95, SIGNED)
    label(ax, 9.45, 10.7, "middle, 32 × 4 × 4", MUTED, ha="left", fontsize=8)
    for a, b in (
        ((2.2, 2.4), (2.75, 2.4)),
        ((14.7, 2.4), (15.2, 2.4)),
        ((6.1, 4.1), (5.3, 5.15)),
        ((6.4, 7.4), (5.6, 8.15)),
        ((7.3, 9.9), (8.2, 10.6)),
        ((9.35, 10.4), (10.1, 9.9)),
        ((11.85, 8.2), (11.1, 7.4)),
        ((12.2, 5.2), (11.5, 4.05)),
    ):
        ax.annotate("", b, a, arrowprops=ARROW)
    label(ax, 8.85, 0.25, "kept and joined on", BLUE, fontsize=9)
    return fig


def skips():
    """Left, four digits in columns: clean, noisy, and what two networks make of the noisy ones. With skips, clear
    strokes. Without, blurred and spotted ones. Right, the error on held-out digits by level, from 20 to 900,
    logarithmic: with skips it falls from 0.14 to 0.002, without from 0.20 to 0.014. The second curve lies above the
    first everywhere, and the further to the right the more: in the end it is eight times as high."""
    fig, (left, right) = canvas(height=2.6, columns=2, width_ratios=[1.3, 1])
    _plate(left, 6.9, 4.4)
    for j, name in enumerate(("clean", "noisy", "with", "without")):
        for k, image in enumerate(pictures(name)):
            _picture(left, image, 2.65 + 1.06 * k, 0.1 + 1.06 * j, 1.0)
        text = {"with": "with skips", "noisy": "noisy, $t$ = 300"}.get(name, name)
        label(left, 2.5, 0.6 + 1.06 * j, text, {"with": BLUE, "without": RED}.get(name, MUTED), ha="right", fontsize=9)
    for name, colour in (("without", RED), ("with", BLUE)):
        right.plot(MEASURED["levels"], MEASURED[name], "o-", color=colour, ms=3.5)
    right.set(yscale="log", xlabel="level $t$", ylabel="squared error", ylim=(0.001, 0.3))
    right.set_yticks([0.002, 0.01, 0.05, 0.2], ["0.002", "0.01", "0.05", "0.2"])
    right.minorticks_off()
    return fig


def clocks():
    """The timestep as 32 numbers, one row each, for t from 0 to 999 from left to right; blue is -1, red 1. The upper
    16 rows are cosines, the lower 16 sines. In each half the first row flickers, and every further row changes more
    slowly, until the last hardly changes at all."""
    fig, ax = canvas(height=2.4)
    t = np.arange(0, 1000, 2)
    place = {"aspect": "auto", "extent": (0, 1000, 32, 0), "interpolation": "none"}
    ax.imshow(timestep_embedding(t, 32).T, cmap=SIGNED, vmin=-1, vmax=1, **place)
    ax.set(xlabel="timestep $t$", yticks=[8, 24], yticklabels=["cosines", "sines"])
    ax.axhline(16, color=LINE, lw=1)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.tick_params(length=0)
    return fig


def words():
    """Two tables of attention, four blocks by twelve tokens, the darker the more is read; level 400. For "a photo of a
    thick seven" most is read at the five ends that fill the text up, above all in the middle, then at the start and at
    "thick"; at "seven" itself little. For "a photo of a thin narrow three" the word "narrow" is read much in three of
    the four blocks and "thin" in the fourth, the ends in all of them, and "three" itself little."""
    fig, axes = canvas(height=3.3, rows=2)
    names = ("down", "middle", "up, first", "up, second")
    for ax, prompt, digit in zip(
        axes, ("a photo of a thick seven", "a photo of a thin narrow three"), (7, 3), strict=True
    ):
        shares = np.array([maps.mean(axis=(0, 1)) for maps in reading(prompt, 400, digit).values()])
        ax.imshow(shares, cmap=SHARES, vmin=0, vmax=0.24, aspect="auto")
        tokens = ["start", *prompt.split()]
        ax.set_xticks(range(12), tokens + ["end"] * (12 - len(tokens)), fontsize=8.5)
        ax.set_yticks(range(4), names)
        for (i, j), share in np.ndenumerate(shares):
            label(ax, j, i, f"{100 * share:.0f}", "#ffffff" if share > 0.17 else "#1c1e21", fontsize=8.5)
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
        ax.plot(LEVELS, losses(answer, TELLING), ".-", color=colour)
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
