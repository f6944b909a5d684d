"""Filter probabilities, not logits, and forget to renormalise: draws without a token."""

import numpy as np

from kb.architecture.sampling import sample, top_p
from kb.foundations.softmax import softmax

logits = np.array([2.0, 1.0, 0.5, 0.0, -1.0, -3.0])
kept = np.where(np.isfinite(top_p(logits, 0.8)), softmax(logits), 0)  # sums to less than 1
print("kept:", kept.round(3), "sum", kept.sum().round(3))
#> kept: [0.561 0.206 0.125 0.    0.    0.   ] sum 0.892

u = np.random.default_rng(0).random(10_000)
drawn = np.sum(np.cumsum(kept) <= u[:, None], axis=-1)  # where the running sum exceeds u
print("drawn without:", np.bincount(drawn, minlength=7), "the last is token 6: there is none")
#> drawn without: [5598 2052 1300    0    0    0 1050] the last is token 6: there is none

right = sample(np.tile(logits, (10_000, 1)), np.random.default_rng(0), top_p=0.8)
print("drawn with:   ", np.bincount(right, minlength=7))
#> drawn with:    [6266 2357 1377    0    0    0    0]
