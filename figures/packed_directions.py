"""Random directions that come one by one and stay if they are far enough from all that stayed before."""

import functools

import numpy as np

from kb.architecture.johnson_lindenstrauss import greedy_packing
from kb.foundations.high_dimensional_geometry import random_directions

CANDIDATES = 10_000
DIMENSIONS = 2, 4, 8, 12, 16, 20, 24, 28


@functools.cache
def packed(d, degrees):
    """How many of 10,000 random directions in d dimensions stay, when all angles must be `degrees` or more."""
    candidates = random_directions(np.random.default_rng(d).standard_normal((CANDIDATES, d)))
    return len(greedy_packing(candidates, np.cos(np.radians(degrees))))


def growth_rate(degrees, start=16):
    """By how much the logarithm of that number rises per dimension, from `start` on."""
    counts = [packed(d, degrees) for d in (start, DIMENSIONS[-1])]
    return np.log(counts[1] / counts[0]) / (DIMENSIONS[-1] - start)
