"""Stochastic gradient descent: each step looks at a small random sample of the data, a mini-batch, not at all of it.

The sample's gradient is right on average, whatever its size, and wrong by chance each time: by how much falls with the
root of the size, while the work of a step rises with the size itself.

Source: Robbins and Monro 1951, "A stochastic approximation method", https://doi.org/10.1214/aoms/1177729586;
Bottou, Curtis and Nocedal 2018, "Optimization methods for large-scale machine learning", sections 3 and 4,
https://arxiv.org/abs/1606.04838
"""

import math

import numpy as np

from kb.learning.gradient_descent import step
from kb.shapes import checked
from kb.structure.forward_pass import layer_names


# ---- the method --------------------------------------------------------------------------------------------------
def minibatches(n, batch_size, rng):
    """The numbers 0..n-1 in random order, cut into batches: one epoch, in which each example comes up once.

    The last batch is smaller where batch_size does not divide n. Raises ValueError for a batch_size below 1.
    """
    if batch_size < 1:
        raise ValueError(f"minibatches: batch_size is {batch_size}, expected at least 1")
    order = rng.permutation(n)
    return [order[start : start + batch_size] for start in range(0, n, batch_size)]


@checked
def train(gradients, params, x, y, lr, epochs, batch_size, rng, progress=None):
    """The weights after `epochs` passes over the data, and the cost of each step's batch on the way.

    params {}, x (n, d), y (n, ...) -> {}, (i)

    `gradients(params, x, y)` gives a batch's cost and gradient, such as squared_error_gradients. `progress` wraps the
    list of steps, as tqdm and kb.data.progress do.
    """
    steps = [batch for _ in range(epochs) for batch in minibatches(len(x), batch_size, rng)]
    costs = []
    for batch in steps if progress is None else progress(steps):
        value, grads = gradients(params, x[batch], y[batch])
        params = step(params, grads, lr)
        costs.append(value)
    return params, np.array(costs)


@checked
def sgd_step(params, x, y, lr):
    """A training step of the series' network from end to end: the weights after it, and the batch's cost before it.

    params {}, x (b, n), y (b, m) -> {}, ()

    The same as squared_error_gradients and step together, for the sake of speed in one place and without names for
    what lies between. The learning rate goes in once, at the output, instead of into every gradient.
    """
    names, senders = layer_names(params), [x]
    for name in names:
        z = senders[-1] @ params[f"{name}.weight"].T + params[f"{name}.bias"]
        senders.append(0.5 * np.tanh(0.5 * z) + 0.5)  # the sigmoid, in a form that cannot overflow
    a = senders.pop()
    error, ones, stepped = a - y, np.ones(len(x), x.dtype), dict(params)
    blame = error * (a * (1 - a) * (2 * lr / len(x)))
    for name in reversed(names):
        weight, sender = params[f"{name}.weight"], senders.pop()
        stepped[f"{name}.weight"] = weight - (sender.T @ blame).T
        stepped[f"{name}.bias"] = params[f"{name}.bias"] - ones @ blame
        if senders:
            blame = (blame @ weight) * (sender * (1 - sender))
    return stepped, (error * error).sum() / len(x)


# ---- how wrong a sample is ---------------------------------------------------------------------------------------
@checked
def gradient_noise(gradients, params, x, y, batches):
    """How far the gradients of these batches lie from that of all the examples, in lengths of the latter.

    params {}, x (n, d), y (n, ...) -> ()

    The root of the mean squared distance; 1 says that the error is as long as what is looked for. `gradients` is as in
    `train`; `batches` is a list such as minibatches gives, or many of them joined.
    """
    _, whole = gradients(params, x, y)
    distances = [_squared_distance(gradients(params, x[batch], y[batch])[1], whole) for batch in batches]
    return np.sqrt(sum(distances) / len(distances) / sum(np.sum(g * g) for g in whole.values()))


def _squared_distance(grads, other):
    return sum(np.sum((grads[name] - g) * (grads[name] - g)) for name, g in other.items())


@checked
def standard_error(spread, batch_size, n=None):
    """How far the mean of a random batch lies from the mean of everything: spread / sqrt(batch_size).

    spread () -> ()

    `spread` is the root mean squared distance of single examples from the mean. Of `n` examples without repetition
    the error is smaller by sqrt((n - batch_size) / (n - 1)), and 0 for a batch that is everything.
    """
    share = 1 if n is None else (n - batch_size) / (n - 1)
    return spread * math.sqrt(share / batch_size)
