"""The figures of the page on nonlinearity."""

import numpy as np

from figures.style import ARC, FG, LINE, MUTED, RED, canvas, label
from figures.wavy_curve import CURVE, X, cube, fitted, largest_error, square
from kb.structure.activation_functions import identity, relu, sigmoid, tanh
from kb.structure.layers import layer, linear
from kb.structure.nonlinearity import merge

GREEN = ARC["structure"]
QUESTIONS, XOR = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])


def xor():
    """Two planes with the four cases of XOR. Left, the inputs: 01 and 10, where the answer is 1, lie on one diagonal
    of a square, 00 and 11, where it is 0, on the other; no straight line separates them. Right, the two hidden
    neurons: 01 and 10 have moved onto the same point (1, 0), 00 is at (0, 0) and 11 at (2, 1), and a straight line
    separates the ones."""
    fig, (left, right) = canvas(height=2.5, columns=2)
    hidden = layer(QUESTIONS, np.ones((2, 2)), np.array([0.0, -1.0]), relu)
    for ax, places in ((left, QUESTIONS), (right, hidden)):
        for (x, y), answer in zip(places, XOR, strict=True):
            ax.plot(x, y, "o", ms=9, color=GREEN if answer else RED, mfc=GREEN if answer else "none", mew=1.6)
    for (x, y), name in zip(QUESTIONS, ("00", "01", "10", "11"), strict=True):
        label(left, x, y + 0.17, name, MUTED)
    for x, y, name in ((0, 0.17, "00"), (1, -0.19, "01 and 10"), (2, 1.17, "11")):
        label(right, x, y, name, MUTED)
    end = np.array([-0.4, 2.6])
    right.plot(end, (end - 0.5) / 2, color=FG, lw=1.2)
    label(right, 2.05, 0.3, "1 below", GREEN)
    label(right, 0.55, 0.62, "0 above", RED)
    left.set(xlabel="first input", ylabel="second input", title="inputs: no line will do")
    right.set(xlabel="how many ones", ylabel="a second one", title="hidden neurons: one line does")
    for ax, width in ((left, 1.6), (right, 2.7)):
        ax.set(xticks=[0, 1, 2] if width > 2 else [0, 1], yticks=[0, 1], xlim=(-0.4, width), ylim=(-0.4, 1.5))
    return fig


def bend():
    """Two lines over x from -1 to 1. Without a function between the two layers the result is the straight line 6x +
    1.6, which passes 7.6 at x = 1. With a ReLU between them it is the same to the right of x = -0.25 and flat, at 0.1,
    to the left."""
    fig, ax = canvas(height=2.2)
    x = np.linspace(-1, 1, 401)
    first, second = (np.array([[2.0]]), np.array([0.5])), (np.array([[3.0]]), np.array([0.1]))
    ax.axhline(0, color=LINE, lw=0.8, zorder=0)
    ax.plot(x, linear(x[:, None], *merge(*first, *second)), color=MUTED, ls=(0, (4, 3)), lw=1.4)
    ax.plot(x, linear(layer(x[:, None], *first, relu), *second), color=GREEN)
    ax.plot(1, 7.6, "o", color=FG, ms=4)
    label(ax, 0.9, 7.9, "x = 1: 7.6", FG, ha="right")
    label(ax, -0.62, -3.6, "nothing between: 6x + 1.6", MUTED, ha="left")
    label(ax, -0.98, 1.1, "ReLU between", GREEN, ha="left")
    ax.set(xlabel="x", xlim=(-1, 1.03), ylim=(-4.6, 8.4), xticks=[-1, -0.5, 0, 0.5, 1])
    return fig


def widths():
    """Four panels show the same wavy curve and what a ReLU network with one hidden layer makes of it: with 2 hidden
    neurons a line with one bend, with 4 a crude zigzag, with 8 nearly the curve with visible corners, and with 32 no
    difference that the eye can see."""
    fig, axes = canvas(height=1.7, columns=4, sharey=True)
    for ax, width in zip(axes, (2, 4, 8, 32), strict=True):
        ax.plot(X, CURVE, color=MUTED, lw=3, alpha=0.45)
        ax.plot(X, fitted(width, relu), color=GREEN, lw=1.3)
        ax.set(title=f"{width} neurons", xticks=[0, 1], yticks=[-1, 0, 1])
        ax.set_xlabel(f"off by {largest_error(width, relu):.2g}")
    return fig


def errors():
    """The largest error of the fitted curve against the number of hidden neurons, 1 to 128, both axes logarithmic. For
    ReLU it falls to a quarter with every doubling, down to 0.0004; for tanh and the sigmoid it falls too. For z
    squared, z cubed and no function at all it stays above a half, however wide the layer."""
    fig, ax = canvas(height=2.7)
    widths = np.array([1, 2, 4, 8, 16, 32, 64, 128])
    rows = [
        ("ReLU", relu, GREEN, "-"),
        ("sigmoid", sigmoid, FG, "-"),
        ("tanh", tanh, MUTED, "-"),
        ("none", identity, RED, (0, (3, 2))),
        ("z²", square, RED, "-"),
        ("z³", cube, RED, "-"),
    ]
    for name, activation, colour, style in rows:
        error = [largest_error(int(w), activation) for w in widths]
        ax.loglog(widths, error, color=colour, ls=style, marker="o", ms=3.5, lw=1.5)
        way = {"none": 1.25, "z³": 0.72, "ReLU": 0.85, "sigmoid": 1.25}.get(name, 1)
        label(ax, 138, error[-1] * way, name, colour, ha="left")
    ax.set(xlabel="hidden neurons", ylabel="largest error", xlim=(0.9, 260))
    ax.set_xticks(widths, widths)
    ax.set_yticks([1, 0.1, 0.01, 0.001], ["1", "0.1", "0.01", "0.001"])
    ax.minorticks_off()
    return fig
