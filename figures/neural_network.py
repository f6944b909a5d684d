"""The figures of the page "What is a neural network?"."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from figures.reading_digits import SLOPPY, answers, distances, held_out, misread, nearest, outputs
from figures.style import ARC, BG, BLUE, FG, MUTED, OCHRE, bare, canvas, label
from kb.checkpoints.shipped import digits_mlp
from kb.structure.activation_functions import sigmoid
from kb.structure.forward_pass import forward_all

GREEN = ARC["structure"]
INK = LinearSegmentedColormap.from_list("ink", ["#ffffff", "#1c1e21"], N=13)  # few greys: the page is smaller
PIXELS = np.arange(12) * 56 + 98  # twelve of the 784: every second row of the middle column


def network():
    """A handwritten 3 of 28 by 28 pixels, sloppy, its lower half nearly that of a 7, and the whole network beside it:
    12 of its 784 pixels, two columns of 16 neurons, one of 10. The lines between neighbouring columns are the larger
    weights, blue where positive, orange where negative. A neuron is the greener the larger its activation. Of the ten
    outputs the one for 3 is deep green, 0.87; that for 7 is pale, all others are nearly empty."""
    fig, ax = canvas(height=3.5)
    bare(ax).set(xlim=(-4.75, 8.0), ylim=(-8.9, 8.6))
    image = held_out()[0][SLOPPY]
    ax.imshow(image.reshape(28, 28), cmap=INK, vmin=0, vmax=1, extent=(-4.7, -0.9, -4.15, 4.15), aspect="auto")
    label(ax, -2.8, -5.1, "28 × 28 pixels")
    params, record = digits_mlp(), forward_all(digits_mlp(), image, sigmoid)
    columns = [(0, 1.3, PIXELS, record["a0"]), (2.2, 1.0, range(16), record["a1"])]
    columns += [(4.4, 1.0, range(16), record["a2"]), (6.6, 1.45, range(10), record["a3"])]
    for name, (left, step, senders, _), (right, pitch, receivers, _) in zip("024", columns, columns[1:], strict=False):
        weight = params[f"{name}.weight"][:, list(senders)]
        _edges(ax, weight / np.abs(weight).max(), left, _rows(senders, step), right, _rows(receivers, pitch))
    for place, step, units, a in columns:
        x, y = np.full(len(units), place), _rows(units, step)
        ax.scatter(x, y, s=62, color=BG, edgecolor=FG, lw=0.7, zorder=3)
        ax.scatter(x, y, s=44, color=GREEN, alpha=a[list(units)], lw=0, zorder=4)
    for digit, y in enumerate(_rows(range(10), 1.45)):
        label(ax, 7.15, y, digit, FG if digit == answers()[SLOPPY] else MUTED)
    label(ax, 7.45, _rows(range(10), 1.45)[3], f"{outputs()[SLOPPY].max():.2f}", GREEN, ha="left")
    for place, name in ((0, "784"), (2.2, "16"), (4.4, "16"), (6.6, "10")):
        label(ax, place, -8.5, name, MUTED)
    label(ax, 0, -7.6, "⋮", MUTED)
    return fig


def _rows(units, step):
    """The heights of a column of units, from the top."""
    return step * ((len(units) - 1) / 2 - np.arange(len(units)))


def _edges(ax, weight, left, senders, right, receivers):
    """All lines of one layer, one path for each colour and strength: weights go from -1 to 1."""
    for sign, colour in ((1, BLUE), (-1, OCHRE)):
        for least, most, width in ((0.2, 0.4, 0.45), (0.4, 0.7, 0.9), (0.7, 1.01, 1.5)):
            to, start = np.nonzero((sign * weight >= least) & (sign * weight < most))
            y = np.stack([senders[start], receivers[to], np.full(len(to), np.nan)], axis=1).ravel()
            ax.plot(np.tile([left, right, np.nan], len(to)), y, color=colour, lw=width, alpha=0.55, zorder=1)


def puzzle():
    """Four handwritten digits in a row, with their distances from the first, a sloppy 3. The nearest of all held-out
    digits is a 7, at 4.57. Another 3 lies at 7.60, and the farthest 3, drawn like a hook, at 10.07."""
    fig, axes = canvas(height=1.85, columns=4)
    threes = np.flatnonzero(held_out()[1] == 3)
    far = threes[distances()[threes].argsort()]
    for ax, place, name in zip(axes, (SLOPPY, nearest(7), far[18], far[-1]), ("a 3", "a 7", "a 3", "a 3"), strict=True):
        _digit(ax, place)
        ax.set_title(name)
        ax.set_xlabel("" if place == SLOPPY else f"distance {distances()[place]:.2f}")
    return fig


def _digit(ax, place):
    ax.imshow(held_out()[0][place].reshape(28, 28), cmap=INK, vmin=0, vmax=1, interpolation="none")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def reading():
    """Five held-out digits, and under each the ten outputs of the trained network as bars. A 2, a 6 and a 9 each have
    one high bar, at the right place. A 0 that is read as a 4 has one high bar at the wrong place. A 7 that is read as
    an 8 has no high bar at all."""
    fig, axes = canvas(height=2.4, columns=5, rows=2, height_ratios=[1.3, 1])
    (_, labels), sure = held_out(), outputs().max(axis=1) > 0.98
    wrong = [misread()[labels[misread()] == digit][-1] for digit in (0, 7)]
    places = [*(np.flatnonzero((labels == digit) & sure)[0] for digit in (2, 6, 9)), *wrong]
    for (image, bars), place in zip(axes.T, places, strict=True):
        _digit(image, place)
        said, true = answers()[place], labels[place]
        bars.bar(range(10), outputs()[place], color=[GREEN if d == said else MUTED for d in range(10)], width=0.75)
        bars.set(ylim=(0, 1), yticks=[0, 1] if place == places[0] else [], xticks=range(10))
        bars.tick_params(axis="x", bottom=False, labelsize=7.5)
        bars.set_xlabel(f"reads {said}" if said == true else f"a {true}, reads {said}")
    return fig
