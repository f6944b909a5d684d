"""An attack on the trained digit network: every pixel changes by a little, in the direction that hurts."""

import numpy as np

from kb.architecture.ai_safety import fgsm
from kb.autograd.tensor import grad
from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split
from kb.learning.cost_function import cost
from kb.structure.multilayer_perceptron import mlp

part = split(load_digits(28))[1]  # digits that it was not trained on
x, labels = part.images.reshape(-1, 784), part.labels
params, y = digits_mlp(), np.eye(10, dtype=np.float32)[labels]


def accuracy(images):
    return f"{np.mean(mlp(params, images).argmax(axis=1) == labels):.0%}"


slope = grad(lambda images: cost(mlp(params, images), y))(x)  # of the cost, by pixel
random = np.random.default_rng(0).standard_normal(x.shape, dtype=np.float32)

print("untouched", accuracy(x))
#> untouched 96%
for size in (0.05, 0.1, 0.2):
    print(f"{size} per pixel: attack {accuracy(fgsm(x, slope, size))}, random signs {accuracy(fgsm(x, random, size))}")
    #> 0.05 per pixel: attack 74%, random signs 96%
    #> 0.1 per pixel: attack 51%, random signs 96%
    #> 0.2 per pixel: attack 24%, random signs 96%

# One of them: surely right, then surely wrong.
before, after = mlp(params, x), mlp(params, fgsm(x, slope, 0.1))
i = np.argmax(np.where((before.argmax(1) == labels) & (after.argmax(1) != labels), after.max(1), 0))
for name, output in (("before", before[i]), ("after", after[i])):
    print(f"a {labels[i]}, {name}: {output.argmax()} with {output.max():.2f}")
    #> a 1, before: 1 with 0.98
    #> a 1, after: 8 with 0.99
