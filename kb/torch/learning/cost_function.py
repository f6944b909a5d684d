"""Torch twin of `kb.learning.cost_function`: the same names and arguments; runs where its tensors live."""

import torch
from torch.nn import functional as F

from kb.shapes import checked


@checked
def squared_error(a, y):
    """How wrong each answer is: the sum over outputs j of (a_j - y_j)^2.

    a (..., m), y (..., m) -> (...)
    """
    return (a - y).square().sum(-1)


@checked
def squared_error_backward(a, y):
    """How each answer should change: 2 (a - y).

    a (..., m), y (..., m) -> (..., m)
    """
    return 2 * (a - y)


@checked
def cost(a, y):
    """How wrong the network is: the average of squared_error over all examples.

    a (..., m), y (..., m) -> ()
    """
    return squared_error(a, y).mean()


@checked
def mse_loss(x, y, reduction="mean"):
    """The squared difference, averaged over every entry.

    x (...), y (...) -> ()
    """
    return F.mse_loss(x, y, reduction=reduction)


@checked
def cross_entropy(logits, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    """How surprised the model is by the right classes. An average over nothing is nan here.

    logits (n, v, ...), target (n, ...), weight (v) -> ()
    """
    return F.cross_entropy(
        logits, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
    )


@checked
def nll_loss(log_p, target, weight=None, ignore_index=-100, reduction="mean"):
    """The negative log-likelihood.

    log_p (n, v, ...), target (n, ...), weight (v) -> ()
    """
    return F.nll_loss(log_p, target, weight, ignore_index=ignore_index, reduction=reduction)


@checked
def perplexity(logits, target, ignore_index=-100):
    """Among how many equally likely classes the model is in doubt.

    logits (n, v, ...), target (n, ...) -> ()
    """
    return F.cross_entropy(logits, target, ignore_index=ignore_index).exp()


@checked
def cross_entropy_backward(logits, target):
    """How each score should change: p - y.

    logits (n, v, ...), target (n, ...) -> (n, v, ...)
    """
    return logits.softmax(1) - F.one_hot(target, logits.shape[1]).movedim(-1, 1)


@checked
def sigmoid_squared_error_backward(z, y):
    """The gradient of (sigmoid(z) - y)^2 with respect to z.

    z (...), y (...) -> (...)
    """
    a = torch.sigmoid(z)
    return 2 * (a - y) * a * (1 - a)


@checked
def sigmoid_cross_entropy_backward(z, y):
    """The gradient of -y log(a) - (1 - y) log(1 - a), a = sigmoid(z), with respect to z.

    z (...), y (...) -> (...)
    """
    return torch.sigmoid(z) - y
