"""Torch twin of `kb.architecture.multi_head_attention`: the same names and arguments; runs where its tensors live."""

from torch.nn import functional as F

from kb.shapes import checked
from kb.torch.architecture.attention import attention_weights

WITHOUT_A_TWIN = {"attention_parameters": "counts, no arrays"}


@checked
def split_heads(x, num_heads):
    """The vectors of all heads, cut out of one wide vector.

    x (..., t, d) -> (..., h, t, e)
    """
    if num_heads < 1 or x.shape[-1] % num_heads:
        raise ValueError(f"split_heads: {num_heads} heads do not divide the width of x {tuple(x.shape)}")
    return x.unflatten(-1, (num_heads, -1)).transpose(-3, -2)


@checked
def merge_heads(x):
    """The heads' vectors side by side.

    x (..., h, t, e) -> (..., t, d)
    """
    return x.transpose(-3, -2).flatten(-2)


@checked
def multi_head_attention(q, k, v, w_in, b_in, w_out, b_out, num_heads, attn_mask=None, is_causal=False):
    """Every head projects, attends and hands over; one last matrix mixes what the heads found.

    q (..., t, d), k (..., s, d), v (..., s, d), w_in (3d, d), b_in (3d), w_out (d, d), b_out (d) -> (..., t, d)

    A boolean mask says True = may look, as F.scaled_dot_product_attention does and nn.MultiheadAttention does not.
    """
    q, k, v = _projected(q, k, v, w_in, b_in, num_heads)
    found = F.scaled_dot_product_attention(q, k, v, attn_mask, 0.0, is_causal)
    return F.linear(merge_heads(found), w_out, b_out)


@checked
def grouped_query_attention(x, w_q, w_k, w_v, w_out, num_heads, attn_mask=None, is_causal=False):
    """Self-attention in which several query heads share one head of keys and values.

    x (..., t, d), w_q (e, d), w_k (g, d), w_v (g, d), w_out (d, e) -> (..., t, d)
    """
    size = len(w_q) // num_heads if num_heads > 0 else 0
    if size == 0 or len(w_q) % num_heads or len(w_k) % size:
        shapes = f"w_q {tuple(w_q.shape)} and w_k {tuple(w_k.shape)}"
        raise ValueError(
            f"grouped_query_attention: {shapes} do not divide into {num_heads} query heads and their groups"
        )
    q = split_heads(F.linear(x, w_q), num_heads)
    k, v = (split_heads(F.linear(x, w), len(w_k) // size) for w in (w_k, w_v))
    found = F.scaled_dot_product_attention(q, k, v, attn_mask, 0.0, is_causal, enable_gqa=True)
    return F.linear(merge_heads(found), w_out)


@checked
def head_patterns(q, k, w_in, b_in, num_heads, attn_mask=None, is_causal=False):
    """Where each head looks.

    q (..., t, d), k (..., s, d), w_in (3d, d), b_in (3d) -> (..., h, t, s)
    """
    q, k, _ = _projected(q, k, k, w_in, b_in, num_heads)
    return attention_weights(q, k, attn_mask, is_causal)


@checked
def head_outputs(q, k, v, w_in, b_in, w_out, num_heads, attn_mask=None, is_causal=False):
    """What each head by itself adds.

    q (..., t, d), k (..., s, d), v (..., s, d), w_in (3d, d), b_in (3d), w_out (d, d) -> (..., h, t, d)
    """
    q, k, v = _projected(q, k, v, w_in, b_in, num_heads)
    return F.scaled_dot_product_attention(q, k, v, attn_mask, 0.0, is_causal) @ split_heads(w_out, num_heads).mT


@checked
def value_maps(w_v, w_out, num_heads):
    """The d x d matrix of each head from the vector that is looked at to what is added.

    w_v (e, d), w_out (d, e) -> (h, d, d)
    """
    return split_heads(w_out, num_heads) @ w_v.unflatten(0, (num_heads, -1))


def _projected(q, k, v, w_in, b_in, num_heads):
    """Queries, keys and values of all heads; by one matrix product where they come from the same vectors."""
    if q is k and k is v:
        return [split_heads(x, num_heads) for x in F.linear(q, w_in, b_in).chunk(3, -1)]
    biases = (None,) * 3 if b_in is None else b_in.chunk(3)
    each = zip((q, k, v), w_in.chunk(3), biases, strict=True)
    return [split_heads(F.linear(x, w, b), num_heads) for x, w, b in each]
