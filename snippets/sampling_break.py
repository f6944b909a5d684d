"""Filter the probabilities instead of the logits, and forget to renormalise: draws that no token answers to."""

import numpy as np

from kb.architecture.sampling import sample, top_p
from kb.foundations.softmax import softmax

logits = np.array([2.0, 1.0, 0.5, 0.0, -1.0, -3.0])
kept = np.where(np.isfinite(top_p(logits, 0.8)), softmax(logits), 0)  # zeros where dropped: no longer a distribution
print("kept:", kept.round(3), "sum", kept.sum().round(3))
#> kept: [0.561 0.206 0.125 0.    0.    0.   ] sum 0.892

u = np.random.default_rng(0).random(10_000)
drawn = np.sum(np.cumsum(kept) <= u[:, None], axis=-1)  # the first token at which the running sum exceeds u
print("tokens drawn without:", np.bincount(drawn, minlength=7), "the last column is token 6, which does not exist")
#> tokens drawn without: [5598 2052 1300    0    0    0 1050] the last column is token 6, which does not exist

right = sample(np.tile(logits, (10_000, 1)), np.random.default_rng(0), top_p=0.8)
print("tokens drawn with:   ", np.bincount(right, minlength=7))
#> tokens drawn with:    [6266 2357 1377    0    0    0    0]
