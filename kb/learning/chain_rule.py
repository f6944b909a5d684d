"""The chain rule: the slope of a nested function is the product of the slopes of its parts, added up over all paths.

One neuron, z = w a_before + b and a = phi(z), judged by the cost C = (a - y)^2. From the weight w to the cost there is
one path, with three steps, and each has its own slope:

    dC/dw   =   dz/dw        *   da/dz            *   dC/da
                a_before         phi'(z)              2 (a - y)
                how active       how responsive       how wrong

Source: Rumelhart, Hinton and Williams 1986, "Learning representations by back-propagating errors", equations 4 to 7,
https://doi.org/10.1038/323533a0; Goodfellow, Bengio and Courville 2016, "Deep learning", section 6.5 (paths),
https://www.deeplearningbook.org/contents/mlp.html
"""

import math

import numpy as np

from kb.shapes import checked


# ---- one neuron per layer ----------------------------------------------------------------------------------------
@checked
def neuron_factors(sender, weight, bias, y, activation, slope):
    """The three factors of dC/dw for one neuron: how active its sender, how responsive it is, how wrong it is.

    sender (...), weight (...), bias (...), y (...) -> (...), (...), (...)

    dz/dw, da/dz and dC/da for the cost (a - y)^2; their product is dC/dw, and the last two alone make dC/db.
    `slope` is the derivative of `activation`.
    """
    z = weight * sender + bias
    return sender * np.ones_like(z), slope(z), 2 * (activation(z) - y)


@checked
def chain_factors(x, weight, bias, y, activation, slope):
    """The three factors for every weight of a network with one neuron per layer, from the first layer to the last.

    x (), weight (l), bias (l), y () -> (l), (l), (l)

    How active, how responsive, how wrong. Going back, each layer multiplies the error by da/da_before = phi'(z) w.
    """
    senders, slopes = [], []
    for w, b in zip(weight, bias, strict=True):
        z = w * x + b
        senders.append(x)
        slopes.append(slope(z))
        x = activation(z)
    errors = [2 * (x - y)]
    for i in range(len(slopes) - 1, 0, -1):
        errors.append(errors[-1] * slopes[i] * weight[i])
    return np.stack(senders), np.stack(slopes), np.stack(errors[::-1])


# ---- many neurons ------------------------------------------------------------------------------------------------
@checked
def layer_jacobian(slope, weight):
    """How each neuron of a layer answers to each of its senders: entry (i, j) is da_i / da_before_j = phi'(z_i) W_ij.

    slope (..., m), weight (m, n) -> (..., m, n)

    The steps of all paths through one layer. Multiplying the Jacobians of layers adds up the paths through them.
    """
    return np.expand_dims(slope, -1) * weight


def paths(error, jacobians, neuron):
    """Every path from one neuron to the cost: [(the neurons on it, the product of the derivatives along it)].

    `jacobians` holds the layer_jacobian of each later layer, first to last, and `error` dC/da of the outputs. The
    products sum to dC/da of the neuron. Their number is `count_paths`, so this is for looking, not for training.
    """
    if not jacobians:
        return [((neuron,), error[neuron])]
    here, *later = jacobians
    return [
        ((neuron, *path), here[receiver, neuron] * product)
        for receiver in range(len(here))
        for path, product in paths(error, later, receiver)
    ]


def count_paths(*sizes):
    """The number of paths from one neuron of the first layer to the cost: the product of the later layers' sizes."""
    return math.prod(sizes[1:])
