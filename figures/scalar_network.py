"""The digit network's cost for one example as a graph of single numbers, and passes counted: what the page cites."""

import functools
from unittest import mock

import numpy as np

from kb.learning import computation_graph
from kb.learning.computation_graph import Value, tape, values
from kb.learning.cost_function import cost
from kb.structure.forward_pass import forward
from kb.structure.multilayer_perceptron import init_mlp


@functools.cache
def network_tape():
    """Every Value behind the cost of one example: kb's own forward pass and cost, run on arrays of Values."""
    rng = np.random.default_rng(0)
    params = {name: values(array) for name, array in init_mlp((784, 16, 16, 10), rng, dtype="float64").items()}
    return tape(cost(forward(params, rng.random(784), np.frompyfunc(Value.sigmoid, 1, 1)), np.eye(10)[3]))


def leaves():
    """The Values that nothing made: weights and biases."""
    return [value for value in network_tape() if not value.parents]


def arrows():
    """One multiplication by a slope per arrow: what a walk along the whole graph costs, in either direction."""
    return sum(len(value.parents) for value in network_tape())


def passes(inputs, outputs):
    """(calls of f in forward mode, walks back in reverse mode) for the slopes of all outputs by all inputs, counted."""
    seen = []

    def f(x):
        seen.append(x)
        total = sum(x[1:], x[0])
        return [total * (i + 1) for i in range(outputs)]

    computation_graph.jacobian_forward(f, np.ones(inputs))
    calls = len(seen)
    with mock.patch.object(computation_graph, "gradients", wraps=computation_graph.gradients) as walk:
        computation_graph.jacobian_reverse(f, np.ones(inputs))
    return calls, walk.call_count
