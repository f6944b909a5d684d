"""What the page on vanishing gradients measures: errors on their way back through 30 layers that read 100 digits."""

import functools
import math

import numpy as np

from kb.autograd.backward import backpropagate, tape
from kb.autograd.tensor import Tensor
from kb.data.digits import load_digits
from kb.foundations.residual_connections import residual
from kb.learning.cost_function import cross_entropy
from kb.learning.vanishing_gradients import gradient_norms
from kb.structure.activation_functions import relu, sigmoid, tanh, tanh_slope
from kb.structure.layers import linear

LAYERS, WIDTH = 30, 64
ACTIVATIONS = {"sigmoid": sigmoid, "tanh": tanh, "relu": relu}
# standard deviation of a weight, times the root of the width: Xavier's for sigmoid and tanh, He's for ReLU
SCALES = {"sigmoid": 1.0, "tanh": 1.0, "relu": math.sqrt(2)}


@functools.cache
def digits():
    """100 digits of 64 pixels, shifted and scaled to mean 0 and variance 1, and what they show."""
    data = load_digits(8, dtype=np.float64)
    x = data.images[:100].reshape(100, WIDTH)
    return (x - np.mean(x)) / np.std(x), data.labels[:100]


def weights(scale):
    """The weights of the hidden layers and of the last one: the same random numbers for every scale."""
    rng = np.random.default_rng(0)
    hidden = [scale / math.sqrt(WIDTH) * rng.standard_normal((WIDTH, WIDTH)) for _ in range(LAYERS)]
    return hidden, rng.standard_normal((10, WIDTH)) / math.sqrt(WIDTH)


def normalise(x):
    """Each example's numbers shifted and scaled to mean 0 and variance 1: layer normalisation, nothing learned yet."""
    centred = x - np.mean(x, axis=-1, keepdims=True)
    return centred / np.sqrt(np.mean(centred * centred, axis=-1, keepdims=True) + 1e-5)


@functools.cache
def measured(name, factor=1.0, normalised=False, skip=False):
    """The length of the error in front of each layer over that behind the last hidden one, first layer first.

    Weights of `factor` times the usual spread; each layer may read its input normalised, and may add to it.
    """
    hidden, last = weights(factor * SCALES[name])
    x, target = digits()
    a, fronts = Tensor(x), []
    for weight in hidden:
        fronts.append(a)
        block = functools.partial(_layer, weight=weight, activation=ACTIVATIONS[name], normalised=normalised)
        a = residual(a, block) if skip else block(a)
    fronts.append(a)
    cost = cross_entropy(linear(normalise(a) if normalised else a, last), target)
    errors = {id(t): g for t, g in backpropagate(tape(cost), np.ones(()))}
    lengths = np.array([np.sqrt(np.sum(errors[id(t)] ** 2)) for t in fronts])
    return lengths / lengths[-1]


def _layer(x, weight, activation, normalised):
    return activation(linear(normalise(x) if normalised else x, weight))


def tiny_gradients():
    """With tanh and halved weights: the length of the weights' gradient in the first and in the last hidden layer."""
    hidden, last = weights(0.5 * SCALES["tanh"])
    params = {f"{2 * i}.weight": weight for i, weight in enumerate([*hidden, last])}
    _, by_weight = gradient_norms(params, *digits(), tanh, tanh_slope)
    return by_weight[0], by_weight[-2]
