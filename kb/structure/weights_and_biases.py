"""Weights and biases: the numbers that training changes, and how many of them each kind of network keeps.

A weight says how much one input counts, for or against. The bias says how much evidence is enough. In the drawing of a
network there is one weight per arc and one bias per neuron; where the same small set of neurons is used again and again
(at every place of an image, at every step of a text) many arcs share one weight.

Source: the parameter counts are those of torch.nn.Linear, Conv2d, RNN and TransformerEncoderLayer,
https://docs.pytorch.org/docs/stable/nn.html
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kb.shapes import checked
from kb.structure.neuron import pre_activation


# ---- what a weight says ------------------------------------------------------------------------------------------
@checked
def evidence(x, weight):
    """What each input brings to the sum: its weight times its value, positive for and negative against.

    x (..., n), weight (n) -> (..., n)
    """
    return x * weight


@checked
def for_and_against(x, weight):
    """All the evidence for (at least 0) and all the evidence against (at most 0); with the bias they make z.

    x (..., n), weight (n) -> (...), (...)
    """
    each = evidence(x, weight)
    return np.sum(np.maximum(each, 0), axis=-1), np.sum(np.minimum(each, 0), axis=-1)


@checked
def favourite_input(weight):
    """Of all inputs between 0 and 1 the one that the neuron answers to most: 1 where the weight is positive, else 0.

    weight (..., n) -> (..., n)
    """
    return np.heaviside(weight, 0.0)


@checked
def pattern_detector(x, y):
    """Weights and bias of a neuron that tells two groups of examples apart, without any training.

    x (b, n), y (b) -> (n), ()

    `y` is True for the examples to be found. The weights are the mean of these minus the mean of the others; the bias
    puts z = 0 halfway between the two means, so z > 0 says that the input is closer to the mean of the first.
    Raises ValueError when y is not True or False, or when one of the groups is empty.
    """
    found = int(y.sum())
    if "bool" not in str(y.dtype) or found in (0, len(y)):
        raise ValueError(f"pattern_detector: y holds {y.dtype} and {found} of {len(y)}: it needs True and False, both")
    yes, no = np.mean(x[y], axis=0), np.mean(x[~y], axis=0)
    weight = yes - no
    return weight, -pre_activation((yes + no) / 2, weight, 0)


# ---- how many there are ------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Count:
    """What the drawing of a network shows, its arcs, and what its file holds for them: weights and biases."""

    arcs: int
    weights: int
    biases: int

    @property
    def parameters(self):
        """All that training can change."""
        return self.weights + self.biases

    @property
    def uses(self):
        """How many arcs share one weight, on average; 1 where each arc has its own."""
        return self.arcs / self.weights

    def __add__(self, other):
        return Count(self.arcs + other.arcs, self.weights + other.weights, self.biases + other.biases)


def count_dense(n, m, positions=1, bias=True):
    """m neurons that read the same n inputs; the same neurons again at each of `positions` (the tokens of a text)."""
    return Count(n * m * positions, n * m, m if bias else 0)


def count_mlp(*sizes, bias=True):
    """Dense layers one after the other: one weight per arc, one bias per neuron."""
    return _total(count_dense(n, m, bias=bias) for n, m in pairwise(sizes))


def count_convolution(channels, filters, kernel_size, positions, bias=True):
    """Filters of kernel_size x kernel_size pixels over all channels, at each of `positions` places of the image.

    One bias per filter, not per place. Arcs that read the padding around the image are counted as well.
    """
    return count_dense(channels * kernel_size * kernel_size, filters, positions, bias)


def count_recurrent(n, m, steps, gates=1, bias=True):
    """m neurons that read n inputs and their own m last activations, at each step of a sequence.

    `gates` is 4 for an LSTM and 3 for a GRU. One bias per neuron and gate: torch's modules keep two, one beside each
    matrix, and so hold twice as many.
    """
    return count_dense(n + m, gates * m, steps, bias)


def count_transformer_block(width, positions, hidden=None, gated=False, bias=True):
    """One block: queries, keys, values and output; two feed-forward layers, or three where gated; two norms.

    `hidden` is the feed-forward width, 4 * width if not given. A norm has one gain per number (an arc that connects the
    number with itself) and one bias. The attention pattern is not counted: it is computed, not kept.
    """
    hidden = 4 * width if hidden is None else hidden
    projections = [count_dense(width, width, positions, bias)] * 4
    inward = [count_dense(width, hidden, positions, bias)] * (2 if gated else 1)
    norms = [Count(width * positions, width, width if bias else 0)] * 2
    return _total([*projections, *inward, count_dense(hidden, width, positions, bias), *norms])


def _total(counts):
    return sum(counts, Count(0, 0, 0))
