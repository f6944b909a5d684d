"""Take the bias of -1 away, then the activation: the AND is gone."""

import numpy as np

from kb.architecture.mlp_block import mlp_block, store_facts
from kb.structure.activation_functions import identity, relu

michael, jordan, phelps, basketball = np.eye(4)
keys, values = np.array([[michael, jordan]]), np.array([basketball])
w_up, b_up, w_down = store_facts(keys, values)
x = np.array([michael + jordan, michael, michael + phelps, jordan, 0 * jordan])

for name, bias, activation in (
    ("as it is", b_up, relu),
    ("without the bias", 0 * b_up, relu),
    ("without the activation", b_up, identity),
):
    added = mlp_block(x, w_up, bias, w_down, np.zeros(4), activation)
    print(f"{name:22}", added[:, 3] + 0)
    #> as it is               [1. 0. 0. 0. 0.]
    #> without the bias       [2. 1. 1. 1. 0.]
    #> without the activation [ 1.  0.  0.  0. -1.]
