"""Residual connections: a block adds to what it was given, x + f(x), instead of replacing it.

Going back, the sum hands the gradient on twice: through f, where it shrinks or grows, and untouched along the identity
path. However small the first part becomes, the second is still there.

Source: He et al. 2016, "Deep residual learning for image recognition", equation 1, https://arxiv.org/abs/1512.03385; He
et al. 2016, "Identity mappings in deep residual networks", equations 4 and 5, https://arxiv.org/abs/1603.05027
"""

import math

import numpy as np

from kb.shapes import checked
from kb.structure.layers import linear


# ---- one block ---------------------------------------------------------------------------------------------------
@checked
def residual(x, f):
    """What a block was given plus what it has to say about it: x + f(x).

    x (..., d) -> (..., d)

    Raises ValueError when f(x) has another shape than x: it would broadcast, or could not be added at all.
    """
    said = f(x)
    if said.shape != x.shape:
        raise ValueError(f"residual: f(x) has shape {said.shape}, expected that of x {x.shape}")
    return x + said


@checked
def residual_backward(grad, slope, weight):
    """The gradient before a block x + phi(W x + b): what came along the identity path, plus what came through phi.

    grad (..., d), slope (..., d), weight (d, d) -> (..., d)

    `grad` is the gradient after the block and `slope` is phi'(W x + b).
    """
    return grad + (grad * slope) @ weight


# ---- many blocks -------------------------------------------------------------------------------------------------
def init_stack(layers, width, rng, scale, dtype="float32"):
    """Normal weights (layers, width, width) of standard deviation scale / sqrt(width), and biases of 0.

    Such a matrix makes a vector `scale` times as long, on average over its square. With scale = 1 / sqrt(layers) all
    the branches of a residual stack together say about as much as its input.
    """
    weight = scale / math.sqrt(width) * rng.standard_normal((layers, width, width))
    return weight.astype(dtype), np.zeros((layers, width), dtype)


@checked
def forward_stack(x, weight, bias, activation, skip=True):
    """The numbers after each layer of a stack of equally wide ones: x + phi(W x + b), or phi(W x + b) without the skip.

    x (b, d), weight (l, d, d), bias (l, d) -> (l, b, d)
    """
    after = []
    for w, b in zip(weight, bias, strict=True):
        said = activation(linear(x, w, b))
        x = x + said if skip else said
        after.append(x)
    return np.stack(after)


@checked
def gradient_norms(x, weight, bias, grad, activation, slope, skip=True):
    """How long the gradient is in front of each layer of a stack, when it is `grad` behind the last one.

    x (b, d), weight (l, d, d), bias (l, d), grad (b, d) -> (l)

    First layer first; the length is taken over the whole batch. `slope` is the derivative of `activation`.
    """
    before = [x, *forward_stack(x, weight, bias, activation, skip)[:-1]]
    norms = []
    for i in range(len(before) - 1, -1, -1):
        steep = slope(linear(before[i], weight[i], bias[i]))
        grad = residual_backward(grad, steep, weight[i]) if skip else (grad * steep) @ weight[i]
        norms.append(np.sqrt(np.sum(grad * grad)))
    return np.stack(norms[::-1])
