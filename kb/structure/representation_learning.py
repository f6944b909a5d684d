"""What the hidden neurons of a trained network have come to respond to: instruments for a look inside.

Source: Szegedy et al. 2014, "Intriguing properties of neural networks", section 3 (what a single unit means),
https://arxiv.org/abs/1312.6199; Mann and Whitney 1947 (the statistic of `separation`),
https://doi.org/10.1214/aoms/1177730491
"""

import numpy as np

from kb.shapes import checked
from kb.structure.forward_pass import layer_names


@checked
def mean_activations(activations, labels, num_classes):
    """What each neuron says to the examples of each class, on average.

    activations (b, m), labels (b) -> (v, m)

    A neuron that detects one class is high in one row only. Raises ValueError for a class without an example.
    """
    member = labels == np.expand_dims(np.arange(num_classes), -1)  # (v, b)
    counts = np.sum(member, axis=1, keepdims=True)
    if np.any(counts == 0):
        raise ValueError(f"mean_activations: labels has no example of class {int(np.argmin(counts))}")
    return (member.astype(activations.dtype) @ activations) / counts.astype(activations.dtype)


@checked
def separation(activations, yes):
    """How well one neuron tells two groups apart: how often it says more to a member than to a non-member.

    activations (b, m), yes (b) -> (m)

    1/2 is chance, 1 is perfect, 0 is perfect with the sign turned; ties count half. Also known as the area under the
    ROC curve. `yes` is True for members. Raises ValueError when one of the groups is empty.
    """
    members, others = activations[yes], activations[~yes]
    if len(members) == 0 or len(others) == 0:
        raise ValueError(f"separation: yes has {len(members)} members and {len(others)} others, expected some of both")
    order = np.sign(np.expand_dims(members, 1) - others)  # (members, others, m): +1, 0 or -1 for each pair
    return (1 + np.mean(order, axis=(0, 1))) / 2


@checked
def visible_part(weight, images):
    """What is left of each neuron's weights when the part that is perpendicular to all images is taken out.

    weight (m, n), images (b, n) -> (m, n)

    On these images, and on all mixtures of them, it computes the same sums. Training can change nothing else: each
    gradient of a weight row is a mixture of the images.
    """
    _, sizes, directions = np.linalg.svd(images, full_matrices=False)
    smallest = sizes[0] * max(images.shape) * np.finfo(images.dtype).eps  # what rounding alone can make
    basis = directions[sizes > smallest]
    return (weight @ basis.T) @ basis


@checked
def hold(params, layer, neuron, value):
    """The network with one hidden neuron held at `value`, whatever the input: what it knew is lost to the others.

    params {} -> {}

    Hidden layers are counted from 1, as in forward_all. The next layer's weights for it become 0, and its bias takes
    over what they contributed. Raises ValueError when there is no such hidden neuron.
    """
    names = layer_names(params)
    if not 0 < layer < len(names):
        raise ValueError(f"hold: layer is {layer}, expected a hidden layer, 1..{len(names) - 1}")
    weight, bias = params[f"{names[layer]}.weight"], params[f"{names[layer]}.bias"]
    if not 0 <= neuron < weight.shape[1]:
        raise ValueError(f"hold: neuron is {neuron}, expected 0..{weight.shape[1] - 1}")
    others = (np.arange(weight.shape[1]) != neuron).astype(weight.dtype)
    return {
        **params,
        f"{names[layer]}.weight": weight * others,
        f"{names[layer]}.bias": bias + value * weight[:, neuron],
    }
