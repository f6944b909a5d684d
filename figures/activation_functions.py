"""The figures of the activation functions page."""

import numpy as np

from figures.style import ARC, FG, LINE, MUTED, bare, canvas, label
from kb.structure.activation_functions import (
    gelu,
    gelu_slope,
    leaky_relu,
    leaky_relu_slope,
    normal_cdf,
    relu,
    relu_slope,
    sigmoid,
    sigmoid_slope,
    silu,
    silu_slope,
    softplus,
    softplus_slope,
    tanh,
    tanh_slope,
)
from kb.structure.neuron import step

GREEN = ARC["structure"]
ZOO = {
    "sigmoid": (sigmoid, sigmoid_slope),
    "tanh": (tanh, tanh_slope),
    "ReLU": (relu, relu_slope),
    "leaky ReLU": (lambda z: leaky_relu(z, 0.1), lambda z: leaky_relu_slope(z, 0.1)),
    "softplus": (softplus, softplus_slope),
    "SiLU": (silu, silu_slope),
    "GELU": (gelu, gelu_slope),
}
YEARS = {  # function: (year of its paper, a well-known model with it, its year)
    "sigmoid": (1986, "", None),
    "ReLU": (2010, "AlexNet", 2012),
    "GELU": (2016, "GPT-2", 2019),
    "SwiGLU": (2020, "LLaMA", 2023),
}


def zoo():
    """Eight small plots over z from -4 to 4. Seven show a function as a solid line and its slope as a dashed one:
    sigmoid, from 0 to 1 with a slope of at most 0.25; tanh, from -1 to 1; ReLU and leaky ReLU (here a tenth of z below
    0), with a corner at 0; softplus, a ReLU with a rounded corner; SiLU and GELU, which dip a little below 0 before
    they rise. The eighth shows the product of SwiGLU over its gate and its offer: nothing on the left, where the gate
    is shut; on the right it grows with both."""
    fig, axes = canvas(height=3.5, rows=2, columns=4)
    z = np.linspace(-4, 4, 401)
    for ax, (name, (fn, slope)) in zip(axes.flat, ZOO.items(), strict=False):
        ax.axhline(0, color=LINE, lw=0.8, zorder=0)
        ax.axvline(0, color=LINE, lw=0.8, zorder=0)
        jump = abs(np.diff(slope(z), append=slope(z)[-1])) > 0.5  # a slope that jumps is not drawn as a wall
        ax.plot(z, np.where(jump, np.nan, slope(z)), color=FG, lw=1, ls=(0, (3, 2)))
        ax.plot(z, fn(z), color=GREEN)
        ax.set(title=name, xlim=(-4, 4), ylim=(-1.2, 3), xticks=[-4, 0, 4], yticks=[-1, 0, 1, 2, 3])
    label(axes[0, 0], -3.6, 2.5, "function", GREEN, ha="left")
    label(axes[0, 0], -3.6, 1.8, "slope", FG, ha="left")
    label(axes[0, 3], -2.3, -0.75, "0.1 z", GREEN)
    ax = axes[1, 3]
    gate, up = np.meshgrid(np.linspace(-4, 4, 81), np.linspace(-4, 4, 81))
    ax.contourf(gate, up, silu(gate) * up, levels=[1, 16], colors=[GREEN], alpha=0.35)
    ax.contourf(gate, up, silu(gate) * up, levels=[-16, -1], colors=[MUTED], alpha=0.35)
    levels = [-8, -4, -1, 1, 4, 8]
    ax.contour(gate, up, silu(gate) * up, levels=levels, colors=[FG], linewidths=0.7, linestyles="solid")
    label(ax, 2.4, 2.6, "+", FG)
    label(ax, 2.4, -2.6, "−", FG)
    label(ax, -2.2, 0, "shut", MUTED)
    ax.set(title="SwiGLU", xlabel="gate", ylabel="offer", xticks=[-4, 0, 4], yticks=[-4, 0, 4])
    return fig


def shares():
    """Two plots over z. Left, from -4 to 4, three switches: a step from 0 to 1, the normal distribution, and the slower
    sigmoid. Right, z times each of them: ReLU, GELU with its lowest point -0.17 at z = -0.75, and SiLU with -0.28 at
    z = -1.28."""
    fig, (left, right) = canvas(height=2.5, columns=2)
    z = np.linspace(-4, 4, 801)
    styles = {"step": (step, MUTED, 1.2), "normal": (normal_cdf, GREEN, 1.8), "sigmoid": (sigmoid, FG, 1.2)}
    for fn, colour, width in styles.values():
        left.plot(z, fn(z), color=colour, lw=width)
        right.plot(z, z * fn(z), color=colour, lw=width)
    label(left, -0.25, 0.93, "step", MUTED, ha="right")
    label(left, -0.45, 0.09, "Φ", GREEN)
    label(left, 1.75, 0.72, "sigmoid", FG, ha="left")
    left.set(title="how much passes", xlabel="z", yticks=[0, 0.5, 1], xticks=[-4, -2, 0, 2, 4])
    label(right, 0.55, 1.75, "ReLU", MUTED, ha="right")
    label(right, -2.15, -0.43, "SiLU", FG)
    label(right, -0.7, 0.22, "GELU", GREEN, ha="right")
    right.set(title="z times that", xlabel="z", xlim=(-4, 2), ylim=(-0.6, 2), xticks=[-4, -2, 0, 2], yticks=[0, 1, 2])
    right.axhline(0, color=LINE, lw=0.8, zorder=0)
    return fig


def half_life():
    """A time line from 1985 to 2025 with a row for each habit of hidden layers. Sigmoid: 1986, with a mark at 2017,
    when the series still explains with it. ReLU: paper 2010, AlexNet 2012. GELU: paper 2016, GPT-2 2019. SwiGLU: paper
    2020, LLaMA 2023."""
    fig, ax = canvas(height=1.9)
    for row, (name, (paper, model, year)) in enumerate(YEARS.items()):
        ax.plot([paper, 2025], [row, row], color=LINE, lw=3, zorder=1)
        ax.plot(paper, row, "o", color=GREEN, ms=6)
        label(ax, paper - 0.8, row, f"{name} {paper}", GREEN, ha="right")
        if year:
            ax.plot(year, row, "o", color=FG, ms=5)
            label(ax, year, row - 0.36, f"{model} {year}", FG)
    ax.plot(2017, 0, "o", mfc="none", color=FG, ms=6)
    label(ax, 2017, -0.36, "the series 2017", FG)
    bare(ax).set(xlim=(1978, 2026), ylim=(3.35, -0.65))
    return fig
