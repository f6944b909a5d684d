"""The figures of the recurrent network page."""

import numpy as np
from matplotlib.patches import Circle, Rectangle

from figures.memory_through_time import LENGTH, blame_by_cell, blame_by_radius
from figures.style import ARC, BLUE, FG, LINE, MUTED, OCHRE, RED, VIOLET, bare, canvas, label
from kb.structure.recurrent_network import PARITY, parity, rnn

GREEN = ARC["structure"]
BACK = -np.arange(LENGTH)[::-1]  # steps back from the last element


def _arrow(ax, start, end, colour=MUTED, **kwargs):
    ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": colour, **kwargs})


def unrolled():
    """Six copies of one small network in a row, one for each of the bits 1, 0, 1, 1, 0, 1 that arrive from below. Each
    holds two numbers, u and v, and hands them to the next copy. Above each stands its answer u - 2v: odd, odd, even,
    odd, odd, even."""
    bits = np.array([1.0, 0, 1, 1, 0, 1])
    states, answers = rnn(PARITY, bits[:, None], nonlinearity="relu")[0], parity(bits[:, None])
    fig, ax = canvas(height=2.15)
    bare(ax).set(xlim=(-2.1, 12.2), ylim=(-1.75, 3.55), aspect="equal")
    for t, (bit, (u, v), odd) in enumerate(zip(bits, states, answers, strict=True)):
        x = 2.2 * t
        ax.add_patch(Rectangle((x - 0.72, -0.15), 1.44, 2.0, fill=False, ec=GREEN, lw=1.4))
        for y, name, value in ((1.3, "u", u), (0.4, "v", v)):
            label(ax, x, y, f"{name} = {value:g}", FG)
        label(ax, x, -1.45, f"{bit:g}", GREEN)
        label(ax, x, 3.1, "odd" if odd else "even", GREEN if odd else MUTED)
        _arrow(ax, (x, -1.1), (x, -0.2))
        _arrow(ax, (x, 1.9), (x, 2.75))
        if t:
            _arrow(ax, (x - 1.46, 0.85), (x - 0.76, 0.85), GREEN)
    for y, text in ((3.1, "ones so far"), (0.85, "state"), (-1.45, "bit")):
        label(ax, -1.1, y, text, MUTED, ha="right")
    return fig


def radius():
    """Two plots on logarithmic axes of the gradient's length at states up to 99 steps back. Left, with the state at
    rest, the lines are straight: with spectral radius 1.1 it grows to 1200, with 1 it falls to a tenth, with 0.9 to
    3e-6, with 0.5 to 1e-31. Right, while the network reads random numbers, tanh is flatter everywhere and all four
    lines fall: to 1e-19 with 1.1, and lower with the smaller radii."""
    fig, axes = canvas(height=2.5, columns=2, sharey=True)
    colours = {1.1: RED, 1.0: GREEN, 0.9: OCHRE, 0.5: BLUE}
    for ax, inputs, title in zip(axes, (0.0, 1.0), ("state at rest", "reading random numbers"), strict=True):
        for value, colour in colours.items():
            ax.semilogy(BACK, blame_by_radius(value, inputs), color=colour, lw=1.5)
        ax.set(title=title, xlabel="steps back", xticks=[-99, -50, 0], ylim=(1e-32, 1e8))
        ax.axhline(1, color=LINE, lw=0.8, zorder=0)
    axes[0].set_yticks([1, 1e-10, 1e-20, 1e-30], ["1", "1e−10", "1e−20", "1e−30"])
    axes[0].minorticks_off()
    axes[0].set_ylabel("gradient")
    for value, x, y in ((1.1, -90, 1e6), (1.0, -93, 5e-4), (0.9, -92, 1e-8), (0.5, -68, 1e-27)):
        label(axes[0], x, y, f"{value:g}", colours[value])
    for value, x, y in ((1.1, -96, 1e-15), (0.5, -66, 1e-28)):
        label(axes[1], x, y, f"{value:g}", colours[value])
    return fig


