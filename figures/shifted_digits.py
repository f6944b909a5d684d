"""Held-out digits moved by whole pixels: what the shipped networks make of them, and how much their numbers change."""

import functools

import numpy as np

from kb.checkpoints.shipped import digits_cnn, digits_dense
from kb.data.digits import load_digits, split
from kb.structure.activation_functions import identity, relu
from kb.structure.convolutional_network import cnn_logits, conv2d, feature_maps, max_pool2d, shift
from kb.structure.forward_pass import forward

DIRECTIONS = ((0, 1), (0, -1), (1, 0), (-1, 0))


@functools.cache
def held_out():
    """The 360 digits that no network was trained on: images (360, 8, 8) and labels."""
    digits = split(load_digits())[1]
    return digits.images, digits.labels


@functools.cache
def framed():
    """The same images with 4 pixels of paper on every side, (360, 1, 16, 16): nothing leaves the frame."""
    return np.pad(held_out()[0][:, None], [(0, 0), (0, 0), (4, 4), (4, 4)])


def maps(x):
    """What the first 8 filters of the trained network see, biases left out: paper stays 0."""
    params = {name: value * (name != "0.bias") for name, value in digits_cnn().items()}
    return feature_maps(params, x)[0]


def pooled(size):
    """The maps after max pooling with windows of `size` pixels, as a function of the images."""
    return lambda x: max_pool2d(maps(x), size)


def change(fn, down=0, right=1):
    """By how much fn(images) changes when every image moves, relative to its size: ||f(moved) - f|| / ||f||."""
    before, after = fn(framed()), fn(shift(framed(), down, right))
    return float(np.linalg.norm(after - before) / np.linalg.norm(before))


def columns_that_differ():
    """How many of the 8 columns of "map of the moved digit" and "moved map" differ when the digits fill their frame."""
    images, weight = held_out()[0][:, None], digits_cnn()["0.weight"]
    gap = conv2d(shift(images, 0, 1), weight, padding=1) - shift(conv2d(images, weight, padding=1), 0, 1)
    return int(np.count_nonzero(np.abs(gap).max(axis=(0, 1, 2)) > 1e-5))


def accuracy_when_moved(kind, pixels):
    """How many held-out digits the network ("cnn" or "dense") reads when moved so far, the mean of four directions."""
    images, labels = held_out()
    answers = (logits(kind, shift(images, pixels * down, pixels * right)).argmax(axis=1) for down, right in DIRECTIONS)
    return float(np.mean([answer == labels for answer in answers]))


def logits(kind, images):
    """The scores that the shipped network gives the images (b, 8, 8)."""
    if kind == "cnn":
        return cnn_logits(digits_cnn(), images[:, None])
    return forward(digits_dense(), images.reshape(len(images), 64), relu, identity)
