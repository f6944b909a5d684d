"""How long the error is after 30 layers, for three activations and three sizes of the first weights."""

import numpy as np

from kb.data.digits import load_digits
from kb.learning.vanishing_gradients import gain, gradient_norms
from kb.structure.activation_functions import relu, relu_slope, sigmoid, sigmoid_slope, tanh, tanh_slope
from kb.structure.multilayer_perceptron import init_mlp

digits = load_digits(8, dtype=np.float64)
x, target = digits.images[:100].reshape(100, 64), digits.labels[:100]
x = (x - x.mean()) / x.std()


def error_left(params, factor, phi, slope):
    errors, _ = gradient_norms({name: factor * value for name, value in params.items()}, x, target, phi, slope)
    return f"{errors[0] / errors[-1]:.0e}"


# The length of the error in front of the first of 30 layers, as a multiple of that behind the last one.
small = 0.1 * np.random.default_rng(1).standard_normal(64)
for name, phi, slope, scheme in (
    ("sigmoid", sigmoid, sigmoid_slope, "xavier"),
    ("tanh   ", tanh, tanh_slope, "xavier"),
    ("ReLU   ", relu, relu_slope, "he"),
):
    params = init_mlp([64] * 31 + [10], np.random.default_rng(0), scheme, "float64")
    left = [error_left(params, factor, phi, slope) for factor in (0.5, 1, 2)]
    print(
        name,
        f"gain near z = 0: {gain(slope(small), params['2.weight']):.2f}, weights halved, as they are, doubled:",
        left,
    )
    #> sigmoid gain near z = 0: 0.25, weights halved, as they are, doubled: ['7e-28', '2e-19', '3e-12']
    #> tanh    gain near z = 0: 1.00, weights halved, as they are, doubled: ['1e-09', '2e-01', '7e+01']
    #> ReLU    gain near z = 0: 1.02, weights halved, as they are, doubled: ['8e-10', '1e+00', '1e+09']
