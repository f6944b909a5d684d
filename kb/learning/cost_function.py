"""The cost function: one number that says how wrong the model is now, averaged over the data.

Two ways of being wrong are here: squared error, the series' choice, and cross-entropy, the choice of every classifier
and language model today. The hand-derived gradients show why the second trains faster.

Source: Bishop 1995, "Neural Networks for Pattern Recognition", chapter 6 (gradients); Szegedy et al. 2016, "Rethinking
the Inception architecture", section 7 (label smoothing), https://arxiv.org/abs/1512.00567; options and defaults are
those of https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
"""

import numpy as np

from kb.foundations.softmax import log_softmax, softmax
from kb.shapes import checked
from kb.structure.activation_functions import sigmoid


# ---- squared error -----------------------------------------------------------------------------------------------
@checked
def squared_error(a, y):
    """How wrong each answer is: the sum over outputs j of (a_j - y_j)^2.

    a (..., m), y (..., m) -> (...)
    """
    _same_shape("squared_error", "a", a, y)
    difference = a - y
    return np.sum(difference * difference, axis=-1)


@checked
def squared_error_backward(a, y):
    """How each answer should change: the gradient of squared_error with respect to the activations, 2 (a - y).

    a (..., m), y (..., m) -> (..., m)
    """
    _same_shape("squared_error_backward", "a", a, y)
    return 2 * (a - y)


@checked
def cost(a, y):
    """How wrong the network is: the average of squared_error over all examples.

    a (..., m), y (..., m) -> ()

    It is m times the mean squared error, which also averages over the m outputs.
    """
    _same_shape("cost", "a", a, y)
    difference = a - y
    return (difference * difference).sum() * (a.shape[-1] / a.size)


@checked
def mse_loss(x, y, reduction="mean"):
    """The squared difference, averaged over every entry.

    x (...), y (...) -> ()

    `reduction` is "mean", "sum" or "none" (one loss per entry). Raises ValueError when the shapes differ: (n, 1) and
    (n) would broadcast to n x n differences.
    """
    _same_shape("mse_loss", "x", x, y)
    difference = x - y
    return _reduce("mse_loss", difference * difference, reduction, x.size)


