"""An LSTM whose forget gates start half closed: each step keeps about half of the memory, and of the gradient."""

import numpy as np

from kb.autograd.tensor import grad
from kb.structure.recurrent_network import init_recurrent, lstm

rng = np.random.default_rng(0)
x, params = rng.standard_normal((100, 8)), init_recurrent("lstm", 8, 64, rng, dtype="float64")
gate = np.arange(4 * 64) // 64  # which gate each row belongs to: 0 i, 1 f, 2 g, 3 o

for forget_bias in (0.0, 1.0, 5.0):
    weights = params | {"bias_ih_l0": np.where(gate == 1, forget_bias, params["bias_ih_l0"])}
    slopes = np.linalg.norm(grad(lambda x, weights=weights: np.sum(lstm(weights, x)[0][-1]))(x), axis=1)
    print(f"forget bias {forget_bias:g}: first input / last input = {slopes[0] / slopes[-1]:.0e}")
    #> forget bias 0: first input / last input = 1e-21
    #> forget bias 1: first input / last input = 2e-08
    #> forget bias 5: first input / last input = 6e+00
