"""Two ways in which a trained model fails to do what was meant: its goal is gamed, or its input is.

    best of n       choose among n answers the one that a reward model scores highest: pressure without training
    fast gradient sign      x' = x + eps sign(dC/dx), the worst small change to first order

Source: Gao, Schulman and Hilton 2023, "Scaling laws for reward model overoptimization", section 2,
https://arxiv.org/abs/2210.10760; Goodfellow, Shlens and Szegedy 2015, "Explaining and harnessing adversarial
examples", section 4, https://arxiv.org/abs/1412.6572
"""

import math

import numpy as np

from kb.shapes import checked


# ---- pressure on a reward ----------------------------------------------------------------------------------------
@checked
def best_of_n(p, scores, n):
    """How often each answer is given when n are drawn and the one with the highest score is kept.

    p (v), scores (v) -> (v)

    `p` are the probabilities of one draw; equal scores share as in one draw. The best of n is below or at a score
    when all n are: the cumulative probability to the power n. Raises ValueError for n < 1.
    """
    if n < 1:
        raise ValueError(f"best_of_n: n is {n}, expected at least 1")
    up_to = np.where(scores <= np.expand_dims(scores, 1), p, 0).sum(axis=1)
    below = np.where(scores < np.expand_dims(scores, 1), p, 0).sum(axis=1)
    tied = up_to - below
    return p * (np.power(up_to, n) - np.power(below, n)) / np.where(tied > 0, tied, 1)


def best_of_n_distance(n):
    """How far the best of n is from one draw, at most: log n - (n - 1) / n nats, reached where no two scores tie."""
    if n < 1:
        raise ValueError(f"best_of_n_distance: n is {n}, expected at least 1")
    return math.log(n) - (n - 1) / n


# ---- pressure on an input ----------------------------------------------------------------------------------------
@checked
def fgsm(x, slope, size, low=0.0, high=1.0):
    """An input changed by `size` in every entry, each in the direction that raises the cost.

    x (...), slope (...) -> (...)

    `slope` is the gradient of the cost with respect to x; only its signs are used. The result stays within low..high,
    the range of a pixel. Raises ValueError for a negative size, or where the shapes differ.
    """
    if x.shape != slope.shape:
        raise ValueError(f"fgsm: slope {tuple(slope.shape)} must have the shape of x {tuple(x.shape)}")
    if size < 0:
        raise ValueError(f"fgsm: size is {size}, expected at least 0")
    return np.clip(x + size * np.sign(slope), low, high)


@checked
def worst_change(weight, size):
    """By how much a weighted sum can rise if every input may change by `size`: size times the sum of all |weights|.

    weight (..., n) -> (...)

    Random signs reach about size times the root of the sum of squares, less by a factor that grows like sqrt(n).
    """
    return size * np.sum(np.abs(weight), axis=-1)
