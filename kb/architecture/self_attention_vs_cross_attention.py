"""Self-attention and cross-attention: the same layer; only where keys and values come from differs.

Source: Vaswani et al. 2017, "Attention is all you need", section 3.2.3, https://arxiv.org/abs/1706.03762; text into an
image: Rombach et al. 2022, "High-resolution image synthesis with latent diffusion models", section 3.3,
https://arxiv.org/abs/2112.10752
"""

import numpy as np

from kb.architecture.attention import attention_weights, scaled_dot_product_attention
from kb.architecture.multi_head_attention import merge_heads, multi_head_attention, split_heads
from kb.shapes import checked


@checked
def self_attention(x, w_in, b_in, w_out, b_out, num_heads, attn_mask=None, is_causal=False):
    """One sequence asks itself: queries, keys and values are all made from x.

    x (..., t, d), w_in (3d, d), b_in (3d), w_out (d, d), b_out (d) -> (..., t, d)

    is_causal=True in a model that predicts the next token. The rest as in multi_head_attention.
    """
    return multi_head_attention(x, x, x, w_in, b_in, w_out, b_out, num_heads, attn_mask, is_causal)


@checked
def cross_attention(x, context, w_q, w_k, w_v, w_out, b_out, num_heads, attn_mask=None):
    """One sequence asks another: queries are made from x, keys and values from `context`, which may have another width.

    x (..., t, d), context (..., s, c), w_q (e, d), w_k (e, c), w_v (e, c), w_out (d, e), b_out (d) -> (..., t, d)

    The layout of Stable Diffusion's U-Net (to_q, to_k, to_v without biases, to_out with one): x are the places of the
    image, `context` the words. There is no is_causal: all of `context` is known before x is made. attn_mask, boolean,
    True = may look, leaves padding out: (s) as (1, s), or per example (b, 1, 1, s). Raises ValueError where num_heads
    does not divide e.
    """
    q = split_heads(_linear(x, w_q), num_heads)
    k, v = (split_heads(_linear(context, w), num_heads) for w in (w_k, w_v))
    return _linear(merge_heads(scaled_dot_product_attention(q, k, v, attn_mask)), w_out) + b_out


@checked
def cross_attention_maps(x, context, w_q, w_k, num_heads, attn_mask=None):
    """Which word each place of the image looks at: a row of shares over the context for every place and head.

    x (..., t, d), context (..., s, c), w_q (e, d), w_k (e, c) -> (..., h, t, s)

    A column, laid out as the image, is the map of one word.
    """
    q, k = split_heads(_linear(x, w_q), num_heads), split_heads(_linear(context, w_k), num_heads)
    return attention_weights(q, k, attn_mask)


def _linear(x, weight):
    return x @ np.swapaxes(weight, -1, -2)
