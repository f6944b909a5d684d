"""Torch twin of `kb.foundations.high_dimensional_geometry`: the same names and arguments; runs on any device."""

import math

import torch

from kb.shapes import checked
from kb.torch.foundations.vectors_and_dot_products import cosine_similarity, normalize

WITHOUT_A_TWIN = {
    "log_ball_volume": "a formula in two numbers; there is no array in it",
    "ball_volume": "a formula in two numbers; there is no array in it",
}


@checked
def shell_fraction(n, thickness):
    """How much of a ball is peel.

    n (...), thickness (...) -> (...)
    """
    return -torch.expm1(n * torch.log1p(-thickness))


@checked
def random_directions(noise):
    """Directions of which none is preferred, from standard normal noise.

    noise (..., n) -> (..., n)
    """
    return normalize(noise)


@checked
def cosine_statistics(a, b):
    """Mean and standard deviation of the cosines of all pairs.

    a (..., n), b (..., n) -> (), ()
    """
    cosine = cosine_similarity(a, b)
    return cosine.mean(), cosine.std(correction=0)


@checked
def cosine_density(cosine, n):
    """How often two random directions in n dimensions have this cosine.

    cosine (...) -> (...)
    """
    log_scale = math.lgamma(n / 2) - math.lgamma((n - 1) / 2) - math.log(math.pi) / 2
    return torch.exp(log_scale + (n - 3) / 2 * torch.log1p(-cosine * cosine))


@checked
def cosine_tail_bound(n, cosine):
    """At most this share of pairs of random directions has a cosine beyond +-`cosine`.

    n (...), cosine (...) -> (...)
    """
    return 2 * torch.exp(-n * cosine * cosine / 2)
