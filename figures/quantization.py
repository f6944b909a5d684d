"""The figures of the quantisation page."""

import numpy as np
from matplotlib.patches import Rectangle

from figures.quantized_gpt import gpt_loss
from figures.quantized_model import FIRST, digits_mlp
from figures.style import ARC, BLUE, FG, GREEN, MUTED, OCHRE, RED, bare, canvas, label
from kb.architecture.quantization import dequantize, quantize

VIOLET = ARC["architecture"]
BITS = (8, 5, 4, 3, 2)
GROUP = 16


def steps():
    """Thirty weights of one neuron of the trained network, on a line, and below it the places that 4 bits offer; thin
    lines lead each weight to its place. Left, with one scale for the whole matrix: all weights of the neuron fall on
    seven places. Right, with a scale of its own: they use fourteen."""
    matrix = digits_mlp()[FIRST]
    row = int(np.argmin(np.abs(matrix).max(axis=1)))
    shown = np.argsort(-np.abs(matrix[row]))[::26]  # thirty, large and small ones
    fig, axes = canvas(height=1.9, columns=2)
    for ax, per, title in zip(axes, ("tensor", "channel"), ("one scale for all", "a scale for each row"), strict=True):
        codes, scale, zero_point = quantize(matrix, 4, per)
        rounded = dequantize(codes, scale, zero_point)[row]
        edge = 1.2 * float(np.abs(matrix[row]).max())
        for weight, place in zip(matrix[row, shown], rounded[shown], strict=True):
            ax.plot([weight, place], [0.95, 0.1], color=VIOLET, lw=0.5, alpha=0.6)
        ax.plot(matrix[row, shown], np.ones(len(shown)), "o", color=VIOLET, ms=3, mew=0)
        places = float(scale[0 if per == "tensor" else row, 0]) * np.arange(-7, 8)
        places = places[np.abs(places) <= edge]
        ax.plot(places, np.zeros(len(places)), "|", color=FG, ms=9)
        bare(ax).set(xlim=(-edge, edge), ylim=(-0.45, 1.5))
        label(ax, 0, 1.38, title)
        label(ax, 0, -0.36, f"{len(np.unique(rounded))} places in use", MUTED, fontsize=9.5)
    return fig


def bits():
    """The loss of the GPT on held-out stories against the bits of each code, from 8 down to 2. From 8 to 5 bits all
    three lines lie on the dashed line of the model as it was trained, 0.51. At 4 bits one scale per matrix begins to
    rise; at 3 bits it is at 1.5, one scale per row at 0.7 and one per 16 weights at 0.6; at 2 bits they are at 6.8, 5.4
    and 2.9."""
    fig, ax = canvas(height=2.4)
    ax.axhline(gpt_loss(), color=MUTED, lw=0.8, ls=(0, (4, 3)))
    label(ax, 7.9, gpt_loss() + 0.45, "as trained", MUTED, ha="left")
    for per, name, colour in (("tensor", "per matrix", RED), ("channel", "per row", BLUE), (GROUP, "per 16", GREEN)):
        found = [gpt_loss(b, per) for b in BITS]
        ax.plot(BITS, found, "o-", color=colour, ms=4)
        label(ax, 1.9, found[-1], name, colour, ha="left")
    ax.set(xlabel="bits per code", ylabel="loss, nats per token", xlim=(8.2, 0.9), ylim=(0, 7.2))
    ax.set_xticks([8, 7, 6, 5, 4, 3, 2])
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
