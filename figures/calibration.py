"""How far the digit network's confidence can be trusted: as it is, with a softmax head, and on digits out of place."""

import functools

import numpy as np

from figures.initialisation import SIZES, digits
from kb.checkpoints.shipped import digits_mlp
from kb.foundations.softmax import softmax
from kb.learning.backpropagation import cross_entropy_gradients
from kb.learning.stochastic_gradient_descent import train
from kb.structure.multilayer_perceptron import expected_calibration_error, init_mlp, mlp, mlp_logits


@functools.cache
def softmax_head(epochs=40):
    """The same network with a softmax instead of its last sigmoid, trained with cross-entropy."""
    (x, labels), _ = digits()
    rng = np.random.default_rng(0)
    return train(cross_entropy_gradients, init_mlp(SIZES, rng), x, labels, 0.5, epochs, 32, rng)[0]


@functools.cache
def scores(head="sigmoid", pixels=0):
    """The ten scores for every held-out digit, or for each moved so many pixels to the right, and to the left."""
    x, _ = digits()[1]
    if pixels:
        x = np.concatenate([moved(x, pixels), moved(x, -pixels)])
    return mlp(digits_mlp(), x) if head == "sigmoid" else softmax(mlp_logits(softmax_head(), x))


def moved(x, right):
    """Rows of 784 pixels as images that are moved to the right; paper comes in from the left."""
    wide = np.pad(x.reshape(-1, 28, 28), [(0, 0), (0, 0), (abs(right), abs(right))])
    return wide[:, :, abs(right) - right :][:, :, :28].reshape(-1, 784)


def answers(head="sigmoid", pixels=0):
    """For each digit the confidence, which is the largest score, and whether the answer is right."""
    given, labels = scores(head, pixels), digits()[1][1]
    return given.max(axis=1), given.argmax(axis=1) == np.tile(labels, len(given) // len(labels))


def right_among(sure, threshold=0.9):
    """The share of right answers among those with more confidence than the threshold, or else among the others."""
    confidence, right = answers()
    return np.mean(right[(confidence > threshold) == sure])


def calibration_error(head="sigmoid", pixels=0):
    """The expected calibration error in ten bins."""
    return expected_calibration_error(*answers(head, pixels))


@functools.cache
def error_of_a_perfect_one(draws=1000):
    """What a network with these confidences would measure on so few digits if every one of them were exactly true.

    The mean over many draws of right and wrong, and the value that one draw in twenty exceeds.
    """
    confidence, rng = answers()[0], np.random.default_rng(0)
    found = [expected_calibration_error(confidence, rng.random(len(confidence)) < confidence) for _ in range(draws)]
    return np.mean(found), np.quantile(found, 0.95)


def example(index=313):
    """One held-out digit: its pixels, its label, and its ten scores from both heads."""
    x, labels = digits()[1]
    return x[index].reshape(28, 28), labels[index], scores()[index], scores("softmax")[index]
