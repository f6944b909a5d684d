"""The figures of the forward pass page."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from figures.style import ARC, FG, LINE, MUTED, canvas, label
from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split
from kb.structure.activation_functions import sigmoid
from kb.structure.forward_pass import forward_all, forward_bytes, forward_flops

GREEN = ARC["structure"]
SIZES = 784, 16, 16, 10


def every_activation():
    """A handwritten 4 of 28 by 28 pixels, and three columns of bars from 0 to 1: the 16 activations of the first
    hidden layer, the 16 of the second, and the 10 outputs, each with its value. Most hidden activations are close to 0
    or to 1. Of the outputs only the 4 is high, 0.98; the next is the 0 with 0.03."""
    image = split(load_digits(28))[1].images[3]
    record = forward_all(digits_mlp(), image.reshape(784), sigmoid)
    fig, axes = canvas(height=3.4, columns=4, width_ratios=[1.25, 1, 1, 1])
    axes[0].imshow(image, cmap=LinearSegmentedColormap.from_list("ink", ["#ffffff", "#1c1e21"]), vmin=0, vmax=1)
    axes[0].set(xticks=[], yticks=[], title="784 pixels")
    axes[0].spines[:].set_visible(False)
    for layer, ax in enumerate(axes[1:], 1):
        a = record[f"a{layer}"]
        ax.barh(range(len(a)), np.ones(len(a)), color=LINE, height=0.7, alpha=0.5)
        ax.barh(range(len(a)), a, color=GREEN, height=0.7)
        for i, value in enumerate(a):
            label(ax, 1.06, i, f"{value:.2f}", FG if value > 0.5 else MUTED, ha="left", fontsize=8)
        ax.set(title=f"layer {layer}", xlim=(0, 1.5), ylim=(15.6, -0.6), xticks=[])
        ax.set_yticks(range(len(a)) if layer == 3 else [], range(len(a)) if layer == 3 else [], fontsize=8)
        ax.tick_params(axis="y", length=0)
        ax.spines[:].set_visible(False)
    return fig


def intensity():
    """Operations per byte of the 784-16-16-10 network against the batch size, on a logarithmic axis from 1 to 10,000.
    It starts at 0.47 for one image, where the weights are fetched for a single use, rises through 6.8 at 100 images
    and levels off just below 8, where the pixels themselves are what has to be fetched."""
    fig, ax = canvas(height=2.2)
    batch = np.unique(np.geomspace(1, 10_000, 60).round().astype(int))
    ratio = [forward_flops(*SIZES, batch=int(b)) / forward_bytes(*SIZES, batch=int(b)) for b in batch]
    ax.semilogx(batch, ratio, color=GREEN)
    for b, way in ((1, "bottom"), (100, "top"), (10_000, "top")):
        y = forward_flops(*SIZES, batch=b) / forward_bytes(*SIZES, batch=b)
        ax.plot(b, y, "o", color=GREEN, ms=5)
        label(
            ax,
            b,
            y + (0.35 if way == "bottom" else -0.35),
            f"{y:.2g}",
            GREEN,
            va=way,
            ha="right" if b > 1e3 else "left",
        )
    label(ax, 2.2, 0.55, "the weights are fetched for one image", MUTED, ha="left")
    label(ax, 9_000, 4.6, "the weights are shared:\nonly pixels are fetched", MUTED, ha="right")
    ax.set(xlabel="images in the batch", ylabel="operations per byte", ylim=(0, 8.6), xlim=(0.8, 12_000))
    ax.set_xticks([1, 10, 100, 1000, 10_000], ["1", "10", "100", "1,000", "10,000"])
    ax.minorticks_off()
    return fig
