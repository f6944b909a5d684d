"""Torch twin of `kb.structure.weights_and_biases`: the same names and arguments; runs where its tensors live."""

import torch

from kb.shapes import checked

COUNTS = ("count_dense", "count_mlp", "count_convolution", "count_recurrent", "count_transformer_block")
WITHOUT_A_TWIN = dict.fromkeys(COUNTS, "counts; there is no array in it")


@checked
def evidence(x, weight):
    """What each input brings to the sum.

    x (..., n), weight (n) -> (..., n)
    """
    return x * weight


@checked
def for_and_against(x, weight):
    """All the evidence for and all the evidence against.

    x (..., n), weight (n) -> (...), (...)
    """
    each = x * weight
    return each.clamp(min=0).sum(-1), each.clamp(max=0).sum(-1)


@checked
def favourite_input(weight):
    """The input between 0 and 1 that the neuron answers to most.

    weight (..., n) -> (..., n)
    """
    return torch.heaviside(weight, weight.new_zeros(()))


@checked
def pattern_detector(x, y):
    """Weights and bias of a neuron that tells two groups of examples apart, without any training.

    x (b, n), y (b) -> (n), ()
    """
    found = int(y.sum())
    if y.dtype != torch.bool or found in (0, len(y)):
        raise ValueError(f"pattern_detector: y holds {y.dtype} and {found} of {len(y)}: it needs True and False, both")
    yes, no = x[y].mean(0), x[~y].mean(0)
    weight = yes - no
    return weight, -((yes + no) / 2) @ weight
