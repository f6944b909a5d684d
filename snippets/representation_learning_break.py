"""The image taken away: all pixels shuffled, in one and the same way. Training does not notice."""

import numpy as np

from kb.data.digits import load_digits, split
from kb.learning.backpropagation import squared_error_gradients
from kb.learning.stochastic_gradient_descent import train
from kb.structure.multilayer_perceptron import init_mlp, predict

(x, labels), (x_new, labels_new) = [
    (part.images.reshape(-1, 784), part.labels) for part in split(load_digits(28))
]
y = np.eye(10, dtype=np.float32)[labels]
as_they_are, shuffled = np.arange(784), np.random.default_rng(7).permutation(784)

weights = []
for order in (as_they_are, shuffled):
    rng = np.random.default_rng(0)
    start = init_mlp((784, 16, 16, 10), rng)
    start["0.weight"] = start["0.weight"][:, order]  # the same start, pixel by pixel
    params, _ = train(squared_error_gradients, start, x[:, order], y, 0.5, 60, 32, rng)
    print(f"{np.mean(predict(params, x_new[:, order]) == labels_new):.1%}")
    #> 96.7%
    #> 96.7%
    weights.append(params["0.weight"])

# The same network: put the pixels back, and the weights agree.
print(np.abs(weights[0][:, shuffled] - weights[1]).max() < 1e-4, np.abs(weights[0]).max().round(2))
#> True 0.58
