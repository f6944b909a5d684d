"""Torch twin of `kb.learning.stochastic_gradient_descent`: the same batches from the same NumPy generator."""

import math

import torch

from kb.learning.stochastic_gradient_descent import minibatches
from kb.shapes import checked
from kb.torch.learning.backpropagation import squared_error_gradients
from kb.torch.learning.gradient_descent import step

WITHOUT_A_TWIN = {"minibatches": "cuts up numbers; the twin uses NumPy's, so that both see the same batches"}


# ---- the method --------------------------------------------------------------------------------------------------
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


@checked
def sgd_step(params, x, y, lr):
    """A training step of the series' network from end to end.

    params {}, x (b, n), y (b, m) -> {}, ()
    """
    value, grads = squared_error_gradients(params, x, y)
    return step(params, grads, lr), value


# ---- how wrong a sample is ---------------------------------------------------------------------------------------
@checked
def gradient_noise(gradients, params, x, y, batches):
    """How far the gradients of these batches lie from that of all the examples, in lengths of the latter.

    params {}, x (n, d), y (n, ...) -> ()
    """
    whole = _flat(gradients(params, x, y)[1])
    chosen = [torch.from_numpy(batch).to(x.device) for batch in batches]
    errors = torch.stack([_flat(gradients(params, x[i], y[i])[1]) - whole for i in chosen])
    return (errors.square().sum(-1).mean() / whole.square().sum()).sqrt()


def _flat(grads):
    return torch.cat([g.flatten() for g in grads.values()])


@checked
def standard_error(spread, batch_size, n=None):
    """How far the mean of a random batch lies from the mean of everything.

    spread () -> ()
    """
    share = 1 if n is None else (n - batch_size) / (n - 1)
    return spread * math.sqrt(share / batch_size)
