"""How many points, and how many nearly perpendicular directions, a small number of dimensions can hold.

    k >= 4 ln(n) / (eps^2/2 - eps^3/3)      dimensions in which n points keep their distances to within 1 +- eps
    |cos| >= sqrt((n - d) / (d (n - 1)))    of some pair among any n unit vectors in d dimensions

Source: Dasgupta and Gupta 2003, "An elementary proof of a theorem of Johnson and Lindenstrauss", theorem 2.1,
https://doi.org/10.1002/rsa.10073; Welch 1974, "Lower bounds on the maximum cross correlation of signals",
https://doi.org/10.1109/TIT.1974.1055219
"""

import math

import numpy as np

from kb.foundations.high_dimensional_geometry import cosine_tail_bound
from kb.foundations.vectors_and_dot_products import normalize
from kb.shapes import checked

BLOCK = 1024  # rows of the table of cosines that are held at a time


# ---- points: all distances at once -------------------------------------------------------------------------------
def jl_dimension(n, eps):
    """In how many dimensions n points always fit, whatever they are, with every squared distance within 1 +- eps.

    The number of dimensions in which they came does not appear. Raises ValueError unless n >= 2 and 0 < eps < 1.
    """
    if n < 2 or not 0 < eps < 1:
        raise ValueError(f"jl_dimension: n is {n} and eps is {eps}, expected n >= 2 and eps between 0 and 1")
    return math.ceil(4 * math.log(n) / (eps * eps / 2 - eps * eps * eps / 3))


def jl_failure_bound(n, k, eps):
    """At most this likely it is that a random projection of n points to k dimensions misses 1 +- eps somewhere.

    n (n - 1) / 2 pairs, each of which misses with a probability of at most 2 e^(-k (eps^2/2 - eps^3/3) / 2). Above 1
    it says nothing.
    """
    return n * (n - 1) * math.exp(-k * (eps * eps / 2 - eps * eps * eps / 3) / 2)


@checked
def random_projection(x, noise):
    """Points seen in k random directions: each new coordinate is a random mixture of all the old ones.

    x (..., d), noise (d, k) -> (..., k)

    `noise` is standard normal and knows nothing of the points. The factor 1/sqrt(k) makes each squared distance right
    on average.
    """
    return x @ noise / math.sqrt(noise.shape[-1])


@checked
def distance_ratios(x, y):
    """What became of each squared distance: that between rows of y over that between the same rows of x.

    x (n, d), y (n, k) -> (m)

    One for each of the m = n (n - 1) / 2 pairs. Rows of x that are equal give nan.
    """
    return _squared_distances(y) / _squared_distances(x)


def _squared_distances(x):
    """By |a - b|^2 = |a|^2 + |b|^2 - 2 a.b, for the pairs above the diagonal."""
    squares = np.sum(x * x, axis=-1)
    upper = np.triu_indices(len(x), 1)
    return (np.expand_dims(squares, 1) + squares - 2 * (x @ x.T))[upper]


# ---- directions: what no arrangement can avoid -------------------------------------------------------------------
def welch_bound(n, d):
    """The largest |cos| of n unit vectors in d dimensions is at least this, however they are arranged.

    0 for n <= d, where they can all be perpendicular. Raises ValueError for n < 2 or d < 1.
    """
    if n < 2 or d < 1:
        raise ValueError(f"welch_bound: n is {n} and d is {d}, expected n >= 2 and d >= 1")
    return math.sqrt(max(n - d, 0) / (d * (n - 1)))


def levenshtein_bound(n, d):
    """A bound of the same kind that is sharper once n passes d (d + 1) / 2; below that it is Welch's.

    Source: Levenshtein; see Xu, Xu and Yu 2021, "Bounds on antipodal spherical designs with few angles",
    https://arxiv.org/abs/2007.13999
    """
    if 2 * n <= d * (d + 1):
        return welch_bound(n, d)
    return math.sqrt((3 * n - d * (d + 2)) / ((d + 2) * (n - d)))


@checked
def largest_cosine(x):
    """How far the worst pair of unit vectors is from being perpendicular: the largest |cos| of two of them.

    x (n, d) -> ()
    """
    return np.max(np.stack([np.max(np.abs(cosines)) for cosines in _cosines(x)]))


@checked
def spread_step(x, sharpness, lr):
    """One step by which unit vectors push each other apart, the worst pairs hardest.

    x (n, d) -> (n, d)

    Downhill on the sum of e^(sharpness cos^2) over all pairs: the larger `sharpness`, the more only the worst count.
    The step is scaled, so that its largest entry is `lr` before the vectors are brought back to length 1.
    """
    top = largest_cosine(x)
    pushes = [cos * np.exp(sharpness * (cos * cos - top * top)) @ x for cos in _cosines(x)]
    push = np.concatenate(pushes)
    return normalize(x - push * (lr / np.max(np.abs(push))))


def _cosines(x):
    """The table of all cosines in blocks of rows, with 0 for each vector with itself."""
    for start in range(0, len(x), BLOCK):
        cosines = x[start : start + BLOCK] @ x.T
        rows = np.arange(start, start + len(cosines))
        yield cosines * (rows[:, None] != np.arange(len(x)))


# ---- directions: how many there is room for ----------------------------------------------------------------------
@checked
def greedy_packing(candidates, cosine):
    """As many of the candidates as can be kept, first come, first served, with every |cos| at most `cosine`.

    candidates (n, d) -> (m, d)

    Unit vectors in, unit vectors out.
    """
    kept = []
    while len(candidates):
        kept.append(candidates[0])
        candidates = candidates[1:]
        candidates = candidates[np.abs(candidates @ kept[-1]) <= cosine]
    return np.stack(kept)


@checked
def room(d, cosine):
    """So many directions fit for certain with every |cos| at most `cosine`: e^(d c^2 / 2) / 2.

    d (...), cosine (...) -> (...)

    Each direction that is kept forbids a share of all directions, at most 2 e^(-d c^2 / 2). As long as the shares do
    not add up to 1, there is room for one more. Below d it says nothing: d of them can be perpendicular.
    """
    return 1 / cosine_tail_bound(d, cosine)
