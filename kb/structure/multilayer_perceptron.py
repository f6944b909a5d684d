"""The multilayer perceptron: layers of neurons in a row, each reading all of the one before it.

The series' network has sizes 784, 16, 16, 10 and a sigmoid after every layer.

Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", equation 12
(Xavier), https://proceedings.mlr.press/v9/glorot10a.html; He et al. 2015, "Delving deep into rectifiers", equation 10,
https://arxiv.org/abs/1502.01852; Guo et al. 2017, "On calibration of modern neural networks", equations 2 and 3,
https://arxiv.org/abs/1706.04599
"""

import math
from itertools import pairwise

import numpy as np

from kb.shapes import checked
from kb.structure.activation_functions import identity, sigmoid
from kb.structure.forward_pass import forward

SCHEMES = {
    "xavier": lambda n, m: math.sqrt(2 / (n + m)),
    "he": lambda n, m: math.sqrt(2 / n),
    "lecun": lambda n, m: math.sqrt(1 / n),
    "normal": lambda n, m: 1.0,
    "zeros": lambda n, m: 0.0,
}


# ---- sizes -------------------------------------------------------------------------------------------------------
def weights_per_layer(*sizes):
    """The number of weights in each layer: one per pair of a neuron and something it reads."""
    return [n * m for n, m in pairwise(sizes)]


def biases_per_layer(*sizes):
    """The number of biases in each layer: one per neuron; the input has none."""
    return list(sizes[1:])


def count_parameters(*sizes):
    """How many numbers training can change: all weights and all biases."""
    return sum(weights_per_layer(*sizes)) + sum(biases_per_layer(*sizes))


# ---- weights -----------------------------------------------------------------------------------------------------
def init_mlp(sizes, rng, scheme="xavier", dtype="float32"):
    """Weights to start training from: normal noise around 0, as wide as the scheme says, and biases of 0.

    The result is a flat dict with torch's names: "0.weight" (16, 784), "0.bias" (16), "2.weight" (16, 16), ...
    The standard deviation for a layer of m neurons with n inputs is
        xavier   sqrt(2 / (n + m))   keeps the variance of signals going forward and of gradients going back
        he       sqrt(2 / n)         makes up for the half that ReLU cuts off
        lecun    sqrt(1 / n)         keeps the variance of signals going forward
        normal   1                   saturates sigmoids: with 784 inputs z is about 28 times as wide as one input
        zeros    0                   all neurons of a layer stay equal for ever

    Raises ValueError for an unknown scheme or fewer than two sizes.
    """
    if scheme not in SCHEMES:
        raise ValueError(f"init_mlp: scheme is {scheme!r}, expected one of {', '.join(SCHEMES)}")
    if len(sizes) < 2:
        raise ValueError(f"init_mlp: sizes is {sizes}, expected the number of inputs and at least one layer")
    params = {}
    for i, (n, m) in enumerate(pairwise(sizes)):  # drawn as (n, m): the W^T of x W^T is then contiguous, and faster
        params[f"{2 * i}.weight"] = (SCHEMES[scheme](n, m) * rng.standard_normal((n, m))).astype(dtype).T
        params[f"{2 * i}.bias"] = np.zeros(m, dtype)
    return params


# ---- the network -------------------------------------------------------------------------------------------------
@checked
def mlp(params, x):
    """The activations of the last layer: ten scores in 0..1, one per digit, that need not sum to 1.

    params {}, x (..., n) -> (..., m)
    """
    return forward(params, x, sigmoid)


@checked
def mlp_logits(params, x):
    """The same network before its last sigmoid: scores of any size, which a softmax turns into probabilities.

    params {}, x (..., n) -> (..., m)
    """
    return forward(params, x, sigmoid, identity)


@checked
def predict(params, x):
    """The digit with the highest score. How far it leads is thrown away.

    params {}, x (..., n) -> (...)
    """
    return np.argmax(mlp_logits(params, x), axis=-1)


# ---- calibration -------------------------------------------------------------------------------------------------
@checked
def reliability_diagram(confidence, correct, bins=10):
    """Of the answers given with about this confidence, how many were right: per bin, (confidence, accuracy, count).

    confidence (b), correct (b) -> (k), (k), (k)

    `confidence` lies in 0..1 and `correct` is True or False; the bins are equally wide. Confidence and accuracy are
    means, 0 in a bin without answers. A calibrated network has the two equal in every bin.
    """
    if not np.all((confidence >= 0) & (confidence <= 1)):
        raise ValueError("reliability_diagram: confidence must lie in 0..1")
    index = np.clip(np.ceil(confidence * bins) - 1, 0, bins - 1)  # the bin (i / bins, (i + 1) / bins]
    inside = (index == np.expand_dims(np.arange(bins), -1)).astype(confidence.dtype)  # (bins, b)
    count = np.sum(inside, axis=-1)
    some = np.maximum(count, 1)
    return inside @ confidence / some, inside @ correct / some, count


@checked
def expected_calibration_error(confidence, correct, bins=10):
    """The gap between confidence and accuracy, averaged over the answers: 0 for a network whose 80 % means 80 %.

    confidence (b), correct (b) -> ()
    """
    mean_confidence, accuracy, count = reliability_diagram(confidence, correct, bins)
    return count / len(confidence) @ np.abs(accuracy - mean_confidence)
