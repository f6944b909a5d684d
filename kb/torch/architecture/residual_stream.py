"""Torch twin of `kb.architecture.residual_stream`: the same names and arguments; runs where its tensors live."""

import torch
from torch.nn import functional as F

from kb.shapes import checked
from kb.torch.foundations.residual_connections import residual


@checked
def written(x, blocks):
    """What enters the stream, then what each block writes into it.

    x (..., d) -> (l, ..., d)
    """
    parts = [x]
    for block in blocks.values():
        parts.append(block(x))
        x = residual(x, lambda _, said=parts[-1]: said)
    return torch.stack(parts)


@checked
def stream(parts):
    """The vector before the first block and after each.

    parts (l, ..., d) -> (l, ..., d)
    """
    return parts.cumsum(0)


@checked
def held_layer_norm(parts, weight=None, bias=None, eps=1e-5):
    """What a layer normalisation makes of each part of a sum, when its scale is held at that of the whole sum.

    parts (l, ..., d), weight (d), bias (d) -> (k, ..., d)
    """
    scale = (parts.sum(0).var(-1, correction=0, keepdim=True) + eps).rsqrt()
    scaled = (parts - parts.mean(-1, keepdim=True)) * scale
    if weight is not None:
        scaled = scaled * weight
    return scaled if bias is None else torch.cat([scaled, bias.expand_as(scaled[:1])])


@checked
def direct_logit_attribution(parts, weight):
    """How much each part of the last vector adds to each token's logit, by itself.

    parts (k, ..., d), weight (v, d) -> (k, ..., v)
    """
    return F.linear(parts, weight)


@checked
def logit_lens(parts, read):
    """What the model would say if it stopped after each block.

    parts (l, ..., d) -> (l, ..., v)
    """
    return read(stream(parts))
