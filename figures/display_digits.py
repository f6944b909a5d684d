"""The hope, wired by hand: a network that reads the digits of a display by their edges, and those by loops and lines.

Nothing here was trained. Every neuron is the same detector: a ReLU that says 1 exactly when all that it needs is there
and nothing that it forbids. It works because a display always draws a digit in the same place.
"""

import numpy as np

from kb.structure.activation_functions import relu
from kb.structure.layers import layer

HEIGHT, WIDTH = 7, 5  # the digit is 5 x 3, with one pixel of margin all round
EDGES = {  # name: the pixels (row, column) of one bar of the display
    "a": [(1, 1), (1, 2), (1, 3)],
    "b": [(1, 3), (2, 3), (3, 3)],
    "c": [(3, 3), (4, 3), (5, 3)],
    "d": [(5, 1), (5, 2), (5, 3)],
    "e": [(3, 1), (4, 1), (5, 1)],
    "f": [(1, 1), (2, 1), (3, 1)],
    "g": [(3, 1), (3, 2), (3, 3)],
}
SHAPES = {  # name: the edges that it needs and those that it forbids
    "large loop": ("abcdef", "g"),
    "upper loop": ("abfg", ""),
    "lower loop": ("cdeg", ""),
    "right side": ("bc", ""),
    "hook": ("fg", ""),
    "roof": ("a", ""),
    "floor": ("d", ""),
    "lower left": ("e", ""),
}
DIGITS = [  # the edges of 0 to 9, and the shapes that each needs and forbids
    ("abcdef", ["large loop"], []),
    ("bc", ["right side"], ["roof", "hook"]),
    ("abged", ["roof", "floor", "lower left"], ["right side", "hook"]),
    ("abcdg", ["right side", "roof", "floor"], ["hook", "large loop"]),
    ("fgbc", ["right side", "hook"], ["roof"]),
    ("afgcd", ["hook", "roof", "floor"], ["right side", "lower left"]),
    ("acdefg", ["lower loop", "hook", "roof"], ["upper loop"]),
    ("abc", ["right side", "roof"], ["floor", "hook"]),
    ("abcdefg", ["upper loop", "lower loop"], []),
    ("abcdfg", ["upper loop", "floor"], ["lower loop"]),
]


def images():
    """The ten digits as a display shows them: (10, 35), 1 where it is lit."""
    return np.stack([pixels([p for edge in edges for p in EDGES[edge]]) for edges, _, _ in DIGITS])


def pixels(places):
    """An image (35) that is lit at these places."""
    return np.array([float((i, j) in places) for i in range(HEIGHT) for j in range(WIDTH)])


def detector(needs, forbids, n):
    """One neuron over n inputs that are 0 or 1: weights +1 and -1, and a bias that only all of `needs` overcome."""
    weight = np.zeros(n)
    weight[needs], weight[forbids] = 1, -1
    return weight, 1 - len(needs)


def stacked(neurons):
    """A layer: one row of the matrix per neuron."""
    return np.stack([weight for weight, _ in neurons]), np.array([float(bias) for _, bias in neurons])


def network():
    """The weights and biases of three layers: 35 pixels, 7 edges, 8 shapes, 10 digits."""
    edge, shape = list(EDGES), list(SHAPES)
    return [
        stacked([detector([i * WIDTH + j for i, j in places], [], HEIGHT * WIDTH) for places in EDGES.values()]),
        stacked(
            [detector([edge.index(e) for e in on], [edge.index(e) for e in off], 7) for on, off in SHAPES.values()]
        ),
        stacked([detector([shape.index(s) for s in on], [shape.index(s) for s in off], 8) for _, on, off in DIGITS]),
    ]


def activations(image):
    """What every layer says to an image (..., 35), the image first."""
    found = [image]
    for weight, bias in network():
        found.append(layer(found[-1], weight, bias, relu))
    return found


def count_right(down=0, right=0):
    """How many of the ten digits are recognised, by that one output alone, after a shift by so many pixels."""
    moved = np.roll(images().reshape(10, HEIGHT, WIDTH), (down, right), axis=(1, 2)).reshape(10, HEIGHT * WIDTH)
    return int(np.sum(np.all(activations(moved)[-1] == np.eye(10), axis=1)))
