"""Backpropagation: start with the error at the output and pass the blame back, layer by layer.

What one layer contributes, with z = W a + b, its activation phi(z) and the error dC/dphi(z) that reaches it:

    blame        dC/dz = error * phi'(z)          how wrong the neuron is, times how responsive it is
    its bias     dC/db = blame                    the first lever
    its weights  dC/dW = blame x a                the second, in proportion to how active the sender is
    its senders  dC/da = W^T blame                the third, in proportion to the weights: the error one layer back

Source: Rumelhart, Hinton and Williams 1986, "Learning representations by back-propagating errors", equations 4 to 7,
https://doi.org/10.1038/323533a0
"""

from itertools import pairwise

import numpy as np

from kb.learning.cost_function import cost, cross_entropy, cross_entropy_backward, squared_error_backward
from kb.shapes import checked
from kb.structure.activation_functions import identity, sigmoid
from kb.structure.forward_pass import forward_all, layer_names


# ---- the three levers of one layer -------------------------------------------------------------------------------
@checked
def bias_lever(error, slope):
    """How the cost answers to each neuron's bias: how wrong the neuron is, times how responsive it is.

    error (..., m), slope (..., m) -> (..., m)

    `error` is dC/da, `slope` is phi'(z), both of the receiving neurons.
    """
    return error * slope


@checked
def weight_lever(error, slope, sender):
    """How the cost answers to each weight: how wrong the receiver, how responsive it, how active the sender.

    error (..., m), slope (..., m), sender (..., n) -> (..., m, n)

    In proportion to the sender's activation: a weight from a silent neuron changes nothing.
    """
    return np.expand_dims(error * slope, -1) * np.expand_dims(sender, -2)


@checked
def sender_paths(error, slope, weight):
    """How the cost answers to each sender's activation along each single path, through receiver i.

    error (..., m), slope (..., m), weight (m, n) -> (..., m, n)
    """
    return np.expand_dims(error * slope, -1) * weight


@checked
def sender_lever(error, slope, weight):
    """How the cost answers to each sender's activation, in proportion to the weights: the paths added up.

    error (..., m), slope (..., m), weight (m, n) -> (..., n)

    This is the error of the senders, with which the same three levers work one layer further back.
    """
    return (error * slope) @ weight


# ---- the whole network, a batch at a time ------------------------------------------------------------------------
@checked
def backward(params, record, blame):
    """The gradient with respect to every weight and bias of a sigmoid network, summed over the batch.

    params {}, record {}, blame (b, m) -> {}

    `record` is what forward_all computed, `blame` the gradient with respect to z of the last layer. A layer's slope
    a (1 - a) needs no second look at z: the activation is already there.
    """
    names, ones, grads = layer_names(params), np.ones(len(blame), blame.dtype), {}
    for i in range(len(names), 0, -1):
        name, sender = names[i - 1], record[f"a{i - 1}"]
        grads[f"{name}.weight"] = (sender.T @ blame).T  # blame^T sender, in the order that BLAS does fastest
        grads[f"{name}.bias"] = ones @ blame  # the sum over the batch
        if i > 1:
            blame = (blame @ params[f"{name}.weight"]) * (sender * (1 - sender))
    return {name: grads[name] for name in params}


@checked
def squared_error_gradients(params, x, y):
    """The cost of the series' network on a batch, and its gradient: sigmoids everywhere, squared error at the end.

    params {}, x (b, n), y (b, m) -> (), {}

    `y` holds the wanted activations, 1 for the right digit and 0 for the others.
    """
    record = forward_all(params, x, sigmoid)
    *_, a = record.values()
    blame = squared_error_backward(a, y) * (a * (1 - a) / len(x))
    return cost(a, y), backward(params, record, blame)


@checked
def cross_entropy_gradients(params, x, target):
    """The loss of the same network with a softmax instead of the last sigmoid, and its gradient.

    params {}, x (b, n), target (b) -> (), {}

    `target` holds the number of the right class. The blame at the output is p - y, without the slope of a sigmoid.
    """
    record = forward_all(params, x, sigmoid, identity)
    *_, logits = record.values()
    blame = cross_entropy_backward(logits, target) / len(x)
    return cross_entropy(logits, target), backward(params, record, blame)


# ---- the slow way, for comparison --------------------------------------------------------------------------------
def finite_difference(f, params, name, index, h=1e-5):
    """How f(params) answers to the one number `params[name][index]`: nudge it up and down by h, and look twice.

    The error is of order h^2, plus f's rounding error divided by h: in float32 too much, so use float64.
    """
    nudge = np.zeros_like(params[name])
    nudge[index] = h
    up, down = {**params, name: params[name] + nudge}, {**params, name: params[name] - nudge}
    return (f(up) - f(down)) / (2 * h)


def finite_difference_gradient(f, params, h=1e-5):
    """The gradient of f(params) without backpropagation: two forward passes for each number in the dict."""
    return {
        name: np.reshape([finite_difference(f, params, name, i, h) for i in np.ndindex(p.shape)], p.shape)
        for name, p in params.items()
    }


# ---- what it costs -----------------------------------------------------------------------------------------------
def backward_flops(*sizes, batch=1):
    """The additions and multiplications of a backward pass: per layer two matrix products of the forward pass's size.

    One gives the gradient of the weights, one the error of the layer before. The first layer needs no second one,
    since nobody asks for the error of the pixels: in a network that is widest at its input that saves nearly half.
    """
    per_layer = [2 * batch * n * m for n, m in pairwise(sizes)]
    return 2 * sum(per_layer) - per_layer[0]
