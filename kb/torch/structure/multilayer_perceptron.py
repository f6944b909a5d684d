"""Torch twin of `kb.structure.multilayer_perceptron`: the same names and arguments; runs where its tensors live."""

from itertools import pairwise

import torch
from torch import nn

from kb.shapes import checked
from kb.structure import multilayer_perceptron as kb_mlp
from kb.torch.structure.activation_functions import identity, sigmoid
from kb.torch.structure.forward_pass import forward

WITHOUT_A_TWIN = {
    "weights_per_layer": "counts; there is no array in it",
    "biases_per_layer": "counts; there is no array in it",
    "count_parameters": "counts; there is no array in it",
}


class MLP(nn.Sequential):
    """The network as torch writes it, with the names of `init_mlp`: load_state_dict takes those weights."""

    def __init__(self, *sizes):
        super().__init__(*[part for n, m in pairwise(sizes) for part in (nn.Linear(n, m), nn.Sigmoid())])

    def __getitem__(self, index):
        return nn.Sequential(*self)[index]  # a part of the network, such as [:-1], is a plain Sequential


def init_mlp(sizes, rng, scheme="xavier", dtype="float32"):
    """The very numbers that kb draws from the same NumPy generator, as tensors on the CPU."""
    return {name: torch.from_numpy(array) for name, array in kb_mlp.init_mlp(sizes, rng, scheme, dtype).items()}


@checked
def mlp(params, x):
    """The activations of the last layer: ten scores in 0..1.

    params {}, x (..., n) -> (..., m)
    """
    return forward(params, x, sigmoid)


@checked
def mlp_logits(params, x):
    """The same network before its last sigmoid.

    params {}, x (..., n) -> (..., m)
    """
    return forward(params, x, sigmoid, identity)


@checked
def predict(params, x):
    """The digit with the highest score.

    params {}, x (..., n) -> (...)
    """
    return mlp_logits(params, x).argmax(-1)


@checked
def reliability_diagram(confidence, correct, bins=10):
    """Per bin of confidence: (mean confidence, accuracy, count).

    confidence (b), correct (b) -> (k), (k), (k)
    """
    if not torch.all((confidence >= 0) & (confidence <= 1)):
        raise ValueError("reliability_diagram: confidence must lie in 0..1")
    index = (torch.ceil(confidence * bins) - 1).clamp(0, bins - 1).long()

    def total(values):
        return confidence.new_zeros(bins).index_add(0, index, values.to(confidence.dtype))

    count = total(torch.ones_like(confidence))
    some = count.clamp(min=1)
    return total(confidence) / some, total(correct) / some, count


@checked
def expected_calibration_error(confidence, correct, bins=10):
    """The gap between confidence and accuracy, averaged over the answers.

    confidence (b), correct (b) -> ()
    """
    mean_confidence, accuracy, count = reliability_diagram(confidence, correct, bins)
    return count / len(confidence) @ (accuracy - mean_confidence).abs()
