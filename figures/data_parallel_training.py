"""The figures of the page on training with many machines; the curves were recorded by training."""

import numpy as np
from matplotlib.patches import Rectangle

from figures.style import ARC, BG, FG, LINE, MUTED, bare, canvas, label
from kb.architecture.data_parallel_training import (
    ADAM,
    GRADIENT,
    WEIGHT,
    pipeline_schedule,
    ring_round,
    ring_traffic,
    server_traffic,
    shards,
)
from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits
from kb.learning.backpropagation import squared_error_gradients
from training.data_parallel_training import apart, curve

VIOLET = ARC["architecture"]


def four_gradients():
    """Five arrows from one point, in the plane of two of the 13,002 slopes of the digit network: the gradients that
    four workers find for 8 digits each differ in length and direction; their average, a thicker arrow, ends
    exactly on the cross that marks the gradient of all 32 digits."""
    digits = load_digits(28)
    x, y = digits.images[:32].reshape(32, -1), np.eye(10)[digits.labels[:32]]
    params = {name: np.float64(0.3) * p for name, p in digits_mlp().items()}
    arrows = [_two_slopes(params, x[part], y[part]) for part in shards(32, 4)]
    fig, ax = canvas(height=2.7)
    for i, arrow in enumerate(arrows):
        _arrow(ax, arrow, MUTED, 1.2)
        side = "right" if arrow[0] < 0 else "left"
        label(ax, *(arrow * 1.04), f" worker {i + 1} ", MUTED, ha=side, fontsize=9)
    mean = np.mean(arrows, axis=0)
    _arrow(ax, mean, VIOLET, 2.6)
    ax.plot(*_two_slopes(params, x, y), "x", color=FG, ms=9, mew=1.8)
    place = mean + 0.04 * np.ptp(arrows, axis=0)
    label(ax, *place, "average of the four,\nand gradient of all 32 (×)", VIOLET, ha="left", va="bottom")
    ax.plot(0, 0, "o", color=FG, ms=3)
    reach = np.array([*arrows, [0, 0]])
    ax.set(xlim=_room(reach[:, 0], 0.35), ylim=_room(reach[:, 1], 0.12), xticks=[0], yticks=[0])
    ax.set(xlabel="slope for the bias of output 3", ylabel="slope for that of output 8")
    return fig


def _two_slopes(params, x, y):
    return squared_error_gradients(params, x, y)[1]["4.bias"][[3, 8]]


def _arrow(ax, tip, colour, width):
    ax.annotate(
        "", tip, (0, 0), arrowprops={"arrowstyle": "-|>", "color": colour, "lw": width, "shrinkA": 0, "shrinkB": 0}
    )


def _room(values, share):
    low, high = values.min(), values.max()
    return low - share * (high - low), high + share * (high - low)


def ring():
    """Seven small tables, before and after each of the six rounds of four workers in a ring: one row per worker, one
    column per quarter of the gradient, and in each cell the number of workers whose numbers are in it. In the first
    three rounds one cell per row grows to 2, 3, 4; in the last three the complete cells are copied, until every cell
    of the table is 4."""
    held, states = [[1] * 4 for _ in range(4)], []
    for t in range(6):
        states.append(held)
        held = ring_round(held, t)
    fig, axes = canvas(height=1.75, columns=7)
    for t, (ax, state) in enumerate(zip(axes, [*states, held], strict=True)):
        bare(ax).set(xlim=(-0.04, 4.04), ylim=(4.04, -1.6), aspect="equal")
        for i, row in enumerate(state):
            for k, count in enumerate(min(c, 4) for c in row):
                ax.add_patch(Rectangle((k, i), 0.92, 0.92, facecolor=VIOLET, alpha=0.08 + 0.23 * (count - 1), lw=0))
                label(ax, k + 0.46, i + 0.5, str(count), BG if count > 2 else FG, fontsize=8)
        label(ax, 2, -0.5, "start" if t == 0 else f"{t}", FG if t else MUTED, fontsize=9.5)
    label(axes[2], 2, -1.3, "add", VIOLET)
    label(axes[5], 2, -1.3, "pass on", VIOLET)
    return fig


def curves():
    """Two panels over 300 steps. Left, the loss of a small GPT trained by one process and by two: a single curve, from
    5.6 down to 1.3, the second drawn as dots on the first. Right, the difference of the two on a logarithmic axis: at
    first 0 or one unit in the last place of a 32-bit number, then slowly growing to a hundred-thousandth."""
    one, two, difference = curve(1), curve(2), apart()
    steps = np.arange(1, len(one) + 1)
    fig, (left, right) = canvas(height=2.4, columns=2)
    left.plot(steps[::3], one[::3], color=MUTED, lw=1.6)
    left.plot(steps[4::12], two[4::12], "o", color=VIOLET, ms=3.2)
    label(left, 95, 4.6, "one process", MUTED, ha="left")
    label(left, 95, 4.0, "two processes", VIOLET, ha="left")
    left.set(xlabel="step", ylabel="loss", ylim=(0, 6))
    some = difference > 0
    right.semilogy(steps[some][::3], difference[some][::3], ".", color=VIOLET, ms=4)
    right.minorticks_off()
    right.set(xlabel="step", ylabel="difference of the losses", ylim=(1e-7, 1e-3))
    return fig


