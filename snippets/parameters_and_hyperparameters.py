"""Which numbers change when? Fingerprints of every array, before and after."""

import numpy as np

from kb.checkpoints.shipped import digits_mlp
from kb.data.digits import load_digits, split
from kb.learning.backpropagation import squared_error_gradients
from kb.learning.gradient_descent import step
from kb.structure.activation_functions import sigmoid
from kb.structure.forward_pass import forward_all
from kb.structure.parameters_and_hyperparameters import (
    changed,
    fingerprints,
    logit,
)


def everything(params, image):
    """Fingerprints of the parameters and of all that they compute."""
    return fingerprints({**params, **forward_all(params, image, sigmoid)})


held_out = split(load_digits(28))[1]
first = {digit: np.flatnonzero(held_out.labels == digit)[0] for digit in (3, 7)}
three, seven = (held_out.images[i].reshape(784) for i in first.values())
lr = 0.5  # a hyperparameter: chosen, not learned
params = digits_mlp()
print(sum(p.size for p in params.values()), "parameters in", len(params), "arrays")
#> 13002 parameters in 6 arrays

before = everything(params, three)
print("same image:   ", changed(before, everything(params, three)))
#> same image:    []
print("another image:", *changed(before, everything(params, seven)))
#> another image: a0 z1 a1 z2 a2 z3 a3

wanted = np.eye(10, dtype=np.float32)[[3]]
_, grads = squared_error_gradients(params, three[None], wanted)
params = step(params, grads, lr)
print("training step:", *changed(before, everything(params, three)))
#> training step: 0.bias 0.weight 2.bias 2.weight 4.bias 4.weight z1 a1 z2 a2 z3 a3

# The logits are the last z; the logit function leads back to them.
record = forward_all(digits_mlp(), three.astype(np.float64), sigmoid)
print(record["z3"].round(1).tolist())
#> [-8.7, -6.5, -4.8, 4.3, -11.0, -3.1, -13.0, -5.1, -8.6, -5.3]
print(np.allclose(logit(record["a3"]), record["z3"]))
#> True
