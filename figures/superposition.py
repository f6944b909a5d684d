"""The figures of the superposition page; the models were trained by training/superposition.py."""

import numpy as np

from figures.style import ARC, FG, LINE, MUTED, bare, canvas, label
from kb.architecture.superposition import compress, feature_norms, sparse_features, strategy_losses
from training.superposition import FIVE, GRID, MANY, read

VIOLET = ARC["architecture"]
ARROW = {"arrowstyle": "-|>", "color": VIOLET, "lw": 1.5, "shrinkA": 0, "shrinkB": 0}


def pentagon():
    """Three panels, each with the directions of five features in a plane. Where every feature is in all examples,
    two directions are long and perpendicular and three features are not kept. At 30 % four are kept, as two pairs of
    opposites that are perpendicular to each other. At 5 % all five are kept, as the corners of a regular pentagon."""
    fig, axes = canvas(height=2.3, columns=3)
    for ax, weight, density in zip(axes, read()["five_weight"], FIVE["densities"], strict=True):
        circle = np.linspace(0, 2 * np.pi, 80)
        bare(ax).plot(np.cos(circle), np.sin(circle), color=LINE, lw=0.8)
        for i, (x, y) in enumerate(weight.T):
            if np.hypot(x, y) > 0.5:
                ax.annotate("", (x, y), (0, 0), arrowprops=ARROW)
                label(ax, 1.25 * x, 1.25 * y, str(i + 1), FG)
        kept = int((feature_norms(weight) > 0.5).sum())
        ax.set(xlim=(-1.55, 1.55), ylim=(-1.55, 1.55), aspect="equal")
        ax.set_title(f"density {100 * density:.0f} %: {kept} kept")
    return fig


def phases():
    """A grid of 306 trained models by the density of two features, from 100 % on the left to 2 % on the right, and by
    the importance of the second, from a tenth to ten times that of the first. Where features are common, the model
    keeps only the more important one: the first below, the second above. Where they are rare it keeps both, as
    opposites. The change is sudden, and lies along two curves computed by hand, which meet at a density of 57 %."""
    fig, ax = canvas(height=3)
    weight = read()["grid_weight"]
    density, importance = np.array(GRID["densities"]), np.array(GRID["importances"])
    x, y = np.meshgrid(density, importance, indexing="ij")
    first, second = np.abs(weight[..., 0]) > 0.5, np.abs(weight[..., 1]) > 0.5
    for chosen, marker, colour in (
        (first & ~second, "v", MUTED),
        (second & ~first, "^", MUTED),
        (first & second, "o", VIOLET),
    ):
        ax.plot(x[chosen], y[chosen], marker, color=colour, ms=3.5)
    p, i = np.meshgrid(np.geomspace(1, 0.02, 200), np.geomspace(0.1, 10, 200), indexing="ij")
    one, two, opposite = strategy_losses(p, i)
    ax.contour(p, i, opposite - np.minimum(one, two), [0], colors=[FG], linewidths=1.2)
    box = {"facecolor": "#040404", "edgecolor": "none", "pad": 1.5}
    label(ax, 0.62, 3.4, "only the second", FG, bbox=box, ha="center")
    label(ax, 0.62, 0.29, "only the first", FG, bbox=box, ha="center")
    label(ax, 0.085, 1, "both, as opposites", VIOLET, bbox=box)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set(xlim=(1.12, 0.018), ylim=(0.09, 11), xlabel="density: share of examples that have a feature")
    ax.set(ylabel="importance of the second")
    ax.set_xticks([1, 0.5, 0.2, 0.1, 0.05, 0.02], ["100 %", "50 %", "20 %", "10 %", "5 %", "2 %"])
    ax.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
    ax.minorticks_off()
    return fig


def sharing():
    """Features kept by models with 8 dimensions and 40 features, against the density of the features from 100 % to 1 %.
    Common features: 9 are kept, about one per dimension. At 46 % the number has doubled to 16, two per dimension, and
    stays there down to 32 %; then it climbs, until at 2 % all 40 are kept."""
    fig, ax = canvas(height=2.4)
    density = np.array(MANY["densities"])
    kept = (feature_norms(read()["many_weight"]) > 0.5).sum(-1)
    for level, text in ((8, "one per dimension"), (16, "pairs of opposites"), (40, "")):
        ax.axhline(level, color=LINE, lw=0.8, zorder=0)
        label(ax, 0.0105, level - 2.2, text, MUTED, ha="right", fontsize=9.5)
    ax.plot(density, kept, "o-", color=VIOLET, ms=4)
    ax.set_xscale("log")
    ax.set(xlim=(1.1, 0.0095), ylim=(0, 45), yticks=[0, 8, 16, 40], ylabel="features kept")
    ax.set_xlabel("density: share of examples that have a feature")
    ax.set_xticks([1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01], ["100 %", "50 %", "20 %", "10 %", "5 %", "2 %", "1 %"])
    ax.minorticks_off()
    return fig


def autoencoder():
    """Left, what the two neurons of the pentagon model hold for 300 examples: a star with five rays, none of which lies
    along a neuron's axis. Right, the five true directions as arrows, and as dots the directions that a sparse
    autoencoder found from the activations alone: they agree."""
    fig, (left, right) = canvas(height=2.7, columns=2)
    weight, density = read()["five_weight"][2], FIVE["densities"][2]
    rng = np.random.default_rng(0)
    x = sparse_features(rng.random((2000, 5)), rng.random((2000, 5)), density)
    h = compress(x[x.sum(1) > 0][:300], weight)
    left.plot(*h.T, ".", color=VIOLET, ms=2.5)
    left.axhline(0, color=LINE, lw=0.8, zorder=0)
    left.axvline(0, color=LINE, lw=0.8, zorder=0)
    left.set(title="activations", xlabel="neuron 1", ylabel="neuron 2")
    found = read()["sae"] / np.linalg.norm(read()["sae"], axis=0)
    bare(right).set(title="directions: true and found")
    for x, y in weight.T / np.linalg.norm(weight, axis=0).T[:, None]:
        right.annotate("", (x, y), (0, 0), arrowprops=ARROW)
    right.plot(*(1.15 * found), "o", color=FG, ms=5)
    for ax in (left, right):
        ax.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    return fig
