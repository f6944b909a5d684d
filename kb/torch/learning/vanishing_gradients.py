"""Torch twin of `kb.learning.vanishing_gradients`: the gradients are torch's own; runs where its tensors live."""

import torch
from torch.nn import functional as F

from kb.shapes import checked
from kb.structure.forward_pass import layer_names

WITHOUT_A_TWIN = {"layers_until": "counts; there is no array in it"}


@checked
def gain(slope, weight):
    """How many times as long a layer makes the error on its way back, on average over all directions of the error.

    slope (..., m), weight (m, n) -> (...)
    """
    return (slope * weight.norm(dim=-1)).square().mean(-1).sqrt()


@checked
def gradient_norms(params, x, target, activation, slope):
    """How long the error is in front of each layer of a classifier, and how long the gradient of the layer's weights.

    params {}, x (b, n), target (b) -> (l), (l)

    torch differentiates the activation itself: `slope` is not used.
    """
    names = layer_names(params)
    leaves = {name: value.detach().requires_grad_() for name, value in params.items()}
    fronts, a = [], x.detach().requires_grad_()
    for name in names:
        fronts.append(a)
        z = F.linear(a, leaves[f"{name}.weight"], leaves.get(f"{name}.bias"))
        a = activation(z)
    wanted = [*fronts, *(leaves[f"{name}.weight"] for name in names)]
    norms = torch.stack([g.norm() for g in torch.autograd.grad(F.cross_entropy(z, target), wanted)])
    return norms[: len(names)], norms[len(names) :]
