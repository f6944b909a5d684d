"""Stand-in of `gpt`, to be replaced by the owner's module: rotary positions."""

import numpy as np

from kb.shapes import checked


@checked
def rope(x, positions, theta=10000.0, interleaved=False):
    """Each pair of entries rotated by an angle that grows with the position.

    x (..., t, d), positions (t) -> (..., t, d)
    """
    half = x.shape[-1] // 2
    angles = np.expand_dims(positions, -1) * theta ** (-np.arange(half) / half)  # (t, d / 2)
    cos, sin = np.cos(angles).astype(x.dtype), np.sin(angles).astype(x.dtype)
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)
