"""A neuron whose 784 weights are a picture of a 0. Then: how many weights?"""

import numpy as np

from kb.data.digits import load_digits, split
from kb.structure.neuron import pre_activation
from kb.structure.weights_and_biases import (
    count_convolution,
    count_mlp,
    count_recurrent,
    count_transformer_block,
    for_and_against,
    pattern_detector,
)

train, held_out = split(load_digits(28))
# Weights: the mean of the zeros minus the mean of the other digits.
weight, bias = pattern_detector(train.images.reshape(-1, 784), train.labels == 0)
print(weight.shape, bias.round(2))
#> (784,) -6.85
for digit in (0, 4):
    i = np.flatnonzero(held_out.labels == digit)[0]
    x = held_out.images[i].reshape(784)
    pro, con = for_and_against(x, weight)
    z = pre_activation(x, weight, bias)
    print(f"a {digit}: for {pro:.1f}, against {con:.1f}, z = {z:.1f}")
    #> a 0: for 27.0, against -7.7, z = 12.4
    #> a 4: for 24.1, against -25.6, z = -8.3

# The bias moves the threshold: 36 zeros to find, 324 others to leave alone.
x, zero = held_out.images.reshape(-1, 784), held_out.labels == 0
for shift in (-5, 0, 5):
    yes = pre_activation(x, weight, bias + shift) > 0
    found, alarms = yes[zero].sum(), yes[~zero].sum()
    print(f"bias {bias + shift:5.1f}: {found} found, {alarms} false alarms")
    #> bias -11.9: 33 found, 1 false alarms
    #> bias  -6.9: 35 found, 5 false alarms
    #> bias  -1.9: 36 found, 39 false alarms

# Arcs of the drawing, weights and biases kept, arcs per weight.
networks = {
    "784-16-16-10": count_mlp(784, 16, 16, 10),
    "8 filters 3 x 3": count_convolution(1, 8, 3, 28 * 28),
    "recurrent, 100 steps": count_recurrent(8, 16, 100),
    "GPT-2 block, 1,024 tokens": count_transformer_block(768, 1024),
}
for name, n in networks.items():
    print(f"{name:25} {n.arcs:13,} {n.weights:9,} {n.biases:5,} {n.uses:4.0f}")
    #> 784-16-16-10                     12,960    12,960    42    1
    #> 8 filters 3 x 3                  56,448        72     8  784
    #> recurrent, 100 steps             38,400       384    16  100
    #> GPT-2 block, 1,024 tokens 7,249,330,176 7,079,424 8,448 1024
