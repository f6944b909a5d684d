"""The figures of the vision transformer page."""

import numpy as np
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from figures.patched_digits import accuracies, held_out, looks
from figures.style import ARC, FG, MUTED, bare, canvas, label
from kb.generation.vision_transformer import patchify

RED, GREEN = ARC["generation"], ARC["structure"]
FIVE = 0  # the place of the digit that is drawn among those held out


def _pixels(ax, image, x, y, size, colour=FG):
    """An image of ink from 0 to 1, its top left corner at (x, y), a pixel `size` wide."""
    levels = np.rint(15 * image)
    for level in np.setdiff1d(levels, 0):  # one path for all pixels of a shade
        corners = [(x + j * size, y + i * size) for i, j in np.argwhere(levels == level)]
        squares = [Path.unit_rectangle().transformed(Affine2D().scale(size).translate(*c)) for c in corners]
        ax.add_patch(PathPatch(Path.make_compound_path(*squares), fc=colour, ec="none", alpha=float(level) / 15))


def _square(ax, x, y, size, colour=MUTED, **kwargs):
    ax.add_patch(Rectangle((x, y), size, size, **{"fill": False, "ec": colour, "lw": 0.8, **kwargs}))


def sequence():
    """On the left a handwritten digit of 8 by 8 pixels with a grid over it that cuts it into 16 squares of 2 by 2, 4 in
    each row. On the right the same squares one after the other, in the order of reading, numbered 1 to 16, in two lines
    of 8. Before square 1 stands one more token, the class token, number 0, which is not a part of the image."""
    image = held_out()[0][FIVE, 0]
    squares = patchify(image[None], 2).reshape(16, 2, 2)
    fig, ax = canvas(height=2.15)
    bare(ax).set(xlim=(-0.2, 20.2), ylim=(7.4, -0.9), aspect="equal")
    _pixels(ax, image, 0, 0.6, 0.75)
    for i in range(16):
        _square(ax, 1.5 * (i % 4), 0.6 + 1.5 * (i // 4), 1.5, RED)
        x, y = 9.35 + 1.36 * (i % 8), 1.1 + 3.1 * (i // 8)
        _pixels(ax, squares[i], x, y, 0.55)
        _square(ax, x, y, 1.1, RED)
        label(ax, x + 0.55, y + 1.65, f"{i + 1}", MUTED, fontsize=9)
    _square(ax, 7.99, 1.1, 1.1, FG, ls=(0, (3, 2)))
    label(ax, 8.54, 2.75, "0", MUTED, fontsize=9)
    label(ax, 7.99, 0.35, "class token, then the patches", ha="left")
    ax.annotate("", (7.6, 3.6), (6.3, 3.6), arrowprops={"arrowstyle": "->", "color": FG})
    return fig


def where_it_looks():
    """Four held-out digits, a 5, a 7, a 0 and a 3, each with its 16 patches shaded by how much the class token looks at
    them in the last block, as a mean over the four heads. The top patches have 38, 57, 22 and 36 percent of the weight.
    Most of them are half empty: the opening of the 5 on the left, the space under the bar of the 7, the inside of the
    0, the left side of the 3."""
    fig, ax = canvas(height=1.75)
    bare(ax).set(xlim=(-0.2, 38.4), ylim=(9.6, -1.7), aspect="equal")
    images, labels = held_out()
    for n, i in enumerate((FIVE, 5, 12, 33)):
        left = 9.8 * n
        shares = looks()[i]
        for patch, share in enumerate(shares):
            corner = (left + 2.1 * (patch % 4), 2.1 * (patch // 4))
            ax.add_patch(Rectangle(corner, 2.1, 2.1, fc=RED, alpha=0.85 * float(share / shares.max()), lw=0))
        _pixels(ax, images[i, 0], left, 0, 1.05)
        _square(ax, left, 0, 8.4)
        label(ax, left + 4.2, -0.95, f"a {labels[i]}: top patch {100 * shares.max():.0f} %", fontsize=9)
    return fig


def positions_matter():
    """Held-out digits that are read rightly, of 360. The trained vision transformer 93 percent; one that was trained
    without positions 68; the trained one with its positions set to 0 afterwards 12, near blind guessing at 10,
    which a dashed line marks. A convolutional network reads 98 percent."""
    fig, ax = canvas(height=1.85)
    for y, (name, share) in enumerate(accuracies().items()):
        colour = GREEN if "convolution" in name else RED
        ax.add_patch(Rectangle((0, y - 0.3), share, 0.6, fc=colour, alpha=1 if y in (0, 3) else 0.55, lw=0))
        label(ax, -0.015, y, name, ha="right", fontsize=9.5)
        label(ax, share + 0.015, y, f"{100 * share:.0f} %", ha="left")
    ax.axvline(0.1, color=FG, lw=0.8, ls=(0, (3, 3)))
    bare(ax).set(xlim=(-0.62, 1.1), ylim=(3.5, -0.5))
    return fig
