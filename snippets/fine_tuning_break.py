"""Start A and B otherwise: both at zero, and both at random."""

import numpy as np

from kb.architecture.fine_tuning import lora_backward, lora_update
from kb.structure.layers import linear

rng = np.random.default_rng(0)
x, weight = rng.standard_normal((200, 30)), rng.standard_normal((20, 30)) / np.sqrt(30)
y = linear(x, weight + np.outer(rng.standard_normal(20), rng.standard_normal(30)) / 10)  # a little away, by rank 1
random_a, random_b, zeros = rng.standard_normal((4, 30)) / np.sqrt(30), rng.standard_normal((20, 4)), np.zeros

starts = {"A random, B zero": (random_a, zeros((20, 4))), "both zero": (zeros((4, 30)), zeros((20, 4)))}
for name, (a, b) in (starts | {"both random": (random_a, random_b)}).items():
    costs = []
    for _ in range(200):
        error = linear(x, weight + lora_update(a, b)) - y
        to_a, to_b = lora_backward(2 / len(x) * error.T @ x, a, b)
        a, b = a - 0.01 * to_a, b - 0.01 * to_b
        costs.append(np.sum(error**2) / len(x))
    print(f"{name}: cost {costs[0]:.2f} at the start, {costs[-1]:.2f} after 200")
    #> A random, B zero: cost 5.12 at the start, 0.00 after 200
    #> both zero: cost 5.12 at the start, 5.12 after 200
    #> both random: cost 105.41 at the start, 0.88 after 200
