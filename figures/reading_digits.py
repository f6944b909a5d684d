"""The shipped digit network reads the held-out digits: its ten outputs for each, its mistakes, and one sloppy 3."""

import functools

import numpy as np

from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split
from kb.structure.multilayer_perceptron import mlp

SLOPPY = 220  # a 3 among the held-out digits whose lower half is nearly that of a 7


@functools.cache
def held_out():
    """The 360 digits that the network was not trained on, as rows of 784 pixels, and their labels."""
    part = split(load_digits(28))[1]
    return part.images.reshape(len(part), -1), part.labels


@functools.cache
def outputs():
    """The ten outputs of the trained network for each held-out digit."""
    return mlp(digits_mlp(), held_out()[0])


def answers():
    """The digit with the highest output."""
    return outputs().argmax(axis=1)


def accuracy(params=None):
    """The share of held-out digits that a network reads as what they are."""
    x, labels = held_out()
    return np.mean((answers() if params is None else mlp(params, x).argmax(axis=1)) == labels)


def misread():
    """The places of the digits that the network takes for another one."""
    return np.flatnonzero(answers() != held_out()[1])


def distances(place=SLOPPY):
    """How far each held-out image lies from one of them: the root of the summed squared differences of the pixels."""
    x, _ = held_out()
    return np.sqrt(np.sum((x - x[place]) ** 2, axis=1))


def nearest(digit, place=SLOPPY):
    """The place of the nearest held-out image with this label."""
    labels = held_out()[1]
    others = np.flatnonzero((labels == digit) & (np.arange(len(labels)) != place))
    return others[distances(place)[others].argmin()]
