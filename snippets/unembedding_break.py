"""Tied, with nothing between: e_a . e_b, so "b after a" scores like "a after b"."""

import numpy as np

from kb.architecture.unembedding import unembed
from kb.autograd.tensor import value_and_grad
from kb.foundations.softmax import softmax
from kb.learning.cost_function import cross_entropy

words, follows = np.array([0, 1, 2]), np.array([1, 2, 0])  # one two three, one two ...
rng = np.random.default_rng(0)
rows = {"embed": 3, "unembed": 3, "layer": 4}
start = {name: 0.5 * rng.standard_normal((n, 4)) for name, n in rows.items()}


def scores(params, form):
    x = params["embed"][words]
    x = x @ params["layer"] if form == "a layer between" else x
    return unembed(x, params["unembed" if form == "two matrices" else "embed"])


for form in ("two matrices", "one matrix", "a layer between"):
    params = start
    cost = value_and_grad(lambda p, form=form: cross_entropy(scores(p, form), follows))
    for _ in range(200):
        value, grads = cost(params)
        params = params | {name: params[name] - 0.5 * grads[name] for name in grads}
    after_one = softmax(scores(params, form))[0].round(2)
    print(f"{form:16} cost {value:.3f}, after 'one':", after_one)
    #> two matrices     cost 0.002, after 'one': [0. 1. 0.]
    #> one matrix       cost 1.099, after 'one': [0.33 0.33 0.33]
    #> a layer between  cost 0.000, after 'one': [0. 1. 0.]
