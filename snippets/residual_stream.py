"""Three blocks that only add to one vector per word, and what each of them did for the answer."""

import numpy as np

from kb.architecture.attention import scaled_dot_product_attention as attention
from kb.architecture.residual_stream import direct_logit_attribution, held_layer_norm, logit_lens, written
from kb.foundations.softmax import softmax

words = np.array(["the", "grey", "cat", "saw", "dog"])
text = [0, 1, 2, 3, 0, 1]  # the grey cat saw the grey
this, before, coming, place = np.split(np.eye(21), [5, 10, 15])  # four slots of a stream of 21 dimensions


def look_back(x):  # which word stands before this one?
    return attention(x @ place.T @ np.eye(6, k=-1), x @ place.T, x @ this.T, is_causal=True, scale=30.0) @ before


def copy(x):  # where did this word stand before, and what came then?
    return 4 * attention(x @ this.T, x @ before.T, x @ this.T, is_causal=True, scale=30.0) @ coming


def habit(x):  # in other texts "dog" mostly followed "grey"
    return 2.5 * np.maximum(x @ this[1], 0)[:, None] * coming[4]


parts = written(this[text] + place, {"look back": look_back, "copy": copy, "habit": habit})[:, -1]
unembedding = coming - this  # a word does not follow itself

print(words)
#> ['the' 'grey' 'cat' 'saw' 'dog']
print(direct_logit_attribution(parts, unembedding).round(2) + 0)
'''
[[ 0.  -1.   0.   0.   0. ]
 [ 0.   0.   0.   0.   0. ]
 [ 0.   0.   4.   0.   0. ]
 [ 0.   0.   0.   0.   2.5]]
'''
print((parts.sum(axis=0) @ unembedding.T).round(2) + 0, "their sum: the logits")
#> [ 0.  -1.   4.   0.   2.5] their sum: the logits

# With a layer norm before the unembedding the shares sum to the logit too, its scale held.
shares = direct_logit_attribution(held_layer_norm(parts), unembedding)
x = parts.sum(axis=0)
logits = (x - x.mean()) / np.sqrt(x.var() + 1e-5) @ unembedding.T
print(shares[:, 2].round(3) + 0, np.abs(shares.sum(axis=0) - logits).max() < 1e-12)
#> [0.    0.    4.005 0.   ] True

# The logit lens: the chances of "cat" and "dog" if the stack stopped at the embedding, or after each block.
print(logit_lens(parts, lambda x: softmax(x @ unembedding.T))[:, [2, 4]].round(2).tolist())
#> [[0.23, 0.23], [0.23, 0.23], [0.94, 0.02], [0.79, 0.18]]
