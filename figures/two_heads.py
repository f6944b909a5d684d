"""Why several heads: at each place, name the letter one place back and the letter two places back.

A single head can look at both letters. But it hands over one average, and an average of two letters does not say which
of them came first. Two heads of half the size, with exactly as many weights, look one place back each.
"""

import functools
import math

import numpy as np

from kb.architecture.multi_head_attention import head_patterns, multi_head_attention
from kb.autograd.tensor import value_and_grad
from kb.foundations.softmax import log_softmax

LETTERS, LENGTH, WIDTH = "abcdefgh", 8, 32


def batch(rng, n):
    """Random texts (n, t) and for each place the letters one and two places back, (n, t, 2, letters) one-hot."""
    ids = rng.integers(0, len(LETTERS), (n, LENGTH))
    back = np.stack([np.roll(ids, 1, axis=1), np.roll(ids, 2, axis=1)], axis=-1)
    return ids, np.eye(len(LETTERS), dtype=np.float32)[back]


def initial(rng):
    """Small random weights: letters and positions, the attention layer, and a linear layer to two times the letters."""
    shapes = {"letters": (len(LETTERS), WIDTH), "positions": (LENGTH, WIDTH), "w_in": (3 * WIDTH, WIDTH)}
    shapes |= {"w_out": (WIDTH, WIDTH), "read": (2 * len(LETTERS), WIDTH)}
    return {name: (rng.standard_normal(s) / math.sqrt(s[-1])).astype(np.float32) for name, s in shapes.items()}


def logits(params, ids, num_heads):
    """(n, t, 2, letters)"""
    x = params["letters"][ids] + params["positions"]
    found = multi_head_attention(x, x, x, params["w_in"], None, params["w_out"], None, num_heads, is_causal=True)
    return np.reshape(found @ params["read"].T, (*ids.shape, 2, len(LETTERS)))


def cost(params, ids, targets, num_heads):
    """Cross-entropy in nats per letter; the first two places have nothing to name."""
    return -np.sum((log_softmax(logits(params, ids, num_heads)) * targets)[:, 2:]) / targets[:, 2:].sum()


@functools.cache
def train(num_heads, steps=600, lr=0.3, momentum=0.9):
    """The weights after `steps` steps of gradient descent with momentum, each on 32 new texts."""
    rng = np.random.default_rng(0)
    params = initial(rng)
    speed = {k: np.zeros_like(p) for k, p in params.items()}
    step = value_and_grad(cost)
    for _ in range(steps):
        _, slope = step(params, *batch(rng, 32), num_heads)
        speed = {k: momentum * speed[k] - lr * slope[k] for k in params}
        params = {k: params[k] + speed[k] for k in params}
    return params


@functools.cache
def accuracy(num_heads, n=500):
    """The shares of letters one place back and two places back that are named rightly, in `n` new texts."""
    ids, targets = batch(np.random.default_rng(1), n)
    right = np.argmax(logits(train(num_heads), ids, num_heads), -1) == np.argmax(targets, -1)
    return right[:, 2:].mean(axis=(0, 1))


def patterns(num_heads, text):
    """Where each head looks in one text, (h, t, t)."""
    params = train(num_heads)
    x = params["letters"][[LETTERS.index(c) for c in text]] + params["positions"][: len(text)]
    return head_patterns(x, x, params["w_in"], None, num_heads, is_causal=True)
