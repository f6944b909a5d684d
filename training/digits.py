"""Trains the series' network on the digits that come with the project: `python -m training.digits`.

Twice, from the same start and with the same mini-batches: once through the backward pass that was derived by hand, once
through kb's computation graph. The first network is what kb ships; the same machine makes the same file again.
"""

import time

import numpy as np

from kb.autograd.tensor import value_and_grad
from kb.checkpoints.safetensors import save_file
from kb.data import digits
from kb.data.progress import progress
from kb.learning.backpropagation import squared_error_gradients
from kb.learning.cost_function import cost
from kb.learning.stochastic_gradient_descent import train
from kb.structure.multilayer_perceptron import count_parameters, init_mlp, mlp, predict

SIZES = 784, 16, 16, 10
SEED, LR, EPOCHS, BATCH_SIZE = 0, 0.5, 200, 32
PATH = digits.PATH.parent / "weights" / "digits_mlp.safetensors"


def load():
    """The digits of MNIST's size as rows of 784 pixels, with labels: (x, labels) to train on, (x, labels) held out."""
    parts = digits.split(digits.load_digits(28), seed=SEED)
    return [(part.images.reshape(len(part), -1), part.labels) for part in parts]


def fit(gradients, x, labels, label="", epochs=EPOCHS):
    """The trained weights and the cost of each step. `gradients(params, x, y)` gives a batch's cost and gradient."""
    rng = np.random.default_rng(SEED)
    params, y = init_mlp(SIZES, rng), np.eye(10, dtype=x.dtype)[labels]
    return train(gradients, params, x, y, LR, epochs, BATCH_SIZE, rng, lambda steps: progress(steps, label=label))


def graph_gradients(params, x, y):
    """What squared_error_gradients gives, found by kb's computation graph instead of by hand."""
    return value_and_grad(lambda params: cost(mlp(params, x), y))(params)


def accuracy(params, x, labels):
    """How many of the digits are recognised, as a share."""
    return float(np.mean(predict(params, x) == labels))


def main():
    """Trains, reports and writes PATH."""
    (x, labels), held_out = load()
    trained = []
    for label, gradients in (("by hand          ", squared_error_gradients), ("computation graph", graph_gradients)):
        start = time.perf_counter()
        params, costs = fit(gradients, x, labels, label)
        trained.append(params)
        print(
            f"{label}  {len(costs):,} steps in {time.perf_counter() - start:.1f} s, cost {costs[:45].mean():.3f} ->"
            f" {costs[-45:].mean():.3f}, {accuracy(params, *held_out):.2%} of {len(held_out[1])} held-out digits right"
        )
    apart = max(float(abs(trained[0][name] - trained[1][name]).max()) for name in trained[0])
    print(f"largest difference between the {count_parameters(*SIZES):,} parameters of the two: {apart:.1e}")
    save(trained[0], accuracy(trained[0], *held_out))


def save(params, held_out_accuracy, path=PATH):
    """Writes the weights, with what they are and how they were made."""
    path.parent.mkdir(exist_ok=True)
    metadata = {
        "title": "784-16-16-10 sigmoid network, squared error, trained on the UCI digits interpolated to 28 x 28",
        "made_by": "python -m training.digits",
        "sizes": " ".join(map(str, SIZES)),
        "seed": str(SEED),
        "training": f"{EPOCHS} epochs of mini-batch SGD, batch size {BATCH_SIZE}, learning rate {LR}, Xavier start",
        "held_out_accuracy": f"{held_out_accuracy:.4f}",
    }
    save_file(params, path, metadata)
    print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
