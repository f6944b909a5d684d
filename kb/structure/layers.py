"""A layer is m neurons that read the same n inputs: one m x n matrix, one row per neuron, and one vector of biases.

Source: the layout is that of `torch.nn.Linear`, https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html
"""

from kb.shapes import checked


@checked
def linear(x, weight, bias=None):
    """The pre-activations of a whole layer: every row of `weight` is one neuron's weights, and W x + b does them all.

    x (..., n), weight (m, n), bias (m) -> (..., m)

    A batch of inputs is one row each, so that W x becomes x W^T: one matrix product for all neurons and all inputs.
    """
    z = x @ weight.T
    return z if bias is None else z + bias


@checked
def layer(x, weight, bias, activation):
    """The activations of a whole layer: a = phi(W x + b).

    x (..., n), weight (m, n), bias (m) -> (..., m)
    """
    return activation(linear(x, weight, bias))
