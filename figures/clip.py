"""The figures of the CLIP page."""

import numpy as np
from matplotlib.patches import Rectangle

from figures.captioned_digits import (
    chances,
    cosines,
    direction,
    held_out,
    image_vectors,
    nearest,
    recorded,
    text_vectors,
)
from figures.neural_network import INK
from figures.style import ARC, BG, FG, MUTED, bare, canvas, label

RED, BLUE = ARC["generation"], ARC["foundations"]
SHOWN = {167: "a thick zero", 188: "a thin zero", 213: "a wide two", 32: "a narrow two", 82: "a seven"}
TRIED = (188, "thin", "thick"), (32, "narrow", "wide"), (47, "left-leaning", "right-leaning")


def _digit(ax, image, x, y, size):
    """An image of 8 x 8 pixels as recorded, from 0 to 1, its top left corner at (x, y)."""
    extent = (x, x + 8 * size, y + 8 * size, y)
    ax.imshow(image, INK, vmin=0, vmax=1, interpolation="none", extent=extent, aspect="equal")
    ax.add_patch(Rectangle((x, y), 8 * size, 8 * size, fill=False, ec=MUTED, lw=0.6))


def matrix():
    """A table of five sentences, the rows, and five handwritten digits, the columns, that were held out. Each cell has
    the cosine of the two vectors, darker red for a larger one. On the diagonal a sentence meets its own digit: 0.79,
    0.71, 0.76, 0.72 and 0.72. Right digit, untrue word: from 0.06, a thick zero and "a thin zero", to 0.36, a thin zero
    and "a thick zero". Another digit: from -0.22 to 0.26."""
    fig, ax = canvas(height=3.1)
    bare(ax).set(xlim=(-4.6, 10.1), ylim=(7.6, -3.3), aspect="equal")
    c = text_vectors(list(SHOWN.values())) @ image_vectors()[list(SHOWN)].T
    for i, (row, sentence) in enumerate(SHOWN.items()):
        _digit(ax, held_out().recorded[row], 2 * i + 0.2, -1.8, 0.2)
        label(ax, -0.25, 1.5 * i + 0.75, sentence, ha="right")
        for j, value in enumerate(c[i]):
            strength = max(float(value), 0) * 0.9
            ax.add_patch(Rectangle((2 * j, 1.5 * i), 2, 1.5, fc=RED, alpha=strength, lw=0))
            label(
                ax,
                2 * j + 1,
                1.5 * i + 0.75,
                f"{value:.2f}".replace("-", "−"),
                BG if strength > 0.5 else FG,
                fontsize=9.5,
            )
        ax.add_patch(Rectangle((2 * i, 1.5 * i), 2, 1.5, fill=False, ec=RED, lw=1.5))
    label(ax, 5, -2.7, "image encoder ↓", MUTED)
    label(ax, -0.25, -0.9, "text encoder →", MUTED, ha="right")
    return fig


def pairs():
    """Three histograms of cosines between 360 held-out images and 360 captions. Captions of another digit lie around
    -0.07. Captions of the right digit with a word that is not true are spread wide, around 0.39. An image's own caption
    lies around 0.72, hardly any below 0.5."""
    fig, ax = canvas(height=2.1)
    places = {
        "another digit": (-0.36, 2.5, MUTED),
        "an untrue word": (0.27, 3.3, BLUE),
        "own caption": (1.07, 3.0, RED),
    }
    for name, values in cosines().items():
        x, y, colour = places[name]
        density, edges = np.histogram(values, np.linspace(-0.7, 1, 35), density=True)
        ax.stairs(density, edges, fill=True, color=colour, alpha=0.25, lw=0)
        ax.stairs(density, edges, color=colour, lw=1.5)
        label(ax, x, y, f"{name}\nmean {values.mean():.2f}".replace("-", "−"), colour)
    ax.set(xlabel="cosine of image and caption", yticks=[], xlim=(-0.75, 1.25), ylim=(0, 4.3), xticks=[-0.5, 0, 0.5, 1])
    ax.spines["left"].set_visible(False)
    return fig


