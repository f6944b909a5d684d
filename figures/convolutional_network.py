"""The figures of the convolutional network page."""

import numpy as np
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from figures.shifted_digits import accuracy_when_moved, held_out
from figures.style import ARC, FG, LINE, MUTED, OCHRE, bare, canvas, label
from kb.checkpoints.shipped import digits_cnn, digits_dense
from kb.data.digits import load_digits
from kb.structure.activation_functions import relu
from kb.structure.convolutional_network import SOBEL_X, as_matrix, conv2d, feature_maps, max_pool2d, shift, sobel

GREEN = ARC["structure"]


def _pixels(ax, image, x=0.0, y=0.0, colour=FG, size=1.0, scale=None):
    """The numbers of an image as squares, the darker the larger, negative ones in ochre; the top left is at (x, y)."""
    levels = np.rint(15 * np.clip(image / (np.abs(image).max() if scale is None else scale), -1, 1))
    for level in np.setdiff1d(levels, 0):
        corners = [(x + j * size, y + i * size) for i, j in np.argwhere(levels == level)]
        squares = Path.make_compound_path(*[Path.unit_rectangle().transformed(_at(*c, size)) for c in corners])
        ax.add_patch(PathPatch(squares, fc=colour if level > 0 else OCHRE, ec="none", alpha=abs(level) / 15))
    rows, cols = image.shape
    ax.add_patch(Rectangle((x, y), cols * size, rows * size, fill=False, ec=MUTED, lw=0.8))


def _at(x, y, size):
    return Affine2D().scale(size).translate(x, y)


def _plate(ax, width, height):
    """An empty drawing in which y runs down, as the rows of an image do."""
    bare(ax).set(xlim=(-0.2, width), ylim=(height, -0.2), aspect="equal")


def sliding():
    """A handwritten 3 of 8 x 8 pixels, a 3 x 3 Sobel filter with the columns -1 0 1, -2 0 2 and -1 0 1, and the 6 x 6
    result. A frame on the image marks the patch under the filter; its nine products add up to the number in the marked
    square of the result, 2.62. The result is positive where the ink begins, and negative where it ends, going right."""
    digits = load_digits()
    image = digits.images[np.flatnonzero(digits.labels == 3)[0]]
    right = sobel(image)[0]
    row, col = np.unravel_index(right.argmax(), right.shape)
    fig, ax = canvas(height=2.35)
    _plate(ax, 24.4, 9.6)
    _pixels(ax, image)
    ax.add_patch(Rectangle((col, row), 3, 3, fill=False, ec=GREEN, lw=2))
    for (i, j), weight in np.ndenumerate(SOBEL_X):
        ax.add_patch(Rectangle((10.6 + j * 1.4, 2 + i * 1.4), 1.4, 1.4, fill=False, ec=GREEN))
        label(ax, 11.3 + j * 1.4, 2.7 + i * 1.4, f"{weight:g}".replace("-", "−"), GREEN)
    _pixels(ax, right, 18, 1, GREEN)
    ax.add_patch(Rectangle((18 + col, 1 + row), 1, 1, fill=False, ec=FG, lw=1.6))
    ax.annotate("", (10.3, 4.1), (8.3, 4.1), arrowprops={"arrowstyle": "->", "color": MUTED})
    ax.annotate("", (17.7, 4.1), (15.1, 4.1), arrowprops={"arrowstyle": "->", "color": MUTED})
    for x, text in ((4, "image, 8 × 8"), (12.7, "filter, 3 × 3"), (21, "result, 6 × 6")):
        label(ax, x, 9.1, text, MUTED)
    label(ax, 12.7, 7.2, f"here: {right[row, col]:.2f}", FG)
    return fig


def sharing():
    """Two matrices of 9 rows and 25 columns, both from a 5 x 5 image to a 3 x 3 result. Left, a dense layer: all 225
    entries differ. Right, one 3 x 3 filter: the same nine weights in every row, one step further each time, and
    nothing everywhere else."""
    shared = as_matrix(np.linspace(1, 0.2, 9).reshape(3, 3), 5, 5)
    dense = np.random.default_rng(0).uniform(0.1, 1, shared.shape)
    fig, ax = canvas(height=1.55)
    _plate(ax, 55, 13.4)
    for x, matrix, title in ((0, dense, "dense"), (29, shared, "one 3 × 3 filter")):
        _pixels(ax, matrix, x, 1.6, GREEN)
        label(ax, x + 12.5, 0.3, f"{title}: {len(np.setdiff1d(matrix, 0))} weights", GREEN)
        label(ax, x + 12.5, 12.2, "25 pixels", MUTED)
    label(ax, 27, 6.1, "9 results", MUTED, rotation=90)
    return fig