def traffic():
    """How many gradients' worth of numbers the busiest machine sends and receives per step, for 1 to 1,024 workers on
    logarithmic axes. Through one server it is a straight line up to 2,046; in a ring it stays below 2."""
    workers = 2 ** np.arange(1, 11)
    fig, ax = canvas(height=2.2)
    ax.plot(workers, [server_traffic(1, w) for w in workers], "o-", color=MUTED, ms=3.5)
    ax.plot(workers, [ring_traffic(1, w) for w in workers], "o-", color=VIOLET, ms=3.5)
    label(ax, 60, 400, "one server collects and answers", MUTED, ha="right")
    label(ax, 1024, 3.8, "ring: each sends less than 2", VIOLET, ha="right")
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_xticks([2, 8, 32, 128, 1024], ["2", "8", "32", "128", "1,024"])
    ax.set_yticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
    ax.minorticks_off()
    ax.set(xlabel="workers", ylabel="gradients sent", ylim=(0.7, 4000))
    return fig


def memory():
    """Four bars: gigabytes per device for 175 billion parameters on 64 devices. With everything on each device 2,800:
    350 of weights, 350 of gradients, 2,100 of Adam's state. With Adam's state divided 733, with the gradients too 388,
    with the weights too 44, which is the first to fit into the 80 of one device, a dashed line."""
    fig, ax = canvas(height=2.2)
    names = "all on each", "Adam divided", "+ gradients", "+ weights"
    for stage, name in enumerate(names):
        left = 0.0
        for size, begins, alpha in ((WEIGHT, 3, 1.0), (GRADIENT, 2, 0.55), (ADAM, 1, 0.25)):
            width = 175 * size / (64 if stage >= begins else 1)
            ax.barh(stage, width, left=left, height=0.62, color=VIOLET, alpha=alpha, lw=0)
            left += width
        label(ax, max(left, 80) + 25, stage, f"{left:,.0f} GB", ha="left")
        label(ax, -30, stage, name, ha="right")
    for row, (name, alpha) in enumerate((("weights", 1.0), ("gradients", 0.55), ("Adam's state", 0.25))):
        ax.add_patch(Rectangle((1900, 1.1 + 0.6 * row), 130, 0.36, facecolor=VIOLET, alpha=alpha, lw=0))
        label(ax, 2090, 1.28 + 0.6 * row, name, ha="left", fontsize=9.5)
    ax.axvline(80, color=FG, lw=0.9, ls=(0, (4, 3)))
    label(ax, 110, 3.62, "80 GB", FG, ha="left", fontsize=9)
    ax.set(yticks=[], xticks=[], xlim=(-640, 3150), ylim=(3.85, -0.5))
    for side in ax.spines.values():
        side.set_visible(False)
    return fig


def pipeline():
    """Two timetables of four devices, a row each. Above, one batch as a whole: a staircase down for the forward pass
    and up again for the backward pass, three quarters of the time is empty. Below, the batch in eight micro-batches,
    numbered 1 to 8: both staircases become bands, and 27 % is empty."""
    fig, axes = canvas(height=2.9, rows=2)
    for ax, parts in zip(axes, (1, 8), strict=True):
        forward = pipeline_schedule(4, parts)
        table = np.concatenate([forward, forward[:, ::-1]], axis=1)  # the backward pass is the mirror image
        ticks = table.shape[1]
        bare(ax).set(xlim=(-0.15 * ticks, ticks), ylim=(4.1, -0.9))
        for stage in range(4):
            ax.add_patch(Rectangle((0, stage + 0.06), ticks, 0.88, facecolor=LINE, alpha=0.45, lw=0))
        for stage, tick in np.argwhere(table >= 0):
            back = tick >= ticks // 2
            ax.add_patch(
                Rectangle((tick, stage + 0.06), 0.95, 0.88, facecolor=VIOLET, alpha=0.3 if back else 0.85, lw=0)
            )
            if parts > 1:
                label(ax, tick + 0.47, stage + 0.54, str(table[stage, tick] + 1), FG if back else BG, fontsize=8)
        for stage in range(4):
            label(ax, -0.015 * ticks, stage + 0.5, f"device {stage + 1}", ha="right", fontsize=8.5)
        empty = np.mean(table < 0)
        label(ax, ticks / 4, -0.45, "forward", MUTED, fontsize=9)
        label(ax, 3 * ticks / 4, -0.45, "backward", MUTED, fontsize=9)
        label(ax, ticks, -0.45, f"{100 * empty:.0f} % empty", FG, ha="right", fontsize=9)
    return fig
