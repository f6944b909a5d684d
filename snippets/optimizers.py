"""Optimisers in a ravine, and a training run as it is done today: AdamW, clipping, warm-up and cosine."""

import numpy as np

from kb.data.digits import load_digits, split
from kb.learning.backpropagation import cross_entropy_gradients
from kb.learning.gradient_descent import quadratic_gradient
from kb.learning.optimizers import SGD, Adam, AdamW, RMSprop, clip_grad_norm, warmup_cosine
from kb.learning.stochastic_gradient_descent import minibatches
from kb.structure.multilayer_perceptron import init_mlp, predict

# A bowl with the curvatures 30 and 1. How far from the bottom after 30 steps?
bowl, start = np.diag([30.0, 1.0]), {"x": np.array([0.5, 1.0])}
rules = {
    "SGD": SGD(start, lr=2 / 31),
    "momentum": SGD(start, lr=0.095, momentum=0.48),
    "Nesterov": SGD(start, lr=1 / 30, momentum=0.69, nesterov=True),
    "RMSProp": RMSprop(start, lr=0.03),
    "Adam": Adam(start, lr=0.1),
}
for name, optimizer in rules.items():
    for _ in range(30):
        params = optimizer.step({"x": quadratic_gradient(optimizer.params["x"], bowl)})
    print(f"{name:8} {np.linalg.norm(params['x']):.4f}")
    #> SGD      0.1512
    #> momentum 0.0002
    #> Nesterov 0.0139
    #> RMSProp  0.0005
    #> Adam     0.0399

# Adam's first step has the length of the learning rate, whatever the gradient.
print(Adam({"w": np.zeros(3)}, lr=0.1).step({"w": np.array([1e-4, -1.0, 1e4])})["w"].round(4))
#> [-0.1  0.1 -0.1]

# The digit network in twelve epochs.
part, held_out = split(load_digits(28))
x, rng = part.images.reshape(-1, 784), np.random.default_rng(0)
optimizer, steps, longest = AdamW(init_mlp((784, 16, 16, 10), rng), weight_decay=0.01), 12 * 45, 0.0
for _ in range(12):
    for batch in minibatches(len(x), 32, rng):
        _, grads = cross_entropy_gradients(optimizer.params, x[batch], part.labels[batch])
        grads, norm = clip_grad_norm(grads, max_norm=0.5)
        optimizer.lr, longest = warmup_cosine(optimizer.t, steps, 50, 0.02), max(longest, norm)
        optimizer.step(grads)
right = np.mean(predict(optimizer.params, held_out.images.reshape(-1, 784)) == held_out.labels)
print(f"a gradient was clipped: {longest > 0.5}, held-out digits right: more than 90 %: {right > 0.9}")
#> a gradient was clipped: True, held-out digits right: more than 90 %: True
