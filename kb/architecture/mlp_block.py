"""The MLP block: at each position alone, neurons look for patterns in the vector, and the active ones add theirs to it.

A row of w_up is a key: the direction that its neuron looks for. A column of w_down is a value: what the neuron adds
when it is active.

Source: Vaswani et al. 2017, "Attention is all you need", eq. 2, https://arxiv.org/abs/1706.03762 (with a ReLU); GELU in
its place: Radford et al. 2018, "Improving language understanding by generative pre-training", section 4.1; rows as keys
and columns as values: Geva et al. 2021, "Transformer feed-forward layers are key-value memories", eq. 2,
https://arxiv.org/abs/2012.14913
"""

import functools

import numpy as np

from kb.shapes import checked
from kb.structure.activation_functions import gelu
from kb.structure.layers import layer, linear


@checked
def mlp_block(x, w_up, b_up, w_down, b_down, activation=None):
    """What the block adds to each position's vector: up to m neurons, each through the activation, and down again.

    x (..., d), w_up (m, d), b_up (m), w_down (d, m), b_down (d) -> (..., d)

    The caller adds it, x + mlp_block(norm(x), ...). `activation` is a function; None is GPT-2's, GELU in its tanh form.
    The weights lie as in torch's linear layers, (out, in); m is 4 d in GPT-2 and GPT-3.
    """
    return linear(mlp_neurons(x, w_up, b_up, activation), w_down, b_down)


@checked
def mlp_neurons(x, w_up, b_up, activation=None):
    """How active each neuron is: how well the vector matches its key, over its threshold.

    x (..., d), w_up (m, d), b_up (m) -> (..., m)
    """
    return layer(x, w_up, b_up, functools.partial(gelu, approximate="tanh") if activation is None else activation)


@checked
def written_by_neurons(active, w_down):
    """What each neuron adds: its activation times its value. The sum over the neurons, plus the bias, is the block's.

    active (..., m), w_down (d, m) -> (..., m, d)
    """
    return np.expand_dims(active, -1) * w_down.T


@checked
def store_facts(keys, values):
    """One neuron per fact, IF all of its keys THEN add its value: the weights w_up, b_up and w_down that do it.

    keys (m, k, d), values (m, d) -> (m, d), (m), (d, m)

    Meant for keys of length 1 that are perpendicular to each other: a vector that is the sum of j of the k keys makes
    the neuron's pre-activation j - (k - 1), which is 1 where all are there and at most 0 otherwise. That is an AND.
    """
    m, k, _ = keys.shape
    return np.sum(keys, axis=1), np.full(m, 1 - k, keys.dtype), values.T


def count_parameters(width, hidden):
    """The numbers that training can change in one block: two matrices and their biases."""
    return hidden * width + hidden + width * hidden + width
