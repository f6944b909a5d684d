"""The figures of the page on the variational autoencoder."""

import numpy as np

from figures.digit_codes import codes, components, held_out, random_codes, vae
from figures.neural_network import INK
from figures.style import ARC, BLUE, FG, GREEN, MUTED, OCHRE, VIOLET, bare, canvas, label

RED = ARC["generation"]
COLOURS = (RED, BLUE, GREEN, OCHRE, VIOLET)


def _tile(ax, image, x, y, size, cmap=INK, low=-1.0, high=1.0):
    """An image (rows, cols) as a picture whose upper left corner is at (x, y); y runs down."""
    ax.imshow(image, cmap=cmap, vmin=low, vmax=high, extent=(x, x + size, y + size, y), interpolation="nearest")


def _plate(ax, width, height):
    bare(ax).set(xlim=(0, width), ylim=(height, 0), aspect="equal")


def _first_of_each():
    labels = held_out()[1]
    return np.array([np.flatnonzero(labels == digit)[0] for digit in range(10)])


def there_and_back():
    """Ten held-out digits, 0 to 9, in the top row; below each the mean of its code, four channels of 4 by 4 numbers as
    small squares from blue for negative to red for positive, two of the channels close to 0 for every digit; below that
    the image that the decoder makes of the code. The digits come back, a little softer than they were."""
    fig, ax = canvas(height=2.75)
    _plate(ax, 12.6, 5.6)
    which = _first_of_each()
    images, means = held_out()[0][which], codes()[0][which]
    for i, (image, mean, back) in enumerate(zip(images, means, vae().decode(means), strict=True)):
        x = 2.3 + 1.03 * i
        _tile(ax, image[0], x, 0.1, 0.95)
        for k in range(4):
            _tile(ax, mean[k], x + 0.49 * (k % 2), 2.1 + 0.49 * (k // 2), 0.45, "RdBu_r", -2.5, 2.5)
        _tile(ax, back[0], x, 4.2, 0.95)
        for y in (1.2, 3.2):
            ax.annotate("", (x + 0.48, y + 0.7), (x + 0.48, y), arrowprops={"arrowstyle": "->", "color": MUTED})
    for y, text in ((0.6, "image\n256 numbers"), (2.6, "code\n64 numbers"), (4.7, "decoded")):
        label(ax, 2.05, y, text, ha="right")
    ax.set(xlim=(0, 12.6), ylim=(5.6, 0))
    return fig


def latent_space():
    """The codes of the 360 held-out digits, seen along the two directions in which they differ most, each drawn as its
    digit. Equal digits lie together: the clouds of different digits are side by side, with overlaps, around the
    middle, since two of 64 directions are shown."""
    fig, ax = canvas(height=3.5)
    centre, directions = components()
    flat, labels = codes()[0].reshape(-1, 64), held_out()[1]
    places = (flat - centre) @ directions.T
    for digit in range(10):
        for x, y in places[labels == digit][:22]:
            ax.text(x, y, str(digit), color=COLOURS[digit % 5], fontsize=8, ha="center", va="center", alpha=0.75)
    for digit in range(10):
        x, y = places[labels == digit].mean(axis=0)
        ax.text(x, y, str(digit), color=FG, fontsize=15, ha="center", va="center", fontweight="bold")
    reach = np.abs(places).max(axis=0) * 1.05
    ax.set(xlim=(-reach[0], reach[0]), ylim=(-reach[1], reach[1]), xlabel="first direction", ylabel="second direction")
    return fig


def between():
    """Three walks in a straight line from one held-out digit's code to another's, seven decoded images each: a 3 to
    an 8, a 1 to a 7, and a 0 to a 6. In the first walk the lower stroke of the 3 closes to a loop. Below, for
    comparison, the pixels themselves on the way from 0 to 6: one image fades out while the other fades in."""
    fig, ax = canvas(height=3.1)
    _plate(ax, 9.6, 4.4)
    share = np.linspace(0, 1, 7, dtype=np.float32)[:, None, None, None]
    which = _first_of_each()
    walks = [(codes()[0][which[a]], codes()[0][which[b]]) for a, b in ((3, 8), (1, 7), (0, 6))]
    rows = [vae().decode((1 - share) * a + share * b) for a, b in walks]
    x = held_out()[0][which]
    rows.append((1 - share) * x[0] + share * x[6])
    for j, row in enumerate(rows):
        for i, image in enumerate(row):
            _tile(ax, image[0], 2.4 + 1.02 * i, 0.05 + 1.05 * j + 0.15 * (j == 3), 0.95)
    label(ax, 2.2, 1.6, "between\ncodes", ha="right")
    label(ax, 2.2, 3.85, "between\npixels", ha="right")
    ax.set(xlim=(0, 9.6), ylim=(4.4, 0))
    return fig


def draws():
    """Top: codes drawn from N(0, 1) and decoded, nine images: strokes, some like digits and many like none. Bottom: the
    codes of nine held-out digits, each drawn from its own normal distribution and decoded: digits."""
    fig, ax = canvas(height=1.65)
    _plate(ax, 12.4, 2.5)
    mean, logvar = (part[_first_of_each()[1:]] for part in codes())
    near = mean + np.exp(logvar / 2) * random_codes()[:9]
    for j, row in enumerate((vae().decode(random_codes()[:9]), vae().decode(near))):
        for i, image in enumerate(row):
            _tile(ax, image[0], 2.9 + 1.03 * i, 0.1 + 1.2 * j, 0.95)
    label(ax, 2.7, 0.6, "drawn from\nN(0, 1)", ha="right")
    label(ax, 2.7, 1.8, "drawn around\na digit's mean", ha="right")
    ax.set(xlim=(0, 12.4), ylim=(2.5, 0))
    return fig
