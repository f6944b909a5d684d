"""Softmax without subtracting the maximum: right until e^z no longer fits into a float."""

import numpy as np

from kb.foundations.softmax import softmax


def naive(z):
    with np.errstate(all="ignore"):  # NumPy would warn: overflow in exp, then inf / inf
        return np.exp(z) / np.exp(z).sum()


scores = np.array([2.0, 1.0, 0.1], dtype=np.float32)
print(naive(scores).round(3), softmax(scores).round(3))
#> [0.659 0.242 0.099] [0.659 0.242 0.099]
print(naive(scores * 50), softmax(scores * 50))
#> [nan  0.  0.] [1.0000000e+00 1.9287499e-22 5.5211159e-42]

# The largest z for which e^z is finite: the logarithm of the largest float.
print(np.log(np.finfo(np.float32).max).round(1), np.log(np.finfo(np.float64).max).round(1))
#> 88.7 709.8
