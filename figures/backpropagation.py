"""The figures of the backpropagation page."""

import numpy as np
from matplotlib.patches import Circle

from figures.style import ARC, FG, LINE, MUTED, bare, canvas, label
from kb.data.digits import load_digits
from kb.learning.backpropagation import (
    backward_flops,
    bias_lever,
    sender_lever,
    sender_paths,
    weight_lever,
)
from kb.structure.activation_functions import sigmoid, sigmoid_slope
from kb.structure.forward_pass import forward_all, forward_flops
from kb.structure.multilayer_perceptron import count_parameters, init_mlp

OCHRE = ARC["learning"]
SIZES = (784, 16, 16, 10)


def paths():
    """A hidden neuron with activation 0.5 feeds two output neurons through the weights 2 and -1. The first says 0.73
    and should say 1, the second says 0.38 and should say 0. Arrows lead back from both: the first path brings -0.212
    to the hidden neuron, the second -0.177, and together they make -0.389."""
    fig, ax = canvas(height=2.5)
    bare(ax).set(xlim=(0, 10.4), ylim=(0, 4.7), aspect="equal")
    weight, z, wanted = np.array([[2.0], [-1.0]]), np.array([1.0, -0.5]), np.array([1.0, 0.0])
    error, slope = 2 * (sigmoid(z) - wanted), sigmoid_slope(z)
    ax.add_patch(Circle((1.5, 2.3), 0.7, fill=False, ec=FG))
    label(ax, 1.5, 2.3, "a = 0.5")
    for i, y in enumerate((3.8, 0.8)):
        ax.add_patch(Circle((6.6, y), 0.7, fill=False, ec=FG))
        label(ax, 6.6, y, f"{sigmoid(z)[i]:.2f}")
        label(ax, 7.5, y, f"should say {wanted[i]:g}", MUTED, ha="left")
        toward = 1 if i == 0 else -1
        ax.annotate(
            "", (2.25, 2.3 + 0.35 * toward), (5.9, y - 0.25 * toward), arrowprops={"arrowstyle": "->", "color": OCHRE}
        )
        label(ax, 3.95, 2.3 + 1.28 * toward, f"weight {weight[i, 0]:g}", MUTED)
        label(ax, 4.75, 2.3 + 0.42 * toward, f"{sender_paths(error, slope, weight)[i, 0]:.3f}", OCHRE)
    label(ax, 1.5, 1.15, "added:", MUTED)
    label(ax, 1.5, 0.65, f"{sender_lever(error, slope, weight)[0]:.3f}", OCHRE)
    return fig


def levers():
    """Two scatter plots for one output neuron of an untrained network that reads 16 hidden neurons and should say 1.
    Left: the wanted change of each weight lies on a rising line through the origin against the activation of its
    sender. Right: the wanted change of each sender's activation lies on a rising line through the origin against its
    weight."""
    digits = load_digits(28)
    image = digits.images[np.flatnonzero(digits.labels == 3)[0]].reshape(784)
    params = init_mlp(SIZES, np.random.default_rng(0))
    record = forward_all(params, image, sigmoid)
    error = 2 * (record["a3"] - np.eye(10, dtype=np.float32)[3])
    slope = sigmoid_slope(record["z3"])
    only = np.eye(10, dtype=np.float32)[3] * error  # what the output of the 3 alone asks for
    fig, (left, right) = canvas(height=2.2, columns=2)
    left.plot(record["a2"], -weight_lever(only, slope, record["a2"])[3], "o", color=OCHRE, ms=4)
    left.axhline(-bias_lever(only, slope)[3], color=MUTED, lw=0.8, ls=(0, (4, 3)))
    label(left, 0.02, -bias_lever(only, slope)[3], "its bias", MUTED, ha="left", va="bottom")
    left.set(xlabel="sender's activation", ylabel="wanted change", title="weights", xlim=(0, 1), ylim=(0, None))
    right.plot(params["4.weight"][3], -sender_lever(only, slope, params["4.weight"]), "o", color=OCHRE, ms=4)
    right.axhline(0, color=LINE, lw=0.8, zorder=0)
    right.axvline(0, color=LINE, lw=0.8, zorder=0)
    right.set(xlabel="weight", title="senders' activations")
    return fig


def cost():
    """Bars on a logarithmic axis: the operations for one example in the 784-16-16-10 network. One forward pass takes
    about 26 thousand, one backward pass about the same, and the gradient by finite differences, two forward passes
    for each of 13,002 parameters, about 674 million."""
    fig, ax = canvas(height=1.6)
    rows = {
        "forward pass": forward_flops(*SIZES),
        "backward pass": backward_flops(*SIZES),
        "finite differences": 2 * count_parameters(*SIZES) * forward_flops(*SIZES),
    }
    ax.barh(range(3), rows.values(), color=[MUTED, OCHRE, MUTED], height=0.55)
    for i, flops in enumerate(rows.values()):
        label(ax, flops * 1.3, i, f"{flops:,}", ha="left")
    ax.set_xscale("log")
    ax.set_yticks(range(3), rows, color=FG)
    ax.tick_params(axis="y", length=0)
    ax.set(xlim=(1e3, 1e11), xlabel=f"operations for {count_parameters(*SIZES):,} slopes, one example")
    ax.set_xticks([1e3, 1e6, 1e9], ["thousand", "million", "billion"])
    ax.minorticks_off()
    ax.invert_yaxis()
    ax.spines["left"].set_visible(False)
    return fig
