"""What one training step of the series' network costs: against torch, against a loop, and with all of MNIST at once."""

import contextlib
import functools
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from bench.timing import Row, seconds
from kb.learning.backpropagation import squared_error_gradients
from kb.learning.optimizers import SGD
from kb.learning.stochastic_gradient_descent import sgd_step
from kb.structure.multilayer_perceptron import init_mlp

SIZES = (784, 16, 16, 10)
AT_MOST = {32: 0.30, 100: 0.35, 1000: 0.80}
MNIST = 60_000


def rows():
    """Steps against torch's, a batch against its examples one by one, and the whole of MNIST against a batch of 100."""
    in_one_place = [against_torch(batch, numpy_step, limit) for batch, limit in AT_MOST.items()]
    in_parts = against_torch(100, numpy_step_in_parts, None, "_in_parts", ", with class SGD")
    return [*in_one_place, in_parts, one_at_a_time(), everything()]


def data(batch):
    """Noise for images and one wanted digit each, in float32."""
    rng = np.random.default_rng(0)
    x = rng.random((batch, SIZES[0]), dtype=np.float32)
    return x, np.eye(SIZES[-1], dtype=np.float32)[rng.integers(0, SIZES[-1], batch)]


# ---- against torch, each with the number of threads that suits it best -------------------------------------------
@dataclass(eq=False)
class AtItsBest:
    """The step that `make` prepares, with the number of threads with which it is fastest; both found when needed."""

    make: Callable
    threads: Callable

    @functools.cached_property
    def step(self):
        return self.make()

    @functools.cached_property
    def count(self):
        return min(range(1, len(os.sched_getaffinity(0)) + 1), key=lambda n: min(self.alone(n) for _ in range(5)))

    def alone(self, count):
        """The time of one step, once the threads of whoever ran before have gone to sleep."""
        with self.threads(count):
            time.sleep(0.2)
            self.step()
            return seconds(self.step, at_least=0.01)

    def __call__(self):
        return self.step()


def against_torch(batch, step, limit, suffix="", how=""):
    return Row(
        key=f"sgd_step_{batch}{suffix}",
        work=f"training step of 784-16-16-10, batch {batch}, float32{how}",
        peer="torch eager with torch.optim.SGD",
        ours=numpy_at_its_best(lambda: step(batch)),
        theirs=AtItsBest(lambda: torch_step(batch), torch_threads),
        at_most=limit,
        measure=alone,
    )


def numpy_step(batch):
    """Forward pass, backward pass and update in NumPy, written in one place for speed."""
    x, y = data(batch)
    params = init_mlp(SIZES, np.random.default_rng(0))

    def step():
        nonlocal params
        params, _ = sgd_step(params, x, y, 0.1)

    return step


def numpy_step_in_parts(batch):
    """The same from the functions that the pages explain, and an optimiser."""
    x, y = data(batch)
    optimizer = SGD(init_mlp(SIZES, np.random.default_rng(0)), lr=0.1)
    return lambda: optimizer.step(squared_error_gradients(optimizer.params, x, y)[1])


def torch_step(batch):
    """The same cost and the same step, as torch's tutorials write them."""
    x, y = (torch.from_numpy(array) for array in data(batch))
    model = nn.Sequential(*(part for n, m in pairwise(SIZES) for part in (nn.Linear(n, m), nn.Sigmoid())))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def step():
        optimizer.zero_grad()
        (nn.functional.mse_loss(model(x), y, reduction="sum") / batch).backward()
        optimizer.step()

    return step


@contextlib.contextmanager
def torch_threads(count):
    """So many threads for torch, and as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def numpy_at_its_best(make):
    return AtItsBest(make, lambda count: threadpool_limits(count, user_api="blas"))


def alone(work):
    """The time of one step, measured as `ratio` wants it."""
    return work.alone(work.count)


# ---- against other ways to the same gradient ---------------------------------------------------------------------
def one_at_a_time():
    """A batch of 100, against the average of 100 gradients of one example each."""
    return Row(
        key="batch_over_loop",
        work="gradient of a batch of 100",
        peer="the same examples one at a time, in NumPy",
        ours=numpy_at_its_best(lambda: gradient_of(100)),
        theirs=numpy_at_its_best(loop),
        at_most=0.08,
        measure=alone,
    )


def gradient_of(batch):
    """The gradient over a batch, ready to be computed."""
    x, y = data(batch)
    params = init_mlp(SIZES, np.random.default_rng(0))
    return lambda: squared_error_gradients(params, x, y)


def loop():
    """The average of the gradients of one example each."""
    x, y = data(100)
    params = init_mlp(SIZES, np.random.default_rng(0))

    def average():
        total = {name: np.zeros_like(p) for name, p in params.items()}
        for i in range(100):
            _, grads = squared_error_gradients(params, x[i : i + 1], y[i : i + 1])
            for name in total:
                total[name] += grads[name]
        return {name: value / 100 for name, value in total.items()}

    return average


def everything():
    """The gradient over as many examples as MNIST has, in gradients over 100."""
    return Row(
        key="full_batch",
        work=f"gradient over {MNIST:,} examples",
        peer="the gradient over 100",
        ours=numpy_at_its_best(lambda: gradient_of(MNIST)),
        theirs=numpy_at_its_best(lambda: gradient_of(100)),
        measure=alone,
    )
