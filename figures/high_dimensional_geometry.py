"""The figures of the page on high-dimensional geometry."""

import numpy as np

from figures.parameter_space import downhill_step, random_steps
from figures.style import ARC, FG, LINE, MUTED, canvas, label
from kb.foundations.high_dimensional_geometry import (
    ball_volume,
    cosine_density,
    random_directions,
    shell_fraction,
)

BLUE = ARC["foundations"]


def peel():
    """Three rising curves on a logarithmic axis of dimensions, 1 to 100,000: the share of a ball's volume in an outer
    shell of 10 %, 1 % and 0.1 % of the radius. The 10 % shell holds 27 % of the volume in three dimensions and nearly
    all of it from about 50 on; the 0.1 % shell follows a hundred times later and is full at 13,002."""
    fig, ax = canvas(height=2.5)
    n = np.geomspace(1, 1e5, 300)
    for thickness, shade in ((0.1, 1), (0.01, 0.7), (0.001, 0.45)):
        ax.plot(n, shell_fraction(n, thickness), color=BLUE, alpha=shade)
        half = np.log(0.5) / np.log1p(-thickness)
        label(ax, half * 0.85, 0.53, f"{100 * thickness:g} %", BLUE, ha="right")
    ax.plot(3, shell_fraction(3, 0.1), "o", color=FG, ms=4)
    label(ax, 2.7, shell_fraction(3, 0.1) + 0.02, "an orange: 27 %", FG, ha="right", fontsize=9.5)
    ax.axvline(13002, color=MUTED, lw=0.8, ls=(0, (4, 3)))
    label(ax, 14500, 0.12, "13,002", MUTED, ha="left")
    ax.set_xscale("log")
    ax.set(xlim=(0.09, 1e5), ylim=(0, 1.04), xlabel="dimensions n", ylabel="share of the volume")
    ax.set_xticks([1, 10, 100, 1000, 1e4, 1e5], ["1", "10", "100", "1,000", "10,000", "100,000"])
    ax.set_yticks([0, 0.5, 1], ["0", "half", "all"])
    ax.minorticks_off()
    return fig


def volumes():
    """Left: bars of the volume of the ball of radius 1 in 0 to 20 dimensions. They rise from 1 to 5.26 at n = 5 and
    fall to 0.03 at n = 20. Right: the same volume as a share of the cube around the ball, on a logarithmic axis. It
    falls from the start: 1, 0.79, 0.52, and 0.000000025 at n = 20."""
    fig, (left, right) = canvas(height=2.3, columns=2)
    n = np.arange(21)
    volume = np.array([ball_volume(k) for k in n])
    left.bar(n, volume, color=[BLUE if k == 5 else MUTED for k in n], width=0.7)
    label(left, 3.5, 5.75, f"n = 5: {ball_volume(5):.4f}", BLUE, ha="left")
    left.set(
        title="volume, radius 1", xlabel="dimensions n", xticks=[0, 5, 10, 15, 20], yticks=[0, 2, 4], ylim=(0, 6.2)
    )
    right.plot(n, volume / 2.0**n, "o-", color=BLUE, ms=3, lw=1.2)
    right.set_yscale("log")
    right.set(title="share of the cube around it", xlabel="dimensions n", xticks=[0, 5, 10, 15, 20])
    right.set_yticks([1, 1e-2, 1e-4, 1e-6, 1e-8], ["1", "0.01", "0.0001", "1e-6", "1e-8"])
    right.minorticks_off()
    return fig


def cosines():
    """Four curves over the cosine of two random directions, from -1 to 1, with histograms of 20,000 measured pairs
    under them. In 2 dimensions the curve is lowest at 0 and rises to both ends; in 3 it is flat; in 30 it is a hill
    around 0 with standard deviation 0.18; in 300 a narrow peak with 0.06."""
    fig, axes = canvas(height=1.9, columns=4, sharex=True)
    rng = np.random.default_rng(0)
    c = np.linspace(-0.995, 0.995, 399)
    for ax, n in zip(axes, (2, 3, 30, 300), strict=True):
        pair = random_directions(rng.standard_normal((2, 20_000, n)))
        ax.hist((pair[0] * pair[1]).sum(-1), bins=40, range=(-1, 1), density=True, color=LINE)
        density = cosine_density(c, n)
        ax.plot(c, density, color=BLUE)
        ax.set(title=f"n = {n}", xticks=[-1, 0, 1], yticks=[], xlabel="cosine", ylim=(0, 1.15 * min(density.max(), 8)))
        ax.spines["left"].set_visible(False)
        if n == 2:
            ax.set_ylim(0, 2.2)
    return fig


def steps():
    """Change of the cost of the untrained digit network against the cosine between a step and the downhill direction.
    All steps have length 0.1. A thousand random steps form one dot at cosine 0: the best of them lowers the cost by
    0.0040. The step straight downhill, at cosine 1, lowers it by 0.151. All lie close to one straight line."""
    fig, ax = canvas(height=2.4)
    cosine, change = random_steps()
    ax.axhline(0, color=LINE, lw=0.8, zorder=0)
    ax.plot([0, 1], [0, downhill_step()], color=MUTED, lw=0.8, ls=(0, (4, 3)))
    ax.plot(cosine, change, ".", color=FG, ms=3)
    ax.plot(1, downhill_step(), "o", color=BLUE, ms=5)
    label(ax, 0.06, 0.012, f"1,000 random steps; the best: {change.min():.4f}".replace("-", "−"), FG, ha="left")
    label(ax, 0.93, downhill_step() - 0.01, f"downhill: {downhill_step():.3f}".replace("-", "−"), BLUE, ha="right")
    ax.set(xlim=(-0.2, 1.05), ylim=(-0.18, 0.03), xticks=[0, 0.25, 0.5, 0.75, 1], yticks=[-0.15, -0.1, -0.05, 0])
    ax.set(xlabel="cosine between the step and the downhill direction", ylabel="change of the cost")
    return fig
