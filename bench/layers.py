"""What it is worth to compute a layer as one matrix product, and many examples at a time."""

import numpy as np

from bench.timing import Row
from kb.checkpoints.shipped import digits_mlp
from kb.structure.activation_functions import sigmoid
from kb.structure.forward_pass import forward
from kb.structure.layers import linear
from kb.structure.neuron import pre_activation


def rows():
    """A layer of 256 neurons against its neurons one by one; a batch of 256 against its examples one by one."""
    rng = np.random.default_rng(0)
    x = rng.random((256, 784), dtype=np.float32)
    weight, bias = rng.standard_normal((256, 784), dtype=np.float32), rng.standard_normal(256, dtype=np.float32)
    params = digits_mlp()

    def by_neuron():
        return np.stack([pre_activation(x[0], w, b) for w, b in zip(weight, bias, strict=True)])

    return [
        Row(
            key="layer_by_neuron",
            work="784 inputs through 256 neurons, neuron by neuron",
            peer="one matrix product",
            ours=by_neuron,
            theirs=lambda: linear(x[0], weight, bias),
        ),
        Row(
            key="layer_by_example",
            work="256 examples through 784-16-16-10, one by one",
            peer="one batch of 256",
            ours=lambda: [forward(params, example, sigmoid) for example in x],
            theirs=lambda: forward(params, x, sigmoid),
        ),
    ]
