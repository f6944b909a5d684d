"""Torch twin of `kb.architecture.positional_encoding`: the same names and arguments; runs where its tensors live."""

import torch

from kb.shapes import checked


@checked
def sinusoidal_positions(length, width, theta=10000.0, dtype="float32"):
    """The hands of width / 2 clocks at each position.

    length (), width () -> (t, d)
    """
    angles = rope_angles(torch.arange(length), width, theta)
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(-2).to(getattr(torch, dtype))


@checked
def add_positions(x, table, start=0):
    """The vectors of a text with the vector of its position added to each.

    x (..., t, d), table (n, d) -> (..., t, d)
    """
    end = start + x.shape[-2]
    if start < 0 or end > len(table):
        shapes = tuple(x.shape), tuple(table.shape)
        raise ValueError(f"add_positions: x {shapes[0]} needs positions {start} to {end - 1}, table has {shapes[1]}")
    return x + table[start:end]


@checked
def rope(x, positions, theta=10000.0, interleaved=False):
    """Queries or keys, turned by their positions.

    x (..., t, d), positions (t) -> (..., t, d)
    """
    angles = rope_angles(positions, x.shape[-1], theta)
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    a, b = (x[..., 0::2], x[..., 1::2]) if interleaved else x.chunk(2, -1)
    turned = a * cos - b * sin, a * sin + b * cos
    return torch.stack(turned, -1).flatten(-2) if interleaved else torch.cat(turned, -1)


@checked
def rope_angles(positions, width, theta=10000.0):
    """The angle of each of the width / 2 clocks at each position, in radians and in float64.

    positions (t), width () -> (t, n)

    In float32 on Apple's GPUs, which have no float64.
    """
    if width % 2:
        raise ValueError(f"positions come in pairs of a sine and a cosine: the width must be even, not {width}")
    dtype = torch.float32 if positions.device.type == "mps" else torch.float64
    steps = torch.arange(0, width, 2, device=positions.device, dtype=dtype)
    return positions[:, None] * theta ** (-steps / width)


@checked
def score_by_distance(q, k, positions, theta=10000.0):
    """Entry (i, j): the score of the query at i with the key at j.

    q (d), k (d), positions (t) -> (t, t)
    """
    q, k = (rope(x.expand(len(positions), -1), positions, theta) for x in (q, k))
    return q @ k.T
