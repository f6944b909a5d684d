"""The figures of the page on safety; the hacked reward and the attacked digits are made in modules beside this one."""

from matplotlib.colors import LinearSegmentedColormap

from figures.attacked_digits import SIZES, accuracy, attacked, fooled
from figures.exclamation_marks import peak, sweep
from figures.reading_digits import held_out
from figures.style import ARC, LINE, MUTED, bare, canvas, label
from kb.checkpoints.shipped import digits_mlp
from kb.structure.multilayer_perceptron import mlp

VIOLET = ARC["architecture"]
INK = LinearSegmentedColormap.from_list("ink", ["#ffffff", "#1c1e21"], N=13)  # few greys: the page is smaller


def hacking():
    """Two curves against the distance from the pretrained model, 0 to 6 nats. What the reward model says rises all the
    way, from 0.1 to 2.1. What people really think rises with it at first, from 0.3 to 1.06 at 1 nat, then turns and is
    below 0 from 3.4 nats on."""
    fig, ax = canvas(height=2.8)
    _, facts = sweep()
    some = facts[facts[:, 0] < 6]
    ax.axhline(0, color=LINE, lw=0.8, zorder=0)
    ax.plot(some[:, 0], some[:, 1], color=MUTED)
    ax.plot(some[:, 0], some[:, 2], color=VIOLET)
    _, top = peak()
    ax.plot(top[0], top[2], "o", mfc="none", color=VIOLET, ms=9)
    label(ax, 4.2, 2.25, "what the reward model says", MUTED, ha="right")
    label(ax, 3.2, -0.55, "what people think", VIOLET, ha="right")
    label(ax, top[0], top[2] + 0.3, "best", VIOLET)
    ax.set(xlim=(0, 6), ylim=(-1.6, 2.5), yticks=[-1, 0, 1, 2])
    ax.set(xlabel="nats from the pretrained model", ylabel="mean reward")
    return fig


def attack():
    """Share of 360 held-out digits that the trained network reads rightly, against the change of each pixel from 0 to
    0.2. With random signs it stays at 96 to 97 %. With the signs of the gradient it falls: 80 % at 0.04, 51 % at 0.1,
    24 % at 0.2."""
    fig, ax = canvas(height=2.3)
    ax.plot(SIZES, [accuracy(size, "random") for size in SIZES], "o-", color=MUTED, ms=3.5)
    ax.plot(SIZES, [accuracy(size) for size in SIZES], "o-", color=VIOLET, ms=3.5)
    ax.axhline(0.1, color=LINE, lw=0.8, zorder=0)
    label(ax, 0.2, 0.9, "random signs", MUTED, ha="right")
    label(ax, 0.115, 0.55, "signs of the gradient", VIOLET, ha="left")
    label(ax, 0.2, 0.05, "guessing", MUTED, ha="right", fontsize=9.5)
    ax.set(xlim=(0, 0.202), ylim=(0, 1.03), xlabel="change of each pixel", ylabel="read rightly")
    ax.set_xticks([0, 0.05, 0.1, 0.15, 0.2])
    ax.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    return fig


def fooled_digits():
    """Five digits in the upper row, each read rightly. Below them the same digits with every pixel changed by 0.1: a
    faint grey pattern, and you read the same digits, but the network answers something else with outputs near 1."""
    fig, axes = canvas(height=2.9, rows=2, columns=5)
    places = fooled(0.1)
    for row, images in zip(axes, (held_out()[0], attacked(0.1)), strict=True):
        outputs = mlp(digits_mlp(), images[places])
        for ax, image, output in zip(row, images[places], outputs, strict=True):
            bare(ax).imshow(image.reshape(28, 28), INK, vmin=0, vmax=1, interpolation="none")
            ax.set_title(f"{output.argmax()}: {output.max():.2f}")
    return fig
