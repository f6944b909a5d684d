"""The figures of the generalisation page; what they show was measured by training/generalization.py."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from figures.style import ARC, FG, LINE, MUTED, bare, canvas, label
from kb.data.digits import load_digits, split
from kb.learning.generalization import move
from training.generalization import accuracies, read

OCHRE = ARC["learning"]
ROWS = "nothing", "early stopping", "weight decay", "dropout", "augmentation", "all three"


def losses():
    """Two panels with the cost over 200 passes, the mean of 20 runs on 100 digits each. Left, with right labels: the
    training cost falls to 0.01, the validation cost to 0.36, and stays there. Right, with 30 % of the training labels
    random: the training cost falls to 0.02, but the validation cost turns after 23 passes, at 0.94, and climbs to
    1.32."""
    fig, axes = canvas(height=2.5, columns=2, sharey=True)
    titles = "labels right", "30 % of the labels random"
    for ax, title, (mean, low, high) in zip(axes, titles, read()["curves"].values(), strict=True):
        (training, validation), passes = np.transpose(mean), np.arange(1, len(mean) + 1)
        some = np.unique(np.geomspace(1, 200, 60).astype(int)) - 1  # fewer points where the curves are straight
        ax.fill_between(passes[some], np.array(low)[some, 1], np.array(high)[some, 1], color=OCHRE, alpha=0.15, lw=0)
        ax.plot(passes[some], training[some], color=MUTED)
        ax.plot(passes[some], validation[some], color=OCHRE)
        best = int(np.argmin(validation))
        if validation[-1] > 1.2 * validation[best]:
            ax.plot(best + 1, validation[best], "o", color=FG, ms=5)
            label(ax, best + 8, validation[best] - 0.17, "stop here", FG, ha="left")
        label(ax, 196, validation[-1] + (0.14 if validation[-1] < 1 else -0.24), "validation", OCHRE, ha="right")
        label(ax, 196, 0.12, "training", MUTED, ha="right")
        ax.set(title=title, xlabel="passes over 100 digits", xlim=(0, 200), ylim=(0, 2.2), yticks=[0, 1, 2])
    axes[0].set(ylabel="cost")
    return fig


def by_heart():
    """Accuracy over 250 passes of a network that learns 1,437 digits. With true labels it is at 100 % on the training
    digits after 26 passes, and at 97 % on held-out ones. With shuffled labels it climbs slowly, but reaches 100 % on
    the training digits as well, after 180 passes; on held-out digits it stays at 10 %, which is guessing."""
    fig, ax = canvas(height=2.5)
    for name, colour in (("true labels", OCHRE), ("random labels", FG)):
        training, held_out = np.transpose(read()["by_heart"][name])
        passes = np.arange(1, len(training) + 1)
        ax.plot(passes, training, color=colour)
        ax.plot(passes, held_out, color=colour, lw=1.1, ls=(0, (4, 2)))
    label(ax, 248, 1.06, "true labels, training", OCHRE, ha="right")
    label(ax, 248, 0.9, "true labels, held out", OCHRE, ha="right")
    label(ax, 108, 0.62, "shuffled labels, training", FG, ha="left")
    label(ax, 108, 0.18, "shuffled labels, held out", FG, ha="left")
    ax.set(xlabel="passes over 1,437 digits", ylabel="accuracy", xlim=(0, 250), ylim=(0, 1.12), yticks=[0, 0.5, 1])
    return fig


def remedies():
    """Test accuracy of 20 runs as dots, with their mean as a bar, for six ways to train. Left, with right labels, all
    means lie between 87 and 90 %, augmentation highest and all three together lowest. Right, with 30 % of the training
    labels random, training to the end without a remedy has 66 %, each single remedy 73 to 75 %, all three together 77
    %."""
    fig, axes = canvas(height=2.6, columns=2, sharey=True)
    jitter = np.random.default_rng(0).uniform(-0.22, 0.22, 20)
    for ax, labels, title in zip(axes, read()["remedies"], ("labels right", "30 % of the labels random"), strict=True):
        for row, name in enumerate(ROWS):
            found = 100 * accuracies(labels, name)
            ax.plot(found, row + jitter, "o", color=OCHRE, ms=2.6, alpha=0.45, mew=0)
            ax.plot([found.mean()] * 2, [row - 0.36, row + 0.36], color=FG, lw=2)
        ax.axvline(100 * accuracies(labels, "nothing").mean(), color=LINE, lw=0.8, zorder=0)
        ax.set(
            title=title, xlabel="test accuracy, %", xticks=(84, 88, 92) if labels == "right labels" else (60, 70, 80)
        )
    axes[0].set_yticks(range(len(ROWS)), ROWS, color=FG)
    axes[0].invert_yaxis()
    for ax in axes:
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
    return fig


def moves():
    """A handwritten 3 of 8 by 8 pixels as it was written, and four more pictures made from it, turned by up to 11
    degrees and moved by up to one pixel. All are plainly the same 3."""
    train, _ = split(load_digits())
    three = train.images[np.flatnonzero(train.labels == 3)[0]]
    angle, down, right = np.random.default_rng(4).uniform(-1, 1, (3, 4)) * np.array([[0.2], [1], [1]])
    pictures = [three, *move(np.stack([three] * 4), angle, down, right)]
    fig, axes = canvas(height=1.4, columns=5)
    ink = LinearSegmentedColormap.from_list("ink", ["#ffffff", "#1c1e21"])
    for ax, picture, name in zip(axes, pictures, ("written", "", "turned and moved", "", ""), strict=True):
        bare(ax).imshow(picture, cmap=ink, vmin=0, vmax=1, interpolation="nearest")
        ax.set_title(name, fontsize=9.5)
    return fig
