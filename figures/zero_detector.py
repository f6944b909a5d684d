"""One neuron that looks for a handwritten 0: its weights are the mean 0 minus the mean of the other digits."""

import functools

import numpy as np

from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split
from kb.structure.multilayer_perceptron import init_mlp
from kb.structure.neuron import pre_activation
from kb.structure.weights_and_biases import pattern_detector


@functools.cache
def detector():
    """The weights (784) and the bias, from the training images."""
    train, _ = split(load_digits(28))
    return pattern_detector(train.images.reshape(-1, 784), train.labels == 0)


@functools.cache
def held_out():
    """The held-out images as rows of 784 pixels, and their labels."""
    images, labels = (part := split(load_digits(28))[1]).images, part.labels
    return images.reshape(-1, 784), labels


def example(digit):
    """The first held-out image of a digit."""
    x, labels = held_out()
    return x[np.flatnonzero(labels == digit)[0]]


def fires(shift=0.0, negative=True):
    """Which held-out images the neuron says yes to, with its bias moved by `shift`, or without its negative weights."""
    (weight, bias), (x, _) = detector(), held_out()
    if not negative:
        weight, middle = np.maximum(weight, 0), _middle()
        bias = -pre_activation(middle, weight, 0)
    return pre_activation(x, weight, bias + shift) > 0


def _middle():
    """The point halfway between the mean 0 and the mean of the other training images."""
    train, _ = split(load_digits(28))
    x, zero = train.images.reshape(-1, 784), train.labels == 0
    return (x[zero].mean(axis=0) + x[~zero].mean(axis=0)) / 2


def found(shift=0.0, negative=True):
    """How many of the held-out zeros it finds, and how many of the other digits it takes for one."""
    zero = held_out()[1] == 0
    said = fires(shift, negative)
    return int(said[zero].sum()), int(said[~zero].sum())


def moved():
    """How many parameters of the shipped digit network training has changed; it started from seed 0."""
    start, end = init_mlp((784, 16, 16, 10), np.random.default_rng(0)), digits_mlp()
    return int(sum(np.sum(start[name] != end[name]) for name in start))


def blank_pixels():
    """How many pixels are paper in every training image."""
    return int(np.sum(split(load_digits(28))[0].images.max(axis=0) == 0))
