"""The digit network's parameter space: how much a random step does there, against a step straight downhill."""

import functools

import numpy as np

from kb.data.digits import load_digits
from kb.foundations.high_dimensional_geometry import random_directions
from kb.learning.backpropagation import squared_error_gradients
from kb.learning.cost_function import cost
from kb.structure.multilayer_perceptron import init_mlp, mlp

SIZES = (784, 16, 16, 10)


@functools.cache
def start():
    """The untrained network as one point of 13,002 coordinates, its unit gradient, and its cost as a function."""
    digits = load_digits(28)
    x, y = digits.images[:200].reshape(200, -1), np.eye(10, dtype=np.float32)[digits.labels[:200]]
    params = init_mlp(SIZES, np.random.default_rng(0))
    _, grads = squared_error_gradients(params, x, y)

    def cost_at(point):
        return float(cost(mlp(unflatten(point, params), x), y))

    gradient = flatten(grads)
    return flatten(params), gradient / np.sqrt(np.sum(gradient * gradient)), cost_at


def flatten(params):
    """All parameters in one vector."""
    return np.concatenate([value.ravel() for value in params.values()])


def unflatten(point, like):
    """The vector as a dict of weights and biases again."""
    ends = np.cumsum([value.size for value in like.values()])[:-1]
    return {
        name: part.reshape(value.shape) for (name, value), part in zip(like.items(), np.split(point, ends), strict=True)
    }


def descent_shares():
    """The share of a small step's descent that the numbers with the largest slopes bring, added up."""
    _, uphill, _ = start()
    return np.cumsum(np.sort(uphill * uphill)[::-1])


@functools.cache
def random_steps(count=1000, length=0.1):
    """The cosines of random directions with the downhill direction, and what a step along each does to the cost."""
    point, uphill, cost_at = start()
    steps = random_directions(np.random.default_rng(1).standard_normal((count, point.size), dtype=np.float32))
    here = cost_at(point)
    return steps @ -uphill, np.array([cost_at(point + length * step) - here for step in steps])


@functools.cache
def downhill_step(length=0.1):
    """What a step of the same length straight downhill does to the cost."""
    point, uphill, cost_at = start()
    return cost_at(point - length * uphill) - cost_at(point)
