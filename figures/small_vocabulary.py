"""Vocabularies small enough to draw: six tokens in the plane, and the three words of a counting song."""

import functools

import numpy as np

from kb.architecture.unembedding import unembed
from kb.autograd.tensor import value_and_grad
from kb.learning.cost_function import cross_entropy

TOKENS = ["mat", "sofa", "dog", "ran", "green", "the"]
WEIGHT = np.array([[2.2, 0.4], [1.4, 0.5], [-0.2, 1.4], [-1.5, 0.7], [-1.1, -0.8], [0.4, -1.1]])  # (v, d), made up
FINAL = np.array([2.0, 0.8])  # (d), the last vector of "the cat sat on the", made up

SONG = np.array([0, 1, 2])  # one two three, and from the start again
FORMS = ("untied", "tied", "tied, with a layer between")


def song_scores(params, form):
    """The scores of the next word after each of the three words: nothing between the two ends, or one matrix."""
    x = params["embedding"][SONG]
    if form == FORMS[2]:
        x = x @ params["layer"]
    return unembed(x, params["unembedding" if form == "untied" else "embedding"])


@functools.cache
def song_costs(form, steps=400, lr=0.5):
    """The cross-entropy at each step of gradient descent on "one two three one two three"; the last is the result."""
    rng = np.random.default_rng(0)
    params = {
        name: 0.5 * rng.standard_normal((n, 4)) for name, n in (("embedding", 3), ("unembedding", 3), ("layer", 4))
    }
    cost = value_and_grad(lambda p: cross_entropy(song_scores(p, form), (SONG + 1) % 3))
    costs = []
    for _ in range(steps):
        value, grads = cost(params)
        costs.append(float(value))
        params = {name: array - lr * grads[name] if name in grads else array for name, array in params.items()}
    return np.array(costs)
