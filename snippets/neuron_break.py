"""A perceptron without a bias: its boundary has to pass through the origin, and AND cannot be learned."""

import numpy as np

from kb.structure.neuron import perceptron, perceptron_update, train_perceptron

cases, answers = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0.0, 0, 0, 1])

weight = np.zeros(2)
for _ in range(100):
    for x, y in zip(cases, answers, strict=True):
        weight, _ = perceptron_update(x, y, weight, 0.0)  # the new bias is thrown away
print("without:", perceptron(cases, weight, 0.0), "wanted:", answers)
#> without: [1. 1. 1. 1.] wanted: [0. 0. 0. 1.]

weight, bias, mistakes = train_perceptron(cases, answers, np.zeros(2), 0.0)
print("with:   ", perceptron(cases, weight, bias), "after", len(mistakes), "passes")
#> with:    [0. 0. 0. 1.] after 6 passes
