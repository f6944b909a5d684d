"""Guidance where nothing is learned: a mixture in the plane, with the exact answers with and without the prompt.

The prompt asks for one of two kinds. Each kind is two islands; one island of the asked-for kind lies close to the
other kind, one far from it.
"""

import functools

import numpy as np

from kb.foundations.softmax import softmax
from kb.generation.classifier_free_guidance import classifier_free_guidance
from kb.generation.denoising_objective import mixture_epsilon, mixture_log_density
from kb.generation.forward_diffusion import alphas_cumprod, make_betas
from kb.generation.reverse_diffusion import generate, timesteps

MEANS = np.array([[0.4, 0.8], [1.2, -0.6], [-0.4, 0.8], [-1.2, -0.6]])  # the first two are asked for
VARIANCES, WEIGHTS = np.full(4, 0.16), np.full(4, 0.25)
ALL, ASKED = (MEANS, VARIANCES, WEIGHTS), (MEANS[:2], VARIANCES[:2], np.full(2, 0.5))
BETAS = make_betas()
ABAR = alphas_cumprod(BETAS)


def unasked(x, t):
    """The exact noise prediction without the prompt."""
    return mixture_epsilon(x, *ALL, t, ABAR)


def asked(x, t):
    """The exact noise prediction with the prompt."""
    return mixture_epsilon(x, *ASKED, t, ABAR)


@functools.cache
def guided_points(scale, n=2000, steps=60, seed=0):
    """Where DDIM with guidance ends: (n, 2)."""
    x = np.random.default_rng(seed).standard_normal((n, 2))
    levels = timesteps(len(BETAS), steps, "trailing")
    return generate(lambda x, t: classifier_free_guidance(unasked(x, t), asked(x, t), scale), x, levels, BETAS)


def log_power(x, scale):
    """log of p(x | c)^s p(x)^(1 - s), but for a constant: what guided samples are often said to come from."""
    return scale * mixture_log_density(x, *ASKED) + (1 - scale) * mixture_log_density(x, *ALL)


@functools.cache
def grid(points=161, bound=4.0):
    """A fine grid of the plane: (points * points, 2)."""
    axis = np.linspace(-bound, bound, points)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


@functools.cache
def power_points(scale, n=2000, seed=1):
    """Samples of that distribution, drawn on the grid and spread over its cells: (n, 2)."""
    rng = np.random.default_rng(seed)
    share = softmax(log_power(grid(), scale))
    width = 8 / 160
    return grid()[rng.choice(len(share), n, p=share)] + width * (rng.random((n, 2)) - 0.5)


def near_share(x):
    """The part of the points that lies on the island close to the other kind, the upper one."""
    return float(np.mean(x[:, 1] > 0.1))


def spread(x):
    """The variance of the points, both directions together."""
    return float(x.var(axis=0).sum())
