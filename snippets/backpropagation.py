"""Blame flows back: two outputs judge one hidden neuron, then a whole network on a hundred digits."""

import numpy as np

from kb.autograd.tensor import value_and_grad
from kb.data.digits import load_digits
from kb.learning.backpropagation import finite_difference, sender_lever, sender_paths, squared_error_gradients
from kb.learning.cost_function import cost
from kb.structure.activation_functions import sigmoid, sigmoid_slope
from kb.structure.multilayer_perceptron import init_mlp, mlp

# One hidden neuron (activation 0.5) feeds two outputs with the weights 2 and -1; the first should say 1, the second 0.
weight, z = np.array([[2.0], [-1.0]]), np.array([1.0, -0.5])
error = 2 * (sigmoid(z) - np.array([1.0, 0.0]))
slope = sigmoid_slope(z)
print(sender_paths(error, slope, weight).ravel().round(3), sender_lever(error, slope, weight).round(3))
#> [-0.212 -0.177] [-0.389]

# The 784-16-16-10 network: all 13,002 slopes from one backward pass.
digits = load_digits(28, dtype=np.float64)
x, y = digits.images[:100].reshape(100, 784), np.eye(10)[digits.labels[:100]]
params = init_mlp((784, 16, 16, 10), np.random.default_rng(0), dtype="float64")
value, grads = squared_error_gradients(params, x, y)
print(value.round(3), grads["0.weight"].shape, sum(g.size for g in grads.values()))
#> 3.217 (16, 784) 13002

# The same slopes from kb's own computation graph, and one of them from nudging the weight and looking twice.
loss, recorded = value_and_grad(lambda p: cost(mlp(p, x), y))(params)
print(all(np.allclose(recorded[name], grads[name], rtol=1e-10, atol=1e-14) for name in grads))
#> True
nudged = finite_difference(lambda p: cost(mlp(p, x), y), params, "2.weight", (3, 5))
print(f"{grads['2.weight'][3, 5]:.8f} {nudged:.8f}")
#> -0.00167118 -0.00167118
