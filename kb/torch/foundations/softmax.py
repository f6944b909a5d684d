"""Torch twin of `kb.foundations.softmax`: the same names and arguments; runs where its tensors live."""

import torch

from kb.shapes import checked


@checked
def softmax(x, axis=-1):
    """The share of each score.

    x (...) -> (...)
    """
    return torch.softmax(x, axis)


@checked
def log_softmax(x, axis=-1):
    """The logarithm of softmax.

    x (...) -> (...)
    """
    return torch.log_softmax(x, axis)


@checked
def logsumexp(x, axis=None, keepdims=False):
    """The smooth maximum: log(sum(e^x)) along `axis`.

    x (...) -> (...)
    """
    return torch.logsumexp(x, tuple(range(x.ndim)) if axis is None else axis, keepdim=keepdims)


@checked
def softmax_jacobian(p):
    """How each share moves when each score moves: diag(p) - p p^T.

    p (..., n) -> (..., n, n)
    """
    return torch.diag_embed(p) - p.unsqueeze(-1) * p.unsqueeze(-2)


@checked
def softmax_backward(grad, p):
    """The gradient with respect to the scores, from the gradient with respect to the shares.

    grad (..., n), p (..., n) -> (..., n)
    """
    return p * (grad - (grad * p).sum(-1, keepdim=True))
