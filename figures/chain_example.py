"""The two small networks of the chain rule page: three neurons in a row, and two neurons in each of three layers."""

import numpy as np

from kb.learning.chain_rule import chain_factors, layer_jacobian, paths
from kb.structure.activation_functions import sigmoid, sigmoid_slope
from kb.structure.forward_pass import forward_all

# three neurons in a row; the first reads 1, the last should say 1
X, WEIGHT, BIAS, Y = 1.0, np.array([2.0, -1.0, 3.0]), np.array([-1.0, 1.0, -1.0]), 1.0
# two neurons per layer without biases; the network reads (1, 0.5) and should say (1, 0)
NETWORK = {
    "0.weight": np.array([[1.0, -1.0], [2.0, 1.0]]),
    "2.weight": np.array([[2.0, -1.0], [-1.0, 1.0]]),
    "4.weight": np.array([[1.0, -2.0], [3.0, 1.0]]),
}
INPUTS, WANTED = np.array([1.0, 0.5]), np.array([1.0, 0.0])


def factors():
    """How active, how responsive, how wrong: three rows with a column for each weight of the chain."""
    return np.stack(chain_factors(X, WEIGHT, BIAS, Y, sigmoid, sigmoid_slope))


def last_neuron(nudge=0.0):
    """The activation that the last neuron of the row reads, its z, its activation and the cost; its weight nudged."""
    sender = factors()[0, -1]
    z = (WEIGHT[-1] + nudge) * sender + BIAS[-1]
    return sender, z, sigmoid(z), (sigmoid(z) - Y) ** 2


def network_paths():
    """The paths from the first neuron of the first layer to the cost, each with its product."""
    record = forward_all(NETWORK, INPUTS, sigmoid)
    jacobians = [layer_jacobian(sigmoid_slope(record[f"z{i}"]), NETWORK[f"{2 * i - 2}.weight"]) for i in (2, 3)]
    return paths(2 * (record["a3"] - WANTED), jacobians, 0)
