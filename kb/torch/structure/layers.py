"""Torch twin of `kb.structure.layers`: the same names and arguments; runs where its tensors live."""

from torch.nn import functional as F

from kb.shapes import checked


@checked
def linear(x, weight, bias=None):
    """The pre-activations of a whole layer: W x + b.

    x (..., n), weight (m, n), bias (m) -> (..., m)
    """
    return F.linear(x, weight, bias)


@checked
def layer(x, weight, bias, activation):
    """The activations of a whole layer: a = phi(W x + b).

    x (..., n), weight (m, n), bias (m) -> (..., m)
    """
    return activation(F.linear(x, weight, bias))
