"""Unembedding: compare the last vector with one vector per token; each dot product is that token's score.

Source: Vaswani et al. 2017, "Attention is all you need", section 3.4, https://arxiv.org/abs/1706.03762; one matrix for
both ends: Press and Wolf 2017, "Using the output embedding to improve language models",
https://arxiv.org/abs/1608.05859; Inan et al. 2017, "Tying word vectors and word classifiers",
https://arxiv.org/abs/1611.01462
"""

import numpy as np

from kb.shapes import checked


@checked
def unembed(x, weight):
    """How well each token fits what the vector says comes next: one dot product per token of the vocabulary.

    x (..., d), weight (v, d) -> (..., v)

    weight: one row per token, as torch's Linear stores it. With tied weights it is the embedding matrix itself.
    The result, the logits, can be any real numbers. No bias: the published models have none here.
    """
    return x @ np.swapaxes(weight, 0, 1)


@checked
def unembed_last(x, weight):
    """The scores for the next token only: those of the last position, all that generation needs.

    x (..., t, d), weight (v, d) -> (..., v)

    t times less work than all positions, and t times less memory. Training uses `unembed`: every position has a next
    token to be scored on. Raises ValueError for a text without positions.
    """
    if x.shape[-2] == 0:
        raise ValueError(f"unembed_last: x {tuple(x.shape)} has no position")
    return unembed(x[..., -1, :], weight)
