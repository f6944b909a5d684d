"""A network that reads upright digits learns to read tilted ones, by an update of rank 4."""

import numpy as np

from kb.architecture.fine_tuning import init_lora, lora_linear, merge
from kb.autograd.tensor import value_and_grad
from kb.checkpoints.shipped import digits_dense
from kb.data.digits import load_digits, split
from kb.learning.cost_function import cross_entropy
from kb.learning.generalization import move
from kb.learning.optimizers import AdamW
from kb.structure.activation_functions import identity, relu
from kb.structure.forward_pass import forward

params, (train, held_out) = digits_dense(), split(load_digits(), seed=0)


def tilted(images):
    return move(images, np.full(len(images), np.pi / 6, "float32"), *np.zeros((2, len(images)), "float32"))


def cost(lora, images, labels):
    return cross_entropy(forward(merge(params, lora), images.reshape(-1, 64), relu, identity), labels)


def right(weights, images):
    return f"{np.mean(forward(weights, images.reshape(-1, 64), relu, identity).argmax(1) == held_out.labels):.0%}"


x, y, rng = tilted(train.images[:60]), train.labels[:60], np.random.default_rng(0)
lora = init_lora(params, ["0.weight", "2.weight"], rank=4, rng=rng)
print("before", right(merge(params, lora), tilted(held_out.images)), right(merge(params, lora), held_out.images))
#> before 35% 91%
optimizer = AdamW(lora, lr=0.02, weight_decay=0)
for batch in rng.integers(0, 60, (150, 20)):
    optimizer.step(value_and_grad(cost)(optimizer.params, x[batch], y[batch])[1])
merged = merge(params, lora := optimizer.params)
print("after ", right(merged, tilted(held_out.images)), right(merged, held_out.images), "of tilted and upright digits")
#> after  73% 55% of tilted and upright digits
print(sum(p.size for p in lora.values()), "of", sum(p.size for p in params.values()), "numbers trained")
#> 696 of 3760 numbers trained
x, (a, b) = held_out.images.reshape(-1, 64), (lora[f"0.weight.lora_{part}"] for part in "AB")
print("merged is the same:", np.allclose(lora_linear(x, params["0.weight"], a, b), x @ merged["0.weight"].T, atol=1e-5))
#> merged is the same: True
