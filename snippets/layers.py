"""Three neurons are one matrix, a batch is one product, and three layers are a network that reads digits."""

import numpy as np

from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split
from kb.structure.activation_functions import relu, sigmoid
from kb.structure.layers import layer, linear
from kb.structure.neuron import pre_activation

x = np.array([2.0, 3.0])
weight, bias = np.array([[0.5, 0.2], [1.0, -1.0], [0.0, 1.0]]), np.array([1.0, 0.5, -2.0])
print([round(float(pre_activation(x, w, b)), 2) for w, b in zip(weight, bias, strict=True)], "neuron by neuron")
#> [2.6, -0.5, 1.0] neuron by neuron
print(linear(x, weight, bias), layer(x, weight, bias, relu), "W x + b, and through ReLU")
#> [ 2.6 -0.5  1. ] [2.6 0.  1. ] W x + b, and through ReLU

# A batch is one input per row: X W^T + b.
batch = np.array([[2.0, 3.0], [1.0, 0.0], [0.0, 0.0]])
print(layer(batch, weight, bias, relu).round(2).tolist())
#> [[2.6, 0.0, 1.0], [1.5, 1.5, 0.0], [1.0, 0.5, 0.0]]

# 784-16-16-10 with the weights that kb ships: 360 held-out images at once, layer by layer.
held_out, params = split(load_digits(28))[1], digits_mlp()
a = held_out.images.reshape(360, 784)
for name in ("0", "2", "4"):
    weight, bias = params[f"{name}.weight"], params[f"{name}.bias"]
    a = layer(a, weight, bias, sigmoid)
    print("W", weight.shape, "b", bias.shape, "->", a.shape, weight.size + bias.size, "parameters")
    #> W (16, 784) b (16,) -> (360, 16) 12560 parameters
    #> W (16, 16) b (16,) -> (360, 16) 272 parameters
    #> W (10, 16) b (10,) -> (360, 10) 170 parameters
print("right:", np.sum(a.argmax(axis=1) == held_out.labels), "of 360")
#> right: 346 of 360
