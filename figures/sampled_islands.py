"""Samples of the three islands by several samplers, and what training/samplers.py measured."""

import functools
import itertools
import json

import numpy as np

from figures.three_islands import BETAS, exact, normal_points
from kb.generation.reverse_diffusion import ddpm_step, generate, timesteps
from training.samplers import PATH

MEASURED = json.loads(PATH.read_text(encoding="utf-8"))


@functools.cache
def samples(method, n=600, steps=100, network=exact):
    """n points after so many steps from the same noise."""
    rng = np.random.default_rng(2)
    return generate(network, normal_points(n, 1), timesteps(1000, steps), BETAS, method, rng)


@functools.cache
def without_noise(n=600, steps=100):
    """What DDPM's mean alone gives: n points after so many steps in which no noise is added."""
    x, levels = normal_points(n, 1), [*timesteps(1000, steps), -1]
    for t, t_prev in itertools.pairwise(levels):
        x = ddpm_step(exact(x, t), t, x, BETAS, t_prev=t_prev)
    return x


def measured(method, calls):
    """The distance to the true density after so many calls of the network."""
    return MEASURED[method][MEASURED["calls"].index(calls)]
