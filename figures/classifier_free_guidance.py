"""The figures of the page on classifier-free guidance; the mixture is that of figures/guided_islands.py."""

import numpy as np
from matplotlib.patches import Circle

from figures import guided_islands as islands
from figures.style import ARC, BLUE, FG, LINE, MUTED, bare, canvas, label
from kb.checkpoints.shipped import digits_guided
from training.classifier_free_guidance import draw, read

RED = ARC["generation"]


def line():
    """One line with two scales. Along it lie the answer without the prompt, at s = 0 and w = -1, the answer with it, at
    s = 1 and w = 0, and the guided answer for s = 4, w = 3, three times as far again beyond the prompted one."""
    fig, ax = canvas(height=1.7)
    bare(ax)
    ax.plot([-0.3, 4.75], [0, 0], color=LINE)
    ax.annotate("", (3.93, 0), (0.07, 0), arrowprops={"arrowstyle": "-|>", "color": RED, "lw": 2})
    for s, colour, text in ((0, MUTED, "without\nthe prompt"), (1, FG, "with\nthe prompt"), (4, RED, "guided")):
        ax.plot(s, 0, "o", color=colour, ms=7)
        label(ax, s, 0.25, text, colour, va="bottom")
    for s in range(5):
        ax.plot([s, s], [-0.07, 0.07], color=MUTED, lw=1)
        label(ax, s, -0.28, f"{s}", FG)
        label(ax, s, -0.62, f"{s - 1}".replace("-", "−"), MUTED)
    label(ax, -0.75, -0.28, "s =", FG)
    label(ax, -0.75, -0.62, "w =", MUTED)
    ax.set(xlim=(-1, 4.8), ylim=(-0.8, 0.95))
    return fig


def digits():
    """Drawn digits, one column for each asked-for digit from 0 to 9, one row for each scale s, all from the same noise
    in a column. s = 0: digits that have nothing to do with the column. s = 1: mostly the right ones, some hard to read.
    s = 3: clear. s = 15: right, but hard black and white."""
    scales = (0, 1, 3, 15)
    fig, ax = canvas(height=2.15)
    page = np.full((len(scales), 10, 10, 10), np.nan)  # scale, digit, and a margin of two pixels
    for strip, s in zip(page, scales, strict=True):
        shown = np.clip(draw(digits_guided(), s, np.arange(10), seed=1) / 2 + 0.5, 0, 1)
        strip[:, :8, :8] = 1 - np.round(16 * shown.reshape(10, 8, 8)) / 16  # the grey values of the data
    picture = page.transpose(0, 2, 1, 3).reshape(len(scales) * 10, 100)[:-2, :-2]
    ax.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="none")
    ax.set_xticks([], [])
    ax.set_yticks(3.5 + 10 * np.arange(len(scales)), [f"s = {s}" for s in scales])
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return fig


def measured():
    """Two curves against the scale s from 0 to 15, each measured on 600 drawn digits. The share read as the digit that
    was asked for: 12 % at 0, 85 % at 1, all from 4 to 7.5, 95 % at 15. The variance within a digit: 3.0 at 0, 1.9 at 1,
    1.4 at 5, then slowly up to 1.8. Dashed, real digits: 98 % and 2.7."""
    fig, axes = canvas(height=2.5, columns=2)
    record = read()
    for ax, name, title in ((axes[0], "accuracy", "read as asked for"), (axes[1], "variance", "variance in a class")):
        ax.plot(record["scales"], record["guided"][name], ".-", color=RED, ms=6)
        real = record["real"][name]
        ax.axhline(real, color=MUTED, lw=1, ls=(0, (4, 3)))
        label(ax, 15, 0.88 * real, "real digits", MUTED, ha="right")
        ax.set(title=title, xlabel="scale s", xticks=[0, 1, 5, 10, 15], ylim=(0, None))
    axes[0].set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    return fig


def clouds():
    """Three clouds of points over the outlines of four islands, two asked for (right) and two not (left). s = 1: the
    points fill the two right islands. Guided with s = 4: a narrow cloud on the outer edges of both, over three quarters
    of it on the lower island. The power density for s = 4: moved a little to the right, still wide, and over a third
    of it on the upper island."""
    fig, axes = canvas(height=1.75, columns=3, sharex=True, sharey=True)
    shown = (
        ("s = 1", islands.guided_points(1.0), FG),
        ("guided, s = 4", islands.guided_points(4.0), RED),
        ("the power, s = 4", islands.power_points(4.0), BLUE),
    )
    radius = 2 * np.sqrt(islands.VARIANCES[0])
    for ax, (title, points, colour) in zip(axes, shown, strict=True):
        for i, mean in enumerate(islands.MEANS):
            ax.add_patch(Circle(mean, radius, fill=False, color=MUTED if i < 2 else LINE))
        dots = np.stack([points[:180], points[:180] + 0.002, np.full((180, 2), np.nan)], axis=1).reshape(-1, 2)
        ax.plot(*dots.round(3).T, color=colour, lw=2.2)  # short strokes with round ends: one light path
        ax.set(title=title, aspect="equal", xlim=(-2.2, 2.6), ylim=(-2.0, 2.0), xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    return fig
