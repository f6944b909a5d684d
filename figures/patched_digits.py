"""What the small vision transformer does with digits that were held out from its training."""

import functools

import numpy as np

from kb.checkpoints.shipped import digits_cnn, digits_cnn_facts, digits_vit, digits_vit_facts
from kb.data.digits import load_digits, split
from kb.generation.vision_transformer import vit_logits, vit_patterns

WEIGHTS_OF_THE_CNN = sum(array.size for array in digits_cnn().values())
POSITIONS = "embeddings.position_embeddings"


@functools.cache
def held_out():
    """The images (360, 1, 8, 8) and labels (360) that it was not trained on."""
    digits = split(load_digits())[1]
    return digits.images[:, None], digits.labels


def accuracy(positions=True):
    """The share of held-out digits read rightly; without positions, with their vectors set to 0."""
    model, (images, labels) = digits_vit(), held_out()
    params = {**model.params, POSITIONS: (1 if positions else 0) * model.params[POSITIONS]}
    return float(np.mean(vit_logits(params, images, model.config).argmax(-1) == labels))


def accuracies():
    """By name: this model, the others that it is compared with."""
    return {
        "vision transformer": accuracy(),
        "trained without positions": digits_vit_facts()["accuracy_without_positions"],
        "positions set to 0 afterwards": accuracy(positions=False),
        "convolutional network": float(digits_cnn_facts()["held_out_accuracy"]),
    }


@functools.cache
def looks():
    """The weight (360, 16) that the class token gives to each patch in the last block, mean over the heads."""
    model = digits_vit()
    return np.mean(vit_patterns(model.params, held_out()[0], model.config)[-1], axis=1)[:, 0, 1:]
