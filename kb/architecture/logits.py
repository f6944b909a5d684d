"""Logits: the raw scores of a classifier or language model; only their differences mean anything.

Source: Berkson 1944, "Application of the logistic function to bio-assay", JASA 39, where the word comes from,
https://doi.org/10.1080/01621459.1944.10500699; Bridle 1990, the same for more than two choices,
https://papers.nips.cc/paper/1989/hash/0336dcbab05b9d5ad24f4333c7658a0e-Abstract.html
"""

import numpy as np

from kb.foundations.softmax import log_softmax, logsumexp
from kb.shapes import checked


@checked
def log_odds(logits):
    """How much each token is favoured over all others together: log(p / (1 - p)), computed from the scores.

    logits (..., v) -> (..., v)

    0 for a token with probability 1/2, log 3 for 3/4; sigmoid makes it the probability again. Exact also where p rounds
    to 0 or 1. With two tokens it is the difference of their logits. -inf where the logit is -inf; inf for the only
    token that is left.
    """
    log_p = log_softmax(logits)
    top = np.arange(logits.shape[-1]) == np.expand_dims(np.argmax(logits, axis=-1), -1)
    # 1 - p is exact enough where p <= 1/2; only the largest p can be more, and there the others are added up
    others = logsumexp(np.where(top, -np.inf, log_p), axis=-1, keepdims=True)
    return log_p - np.where(top, others, np.log1p(-np.exp(np.where(top, -np.inf, log_p))))


@checked
def centre(logits):
    """The same distribution, told by the scores that have mean 0: equal for any two that differ by a constant.

    logits (..., v) -> (..., v)

    Softmax cannot tell the two apart, so this is how two models' logits are compared. Finite scores only.
    """
    return logits - np.mean(logits, axis=-1, keepdims=True)
