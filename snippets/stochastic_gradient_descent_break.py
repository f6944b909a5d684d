"""Twenty epochs on the same digits, shuffled and sorted by label: a batch of nothing but threes teaches: say 3."""

import numpy as np

from kb.data.digits import load_digits, split
from kb.learning.backpropagation import squared_error_gradients
from kb.learning.stochastic_gradient_descent import train
from kb.structure.multilayer_perceptron import init_mlp, predict


class InOrder:
    """Shuffles nothing."""

    def permutation(self, n):
        return np.arange(n)


part, held_out = split(load_digits(28))
order = np.argsort(part.labels, kind="stable")
x, y = part.images.reshape(-1, 784)[order], np.eye(10, dtype=np.float32)[part.labels[order]]
for name, rng in (("shuffled", np.random.default_rng(1)), ("sorted", InOrder())):
    params = init_mlp((784, 16, 16, 10), np.random.default_rng(0))
    params, _ = train(squared_error_gradients, params, x, y, 1.0, epochs=20, batch_size=32, rng=rng)
    right = np.mean(predict(params, held_out.images.reshape(-1, 784)) == held_out.labels)
    print(name, "reads more than 90 %" if right > 0.9 else f"reads less than {'half' if right < 0.5 else '90 %'}")
    #> shuffled reads more than 90 %
    #> sorted reads less than half
