"""The figures of the page on optimisers."""

import numpy as np

from figures import digit_training, ravine
from figures.style import ARC, BG, FG, LINE, MUTED, canvas, label
from kb.learning.optimizers import warmup_cosine

OCHRE = ARC["learning"]


def paths():
    """Contour lines of a long narrow valley, three times, each with the first 40 steps from the same start on its
    side. Plain SGD jumps from side to side and creeps along the valley; it is there after 71 steps. Nesterov's momentum
    is on the floor after two steps and runs along it; 32 steps. Adam comes down diagonally, runs past the lowest point
    and turns back; 79 steps."""
    fig, axes = canvas(height=3.6, rows=3, sharex=True)
    x, y = np.linspace(-0.75, 1.2, 90), np.linspace(-0.72, 0.72, 60)
    steep, flat = ravine.CURVATURES
    height = (steep * y[:, None] ** 2 + flat * x**2) / 2
    for ax, name in zip(axes, ("SGD", "Nesterov", "Adam"), strict=True):
        ax.contour(x, y, height, levels=[0.04, 0.2, 0.6, 1.4, 2.8, 5], colors=[LINE], linewidths=0.8)
        path = ravine.walk(name)[:41]
        ax.plot(path[:, 1], path[:, 0], "o-", color=OCHRE, ms=2.6, lw=0.9)
        ax.plot(path[0, 1], path[0, 0], "o", color=BG, mec=OCHRE, ms=6)
        ax.plot(0, 0, "+", color=FG, ms=8, mew=1.3)
        label(ax, -0.72, 0.58, name, FG, ha="left")
        label(ax, -0.72, -0.58, f"there after {ravine.steps_until(name)} steps", MUTED, ha="left", fontsize=9.5)
        ax.set(xticks=[], yticks=[], ylim=(-0.72, 0.72))
        ax.spines[:].set_visible(False)
    return fig


def digits():
    """The cost of the training digits after each pass, on logarithmic axes, in two panels. Left, images as they are:
    Nesterov's momentum ends lowest, at 0.04, plain SGD at 0.06, Adam at 0.10. Right, the upper half of each image
    thirty times darker: Adam ends lowest, at 0.16, Nesterov's momentum at 0.21, plain SGD at 0.28."""
    fig, axes = canvas(height=2.6, columns=2, sharey=True)
    for ax, dimmed in zip(axes, (False, True), strict=True):
        ends = []
        for name, colour in (("SGD", MUTED), ("Nesterov", FG), ("Adam", OCHRE)):
            costs = digit_training.with_optimizer(name, dimmed)
            ax.semilogy(costs, color=colour, lw=1.5)
            ends.append((np.log(costs[-1]), name, colour))
        for place, (_, name, colour) in zip(_apart([end for end, *_ in sorted(ends)]), sorted(ends), strict=True):
            label(ax, 20.5, np.exp(place), name, colour, ha="left", fontsize=9.5)
        ax.set(title="upper half 30 times darker" if dimmed else "images as they are")
        ax.set(xlabel="passes", xlim=(0, 28), ylim=(0.025, 3.5))
        ax.set_xticks([0, 10, 20])
        ax.spines["bottom"].set_bounds(0, 20)
        ax.set_yticks([0.1, 1], ["0.1", "1"])
        ax.minorticks_off()
    axes[0].set_ylabel("cost")
    return fig


def _apart(places, gap=0.36):
    """The same places, each at least `gap` above the one before, so that labels do not touch."""
    moved = list(places)
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    return moved


def schedule():
    """The learning rate over 1,000 steps: a straight climb from 0 to 0.001 in the first 100 steps, then half a cosine
    wave down to 0.0001 at the end."""
    fig, ax = canvas(height=1.9)
    steps = np.arange(1001)
    ax.plot(steps, [1e3 * warmup_cosine(t, 1000, 100, 1e-3, 1e-4) for t in steps.tolist()], color=OCHRE)
    label(ax, 75, 0.42, "warm-up", FG, ha="left")
    label(ax, 640, 0.68, "cosine", FG, ha="left")
    ax.set(xlabel="step", ylabel="learning rate", xlim=(0, 1000), ylim=(0, 1.08))
    ax.set_xticks([0, 100, 500, 1000], ["0", "100", "500", "1,000"])
    ax.set_yticks([0, 0.1, 1], ["0", "0.0001", "0.001"])
    return fig
