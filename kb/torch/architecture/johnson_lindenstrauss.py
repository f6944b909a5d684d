"""Torch twin of `kb.architecture.johnson_lindenstrauss`: the same names and arguments; runs where its tensors live."""

import math

import torch

from kb.shapes import checked
from kb.torch.foundations.high_dimensional_geometry import cosine_tail_bound
from kb.torch.foundations.vectors_and_dot_products import normalize

WITHOUT_A_TWIN = {
    "jl_dimension": "a formula in two numbers; there is no array in it",
    "jl_failure_bound": "a formula in three numbers; there is no array in it",
    "welch_bound": "a formula in two numbers; there is no array in it",
    "levenshtein_bound": "a formula in two numbers; there is no array in it",
}


@checked
def random_projection(x, noise):
    """Points seen in k random directions.

    x (..., d), noise (d, k) -> (..., k)
    """
    return x @ noise / math.sqrt(noise.shape[-1])


@checked
def distance_ratios(x, y):
    """What became of each squared distance.

    x (n, d), y (n, k) -> (m)
    """
    return torch.pdist(y).square() / torch.pdist(x).square()


@checked
def largest_cosine(x):
    """The largest |cos| of two of the unit vectors.

    x (n, d) -> ()
    """
    return _cosines(x).abs().amax()


@checked
def spread_step(x, sharpness, lr):
    """One step by which unit vectors push each other apart.

    x (n, d) -> (n, d)
    """
    cosines = _cosines(x)
    squares = cosines.square()
    push = (cosines * torch.exp(sharpness * (squares - squares.amax()))) @ x
    return normalize(x - push * (lr / push.abs().amax()))


def _cosines(x):
    return (x @ x.T) * (1 - torch.eye(len(x), dtype=x.dtype, device=x.device))


@checked
def greedy_packing(candidates, cosine):
    """As many of the candidates as can be kept, first come, first served.

    candidates (n, d) -> (m, d)
    """
    kept = []
    while len(candidates):
        kept.append(candidates[0])
        candidates = candidates[1:]
        candidates = candidates[(candidates @ kept[-1]).abs() <= cosine]
    return torch.stack(kept)


@checked
def room(d, cosine):
    """So many directions fit for certain with every |cos| at most `cosine`.

    d (...), cosine (...) -> (...)
    """
    return 1 / cosine_tail_bound(d, cosine)
