"""Softmax twice: shares lie in 0..1, so a second softmax tells them apart by e at most."""

import numpy as np

from kb.autograd.tensor import value_and_grad
from kb.foundations.softmax import softmax
from kb.learning.cost_function import cross_entropy

logits = np.array([4.72, 3.20, 0.72, -2.44, -2.84, -0.08])
print(softmax(logits).round(3))
#> [0.802 0.175 0.015 0.001 0.    0.007]
print(softmax(softmax(logits)).round(3))
#> [0.3   0.16  0.136 0.134 0.134 0.135]

# A model that is certain gives one token the share 1. And after a second softmax?
for v in (3, 100, 50_257):
    certain = np.where(np.arange(v) == 0, 100.0, 0.0)
    once, twice = softmax(certain)[0], softmax(softmax(certain))[0]
    print(f"{v:6} tokens: once {once:.6f}, twice {twice:.6f}")
    #>      3 tokens: once 1.000000, twice 0.576117
    #>    100 tokens: once 1.000000, twice 0.026724
    #>  50257 tokens: once 1.000000, twice 0.000054

# Training with the mistake inside: 1000 scores, of which the first should win.
for name, fault in (("once ", lambda z: z), ("twice", softmax)):
    cost = value_and_grad(lambda z, fault=fault: cross_entropy(fault(z), np.array([0])))
    z = np.zeros((1, 1000))
    first = cost(z)[1][0, 0]
    for _ in range(300):
        value, slope = cost(z)
        z = z - slope
    print(f"{name} first slope {first:.4f}, cost {value:.3f}, share {softmax(z)[0, 0]:.3f}")
    #> once  first slope -0.9990, cost 0.003, share 0.997
    #> twice first slope -0.0010, cost 6.907, share 0.001
