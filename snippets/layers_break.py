"""Sixteen neurons with the same weights: a wide layer that sees no more than one neuron."""

import numpy as np

from kb.structure.activation_functions import sigmoid
from kb.structure.layers import layer

rng = np.random.default_rng(0)
different = rng.normal(size=(16, 2))
same = np.tile([0.5, 0.2], (16, 1))
bias = np.zeros(16)

# Two inputs to tell apart: the weights 0.5 and 0.2 give both the sum 1.6.
one, other = np.array([2.0, 3.0]), np.array([4.0, -2.0])
for name, weight in (("same weights", same), ("different", different)):
    a, b = layer(one, weight, bias, sigmoid), layer(other, weight, bias, sigmoid)
    print(f"{name:12} rank {np.linalg.matrix_rank(weight)}, largest difference of an activation {abs(a - b).max():.2f}")
    #> same weights rank 1, largest difference of an activation 0.00
    #> different    rank 2, largest difference of an activation 0.94
