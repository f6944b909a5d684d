"""The slope of each step belongs to the place where that step stood: take it elsewhere and the product is wrong."""

import numpy as np

from kb.structure.activation_functions import sigmoid, sigmoid_slope

sender, weight, bias, y = 0.6, 1.5, 2.0, 0.0


def cost(weight):
    return (sigmoid(np.array(weight * sender + bias)) - y) ** 2


z = np.array(weight * sender + bias)
a = sigmoid(z)
wrong = 2 * (a - y)
print("nudged:                   ", ((cost(weight + 1e-6) - cost(weight - 1e-6)) / 2e-6).round(4))
#> nudged:                    0.0562
print("slope of the sigmoid at z:", (sender * sigmoid_slope(z) * wrong).round(4))
#> slope of the sigmoid at z: 0.0562
print("slope at a instead:       ", (sender * sigmoid_slope(a) * wrong).round(4))
#> slope at a instead:        0.229
print("factors added:            ", (sender + sigmoid_slope(z) + wrong).round(4))
#> factors added:             2.5451
print("inner slope forgotten:    ", (sigmoid_slope(z) * wrong).round(4))
#> inner slope forgotten:     0.0937
