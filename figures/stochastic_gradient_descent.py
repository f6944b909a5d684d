"""The figures of the mini-batch SGD page."""

import numpy as np

from figures import digit_training
from figures.style import ARC, BG, FG, LINE, MUTED, canvas, label
from kb.learning.stochastic_gradient_descent import train

OCHRE = ARC["learning"]


def passes():
    """The cost of all training digits against the number of passes over them, on a logarithmic axis, for three batch
    sizes. With all 1,437 digits per step it stays near 0.9 for 30 passes, which are 30 steps. With batches of 100 it
    falls to 0.18, with batches of 10 to 0.027."""
    fig, ax = canvas(height=2.5)
    for size, lr, colour, name in (
        (1437, 3.0, MUTED, "all 1,437 per step: 30 steps"),
        (100, 2.0, FG, "100 per step: 450 steps"),
        (10, 0.5, OCHRE, "10 per step: 4,320 steps"),
    ):
        _, costs, _ = digit_training.epoch_by_epoch(size, lr)
        ax.semilogy(costs, color=colour)
        label(ax, 30.5, costs[-1], name, colour, ha="left")
    ax.set(xlabel="passes over the training digits", ylabel="cost", xlim=(0, 49), ylim=(0.008, 4))
    ax.set_xticks([0, 10, 20, 30])
    ax.set_yticks([0.01, 0.1, 1], ["0.01", "0.1", "1"])
    ax.minorticks_off()
    ax.spines["bottom"].set_bounds(0, 30)
    return fig


def _line_gradients(params, x, y):
    """Squared error of a straight line, slope times x plus offset, and its gradient."""
    error = x @ params["w"] - y
    return (error * error).mean(), {"w": 2 * error @ x / len(x)}


def walks():
    """Contour lines of the cost of a straight line through 200 points, over its offset and slope. The walk that looks
    at all points at each step goes smoothly to the lowest point. The walk that looks at four points at a time
    staggers, arrives close by, and wanders around the lowest point without settling."""
    rng = np.random.default_rng(2)
    x = np.stack([np.ones(200), rng.uniform(-1, 2, 200)], axis=1)
    y = x @ np.array([0.5, 1.0]) + rng.normal(size=200)
    fig, axes = canvas(height=2.5, columns=2, sharex=True, sharey=True)
    offset, slope = np.linspace(-1.9, 1.7, 36), np.linspace(-1.3, 2.1, 36)
    costs = [[_line_gradients({"w": np.array([a, b])}, x, y)[0] for a in offset] for b in slope]
    for ax, size, steps, title in zip(axes, (200, 4), (40, 60), ("all 200 points", "4 points at a time"), strict=True):
        params, path, rng = {"w": np.array([-1.6, -1.0])}, [np.array([-1.6, -1.0])], np.random.default_rng(3)
        while len(path) <= steps:
            some = rng.permutation(200)[:size]
            params, _ = train(_line_gradients, params, x[some], y[some], 0.12, 1, size, rng)
            path.append(params["w"])
        ax.contour(offset, slope, costs, levels=[1.0, 1.3, 2, 3, 4.5, 6.5, 9], colors=[LINE], linewidths=0.9)
        ax.plot(*np.transpose(path), "o-", color=OCHRE, ms=2.4, lw=1)
        ax.plot(*path[0], "o", color=BG, mec=OCHRE, ms=6)
        ax.set(title=title, xticks=[], yticks=[], xlabel="offset")
    axes[0].set_ylabel("slope")
    return fig


def noise():
    """How far the gradient of a batch lies from that of all digits, in lengths of the latter, against the size of the
    batch, both on logarithmic axes. Dots are measured, on the line of the formula: about 13 for one example, 1.1 for
    100, 0.2 for 1,024, where nearly all digits are in the batch and the line bends down."""
    sizes, measured, expected = digit_training.noise()
    fig, ax = canvas(height=2.5)
    smooth = np.geomspace(1, 1400, 200)
    ax.loglog(smooth, expected[0] * np.sqrt((1437 - smooth) / 1436 / smooth), color=LINE, lw=1.4)
    ax.loglog(sizes, measured, "o", color=OCHRE, ms=5)
    ax.axhline(1, color=MUTED, lw=0.8, ls=(0, (4, 3)))
    label(ax, 1, 0.78, "as long as the gradient itself", MUTED, ha="left")
    label(ax, 9, 6.2, "falls as 1 / √batch", FG, ha="left")
    for size, value in ((1, measured[0]), (100, measured[4])):
        label(ax, size * 1.25, value * 1.22, f"{value:.2g}", OCHRE, ha="left")
    ax.set(xlabel="examples in the batch", ylabel="error of the gradient", xlim=(0.8, 2000), ylim=(0.1, 25))
    ax.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
    ax.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
    ax.minorticks_off()
    return fig


def learning_curve():
    """Two curves over 30 passes of training with batches of 32. Top: the cost of every third of 1,350 batches, a noisy
    band that stays near 0.9 for five passes, then falls to about 0.05. Bottom: the share of held-out digits
    recognised after each pass, which rises from 10 % to 96 % and crosses the dashed line at 95 %."""
    steps, _, accuracies = digit_training.epoch_by_epoch()
    fig, (top, bottom) = canvas(height=3.1, rows=2, sharex=True)
    epochs = (np.arange(len(steps)) + 0.5) * 30 / len(steps)
    top.plot(epochs[::3], steps[::3], color=OCHRE, lw=0.6, alpha=0.6)
    top.plot(epochs[22:-22], np.convolve(steps, np.full(45, 1 / 45), "valid"), color=FG, lw=1.4)
    label(top, 15, 0.8, "every third batch, and the mean of 45", MUTED, ha="left")
    top.set(ylabel="cost", ylim=(0, 1.4))
    bottom.plot(accuracies, "o-", color=OCHRE, ms=3)
    bottom.axhline(0.95, color=MUTED, lw=0.8, ls=(0, (4, 3)))
    label(bottom, 0.3, 0.87, "95 %", MUTED, ha="left")
    bottom.set(xlabel="passes over the training digits", ylabel="held out, right", xlim=(0, 30.5), ylim=(0, 1.03))
    bottom.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    return fig
