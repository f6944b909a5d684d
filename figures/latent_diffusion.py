"""The figures of the page on latent diffusion."""

import numpy as np
from matplotlib import colormaps

from figures.code_limits import bands, decoded, noise_share, pixel_cost
from figures.digit_codes import held_out
from figures.drawn_in_codes import path
from figures.neural_network import INK
from figures.style import ARC, BLUE, FG, GREEN, MUTED, OCHRE, bare, canvas, label

RED = ARC["generation"]
SIGNED = colormaps["RdBu_r"].resampled(9)  # few colours: the page is smaller


def _picture(ax, image, x, y, size, cmap=INK, low=-1.0, high=1.0):
    """An image whose top left is at (x, y), where y runs down."""
    ax.imshow(image, cmap=cmap, vmin=low, vmax=high, extent=(x, x + size, y + size, y), interpolation="none")


def _plate(ax, width, height):
    bare(ax).set(xlim=(0, width), ylim=(height, 0), aspect="equal")


def _squares(code):
    """The four channels (4, 4, 4) of a code as one picture, two above two, with air between them."""
    wide = np.pad(code, [(0, 0), (0, 1), (0, 1)], constant_values=np.nan).reshape(2, 2, 5, 5)
    return np.ma.masked_invalid(wide.swapaxes(1, 2).reshape(10, 10)[:9, :9])


def walk():
    """Three rows, for the prompts a photo of a three, a seven and an eight. In each, from left to right, the code
    after 0, 4, 8, 12, 16 and 20 steps, four channels of 4 by 4 numbers as squares from blue to red. The noise is the
    same for all three. The upper two channels stay nearly as they were; the lower two change, most in the second half,
    and differ from row to row in the end. Behind the arrow stands the one image that is decoded: the digit."""
    fig, ax = canvas(height=2.7)
    _plate(ax, 12.4, 5.8)
    for j, prompt in enumerate(("three", "seven", "eight")):
        codes, image = path(f"a photo of {'an' if prompt == 'eight' else 'a'} {prompt}")
        for k, code in enumerate(codes):
            _picture(ax, _squares(code), 1.55 + 1.55 * k, 0.75 + 1.8 * j, 1.3, SIGNED, -2.5, 2.5)
        ax.annotate("", (11.0, 1.4 + 1.8 * j), (10.7, 1.4 + 1.8 * j), arrowprops={"arrowstyle": "->", "color": MUTED})
        _picture(ax, image[0], 11.1, 0.75 + 1.8 * j, 1.3)
        label(ax, 1.35, 1.4 + 1.8 * j, prompt, FG, ha="right")
    for k, step in enumerate((0, 4, 8, 12, 16, 20)):
        label(ax, 2.2 + 1.55 * k, 0.35, "noise" if step == 0 else f"step {step}", MUTED, fontsize=9)
    label(ax, 11.75, 0.35, "decoded", MUTED, fontsize=9)
    return fig


def cost():
    """Multiply-adds of one pass of Stable Diffusion 1.5's U-Net against the side of what it works on, both logarithmic,
    from 8 to 512. At 64, the latent: 0.2 million million in convolutions, 0.13 in matrices, 0.06 in the products of
    self-attention. At 512, the pixels: 13, 8 and 251. Convolutions and matrices rise in parallel; self-attention rises
    twice as steeply, starts far below them and is above both at 128. Cross-attention is far below them everywhere."""
    fig, ax = canvas(height=3.0)
    sides = np.array([8, 16, 32, 64, 128, 256, 512])
    costs = [pixel_cost(int(side)) for side in sides]
    for kind, colour, name, place in (
        ("convolution", RED, "convolutions", (14, 8e10)),
        ("linear", OCHRE, "matrices", (210, 2.4e11)),
        ("self-attention", BLUE, "self-attention", (105, 2e13)),
        ("cross-attention", GREEN, "cross-attention", (290, 5e9)),
    ):
        ax.plot(sides, [c[kind] for c in costs], "o-", color=colour, ms=3.5)
        label(ax, *place, name, colour)
    for side, name in ((64, "latent"), (512, "pixels")):
        ax.axvline(side, color=MUTED, lw=0.8, ls=(0, (4, 3)))
        label(ax, side * 0.96, 1.2e7, name, MUTED, ha="right")
    ax.set(xscale="log", yscale="log", xlabel="rows and columns", ylabel="multiply-adds in a pass", ylim=(4e6, 6e14))
    ax.set_xticks(sides, [str(side) for side in sides])
    ax.minorticks_off()
    return fig


def limits():
    """Left, five held-out digits; below each what comes back from its code, nearly the same; below that twice the
    difference, specks along the strokes. Right, bars: the share of the image that is lost by how fine the detail
    is. Of waves with 0 to 2 periods across the image under 1 percent, with 3 periods 6, with 4 to 5 periods 15 and 10
    percent."""
    fig, (left, right) = canvas(height=2.3, columns=2, width_ratios=[1.35, 1])
    _plate(left, 7.4, 3.4)
    which = [0, 1, 2, 3, 6]
    images, back = held_out()[0][which, 0], decoded()[which, 0]
    for j, row in enumerate((images, back, 2 * (back - images))):
        for k, image in enumerate(row):
            _picture(left, image, 2.0 + 1.08 * k, 0.05 + 1.12 * j, 1.0, SIGNED if j == 2 else INK)
        label(left, 1.85, 0.55 + 1.12 * j, ("image", "decoded", "lost")[j], MUTED, ha="right")
    share = bands()
    right.bar(np.arange(len(share)), 100 * share, color=RED, lw=0)
    right.set(xlabel="periods across the image", ylabel="lost, %", xticks=np.arange(len(share)))
    return fig


def levels():
    """The share of noise in the variance of noisy codes against the level, for codes of three sizes. With standard
    deviation 1 it rises smoothly and is one half at level 354. With 5.49, as Stable Diffusion's autoencoder gives
    them, it stays near 0 for long, is one half only at level 816, and does not reach 1 at the end. With 0.18 it is one
    half at level 34 already and above 0.9 from level 200 on."""
    fig, ax = canvas(height=2.5)
    for scale, colour, place in ((0.18215, OCHRE, (105, 0.93)), (1.0, FG, (330, 0.55)), (5.49, RED, (720, 0.25))):
        ax.plot(np.arange(0, 1000, 5), noise_share(scale)[::5], color=colour)
        label(ax, *place, f"{scale:.2f}" if scale != 1.0 else "1", colour, ha="left")
    ax.set(xlabel="level $t$", ylabel="share of noise", ylim=(0, 1.02), xlim=(0, 1000))
    return fig
