"""Generalisation: doing well on examples that were not seen in training, and what helps a network towards it.

A network with more parameters than examples can learn any labels by heart, even random ones. So its success on the
training data says little; only examples that it has not seen, and that nobody used to choose it, can judge it.

Source: Zhang et al. 2017, "Understanding deep learning requires rethinking generalization" (random labels),
https://arxiv.org/abs/1611.03530; Srivastava et al. 2014, "Dropout", section 4,
https://jmlr.org/papers/v15/srivastava14a.html; Krogh and Hertz 1991, "A simple weight decay can improve
generalization", https://papers.nips.cc/paper/1991/hash/8eefcfdf5990e441f0fb6f3fad709e21-Abstract.html; Prechelt 1998,
"Early stopping, but when?", https://doi.org/10.1007/3-540-49430-8_3
"""

import math

import numpy as np

from kb.shapes import checked


# ---- who judges --------------------------------------------------------------------------------------------------
def train_validation_test(n, validation, test, rng):
    """The numbers 0..n-1 dealt out at random: to learn from, to choose by, and to judge with, once, at the end.

    `validation` and `test` say how many; the rest is to learn from. Each number comes up in exactly one of the three.
    Raises ValueError when a part would be empty.
    """
    if min(validation, test) < 1 or validation + test >= n:
        raise ValueError(f"train_validation_test: {validation} and {test} of {n} leave a part without an example")
    order = rng.permutation(n)
    return order[validation + test :], order[:validation], order[validation : validation + test]


def standard_error(accuracy, n):
    """How far an accuracy measured on n examples typically lies from the true one: sqrt(a (1 - a) / n).

    For examples drawn independently of each other and of the network.
    """
    return math.sqrt(accuracy * (1 - accuracy) / n)


@checked
def random_labels(labels, share, rng):
    """The labels with a share of them dealt out anew among themselves: no rule can predict those from the images.

    labels (n), share () -> (n)

    `share` lies in 0..1. Each class keeps its count, so some of the new labels are right by chance.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"random_labels: share is {share}, expected 0..1")
    source, chosen = np.arange(len(labels)), rng.permutation(len(labels))[: round(share * len(labels))]
    source[chosen] = rng.permutation(chosen)
    return labels[source]


# ---- what helps --------------------------------------------------------------------------------------------------
def early_stopping(losses, patience):
    """The pass with the lowest validation loss so far, counted from 0, and whether it is time to stop.

    It is time when the last `patience` passes brought no lower loss; the weights to keep are those of the best pass. A
    loss that is nan is never the best. Raises ValueError for no losses or a patience below 1.
    """
    if len(losses) == 0 or patience < 1:
        raise ValueError(f"early_stopping: {len(losses)} losses and patience {patience}, expected at least 1 of each")
    best = int(np.argmin(np.where(np.isnan(losses), np.inf, losses)))
    return best, len(losses) - 1 - best >= patience


@checked
def weight_penalty(params, decay):
    """What weight decay adds to the cost: decay / 2 times the sum of the squares of all weights. Biases cost nothing.

    params {}, decay () -> ()
    """
    return decay / 2 * sum(np.sum(value * value) for name, value in params.items() if name.endswith("weight"))


@checked
def weight_decay(params, grads, decay):
    """The gradient of the cost with the penalty in it: each weight is also pulled towards 0, in proportion to its size.

    params {}, grads {}, decay () -> {}
    """
    return {name: g + decay * params[name] if name.endswith("weight") else g for name, g in grads.items()}


@checked
def dropout(x, p, noise):
    """The activations with some of them, chosen by chance, switched off; the others are scaled up by 1 / (1 - p).

    x (...), p (), noise (...) -> (...)

    `noise` holds uniform numbers of 0..1, fresh for each batch: an activation is dropped where its noise is below p.
    Thanks to the factor the mean stays what it is without dropout, so prediction uses the plain network. Raises
    ValueError for p outside 0..1.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p is {p}, expected 0..1")
    return np.where(noise < p, 0, x / (1 - p if p < 1 else 1))


@checked
def move(images, angle, down, right):
    """Each image turned about its middle by its own angle, then moved: another picture of the same thing.

    images (b, rows, cols), angle (b), down (b), right (b) -> (b, rows, cols)

    Angles in radians, anticlockwise; distances in pixels, fractions too. A new pixel is the bilinear mean of the four
    old pixels around the place where it comes from; outside the image there is paper, 0.
    """
    (b, rows, cols), (cos, sin) = images.shape, (np.cos(angle)[:, None, None], np.sin(angle)[:, None, None])
    y = np.arange(rows)[:, None] - (rows - 1) / 2 - down[:, None, None]  # from the middle, before the move
    x = np.arange(cols) - (cols - 1) / 2 - right[:, None, None]
    above = _nearness(cos * y + sin * x + (rows - 1) / 2, rows).astype(images.dtype)  # turned back: clockwise
    beside = _nearness(cos * x - sin * y + (cols - 1) / 2, cols).astype(images.dtype)
    along = np.reshape(above, (b, rows * cols, rows)) @ images  # (b, new pixels, cols)
    return np.sum(np.reshape(along, (b, rows, cols, cols)) * beside, axis=-1)


def _nearness(place, n):
    """(..., n): the share of each old row or column, 1 where the place is on it, 0 from a distance of one pixel on."""
    return np.maximum(1 - np.abs(np.expand_dims(place, -1) - np.arange(n)), 0)
