"""Torch twin of `kb.architecture.unembedding`: the same names and arguments; runs where its tensors live."""

import torch.nn.functional as F

from kb.shapes import checked


@checked
def unembed(x, weight):
    """One dot product per token of the vocabulary.

    x (..., d), weight (v, d) -> (..., v)
    """
    return F.linear(x, weight)


@checked
def unembed_last(x, weight):
    """The scores for the next token only.

    x (..., t, d), weight (v, d) -> (..., v)
    """
    if x.shape[-2] == 0:
        raise ValueError(f"unembed_last: x {tuple(x.shape)} has no position")
    return F.linear(x[..., -1, :], weight)
