"""One-hot encoding writes one of n categories as n numbers: a 1 at its own place, zeros everywhere else.

Categories have no order, and numbers do. Among one-hot vectors there is none left: every two are perpendicular and
equally far apart. Multiplied with a matrix, a one-hot vector selects a row: this is what an embedding looks up.

Source: names and the default of `num_classes` are those of
https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.one_hot.html
"""

import numpy as np

from kb.shapes import checked


@checked
def one_hot(indices, num_classes=-1, dtype=None):
    """A vector for each category: 1 at the place of its number, 0 elsewhere.

    indices (...) -> (..., v)

    num_classes: the length v, one more than the largest index if -1. dtype: int64 if None, as in torch; give the dtype
    of the matrix that it is multiplied with. Raises ValueError for numbers that are not whole, or not in 0..v-1.
    """
    _whole("one_hot", indices, "indices")
    if num_classes == -1 and indices.size == 0:
        raise ValueError("one_hot: indices is empty, so num_classes has to be given")
    v = int(np.max(indices)) + 1 if num_classes == -1 else num_classes
    refuse_outside("one_hot", indices, v)
    return (np.expand_dims(indices, -1) == np.arange(v)).astype(np.int64 if dtype is None else dtype)


@checked
def one_hot_product(indices, weight):
    """One-hot vectors times a matrix: for each category its row of `weight`, the long way.

    indices (...), weight (v, d) -> (..., d)

    v multiplications for each number of the result, all but one by 0. weight[indices] is the same and reads d numbers.
    Raises ValueError as one_hot does.
    """
    return one_hot(indices, len(weight), dtype=weight.dtype) @ weight


@checked
def category(vectors):
    """The way back: the place of the largest entry, which in a one-hot vector is the 1.

    vectors (..., v) -> (...)

    For probabilities or scores it is the most likely category. Of equals the first.
    """
    return np.argmax(vectors, axis=-1)


def refuse_outside(function, indices, v, name="indices"):
    """Raise ValueError, in the name of `function`, for indices that are not whole numbers in 0..v-1.

    NumPy would count a negative index from the end and return a wrong row without a word.
    """
    _whole(function, indices, name)
    if indices.size and not (np.min(indices) >= 0 and np.max(indices) < v):
        wrong = indices[(indices < 0) | (indices >= v)].flat[0]
        raise ValueError(f"{function}: {name} has {wrong}, expected 0 to {v - 1}")


def _whole(function, indices, name):
    if indices.dtype.kind not in "iu":
        raise ValueError(f"{function}: {name} holds {indices.dtype}, expected whole numbers such as int64")
