"""Torch twin of `kb.foundations.residual_connections`: the gradients are torch's own; runs where its tensors live."""

import torch
from torch.nn import functional as F

from kb.shapes import checked

WITHOUT_A_TWIN = {"init_stack": "draws from a NumPy generator; hand its arrays to torch"}


@checked
def residual(x, f):
    """What a block was given plus what it has to say about it: x + f(x).

    x (..., d) -> (..., d)
    """
    said = f(x)
    if said.shape != x.shape:
        raise ValueError(f"residual: f(x) has shape {tuple(said.shape)}, expected that of x {tuple(x.shape)}")
    return x + said


@checked
def residual_backward(grad, slope, weight):
    """The gradient before a block x + phi(W x + b): what came along the identity path, plus what came through phi.

    grad (..., d), slope (..., d), weight (d, d) -> (..., d)
    """
    return grad + F.linear(grad * slope, weight.mT)


@checked
def forward_stack(x, weight, bias, activation, skip=True):
    """The numbers after each layer of a stack of equally wide ones: x + phi(W x + b), or phi(W x + b) without the skip.

    x (b, d), weight (l, d, d), bias (l, d) -> (l, b, d)
    """
    after = []
    for w, b in zip(weight, bias, strict=True):
        said = activation(F.linear(x, w, b))
        x = x + said if skip else said
        after.append(x)
    return torch.stack(after)


@checked
def gradient_norms(x, weight, bias, grad, activation, slope, skip=True):
    """How long the gradient is in front of each layer of a stack, when it is `grad` behind the last one.

    x (b, d), weight (l, d, d), bias (l, d), grad (b, d) -> (l)

    torch differentiates the activation itself: `slope` is not used.
    """
    before = [x.detach().requires_grad_()]
    for w, b in zip(weight, bias, strict=True):
        said = activation(F.linear(before[-1], w, b))
        before.append(before[-1] + said if skip else said)
    return torch.stack([g.norm() for g in torch.autograd.grad(before[-1], before[:-1], grad)])
