"""The figures of the page on the variational autoencoder."""

import numpy as np
from matplotlib import colormaps

from figures.digit_codes import codes, components, held_out, random_codes, vae
from figures.neural_network import INK
from figures.style import ARC, BLUE, FG, GREEN, MUTED, OCHRE, VIOLET, bare, canvas, label

RED = ARC["generation"]
SIGNED = colormaps["RdBu_r"].resampled(9)  # few colours: the page is smaller
COLOURS = (RED, BLUE, GREEN, OCHRE, VIOLET)


def _row(ax, images, x, y, size, gap, cmap=INK, low=-1.0, high=1.0):
    """Images (n, rows, cols) side by side as one picture, with air between them; each is `size` wide, y runs down."""
    air = round(images.shape[-1] * gap / size)
    wide = np.pad(images, [(0, 0), (0, 0), (0, air)], constant_values=np.nan)
    width = len(images) * size * (1 + air / images.shape[-1])
    row = np.ma.masked_invalid(np.concatenate(list(wide), axis=1))
    ax.imshow(row, cmap=cmap, vmin=low, vmax=high, extent=(x, x + width, y + size, y), interpolation="none")
    return x + (np.arange(len(images)) + 0.5) * width / len(images) - air / images.shape[-1] * size / 2


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
    middles = _row(ax, images[:, 0], 2.3, 0.1, 0.96, 0.06)
    squares = np.pad(means, [(0, 0), (0, 0), (0, 1), (0, 1)], constant_values=np.nan)  # (10, 4, 5, 5)
    squares = squares.reshape(10, 2, 2, 5, 5).swapaxes(2, 3).reshape(10, 10, 10)[:, :9, :9]
    _row(ax, squares, 2.3, 2.1, 0.918, 0.102, SIGNED, -2.5, 2.5)
    _row(ax, vae().decode(means)[:, 0], 2.3, 4.2, 0.96, 0.06)
    for x in middles:
        for y in (1.2, 3.2):
            ax.annotate("", (x, y + 0.7), (x, y), arrowprops={"arrowstyle": "->", "color": MUTED})
    for y, text in ((0.6, "image\n256 numbers"), (2.6, "code\n64 numbers"), (4.7, "decoded")):
        label(ax, 2.05, y, text, ha="right")
    ax.set(xlim=(0, 12.6), ylim=(5.6, 0))
    return fig


def latent_space():
    """The codes of 110 held-out digits, 11 of each, seen along the two directions in which they differ most, each drawn
    as its digit. Equal digits lie together: the clouds of different digits are side by side, with overlaps, around the
    middle, since two of 64 directions are shown."""
    fig, ax = canvas(height=3.5)
    centre, directions = components()
    flat, labels = codes()[0].reshape(-1, 64), held_out()[1]
    places = (flat - centre) @ directions.T
    for digit in range(10):
        ax.plot(*places[labels == digit][:11].T, ls="", marker=f"${digit}$", ms=5.5, mew=0, color=COLOURS[digit % 5])
    for digit in range(10):
        x, y = places[labels == digit].mean(axis=0)
        ax.text(x, y, str(digit), color=FG, fontsize=15, ha="center", va="center", fontweight="bold")
    reach = np.abs(places).max(axis=0) * 1.05
    ax.set(xlim=(-reach[0], reach[0]), ylim=(-reach[1], reach[1]), xlabel="first direction", ylabel="second direction")
    return fig


def between():
    """Two walks in a straight line from one held-out digit's code to another's, seven decoded images each: a 3 to
    an 8, and a 0 to a 6. In the first walk the lower stroke of the 3 closes to a loop. Below, for
    comparison, the pixels themselves on the way from 0 to 6: one image fades out while the other fades in."""
    fig, ax = canvas(height=2.4)
    _plate(ax, 9.6, 3.35)
    share = np.linspace(0, 1, 7, dtype=np.float32)[:, None, None, None]
    which = _first_of_each()
    walks = [(codes()[0][which[a]], codes()[0][which[b]]) for a, b in ((3, 8), (0, 6))]
    rows = [vae().decode((1 - share) * a + share * b) for a, b in walks]
    x = held_out()[0][which]
    rows.append((1 - share) * x[0] + share * x[6])
    for j, row in enumerate(rows):
        _row(ax, row[:, 0], 2.4, 0.05 + 1.05 * j + 0.15 * (j == 2), 0.96, 0.06)
    label(ax, 2.2, 1.1, "between\ncodes", ha="right")
    label(ax, 2.2, 2.8, "between\npixels", ha="right")
    ax.set(xlim=(0, 9.6), ylim=(3.35, 0))
    return fig


def draws():
    """Top: codes drawn from N(0, 1) and decoded, seven images: strokes, some like digits, many not. Bottom: the
    codes of seven held-out digits, each drawn from its own normal distribution and decoded: digits."""
    fig, ax = canvas(height=1.75)
    _plate(ax, 10.3, 2.5)
    mean, logvar = (part[_first_of_each()[1:8]] for part in codes())
    near = mean + np.exp(logvar / 2) * random_codes()[:7]
    for j, row in enumerate((vae().decode(random_codes()[:7]), vae().decode(near))):
        _row(ax, row[:, 0], 2.9, 0.1 + 1.2 * j, 0.96, 0.06)
    label(ax, 2.7, 0.6, "drawn from\nN(0, 1)", ha="right")
    label(ax, 2.7, 1.8, "drawn around\na digit's mean", ha="right")
    ax.set(xlim=(0, 10.3), ylim=(2.5, 0))
    return fig
