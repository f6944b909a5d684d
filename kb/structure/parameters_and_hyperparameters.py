"""The vocabulary: parameters, hyperparameters, weights, activations and logits, told apart by when they change.

Training changes the parameters; each new input changes the activations and logits; hyperparameters stay as they are
until you start again with others. None of it has to be believed: take the fingerprint of every array before and after.

Source: Goodfellow, Bengio and Courville 2016, "Deep Learning", section 5.3 (hyperparameters),
https://www.deeplearningbook.org/contents/ml.html; Berkson 1944, "Application of the logistic function to bio-assay"
(logit), https://doi.org/10.1080/01621459.1944.10500699
"""

import hashlib

import numpy as np

from kb.shapes import checked


def fingerprints(arrays):
    """A short text for each array of a dict: the same for the same numbers, another as soon as one bit differs.

    Shape and dtype count too. The text keeps no reference to the array, so it cannot change along with it, as a "copy"
    of the dict would.
    """
    return {name: _fingerprint(array) for name, array in arrays.items()}


def _fingerprint(array):
    digest = hashlib.sha256(f"{array.dtype} {array.shape} ".encode())
    digest.update(array.tobytes())
    return digest.hexdigest()[:12]


def changed(before, after):
    """The names under which two dicts of fingerprints differ, those that only one of them has included."""
    return [name for name in {**before, **after} if before.get(name) != after.get(name)]


@checked
def logit(p):
    """The score behind a probability, its log-odds log(p / (1 - p)): the z that a sigmoid turns into p.

    p (...) -> (...)

    0 for p = 1/2, -inf for 0 and inf for 1. Raises ValueError where p is not in 0..1.
    """
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError("logit: p must lie in 0..1")
    with np.errstate(divide="ignore"):  # log(0) is the -inf that is meant
        return np.log(p) - np.log(1 - p)
