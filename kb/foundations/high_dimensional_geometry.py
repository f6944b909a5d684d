"""In many dimensions a ball is nearly all surface, and two random directions are nearly perpendicular.

    V_n = pi^(n/2) / Gamma(n/2 + 1)         volume of the ball of radius 1
    1 - (1 - t)^n                           share of any ball within t of its surface
    mean 0, standard deviation 1/sqrt(n)    cosine of two random directions

Source: Blum, Hopcroft and Kannan 2020, "Foundations of Data Science", sections 2.3 to 2.6; Ball 1997, "An elementary
introduction to modern convex geometry", lectures 1 and 2, https://library.slmath.org/books/Book31/files/ball.pdf
"""

import math

import numpy as np

from kb.foundations.vectors_and_dot_products import cosine_similarity, normalize
from kb.shapes import checked


# ---- volume ------------------------------------------------------------------------------------------------------
def log_ball_volume(n, radius=1.0):
    """The natural logarithm of the volume of a ball in n dimensions.

    The volume itself leaves the range of floats long before n = 13,002; its logarithm is an ordinary number. `n` may
    be a fraction: the formula does not mind. Raises ValueError for a negative `n` or a radius that is not positive.
    """
    if n < 0 or radius <= 0:
        raise ValueError(f"log_ball_volume: n is {n} and radius is {radius}, expected n >= 0 and radius > 0")
    return n / 2 * math.log(math.pi) - math.lgamma(n / 2 + 1) + n * math.log(radius)


def ball_volume(n, radius=1.0):
    """The volume of a ball: 2 in one dimension (an interval), pi in two, 4/3 pi in three, for radius 1.

    For radius 1 it peaks at n = 5 and is 0.0 in floats from n = 453 on. Raises OverflowError where it passes 1.8e308.
    """
    return math.exp(log_ball_volume(n, radius))


@checked
def shell_fraction(n, thickness):
    """How much of a ball is peel: the share of its volume that lies within `thickness` of its surface.

    n (...), thickness (...) -> (...)

    `thickness` is a share of the radius, 0 to 1: what lies deeper is a ball of radius 1 - thickness, with (1 -
    thickness)^n of the volume. Raises ValueError for other values, or an n that is not positive.
    """
    if np.any(thickness < 0) or np.any(thickness > 1) or np.any(n <= 0):
        raise ValueError(f"shell_fraction: thickness {thickness} must lie in 0..1 and n {n} be positive")
    with np.errstate(divide="ignore"):  # log 0 = -inf is right for a peel as thick as the radius
        return -np.expm1(n * np.log1p(-thickness))  # 1 - (1 - t)^n without rounding a tiny peel to nothing


# ---- directions --------------------------------------------------------------------------------------------------
@checked
def random_directions(noise):
    """Directions of which none is preferred, from standard normal noise: each row brought to length 1.

    noise (..., n) -> (..., n)

    The density of normal noise depends on the length alone, so it is the same in every direction. That of uniform
    noise is not: it prefers the corners of its cube.
    """
    return normalize(noise)


@checked
def cosine_statistics(a, b):
    """Mean and standard deviation of the cosines of all pairs (a_i, b_i). For random directions: 0 and 1/sqrt(n).

    a (..., n), b (..., n) -> (), ()
    """
    cosine = cosine_similarity(a, b)
    return np.mean(cosine), np.std(cosine)


@checked
def cosine_density(cosine, n):
    """How often two random directions in n dimensions have this cosine: in proportion to (1 - c^2)^((n - 3)/2).

    cosine (...) -> (...)

    A probability density over -1..1. Piled up at the ends for n = 2, flat for n = 3, ever narrower around 0 beyond.
    Raises ValueError for n < 2 or a cosine that is not strictly between -1 and 1.
    """
    if n < 2 or np.any(np.abs(cosine) >= 1):
        raise ValueError(f"cosine_density: n is {n}, expected at least 2, and cosine {cosine} strictly in -1..1")
    log_scale = math.lgamma(n / 2) - math.lgamma((n - 1) / 2) - math.log(math.pi) / 2
    return np.exp(log_scale + (n - 3) / 2 * np.log1p(-cosine * cosine))


@checked
def cosine_tail_bound(n, cosine):
    """At most this share of pairs of random directions has a cosine beyond +-`cosine`: 2 e^(-n c^2 / 2).

    n (...), cosine (...) -> (...)

    `cosine` from 0 to 1. Above 1 the bound says nothing. Source: Ball 1997, lemma 2.2, for both caps.
    """
    return 2 * np.exp(-n * cosine * cosine / 2)
