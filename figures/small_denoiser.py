"""The small network that learned to denoise the three islands, beside the exact answer."""

import functools

import numpy as np

from figures.three_islands import ABAR, exact, islands
from kb.checkpoints.safetensors import load_file
from kb.generation.denoising_objective import denoising_loss
from training.denoiser import PATH, denoiser


@functools.cache
def trained():
    """Its weights, as shipped."""
    return load_file(PATH)


def learned(x, t):
    """The noise that the trained network sees in the points x (n, 2) at level t."""
    return denoiser(trained(), x.astype(np.float32), t).astype(x.dtype)


def nothing(x, t):
    """A network that always answers 0: no noise."""
    return 0 * x


@functools.cache
def loss_by_level(model, n=1500):
    """The loss at 23 levels on the same points for every model: levels, losses."""
    levels = np.array([0, 9, 19, *range(49, 1000, 50)])
    rng, found = np.random.default_rng(5), []
    for t in levels:
        x0, noise = islands(n, rng), rng.standard_normal((n, 2))
        found.append(float(denoising_loss(model, x0, noise, int(t), ABAR)))
    return levels, np.array(found)


def mean_loss(model):
    """The loss averaged over these levels, weighted so that all 1,000 count alike."""
    levels, found = loss_by_level(model)
    return float(np.trapezoid(found, levels) / (levels[-1] - levels[0]))


def gap(t, n=2000):
    """How far the trained network's answer is from the exact one at level t: the root mean square per coordinate."""
    rng = np.random.default_rng(6)
    x = np.sqrt(ABAR[t]) * islands(n, rng) + np.sqrt(1 - ABAR[t]) * rng.standard_normal((n, 2))
    return float(np.sqrt(np.mean((learned(x, t) - exact(x, t)) ** 2)))
