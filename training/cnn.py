"""Trains a small convolutional network on the digits that come with the project: `python -m training.cnn`.

Beside it, with the same data, cost and steps, a dense network of about as many parameters, so that the two can be
compared. In each epoch every digit is moved by up to a pixel in each direction, at random. Both networks go into
kb/data/weights; the same machine makes the same files again.
"""

import time

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kb.autograd.tensor import value_and_grad
from kb.checkpoints.safetensors import save_file
from kb.data import digits
from kb.data.progress import progress
from kb.learning.cost_function import cross_entropy
from kb.learning.gradient_descent import step
from kb.learning.stochastic_gradient_descent import minibatches
from kb.structure.activation_functions import identity, relu
from kb.structure.convolutional_network import cnn_logits, init_cnn
from kb.structure.forward_pass import forward
from kb.structure.multilayer_perceptron import init_mlp

DENSE_SIZES = 64, 50, 10
SEED, LR, EPOCHS, BATCH_SIZE = 0, 0.2, 80, 32
FOLDER = digits.PATH.parent / "weights"
PATH, DENSE_PATH = FOLDER / "digits_cnn.safetensors", FOLDER / "digits_dense.safetensors"


def load():
    """The digits as images (n, 1, 8, 8) with labels: (x, labels) to train on, (x, labels) held out."""
    parts = digits.split(digits.load_digits(), seed=SEED)
    return [(part.images[:, None], part.labels) for part in parts]


def dense_logits(params, x):
    """The scores of the dense network, which does not know that its 64 inputs are an image."""
    return forward(params, x.reshape(len(x), 64), relu, identity)


def moved(x, rng, paper=0):
    """Each image (n, 1, rows, cols) moved by -1, 0 or 1 pixels down and to the right, at random; paper comes in."""
    padded = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)], constant_values=paper)
    places = sliding_window_view(padded, x.shape[2:], axis=(2, 3))  # (n, 1, 3, 3, rows, cols)
    down, right = rng.integers(0, 3, (2, len(x)))
    return places[np.arange(len(x)), :, down, right]


def cost_of(logits):
    """The cost of a network with these scores, as a function of its weights."""
    return lambda params, x, labels: cross_entropy(logits(params, x), labels)


def fit(logits, params, x, labels, label="", epochs=EPOCHS):
    """The trained weights and the cost of each step; the learning rate falls in a straight line to 0."""
    rng, costs = np.random.default_rng(SEED), []
    gradients = value_and_grad(cost_of(logits))
    for epoch in progress(range(epochs), label=label):
        images = moved(x, rng)
        for batch in minibatches(len(x), BATCH_SIZE, rng):
            value, grads = gradients(params, images[batch], labels[batch])
            params = step(params, grads, LR * (1 - epoch / epochs))
            costs.append(value)
    return params, np.array(costs)


def accuracy(logits, params, x, labels):
    """How many of the digits are recognised, as a share."""
    return float(np.mean(logits(params, x).argmax(axis=1) == labels))


def main():
    """Trains, reports and writes both files."""
    (x, labels), held_out = load()
    plans = [
        ("convolutional", cnn_logits, init_cnn(np.random.default_rng(SEED)), PATH),
        ("dense", dense_logits, init_mlp(DENSE_SIZES, np.random.default_rng(SEED), "he"), DENSE_PATH),
    ]
    for name, logits, params, path in plans:
        start = time.perf_counter()
        params, costs = fit(logits, params, x, labels, name)
        share = accuracy(logits, params, *held_out)
        print(
            f"{name}: {sum(p.size for p in params.values()):,} parameters, {len(costs):,} steps in"
            f" {time.perf_counter() - start:.1f} s, cost {costs[:45].mean():.3f} -> {costs[-45:].mean():.3f},"
            f" {share:.2%} of {len(held_out[1])} held-out digits right"
        )
        save(params, name, share, path)


def save(params, name, held_out_accuracy, path):
    """Writes the weights, with what they are and how they were made."""
    path.parent.mkdir(exist_ok=True)
    metadata = {
        "title": f"small {name} network, cross-entropy, trained on the UCI digits of 8 x 8 pixels, moved at random",
        "made_by": "python -m training.cnn",
        "seed": str(SEED),
        "training": f"{EPOCHS} epochs of SGD, batch size {BATCH_SIZE}, learning rate {LR} falling to 0, He start",
        "held_out_accuracy": f"{held_out_accuracy:.4f}",
    }
    save_file(params, path, metadata)
    print(f"{path.relative_to(digits.PATH.parents[2])}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
