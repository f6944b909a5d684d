"""The figures of the chain rule page."""

from itertools import pairwise

import numpy as np
from matplotlib.patches import Circle

from figures.chain_example import BIAS, WEIGHT, Y, factors, last_neuron, network_paths
from figures.style import ARC, BG, BLUE, FG, LINE, MUTED, VIOLET, bare, canvas, label
from kb.learning.chain_rule import count_paths
from kb.structure.multilayer_perceptron import weights_per_layer

OCHRE = ARC["learning"]
FACTORS = {"how\nactive": BLUE, "how\nresponsive": VIOLET, "how\nwrong": OCHRE}


def steps():
    """A weight w = 3, a sender with activation 0.567 and a bias of -1 make z = 0.70; the sigmoid makes a = 0.67 of it;
    with the wanted value y = 1 the cost is C = 0.11. Three arrows lead from w to C, each with its slope: how active
    0.567, how responsive 0.222, how wrong -0.663. A nudge of w by 0.01 moves z by 0.0057, a by 0.0013 and C by
    -0.0008. The product of the three slopes is -0.0834."""
    fig, ax = canvas(height=2.55)
    bare(ax).set(xlim=(-0.1, 13.1), ylim=(-0.1, 5.4), aspect="equal")
    sender, *made = last_neuron()
    places, slopes = [1, 4.8, 8.4, 12], [float(factor[-1]) for factor in factors()]
    shown = [f"w = {WEIGHT[2]:g}", *(f"{name} = {value:.2f}" for name, value in zip("zaC", made, strict=True))]
    moves = ["+0.01", *(f"{move:+.4f}" for move in np.subtract(last_neuron(0.01)[1:], made))]
    for x, text, move in zip(places, shown, moves, strict=True):
        ax.add_patch(Circle((x, 2.5), 0.95, fill=False, ec=FG))
        label(ax, x, 2.5, text)
        label(ax, x, 1.1, move.replace("-", "−"), MUTED)
    for i, (name, colour) in enumerate(FACTORS.items()):
        x, x2 = places[i : i + 2]
        ax.annotate("", (x2 - 1, 2.5), (x + 1, 2.5), arrowprops={"arrowstyle": "->", "color": colour})
        label(ax, (x + x2) / 2, 3.35, f"{name}\n{slopes[i]:.3f}".replace("-", "−"), colour)
    for x, text, tip in ((3.3, f"sender {sender:.3f}", 4.5), (5.9, f"b = {BIAS[2]:g}", 5.1), (12, f"y = {Y:g}", 12)):
        label(ax, x, 5.15, text.replace("-", "−"), MUTED)
        ax.annotate("", (tip, 3.5), (x, 4.9), arrowprops={"arrowstyle": "->", "color": MUTED})
    label(ax, 6.5, 0.15, f"together: dC/dw = {np.prod(slopes):.4f}".replace("-", "−"), OCHRE)
    return fig


def all_paths():
    """Four copies of one small network with two neurons in each of its three layers and a cost at the end. In each copy
    one of the four paths from the first hidden neuron to the cost is drawn thick. Their products are -0.144, 0.218,
    -0.144 and -0.036; the sum is -0.106."""
    fig, axes = canvas(height=1.35, columns=4)
    places = [[(layer, 0.6), (layer, -0.6)] for layer in range(3)] + [[(3, 0)]]
    lines = [(a, b) for left, right in pairwise(places) for a in left for b in right]
    for ax, (path, product) in zip(axes, network_paths(), strict=True):
        bare(ax).set(xlim=(-0.4, 3.4), ylim=(-0.95, 1.6), aspect="equal")
        walked = [places[layer][neuron] for layer, neuron in enumerate(path)] + [(3, 0)]
        for a, b in lines:
            ax.plot(*zip(a, b, strict=True), color=LINE, lw=1, zorder=0)
        ax.plot(*zip(*walked, strict=True), color=OCHRE, lw=2.6, zorder=1)
        for place in {place for line in lines for place in line}:
            ax.add_patch(Circle(place, 0.26, fc=BG, ec=OCHRE if place in walked else MUTED, zorder=2))
        label(ax, 3, 0, "C", zorder=3)
        label(ax, 1.5, 1.35, f"{product:+.3f}".replace("-", "−"), OCHRE)
    return fig


def sharing():
    """Two curves over the number of layers of 16 neurons before ten outputs, 1 to 8, on a logarithmic axis. The number
    of paths from the neurons of the first of these layers rises in a straight line from 160 to 42,949,672,960. The
    multiplications of going back layer by layer rise from 160 to 1,952 and look almost flat."""
    fig, ax = canvas(height=2.3)
    layers = np.arange(1, 9)
    every = [count_paths(16, *[16] * (k - 1), 10) * 16 for k in layers]
    shared = [sum(weights_per_layer(*[16] * k, 10)) for k in layers]
    ax.plot(layers, every, "o-", color=MUTED, ms=4)
    ax.plot(layers, shared, "o-", color=OCHRE, ms=4)
    ax.set_yscale("log")
    label(ax, 4.8, every[4] * 5, "paths", MUTED, ha="right")
    label(ax, 8, shared[6] * 16, "multiplications, layer by layer", OCHRE, ha="right")
    ax.set(xlabel="layers of 16 neurons before the ten outputs", ylim=(30, 1e12))
    ax.set_yticks([1e2, 1e5, 1e8, 1e11], ["hundred", "100 thousand", "100 million", "100 billion"])
    ax.minorticks_off()
    return fig
