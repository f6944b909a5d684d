"""The figures of the residual connections page."""

import numpy as np
from matplotlib.patches import Circle, Rectangle

from figures.deep_stack import LAYERS, stack_norms
from figures.style import ARC, FG, MUTED, RED, bare, canvas, label

BLUE = ARC["foundations"]


def three_ways():
    """Three small diagrams. Replace: x goes into f, and only f(x) comes out. Add: x goes into f and also past it; the
    two meet in a plus, and x + f(x) comes out, as wide as x. Concatenate: x goes into f and past it; the two are put
    side by side, and what comes out is as wide as both together."""
    fig, axes = canvas(height=2.1, columns=3)
    for ax, name in zip(axes, ("replace", "add", "concatenate"), strict=True):
        bare(ax).set(xlim=(0, 4), ylim=(0, 4.4), aspect="equal")
        label(ax, 2, 4.1, name, BLUE if name == "add" else FG)
        ax.add_patch(Rectangle((1.15, 1.5), 1.1, 0.9, fill=False, ec=FG))
        label(ax, 1.7, 1.95, "f")
        label(ax, 0.25, 1.95, "x")
        _arrow(ax, (0.5, 1.95), (1.1, 1.95))
        if name == "replace":
            _arrow(ax, (2.3, 1.95), (3.5, 1.95))
        else:
            ax.plot([0.75, 0.75, 2.9], [1.95, 3.1, 3.1], color=BLUE, lw=1.6)
            _arrow(ax, (2.9, 3.1), (2.9, 2.28), BLUE)
            _arrow(ax, (2.3, 1.95), (2.6, 1.95))
        if name == "add":
            ax.add_patch(Circle((2.9, 1.95), 0.26, fill=False, ec=BLUE))
            label(ax, 2.9, 1.93, "+", BLUE)
            _arrow(ax, (3.2, 1.95), (3.8, 1.95))
        if name == "concatenate":
            for y, colour in ((1.95, BLUE), (1.55, FG)):
                ax.add_patch(Rectangle((2.72, y - 0.03), 0.36, 0.36, fill=False, ec=colour))
            _arrow(ax, (3.2, 1.95), (3.8, 1.95))
        result = {"replace": "f(x)", "add": "x + f(x)", "concatenate": "[x, f(x)]"}[name]
        label(ax, 2, 0.75, result)
        label(ax, 2, 0.2, "width 2d" if name == "concatenate" else "width d", MUTED)
    return fig


def _arrow(ax, start, end, colour=MUTED):
    ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": colour, "shrinkA": 0, "shrinkB": 0})


def depth():
    """Two plots of the length of a gradient on its way back through 100 layers; it is 1 behind the last layer. Left,
    small weights: with the identity path the gradient ends at 1.6; without it, it falls in a straight line on a
    logarithmic axis to 6e-101 and crosses the smallest float32 number half-way. Right, weights chosen to keep lengths
    as they are: the plain stack ends at 0.075, and the residual one grows to 174."""
    fig, axes = canvas(height=2.6, columns=2)
    for ax, scale, limits in zip(axes, (0.1, 1.0), ((1e-106, 1e12), (1e-2, 1e3)), strict=True):
        for skip, colour in ((False, RED), (True, BLUE)):
            ax.plot(np.arange(LAYERS + 1), np.append(stack_norms(scale, skip), 1.0), color=colour)
        ax.set_yscale("log")
        ax.set(
            xlim=(LAYERS, 0),
            ylim=limits,
            xlabel="layer",
            title="small weights" if scale < 1 else "length-keeping weights",
        )
        ax.minorticks_off()
    left, right = axes
    left.set_ylabel("length of the gradient")
    left.set_yticks([1e-100, 1e-75, 1e-50, 1e-25, 1])
    left.axhline(float(np.finfo(np.float32).smallest_subnormal), color=MUTED, lw=0.8, ls=(0, (1, 2)))
    label(left, 2, 1e-39, "smallest float32", MUTED, ha="right")
    label(left, 60, 1e-8, "x + f(x)", BLUE)
    label(left, 50, 1e-78, "f(x)", RED)
    right.set_yticks([0.01, 0.1, 1, 10, 100, 1000], ["0.01", "0.1", "1", "10", "100", "1000"])
    label(right, 45, 90, "x + f(x)", BLUE)
    label(right, 45, 0.15, "f(x)", RED)
    return fig
