"""Why nonlinearity: layers with nothing between them are one layer, and one layer cannot even compute XOR.

Source: Minsky and Papert 1969, "Perceptrons" (XOR and its relatives); Leshno, Lin, Pinkus and Schocken 1993,
"Multilayer feedforward networks with a nonpolynomial activation function can approximate any function", theorem 1,
https://doi.org/10.1016/S0893-6080(05)80131-5
"""

import functools

import numpy as np

from kb.shapes import checked
from kb.structure.layers import layer, linear


@checked
def merge(weight1, bias1, weight2, bias2):
    """The one layer that does the work of two with nothing between them: W2 (W1 x + b1) + b2 = W2 W1 x + (W2 b1 + b2).

    weight1 (d, n), bias1 (d), weight2 (m, d), bias2 (m) -> (m, n), (m)
    """
    return weight2 @ weight1, weight2 @ bias1 + bias2


def collapse(layers):
    """The one layer that does the work of a whole stack with nothing between: `layers` is a list of (weight, bias)."""
    return functools.reduce(lambda first, second: merge(*first, *second), layers)


@checked
def xor_network(x, activation):
    """Are the two inputs different? One hidden neuron counts the ones, the other notices a second one.

    x (..., 2) -> (...)

    With ReLU and inputs 0 or 1 the answer is 1 for yes, 0 for no: the count, minus 2 for a second one. With any other
    `activation` the weights stay, and the answer is another.
    """
    count_and_second = np.array([[1, 1], [1, 1]], x.dtype), np.array([0, -1], x.dtype)
    weight, bias = np.array([[1, -2]], x.dtype), np.array([0], x.dtype)
    return linear(layer(x, *count_and_second, activation), weight, bias)[..., 0]


@checked
def best_linear_fit(x, y):
    """The weights and the bias with which x w + b comes closest to y, in the sum of the squared errors.

    x (b, n), y (b) -> (n), ()

    Where several are equally close, the shortest w. No training can do better with this one neuron.
    """
    x_mean, y_mean = np.mean(x, axis=0), np.mean(y)
    rounding = max(x.shape) * np.finfo(x.dtype).eps  # NumPy would take float64's, and fit the rounding of a float32 x
    weight = np.linalg.lstsq(x - x_mean, y - y_mean, rcond=rounding)[0]
    return weight, y_mean - x_mean @ weight


@checked
def fit_hidden_layer(x, y, width, activation):
    """What a network with one hidden layer answers at each x when its output neuron is fitted to y as well as can be.

    x (b), y (b) -> (b)

    Hidden neuron k has z = (x - t_k) / h, with `width` places t_k from the least x on, h apart: a ReLU bends there.
    Only the output neuron is fitted; training the hidden ones too could only come closer.
    """
    steps = (x - np.min(x)) * (width / (np.max(x) - np.min(x)))  # (x - t_0) / h
    hidden = layer(
        np.expand_dims(steps, -1), np.ones((width, 1), x.dtype), -np.arange(width, dtype=x.dtype), activation
    )
    weight, bias = best_linear_fit(hidden, y)
    return hidden @ weight + bias
