"""The digit network at work: which numbers change when it sees an image, when it learns, when you start again."""

import functools

import numpy as np

from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split
from kb.learning.backpropagation import squared_error_gradients
from kb.learning.gradient_descent import step
from kb.structure.activation_functions import sigmoid
from kb.structure.forward_pass import forward_all
from kb.structure.multilayer_perceptron import init_mlp
from kb.structure.parameters_and_hyperparameters import changed, fingerprints

LR, SIZES = 0.5, (784, 16, 16, 10)
EVENTS = "the same image", "another image", "a training step", "a new run"


@functools.cache
def held_out():
    """360 images as rows of 784 pixels, and their labels."""
    digits = split(load_digits(28))[1]
    return digits.images.reshape(-1, 784), digits.labels


def image(digit):
    """The first held-out image of a digit."""
    x, labels = held_out()
    return x[np.flatnonzero(labels == digit)[0]]


def everything(params, x, sizes=SIZES):
    """Every array of the live model by name: parameters, what the forward pass computes for x, and the settings."""
    return {**params, **forward_all(params, x, sigmoid), "hyperparameters": np.array([*sizes, LR])}


@functools.cache
def changes(event):
    """The names of the arrays that differ before and after one of EVENTS."""
    params, x = digits_mlp(), image(3)
    before = fingerprints(everything(params, x))
    if event == "another image":
        x = image(7)
    elif event == "a training step":
        params = step(params, squared_error_gradients(params, x[None], np.eye(10, dtype=np.float32)[[3]])[1], LR)
    elif event == "a new run":
        wider = 784, 32, 32, 10
        return changed(before, fingerprints(everything(init_mlp(wider, np.random.default_rng(0)), x, wider)))
    return changed(before, fingerprints(everything(params, x)))


def parameters_changed(event):
    """How many of the six arrays of weights and biases changed."""
    return sum(name.endswith(("weight", "bias")) for name in changes(event))
