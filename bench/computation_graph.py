"""A graph of single numbers against whole arrays, and kb's own engine against others that record as they run."""

import time

import autograd
import autograd.numpy as anp
import numpy as np
import torch
from threadpoolctl import threadpool_limits

from bench.timing import Row
from kb.autograd.tensor import value_and_grad
from kb.learning.backpropagation import squared_error_gradients
from kb.learning.computation_graph import Value, gradients, values
from kb.learning.cost_function import cost, cross_entropy
from kb.structure.convolutional_network import cnn_logits, init_cnn
from kb.structure.forward_pass import forward
from kb.structure.multilayer_perceptron import init_mlp, mlp
from kb.torch.structure.convolutional_network import CNN
from kb.torch.structure.multilayer_perceptron import MLP

SIZES = (784, 16, 16, 10)


def seconds_on_one_core(fn, at_least=0.002):
    """The processor time of one call when neither NumPy's BLAS nor torch shares its small matrices among cores.

    Processor time is what the call would take on an idle machine: waiting for a core does not count.
    """
    with threadpool_limits(1):
        calls, start = 0, time.thread_time()
        while (spent := time.thread_time() - start) < at_least or not calls:
            fn()
            calls += 1
        return spent / calls


def batch(examples, dtype="float32"):
    """The series' network with noise for images and right answers."""
    rng = np.random.default_rng(0)
    params = init_mlp(SIZES, rng, dtype=dtype)
    x = rng.random((examples, 784)).astype(dtype)
    return params, x, np.eye(10, dtype=dtype)[rng.integers(0, 10, examples)]


def rows():
    """Backpropagation against the scalar graph; kb.autograd against torch and against HIPS autograd."""
    return [scalar_graph(), engine(), engine_cnn(), hips()]


def scalar_graph():
    """One example: a node for each of 13,002 parameters and 25,992 operations, against a few matrix products."""
    params, x, y = batch(1, "float64")
    leaves = {name: values(array) for name, array in params.items()}
    sigmoid = np.frompyfunc(Value.sigmoid, 1, 1)
    return Row(
        key="scalar_graph",
        work="gradient of 784-16-16-10 for one example by backpropagation on arrays",
        peer="a graph of single numbers",
        ours=lambda: squared_error_gradients(params, x, y),
        theirs=lambda: gradients(cost(forward(leaves, x, sigmoid), y)),
        at_most=0.002,
        measure=seconds_on_one_core,
    )


def engine():
    """Forward and backward for a batch of 100, recorded by kb.autograd and by torch."""
    params, x, y = batch(100)
    model = MLP(*SIZES)
    model.load_state_dict({name: torch.tensor(np.array(array)) for name, array in params.items()})
    theirs_x, theirs_y = torch.tensor(x), torch.tensor(y)

    def theirs():
        model.zero_grad()
        (model(theirs_x) - theirs_y).square().sum(-1).mean().backward()

    both = value_and_grad(lambda p: cost(mlp(p, x), y))
    return Row(
        key="engine_torch",
        work="cost and gradient of 784-16-16-10, batch 100, one core, by kb.autograd",
        peer="torch eager",
        ours=lambda: both(params),
        theirs=theirs,
        at_most=1.5,
        measure=seconds_on_one_core,
    )


def engine_cnn():
    """Forward and backward of the small convolutional network for 32 digits."""
    params = init_cnn(np.random.default_rng(0))
    model = CNN()
    model.load_state_dict({name: torch.from_numpy(array) for name, array in params.items()})
    x = np.random.default_rng(1).random((32, 1, 8, 8), dtype=np.float32)
    labels = np.arange(32) % 10
    theirs_x, theirs_labels = torch.from_numpy(x), torch.from_numpy(labels)

    def theirs():
        model.zero_grad()
        torch.nn.functional.cross_entropy(model(theirs_x), theirs_labels).backward()

    both = value_and_grad(lambda p: cross_entropy(cnn_logits(p, x), labels))
    return Row(
        key="engine_cnn",
        work="cost and gradient of the digit CNN, batch 32, one core, by kb.autograd",
        peer="torch eager",
        ours=lambda: both(params),
        theirs=theirs,
        at_most=3,
        measure=seconds_on_one_core,
    )


def hips():
    """The same against HIPS autograd, which wraps NumPy too."""
    params, x, y = batch(100)

    def loss(p):
        a = x
        for i in ("0", "2", "4"):
            a = 1 / (1 + anp.exp(-(a @ p[f"{i}.weight"].T + p[f"{i}.bias"])))
        return anp.sum((a - y) ** 2) / 100

    both = value_and_grad(lambda p: cost(mlp(p, x), y))
    theirs = autograd.value_and_grad(loss)
    return Row(
        key="engine_hips",
        work="cost and gradient of 784-16-16-10, batch 100, one core, by kb.autograd",
        peer="HIPS autograd",
        ours=lambda: both(params),
        theirs=lambda: theirs(params),
        at_most=0.9,
        measure=seconds_on_one_core,
    )
