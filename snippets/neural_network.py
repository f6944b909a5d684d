"""A neural network is one function: 784 numbers in, 10 out, and 13,002 that say how."""

import numpy as np

from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split

held_out = split(load_digits(28))[1]
x, labels = held_out.images.reshape(-1, 784), held_out.labels

# The adjustable numbers: three tables of weights, three lists of biases.
theta = digits_mlp()
print([value.shape for value in theta.values()])
#> [(16,), (16, 784), (16,), (16, 16), (10,), (10, 16)]
print(sum(value.size for value in theta.values()))
#> 13002


def network(a):
    """Three times: weighted sums of what came before, squashed into 0..1."""
    for layer in "024":
        z = a @ theta[f"{layer}.weight"].T + theta[f"{layer}.bias"]
        a = 1 / (1 + np.exp(-z))
    return a


# 360 digits that it has not seen in training. A sloppy 3: the output for 3 is the highest, the one for 7 comes second.
outputs = network(x[220])
print(labels[220], outputs.round(2))
#> 3 [0.   0.   0.   0.87 0.   0.05 0.   0.32 0.02 0.04]

read = network(x).argmax(axis=1)
print(f"{np.mean(read == labels):.1%} right, {np.sum(read != labels)} misread")
#> 96.1% right, 14 misread
