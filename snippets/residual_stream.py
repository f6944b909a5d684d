"""Three blocks that only add to one vector per word, and what each did for the answer."""

from functools import partial

import numpy as np

from kb.architecture import residual_stream as rs
from kb.architecture.attention import scaled_dot_product_attention
from kb.foundations.softmax import softmax

words = np.array(["the", "grey", "cat", "saw", "dog"])
text = [0, 1, 2, 3, 0, 1]  # the grey cat saw the grey
this, before, coming, place = np.split(np.eye(21), [5, 10, 15])  # four slots
look = partial(scaled_dot_product_attention, is_causal=True, scale=30.0)


def look_back(x):  # which word stands before this one?
    return look(x @ place.T @ np.eye(6, k=-1), x @ place.T, x @ this.T) @ before


def copy(x):  # where did this word stand before, and what came then?
    return 4 * look(x @ this.T, x @ before.T, x @ this.T) @ coming


def habit(x):  # in other texts "dog" mostly followed "grey"
    return 2.5 * np.maximum(x @ this[1], 0)[:, None] * coming[4]


blocks = {"look back": look_back, "copy": copy, "habit": habit}
parts = rs.written(this[text] + place, blocks)[:, -1]  # of the last position
unembedding = coming - this  # a word does not follow itself
logits = parts.sum(axis=0) @ unembedding.T
shares = rs.direct_logit_attribution(parts, unembedding)
print(words, shares.round(2) + 0, f"sum: {logits.round(2) + 0}", sep="\n")
'''
['the' 'grey' 'cat' 'saw' 'dog']

[[ 0.  -1.   0.   0.   0. ]
 [ 0.   0.   0.   0.   0. ]
 [ 0.   0.   4.   0.   0. ]
 [ 0.   0.   0.   0.   2.5]]

sum: [ 0.  -1.   4.   0.   2.5]
'''

# A layer norm before the unembedding: held at the scale of the sum, the shares still add up.
shares = rs.direct_logit_attribution(rs.held_layer_norm(parts), unembedding)
print(shares[:, 2].round(3) + 0, np.allclose(shares.sum(axis=0), logits / parts.sum(axis=0).std(), atol=1e-4))
#> [0.    0.    4.005 0.   ] True

# The logit lens: "cat" and "dog" if the stack stopped at the embedding, or after a block.
print(rs.logit_lens(parts, lambda x: softmax(x @ unembedding.T))[:, [2, 4]].round(2).tolist())
#> [[0.23, 0.23], [0.23, 0.23], [0.94, 0.02], [0.79, 0.18]]
