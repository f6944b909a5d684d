"""A vector is a list of numbers, and the dot product says how far two of them agree: multiply entry by entry, add up.

    a . b = a1 b1 + a2 b2 + ... + ad bd = |a| |b| cos(angle)

The same sum is an entry of a layer's W x, a score of attention, a similarity of CLIP.

Source: the geometry is school mathematics; names, defaults and the place of `eps` are those of
https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cosine_similarity.html and
https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.normalize.html
"""

import numpy as np

from kb.shapes import checked


@checked
def dot(a, b):
    """How far two vectors agree: positive where they point the same way, 0 where they are perpendicular, else negative.

    a (..., d), b (..., d) -> (...)

    In the units of a times those of b: twice as long a vector agrees twice as much. Raises ValueError for arrays of
    integers, which overflow without a word (200 * 2 is 144 in uint8).
    """
    return np.sum(_float("dot: a", a) * _float("dot: b", b), axis=-1)


@checked
def norm(a, axis=-1, keepdims=False):
    """The length of a vector, by Pythagoras: the square root of its dot product with itself.

    a (...) -> (...)

    At least 0, and 0 only for the vector of zeros. The squares overflow where an entry passes 1.8e19 in float32 or
    1.3e154 in float64. Raises ValueError for arrays of integers.
    """
    return np.sqrt(np.sum(_float("norm: a", a) * a, axis=axis, keepdims=keepdims))


@checked
def normalize(x, axis=-1, eps=1e-12):
    """The unit vector of x: the same direction, length 1.

    x (...) -> (...)

    A vector shorter than `eps` is divided by `eps` instead of by its length, so that zeros stay zeros.
    """
    squared = np.sum(_float("normalize: x", x) * x, axis=axis, keepdims=True)
    return x / np.sqrt(np.maximum(squared, eps * eps))  # the maximum inside the root: at 0 a root has no slope


@checked
def cosine_similarity(a, b, axis=-1, eps=1e-8):
    """How far two vectors point the same way, whatever their lengths: the dot product of their unit vectors.

    a (..., d), b (..., d) -> (...)

    The cosine of the angle: 1 same direction, 0 perpendicular, -1 opposite. A vector shorter than `eps` counts as
    having length `eps`, so that zeros are similar to nothing. Rounding can lead a hair beyond 1: clip before np.arccos.
    Raises ValueError when the lengths along `axis` differ.
    """
    axis = axis if axis < 0 else axis - max(a.ndim, b.ndim)  # from the end, where broadcasting lines the axes up
    if a.shape[axis:][:1] != b.shape[axis:][:1]:
        raise ValueError(f"cosine_similarity: a {a.shape} and b {b.shape} differ along axis {axis}")
    return np.sum(normalize(a, axis, eps) * normalize(b, axis, eps), axis=axis)


@checked
def euclidean_distance(a, b):
    """How far apart two points are: the length of the way from one to the other.

    a (..., d), b (..., d) -> (...)
    """
    return norm(_float("euclidean_distance: a", a) - _float("euclidean_distance: b", b))


@checked
def projection(a, b):
    """The shadow of a on the line through b: the part of a that b accounts for. What is left is perpendicular to b.

    a (..., d), b (..., d) -> (..., d)

    The length of b does not matter. Raises ValueError for a b of zeros, which has no line.
    """
    squared = dot(b, b)
    if np.any(squared == 0):
        raise ValueError("projection: b is a vector of zeros, which has no direction")
    return np.expand_dims(dot(a, b) / squared, -1) * b


@checked
def nearest_neighbours(query, vectors, k=1):
    """The k vectors most similar to each query, best first: their cosines and their places in `vectors`.

    query (..., d), vectors (n, d) -> (..., k), (..., k)

    One matrix product compares every query with every vector. Finding the k largest cosines takes about n steps,
    sorting only them. Among equal cosines at the edge any may be chosen. Raises ValueError unless 1 <= k <= n.
    """
    if not 1 <= k <= len(vectors):
        raise ValueError(f"nearest_neighbours: k is {k}, expected 1 to {len(vectors)}, the number of vectors")
    cosine = normalize(query, eps=1e-8) @ normalize(vectors, eps=1e-8).T  # (..., n)
    best = np.sort(np.argpartition(-cosine, k - 1, axis=-1)[..., :k], axis=-1)  # the right ones, by place
    order = np.argsort(-np.take_along_axis(cosine, best, axis=-1), axis=-1, kind="stable")
    best = np.take_along_axis(best, order, axis=-1)
    return np.take_along_axis(cosine, best, axis=-1), best


def _float(name, array):
    """The array itself. Raises ValueError where it holds integers: their squares overflow without a word."""
    if array.dtype.kind != "f":
        raise ValueError(f"{name} holds {array.dtype}, expected floating-point numbers such as float32")
    return array
