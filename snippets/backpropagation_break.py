"""A backward pass that follows only one path, or forgets how responsive the receivers are: the nudge tells."""

import numpy as np

from kb.learning.backpropagation import sender_lever, sender_paths
from kb.structure.activation_functions import sigmoid, sigmoid_slope

weight, bias, y = np.array([[2.0], [-1.0]]), np.array([0.0, 0.0]), np.array([1.0, 0.0])


def cost(a):
    return np.sum((sigmoid(weight @ a + bias) - y) ** 2)


a = np.array([0.5])
z = weight @ a + bias
error, slope = 2 * (sigmoid(z) - y), sigmoid_slope(z)
print("nudged:            ", ((cost(a + 1e-6) - cost(a - 1e-6)) / 2e-6).round(4))
#> nudged:             -0.389
print("both paths, added: ", sender_lever(error, slope, weight)[0].round(4))
#> both paths, added:  -0.389
print("one path only:     ", sender_paths(error, slope, weight)[0, 0].round(4))
#> one path only:      -0.2115
print("paths multiplied:  ", np.prod(sender_paths(error, slope, weight)).round(4))
#> paths multiplied:   0.0375
print("slope forgotten:   ", sender_lever(error, np.ones(2), weight)[0].round(4))
#> slope forgotten:    -1.8308
