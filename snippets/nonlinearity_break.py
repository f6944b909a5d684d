"""XOR without its ReLU, and a curve fitted with hidden neurons that bend nowhere or only once."""

import numpy as np

from kb.structure.activation_functions import identity, relu
from kb.structure.nonlinearity import fit_hidden_layer, xor_network

cases = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
print("XOR with ReLU:", xor_network(cases, relu), " without:", xor_network(cases, identity))
#> XOR with ReLU: [0. 1. 1. 0.]  without: [2. 1. 1. 0.]

x = np.linspace(0, 1, 501)
curve = np.sin(5 * x) + 0.4 * np.cos(14 * x)
tried = {"no function": identity, "z squared": lambda z: z * z, "z cubed": lambda z: z * z * z, "ReLU": relu}
for name, activation in tried.items():
    errors = [abs(fit_hidden_layer(x, curve, width, activation) - curve).max() for width in (2, 8, 32, 128)]
    print(f"{name:12} off by", *(f"{error:7.4f}" for error in errors))
    #> no function  off by  0.9247  0.9247  0.9247  0.9247
    #> z squared    off by  0.6764  0.6764  0.6764  0.6764
    #> z cubed      off by  0.6686  0.5499  0.5499  0.5499
    #> ReLU         off by  0.6414  0.1087  0.0072  0.0004
