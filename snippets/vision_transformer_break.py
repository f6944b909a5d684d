"""Without positions a vision transformer sees a bag of patches: shuffled, it is the same image to it."""

import numpy as np

from kb.checkpoints.shipped import digits_vit
from kb.data.digits import load_digits, split
from kb.generation.vision_transformer import patchify, vit_logits

model, digits = digits_vit(), split(load_digits())[1]
name = "embeddings.position_embeddings"
blind = {**model.params, name: 0 * model.params[name]}


def shuffled(images, order):  # the 16 patches of each image in another order
    squares = patchify(images, 2)[:, order].reshape(-1, 4, 4, 2, 2)
    return np.moveaxis(squares, 3, 2).reshape(-1, 1, 8, 8)


images = digits.images[:, None]
mixed = shuffled(images, np.random.default_rng(0).permutation(16))
for label, params in (("with positions", model.params), ("without", blind)):
    a, b = vit_logits(params, images, model.config), vit_logits(params, mixed, model.config)
    right = [np.mean(scores.argmax(-1) == digits.labels).round(2) for scores in (a, b)]
    print(f"{label}: right {right[0]}, shuffled {right[1]}, same scores: {np.allclose(a, b, atol=1e-4)}")
    #> with positions: right 0.93, shuffled 0.15, same scores: False
    #> without: right 0.12, shuffled 0.12, same scores: True
