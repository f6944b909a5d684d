"""Torch twin of `kb.architecture.ai_safety`: the same names and arguments; runs where its tensors live."""

import torch

from kb.shapes import checked

WITHOUT_A_TWIN = {"best_of_n_distance": "a formula in one number; there is no array in it"}


@checked
def best_of_n(p, scores, n):
    """How often each answer is given when n are drawn and the one with the highest score is kept.

    p (v), scores (v) -> (v)
    """
    if n < 1:
        raise ValueError(f"best_of_n: n is {n}, expected at least 1")
    up_to = torch.where(scores <= scores[:, None], p, 0).sum(1)
    below = torch.where(scores < scores[:, None], p, 0).sum(1)
    tied = up_to - below
    return p * (up_to**n - below**n) / torch.where(tied > 0, tied, 1)


@checked
def fgsm(x, slope, size, low=0.0, high=1.0):
    """An input changed by `size` in every entry, each in the direction that raises the cost.

    x (...), slope (...) -> (...)
    """
    if x.shape != slope.shape:
        raise ValueError(f"fgsm: slope {tuple(slope.shape)} must have the shape of x {tuple(x.shape)}")
    if size < 0:
        raise ValueError(f"fgsm: size is {size}, expected at least 0")
    return (x + size * slope.sign()).clamp(low, high)


@checked
def worst_change(weight, size):
    """By how much a weighted sum can rise if every input may change by `size`.

    weight (..., n) -> (...)
    """
    return size * weight.abs().sum(-1)
