"""Torch twin of `kb.foundations.vectors_and_dot_products`: the same names and arguments; runs on any device."""

import torch
from torch.nn import functional as F

from kb.shapes import checked


@checked
def dot(a, b):
    """How far two vectors agree.

    a (..., d), b (..., d) -> (...)
    """
    return torch.linalg.vecdot(a, b)


@checked
def norm(a, axis=-1, keepdims=False):
    """The length of a vector.

    a (...) -> (...)
    """
    return torch.linalg.vector_norm(a, dim=axis, keepdim=keepdims)


@checked
def normalize(x, axis=-1, eps=1e-12):
    """The unit vector of x.

    x (...) -> (...)
    """
    return F.normalize(x, dim=axis, eps=eps)


@checked
def cosine_similarity(a, b, axis=-1, eps=1e-8):
    """How far two vectors point the same way, whatever their lengths.

    a (..., d), b (..., d) -> (...)
    """
    return F.cosine_similarity(a, b, dim=axis, eps=eps)


@checked
def euclidean_distance(a, b):
    """How far apart two points are.

    a (..., d), b (..., d) -> (...)
    """
    return torch.linalg.vector_norm(a - b, dim=-1)


@checked
def projection(a, b):
    """The shadow of a on the line through b.

    a (..., d), b (..., d) -> (..., d)
    """
    return (torch.linalg.vecdot(a, b) / torch.linalg.vecdot(b, b)).unsqueeze(-1) * b


@checked
def nearest_neighbours(query, vectors, k=1):
    """The k vectors most similar to each query, best first: their cosines and their places in `vectors`.

    query (..., d), vectors (n, d) -> (..., k), (..., k)
    """
    cosine = F.normalize(query, dim=-1, eps=1e-8) @ F.normalize(vectors, dim=-1, eps=1e-8).T
    return tuple(torch.topk(cosine, k))
