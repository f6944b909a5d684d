"""One query looks at four keys; then a whole causal pattern, the reason for sqrt(d), and the tiled form."""

import numpy as np

from kb.architecture.attention import (
    attention_tiled,
    attention_weights,
    scaled_dot_product_attention,
    score_variance,
)

# "cat" asks for adjectives (first direction); "small" and "grey" offer themselves, "the" and "cat" do not.
q = np.array([[3.0, 0.0]])
k = np.array([[0.0, 1.0], [1.5, 0.0], [2.0, 0.0], [0.0, 0.5]])
v = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
print(attention_weights(q, k).round(3))
#> [[0.01  0.252 0.727 0.01 ]]
print(scaled_dot_product_attention(q, k, v).round(3))
#> [[0.252 0.727]]

# With a causal mask each position sees itself and what came before; the future has weight 0.
rng = np.random.default_rng(0)
x = rng.standard_normal((4, 8))
print(attention_weights(x, x, is_causal=True).round(2))
'''
[[1.   0.   0.   0.  ]
 [0.02 0.98 0.   0.  ]
 [0.17 0.22 0.62 0.  ]
 [0.08 0.3  0.11 0.51]]
'''

# The dot product of two vectors of d independent numbers with variance 1 has variance d.
for d in (16, 128):
    print(d, [round(float(var), 2) for var in score_variance(*rng.standard_normal((2, 100_000, d)))])
    #> 16 [15.98, 1.0]
    #> 128 [127.41, 1.0]

# Tile by tile, without ever holding the table of scores: the same result.
q, k, v = rng.standard_normal((3, 2, 1000, 64))
whole = scaled_dot_product_attention(q, k, v, is_causal=True)
print(np.abs(attention_tiled(q, k, v, is_causal=True) - whole).max() < 1e-12)
#> True
