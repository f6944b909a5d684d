"""Six tokens score one final vector; one position or all; the gradient of a shared matrix."""

import numpy as np

from kb.architecture.unembedding import unembed, unembed_last
from kb.autograd.tensor import grad
from kb.foundations.softmax import softmax

tokens = ["mat", "sofa", "dog", "ran", "green", "the"]
rows = [[2.2, 0.4], [1.4, 0.5], [-0.2, 1.4], [-1.5, 0.7], [-1.1, -0.8], [0.4, -1.1]]
weight = np.array(rows)  # one row per token
final = np.array([2.0, 0.8])  # at the end of "the cat sat on the"

scores = unembed(final, weight)
for token, score, share in zip(tokens, scores, softmax(scores), strict=True):
    print(f"{token:5} {score:5.2f}  {share:.3f}")
    #> mat    4.72  0.802
    #> sofa   3.20  0.175
    #> dog    0.72  0.015
    #> ran   -2.44  0.001
    #> green -2.84  0.000
    #> the   -0.08  0.007

# Of 100 positions training scores every one, generation only the last.
x = np.random.default_rng(0).standard_normal((100, 2))
print(unembed(x, weight).shape, unembed_last(x, weight).shape)
#> (100, 6) (6,)

# Tied weights: one matrix looks up and scores. Which rows does each use teach?
ids, wish = np.array([0, 5, 0]), np.random.default_rng(1).standard_normal((3, 6))
looked_up = grad(lambda w: np.sum(unembed(np.tanh(w[ids]), weight) * wish))(weight)
scored = grad(lambda w: np.sum(unembed(np.tanh(weight[ids]), w) * wish))(weight)
tied = grad(lambda w: np.sum(unembed(np.tanh(w[ids]), w) * wish))(weight)
print(looked_up.any(axis=1).sum(), "and", scored.any(axis=1).sum(), "of 6 rows")
#> 2 and 6 of 6 rows
print(np.allclose(tied, looked_up + scored))
#> True
