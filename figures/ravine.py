"""The optimisers in a ravine: a bowl that is thirty times as steep one way as the other."""

import functools

import numpy as np

from kb.learning.gradient_descent import quadratic_gradient
from kb.learning.optimizers import SGD, Adam, RMSprop, clip_grad_norm, velocity

CURVATURES = np.array([30.0, 1.0])
START = np.array([0.5, 1.0])
STEEP, FLAT = CURVATURES
# For a bowl the best learning rate and momentum are known: Polyak 1964, section 2.
BEST = 2 / (STEEP + FLAT)
HEAVY_LR, HEAVY = 4 / (STEEP**0.5 + FLAT**0.5) ** 2, ((STEEP**0.5 - FLAT**0.5) / (STEEP**0.5 + FLAT**0.5)) ** 2
NESTEROV_LR, NESTEROV = 1 / STEEP, (STEEP**0.5 - FLAT**0.5) / (STEEP**0.5 + FLAT**0.5)
RULES = {
    "SGD": (SGD, {"lr": BEST}),
    "momentum": (SGD, {"lr": HEAVY_LR, "momentum": HEAVY}),
    "Nesterov": (SGD, {"lr": NESTEROV_LR, "momentum": NESTEROV, "nesterov": True}),
    "RMSProp": (RMSprop, {"lr": 0.03}),
    "Adam": (Adam, {"lr": 0.1}),
}


@functools.cache
def walk(name, steps=400, turned=False):
    """Where each step leads; `turned` lays the ravine along the diagonal, where no weight is steep by itself."""
    turn = np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2) if turned else np.eye(2)
    hessian = turn @ np.diag(CURVATURES) @ turn.T
    kind, options = RULES[name]
    optimizer, path = kind({"x": turn @ START}, **options), [turn @ START]
    for _ in range(steps):
        path.append(optimizer.step({"x": quadratic_gradient(path[-1], hessian)})["x"])
    return np.array(path) @ turn


def steps_until(name, distance=0.01, turned=False):
    """After how many steps the walk stays closer to the bottom than `distance`; it starts at 1.1."""
    far = np.flatnonzero(np.linalg.norm(walk(name, turned=turned), axis=1) >= distance)
    return int(far[-1]) + 1


@functools.cache
def shrinkage(decoupled, steps=1000):
    """By what share Adam's weight decay of 0.1 has shrunk two weights of 1 that nothing pulls anywhere.

    The gradient of the first is 1 and -1 in turn, that of the second 100 and -100.
    """
    optimizer = Adam({"w": np.ones(2)}, 1e-3, weight_decay=0.1, decoupled_weight_decay=decoupled)
    for t in range(steps):
        optimizer.step({"w": (-1) ** t * np.array([1.0, 100.0])})
    return 1 - optimizer.params["w"]


# ---- small runs that the page speaks of --------------------------------------------------------------------------
def velocity_after(steps, momentum=0.9):
    """The velocity after so many gradients of 1."""
    buffer = np.zeros(1)
    for _ in range(steps):
        buffer = velocity(buffer, np.ones(1), momentum)
    return buffer.item()


def first_step(kind, grad, **options):
    """Where an optimiser that starts at 0 stands after one step."""
    return kind({"w": np.zeros_like(grad)}, **options).step({"w": grad})["w"]


def two_steps(kind, first, second, **options):
    """Where an optimiser that starts at 0 stands after these two gradients."""
    optimizer = kind({"w": np.zeros_like(first)}, **options)
    optimizer.step({"w": first})
    return optimizer.step({"w": second})["w"]


def three_steps(grad, momentum):
    """Where SGD with learning rate 1 stands after meeting the same gradient three times, from 0."""
    optimizer = SGD({"w": np.zeros_like(grad)}, 1.0, momentum=momentum)
    return [optimizer.step({"w": grad})["w"] for _ in range(3)][-1]


def uncorrected(t, betas=(0.9, 0.999)):
    """How much longer Adam's step t is without its bias correction, when the gradient is always the same."""
    return (1 - betas[0] ** t) / np.sqrt(1 - betas[1] ** t)


def clipped(first, second, max_norm=1.0):
    """What clipping leaves of the first of two arrays."""
    grads, _ = clip_grad_norm({"first": np.array(first), "second": np.array(second)}, max_norm)
    return grads["first"]
