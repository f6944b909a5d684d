"""Layers with nothing between them are one layer; a ReLU between them computes XOR, and with width any curve."""

import numpy as np

from kb.structure.activation_functions import relu
from kb.structure.layers import linear
from kb.structure.nonlinearity import best_linear_fit, collapse, fit_hidden_layer, merge, xor_network

# Two layers of one neuron each, by numbers: 1 -> 2.5 -> 7.6, and 6x + 1.6 is the same map.
first, second = (np.array([[2.0]]), np.array([0.5])), (np.array([[3.0]]), np.array([0.1]))
hidden = linear(np.array([1.0]), *first)
weight, bias = merge(*first, *second)
print(hidden, linear(hidden, *second), "and", weight.round(2), bias.round(2))
#> [2.5] [7.6] and [[6.]] [1.6]

# A hundred layers of 16 neurons: one matrix does the same.
rng = np.random.default_rng(0)
layers = [(rng.standard_normal((16, 16)) / 4, rng.standard_normal(16)) for _ in range(100)]
x = deep = rng.standard_normal(16)
for layer in layers:
    deep = linear(deep, *layer)
print("hundred layers and one:", np.allclose(deep, linear(x, *collapse(layers)), rtol=1e-12))
#> hundred layers and one: True

# XOR: no line does better than one half everywhere; two ReLU neurons do it exactly.
cases, wanted = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0.0, 1, 1, 0])
weight, bias = best_linear_fit(cases, wanted)
print("best line:", (cases @ weight + bias).round(3), " two neurons:", xor_network(cases, relu))
#> best line: [0.5 0.5 0.5 0.5]  two neurons: [0. 1. 1. 0.]

# One hidden layer of ReLUs, wider and wider, fitted to a curve: the largest error.
x = np.linspace(0, 1, 501)
curve = np.sin(5 * x) + 0.4 * np.cos(14 * x)
for width in (2, 8, 32, 128):
    print(f"{width:4} neurons: {abs(fit_hidden_layer(x, curve, width, relu) - curve).max():.5f}")
    #>    2 neurons: 0.64141
    #>    8 neurons: 0.10871
    #>   32 neurons: 0.00725
    #>  128 neurons: 0.00041
