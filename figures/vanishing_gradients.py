"""The figures of the page on vanishing and exploding gradients."""

import numpy as np

from figures.deep_digits import LAYERS, SCALES, digits, measured, weights
from figures.style import ARC, BLUE, FG, LINE, MUTED, RED, canvas, label
from kb.learning.vanishing_gradients import gradient_norms
from kb.structure.activation_functions import sigmoid, sigmoid_slope, tanh, tanh_slope

OCHRE = ARC["learning"]
COLOURS = {"sigmoid": RED, "tanh": BLUE, "relu": OCHRE}
WAYS = {  # factor, normalised, skip
    "weights half as large": (0.5, False, False),
    "well-chosen weights": (1.0, False, False),
    "twice as large": (2.0, False, False),
    "well chosen, normalised": (1.0, True, False),
    "well chosen, x + f(x)": (1.0, False, True),
    "all three": (1.0, True, True),
}


def six_ways():
    """Six plots of the length of the error on its way back through 30 layers, relative to its length at the end, each
    with a line for sigmoid, tanh and ReLU. Weights half as large as usual: all three fall, the sigmoid to 3e-28, the
    others to about 1e-9. Well-chosen weights: tanh ends at 0.1 and ReLU at 0.8, the sigmoid at 7e-20. Twice as large:
    ReLU rises to 1e9, tanh to 95, the sigmoid still falls to 1e-12. Normalised: 0.3 for the sigmoid, 9 for tanh, 330
    for ReLU. With x + f(x): 1.2, 16, and 3e6 for ReLU. All three together: between 1.6 and 11."""
    fig, axes = canvas(height=3.9, columns=3, rows=2, sharex=True, sharey=True)
    for ax, (title, way) in zip(axes.flat, WAYS.items(), strict=True):
        ax.axhline(1, color=LINE, lw=0.8, zorder=0)
        for name, colour in COLOURS.items():
            ax.plot(np.arange(LAYERS + 1), measured(name, *way), color=colour)
        ax.set_yscale("log")
        ax.set(xlim=(LAYERS, 0), ylim=(1e-30, 1e12))
        ax.set_title(title, fontsize=9.5)
        ax.set_yticks([1e-30, 1e-20, 1e-10, 1, 1e10])
        ax.minorticks_off()
    for ax in axes[1]:
        ax.set_xlabel("layer")
    for ax in axes[:, 0]:
        ax.set_ylabel("length of the error")
    label(axes[0, 0], 20, 1e-25, "sigmoid", RED, ha="left")
    label(axes[0, 0], 21, 1e4, "tanh, ReLU", FG, ha="left")
    label(axes[0, 2], 16, 1e8, "ReLU", OCHRE, ha="right")
    label(axes[0, 2], 3, 1e-3, "tanh", BLUE, ha="right")
    return fig


def factors():
    """Six curves over 1 to 30 layers on a logarithmic axis: the same factor multiplied again and again. A factor of 1
    stays at 1; 0.9 ends at 0.04, 0.5 at 1e-9, 0.25 at 9e-19, 1.1 at 17, 2 at 1e9."""
    fig, ax = canvas(height=2.2)
    layers = np.arange(31)
    ax.axhline(1, color=OCHRE, lw=1, zorder=0)
    for factor in (0.25, 0.5, 0.9, 1.1, 2.0):
        ax.plot(layers, factor**layers, color=MUTED)
        label(ax, 30.4, factor**30 * {1.1: 12, 0.9: 0.1}.get(factor, 1), f"{factor:g}", ha="left")
    ax.set_yscale("log")
    ax.set(xlim=(0, 32), xlabel="layers", ylabel="product")
    ax.set_yticks([1e-18, 1e-9, 1, 1e9])
    ax.minorticks_off()
    return fig


def weights_or_errors():
    """Two plots over 30 layers for weights half as large as usual. With sigmoids the error and the gradient of the
    weights fall together, from the last layer to the first. With tanh the error falls too, but the gradient of the
    weights is about 1e-9 in every layer."""
    fig, axes = canvas(height=2.2, columns=2, sharey=True)
    for ax, name, phi, slope in ((axes[0], "sigmoid", sigmoid, sigmoid_slope), (axes[1], "tanh", tanh, tanh_slope)):
        hidden, last = weights(0.5 * SCALES[name])
        params = {f"{2 * i}.weight": weight for i, weight in enumerate([*hidden, last])}
        errors, by_weight = gradient_norms(params, *digits(), phi, slope)
        ax.plot(np.arange(LAYERS + 1), errors, color=MUTED)
        ax.plot(np.arange(LAYERS), by_weight[:-1], color=OCHRE)
        ax.set_yscale("log")
        ax.set(xlim=(LAYERS, 0), title=name, xlabel="layer")
        ax.set_yticks([1e-30, 1e-20, 1e-10, 1])
        ax.minorticks_off()
    axes[0].set_ylabel("length")
    label(axes[1], 15, 1e-4, "error", MUTED, ha="left")
    label(axes[1], 15, 1e-12, "gradient of the weights", OCHRE)
    return fig
