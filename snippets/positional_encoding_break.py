"""Rotary positions with queries in one layout and keys in the other: the score no longer depends on the distance."""

import numpy as np

from kb.architecture.positional_encoding import rope

rng = np.random.default_rng(0)
q, k = rng.standard_normal((2, 1, 8))


def score(place_of_q, place_of_k, interleaved):
    turned_q = rope(q, np.array([place_of_q]))
    turned_k = rope(k, np.array([place_of_k]), interleaved=interleaved)
    return round((turned_q @ turned_k.T).item(), 3)


# The key stands two places before the query, each time.
for name, layout in (("same layout", False), ("mixed layouts", True)):
    print(name, [score(place + 2, place, layout) for place in (0, 10, 500)])
    #> same layout [-3.62, -3.62, -3.62]
    #> mixed layouts [-3.62, -1.981, -0.781]
