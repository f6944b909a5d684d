"""IF Michael AND Jordan THEN add basketball: one neuron of an MLP block, run."""

import numpy as np

from kb.architecture.mlp_block import count_parameters, mlp_block, mlp_neurons, store_facts
from kb.structure.activation_functions import gelu, relu

michael, jordan, phelps, basketball, swimming = np.eye(5)  # directions of the stream
keys = np.array([[michael, jordan], [michael, phelps]])
w_up, b_up, w_down = store_facts(keys, np.array([basketball, swimming]))
print(w_up.tolist(), b_up.tolist())  # one row for each neuron; the bias is -1
#> [[1.0, 1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 1.0, 0.0, 0.0]] [-1.0, -1.0]
print(w_down.T.tolist())  # and what it adds
#> [[0.0, 0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]]

x = np.array([michael + jordan, michael + phelps, michael, jordan, 0 * jordan])
for activation in (relu, gelu):
    added = mlp_block(x, w_up, b_up, w_down, np.zeros(5), activation)
    print(added[:, 3:].T.round(3).tolist())  # basketball, then swimming
    #> [[1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0]]
    #> [[0.841, 0.0, 0.0, 0.0, -0.159], [0.0, 0.841, 0.0, -0.159, -0.159]]

# Real blocks are the same with learned numbers: 64 wide, 256 neurons, GELU.
rng = np.random.default_rng(0)
shapes = (256, 64), (256,), (64, 256), (64,)
w_up, b_up, w_down, b_down = (rng.standard_normal(shape) / 8 for shape in shapes)
x = rng.standard_normal((10, 64))
active = mlp_neurons(x, w_up, b_up)
by_hand = active @ w_down.T + b_down
print(np.array_equal(by_hand, mlp_block(x, w_up, b_up, w_down, b_down)), count_parameters(64, 256))
#> True 33088
