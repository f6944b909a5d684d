"""Three scores become three shares of one whole."""

import numpy as np

from kb.foundations.softmax import log_softmax, logsumexp, softmax

scores = np.array([2.0, 1.0, 0.1])
powers = np.exp(scores)
print(powers.round(2), powers.sum().round(2))
#> [7.39 2.72 1.11] 11.21
print((powers / powers.sum()).round(3))
#> [0.659 0.242 0.099]
print(softmax(scores).round(3), softmax(scores).sum().round(12))
#> [0.659 0.242 0.099] 1.0

# Only differences count: a shift changes nothing, a factor changes the temperature.
print(softmax(scores + 1000).round(3))
#> [0.659 0.242 0.099]
print(softmax(scores / 0.25).round(3), softmax(scores / 4).round(3))
#> [0.982 0.018 0.   ] [0.417 0.324 0.259]

# Logarithms of shares that are too small for a float, and the smooth maximum.
print(softmax(np.array([0.0, 800.0])), log_softmax(np.array([0.0, 800.0])))
#> [0. 1.] [-800.    0.]
print(logsumexp(scores).round(3), np.log(powers.sum()).round(3))
#> 2.417 2.417

# A masked score is -inf: its share is 0, the others share the whole.
print(softmax(np.array([2.0, -np.inf, 0.1])).round(3))
#> [0.87 0.   0.13]
