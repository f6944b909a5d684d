"""The figures of the softmax page."""

import numpy as np

from figures.style import BLUE, FG, MUTED, RED, canvas, label
from kb.foundations.softmax import softmax

SCORES = np.array([2.0, 1.0, 0.1])


def steps():
    """Three bar charts side by side. The scores 2, 1 and 0.1; their powers 7.39, 2.72 and 1.11; the shares 0.659,
    0.242 and 0.099. The order never changes, but the largest score takes the largest part."""
    fig, axes = canvas(height=1.9, columns=3)
    panels = [
        ("scores z", SCORES, "{:.1f}"),
        ("powers e^z", np.exp(SCORES), "{:.2f}"),
        ("shares p", softmax(SCORES), "{:.3f}"),
    ]
    for ax, (title, heights, form) in zip(axes, panels, strict=True):
        ax.bar(range(3), heights, color=BLUE, width=0.62)
        for i, height in enumerate(heights):
            label(ax, i, height, form.format(height), va="bottom")
        ax.set(title=title, xticks=[], yticks=[], ylim=(0, 1.22 * heights.max()))
        ax.spines["left"].set_visible(False)
    return fig


def temperature():
    """The three shares against the temperature, from 0.05 to 20 on a logarithmic axis. On the left the largest score
    has the whole; at temperature 1 the shares are 0.659, 0.242 and 0.099; on the right all three approach one
    third."""
    fig, ax = canvas(height=2.6)
    t = np.geomspace(0.05, 20, 200)
    shares = softmax(SCORES / t[:, None])
    for i, score in enumerate(SCORES):
        ax.plot(t, shares[:, i], color=BLUE, alpha=(1, 0.7, 0.45)[i])
        at, above = ((1.1, 0.03), (0.62, 0.03), (1.9, -0.11))[i]
        label(ax, at, softmax(SCORES / at)[i] + above, f"z = {score}", ha=("left", "right", "left")[i], va="bottom")
    ax.axhline(1 / 3, color=MUTED, lw=0.8, ls=(0, (4, 3)))
    ax.axvline(1, color=MUTED, lw=0.8, ls=(0, (4, 3)))
    label(ax, 20, 1 / 3 + 0.03, "uniform: 1/3", MUTED, ha="right", va="bottom")
    ax.set_xscale("log")
    ax.set(xlabel="temperature T", ylabel="share", ylim=(0, 1.03), xlim=(0.05, 20))
    ax.set_xticks([0.1, 1, 10], ["0.1: almost argmax", "1", "10"], color=FG)
    ax.minorticks_off()
    return fig


def overflow():
    """The largest score that e^z can take before it overflows: 88.7 in float32 and 709.8 in float64, where the naive
    form ends, while the form that subtracts the maximum goes on."""
    fig, ax = canvas(height=1.5)
    for row, dtype in enumerate((np.float64, np.float32)):
        end = np.log(float(np.finfo(dtype).max))
        ax.barh(row, end, color=BLUE, height=0.45)
        label(ax, end + 12, row, f"{dtype.__name__}: inf beyond z = {end:.1f}", RED, ha="left")
    ax.set(yticks=[], xlim=(0, 1250), xlabel="score z")
    ax.spines["left"].set_visible(False)
    return fig
