"""Slices through the landscape over the digit network's 13,002 weights: lines and a plane between networks."""

import functools

import numpy as np

from kb.checkpoints.shipped import digits_mlp
from kb.learning.backpropagation import squared_error_gradients
from kb.learning.cost_function import cost
from kb.learning.gradient_descent import interpolate, step
from kb.learning.stochastic_gradient_descent import train
from kb.structure.multilayer_perceptron import init_mlp, mlp, predict
from training.digits import LR, SEED, SIZES, load


@functools.cache
def digits():
    """500 of the digits that were trained on, and what the outputs should say; held-out digits and their labels."""
    (x, labels), held_out = load()
    return x[:500], np.eye(10, dtype=x.dtype)[labels[:500]], *held_out


@functools.cache
def networks():
    """Where training started; the network that ships; another one, from another start; the shipped one, shuffled."""
    (x, labels), _ = load()
    rng = np.random.default_rng(SEED + 1)
    y = np.eye(10, dtype=x.dtype)[labels]
    another, _ = train(squared_error_gradients, init_mlp(SIZES, rng), x, y, LR, 60, 32, rng)
    return init_mlp(SIZES, np.random.default_rng(SEED)), digits_mlp(), another, shuffled(digits_mlp(), rng)


def shuffled(params, rng):
    """The same network with the neurons of both hidden layers in another order, and their weights with them."""
    first, second = rng.permutation(16), rng.permutation(16)
    return {
        "0.weight": params["0.weight"][first],
        "0.bias": params["0.bias"][first],
        "2.weight": params["2.weight"][second][:, first],
        "2.bias": params["2.bias"][second],
        "4.weight": params["4.weight"][:, second],
        "4.bias": params["4.bias"],
    }


def cost_of(params):
    """The cost on the 500 digits."""
    x, y, *_ = digits()
    return float(cost(mlp(params, x), y))


def accuracy_of(params):
    """The share of held-out digits that are recognised."""
    *_, x, labels = digits()
    return float(np.mean(predict(params, x) == labels))


def distance(params, other):
    """How far apart two networks are, as points of 13,002 coordinates."""
    return float(np.sqrt(sum(np.sum((params[name] - other[name]) ** 2) for name in params)))


def along(params, other, fractions):
    """The cost on the straight line from one network to another."""
    return np.array([cost_of(interpolate(params, other, float(t))) for t in fractions])


@functools.cache
def plane(points=33):
    """The cost on the plane through the start, the shipped network and the other one: (u, v, cost).

    The shipped network lies at u, v = 0, 0, the start at 1, 0 and the other at 0, 1.
    """
    start, shipped, another, _ = networks()
    u, v = np.linspace(-0.6, 1.5, points), np.linspace(-0.5, 1.5, points)
    towards_start, towards_other = ({n: net[n] - shipped[n] for n in net} for net in (start, another))
    costs = [
        [cost_of({n: shipped[n] + a * towards_start[n] + b * towards_other[n] for n in shipped}) for a in u.tolist()]
        for b in v.tolist()
    ]
    return u, v, np.array(costs)


# ---- how sharply the cost curves ---------------------------------------------------------------------------------
def largest_curvature(params, x, y, rounds=40, h=1e-4):
    """The curvature along the direction that turns the gradient most, by power iteration.

    How the gradient changes along a direction, divided by the nudge h, is the Hessian times that direction.
    """
    rng = np.random.default_rng(0)
    direction, curvature = {name: rng.standard_normal(p.shape) for name, p in params.items()}, 0.0
    for _ in range(rounds):
        length = np.sqrt(sum(np.sum(d * d) for d in direction.values()))
        unit = {name: d / length for name, d in direction.items()}
        up, down = (
            squared_error_gradients({name: p + side * unit[name] for name, p in params.items()}, x, y)[1]
            for side in (h, -h)
        )
        direction = {name: (up[name] - down[name]) / (2 * h) for name in params}
        curvature = float(sum(np.sum(direction[name] * unit[name]) for name in params))
    return curvature


@functools.cache
def edge(lr, steps=400):
    """The largest curvature where `steps` steps of full-batch gradient descent on the 500 digits have led."""
    x, y = (a.astype(np.float64) for a in digits()[:2])
    params = init_mlp(SIZES, np.random.default_rng(SEED), dtype="float64")
    for _ in range(steps):
        params = step(params, squared_error_gradients(params, x, y)[1], lr)
    return largest_curvature(params, x, y)
