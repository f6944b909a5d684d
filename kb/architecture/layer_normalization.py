"""Stand-in of `gpt`, to be replaced by the owner's module: layer normalisation and RMS normalisation."""

import numpy as np

from kb.shapes import checked


@checked
def layer_norm(x, weight=None, bias=None, eps=1e-5):
    """Each vector with mean 0 and variance 1, then scaled and shifted.

    x (..., d), weight (d), bias (d) -> (..., d)
    """
    centred = x - np.mean(x, axis=-1, keepdims=True)
    y = centred / np.sqrt(np.mean(centred * centred, axis=-1, keepdims=True) + eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


@checked
def rms_norm(x, weight=None, eps=1e-6):
    """Each vector divided by the root of its mean square, then scaled.

    x (..., d), weight (d) -> (..., d)
    """
    y = x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps)
    return y if weight is None else y * weight
