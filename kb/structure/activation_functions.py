"""Activation functions: what a neuron makes of its weighted sum. Without one, a stack of layers is a single layer.

Every function works element by element; its slope, the derivative, says how responsive the neuron is at that point.

Source: Rumelhart, Hinton and Williams 1986, "Learning representations by back-propagating errors", equation 2
(sigmoid), https://doi.org/10.1038/323533a0; Nair and Hinton 2010, "Rectified linear units improve restricted Boltzmann
machines" (ReLU), https://www.cs.toronto.edu/~hinton/absps/reluICML.pdf
"""

import numpy as np

from kb.shapes import checked


@checked
def identity(x):
    """No activation: what the last layer uses when its scores are wanted as they are.

    x (...) -> (...)
    """
    return x


@checked
def sigmoid(x):
    """How far a neuron is switched on: 1 / (1 + e^-x), from 0 (off) over 1/2 at x = 0 to 1 (on).

    x (...) -> (...)

    Any finite x; the result lies in 0..1. It is the share of the score x against the score 0 in a softmax, and is
    computed that way: with the larger of the two subtracted, no power of e can overflow.
    """
    largest = np.maximum(x, 0)
    on = np.exp(x - largest)
    return on / (on + np.exp(-largest))


@checked
def sigmoid_slope(x):
    """How responsive a sigmoid is at x: at most 1/4 (at 0), and nearly 0 where it is saturated.

    x (...) -> (...)
    """
    a = sigmoid(x)
    return a * (1 - a)


@checked
def relu(x):
    """What is left of x when everything below zero is cut off.

    x (...) -> (...)

    The result is at least 0.
    """
    return np.maximum(x, 0)


@checked
def relu_slope(x):
    """How responsive a ReLU is at x: 1 where x > 0, else 0; at 0 itself, where it has a corner, 0 as in torch.

    x (...) -> (...)
    """
    return np.heaviside(x, 0.0)


@checked
def tanh(x):
    """A sigmoid stretched to -1..1, so that its results centre on 0: tanh(x) = 2 sigmoid(2x) - 1.

    x (...) -> (...)
    """
    return np.tanh(x)


@checked
def tanh_slope(x):
    """How responsive tanh is at x: 1 at 0, and nearly 0 where it is saturated.

    x (...) -> (...)
    """
    a = np.tanh(x)
    return 1 - a * a
