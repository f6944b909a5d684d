"""A look inside the trained digit network: what its hidden neurons respond to, and noise."""

import numpy as np

from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, resize, split
from kb.structure.activation_functions import sigmoid
from kb.structure.forward_pass import forward_all
from kb.structure.multilayer_perceptron import mlp, predict
from kb.structure.representation_learning import hold, mean_activations, separation

params, held_out = digits_mlp(), split(load_digits(28))[1]
x, labels = held_out.images.reshape(-1, 784), held_out.labels
record = forward_all(params, x, sigmoid)

# What neuron 4 of the first layer says to the digits 0 to 9, on average.
print(mean_activations(record["a1"], labels, 10)[:, 3].round(1))
#> [0.9 0.  0.  0.  0.9 0.8 0.9 0.  0.  0.1]

# Is there a loop detector? How well the best neuron tells two sets of digits apart.
for digits in ([0, 6, 8, 9], [1, 2, 6, 8]):
    for layer in ("a1", "a2"):
        share = separation(record[layer], np.isin(labels, digits))
        print(digits, layer, np.maximum(share, 1 - share).max().round(3))
        #> [0, 6, 8, 9] a1 0.801
        #> [0, 6, 8, 9] a2 0.886
        #> [1, 2, 6, 8] a1 0.937
        #> [1, 2, 6, 8] a2 0.998

# Hold one neuron of the first layer at its mean, then the next one.
mean = record["a1"].mean(axis=0)
without = [np.mean(predict(hold(params, 1, i, mean[i]), x) == labels) for i in range(16)]
print(f"all: {np.mean(predict(params, x) == labels):.3f}, one held: {min(without):.3f} to {max(without):.3f}")
#> all: 0.961, one held: 0.944 to 0.967

# Noise: 10,000 images of random grey blocks.
blocks = np.random.default_rng(0).random((10_000, 8, 8), dtype=np.float32)
top = mlp(params, resize(blocks, 28).reshape(-1, 784)).max(axis=1)
print(f"highest output above 0.9: {np.mean(top > 0.9):.1%}, the highest of all {top.max():.3f}")
#> highest output above 0.9: 15.8%, the highest of all 0.994
