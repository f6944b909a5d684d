"""A thousand digits in random projections: what becomes of the distances between them."""

import functools

import numpy as np

from kb.architecture.johnson_lindenstrauss import distance_ratios, random_projection
from kb.data.digits import load_digits

N = 1000


@functools.cache
def digits():
    """A thousand digits of 784 pixels, float64."""
    return load_digits(28, dtype=np.float64).images[:N].reshape(N, -1)


@functools.cache
def ratios(k, seed=0):
    """Each squared distance after a random projection to k dimensions, over the one before."""
    return distance_ratios(digits(), random_projection(digits(), np.random.default_rng(seed).standard_normal((784, k))))


def worst(k):
    """How far the worst of the 499,500 pairs is from keeping its squared distance: the largest |ratio - 1|."""
    return float(np.max(np.abs(ratios(k) - 1)))
