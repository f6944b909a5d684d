"""One neuron per layer: three factors for each weight. Many neurons: one product per path, and their sum."""

import numpy as np

from kb.learning.backpropagation import squared_error_gradients
from kb.learning.chain_rule import chain_factors, layer_jacobian, paths
from kb.structure.activation_functions import sigmoid, sigmoid_slope
from kb.structure.forward_pass import forward_all

# Three neurons in a row read the number 1; the last one should say 1.
weight, bias = np.array([2.0, -1.0, 3.0]), np.array([-1.0, 1.0, -1.0])
active, responsive, wrong = chain_factors(1.0, weight, bias, 1.0, sigmoid, sigmoid_slope)
print("how active ", active.round(3), " how responsive", responsive.round(3), " how wrong", wrong.round(3))
#> how active  [1.    0.731 0.567]  how responsive [0.197 0.246 0.222]  how wrong [ 0.108 -0.441 -0.663]
print("dC/dw      ", (active * responsive * wrong).round(4))
#> dC/dw       [ 0.0213 -0.0792 -0.0834]


def cost(weight):
    a = np.array(1.0)
    for w, b in zip(weight, bias, strict=True):
        a = sigmoid(w * a + b)
    return (a - 1.0) ** 2


print("nudged     ", np.array([(cost(weight + h) - cost(weight - h)) / 2e-5 for h in 1e-5 * np.eye(3)]).round(4))
#> nudged      [ 0.0213 -0.0792 -0.0834]

# Two neurons per layer: a weight of the first layer reaches the cost by 2 x 2 paths.
params = {
    "0.weight": [[1.0, -1.0], [2.0, 1.0]],
    "2.weight": [[2.0, -1.0], [-1.0, 1.0]],
    "4.weight": [[1.0, -2.0], [3.0, 1.0]],
}
params = {name: np.array(rows) for name, rows in params.items()}
x, y = np.array([1.0, 0.5]), np.array([1.0, 0.0])
record = forward_all(params, x, sigmoid)
jacobians = [layer_jacobian(sigmoid_slope(record[f"z{i}"]), params[f"{2 * i - 2}.weight"]) for i in (2, 3)]
found = paths(2 * (record["a3"] - y), jacobians, neuron=0)
for path, product in found:
    print("path through", path, f"{product:.4f}")
    #> path through (0, 0, 0) -0.1437
    #> path through (0, 0, 1) 0.2180
    #> path through (0, 1, 0) -0.1441
    #> path through (0, 1, 1) -0.0364
error = sum(product for _, product in found)
print("sum", error.round(4), " dC/dw", (x[0] * sigmoid_slope(record["z1"])[0] * error).round(5))
#> sum -0.1062  dC/dw -0.02496
print("backpropagation      ", squared_error_gradients(params, x[None], y[None])[1]["0.weight"][0, 0].round(5))
#> backpropagation       -0.02496
