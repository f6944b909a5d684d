"""The figures of the weights and biases page."""

import numpy as np
from matplotlib.patches import Circle, FancyArrowPatch

from figures.style import ARC, BLUE, FG, MUTED, OCHRE, RED, VIOLET, bare, canvas, label
from figures.zero_detector import detector, example, held_out
from kb.structure.neuron import pre_activation
from kb.structure.weights_and_biases import evidence, for_and_against

GREEN = ARC["structure"]


def pattern():
    """Three square pictures of 28 by 28 pixels in which blue is positive and orange negative. First the weights of a
    neuron that looks for a 0: a blue ring around an orange centre. Then the evidence in a handwritten 0, nearly all
    blue: 27.0 for, 7.7 against, and with the bias of -6.9 z = 12.4, which says yes. Last the evidence in a 4: 24.1 for,
    but its strokes cross the centre, 25.6 against, and z = -8.3 says no."""
    fig, axes = canvas(height=2.9, columns=3)
    weight, bias = detector()
    _signed(axes[0], weight, "weights")
    label(axes[0], 13.5, 30.4, "blue: for", BLUE)
    label(axes[0], 13.5, 33.9, "orange: against", OCHRE)
    label(axes[0], 13.5, 37.4, _signs(f"bias {bias:.1f}"), FG)
    for ax, digit in zip(axes[1:], (0, 4), strict=True):
        x = example(digit)
        pro, con = for_and_against(x, weight)
        z = pre_activation(x, weight, bias)
        _signed(ax, evidence(x, weight), f"evidence in a {digit}")
        label(ax, 13.5, 30.4, f"for {pro:.1f}", BLUE)
        label(ax, 13.5, 33.9, _signs(f"against {con:.1f}"), OCHRE)
        label(ax, 13.5, 37.4, _signs(f"z = {z:.1f}: {'yes' if z > 0 else 'no'}"), FG)
    return fig


def _signs(text):
    return text.replace("-", "−")


def _signed(ax, values, title):
    """28 x 28 numbers as a picture: blue above 0, orange below, nothing at 0."""
    image, colours = values.reshape(28, 28, 1), np.array([[0.16, 0.48, 0.85], [0.85, 0.42, 0.08]])
    opacity = np.minimum(np.abs(image) / 0.7, 1)
    ax.imshow(np.concatenate([np.where(image > 0, *colours), opacity], axis=-1), interpolation="nearest")
    ax.set(title=title, xticks=[], yticks=[], ylim=(39, -0.5))
    ax.spines[:].set_visible(False)
    ax.plot([-0.5, 27.5, 27.5, -0.5, -0.5], [-0.5, -0.5, 27.5, 27.5, -0.5], color=MUTED, lw=0.6)


def threshold():
    """The weighted sums of 360 held-out digits, before the bias. The 36 zeros lie mostly right of 6.9, the 324 others
    mostly left of it. A line stands where the bias of -6.9 puts the threshold: 35 zeros and 5 others are to its right.
    A larger bias would move the line to the left."""
    fig, (upper, lower) = canvas(height=2.7, rows=2, sharex=True)
    (weight, bias), (x, labels) = detector(), held_out()
    sums, edges = pre_activation(x, weight, 0), np.arange(-32, 32, 2)
    for ax, some, colour, name in ((upper, labels == 0, BLUE, "zeros"), (lower, labels != 0, OCHRE, "other digits")):
        ax.hist(sums[some], edges, color=colour, rwidth=0.86)
        ax.axvline(-bias, color=FG, lw=1.2)
        beyond = np.sum(sums[some] > -bias)
        ax.set(yticks=[], ylim=(0, None))
        ax.spines["left"].set_visible(False)
        label(ax, -31.5, ax.get_ylim()[1] * 0.82, f"{np.sum(some)} {name}:\nyes to {beyond}", colour, ha="left")
    lower.set(xlabel="weighted sum w · x", xlim=(-32, 32))
    label(lower, 8, 32, "← a larger bias moves\n     the threshold left", FG, ha="left")
    upper.set_title(f"threshold {-bias:.1f}: the bias with its sign turned")
    return fig


def sharing():
    """Four small diagrams whose lines have the colour of their weight. Dense: three inputs, two neurons, six lines in
    six colours. Convolution: nine lines, the same three colours at each of three places. Recurrent: seven lines, the
    same two colours at every step of time. Transformer: twelve lines, the same matrix of four colours at each of three
    tokens."""
    fig, axes = canvas(height=3.6, rows=2, columns=2)
    hues = BLUE, OCHRE, RED, VIOLET, GREEN, FG
    places = [(i, 0) for i in range(3)], [(0.3, 1), (1.7, 1)]
    _drawing(
        axes[0, 0], "dense: 6 arcs, 6 weights", *places, [(i, j, hues[2 * i + j]) for i in range(3) for j in (0, 1)]
    )
    places = [(i, 0) for i in range(5)], [(i, 1) for i in (1, 2, 3)]
    arcs = [(j + k, j, hues[k]) for j in range(3) for k in range(3)]
    _drawing(axes[0, 1], "convolution: 9 arcs, 3 weights", *places, arcs)
    places = [(i, 0) for i in range(4)], [(i, 1) for i in range(4)]
    _drawing(axes[1, 0], "recurrent: 7 arcs, 2 weights", *places, [(i, i, hues[0]) for i in range(4)])
    for i in range(3):
        axes[1, 0].add_patch(_arrow((i + 0.1, 1), (i + 0.9, 1), hues[1]))
    places = [(i + d, 0) for i in range(3) for d in (0, 0.45)], [(i + d, 1) for i in range(3) for d in (0, 0.45)]
    arcs = [(2 * i + j, 2 * i + k, hues[2 * j + k]) for i in range(3) for j in (0, 1) for k in (0, 1)]
    _drawing(axes[1, 1], "transformer: 12 arcs, 4 weights", *places, arcs)
    for i, name in enumerate(("token 1", "token 2", "token 3")):
        label(axes[1, 1], i + 0.22, -0.32, name, MUTED, fontsize=9.5)
    label(axes[1, 0], 1.5, -0.32, "time →", MUTED, fontsize=9.5)
    label(axes[0, 1], 2, -0.32, "place →", MUTED, fontsize=9.5)
    return fig


def _drawing(ax, title, lower, upper, arcs):
    """Circles in two rows and the arcs (lower, upper, colour) between them."""
    for i, j, colour in arcs:
        (x, y), (u, v) = lower[i], upper[j]
        ax.plot([x, u], [y + 0.1, v - 0.1], color=colour, lw=1.7)
    for x, y in [*lower, *upper]:
        ax.add_patch(Circle((x, y), 0.1, fill=False, ec=FG, lw=0.9))
    xs = [x for x, _ in [*lower, *upper]]
    bare(ax).set(anchor="N", xlim=(min(xs) - 0.3, max(xs) + 0.3), ylim=(-0.45, 1.2), aspect="equal", title=title)


def _arrow(start, end, colour):
    return FancyArrowPatch(start, end, arrowstyle="->", mutation_scale=8, color=colour, lw=1.7, shrinkA=0, shrinkB=0)
