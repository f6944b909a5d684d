"""Torch twin of `kb.learning.chain_rule`: the same names and arguments; runs where its tensors live."""

import torch

from kb.shapes import checked

WITHOUT_A_TWIN = {
    "paths": "walks path by path, to be looked at; torch.autograd adds the paths up",
    "count_paths": "counts; there is no array in it",
}


@checked
def neuron_factors(sender, weight, bias, y, activation, slope):
    """The three factors of dC/dw for one neuron: how active its sender, how responsive it is, how wrong it is.

    sender (...), weight (...), bias (...), y (...) -> (...), (...), (...)
    """
    z = torch.addcmul(bias, weight, sender)
    return sender.expand_as(z), slope(z), 2 * (activation(z) - y)


@checked
def chain_factors(x, weight, bias, y, activation, slope):
    """The three factors for every weight of a network with one neuron per layer, from the first layer to the last.

    x (), weight (l), bias (l), y () -> (l), (l), (l)
    """
    senders, slopes = [], []
    for w, b in zip(weight, bias, strict=True):
        z = torch.addcmul(b, w, x)
        senders.append(x)
        slopes.append(slope(z))
        x = activation(z)
    responsive = torch.stack(slopes)
    steps = torch.cat([2 * (x - y)[None], (responsive * weight)[1:].flip(0)])  # dC/da, then da/da_before, going back
    return torch.stack(senders), responsive, steps.cumprod(0).flip(0)


@checked
def layer_jacobian(slope, weight):
    """How each neuron of a layer answers to each of its senders: entry (i, j) is da_i / da_before_j = phi'(z_i) W_ij.

    slope (..., m), weight (m, n) -> (..., m, n)
    """
    return slope.unsqueeze(-1) * weight