# ---- cross-entropy -----------------------------------------------------------------------------------------------
@checked
def cross_entropy(logits, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    """How surprised the model is by the right classes: the average of -log softmax(logits)[target].

    logits (n, v, ...), target (n, ...), weight (v) -> ()

    `target` holds class numbers 0..v-1 (torch's other form, a probability per class, is not taken); the classes lie
    on axis 1 of `logits`. An example whose target is `ignore_index` counts for nothing. `weight` makes each class
    count that many times, also in the average. `label_smoothing` in 0..1 asks for that much of every class alike.
    Guessing among v equal scores costs log(v); only certainty in the right class costs 0.

    Raises ValueError for a target that is no class number, and for an average over nothing (all examples ignored or
    of weight 0), where torch gives nan.
    """
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing is {label_smoothing}, expected 0..1")
    log_p = log_softmax(logits, axis=1)
    losses, counts = _picked("cross_entropy", log_p, target, weight, ignore_index)
    if label_smoothing:
        weighted = log_p if weight is None else log_p * _along_classes(weight, log_p.ndim)
        even = np.where(target == ignore_index, 0, -np.mean(weighted, axis=1))
        losses = (1 - label_smoothing) * losses + label_smoothing * even
    return _reduce("cross_entropy", losses, reduction, counts)


@checked
def nll_loss(log_p, target, weight=None, ignore_index=-100, reduction="mean"):
    """The negative log-likelihood: the average of -log_p[target], for log-probabilities such as log_softmax gives.

    log_p (n, v, ...), target (n, ...), weight (v) -> ()

    Options and errors as in cross_entropy, which is this after a log_softmax.
    """
    losses, counts = _picked("nll_loss", log_p, target, weight, ignore_index)
    return _reduce("nll_loss", losses, reduction, counts)


@checked
def perplexity(logits, target, ignore_index=-100):
    """Among how many equally likely classes the model is in doubt: e to the cross-entropy, from 1 (sure and right).

    logits (n, v, ...), target (n, ...) -> ()

    v for a model that knows nothing; more for one that is sure of wrong classes.
    """
    return np.exp(cross_entropy(logits, target, ignore_index=ignore_index))


@checked
def cross_entropy_backward(logits, target):
    """How each score should change: the gradient of each example's cross-entropy, p - y.

    logits (n, v, ...), target (n, ...) -> (n, v, ...)

    p = softmax(logits), and y is 1 for the right class, else 0. Divide by n for the gradient of the average.
    """
    index, _ = _class_numbers("cross_entropy_backward", logits, target, None)
    classes = _along_classes(np.arange(logits.shape[1]), logits.ndim)
    return softmax(logits, axis=1) - (np.expand_dims(index, 1) == classes)


# ---- one output neuron: which of the two costs can wake it up ----------------------------------------------------
@checked
def sigmoid_squared_error_backward(z, y):
    """The gradient of (sigmoid(z) - y)^2 with respect to z: 2 (a - y) a (1 - a).

    z (...), y (...) -> (...)

    The factor a (1 - a) is nearly 0 for a saturated neuron, even when it is entirely wrong: it hardly learns.
    """
    a = sigmoid(z)
    return 2 * (a - y) * a * (1 - a)


@checked
def sigmoid_cross_entropy_backward(z, y):
    """The gradient of -y log(a) - (1 - y) log(1 - a), a = sigmoid(z), with respect to z: a - y.

    z (...), y (...) -> (...)

    The slope of the sigmoid has cancelled: the more wrong the neuron, the faster it learns.
    """
    return sigmoid(z) - y


# ---- shared ------------------------------------------------------------------------------------------------------
def _picked(name, log_p, target, weight, ignore_index):
    """Each example's weighted loss, and the weight with which it counts in an average: both 0 where ignored."""
    index, keep = _class_numbers(name, log_p, target, ignore_index)
    picked = np.squeeze(np.take_along_axis(log_p, np.expand_dims(index, 1), axis=1), axis=1)
    if weight is None:
        return np.where(keep, -picked, 0), int(np.sum(keep))
    counts = np.where(keep, weight[index], 0)
    return np.where(keep, -picked * weight[index], 0), np.sum(counts)


def _class_numbers(name, logits, target, ignore_index):
    """Targets that can be used as an index (0 where ignored), and which of them count."""
    if target.shape != logits.shape[:1] + logits.shape[2:]:
        raise ValueError(f"{name}: target has shape {target.shape}, expected that of logits {logits.shape} but axis 1")
    if target.dtype.kind not in "iu":
        raise ValueError(f"{name}: target holds {target.dtype}, expected integers: the number of the right class")
    keep = target != ignore_index if ignore_index is not None else np.full(target.shape, True)
    index = np.where(keep, target, 0)
    if np.any((index < 0) | (index >= logits.shape[1])):
        raise ValueError(f"{name}: target lies in {index.min()}..{index.max()}, expected 0..{logits.shape[1] - 1}")
    return index, keep


def _along_classes(values, ndim):
    """(v) -> (1, v, 1, ...): one value per class, ready to broadcast with logits."""
    return np.reshape(values, (1, -1, *(1,) * (ndim - 2)))


def _reduce(name, losses, reduction, counts):
    if reduction == "none":
        return losses
    if reduction == "sum":
        return np.sum(losses)
    if reduction != "mean":
        raise ValueError(f"{name}: reduction is {reduction!r}, expected 'mean', 'sum' or 'none'")
    if counts == 0:
        raise ValueError(f"{name}: no example counts, so there is no mean")
    return np.sum(losses) / counts


def _same_shape(name, first, x, y):
    if x.shape != y.shape:
        raise ValueError(f"{name}: {first} has shape {x.shape}, expected that of y {y.shape}")
