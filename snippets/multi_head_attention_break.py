"""Heads cut with a plain reshape: every shape is right, and the future leaks through a causal mask."""

import numpy as np

from kb.architecture.attention import scaled_dot_product_attention
from kb.architecture.multi_head_attention import split_heads


def cut_without_moving_the_axis(x, num_heads):
    return x.reshape(num_heads, x.shape[0], -1)


x = np.random.default_rng(0).standard_normal((6, 8))
changed = x.copy()
changed[5] = 0  # only the last word is another one
for name, cut in (("split_heads", split_heads), ("plain reshape", cut_without_moving_the_axis)):
    heads = [cut(text, 4) for text in (x, changed)]
    before, after = (scaled_dot_product_attention(h, h, h, is_causal=True) for h in heads)
    touched = np.any(before != after, axis=(0, 2))
    print(f"{name:13} {before.shape} outputs that change: {np.flatnonzero(touched)}")
    #> split_heads   (4, 6, 2) outputs that change: [5]
    #> plain reshape (4, 6, 2) outputs that change: [2 3 4 5]
