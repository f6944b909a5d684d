"""Vanishing and exploding gradients: going back, every layer multiplies the error, and factors a little off 1 add up.

In front of a layer z = W a + b, phi(z) the error is W^T (phi'(z) * the error behind it). Its length changes by the
layer's `gain`: after l layers that is about gain^l, which is near nothing or astronomical unless the gain is near 1.

Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", section
4.2.1, https://proceedings.mlr.press/v9/glorot10a.html; He et al. 2015, "Delving deep into rectifiers", section 2.2,
https://arxiv.org/abs/1502.01852
"""

import numpy as np

from kb.learning.cost_function import cross_entropy_backward
from kb.shapes import checked
from kb.structure.activation_functions import identity
from kb.structure.forward_pass import forward_all, layer_names


@checked
def gain(slope, weight):
    """How many times as long a layer makes the error on its way back, on average over all directions of the error.

    slope (..., m), weight (m, n) -> (...)

    `slope` is phi'(z). The average is that of the squared length: the sum of all (phi'(z_i) W_ij)^2, divided by m, and
    the root of it. For random weights of standard deviation s that is about s sqrt(n) times the typical slope.
    """
    return np.sqrt(np.mean(slope * slope * np.sum(weight * weight, axis=-1), axis=-1))


@checked
def gradient_norms(params, x, target, activation, slope):
    """How long the error is in front of each layer of a classifier, and how long the gradient of the layer's weights.

    params {}, x (b, n), target (b) -> (l), (l)

    First layer first, lengths over the whole batch, for the mean cross-entropy of the last layer's scores. `slope` is
    the derivative of `activation`, which follows every layer but the last.
    """
    record, names = forward_all(params, x, activation, identity), layer_names(params)
    blame = cross_entropy_backward(record[f"z{len(names)}"], target) / len(x)
    errors, weights = [], []
    for i in range(len(names), 0, -1):
        error = blame @ params[f"{names[i - 1]}.weight"]
        errors.append(_length(error))
        weights.append(_length(blame.T @ record[f"a{i - 1}"]))
        blame = error * slope(record[f"z{i - 1}"]) if i > 1 else None
    return np.stack(errors[::-1]), np.stack(weights[::-1])


def _length(x):
    return np.sqrt(np.sum(x * x))


def layers_until(factor, gain):
    """After how many layers of the same gain an error has changed by `factor`, such as 1/1000.

    A whole number; the gain must lie on the same side of 1 as the factor. Raises ValueError where it does not.
    """
    if (factor - 1) * (gain - 1) <= 0:
        raise ValueError(f"layers_until: a gain of {gain} never gives the factor {factor}")
    return int(np.ceil(np.log(factor) / np.log(gain)))