def shifted():
    """Two rows of pictures of a handwritten 3 on 12 x 12 pixels; in the lower row it stands one pixel further right.
    An edge filter's map shows the same pattern in both rows, one pixel further right below, and nothing else differs.
    Pooled over windows of 4 x 4 pixels the two results are alike in half of the places. Numbers give the change as a
    share of the picture: 0.79 for the digit, 0.93 for the map, 0.51 for the pooled map."""
    image = np.pad(held_out()[0][np.flatnonzero(held_out()[1] == 3)[0]], 2)
    rows = [_steps(x) for x in (image, shift(image, 0, 1))]
    fig, ax = canvas(height=3.4)
    _plate(ax, 47, 30.6)
    names = ("a digit, and moved", "where ink begins", "strongest of 4 × 4")
    for k, (name, before, after) in enumerate(zip(names, *rows, strict=True)):
        for y, picture in ((0, before), (13.5, after)):
            _pixels(
                ax, picture, 17 * k, y, GREEN if k else FG, size=12 / len(picture), scale=max(before.max(), after.max())
            )
        label(ax, 17 * k + 6, 27.2, name, MUTED)
        label(ax, 17 * k + 6, 29.6, f"changed by {np.linalg.norm(after - before) / np.linalg.norm(before):.2f}", FG)
    for y in (6, 19.5):
        for start in (12.6, 29.6):
            ax.annotate("", (start + 3.8, y), (start, y), arrowprops={"arrowstyle": "->", "color": MUTED})
    return fig


def _steps(image):
    """An image, where its ink begins going right, and the strongest such place in each window of 4 x 4."""
    found = relu(conv2d(image[None], SOBEL_X[None, None].astype(image.dtype), padding=1)[0])
    return image, found, max_pool2d(found, 4)


def filters():
    """The eight 3 x 3 filters that training found for the first layer, green for positive, ochre for negative weights,
    and under each its map of a held-out 3. Each filter brightens other parts of the digit; the second finds
    nothing."""
    params, (images, labels) = digits_cnn(), held_out()
    image = images[np.flatnonzero(labels == 3)[0]]
    first = feature_maps(params, image[None, None])[0][0]
    weight = params["0.weight"][:, 0]
    fig, ax = canvas(height=1.85)
    _plate(ax, 91, 23.8)
    _pixels(ax, image, 0, 11.5)
    label(ax, 4, 22.3, "a 3", MUTED)
    for i in range(8):
        _pixels(ax, weight[i], 11.2 + 10 * i, 0, GREEN, size=2.6, scale=np.abs(weight).max())
        _pixels(ax, first[i], 11 + 10 * i, 11.5, GREEN, scale=first.max())
    label(ax, 50, 22.3, "its eight maps, one under each filter", MUTED)
    label(ax, 0, 4, "filters", MUTED, ha="left")
    return fig


def moved():
    """Two lines over the number of pixels by which held-out digits are moved, from 0 to 3. The convolutional network
    falls from 98 over 97 and 54 to 16 per cent, the dense one from 91 over 91 and 32 to 10 per cent. Both were trained
    with moves of up to one pixel, which is shaded."""
    fig, ax = canvas(height=2.2)
    ax.axvspan(-0.1, 1, color=GREEN, alpha=0.1, lw=0)
    for kind, params, colour, x, y in (
        ("cnn", digits_cnn(), GREEN, 1.4, 0.93),
        ("dense", digits_dense(), MUTED, 0.05, 0.5),
    ):
        ax.plot(range(4), [accuracy_when_moved(kind, pixels) for pixels in range(4)], "o-", color=colour, ms=4)
        name = "convolutional" if kind == "cnn" else kind
        label(ax, x, y, f"{name}, {sum(p.size for p in params.values()):,} parameters", colour, ha="left")
    label(ax, 0.03, 0.2, "moves seen in training", MUTED, ha="left")
    ax.plot([-0.1, 3.05], [0.1, 0.1], color=LINE, lw=0.8, zorder=0)
    label(ax, 3.1, 0.1, "guessing", MUTED, ha="left")
    ax.set(xlim=(-0.1, 3.5), ylim=(0, 1.02), xticks=range(4), xlabel="pixels moved (of 8)", ylabel="digits read")
    ax.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    return fig
