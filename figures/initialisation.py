"""What the start does to a network: how large signals become on the way through, and how training goes from there."""

import functools

import numpy as np

from kb.data.digits import load_digits, split
from kb.learning.backpropagation import squared_error_gradients
from kb.learning.stochastic_gradient_descent import train
from kb.structure.activation_functions import relu, sigmoid, sigmoid_slope
from kb.structure.forward_pass import forward_all
from kb.structure.multilayer_perceptron import init_mlp, predict

SIZES, EPOCHS, LR, BATCH_SIZE = (784, 16, 16, 10), 40, 0.5, 32


@functools.cache
def digits():
    """Rows of 784 pixels and labels, to train on and held out."""
    return [(part.images.reshape(len(part), -1), part.labels) for part in split(load_digits(28))]


@functools.cache
def trained(scheme, seed=0):
    """The digit network after 40 epochs from this start, and the cost of each epoch."""
    (x, labels), _ = digits()
    rng, y = np.random.default_rng(seed), np.eye(10, dtype=np.float32)[labels]
    params, costs = train(squared_error_gradients, init_mlp(SIZES, rng, scheme), x, y, LR, EPOCHS, BATCH_SIZE, rng)
    return params, costs.reshape(EPOCHS, -1).mean(axis=1)


def read_rightly(scheme, seed=0):
    """The share of held-out digits that it then reads rightly."""
    x, labels = digits()[1]
    return np.mean(predict(trained(scheme, seed)[0], x) == labels)


def different_neurons(scheme, layer="0"):
    """How many different neurons a trained layer has: rows of weights that are not copies, up to rounding."""
    return len(np.unique(trained(scheme)[0][f"{layer}.weight"].round(5), axis=0))


def first_layer(scheme):
    """How widely z is spread in the first hidden layer before training, and the mean slope of its sigmoids there."""
    record = forward_all(init_mlp(SIZES, np.random.default_rng(0), scheme), digits()[0][0], sigmoid)
    return record["z1"].std(), sigmoid_slope(record["z1"]).mean()


@functools.cache
def sizes_by_depth(scheme, depth=20, width=256):
    """The root mean square of the activations after each of 20 ReLU layers; the input has 1."""
    params = init_mlp((width,) * (depth + 1), np.random.default_rng(0), scheme, "float64")
    x = np.random.default_rng(1).standard_normal((200, width))
    record = forward_all(params, x, relu)
    return np.array([np.sqrt(np.mean(record[f"a{i}"] ** 2)) for i in range(depth + 1)])
