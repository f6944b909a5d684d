"""Trains a small vision transformer on the digits of 8 x 8 pixels, in NumPy, and the same one without positions.

python -m training.vision_transformer      writes kb/data/weights/digits_vit.safetensors
"""

import functools
import json
import time
from dataclasses import asdict

import numpy as np

from kb.autograd.tensor import value_and_grad
from kb.checkpoints.safetensors import save_file
from kb.checkpoints.shipped import FOLDER
from kb.data.digits import load_digits, split
from kb.generation.vision_transformer import ViTConfig, init_vit, vit_logits
from kb.learning.cost_function import cross_entropy
from kb.learning.optimizers import AdamW

CONFIG = ViTConfig(8, 2, 1, 32, 2, 4, 64, num_labels=10)
STEPS, BATCH, SEED = 600, 64, 0
POSITIONS = "embeddings.position_embeddings"


@functools.cache
def data():
    """The digits to train on and those held out, as (images, labels) with an axis for the channel."""
    return [(part.images[:, None], part.labels) for part in split(load_digits())]


def loss(params, images, labels):
    return cross_entropy(vit_logits(params, images, CONFIG), labels)


def train(steps=STEPS, positions=True, seed=SEED):
    """The weights after so many steps of AdamW, the step size falling to 0, and the loss at each step."""
    rng = np.random.default_rng(seed)
    (images, labels), _ = data()
    params, keep = init_vit(CONFIG, rng), 1 if positions else 0
    optimizer = AdamW({**params, POSITIONS: keep * params[POSITIONS]}, weight_decay=0.0)
    losses = []
    for step in range(steps):
        rows = rng.integers(0, len(labels), BATCH)
        value, grads = value_and_grad(loss)(optimizer.params, images[rows], labels[rows])
        optimizer.lr = 0.008 * min(1, (step + 1) / 50) * (1 - step / STEPS)
        optimizer.step({**grads, POSITIONS: keep * grads[POSITIONS]})
        losses.append(float(value))
    return optimizer.params, losses


def accuracy(params):
    """The share of held-out digits that are read rightly."""
    _, (images, labels) = data()
    return float(np.mean(vit_logits(params, images, CONFIG).argmax(-1) == labels))


def main():
    start = time.perf_counter()
    params, losses = train()
    seconds = time.perf_counter() - start
    blind, _ = train(positions=False)
    facts = {
        "config": asdict(CONFIG),
        "seed": SEED,
        "steps": STEPS,
        "seconds": round(seconds),
        "accuracy": accuracy(params),
        "accuracy_without_positions": accuracy(blind),
        "losses": [round(value, 4) for value in losses[:3]],
    }
    print(facts)
    metadata = {name: json.dumps(value) for name, value in facts.items()}
    save_file(params, FOLDER / "digits_vit.safetensors", metadata)


if __name__ == "__main__":
    main()