def lstm_step():
    """One LSTM step as a diagram. Along the top runs the memory c: it is multiplied by the forget gate f, the product
    of the input gate i and the proposal g is added, and it leaves on the right. Below, the four gates read the input x
    and the last state h. The new state is the tanh of the memory times the output gate o."""
    fig, ax = canvas(height=2.4)
    bare(ax).set(xlim=(-0.2, 12.2), ylim=(0.1, 5.2), aspect="equal")
    for start, end in ((0.6, 2.05), (2.75, 4.85), (5.55, 10.9)):
        ax.plot([start, end], [4.6, 4.6], color=GREEN, lw=2.4, solid_capstyle="butt")
    _arrow(ax, (10.8, 4.6), (11.3, 4.6), GREEN, lw=2.4)
    for x, name in ((2.4, "f"), (4.3, "i"), (6.1, "g"), (8.0, "o")):
        colour = OCHRE if name == "g" else VIOLET
        ax.add_patch(Rectangle((x - 0.55, 1.1), 1.1, 0.9, fill=False, ec=colour, lw=1.4))
        label(ax, x, 1.52, name, colour)
        _arrow(ax, (x, 0.45), (x, 1.1), lw=0.8)
    ax.plot([0.9, 8.0], [0.45, 0.45], color=MUTED, lw=0.8)
    for x, y, sign in ((2.4, 4.6, "×"), (5.2, 3.1, "×"), (5.2, 4.6, "+"), (9.2, 3.1, "×")):
        ax.add_patch(Circle((x, y), 0.34, fill=False, ec=FG))
        label(ax, x, y - 0.02, sign, FG)
    for start, end in (((2.4, 2.05), (2.4, 4.25)), ((4.3, 2.05), (4.95, 2.82)), ((6.1, 2.05), (5.45, 2.82))):
        _arrow(ax, start, end)
    for start, end in (((5.2, 3.45), (5.2, 4.25)), ((9.2, 4.6), (9.2, 3.45)), ((8.0, 2.05), (8.95, 2.85))):
        _arrow(ax, start, end)
    _arrow(ax, (9.55, 3.1), (11.3, 3.1))
    for x, y, text, colour in (
        (0.2, 4.6, "c", GREEN),
        (11.7, 4.6, "c'", GREEN),
        (11.7, 3.1, "h'", FG),
        (0.4, 0.45, "x, h", MUTED),
    ):
        label(ax, x, y, text, colour)
    for x, y, text, side in (
        (2.6, 3.2, "keep", "left"),
        (5.4, 3.8, "add", "left"),
        (9.4, 3.9, "tanh", "left"),
        (8.3, 2.7, "show", "right"),
    ):
        label(ax, x, y, text, MUTED, ha=side)
    return fig


def memory():
    """The gradient of the last state at inputs up to 99 steps back, on a logarithmic axis. A plain network, a GRU and
    an LSTM with the weights that torch draws all fall in straight lines to about 1e-20. An LSTM with a forget bias of
    1 falls to 1e-7; with a forget bias of 5 it stays near 1 over all hundred steps."""
    fig, ax = canvas(height=2.5)
    lines = (
        (("lstm", 5.0), GREEN, "LSTM, forget bias 5", -97, 1e3),
        (("lstm", 1.0), OCHRE, "LSTM, forget bias 1", -97, 5e-3),
        (("gru",), VIOLET, "GRU", -70, 3e-18),
        (("lstm",), BLUE, "LSTM", -58, 4e-16),
        (("rnn",), RED, "plain", -90, 3e-14),
    )
    for cell, colour, text, x, y in lines:
        ax.semilogy(BACK, blame_by_cell(*cell), color=colour, lw=1.5)
        label(ax, x, y, text, colour, ha="left")
    ax.set(xlabel="steps back", ylabel="gradient", xlim=(-99, 1), ylim=(1e-22, 1e5), xticks=[-99, -50, 0])
    ax.set_yticks([1, 1e-10, 1e-20], ["1", "1e−10", "1e−20"])
    ax.minorticks_off()
    return fig


def paths():
    """Two ways from the first to the last of eight words. Left, a recurrent network: seven steps, one after the other.
    Right, attention: the last word looks at each of the others directly, so every path has length 1."""
    fig, axes = canvas(height=1.15, columns=2)
    for ax, title in zip(axes, ("recurrent: 7 steps, in order", "attention: 1 step, all at once"), strict=True):
        bare(ax).set(xlim=(-0.6, 7.6), ylim=(-0.3, 1.7), title=title)
        ax.plot(np.arange(8), np.zeros(8), "o", color=FG, ms=5)
    for t in range(7):
        axes[0].annotate("", (t + 0.9, 0), (t + 0.1, 0), arrowprops={"arrowstyle": "->", "color": GREEN})
        bend = {"arrowstyle": "->", "color": VIOLET, "connectionstyle": "arc3,rad=-0.35", "shrinkA": 4, "shrinkB": 4}
        axes[1].annotate("", (7, 0.05), (t, 0.05), arrowprops=bend)
    return fig
