"""The figures of the cost function page."""

import numpy as np

from figures.style import ARC, FG, LINE, MUTED, canvas, label
from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split
from kb.learning.cost_function import (
    sigmoid_cross_entropy_backward,
    sigmoid_squared_error_backward,
    squared_error,
)
from kb.structure.multilayer_perceptron import init_mlp, mlp

OCHRE = ARC["learning"]


def verdict():
    """A handwritten 3 of 28 by 28 pixels, and the ten outputs of the network before and after training, one bar for
    each digit. Before training the bars are all near one half and the cost of this image is large. After training
    only the bar of the 3 is high, and the cost is close to 0."""
    held_out = split(load_digits(28))[1]
    image = held_out.images[np.flatnonzero(held_out.labels == 3)[0]]
    wanted = np.eye(10, dtype=np.float32)[3]
    fig, axes = canvas(height=1.9, columns=3, width_ratios=[1, 1.5, 1.5])
    axes[0].imshow(image, cmap=_ink(), vmin=0, vmax=1, interpolation="nearest")
    axes[0].set(xticks=[], yticks=[], title="a 3")
    axes[0].spines[:].set_visible(False)
    untrained = init_mlp((784, 16, 16, 10), np.random.default_rng(0))
    for ax, title, params in zip(axes[1:], ("before", "after training"), (untrained, digits_mlp()), strict=True):
        a = mlp(params, image.reshape(784))
        ax.bar(range(10), wanted, color=LINE, width=0.9)
        ax.bar(range(10), a, color=OCHRE, width=0.5)
        ax.set(title=f"{title}: {squared_error(a, wanted):.2g}", xticks=range(10), yticks=[0, 1], ylim=(0, 1.05))
        ax.tick_params(axis="x", length=0, labelsize=8.5)
    return fig


def _ink():
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("ink", ["#ffffff", "#1c1e21"])


def saturation():
    """The slope of the cost for one sigmoid neuron that should say 1, against its pre-activation z from -10 to 4.
    With squared error the slope is almost 0 at z = -10, where the neuron is entirely wrong, and largest near z =
    -0.7. With cross-entropy it is close to -1 wherever the neuron is wrong and goes to 0 only where it is right."""
    fig, ax = canvas(height=2.4)
    z = np.linspace(-10, 4, 281)
    wanted = np.ones_like(z)
    ax.plot(z, sigmoid_cross_entropy_backward(z, wanted), color=OCHRE)
    ax.plot(z, sigmoid_squared_error_backward(z, wanted), color=FG)
    label(ax, -9.8, -0.92, "cross-entropy: a − y", OCHRE, ha="left")
    label(ax, -9.8, -0.14, "squared error:\n2 (a − y) a (1 − a)", FG, ha="left")
    label(ax, -9.8, -0.5, "wrong: a near 0", MUTED, ha="left")
    label(ax, 4, -0.5, "right: a near 1", MUTED, ha="right")
    ax.axhline(0, color=LINE, lw=0.8, zorder=0)
    ax.set(
        xlabel="pre-activation z (the wanted output is 1)",
        ylabel="slope of the cost",
        xlim=(-10, 4),
        ylim=(-1.05, 0.06),
    )
    return fig
