"""Torch twin of `kb.architecture.attention`: the same names and arguments; runs where its tensors live."""

import math

import torch
import torch.nn.functional as F

from kb.shapes import checked


def scaled_dot_product_attention(q, k, v, attn_mask=None, is_causal=False, scale=None, enable_gqa=False):
    """Each query's average of the values, each value weighted by how well its key matches.

    q (..., t, d), k (..., s, d), v (..., s, e), attn_mask (..., t|1, s|1) -> (..., t, e)

    Torch picks a fused kernel, which never holds the whole t x s table, where the tensors have four axes.
    """
    return F.scaled_dot_product_attention(q, k, v, attn_mask, 0.0, is_causal, scale=scale, enable_gqa=enable_gqa)


@checked
def attention_weights(q, k, attn_mask=None, is_causal=False, scale=None):
    """The attention pattern, where each query looks.

    q (..., t, d), k (..., s, d), attn_mask (..., t|1, s|1) -> (..., t, s)

    The kernel does not give them away; but where value j is the j-th unit vector, the average of the values is they.
    """
    units = torch.eye(k.shape[-2], dtype=q.dtype, device=q.device).expand(*k.shape[:-2], -1, -1)
    return F.scaled_dot_product_attention(q, k, units, attn_mask, 0.0, is_causal, scale=scale)


@checked
def causal_mask(t, s=None):
    """Query i may look at the keys 0..i.

    t (), s () -> (t, s)
    """
    return torch.ones(t, t if s is None else s, dtype=torch.bool).tril()


@checked
def score_variance(q, k):
    """The variance of q . k over n pairs of rows, before and after the division by sqrt(d).

    q (n, d), k (n, d) -> (), ()
    """
    scores = (q * k).sum(-1)
    return scores.var(correction=0), (scores / math.sqrt(q.shape[-1])).var(correction=0)


@checked
def attention_tiled(q, k, v, is_causal=False, block=256):
    """The same result without the t x s table of scores.

    q (..., t, d), k (..., s, d), v (..., s, e) -> (..., t, e)

    This is what torch's fused kernels do; they ask for four axes and choose the size of the tile themselves (`block` is
    not used), and they can be differentiated.
    """
    axes = max(q.ndim, k.ndim, v.ndim)
    q, k, v = (x[(None,) * (4 - x.ndim)] for x in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v, is_causal=is_causal)[(0,) * (4 - axes)]
