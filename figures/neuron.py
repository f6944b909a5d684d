"""The figures of the neuron page."""

import numpy as np
from matplotlib.patches import Circle

from figures.style import ARC, FG, MUTED, RED, bare, canvas, label
from kb.structure.activation_functions import relu, sigmoid
from kb.structure.neuron import distance_to_boundary, perceptron, pre_activation, step

GREEN = ARC["structure"]
X, W, B = np.array([2.0, 3.0]), np.array([0.5, 0.2]), 1.0


def anatomy():
    """Two inputs, 2 and 3, are multiplied by the weights 0.5 and 0.2. The products 1.0 and 0.6 and the bias 1.0 add
    up to the pre-activation z = 2.6; a ReLU passes it on unchanged as the activation a = 2.6."""
    fig, ax = canvas(height=2.2)
    bare(ax).set(xlim=(0, 10), ylim=(0.45, 4.45), aspect="equal")
    z = pre_activation(X, W, B)
    for x, weight, y in zip(X, W, (3.5, 1.2), strict=True):
        ax.add_patch(Circle((0.75, y), 0.55, fill=False, ec=MUTED))
        label(ax, 0.75, y, f"{x:g}")
        ax.plot([1.3, 4.02], [y, 2.35 + (y - 2.35) * 0.3], color=GREEN, lw=8 * weight, solid_capstyle="butt")
        shift = 0.62 if y > 2 else -0.75
        label(ax, 2.6, (y + 2.35) / 2 + shift, f"{x:g} · {weight:g} = {x * weight:g}", GREEN)
    label(ax, 0.75, 4.28, "inputs x", MUTED)
    ax.add_patch(Circle((4.9, 2.35), 0.95, fill=False, ec=GREEN, lw=1.6))
    label(ax, 4.9, 2.6, "sum")
    label(ax, 4.9, 2.1, f"+ {B:g}")
    label(ax, 4.9, 1.0, "bias b", MUTED)
    ax.annotate("", (7.0, 2.35), (5.9, 2.35), arrowprops={"arrowstyle": "->", "color": MUTED})
    label(ax, 6.45, 2.75, f"z = {z:.1f}")
    ax.plot([7.1, 7.75, 8.4], [1.9, 1.9, 2.8], color=GREEN)
    label(ax, 7.75, 1.45, "ReLU", MUTED)
    ax.annotate("", (9.2, 2.35), (8.5, 2.35), arrowprops={"arrowstyle": "->", "color": MUTED})
    label(ax, 9.55, 2.75, f"a = {relu(z):.1f}")
    return fig


def boundary():
    """The plane of two inputs for the weights 0.5 and -1.5 and the bias 1. The line where z = 0 divides it: below the
    line z is positive, above it negative. The arrow from the line to the point (2, -1) is perpendicular to it; the
    point lies 2.21 from the line, and z = 3.5 there."""
    fig, ax = canvas(height=3.2)
    weight, bias, point = np.array([0.5, -1.5]), 1.0, np.array([2.0, -1.0])
    side = np.linspace(-3, 5, 161)
    grid = np.stack(np.meshgrid(side, side), axis=-1)
    ax.contourf(side, side, perceptron(grid, weight, bias), levels=[0.5, 1.5], colors=[GREEN], alpha=0.13)
    ax.plot(side, (weight[0] * side + bias) / -weight[1], color=GREEN)
    away = distance_to_boundary(point, weight, bias)
    foot = point - away * weight / np.sqrt(weight @ weight)
    ax.annotate("", point, foot, arrowprops={"arrowstyle": "->", "color": FG})
    ax.plot(*point, "o", color=FG, ms=4)
    label(ax, 2.15, -1.25, f"(2, −1): z = {pre_activation(point, weight, bias):.1f}", ha="left")
    label(ax, 2.0, 0.55, f"distance {away:.2f}", MUTED, ha="left")
    label(ax, -1.6, -1.6, "z > 0: yes", GREEN)
    label(ax, -1.6, 2.4, "z < 0: no", RED)
    label(ax, 3.6, 2.32, "z = 0", GREEN, rotation=18)
    ax.set(xlim=(-3, 5), ylim=(-2.2, 3), aspect="equal", xlabel="x1", ylabel="x2")
    return fig


def activations():
    """Three activation functions over pre-activations from -5 to 5. The step jumps from 0 to 1 at z = 0; the sigmoid
    climbs smoothly from 0 to 1; the ReLU is 0 on the left and equal to z on the right."""
    fig, axes = canvas(height=1.7, columns=3)
    z = np.linspace(-5, 5, 401)
    for ax, (name, fn) in zip(axes, (("step", step), ("sigmoid", sigmoid), ("ReLU", relu)), strict=True):
        ax.plot(z, fn(z), color=GREEN)
        ax.set(title=name, xticks=[-5, 0, 5], xlabel="z")
        ax.set_yticks([0, 1] if fn is not relu else [0, 5])
    return fig
