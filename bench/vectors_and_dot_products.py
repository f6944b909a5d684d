"""What one matrix product saves over a Python loop when a query looks for its nearest neighbours."""

import numpy as np

from bench.timing import Row
from kb.foundations.vectors_and_dot_products import nearest_neighbours, normalize


def rows():
    """The 5 nearest of 2,000 vectors of width 256 to 64 queries: a loop over the pairs, against kb."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((2000, 256)).astype(np.float32)
    queries = rng.standard_normal((64, 256)).astype(np.float32)

    def loop():
        found, units = [], normalize(vectors)
        for query in normalize(queries):
            cosines = [float(query @ vector) for vector in units]
            found.append(sorted(range(len(cosines)), key=lambda i: -cosines[i])[:5])
        return found

    assert loop() == nearest_neighbours(queries, vectors, 5)[1].tolist()
    return [
        Row(
            key="neighbours_loop",
            work="nearest 5 of 2,000 vectors of width 256 for 64 queries, in a Python loop over the pairs",
            peer="one matrix product and a partial sort",
            ours=loop,
            theirs=lambda: nearest_neighbours(queries, vectors, 5),
        )
    ]
