"""Torch twin of `kb.architecture.one_hot_encoding`: the same names and arguments; runs where its tensors live."""

import torch
import torch.nn.functional as F

from kb.shapes import checked


@checked
def one_hot(indices, num_classes=-1, dtype=None):
    """A vector for each category: 1 at the place of its number, 0 elsewhere.

    indices (...) -> (..., v)

    torch makes int64 first and `dtype` from that. Raises RuntimeError for an index outside, on the CPU.
    """
    out = F.one_hot(indices, num_classes)
    return out if dtype is None else out.to(dtype)


@checked
def one_hot_product(indices, weight):
    """One-hot vectors times a matrix.

    indices (...), weight (v, d) -> (..., d)
    """
    return one_hot(indices, len(weight), dtype=weight.dtype) @ weight


@checked
def category(vectors):
    """The place of the largest entry.

    vectors (..., v) -> (...)
    """
    return vectors.argmax(-1)


def refuse_outside(function, indices, v, name="indices"):
    """Raise ValueError for indices that are not whole numbers in 0..v-1. On a GPU this waits for the numbers."""
    if indices.is_floating_point() or indices.is_complex() or indices.dtype == torch.bool:
        raise ValueError(f"{function}: {name} holds {indices.dtype}, expected whole numbers such as torch.int64")
    if indices.numel() and not (int(indices.min()) >= 0 and int(indices.max()) < v):
        wrong = indices[(indices < 0) | (indices >= v)].flatten()[0]
        raise ValueError(f"{function}: {name} has {int(wrong)}, expected 0 to {v - 1}")
