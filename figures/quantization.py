"""The figures of the quantisation page."""

import numpy as np
from matplotlib.patches import Rectangle

from figures.quantized_model import gpt_tales, loss
from figures.style import ARC, BLUE, FG, GREEN, MUTED, OCHRE, RED, bare, canvas, label
from kb.architecture.quantization import dequantize, quantize

VIOLET = ARC["architecture"]
BITS = (2, 3, 4, 5, 6, 8)
GROUP = 16


def steps():
    """Thirty weights of one neuron of the trained model, on a line, and below it the places that 4 bits offer; thin
    lines lead each weight to its place. Left, with one scale for the whole matrix: the neuron's weights fall on five
    places. Right, with a scale of its own: they use nearly all fifteen."""
    matrix = gpt_tales()[0].params["h.0.mlp.c_fc.weight"].T
    row = int(np.argsort(np.abs(matrix).max(axis=1))[len(matrix) // 4])
    fig, axes = canvas(height=1.9, columns=2)
    for ax, per, title in zip(axes, ("tensor", "channel"), ("one scale for all", "a scale for each row"), strict=True):
        codes, scale, zero_point = quantize(matrix, 4, per)
        rounded = dequantize(codes, scale, zero_point)[row]
        step = float(scale[0 if per == "tensor" else row, 0])
        edge = 1.15 * float(np.abs(matrix[row]).max())
        for weight, place in zip(matrix[row, :30], rounded[:30], strict=True):
            ax.plot([weight, place], [1, 0.12], color=VIOLET, lw=0.5, alpha=0.6)
        ax.plot(matrix[row, :30], np.ones(30), "o", color=VIOLET, ms=3, mew=0)
        places = step * np.arange(-7, 8)
        places = places[np.abs(places) <= edge]
        ax.plot(places, np.zeros(len(places)), "|", color=FG, ms=9)
        bare(ax).set(xlim=(-edge, edge), ylim=(-0.35, 1.45))
        label(ax, 0, 1.35, title)
        label(ax, 0, -0.28, f"{len(np.unique(rounded))} places in use", MUTED, fontsize=9.5)
    return fig


def bits():
    """The loss on held-out stories against the bits of each weight, from 8 down to 2. With 8 to 6 bits all three lines
    lie on the dashed line of the model as it was trained. Below, the line for one scale per matrix rises first, then
    that for one scale per row, last that for one scale per group of 16; at 2 bits all three are far off."""
    fig, ax = canvas(height=2.6)
    ax.axhline(loss(), color=MUTED, lw=0.8, ls=(0, (4, 3)))
    for per, colour in (("tensor", RED), ("channel", BLUE), (GROUP, GREEN)):
        ax.plot(BITS, [loss(b, per) for b in BITS], "o-", color=colour, ms=4)
    ax.set(xlabel="bits per code", ylabel="loss, nats per token", xlim=(8.2, 1.8))
    label(ax, 8.1, loss() + 0.25, "as trained", MUTED, ha="left")
    for text, colour, y in (("per matrix", RED, 0.9), ("per row", BLUE, 0.78), (f"per {GROUP} weights", GREEN, 0.66)):
        ax.text(0.05, y, text, color=colour, transform=ax.transAxes, va="center")
    return fig


def formats():
    """Three rows of cells, a cell for each bit. fp32: 1 sign, 8 exponent, 23 fraction. bf16: 1, 8 and 7, the upper half
    of fp32. fp16: 1, 5 and 10. Beside the short ones their largest number: 3.4e38 for bf16, 65,504 for fp16."""
    fig, ax = canvas(height=1.45)
    bare(ax).set(xlim=(-4.2, 32.2), ylim=(-3.3, 1.8))
    rows = (("fp32", 8, 23, ""), ("bf16", 8, 7, "up to 3.4e38"), ("fp16", 5, 10, "up to 65,504"))
    for y, (name, exponent, fraction, text) in zip((0, -1.5, -3), rows, strict=True):
        label(ax, -0.6, y + 0.5, name, ha="right")
        for i in range(1 + exponent + fraction):
            colour = FG if i == 0 else OCHRE if i <= exponent else VIOLET
            ax.add_patch(Rectangle((i + 0.08, y + 0.05), 0.84, 0.9, facecolor=colour, alpha=0.8, lw=0))
        label(ax, 17, y + 0.5, text, MUTED, ha="left", fontsize=9.5)
    label(ax, 0.5, 1.5, "sign", FG, fontsize=9.5)
    label(ax, 5, 1.5, "exponent", OCHRE, fontsize=9.5)
    label(ax, 20, 1.5, "fraction", VIOLET, fontsize=9.5)
    return fig
