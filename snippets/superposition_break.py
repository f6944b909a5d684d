"""The same rare features without the ReLU: nothing can silence the interference any more."""

import numpy as np

from kb.architecture.superposition import compress, feature_norms, init_toy, sparse_features
from kb.autograd.tensor import value_and_grad
from kb.learning.optimizers import Adam

rng = np.random.default_rng(2)
params, importance = init_toy(5, 2, rng), 0.8 ** np.arange(5.0)


def loss(p, x):
    error = compress(x, p["weight"]) @ p["weight"] + p["bias"] - x  # reconstruct without relu
    return np.mean(np.sum(importance * error * error, axis=-1))


optimizer = Adam(params, lr=0.03)
for _ in range(600):
    x = sparse_features(rng.random((256, 5)), rng.random((256, 5)), 0.05)
    params = optimizer.step(value_and_grad(loss)(params, x)[1])
print("length of each direction", feature_norms(params["weight"]).round(1))
#> length of each direction [1. 1. 0. 0. 0.]
