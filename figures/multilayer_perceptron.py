"""The figures of the multilayer perceptron page."""

from itertools import pairwise, product

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from figures.calibration import answers, calibration_error, example
from figures.initialisation import SIZES, sizes_by_depth, trained
from figures.style import ARC, FG, MUTED, OCHRE, RED, bare, canvas, label
from kb.structure.multilayer_perceptron import (
    biases_per_layer,
    count_parameters,
    reliability_diagram,
    weights_per_layer,
)

GREEN = ARC["structure"]


def network():
    """Four columns of circles joined by lines: 784 pixels, eight of them drawn, two hidden layers of 16, and ten
    outputs. Above the gaps stand the numbers of weights, 12,544, 256 and 160; under the last three columns the numbers
    of biases, 16, 16 and 10. Together 13,002 parameters."""
    fig, ax = canvas(height=3.4)
    bare(ax).set(xlim=(-0.9, 10.0), ylim=(-2.4, 10.6))
    columns = [[9 * i / (n - 1) for i in range(n)] for n in (9, 16, 16, 10)]
    columns[0].pop(4)  # where the dots stand
    columns[3] = [0.9 + 0.8 * y for y in columns[3]]
    for j, (here, there) in enumerate(pairwise(columns)):
        ends = np.array([(y, v, np.nan) for y, v in product(here, there)])  # nan lifts the pen
        ax.plot(np.tile([3 * j + 0.12, 3 * j + 2.88, np.nan], len(ends)), ends.ravel(), color=GREEN, lw=0.35, alpha=0.7)
        weights, biases = weights_per_layer(*SIZES)[j], biases_per_layer(*SIZES)[j]
        label(ax, 3 * j + 1.5, 10.2, f"{weights:,} weights", GREEN)
        label(ax, 3 * j + 3, -2.0, f"{biases} biases", GREEN)
    for j, column in enumerate(columns):
        ax.plot([3 * j] * len(column), column, "o", mfc="none", mec=FG, ms=6, mew=0.9)
        label(ax, 3 * j, -0.95, ("784 pixels", "16 neurons", "16 neurons", "10 scores")[j], FG)
    label(ax, 0, 4.5, "⋮", FG)
    for digit, y in enumerate(columns[3]):
        label(ax, 9.4, y, str(digit), MUTED)
    label(ax, -0.9, -2.0, f"{count_parameters(*SIZES):,} in all", GREEN, ha="left")
    return fig


def starts():
    """Two panels. Left: the size of the activations through 20 ReLU layers on a logarithmic axis. With He's start it
    stays near 1, with Xavier's it falls to 0.001, with standard deviation 1 it grows to 10 to the power 21. Right: the
    cost of the digit network over 40 epochs. From zeros it stays at 0.9; with standard deviation 1 it starts higher and
    stays above the curves of Xavier's start, which fall to below 0.1."""
    fig, (left, right) = canvas(height=2.5, columns=2)
    for scheme, colour, name, y in (
        ("normal", RED, "normal: 10²¹", 1e13),
        ("he", GREEN, "He: 1", 20),
        ("xavier", OCHRE, "Xavier: 0.001", 4e-5),
    ):
        left.plot(sizes_by_depth(scheme), color=colour)
        label(left, 19.5 if scheme != "normal" else 11.5, y, name, colour, ha="right")
    left.set(yscale="log", xlabel="ReLU layer", title="size of the activations", xticks=[0, 10, 20], ylim=(1e-6, 1e22))
    left.set_yticks([1e-5, 1, 1e10, 1e20])
    left.minorticks_off()
    epochs = np.arange(1, 41)
    for seed in range(3):
        right.plot(epochs, trained("xavier", seed)[1], color=OCHRE, lw=1.2)
        right.plot(epochs, trained("normal", seed)[1], color=RED, lw=1.2)
    right.plot(epochs, trained("zeros")[1], color=FG, lw=1.2)
    label(right, 40, 0.98, "zeros", FG, ha="right")
    label(right, 21, 0.62, "normal", RED, ha="left")
    label(right, 12, 0.1, "Xavier", OCHRE, ha="right")
    right.set(title="cost of the digit network", xlabel="epoch", ylim=(0, 1.55), xlim=(1, 40), xticks=[1, 20, 40])
    return fig


def heads():
    """A handwritten 8 that no output recognises, and the ten scores of two networks as bars. The ten sigmoids are all
    low, the highest 0.25 for a 4, and add up to 0.57. The softmax has to give away the whole of 1, and gives 0.68 to
    the 0."""
    image, _, sigmoids, shares = example()
    fig, axes = canvas(height=1.9, columns=3, width_ratios=[1, 1.5, 1.5])
    axes[0].imshow(image, cmap=LinearSegmentedColormap.from_list("ink", ["#ffffff", "#1c1e21"]), vmin=0, vmax=1)
    axes[0].set(xticks=[], yticks=[], title="an 8")
    axes[0].spines[:].set_visible(False)
    for ax, scores, name in ((axes[1], sigmoids, "sigmoids"), (axes[2], shares, "softmax")):
        ax.bar(range(10), scores, color=GREEN, width=0.62)
        ax.set(title=f"{name}: sum {scores.sum():.2f}", xticks=range(10), yticks=[0, 1], ylim=(0, 1.05))
        ax.tick_params(axis="x", length=0, labelsize=8.5)
    return fig


def reliability():
    """Two reliability diagrams of the trained digit network: the share of right answers against the confidence, in ten
    bins, with the diagonal on which a calibrated network would lie. Left, on held-out digits, the points with many
    answers lie on it, and the calibration error is 2.5 %. Right, on the same digits moved by 4 pixels, all points of
    high confidence lie far below it, and the error is 27.7 %."""
    fig, axes = canvas(height=2.8, columns=2)
    for ax, pixels, title in ((axes[0], 0, "held-out digits"), (axes[1], 4, "the same, moved by 4 pixels")):
        confidence, accuracy, count = reliability_diagram(*answers(pixels=pixels))
        some = count > 0
        ax.plot([0, 1], [0, 1], color=MUTED, lw=0.8, ls=(0, (4, 3)))
        ax.vlines(confidence[some], confidence[some], accuracy[some], color=GREEN, lw=1)
        ax.scatter(confidence[some], accuracy[some], s=8 + 0.7 * 360 * count[some] / count.sum(), color=GREEN)
        label(ax, 0.04, 0.93, f"error {calibration_error(pixels=pixels):.1%}".replace("%", " %"), FG, ha="left")
        ax.set(title=title, xlabel="confidence", xlim=(0, 1.06), ylim=(0, 1.06), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    axes[0].set(ylabel="share of right answers")
    return fig
