"""Average the averages: a batch of 33 over two workers, who get 32 examples and 1."""

import numpy as np

from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits
from kb.learning.backpropagation import squared_error_gradients

digits, params = load_digits(28), digits_mlp()
x, y = digits.images[:33].reshape(33, -1), np.eye(10, dtype="float32")[digits.labels[:33]]
_, right = squared_error_gradients(params, x, y)
(_, first), (_, second) = (squared_error_gradients(params, x[part], y[part]) for part in (slice(32), slice(32, 33)))

for name, share in (("half each", 1 / 2), ("by number of examples", 32 / 33)):
    error = sum(np.sum((share * first[k] + (1 - share) * second[k] - right[k]) ** 2) for k in right)
    length = sum(np.sum(right[k] ** 2) for k in right)
    print(f"{name}: off by {np.sqrt(error / length):.4f} of the gradient's length")
    #> half each: off by 0.4854 of the gradient's length
    #> by number of examples: off by 0.0000 of the gradient's length
