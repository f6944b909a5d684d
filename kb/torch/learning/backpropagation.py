"""Torch twin of `kb.learning.backpropagation`: the gradients come from torch's own automatic differentiation."""

import torch
from torch.nn import functional as F

from kb.shapes import checked
from kb.structure.forward_pass import layer_names
from kb.torch.learning.cost_function import cost as squared_error_cost
from kb.torch.structure.multilayer_perceptron import mlp, mlp_logits

WITHOUT_A_TWIN = {
    "finite_difference": "for comparison only, in NumPy",
    "finite_difference_gradient": "for comparison only, in NumPy",
    "backward_flops": "counts; there is no array in it",
}


@checked
def bias_lever(error, slope):
    """How the cost answers to each neuron's bias.

    error (..., m), slope (..., m) -> (..., m)
    """
    return error * slope


@checked
def weight_lever(error, slope, sender):
    """How the cost answers to each weight.

    error (..., m), slope (..., m), sender (..., n) -> (..., m, n)
    """
    return torch.einsum("...m,...n->...mn", error * slope, sender)


@checked
def sender_paths(error, slope, weight):
    """How the cost answers to each sender's activation along each single path.

    error (..., m), slope (..., m), weight (m, n) -> (..., m, n)
    """
    return torch.einsum("...m,mn->...mn", error * slope, weight)


@checked
def sender_lever(error, slope, weight):
    """How the cost answers to each sender's activation.

    error (..., m), slope (..., m), weight (m, n) -> (..., n)
    """
    return F.linear(error * slope, weight.T)


@checked
def backward(params, record, blame):
    """The gradient with respect to every weight and bias of a sigmoid network, summed over the batch.

    params {}, record {}, blame (b, m) -> {}
    """
    grads = {}
    for i, name in reversed(list(enumerate(layer_names(params), 1))):
        sender = record[f"a{i - 1}"]
        grads[f"{name}.weight"] = blame.T @ sender
        grads[f"{name}.bias"] = blame.sum(0)
        if i > 1:
            blame = (blame @ params[f"{name}.weight"]) * (sender * (1 - sender))
    return {name: grads[name] for name in params}


@checked
def squared_error_gradients(params, x, y):
    """The cost of the series' network on a batch, and its gradient.

    params {}, x (b, n), y (b, m) -> (), {}
    """
    return _value_and_grad(lambda leaves: squared_error_cost(mlp(leaves, x), y), params)


@checked
def cross_entropy_gradients(params, x, target):
    """The loss of the same network with a softmax instead of the last sigmoid, and its gradient.

    params {}, x (b, n), target (b) -> (), {}
    """
    return _value_and_grad(lambda leaves: F.cross_entropy(mlp_logits(leaves, x), target), params)


def _value_and_grad(loss, params):
    leaves = {name: value.detach().requires_grad_() for name, value in params.items()}
    value = loss(leaves)
    grads = torch.autograd.grad(value, list(leaves.values()))
    return value.detach(), dict(zip(leaves, grads, strict=True))
