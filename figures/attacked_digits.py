"""The shipped digit networks under the fast gradient sign method; all slopes come from kb's computation graph."""

import functools

import numpy as np

from figures.reading_digits import held_out
from kb.architecture.ai_safety import fgsm
from kb.autograd.tensor import grad
from kb.checkpoints.shipped import digits_cnn, digits_dense, digits_mlp
from kb.data.digits import load_digits, split
from kb.learning.cost_function import cost, cross_entropy
from kb.structure.activation_functions import identity, relu
from kb.structure.convolutional_network import cnn_logits
from kb.structure.forward_pass import forward
from kb.structure.multilayer_perceptron import mlp

SIZES = 0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.14, 0.2


@functools.cache
def slopes():
    """How the network's cost answers to each pixel of each held-out digit."""
    x, labels = held_out()
    params, y = digits_mlp(), np.eye(10, dtype=x.dtype)[labels]
    return grad(lambda x: cost(mlp(params, x), y))(x)


@functools.cache
def attacked(size):
    """The held-out digits, every pixel changed by `size` in the direction that hurts."""
    return fgsm(held_out()[0], slopes(), np.float32(size))


@functools.cache
def accuracy(size, signs="attack"):
    """The share of held-out digits read rightly after the attack, or after changes of the same size at random."""
    x, labels = held_out()
    noise = np.random.default_rng(0).standard_normal(x.shape).astype(x.dtype)
    changed = attacked(size) if signs == "attack" else fgsm(x, noise, np.float32(size))
    return float(np.mean(mlp(digits_mlp(), changed).argmax(axis=1) == labels))


def fooled(size, count=5):
    """Places of digits that were read rightly and are not after the attack: those with the surest wrong answers."""
    x, labels = held_out()
    before, after = mlp(digits_mlp(), x), mlp(digits_mlp(), attacked(size))
    turned = np.flatnonzero((before.argmax(1) == labels) & (after.argmax(1) != labels))
    return turned[np.argsort(-after[turned].max(axis=1))[:count]]


@functools.cache
def small():
    """Held-out digits of 8 x 8 pixels (n, 1, 8, 8) and labels, for the two small networks."""
    part = split(load_digits())[1]
    return part.images[:, None], part.labels


def dense_logits(params, x):
    return forward(params, x.reshape(len(x), 64), relu, identity)


@functools.cache
def transfer(size):
    """Accuracies of the convolutional network: untouched, under its own attack, under one made for the dense one."""
    x, labels = small()
    shares = [np.mean(cnn_logits(digits_cnn(), x).argmax(1) == labels)]
    for logits, params in ((cnn_logits, digits_cnn()), (dense_logits, digits_dense())):
        slope = grad(lambda x, f=logits, p=params: cross_entropy(f(p, x), labels))(x)
        bent = fgsm(x, slope, np.float32(size))
        shares.append(np.mean(cnn_logits(digits_cnn(), bent).argmax(1) == labels))
    return np.array(shares)
