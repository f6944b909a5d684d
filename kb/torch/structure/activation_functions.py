"""Torch twin of `kb.structure.activation_functions`: the same names and arguments; runs where its tensors live."""

import torch

from kb.shapes import checked


@checked
def identity(x):
    """No activation.

    x (...) -> (...)
    """
    return x


@checked
def sigmoid(x):
    """How far a neuron is switched on: 1 / (1 + e^-x).

    x (...) -> (...)
    """
    return torch.sigmoid(x)


@checked
def sigmoid_slope(x):
    """How responsive a sigmoid is at x.

    x (...) -> (...)
    """
    a = torch.sigmoid(x)
    return a * (1 - a)


@checked
def relu(x):
    """What is left of x when everything below zero is cut off.

    x (...) -> (...)
    """
    return torch.relu(x)


@checked
def relu_slope(x):
    """How responsive a ReLU is at x: 1 where x > 0, else 0.

    x (...) -> (...)
    """
    return torch.heaviside(x, x.new_zeros(()))


@checked
def tanh(x):
    """A sigmoid stretched to -1..1.

    x (...) -> (...)
    """
    return torch.tanh(x)


@checked
def tanh_slope(x):
    """How responsive tanh is at x.

    x (...) -> (...)
    """
    a = torch.tanh(x)
    return 1 - a * a
