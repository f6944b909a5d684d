"""What the residual connections page measures: a gradient of length 1, sent back through 100 layers of 64 neurons."""

import functools

import numpy as np

from kb.foundations.residual_connections import gradient_norms, init_stack
from kb.structure.activation_functions import tanh, tanh_slope

LAYERS, WIDTH, BATCH = 100, 64, 32


@functools.cache
def stack_norms(scale, skip=True, dtype="float64"):
    """The length of the gradient in front of each layer; the weights lengthen a vector `scale` times on average."""
    rng = np.random.default_rng(0)
    weight, bias = init_stack(LAYERS, WIDTH, rng, scale, dtype)
    x, grad = rng.standard_normal((2, BATCH, WIDTH))
    grad = grad / np.sqrt(np.sum(grad * grad))
    return gradient_norms(x.astype(dtype), weight, bias, grad.astype(dtype), tanh, tanh_slope, skip)
