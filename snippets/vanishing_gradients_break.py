"""Weights a tenth too small, or a tenth too large, in every one of 30 layers."""

import numpy as np

from kb.data.digits import load_digits
from kb.learning.vanishing_gradients import gradient_norms
from kb.structure.activation_functions import relu, relu_slope
from kb.structure.multilayer_perceptron import init_mlp

digits = load_digits(8, dtype=np.float64)
x, target = digits.images[:100].reshape(100, 64), digits.labels[:100]
x = (x - x.mean()) / x.std()
he = init_mlp([64] * 31 + [10], np.random.default_rng(0), "he", "float64")

for factor in (1.0, 0.9, 1.1, 0.5, 2.0):
    errors, _ = gradient_norms({name: factor * value for name, value in he.items()}, x, target, relu, relu_slope)
    print(f"weights x {factor}: error x {errors[0] / errors[-1]:.2g}")
    #> weights x 1.0: error x 1.2
    #> weights x 0.9: error x 0.037
    #> weights x 1.1: error x 24
    #> weights x 0.5: error x 8.1e-10
    #> weights x 2.0: error x 1.5e+09
