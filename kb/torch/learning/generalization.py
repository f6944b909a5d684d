"""Torch twin of `kb.learning.generalization`: the same names and arguments; runs where its tensors live."""

import numpy as np
import torch
from torch.nn import functional as F

from kb.shapes import checked

WITHOUT_A_TWIN = {
    "train_validation_test": "deals out numbers; torch uses NumPy's, so that both see the same parts",
    "standard_error": "there is no array in it",
    "early_stopping": "compares a few losses, whatever computed them",
}


@checked
def random_labels(labels, share, rng):
    """The labels with a share of them dealt out anew among themselves, the same as kb's for the same NumPy generator.

    labels (n), share () -> (n)
    """
    if not 0 <= share <= 1:
        raise ValueError(f"random_labels: share is {share}, expected 0..1")
    source, chosen = np.arange(len(labels)), rng.permutation(len(labels))[: round(share * len(labels))]
    source[chosen] = rng.permutation(chosen)
    return labels[torch.from_numpy(source).to(labels.device)]


@checked
def weight_penalty(params, decay):
    """What weight decay adds to the cost: decay / 2 times the sum of the squares of all weights.

    params {}, decay () -> ()
    """
    return decay / 2 * sum(value.square().sum() for name, value in params.items() if name.endswith("weight"))


@checked
def weight_decay(params, grads, decay):
    """The gradient of the cost with the penalty in it. torch.optim.SGD(weight_decay=...) does this to biases too.

    params {}, grads {}, decay () -> {}
    """
    return {name: g + decay * params[name] if name.endswith("weight") else g for name, g in grads.items()}


@checked
def dropout(x, p, noise):
    """The activations with some of them switched off and the others scaled up; F.dropout draws its own noise.

    x (...), p (), noise (...) -> (...)
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p is {p}, expected 0..1")
    return (x / (1 - p if p < 1 else 1)).masked_fill(noise < p, 0)


@checked
def move(images, angle, down, right):
    """Each image turned about its middle by its own angle, then moved.

    images (b, rows, cols), angle (b), down (b), right (b) -> (b, rows, cols)
    """
    _, rows, cols = images.shape
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    y = torch.arange(rows, device=images.device)[:, None] - (rows - 1) / 2 - down[:, None, None]
    x = torch.arange(cols, device=images.device) - (cols - 1) / 2 - right[:, None, None]
    # grid_sample wants places as -1..1 from the outer edge of the first pixel to that of the last
    grid = torch.stack([(cos * x - sin * y) * (2 / cols), (cos * y + sin * x) * (2 / rows)], -1).to(images.dtype)
    return F.grid_sample(images[:, None], grid, padding_mode="zeros", align_corners=False)[:, 0]
