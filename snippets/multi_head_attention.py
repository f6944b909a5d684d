"""A layer of four heads: cut, attend, merge; then what each head adds, and what the layer costs in GPT-3."""

import numpy as np

from kb.architecture.attention import scaled_dot_product_attention
from kb.architecture.multi_head_attention import (
    attention_parameters,
    grouped_query_attention,
    head_outputs,
    merge_heads,
    multi_head_attention,
    split_heads,
    value_maps,
)

rng = np.random.default_rng(0)
x = rng.standard_normal((5, 16))  # 5 positions, width 16
w_in, w_out = rng.standard_normal((48, 16)) / 4, rng.standard_normal((16, 16)) / 4

q, k, v = (split_heads(x @ w.T, 4) for w in np.split(w_in, 3))
print(q.shape)  # heads, positions, head size
#> (4, 5, 4)
by_hand = merge_heads(scaled_dot_product_attention(q, k, v, is_causal=True)) @ w_out.T
layer = multi_head_attention(x, x, x, w_in, None, w_out, None, num_heads=4, is_causal=True)
print(np.allclose(layer, by_hand))
#> True

# The layer is a sum over its heads.
each = head_outputs(x, x, x, w_in, None, w_out, num_heads=4, is_causal=True)
print(each.shape, np.allclose(each.sum(axis=0), layer))
#> (4, 5, 16) True
print(np.linalg.matrix_rank(value_maps(w_in[32:], w_out, 4)))  # 16 x 16 matrices
#> [4 4 4 4]

# Two heads of keys and values for four query heads.
w_q, w_k, w_v = w_in[:16], w_in[16:24], w_in[32:40]
print(grouped_query_attention(x, w_q, w_k, w_v, w_out, num_heads=4, is_causal=True).shape)
#> (5, 16)

# GPT-3: width 12,288, 96 heads of 128, 96 layers.
layer = attention_parameters(12_288, 96)
print(layer["value"] // 96, sum(layer.values()) // 96, sum(layer.values()), sum(layer.values()) * 96)
#> 1572864 6291456 603979776 57982058496
