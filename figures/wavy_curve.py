"""The curve that the page on nonlinearity fits, and how far a hidden layer of a given width is off."""

import functools

import numpy as np

from kb.structure.layers import linear
from kb.structure.nonlinearity import collapse, fit_hidden_layer

X = np.linspace(0, 1, 501)
CURVE = np.sin(5 * X) + 0.4 * np.cos(14 * X)


def square(z):
    """A polynomial of degree 2 in place of an activation function."""
    return z * z


def cube(z):
    """A polynomial of degree 3."""
    return z * z * z


@functools.cache
def fitted(width, activation):
    """The curve as one hidden layer of this width makes it."""
    return fit_hidden_layer(X, CURVE, width, activation)


def largest_error(width, activation):
    """The largest distance between the curve and what the network makes of it."""
    return float(np.max(np.abs(fitted(width, activation) - CURVE)))


def gap_after_collapse(depth, width=16, seed=0):
    """How far a stack of random linear layers and the one layer that replaces it differ, relative to what they say."""
    rng = np.random.default_rng(seed)
    layers = [(rng.standard_normal((width, width)) / np.sqrt(width), rng.standard_normal(width)) for _ in range(depth)]
    x = deep = rng.standard_normal((10, width))
    for layer in layers:
        deep = linear(deep, *layer)
    return float(np.max(np.abs(deep - linear(x, *collapse(layers)))) / np.max(np.abs(deep)))
