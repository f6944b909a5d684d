"""The data of the diffusion pages: three islands in the plane, a mixture of Gaussians of which everything is known."""

import functools
import math

import numpy as np

from kb.generation.denoising_objective import mixture_epsilon
from kb.generation.forward_diffusion import alphas_cumprod, make_betas

MEANS = np.array([[-1.1, -0.5], [1.1, -0.4], [0.1, 1.3]])
SPREADS = np.array([0.35, 0.2, 0.12])  # standard deviations
VARIANCES = SPREADS * SPREADS
WEIGHTS = np.array([0.5, 0.3, 0.2])
MIXTURE = (MEANS, VARIANCES, WEIGHTS)
BETAS = make_betas()
ABAR = alphas_cumprod(BETAS)


def islands(n, seed=0):
    """n exact samples: shape (n, 2)."""
    rng = np.random.default_rng(seed)
    part = rng.choice(len(WEIGHTS), n, p=WEIGHTS)
    return MEANS[part] + SPREADS[part, None] * rng.standard_normal((n, 2))


def normal_points(n, seed=0):
    """Where sampling starts: n points of pure noise, shape (n, 2)."""
    return np.random.default_rng(seed).standard_normal((n, 2))


def exact(x, t):
    """The best possible network: the noise in x at level t of the linear schedule, from the exact score."""
    return mixture_epsilon(x, *MIXTURE, t, ABAR)


def shares(x):
    """Which part of the points x lies nearest to each island: shape (3)."""
    nearest = np.argmin(np.sum((x[:, None] - MEANS) ** 2, axis=-1), axis=1)
    return np.bincount(nearest, minlength=len(WEIGHTS)) / len(x)


@functools.cache
def true_quantiles(n, directions):
    """For each of so many directions, the coordinates of n points spread exactly like the islands along it."""
    grid = np.linspace(-4, 4, 4001)
    angles = np.arange(directions) * (math.pi / directions)
    axes = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = []
    for axis in axes:
        z = (grid[:, None] - MEANS @ axis) / SPREADS
        cdf = np.vectorize(math.erf)(z / math.sqrt(2)) @ WEIGHTS / 2 + 0.5
        found.append(np.interp((np.arange(n) + 0.5) / n, cdf, grid))
    return axes, np.array(found)


def distance(x, directions=16):
    """How far the points x (n, 2) are from the islands: the sliced Wasserstein distance to their exact law.

    Along each direction, the mean distance over which points would have to move; then the mean over directions.
    """
    axes, truth = true_quantiles(len(x), directions)
    return float(np.mean(np.abs(np.sort(axes @ x.T, axis=1) - truth)))
