"""Layer normalisation: each position's vector is shifted to mean 0 and scaled to variance 1, then scaled as learned.

Source: Ba, Kiros and Hinton 2016, "Layer normalization", equations 3 and 4, https://arxiv.org/abs/1607.06450; Zhang and
Sennrich 2019, "Root mean square layer normalization", equation 4, https://arxiv.org/abs/1910.07467; Wu and He 2018,
"Group normalization", equations 1 to 7, https://arxiv.org/abs/1803.08494; Ioffe and Szegedy 2015, "Batch
normalization", algorithms 1 and 2, https://arxiv.org/abs/1502.03167; where the norm stands: Xiong et al. 2020, "On
layer normalization in the transformer architecture", table 1, https://arxiv.org/abs/2002.04745
"""

import numpy as np

from kb.shapes import checked


# ---- over the last axis: each vector by itself --------------------------------------------------------------------
@checked
def layer_norm(x, weight=None, bias=None, eps=1e-5):
    """Each vector with its own mean taken away and divided by its own standard deviation, then weight * that + bias.

    x (..., d), weight (d), bias (d) -> (..., d)

    eps is added to the variance: a constant vector gives `bias` and not 0 / 0.
    """
    centred = x - x[..., :1]  # equal numbers are exactly 0 from here on; their mean would be rounded
    centred = centred - _mean(centred)
    return _scaled(centred, 1 / np.sqrt(_mean_square(centred) + eps), weight, bias)


@checked
def rms_norm(x, weight=None, eps=None):
    """Each vector divided by the root of its mean square: layer norm without taking the mean away, and without a bias.

    x (..., d), weight (d) -> (..., d)

    eps: None is the spacing of x's floats at 1, as in torch; Llama's configurations name 1e-6 or 1e-5.
    """
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    return _scaled(x, 1 / np.sqrt(_mean_square(x) + eps), weight)


@checked
def layer_norm_backward(grad, x, weight, eps=1e-5):
    """The gradients of a cost with respect to x, weight and bias, from its gradient with respect to the result.

    grad (..., d), x (..., d), weight (d) -> (..., d), (d), (d)

    A step along (1, ..., 1) changes no result, and one along the normalised vector almost none: what `grad` wants there
    is taken away.
    """
    centred = x - np.mean(x, axis=-1, keepdims=True)
    scale = 1 / np.sqrt(_mean_square(centred) + eps)
    normal, g = centred * scale, grad * weight
    along = np.mean(g * normal, axis=-1, keepdims=True)
    others = tuple(range(x.ndim - 1))
    dx = (g - np.mean(g, axis=-1, keepdims=True) - normal * along) * scale
    return dx, np.sum(grad * normal, axis=others), np.sum(grad, axis=others)


# ---- over channels, positions and examples ------------------------------------------------------------------------
@checked
def group_norm(x, num_groups, weight=None, bias=None, eps=1e-5):
    """Layer norm over groups of channels: each example's channels are cut into groups, each with its mean and variance.

    x (n, c, ...), weight (c), bias (c) -> (n, c, ...)

    A group's mean is taken over its c / num_groups channels and all places (pixels). Weight and bias belong to a
    channel. Raises ValueError where num_groups does not divide c.
    """
    if num_groups < 1 or x.shape[1] % num_groups:
        raise ValueError(f"group_norm: {num_groups} groups do not divide the {x.shape[1]} channels of x {x.shape}")
    rows = np.reshape(x, (x.shape[0], num_groups, -1))
    normal = np.reshape(layer_norm(rows, eps=eps), x.shape)
    return normal if weight is None and bias is None else _scaled(normal, 1, *_per_channel(x, weight, bias))


@checked
def batch_norm(x, running_mean=None, running_var=None, weight=None, bias=None, training=False, eps=1e-5):
    """Each channel with its mean taken away and divided by its standard deviation, over all examples and places.

    x (n, c, ...), running_mean (c), running_var (c), weight (c), bias (c) -> (n, c, ...)

    training=True: mean and variance of this batch, so that each example's result depends on the others. False: the
    running ones, and each example stands alone. Raises ValueError where those are missing, and in training for one
    value per channel.
    """
    mean, var = batch_statistics(x) if training else (running_mean, running_var)
    if mean is None or var is None:
        raise ValueError("batch_norm: evaluation needs running_mean and running_var; training=True takes the batch's")
    scale = 1 / np.sqrt(var + eps)
    mean, scale, bias = _per_channel(x, mean, scale if weight is None else scale * weight, bias)
    return _scaled(x - mean, scale, None, bias)


@checked
def batch_statistics(x):
    """The mean and the variance of each channel over all examples and places.

    x (n, c, ...) -> (c), (c)

    The variance divides by the number of values. Raises ValueError for one value per channel: its variance is 0.
    """
    rows = np.reshape(np.swapaxes(x, 0, 1), (x.shape[1], -1))
    if rows.shape[1] < 2:
        raise ValueError(f"batch_norm: x {x.shape} has one value per channel, training needs at least two")
    first = rows[:, 0]
    rough = rows - first[:, None]
    rest = np.mean(rough, axis=-1)
    return first + rest, np.mean(np.square(rough - rest[:, None]), axis=-1)


@checked
def running_statistics(x, running_mean, running_var, momentum=0.1):
    """What batch norm remembers for evaluation: each batch moves the old mean and variance a little towards its own.

    x (n, c, ...), running_mean (c), running_var (c) -> (c), (c)

    momentum is the share of the new, as in torch. The variance that is kept divides by the number of values minus 1.
    """
    mean, var = batch_statistics(x)
    n = x.size // x.shape[1]
    var = var * (n / (n - 1))
    return (1 - momentum) * running_mean + momentum * mean, (1 - momentum) * running_var + momentum * var


# ---- where the norm stands in a block -----------------------------------------------------------------------------
@checked
def pre_norm(x, sublayer, weight=None, bias=None, eps=1e-5):
    """x + sublayer(norm(x)): the block reads a normalised copy, and x itself passes by untouched (GPT-2 and after).

    x (..., d), weight (d), bias (d) -> (..., d)
    """
    return x + sublayer(layer_norm(x, weight, bias, eps))


@checked
def post_norm(x, sublayer, weight=None, bias=None, eps=1e-5):
    """norm(x + sublayer(x)): the sum is normalised, and with it what passes by (the transformer of 2017, BERT).

    x (..., d), weight (d), bias (d) -> (..., d)
    """
    return layer_norm(x + sublayer(x), weight, bias, eps)


def _mean(x):
    """The mean along the last axis, which stays with length 1; as a dot product it takes half the time of np.mean."""
    return np.vecdot(x, np.full(x.shape[-1], 1 / x.shape[-1], x.dtype))[..., None]


def _mean_square(x):
    """The mean of the squares along the last axis, which stays with length 1."""
    return np.vecdot(x, x)[..., None] / x.shape[-1]


def _scaled(x, scale, weight=None, bias=None):
    """x * scale * weight + bias. Where all have x's shape, NumPy writes each step over the one before it."""
    weight, bias = (None if p is None else np.broadcast_to(p, x.shape) for p in (weight, bias))
    if weight is None:
        return x * scale if bias is None else x * scale + bias
    return x * scale * weight if bias is None else x * scale * weight + bias


def _per_channel(x, *values):
    """Each (c) as (c, 1, ..., 1): in front of x's places; None stays None."""
    shape = (-1,) + (1,) * (x.ndim - 2)
    return [None if v is None else np.reshape(v, shape) for v in values]
