"""One neuron: a weighted sum, a bias, a function. Then the same neuron as a yes-or-no unit that learns."""

import numpy as np

from kb.structure.activation_functions import relu, sigmoid
from kb.structure.neuron import distance_to_boundary, neuron, pre_activation, train_perceptron

x, weight, bias = np.array([2.0, 3.0]), np.array([0.5, 0.2]), 1.0
z = pre_activation(x, weight, bias)
print(z.round(2), relu(z).round(2), sigmoid(z).round(3))
#> 2.6 2.6 0.931

# Another neuron. ReLU passes a positive sum on as it is, so z and a are the same number.
x, weight = np.array([2.0, -1.0]), np.array([0.5, -1.5])
print(pre_activation(x, weight, 1.0), neuron(x, weight, 1.0, relu))
#> 3.5 3.5
print(distance_to_boundary(x, weight, 1.0).round(2))
#> 2.21

# A perceptron learns AND from its four cases: the mistakes of each pass go down to 0.
cases, answers = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0.0, 0, 0, 1])
weight, bias, mistakes = train_perceptron(cases, answers, np.zeros(2), 0.0)
print(weight, bias, mistakes)
#> [2. 1.] -3.0 [2 3 3 2 1 0]
