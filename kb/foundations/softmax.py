"""Softmax: scores in, a distribution out. The larger a score, the larger its share; the shares sum to 1.

Source: Bridle 1990, "Training stochastic model recognition algorithms as networks can lead to maximum mutual
information estimation of parameters", NeurIPS 2,
https://papers.nips.cc/paper/1989/hash/0336dcbab05b9d5ad24f4333c7658a0e-Abstract.html
"""

import numpy as np

from kb.shapes import checked


@checked
def softmax(x, axis=-1):
    """The share of each score: e^x divided by the sum of all e^x along `axis`.

    x (...) -> (...)

    Any real scores; the result lies in 0..1 and sums to 1 along `axis`. An entry of -inf gets the share 0; a row of
    nothing but -inf has no distribution and gives nan, with NumPy's warning (torch gives nan too).
    """
    e = np.exp(_gap(x, _max(x, axis)))
    return e / e.sum(axis=axis, keepdims=True)


@checked
def log_softmax(x, axis=-1):
    """The logarithm of softmax, computed without taking the logarithm of a rounded share.

    x (...) -> (...)

    At most 0. A share too small for a float (below 1e-38 in float32) still has an ordinary logarithm here. A row of
    nothing but -inf gives nan, as softmax does.
    """
    gap = _gap(x, _max(x, axis))
    return gap - _log(np.exp(gap).sum(axis=axis, keepdims=True))


@checked
def logsumexp(x, axis=None, keepdims=False):
    """The smooth maximum: log(sum(e^x)) along `axis`, at least max(x) and at most max(x) + log(n).

    x (...) -> (...)

    axis=None reduces all axes. A row of nothing but -inf gives -inf.
    """
    top = np.maximum(_max(x, axis), float(np.finfo(x.dtype).min))  # -inf - -inf would be nan
    out = top + _log(np.exp(_gap(x, top)).sum(axis=axis, keepdims=True))
    return out if keepdims else np.squeeze(out, axis=axis)


@checked
def softmax_jacobian(p):
    """How each share moves when each score moves: diag(p) - p p^T, entry (i, j) is d p_i / d x_j.

    p (..., n) -> (..., n, n)

    `p` is a result of softmax. Each row and each column sums to 0: what one share gains, the others lose.
    """
    return np.expand_dims(p, -1) * (np.eye(p.shape[-1], dtype=p.dtype) - np.expand_dims(p, -2))


@checked
def softmax_backward(grad, p):
    """The gradient of a cost with respect to the scores, from its gradient with respect to the shares.

    grad (..., n), p (..., n) -> (..., n)

    The product of `grad` with softmax_jacobian(p), without ever building the n x n matrix.
    """
    return p * (grad - np.sum(grad * p, axis=-1, keepdims=True))


def _max(x, axis):
    if x.dtype.kind != "f":  # x - max would wrap around for small integers, and give a plausible wrong answer
        raise ValueError(f"softmax: x must be floating-point, not {x.dtype}")
    return x.max(axis=axis, keepdims=True)


def _gap(x, top):
    """x - max, at most 0: subtracting the maximum cancels in every ratio of powers, and the largest becomes e^0 = 1."""
    with np.errstate(over="ignore"):  # a gap beyond the largest float is -inf, and e^-inf = 0 is right
        return x - top


def _log(total):
    with np.errstate(divide="ignore"):  # log(0) = -inf is the right answer for a sum of nothing
        return np.log(total)
