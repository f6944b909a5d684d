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
    """The pipeline from left to right. A prompt goes into the text encoder and becomes 12 vectors of 64 numbers. Noise
    of 4 times 4 times 4 numbers goes into the U-Net, which reads the vectors, with and without the prompt; its guess of
    the noise is taken out step by step, in a loop of 20 steps. The last latent goes into the decoder and becomes an
    image of 16 by 16 pixels: a thick seven."""
    fig, ax = canvas(height=2.35)
    _plate(ax, 13.4, 5.6)
    latents = walk()
    picture = pipeline().decode(latents[-1:])[0]
    arrow = {"arrowstyle": "->", "color": MUTED, "lw": 1.3}
    _box(ax, 0.1, 0.2, 3.0, 1.2, "“a thick seven”", FG)
    _box(ax, 4.0, 0.2, 2.5, 1.2, "text\nencoder", BLUE)
    _box(ax, 4.0, 3.4, 2.5, 1.4, "U-Net,\nasked twice", RED)
    _box(ax, 9.4, 3.4, 1.9, 1.4, "decoder", GREEN)
    for start, end in (((3.15, 0.8), (3.95, 0.8)), ((5.25, 1.45), (5.25, 3.35)), ((2.3, 4.1), (3.95, 4.1)),
                       ((6.55, 4.1), (7.2, 4.1)), ((8.7, 4.1), (9.35, 4.1)), ((11.35, 4.1), (11.75, 4.1))):
        ax.annotate("", end, start, arrowprops=arrow)
    ax.annotate("", (4.4, 3.35), (8.0, 3.2), arrowprops={**arrow, "connectionstyle": "arc3,rad=0.55"})
    label(ax, 5.45, 2.05, "12 vectors of 64", MUTED, ha="left")
    label(ax, 7.5, 2.7, "20 steps", MUTED, ha="left")
    _row(ax, latents[0][2:3], 0.9, 3.4, 1.4, 0.0, SIGNED, -2.5, 2.5)
    _row(ax, latents[-1][2:3], 7.25, 3.4, 1.4, 0.0, SIGNED, -2.5, 2.5)
    _row(ax, 2 * picture - 1, 11.8, 3.3, 1.6, 0.0)
    for x, text in ((1.6, "noise"), (7.95, "latent"), (12.6, "image")):
        label(ax, x, 5.2, text, MUTED)
    ax.set(xlim=(0, 13.5), ylim=(5.6, 0))
    return fig


def steps():
    """Seven moments of a walk of 20 steps for "a photo of a thick seven": after 0, 4, 8, 11, 14, 17 and 20 steps. Top,
    the latent as the decoder sees it: at first blots that are no digit, from the middle on a seven that gets
    sharper. Bottom, the two channels of the latent that the decoder uses, 4 by 4 numbers each: noise that settles."""
    fig, ax = canvas(height=2.3)
    _plate(ax, 9.4, 3.85)
    latents = walk()[list(SHOWN)]
    images = 2 * pipeline().decode(latents)[:, 0] - 1
    middles = _row(ax, images, 1.9, 0.1, 0.96, 0.1)
    for channel, y in ((2, 1.35), (3, 2.5)):
        _row(ax, latents[:, channel], 1.9, y, 0.96, 0.1, SIGNED, -2.5, 2.5)
    for x, step in zip(middles, SHOWN, strict=True):
        label(ax, x, 3.68, str(step), MUTED)
    for y, text in ((0.58, "decoded"), (1.83, "channel 2"), (2.98, "channel 3"), (3.68, "after step")):
        label(ax, 1.7, y, text, ha="right")
    ax.set(xlim=(0, 9.5), ylim=(3.9, 0))
    return fig


GRID = ("a photo of a zero", "a thick three", "a thin three", "the narrow digit eight", "a wide eight",
        "a left-leaning seven", "a right-leaning seven")


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
    """Two curves against the guidance scale from 1 to 15."""
    fig, axes = canvas(height=2.4, columns=2)
    record = recorded()
    for ax, name, title in ((axes[0], "accuracy", "read as asked for"), (axes[1], "variance", "variance in a digit")):
        ax.plot(record["scales"], record["guided"][name], ".-", color=RED, ms=6)
        real = record["real"][name]
        ax.axhline(real, color=MUTED, lw=1, ls=(0, (4, 3)))
        ax.set(title=title, xlabel="guidance scale s", xticks=[1, 5, 10, 15], ylim=(0, None))
        label(ax, 15, 0.9 * real, "real digits", MUTED, ha="right")
    axes[0].set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    return fig
