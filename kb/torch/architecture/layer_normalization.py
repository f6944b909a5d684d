"""Torch twin of `kb.architecture.layer_normalization`: the same names and arguments; runs where its tensors live."""

import functools

import torch
from torch.nn import functional as F

from kb.shapes import checked


@checked
def layer_norm(x, weight=None, bias=None, eps=1e-5):
    """Each vector to mean 0 and variance 1, then weight * that + bias.

    x (..., d), weight (d), bias (d) -> (..., d)
    """
    return F.layer_norm(x, x.shape[-1:], weight, bias, eps)


@checked
def rms_norm(x, weight=None, eps=None):
    """Each vector divided by the root of its mean square.

    x (..., d), weight (d) -> (..., d)
    """
    return F.rms_norm(x, x.shape[-1:], weight, eps)


@checked
def layer_norm_backward(grad, x, weight, eps=1e-5):
    """The gradients with respect to x, weight and bias.

    grad (..., d), x (..., d), weight (d) -> (..., d), (d), (d)
    """
    norm = functools.partial(layer_norm, eps=eps)
    return torch.func.vjp(norm, x, weight, torch.zeros_like(weight))[1](grad)


@checked
def group_norm(x, num_groups, weight=None, bias=None, eps=1e-5):
    """Layer norm over groups of channels.

    x (n, c, ...), weight (c), bias (c) -> (n, c, ...)
    """
    return F.group_norm(x, num_groups, weight, bias, eps)


@checked
def batch_norm(x, running_mean=None, running_var=None, weight=None, bias=None, training=False, eps=1e-5):
    """Each channel to mean 0 and variance 1 over all examples and places, or by the running mean and variance.

    x (n, c, ...), running_mean (c), running_var (c), weight (c), bias (c) -> (n, c, ...)

    Torch's function also changes the running ones in place while it trains; here `running_statistics` gives new ones.
    """
    if training:
        running_mean = running_var = None
    return F.batch_norm(x, running_mean, running_var, weight, bias, training, eps=eps)


@checked
def batch_statistics(x):
    """The mean and the variance of each channel.

    x (n, c, ...) -> (c), (c)
    """
    var, mean = torch.var_mean(x.transpose(0, 1).flatten(1), -1, correction=0)
    return mean, var


@checked
def running_statistics(x, running_mean, running_var, momentum=0.1):
    """The old mean and variance, moved a little towards the batch's.

    x (n, c, ...), running_mean (c), running_var (c) -> (c), (c)
    """
    var, mean = torch.var_mean(x.transpose(0, 1).flatten(1), -1)
    return running_mean.lerp(mean, momentum), running_var.lerp(var, momentum)


@checked
def pre_norm(x, sublayer, weight=None, bias=None, eps=1e-5):
    """x + sublayer(norm(x)).

    x (..., d), weight (d), bias (d) -> (..., d)
    """
    return x + sublayer(layer_norm(x, weight, bias, eps))


@checked
def post_norm(x, sublayer, weight=None, bias=None, eps=1e-5):
    """norm(x + sublayer(x)).

    x (..., d), weight (d), bias (d) -> (..., d)
    """
    return layer_norm(x + sublayer(x), weight, bias, eps)
