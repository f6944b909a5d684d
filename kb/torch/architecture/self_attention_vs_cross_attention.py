"""Torch twin of `kb.architecture.self_attention_vs_cross_attention`: the same names and arguments."""

from torch.nn import functional as F

from kb.shapes import checked
from kb.torch.architecture.attention import attention_weights
from kb.torch.architecture.multi_head_attention import merge_heads, multi_head_attention, split_heads


@checked
def self_attention(x, w_in, b_in, w_out, b_out, num_heads, attn_mask=None, is_causal=False):
    """One sequence asks itself.

    x (..., t, d), w_in (3d, d), b_in (3d), w_out (d, d), b_out (d) -> (..., t, d)
    """
    return multi_head_attention(x, x, x, w_in, b_in, w_out, b_out, num_heads, attn_mask, is_causal)


@checked
def cross_attention(x, context, w_q, w_k, w_v, w_out, b_out, num_heads, attn_mask=None):
    """One sequence asks another.

    x (..., t, d), context (..., s, c), w_q (e, d), w_k (e, c), w_v (e, c), w_out (d, e), b_out (d) -> (..., t, d)
    """
    q = split_heads(F.linear(x, w_q), num_heads)
    k, v = (split_heads(F.linear(context, w), num_heads) for w in (w_k, w_v))
    return F.linear(merge_heads(F.scaled_dot_product_attention(q, k, v, attn_mask)), w_out, b_out)


@checked
def cross_attention_maps(x, context, w_q, w_k, num_heads, attn_mask=None):
    """Which word each place of the image looks at.

    x (..., t, d), context (..., s, c), w_q (e, d), w_k (e, c) -> (..., h, t, s)
    """
    q, k = split_heads(F.linear(x, w_q), num_heads), split_heads(F.linear(context, w_k), num_heads)
    return attention_weights(q, k, attn_mask)
