"""Torch twin of `kb.learning.stochastic_gradient_descent`: the same batches from the same NumPy generator."""

import torch

from kb.learning.stochastic_gradient_descent import minibatches
from kb.shapes import checked
from kb.torch.learning.gradient_descent import step

WITHOUT_A_TWIN = {"minibatches": "cuts up numbers; the twin uses NumPy's, so that both see the same batches"}


@checked
def train(gradients, params, x, y, lr, epochs, batch_size, rng, progress=None):
    """The weights after `epochs` passes over the data, and the cost of each step's batch on the way.

    params {}, x (n, d), y (n, ...) -> {}, (i)
    """
    steps = [batch for _ in range(epochs) for batch in minibatches(len(x), batch_size, rng)]
    costs = []
    for batch in steps if progress is None else progress(steps):
        chosen = torch.from_numpy(batch).to(x.device)
        value, grads = gradients(params, x[chosen], y[chosen])
        params = step(params, grads, lr)
        costs.append(value)
    return params, torch.stack(costs)
