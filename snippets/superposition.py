"""Five features, two dimensions: what a model keeps when the features are always there, and when they are rare."""

import numpy as np

from kb.architecture.superposition import (
    dimensionality,
    feature_norms,
    init_toy,
    reconstruction_loss,
    sparse_features,
)
from kb.autograd.tensor import value_and_grad
from kb.learning.optimizers import Adam


def train(density, steps=600):
    rng = np.random.default_rng(2)
    params, importance = init_toy(5, 2, rng), 0.8 ** np.arange(5.0)
    gradients = value_and_grad(lambda p, x: reconstruction_loss(x, p["weight"], p["bias"], importance))
    optimizer = Adam(params, lr=0.03)
    for _ in range(steps):
        x = sparse_features(rng.random((256, 5)), rng.random((256, 5)), density)
        params = optimizer.step(gradients(params, x)[1])
    return params["weight"]


for density in (1.0, 0.05):
    weight = train(density)
    room = dimensionality(weight).round(1)
    print(f"present in {density:.0%}: length", feature_norms(weight).round(1), "dimensions", room)
    #> present in 100%: length [1. 1. 0. 0. 0.] dimensions [1. 1. 0. 0. 0.]
    #> present in 5%: length [1.1 1.1 1.2 1.1 1.1] dimensions [0.4 0.4 0.4 0.4 0.4]

# Where the five rare features point: 72 degrees apart.
angles = np.sort(np.degrees(np.arctan2(weight[1], weight[0])) % 360)
print(np.diff([*angles, angles[0] + 360]).round())
#> [72. 70. 73. 72. 73.]
