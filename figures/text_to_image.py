"""The figures of the page that puts text-to-image together."""

from matplotlib.patches import FancyBboxPatch

from figures.pipelines import drawn, pipeline, walk
from figures.style import ARC, BLUE, FG, GREEN, MUTED, canvas, label
from figures.variational_autoencoder import SIGNED, _plate, _row
from training.text_to_image import recorded

RED = ARC["generation"]
SHOWN = (0, 4, 8, 11, 14, 17, 20)


def _box(ax, x, y, width, height, text, colour):
    style = "round,pad=0.02,rounding_size=0.12"
    ax.add_patch(FancyBboxPatch((x, y), width, height, boxstyle=style, fill=False, ec=colour))
    label(ax, x + width / 2, y + height / 2, text, colour)


def assembled():
    """The pipeline. A prompt goes into the text encoder and becomes 12 vectors of 64 numbers, which the U-Net reads.
    Noise of 4 times 4 times 4 numbers goes into the U-Net, which is asked twice, with and without the prompt; its guess
    of the noise is taken out of the latent, and the latent goes round again, 20 times. The last one goes into the
    decoder and becomes an image of 16 by 16 pixels: a thick three."""
    fig, ax = canvas(height=2.5)
    _plate(ax, 13.6, 6.0)
    arrow = {"arrowstyle": "->", "color": MUTED, "lw": 1.3}
    _box(ax, 0.1, 0.1, 3.1, 1.2, "“a thick three”", FG)
    _box(ax, 4.0, 0.1, 2.6, 1.2, "text\nencoder", BLUE)
    _box(ax, 4.0, 3.0, 2.6, 1.4, "U-Net,\nasked twice", RED)
    _box(ax, 9.3, 3.0, 2.0, 1.4, "decoder", GREEN)
    straight = ((3.25, 0.7, 3.95, 0.7), (5.3, 1.35, 5.3, 2.95), (2.4, 3.7, 3.95, 3.7), (6.65, 3.7, 7.2, 3.7))
    for x, y, to_x, to_y in (*straight, (8.7, 3.7, 9.25, 3.7), (11.35, 3.7, 11.75, 3.7)):
        ax.annotate("", (to_x, to_y), (x, y), arrowprops=arrow)
    ax.annotate("", (5.3, 4.5), (7.95, 4.5), arrowprops={**arrow, "connectionstyle": "arc3,rad=-0.45"})
    label(ax, 5.5, 2.1, "12 vectors of 64 numbers", MUTED, ha="left")
    label(ax, 6.62, 5.6, "20 times", MUTED)
    _row(ax, walk()[0][2:3], 0.9, 3.0, 1.4, 0.0, SIGNED, -2.5, 2.5)
    _row(ax, walk()[-1][2:3], 7.25, 3.0, 1.4, 0.0, SIGNED, -2.5, 2.5)
    _row(ax, 2 * pipeline().decode(walk()[-1:])[0] - 1, 11.8, 2.9, 1.6, 0.0)
    for x, y, text in ((1.6, 4.85, "noise"), (7.95, 2.65, "latent"), (12.6, 4.85, "image")):
        label(ax, x, y, text, MUTED)
    ax.set(xlim=(0, 13.6), ylim=(6.0, 0))
    return fig


def steps():
    """Seven moments of a walk of 20 steps for "a photo of a thick three": after 0, 4, 8, 11, 14, 17 and 20 steps. Top,
    the latent as the decoder sees it: noise that looks a little like a 4, then a blot, from the middle on a three
    that gets darker. Below, the two channels of the latent that the decoder uses, 4 by 4 numbers each."""
    fig, ax = canvas(height=2.3)
    _plate(ax, 9.4, 3.85)
    latents = walk()[list(SHOWN)]
    large = latents.repeat(8, axis=-1).repeat(8, axis=-2)  # so that the air between them is not a whole number wide
    middles = _row(ax, 2 * pipeline().decode(latents)[:, 0] - 1, 1.9, 0.1, 0.96, 0.12)
    for channel, y in ((2, 1.35), (3, 2.5)):
        _row(ax, large[:, channel], 1.9, y, 0.96, 0.12, SIGNED, -2.5, 2.5)
    for x, step in zip(middles, SHOWN, strict=True):
        label(ax, x, 3.68, str(step), MUTED)
    for y, text in ((0.58, "decoded"), (1.83, "channel 2"), (2.98, "channel 3"), (3.68, "after step")):
        label(ax, 1.7, y, text, ha="right")
    ax.set(xlim=(0, 9.5), ylim=(3.9, 0))
    return fig


GRID = (
    "a photo of a zero",
    "a thick three",
    "a thin three",
    "the narrow digit eight",
    "a wide eight",
    "a left-leaning seven",
    "a right-leaning seven",
)


def grid():
    """Seven prompts, one per row, with eight drawings each: a photo of a zero; a thick three, whose strokes are broad;
    a thin three; the narrow digit eight; a wide eight; a left-leaning seven; a right-leaning seven. All drawings
    show the digit that was asked for; the words for thickness, width and slant change it visibly."""
    fig, ax = canvas(height=4.0)
    _plate(ax, 12.4, 8.2)
    for j, prompt in enumerate(GRID):
        _row(ax, 2 * drawn((prompt,) * 8, 2) - 1, 4.2, 0.1 + 1.15 * j, 0.96, 0.06)
        label(ax, 4.0, 0.58 + 1.15 * j, prompt, ha="right")
    ax.set(xlim=(0, 12.4), ylim=(8.1, 0))
    return fig


def measured():
    """Two curves against the guidance scale s from 1 to 15, each measured on 200 drawings. The share read as asked for:
    97 % at 1, 99.5 % at 1.5, all from 2 on; dashed, real digits, 98 %. The variance within a digit: 3.9 at 1, 2.8
    at 3, 2.7 at 5, then slowly up to 2.9 at 15; dashed, real digits, 6.0, dotted, real ones that were encoded and
    decoded, 5.6."""
    fig, axes = canvas(height=2.4, columns=2)
    record = recorded()
    for ax, name, title in ((axes[0], "accuracy", "read as asked for"), (axes[1], "variance", "variance in a digit")):
        ax.plot(record["scales"], record["guided"][name], ".-", color=RED, ms=6)
        ax.axhline(record["real"][name], color=MUTED, lw=1, ls=(0, (4, 3)))
        ax.set(title=title, xlabel="guidance scale s", xticks=[1, 5, 10, 15])
    axes[0].set(ylim=(0.9, 1.01), yticks=[0.9, 0.95, 1])
    axes[0].set_yticklabels(["90 %", "95 %", "100 %"])
    axes[1].axhline(record["decoded"]["variance"], color=MUTED, lw=1, ls=(0, (1, 3)))
    axes[1].set(ylim=(0, 7.4))
    label(axes[0], 15, 0.973, "real digits", MUTED, ha="right")
    label(axes[1], 15, 6.55, "real digits", MUTED, ha="right")
    label(axes[1], 15, 5.0, "decoded ones", MUTED, ha="right")
    return fig
