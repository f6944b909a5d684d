"""The digit network learns from batches of 32, and reads digits that it never saw. How noisy is a batch?"""

import numpy as np

from kb.data.digits import load_digits, split
from kb.data.progress import progress
from kb.learning.backpropagation import squared_error_gradients
from kb.learning.stochastic_gradient_descent import gradient_noise, minibatches, train
from kb.structure.multilayer_perceptron import init_mlp, predict

part, held_out = split(load_digits(28))
x, y = part.images.reshape(-1, 784), np.eye(10, dtype=np.float32)[part.labels]
unseen = held_out.images.reshape(-1, 784)

rng = np.random.default_rng(0)
params = init_mlp((784, 16, 16, 10), rng)
print("untrained", f"{np.mean(predict(params, unseen) == held_out.labels):.0%}", "of", len(held_out))
#> untrained 10% of 360
params, costs = train(squared_error_gradients, params, x, y, 1.0, epochs=10, batch_size=32, rng=rng, progress=progress)

# The noise of a batch, in lengths of the whole gradient: four times the batch, half the noise.
dice = np.random.default_rng(1)
for size in (4, 16, 64, 256):
    batches = [dice.choice(len(x), size) for _ in range(100)]
    print(f"{size:4}", gradient_noise(squared_error_gradients, params, x, y, batches).round(1))
    #>    4 5.8
    #>   16 2.9
    #>   64 1.4
    #>  256 0.7

# Wrong one by one, right on average: the equal batches of an epoch average to the whole gradient.
_, whole = squared_error_gradients(params, x[:1400], y[:1400])
parts = [squared_error_gradients(params, x[b], y[b])[1]["2.bias"] for b in minibatches(1400, 100, dice)]
print(np.allclose(np.mean(parts, axis=0), whole["2.bias"], atol=1e-6))
#> True

params, costs = train(squared_error_gradients, params, x, y, 1.0, epochs=20, batch_size=32, rng=rng, progress=progress)
print("trained  ", f"{np.mean(predict(params, unseen) == held_out.labels):.0%}", "cost", costs[-45:].mean().round(2))
#> trained   96% cost 0.06
