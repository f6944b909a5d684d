"""Positional encoding: what tells attention where each token stands, added to the vectors or turned into q and k.

Source: Vaswani et al. 2017, "Attention is all you need", section 3.5, https://arxiv.org/abs/1706.03762; learned tables:
Radford et al. 2019 (GPT-2),
https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf; rotation: Su et
al. 2021, "RoFormer", equations 14 to 16 and 34, https://arxiv.org/abs/2104.09864
"""

import numpy as np

from kb.shapes import checked


# ---- a vector for each position, added ----------------------------------------------------------------------------
@checked
def sinusoidal_positions(length, width, theta=10000.0, dtype="float32"):
    """One vector per position: the hands of width / 2 clocks, each slower than the one before it.

    length (), width () -> (t, d)

    Column 2i is the sine and column 2i + 1 the cosine of position / theta^(2i / width). Raises ValueError for an odd
    width.
    """
    angles = rope_angles(np.arange(length), width, theta)
    return np.reshape(np.stack([np.sin(angles), np.cos(angles)], axis=-1), (length, width)).astype(dtype)


@checked
def add_positions(x, table, start=0):
    """The vectors of a text with the vector of its position added to each; the table may be learned or sinusoidal.

    x (..., t, d), table (n, d) -> (..., t, d)

    start: the position of the first vector, more than 0 where a cache holds the ones before it. Raises ValueError where
    the text is longer than the table: a learned table has nothing to say about a position that it never saw.
    """
    end = start + x.shape[-2]
    if start < 0 or end > len(table):
        raise ValueError(f"add_positions: x {x.shape} needs positions {start} to {end - 1}, table has {table.shape}")
    return x + table[start:end]


# ---- a rotation by the position, of queries and keys --------------------------------------------------------------
@checked
def rope(x, positions, theta=10000.0, interleaved=False):
    """Queries or keys, turned by their positions: each pair of entries is a point in a plane, turned by its own angle.

    x (..., t, d), positions (t) -> (..., t, d)

    Pair i turns by position / theta^(2i / d) radians. The product of a turned query with a turned key depends on their
    distance alone. interleaved: the pairs are entries 2i and 2i + 1, as in the paper; else entries i and i + d / 2, as
    in Hugging Face's Llama. Raises ValueError for an odd d or whole-number x.
    """
    if x.dtype.kind != "f":
        raise ValueError(f"rope: x must be floating-point, not {x.dtype}")
    angles = rope_angles(positions, x.shape[-1], theta)
    cos, sin = np.cos(angles).astype(x.dtype), np.sin(angles).astype(x.dtype)  # (t, d/2)
    half = x.shape[-1] // 2
    a, b = (x[..., 0::2], x[..., 1::2]) if interleaved else (x[..., :half], x[..., half:])
    turned = [a * cos - b * sin, a * sin + b * cos]
    return np.reshape(np.stack(turned, axis=-1), x.shape) if interleaved else np.concatenate(turned, axis=-1)


@checked
def rope_angles(positions, width, theta=10000.0):
    """The angle of each of the width / 2 clocks at each position, in radians and in float64.

    positions (t), width () -> (t, n)

    The first clock turns by 1 radian a step, the last by almost 1 / theta. Raises ValueError for an odd width.
    """
    if width % 2:
        raise ValueError(f"positions come in pairs of a sine and a cosine: the width must be even, not {width}")
    return positions[:, None] * theta ** (-np.arange(0, width, 2) / width)


@checked
def score_by_distance(q, k, positions, theta=10000.0):
    """Every score of one query with one key, wherever the two may stand: entry (i, j) for q at i and k at j.

    q (d), k (d), positions (t) -> (t, t)

    The table is constant along its diagonals.
    """
    n = len(positions)
    q, k = (rope(np.broadcast_to(x, (n, x.shape[-1])), positions, theta) for x in (q, k))
    return q @ k.T
