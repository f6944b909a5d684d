"""A stack of small blocks before training: how large the vectors become, and the gradient of the last block's weights.

Each block is linear, ReLU, linear, with random weights that keep the variance of what they read. It normalises either
the copy that it reads (pre-norm) or the sum that it passes on (post-norm). The stack ends as a GPT ends: with a last
norm where its blocks are pre-norm, and a linear layer with one score per class.
"""

import functools
import math

import numpy as np

from kb.architecture.layer_normalization import layer_norm, pre_norm
from kb.autograd.tensor import grad

WIDTH, POSITIONS, CLASSES = 64, 64, 10


def initial(rng, depth):
    """Random weights: W_up and W_down of every block, and the output layer."""
    params = {"out": rng.standard_normal((CLASSES, WIDTH)) / math.sqrt(WIDTH)}
    for i in range(depth):
        params[f"{i}.up"] = rng.standard_normal((WIDTH, WIDTH)) * math.sqrt(2 / WIDTH)
        params[f"{i}.down"] = rng.standard_normal((WIDTH, WIDTH)) / math.sqrt(WIDTH)
    return params


def stream(params, x, norm):
    """The vectors after each block, from the first to the last. norm: None, pre_norm or post_norm."""
    after = [x]
    for i in range(len(params) // 2):

        def block(y, i=i):
            return np.maximum(y @ params[f"{i}.up"].T, 0) @ params[f"{i}.down"].T

        x = x + block(x) if norm is None else norm(x, block)
        after.append(x)
    return after


def cost(params, x, targets, norm):
    """Cross-entropy of random targets, in nats."""
    last = stream(params, x, norm)[-1]
    logits = (layer_norm(last) if norm is pre_norm else last) @ params["out"].T
    return np.mean(np.log(np.sum(np.exp(logits), axis=-1)) - np.sum(logits * targets, axis=-1))


def setting(seed, depth):
    rng = np.random.default_rng(seed)
    params, x = initial(rng, depth), rng.standard_normal((POSITIONS, WIDTH))
    return params, x, np.eye(CLASSES)[rng.integers(0, CLASSES, POSITIONS)]


@functools.cache
def last_gradient(norm, depth, starts=4):
    """The length of the gradient of the last block's W_down, averaged over random starts."""
    found = []
    for seed in range(starts):
        params, x, targets = setting(seed, depth)
        slope = grad(lambda p, x=x, t=targets: cost(p, x, t, norm))(params)
        found.append(np.linalg.norm(slope[f"{depth - 1}.down"]))
    return float(np.mean(found))


@functools.cache
def stream_sizes(norm, depth=24):
    """The root mean square of the vectors after each block."""
    params, x, _ = setting(0, depth)
    return np.array([np.sqrt(np.mean(np.square(v))) for v in stream(params, x, norm)])
