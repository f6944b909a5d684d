"""The figures of the page on hoped-for and actual features."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from figures.inside_digits import (
    LOOPS,
    best_edges,
    best_separations,
    images,
    visible_weights,
)
from figures.style import ARC, FG, MUTED, bare, canvas, label
from kb.checkpoints.shipped import digits_mlp
from kb.structure.multilayer_perceptron import mlp

GREEN = ARC["structure"]
INK = LinearSegmentedColormap.from_list("ink", ["#ffffff", "#1c1e21"], N=13)  # few greys: the page is smaller


def weight_images():
    """The first-layer weights of the 16 neurons as pictures of 28 by 28 pixels, blue where positive, orange where
    negative: blotches of both colours, none of which is an edge, a line or a loop. Below each stands the edge or line,
    of 4,096 tried, that resembles it most: it explains between 16 and 46 percent of the picture, 31 on average."""
    fig, ax = canvas(height=3.7)
    edges, share = best_edges(visible_weights())
    edges = edges * np.linalg.norm(visible_weights(), axis=1, keepdims=True)
    for row in (0, 1):
        some = slice(8 * row, 8 * row + 8)
        _signed(ax, digits_mlp()["0.weight"][some], 78 * row, 0.5)
        _signed(ax, edges[some], 78 * row + 30, 0.3)
        for i, explained in enumerate(share[some]):
            label(ax, 30 * i + 14, 78 * row - 4.5, 8 * row + i + 1, fontsize=10)
            label(ax, 30 * i + 14, 78 * row + 63, f"{explained:.0%}".replace("%", " %"), MUTED, fontsize=10)
    bare(ax).set(xlim=(-1, 239), ylim=(146, -9), aspect="equal")
    return fig


def _signed(ax, images, top, most):
    """Images of 28 x 28 in a row, in five steps from -most to most: blue above 0, orange below, nothing at 0."""
    colours = np.array([[0.16, 0.48, 0.85], [0.85, 0.42, 0.08]])
    rows = np.concatenate([np.pad(image.reshape(28, 28), [(0, 0), (0, 2)]) for image in images], axis=1)[..., None]
    steps = np.clip(np.round(rows / most * 2), -2, 2)
    picture = np.concatenate([np.where(steps > 0, *colours) * (steps != 0), np.abs(steps) / 2], axis=-1)
    ax.imshow(picture, interpolation="none", extent=(0, 240, top + 28, top))
    frames = np.arange(0, 240, 30)[:, None] + [0, 28, 28, 0, 0, np.nan]
    ax.plot(frames.ravel(), top + np.tile([28, 28, 0, 0, 28, np.nan], 8), color=MUTED, lw=0.5)


def loops():
    """Two rows of 210 ticks, one for each set of four digits, placed by how well the best of 16 neurons tells the set
    from the other six digits: 0.5 is chance, 1 perfect. The set 0, 6, 8, 9, the digits with a loop, is in the middle of
    the first layer's row, at 0.80, and in the upper half of the second's, at 0.89. The best sets are 0, 4, 5, 6 in the
    first layer and 1, 2, 6, 8 in the second, at 0.99 and 1.00."""
    fig, ax = canvas(height=1.9)
    for y, layer in ((1, 1), (0, 2)):
        found = best_separations(layer)
        ticks = np.repeat(list(found.values()), 3)  # one line from tick to tick, interrupted by nan
        ax.plot(ticks, np.tile([y - 0.16, y + 0.16, np.nan], len(found)), color=MUTED, lw=0.5, alpha=0.6)
        ax.vlines(found[LOOPS], y - 0.3, y + 0.3, color=GREEN, lw=2)
        label(ax, found[LOOPS], y + 0.42, "loops: 0, 6, 8, 9", GREEN)
        best = max(found, key=found.get)
        label(ax, found[best] + 0.004, y + 0.42, ", ".join(map(str, best)), FG, ha="right")
    ax.set(
        xlim=(0.64, 1.005), ylim=(-0.35, 1.7), xlabel="how well the best neuron tells the four digits from the others"
    )
    ax.set_yticks([1, 0], ["hidden\nlayer 1", "hidden\nlayer 2"], color=FG)
    ax.tick_params(axis="y", left=False)
    ax.spines["left"].set_visible(False)
    return fig


def noise():
    """Three images of random grey blocks, and under each the ten outputs as bars: one bar is above 0.95 in each, for
    different digits, and the others are low."""
    fig, axes = canvas(height=2.5, columns=3, rows=2, height_ratios=[1.3, 1])
    answers = mlp(digits_mlp(), images("noise"))
    sure = [np.flatnonzero((answers.argmax(axis=1) == digit) & (answers.max(axis=1) > 0.95))[0] for digit in (4, 5, 7)]
    for (image, bars), place in zip(axes.T, sure, strict=True):
        image.imshow(images("noise")[place].reshape(28, 28), cmap=INK, vmin=0, vmax=1, interpolation="none")
        image.set(xticks=[], yticks=[])
        image.spines[:].set_visible(False)
        said = answers[place].argmax()
        bars.bar(range(10), answers[place], color=[GREEN if d == said else MUTED for d in range(10)], width=0.75)
        bars.set(ylim=(0, 1), yticks=[0, 1] if place == sure[0] else [], xticks=range(10))
        bars.tick_params(axis="x", bottom=False, labelsize=8)
        bars.set_xlabel(f"“a {said}”, {answers[place].max():.2f}")
    return fig
