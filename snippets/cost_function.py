"""One number for "how wrong": squared error as in the series, and cross-entropy from logits."""

import numpy as np

from kb.learning.cost_function import (
    cost,
    cross_entropy,
    cross_entropy_backward,
    perplexity,
    sigmoid_cross_entropy_backward,
    sigmoid_squared_error_backward,
    squared_error,
)
from kb.structure.activation_functions import sigmoid

# Three outputs per example, two examples. The first is nearly right, the second entirely wrong.
a = np.array([[0.1, 0.8, 0.1], [0.9, 0.1, 0.0]])
y = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
print(squared_error(a, y).round(2), cost(a, y).round(2))
#> [0.06 1.82] 0.94

# The same judgement from raw scores: how surprised is the model by the right classes?
logits, target = np.array([[0.0, 2.0, 0.0], [2.0, 0.0, -1.0]]), np.array([1, 2])
print(cross_entropy(logits, target, reduction="none").round(3), cross_entropy(logits, target).round(3))
#> [0.24 3.17] 1.705
print(perplexity(np.zeros((1, 10)), np.array([3])).round(9), perplexity(logits, target).round(2))
#> 10.0 5.5
print(cross_entropy_backward(logits, target).round(2).tolist())
#> [[0.11, -0.21, 0.11], [0.84, 0.11, -0.96]]

# A sigmoid neuron that should say 1 starts at z = -5. Steps of gradient descent until it says more than 0.9:
for backward in (sigmoid_squared_error_backward, sigmoid_cross_entropy_backward):
    z, steps = np.array(-5.0), 0
    while sigmoid(z) <= 0.9:
        z, steps = z - backward(z, np.array(1.0)), steps + 1
    print(backward.__name__, steps)
    #> sigmoid_squared_error_backward 119
    #> sigmoid_cross_entropy_backward 16
