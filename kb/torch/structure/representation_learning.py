"""Torch twin of `kb.structure.representation_learning`: the same names and arguments; runs where its tensors live."""

import torch

from kb.shapes import checked
from kb.structure.forward_pass import layer_names


@checked
def mean_activations(activations, labels, num_classes):
    """What each neuron says to the examples of each class, on average.

    activations (b, m), labels (b) -> (v, m)
    """
    member = torch.nn.functional.one_hot(labels, num_classes).to(activations.dtype)
    if torch.any(member.sum(0) == 0):
        raise ValueError(f"mean_activations: labels has no example of class {int(member.sum(0).argmin())}")
    return member.T @ activations / member.sum(0).unsqueeze(-1)


@checked
def separation(activations, yes):
    """How well one neuron tells two groups apart: how often it says more to a member than to a non-member.

    activations (b, m), yes (b) -> (m)
    """
    members, others = activations[yes], activations[~yes]
    if len(members) == 0 or len(others) == 0:
        raise ValueError(f"separation: yes has {len(members)} members and {len(others)} others, expected some of both")
    return (1 + torch.sign(members.unsqueeze(1) - others).mean((0, 1))) / 2


@checked
def visible_part(weight, images):
    """What is left of each neuron's weights when the part that is perpendicular to all images is taken out.

    weight (m, n), images (b, n) -> (m, n)
    """
    _, sizes, directions = torch.linalg.svd(images, full_matrices=False)
    basis = directions[sizes > sizes[0] * max(images.shape) * torch.finfo(images.dtype).eps]
    return weight @ basis.T @ basis


@checked
def hold(params, layer, neuron, value):
    """The network with one hidden neuron held at `value`, whatever the input.

    params {} -> {}
    """
    names = layer_names(params)
    if not 0 < layer < len(names):
        raise ValueError(f"hold: layer is {layer}, expected a hidden layer, 1..{len(names) - 1}")
    weight, bias = params[f"{names[layer]}.weight"], params[f"{names[layer]}.bias"]
    if not 0 <= neuron < weight.shape[1]:
        raise ValueError(f"hold: neuron is {neuron}, expected 0..{weight.shape[1] - 1}")
    others = torch.arange(weight.shape[1], device=weight.device) != neuron
    return {
        **params,
        f"{names[layer]}.weight": weight * others,
        f"{names[layer]}.bias": bias + value * weight[:, neuron],
    }
