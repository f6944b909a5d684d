"""Stochastic gradient descent: each step looks at a small random sample of the data, a mini-batch, not at all of it.

Source: Robbins and Monro 1951, "A stochastic approximation method", https://doi.org/10.1214/aoms/1177729586
"""

import numpy as np

from kb.learning.gradient_descent import step
from kb.shapes import checked


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
