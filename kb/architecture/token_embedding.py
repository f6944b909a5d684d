"""Stand-in of `gpt`, to be replaced by the owner's module: the row of a matrix for each token."""

import numpy as np

from kb.shapes import checked


@checked
def embedding(ids, weight):
    """The learned vector of each token: row i of `weight` for the id i.

    ids (...), weight (v, d) -> (..., d)
    """
    if ids.dtype.kind not in "iu" or np.any((ids < 0) | (ids >= weight.shape[0])):
        raise ValueError(f"embedding: ids must be integers from 0 to {weight.shape[0] - 1}")
    return weight[ids]
