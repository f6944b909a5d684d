"""The residual stream: one vector per position, to which every block adds, and which nothing ever replaces.

Because the last vector is a sum, whatever is linear in it falls apart into one share per block: its logits too.

Source: Elhage et al. 2021, "A mathematical framework for transformer circuits", section "High-level architecture",
https://transformer-circuits.pub/2021/framework/index.html; the logit lens: nostalgebraist 2020, "interpreting GPT: the
logit lens", https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens
"""

import numpy as np

from kb.foundations.residual_connections import residual
from kb.shapes import checked


@checked
def written(x, blocks):
    """Everything that the last vector is made of: what enters the stream, then what each block writes into it.

    x (..., d) -> (l, ..., d)

    `blocks` is a dict of functions by name, in their order; each reads the stream as the ones before it left it. The
    sum over the first axis is the stream after the last block. Raises ValueError when a block changes the shape.
    """
    parts = [x]
    for block in blocks.values():
        parts.append(block(x))
        x = residual(x, lambda _, said=parts[-1]: said)
    return np.stack(parts)


@checked
def stream(parts):
    """The vector before the first block and after each: the running sum of what was written.

    parts (l, ..., d) -> (l, ..., d)
    """
    return np.cumsum(parts, axis=0)


@checked
def held_layer_norm(parts, weight=None, bias=None, eps=1e-5):
    """What a layer normalisation makes of each part of a sum, when its scale is held at that of the whole sum.

    parts (l, ..., d), weight (d), bias (d) -> (k, ..., d)

    Layer normalisation divides by the spread of the vector, which every part had a hand in. With that number taken as
    given, the rest is linear: the parts of the result add up to the layer norm of the sum of `parts`, exactly. The
    bias belongs to no part and comes as one more, the last (k = l + 1); without a bias k = l.
    """
    spread = np.sqrt(np.var(np.sum(parts, axis=0), axis=-1, keepdims=True) + eps)
    scaled = (parts - np.mean(parts, axis=-1, keepdims=True)) / spread
    if weight is not None:
        scaled = scaled * weight
    return scaled if bias is None else np.concatenate([scaled, np.broadcast_to(bias, scaled[:1].shape)])


@checked
def direct_logit_attribution(parts, weight):
    """How much each part of the last vector adds to each token's logit, by itself; over the parts it sums to the logit.

    parts (k, ..., d), weight (v, d) -> (k, ..., v)

    `weight` is the unembedding, one row per token. Where a layer norm stands before it, `parts` come from
    `held_layer_norm`. It is the direct effect: what a block did for the blocks behind it is counted as theirs.
    """
    return parts @ weight.T


@checked
def logit_lens(parts, read):
    """What the model would say if it stopped after each block: `read`, the way to the logits, of each stage.

    parts (l, ..., d) -> (l, ..., v)

    `read` is a function such as lambda x: unembed(layer_norm(x), weight); its layer norm rescales each stage anew.
    """
    return read(stream(parts))
