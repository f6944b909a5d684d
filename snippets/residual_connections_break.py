"""The same hundred layers without the identity path: f(x) instead of x + f(x)."""

import numpy as np

from kb.foundations.residual_connections import gradient_norms, init_stack
from kb.structure.activation_functions import tanh, tanh_slope

rng = np.random.default_rng(0)
weight, bias = init_stack(layers=100, width=64, rng=rng, scale=0.1, dtype="float64")
x, grad = rng.standard_normal((2, 32, 64))
grad = grad / np.sqrt(np.sum(grad * grad))

for skip in (True, False):
    norms = gradient_norms(x, weight, bias, grad, tanh, tanh_slope, skip=skip)
    print("with x:   " if skip else "without x:", [f"{norm:.1e}" for norm in norms[::-33]])
    #> with x:    ['1.0e+00', '1.2e+00', '1.4e+00', '1.6e+00']
    #> without x: ['1.0e-01', '7.8e-35', '9.5e-68', '6.0e-101']