def learning():
    """Two curves over 1,000 steps. On the left the loss: it begins at 5.3, above the 4.85 of blind guessing among 128
    that a dashed line marks, and falls to 0.2. On the right the share of held-out digits that ten prompts read rightly:
    10 percent at first, which is blind guessing, over 95 after 200 steps, 98 at the end."""
    fig, (left, right) = canvas(height=2.1, columns=2)
    losses = np.array(recorded("losses"))
    left.plot([1, *(10 * np.arange(1, len(losses) + 1))], [recorded("first_loss"), *losses], color=RED)
    left.axhline(np.log(128), color=FG, lw=0.8, ls=(0, (3, 3)))
    label(left, 990, np.log(128) + 0.3, "blind: about log 128", MUTED, ha="right", fontsize=9.5)
    left.set(title="loss", xlabel="step", ylim=(0, 5.7), xticks=[0, 500, 1000])
    steps, shares = np.array(recorded("zero_shot")).T
    right.plot(steps, 100 * shares, color=RED)
    right.axhline(10, color=FG, lw=0.8, ls=(0, (3, 3)))
    label(right, 990, 16, "blind", MUTED, ha="right", fontsize=9.5)
    right.set(title="read by prompts, %", xlabel="step", ylim=(0, 104), xticks=[0, 500, 1000])
    return fig


def prompts():
    """Four held-out digits, each with ten bars: the chance that softmax gives to each prompt, from "a photo of a zero"
    to "a photo of a nine". A seven: all of it on seven. A three: all on three. A blurred 8: 59 percent on one, 41 on
    eight. A 5 that looks like nothing: 100 percent on nine, which is wrong."""
    fig, axes = canvas(height=2.25, columns=4)
    rows = np.array([82, 47, 358, 0])
    for ax, row, p in zip(axes, rows, chances(rows), strict=True):
        shown, best = int(held_out().labels[row]), int(p.argmax())
        bare(ax).set(xlim=(-0.7, 9.7), ylim=(10.4, -6))
        _digit(ax, held_out().recorded[row], 2.1, -6, 0.6)
        label(ax, 4.5, -0.2, f"shows {'an' if shown == 8 else 'a'} {shown}", MUTED, fontsize=9)
        for digit in range(10):
            colour = RED if digit == shown else BLUE
            if p[digit] > 0.005:
                ax.add_patch(Rectangle((digit - 0.4, 9 - 8 * p[digit]), 0.8, 8 * p[digit], fc=colour, lw=0))
            label(ax, digit, 9.9, f"{digit}", FG if digit == shown else MUTED, fontsize=9)
        ax.plot([-0.6, 9.6], [9, 9], color=MUTED, lw=0.8)
        label(ax, best + (0.7 if best < 5 else -0.7), 3, f"{100 * p[best]:.0f} %", ha="left" if best < 5 else "right")
    return fig


def arithmetic():
    """Three lines. Each begins with a held-out digit; the difference of two sentences is added to its vector; then come
    the three held-out images that are nearest to the result. A thin zero, plus thick minus thin: three thick zeros. A
    narrow two, plus wide minus narrow: three wide twos. A three that leans to the left, plus right-leaning minus
    left-leaning: three threes that lean to the right."""
    fig, ax = canvas(height=3.0)
    bare(ax).set(xlim=(-0.2, 18.2), ylim=(9.5, -0.75), aspect="equal")
    for i, (row, old, new) in enumerate(TRIED):
        y, digit = 3.3 * i, int(held_out().labels[row])
        found = nearest(image_vectors()[[row]] + direction(old, new)[digit], [row], 3)[0]
        _digit(ax, held_out().recorded[row], 0, y, 0.35)
        label(ax, 5.9, y + 0.85, f"+ “{new}”")
        label(ax, 5.9, y + 1.95, f"− “{old}”")
        ax.annotate("", (9.9, y + 1.4), (8.9, y + 1.4), arrowprops={"arrowstyle": "->", "color": FG})
        for j, place in enumerate(found):
            _digit(ax, held_out().recorded[place], 9.0 + 1.2 + 2.7 * j, y, 0.31)
    return fig
