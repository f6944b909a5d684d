"""Torch twin of `kb.structure.nonlinearity`: the same names and arguments; runs where its tensors live."""

import functools

import torch

from kb.shapes import checked
from kb.torch.structure.layers import layer, linear


@checked
def merge(weight1, bias1, weight2, bias2):
    """The one layer that does the work of two with nothing between them.

    weight1 (d, n), bias1 (d), weight2 (m, d), bias2 (m) -> (m, n), (m)
    """
    return weight2 @ weight1, torch.addmv(bias2, weight2, bias1)


def collapse(layers):
    """The one layer that does the work of a whole stack with nothing between."""
    return functools.reduce(lambda first, second: merge(*first, *second), layers)


@checked
def xor_network(x, activation):
    """Are the two inputs different?

    x (..., 2) -> (...)
    """
    hidden = layer(x, x.new_tensor([[1, 1], [1, 1]]), x.new_tensor([0, -1]), activation)
    return linear(hidden, x.new_tensor([[1, -2]]), x.new_tensor([0]))[..., 0]


@checked
def best_linear_fit(x, y):
    """The weights and the bias with which x w + b comes closest to y.

    x (b, n), y (b) -> (n), ()
    """
    x_mean, y_mean = x.mean(0), y.mean()
    weight = torch.linalg.pinv(x - x_mean) @ (y - y_mean)  # torch's lstsq wants full rank on a GPU
    return weight, y_mean - x_mean @ weight


@checked
def fit_hidden_layer(x, y, width, activation):
    """What a network with one hidden layer answers when its output neuron is fitted to y as well as can be.

    x (b), y (b) -> (b)
    """
    steps = (x - x.min()) * (width / (x.max() - x.min()))
    places = torch.arange(width, dtype=x.dtype, device=x.device)
    hidden = layer(steps.unsqueeze(-1), x.new_ones((width, 1)), -places, activation)
    weight, bias = best_linear_fit(hidden, y)
    return hidden @ weight + bias
