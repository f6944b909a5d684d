"""Who plays what: one fact by hand, and thousands of facts in one MLP block of GPT-2 small's size.

Every name and every sport is a direction of the stream. By hand they are perpendicular; by the thousands they are
random: 820 directions in 768 dimensions cannot be perpendicular to one another.
"""

import functools

import numpy as np

from kb.architecture.mlp_block import mlp_block, mlp_neurons, store_facts
from kb.structure.activation_functions import relu

MICHAEL, ALEXIS, JORDAN, PHELPS, BASKETBALL, SWIMMING = np.eye(8)[:6]
CONTEXTS = {
    "Michael Jordan": MICHAEL + JORDAN,
    "Michael": MICHAEL,
    "Jordan": JORDAN,
    "Michael Phelps": MICHAEL + PHELPS,
    "Alexis Jordan": ALEXIS + JORDAN,
    "nobody": 0 * MICHAEL,
}
WIDTH, NAMES, SPORTS, FACTS = 768, 400, 20, 3072


def pre_activation_of(context):
    """How well the fact's key matches the context, minus 1."""
    w_up, b_up, _ = store_facts(np.array([[MICHAEL, JORDAN]]), BASKETBALL[None])
    return float(mlp_neurons(CONTEXTS[context], w_up, b_up, lambda z: z)[0])


def basketball_added(context, activation=relu, bias=-1.0):
    """How much basketball the one-neuron block adds to the vector of a context."""
    w_up, _, w_down = store_facts(np.array([[MICHAEL, JORDAN]]), BASKETBALL[None])
    return float(mlp_block(CONTEXTS[context], w_up, np.array([bias]), w_down, np.zeros(8), activation) @ BASKETBALL)


@functools.cache
def people(seed=0):
    """(keys (m, 2, d), plays (m), sports (20, d), who (m, 2)): m facts about pairs of names, no pair twice."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((2 * NAMES + SPORTS, WIDTH), np.float32)
    first, last, sports = np.split(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), [NAMES, 2 * NAMES])
    pairs = rng.choice(NAMES * NAMES, FACTS, replace=False)
    who = np.stack([pairs // NAMES, pairs % NAMES], axis=1)
    return np.stack([first[who[:, 0]], last[who[:, 1]]], axis=1), rng.integers(0, SPORTS, FACTS), sports, who


@functools.cache
def share_right(activation=relu, bias=True, sharpness=1.0, corrected=False, n=200):
    """The share of n people whose own sport is the one that the block adds most of.

    `sharpness` scales keys and bias up and values down, which changes nothing for a ReLU. Where `corrected`, the bias
    of the down-projection takes back what a neuron without any match adds.
    """
    keys, plays, sports, _ = people()
    w_up, b_up, w_down = store_facts(keys, sports[plays])
    w_up, b_up, w_down = sharpness * w_up, (sharpness if bias else 0) * b_up, w_down / sharpness
    b_down = -np.sum(w_down, axis=1) * (activation(b_up[:1]) if corrected else 0)
    added = mlp_block(np.sum(keys[:n], axis=1), w_up, b_up, w_down, b_down, activation)
    return float(np.mean(np.argmax(added @ sports.T, axis=1) == plays[:n]))


@functools.cache
def matches(n=100):
    """Of every neuron, for n people: how many of its two names are there, and its pre-activation, both (n, m)."""
    keys, plays, sports, who = people()
    w_up, b_up, _ = store_facts(keys, sports[plays])
    z = mlp_neurons(np.sum(keys[:n], axis=1), w_up, b_up, lambda z: z)
    return np.sum(who[:n, None] == who[None], axis=-1), z
