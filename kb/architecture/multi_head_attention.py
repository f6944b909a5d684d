"""Multi-head attention: several attentions side by side, each on its own small projection; what they find is added up.

Source: Vaswani et al. 2017, "Attention is all you need", section 3.2.2, https://arxiv.org/abs/1706.03762; heads as a
sum, and the product of value and output matrix: Elhage et al. 2021, "A mathematical framework for transformer
circuits", https://transformer-circuits.pub/2021/framework/index.html; shared keys and values: Ainslie et al. 2023,
"GQA", https://arxiv.org/abs/2305.13245; sizes: Brown et al. 2020, table 2.1, https://arxiv.org/abs/2005.14165
"""

import numpy as np

from kb.architecture.attention import attention_weights, scaled_dot_product_attention
from kb.shapes import checked


# ---- one axis for the heads ---------------------------------------------------------------------------------------
@checked
def split_heads(x, num_heads):
    """The vectors of all heads, cut out of one wide vector: entries 0..e-1 belong to head 0, the next e to head 1.

    x (..., t, d) -> (..., h, t, e)

    e = d / num_heads. Raises ValueError where num_heads does not divide d.
    """
    if num_heads < 1 or x.shape[-1] % num_heads:
        raise ValueError(f"split_heads: {num_heads} heads do not divide the width of x {tuple(x.shape)}")
    return np.swapaxes(np.reshape(x, (*x.shape[:-1], num_heads, -1)), -3, -2)


@checked
def merge_heads(x):
    """The way back: the heads' vectors side by side in one wide vector.

    x (..., h, t, e) -> (..., t, d)
    """
    x = np.swapaxes(x, -3, -2)
    return np.reshape(x, (*x.shape[:-2], -1))


# ---- the layer ----------------------------------------------------------------------------------------------------
@checked
def multi_head_attention(q, k, v, w_in, b_in, w_out, b_out, num_heads, attn_mask=None, is_causal=False):
    """Every head projects, attends and hands over; one last matrix mixes what the heads found.

    q (..., t, d), k (..., s, d), v (..., s, d), w_in (3d, d), b_in (3d), w_out (d, d), b_out (d) -> (..., t, d)

    w_in: the matrices of queries, keys and values one below the other, as in torch's nn.MultiheadAttention; within each
    the rows of head 0 come first. q, k and v are the same array in self-attention. b_in and b_out may be None.
    attn_mask: for all heads (t, s), or with axes (..., h, t, s); boolean, True = may look (nn.MultiheadAttention's says
    the opposite), or numbers that are added to the scores.
    Raises ValueError where num_heads does not divide d, and as scaled_dot_product_attention does.
    """
    q, k, v = _projected(q, k, v, w_in, b_in, num_heads)
    return _linear(merge_heads(scaled_dot_product_attention(q, k, v, attn_mask, is_causal)), w_out, b_out)


@checked
def grouped_query_attention(x, w_q, w_k, w_v, w_out, num_heads, attn_mask=None, is_causal=False):
    """Self-attention in which several query heads share one head of keys and values (Llama's names: q_proj, k_proj, …).

    x (..., t, d), w_q (e, d), w_k (g, d), w_v (g, d), w_out (d, e) -> (..., t, d)

    A head is e / num_heads wide, so there are g num_heads / e heads of keys and values: as many as query heads is
    ordinary multi-head attention, one is multi-query attention. Raises ValueError where the heads do not divide.
    """
    size = len(w_q) // num_heads if num_heads > 0 else 0
    if size == 0 or len(w_q) % num_heads or len(w_k) % size:
        shapes = f"w_q {tuple(w_q.shape)} and w_k {tuple(w_k.shape)}"
        raise ValueError(
            f"grouped_query_attention: {shapes} do not divide into {num_heads} query heads and their groups"
        )
    q = split_heads(_linear(x, w_q), num_heads)
    k, v = (split_heads(_linear(x, w), len(w_k) // size) for w in (w_k, w_v))
    return _linear(merge_heads(scaled_dot_product_attention(q, k, v, attn_mask, is_causal, enable_gqa=True)), w_out)


# ---- looking inside -----------------------------------------------------------------------------------------------
@checked
def head_patterns(q, k, w_in, b_in, num_heads, attn_mask=None, is_causal=False):
    """Where each head looks: its table of weights, one row per query.

    q (..., t, d), k (..., s, d), w_in (3d, d), b_in (3d) -> (..., h, t, s)
    """
    q, k, _ = _projected(q, k, k, w_in, b_in, num_heads)
    return attention_weights(q, k, attn_mask, is_causal)


@checked
def head_outputs(q, k, v, w_in, b_in, w_out, num_heads, attn_mask=None, is_causal=False):
    """What each head by itself adds: their sum over the heads, plus b_out, is multi_head_attention.

    q (..., t, d), k (..., s, d), v (..., s, d), w_in (3d, d), b_in (3d), w_out (d, d) -> (..., h, t, d)
    """
    q, k, v = _projected(q, k, v, w_in, b_in, num_heads)
    found = scaled_dot_product_attention(q, k, v, attn_mask, is_causal)
    return found @ np.swapaxes(split_heads(w_out, num_heads), -1, -2)


@checked
def value_maps(w_v, w_out, num_heads):
    """The d x d matrix of each head from the vector that is looked at to what is added: W_O's columns times W_V's rows.

    w_v (e, d), w_out (d, e) -> (h, d, d)

    Its rank is at most the head's size e / num_heads: two thin matrices stand for one square one.
    """
    down = np.reshape(w_v, (num_heads, -1, w_v.shape[-1]))  # (h, e/h, d)
    return split_heads(w_out, num_heads) @ down


def attention_parameters(width, num_heads, head_size=None, num_kv_heads=None, num_layers=1):
    """How many weights attention has, without biases: {"query": …, "key": …, "value": …, "output": …}.

    head_size is width / num_heads if None, num_kv_heads is num_heads if None. The series calls the value matrix "value
    down" and the output matrix "value up".
    """
    size = width // num_heads if head_size is None else head_size
    all_heads = width * size * num_heads * num_layers
    shared = width * size * (num_heads if num_kv_heads is None else num_kv_heads) * num_layers
    return {"query": all_heads, "key": shared, "value": shared, "output": all_heads}


def _projected(q, k, v, w_in, b_in, num_heads):
    """Queries, keys and values of all heads: (..., h, t, e) and twice (..., h, s, e)."""
    weights = np.split(w_in, 3)
    biases = (None,) * 3 if b_in is None else np.split(b_in, 3)
    return [split_heads(_linear(x, w, b), num_heads) for x, w, b in zip((q, k, v), weights, biases, strict=True)]


def _linear(x, weight, bias=None):
    z = x @ np.swapaxes(weight, -1, -2)
    return z if bias is None else z + bias
