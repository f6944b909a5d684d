"""What one backward pass costs, in forward passes, and what the gradient costs without it."""

import numpy as np

from bench.timing import Row
from kb.learning.backpropagation import backward, finite_difference
from kb.learning.cost_function import cost, squared_error_backward
from kb.structure.activation_functions import sigmoid
from kb.structure.forward_pass import forward_all
from kb.structure.multilayer_perceptron import count_parameters, init_mlp

SERIES, SQUARE = (784, 16, 16, 10), (1536,) * 6


def network(sizes, batch, dtype="float32"):
    """A random network, a batch for it, what it computed, and the blame at its output."""
    rng = np.random.default_rng(0)
    params = init_mlp(sizes, rng, dtype=dtype)
    x = rng.random((batch, sizes[0])).astype(dtype)
    y = np.eye(sizes[-1], dtype=dtype)[rng.integers(0, sizes[-1], batch)]
    record = forward_all(params, x, sigmoid)
    a = list(record.values())[-1]
    return params, x, y, record, squared_error_backward(a, y) * a * (1 - a)


def rows():
    """Backward over forward for two networks; and the whole gradient by finite differences over backpropagation."""
    found = []
    for key, sizes, batch in (("series", SERIES, 100), ("square", SQUARE, 256)):
        params, x, _, record, blame = network(sizes, batch)
        found.append(
            Row(
                key=f"backward_{key}",
                work=f"backward pass of {'-'.join(map(str, sizes[:4]))}{'…' if len(sizes) > 4 else ''}, batch {batch}",
                peer="its forward pass",
                ours=lambda p=params, r=record, b=blame: backward(p, r, b),
                theirs=lambda p=params, x=x: forward_all(p, x, sigmoid),
            )
        )
    return [*found, finite_differences()]


def finite_differences():
    """One finite difference, against one backward pass; the whole gradient takes 13,002 of them."""
    params, x, y, record, blame = network(SERIES, batch=1, dtype="float64")

    def one():
        return finite_difference(
            lambda p: cost(list(forward_all(p, x, sigmoid).values())[-1], y), params, "0.weight", (3, 5)
        )

    return Row(
        key="finite_difference",
        work=f"finite difference of one of {count_parameters(*SERIES):,} parameters, one example",
        peer="the backward pass that gives all of them",
        ours=one,
        theirs=lambda: backward(params, record, blame),
    )
