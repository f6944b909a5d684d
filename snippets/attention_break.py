"""Attention without 1 / sqrt(d): the scores grow with the width, one key takes all, and the slope shrinks."""

import numpy as np

from kb.architecture.attention import attention_weights
from kb.foundations.softmax import softmax_backward

rng = np.random.default_rng(0)
for d in (16, 128, 1024):
    q, k, wish = rng.standard_normal((100, d)), rng.standard_normal((50, d)), rng.standard_normal((100, 50))
    for name, scale in (("with   ", None), ("without", 1.0)):
        weights = attention_weights(q, k, scale=scale)
        slope = np.linalg.norm(softmax_backward(wish, weights), axis=-1).mean()
        print(f"d = {d:4} {name} top weight {weights.max(axis=-1).mean():.2f}  slope at the scores {slope:.3f}")
        #> d =   16 with    top weight 0.13  slope at the scores 0.198
        #> d =   16 without top weight 0.60  slope at the scores 0.256
        #> d =  128 with    top weight 0.12  slope at the scores 0.195
        #> d =  128 without top weight 0.84  slope at the scores 0.139
        #> d = 1024 with    top weight 0.12  slope at the scores 0.203
        #> d = 1024 without top weight 0.96  slope at the scores 0.040
