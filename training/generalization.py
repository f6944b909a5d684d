"""Measures overfitting and what helps against it, on small parts of the digits: `python -m training.generalization`.

Twenty times, each time with another draw: 100 digits to learn from, 300 to choose by, 1,397 to judge with, and a
64-64-10 network. With right labels, and with 30 % of the training labels dealt out anew. Each remedy is tried in a few
strengths; the validation digits choose one, and only that one meets the test digits. Besides, a larger network learns
1,437 digits with their true labels and with shuffled ones. The results go into training/generalization.json.
"""

import functools
import json
from pathlib import Path

import numpy as np

from kb.autograd.tensor import value_and_grad
from kb.data.digits import load_digits, split
from kb.data.progress import progress
from kb.learning.cost_function import cross_entropy
from kb.learning.generalization import (
    dropout,
    early_stopping,
    move,
    random_labels,
    train_validation_test,
    weight_decay,
)
from kb.learning.gradient_descent import step
from kb.learning.stochastic_gradient_descent import minibatches
from kb.structure.activation_functions import identity, relu
from kb.structure.forward_pass import forward
from kb.structure.layers import linear
from kb.structure.multilayer_perceptron import init_mlp

PATH = Path(__file__).with_name("generalization.json")
TRAIN, VALIDATION, TEST = 100, 300, 1397
HIDDEN, LR, EPOCHS, BATCH_SIZE, PATIENCE, DRAWS = 64, 0.3, 200, 25, 20, 20
NOISE = {"right labels": 0.0, "30 % random labels": 0.3}
REMEDIES = {  # per remedy the strengths that the validation digits may choose from
    "nothing": [{}],
    "weight decay": [{"decay": decay} for decay in (0.01, 0.03)],
    "dropout": [{"dropped": rates} for rates in ((0.0, 0.5), (0.2, 0.5))],  # of the pixels, of the hidden neurons
    "augmentation": [{"moved": most} for most in ((0.1, 0.7), (0.2, 1.0))],  # radians, pixels
    "all three": [{"decay": 0.01, "dropped": (0.0, 0.5), "moved": (0.1, 0.7)}],
}
WIDTHS = 2, 4, 8, 16, 64, 256, 1024


# ---- one network -------------------------------------------------------------------------------------------------
def logits(params, x):
    """The scores of the network as it predicts."""
    return forward(params, x, relu, identity)


def logits_with_dropout(params, x, rates, rng):
    """Its scores in training: a share of the pixels and a share of the hidden neurons is switched off."""
    x = dropout(x, rates[0], rng.random(x.shape))
    h = relu(linear(x, params["0.weight"], params["0.bias"]))
    h = dropout(h, rates[1], rng.random(h.shape))
    return linear(h, params["2.weight"], params["2.bias"])


def shaken(x, most, rng):
    """Each image of a batch turned and moved at random: by at most so many radians, and so many pixels."""
    angle, down, right = rng.uniform(-1, 1, (3, len(x))) * np.array([[most[0]], [most[1]], [most[1]]])
    return move(x.reshape(-1, 8, 8), angle, down, right).reshape(-1, 64)


def accuracy(params, x, labels):
    """The share of digits that are recognised."""
    return float(np.mean(logits(params, x).argmax(axis=1) == labels))


def epoch(params, x, labels, rng, decay=0.0, dropped=None, moved=None, batch_size=BATCH_SIZE):
    """The weights after one pass over the training digits."""
    for batch in minibatches(len(x), batch_size, rng):
        seen = shaken(x[batch], moved, rng) if moved else x[batch]

        def cost(p, seen=seen, target=labels[batch]):
            return cross_entropy(logits_with_dropout(p, seen, dropped, rng) if dropped else logits(p, seen), target)

        _, grads = value_and_grad(cost)(params)
        params = step(params, weight_decay(params, grads, decay), LR)
    return params


# ---- one draw ----------------------------------------------------------------------------------------------------
def draw(seed, noise):
    """((x, labels) to learn from, to choose by, to judge with) and the generator that goes on from there."""
    digits, rng = load_digits(), np.random.default_rng(seed)
    x = digits.images.reshape(-1, 64)
    learn, choose, judge = train_validation_test(len(x), VALIDATION, TEST, rng)
    training = x[learn], random_labels(digits.labels[learn], noise, rng)
    return training, (x[choose], digits.labels[choose]), (x[judge], digits.labels[judge]), rng


def fit(seed, noise, hidden=HIDDEN, epochs=EPOCHS, **remedy):
    """What one training run came to: its losses after each pass, its accuracies at the end and at the stop."""
    training, validation, test, rng = draw(seed, noise)
    params = init_mlp((64, hidden, 10), rng, "he")
    curves, kept, stop = [], params, False
    for i in range(epochs):
        params = epoch(params, *training, rng, **remedy)
        curves.append([float(cross_entropy(logits(params, x), y)) for x, y in (training, validation)])
        if not stop:
            best, stop = early_stopping([loss for _, loss in curves], PATIENCE)
            kept = params if best == i else kept
    return {
        "curves": curves,
        "best": best + 1,
        "stopped": accuracy(kept, *test),
        "train": accuracy(params, *training),
        "validation": accuracy(params, *validation),
        "test": accuracy(params, *test),
    }


def remedies(seed, noise):
    """{remedy: (training accuracy, test accuracy)} for one draw, and the losses of the run without any.

    For early stopping, which is that same run cut short, the pass at which it is best stands for the training accuracy.
    """
    found, runs = {}, {name: [fit(seed, noise, **way) for way in ways] for name, ways in REMEDIES.items()}
    for name, tried in runs.items():
        chosen = max(tried, key=lambda run: run["validation"])
        found[name] = chosen["train"], chosen["test"]
    plain = runs["nothing"][0]
    found["early stopping"] = plain["best"], plain["stopped"]
    return found, plain["curves"]


# ---- labels by heart ---------------------------------------------------------------------------------------------
def by_heart(share, epochs=250, hidden=256, seed=0):
    """Accuracy after each epoch on 1,437 training digits, a share of them mislabelled, and on 360 held-out."""
    train, held_out = split(load_digits(), seed=0)
    rng = np.random.default_rng(seed)
    x, labels = train.images.reshape(-1, 64), random_labels(train.labels, share, rng)
    params, curve = init_mlp((64, hidden, 10), rng, "he"), []
    for _ in range(epochs):
        params = epoch(params, x, labels, rng, batch_size=32)
        curve.append((accuracy(params, x, labels), accuracy(params, held_out.images.reshape(-1, 64), held_out.labels)))
    return curve


# ---- all of it ---------------------------------------------------------------------------------------------------
def main():
    """Runs everything and writes PATH: about three minutes."""
    record: dict = {"remedies": {}, "curves": {}, "by_heart": {}, "widths": {}}
    for name, noise in NOISE.items():
        runs = [remedies(seed, noise) for seed in progress(range(DRAWS), label=name)]
        record["remedies"][name] = {key: [found[key] for found, _ in runs] for key in runs[0][0]}
        losses = np.array([curves for _, curves in runs])  # (draws, passes, 2)
        record["curves"][name] = [losses.mean(axis=0), losses.min(axis=0), losses.max(axis=0)]
    for name, share in {"true labels": 0.0, "random labels": 1.0}.items():
        record["by_heart"][name] = by_heart(share)
    for width in progress(WIDTHS, label="widths"):
        runs = [fit(seed, 0.0, width) for seed in range(5)]
        record["widths"][width] = [(run["train"], run["test"]) for run in runs]
    PATH.write_text(json.dumps(rounded(record)) + "\n", encoding="utf-8")


def rounded(value):
    """The same nest of dicts and lists with numbers of four decimals."""
    if isinstance(value, dict):
        return {str(key): rounded(entry) for key, entry in value.items()}
    return [rounded(entry) for entry in value] if np.ndim(value) else round(float(value), 4)


# ---- reading it --------------------------------------------------------------------------------------------------
@functools.cache
def read():
    """What was recorded."""
    return json.loads(PATH.read_text(encoding="utf-8"))


def accuracies(labels, remedy, part="test"):
    """The accuracies of the twenty draws, on the "train" or the "test" digits."""
    return np.array(read()["remedies"][labels][remedy])[:, ("train", "test").index(part)]


def gain(labels, remedy):
    """How much better than nothing: the mean over the draws, and its standard error (of the paired differences)."""
    difference = accuracies(labels, remedy) - accuracies(labels, "nothing")
    return difference.mean(), difference.std(ddof=1) / np.sqrt(len(difference))


def learned(labels, part):
    """The accuracy after 250 passes over "true labels" or "random labels", on "training" or "held-out" digits."""
    return read()["by_heart"][labels][-1][("training", "held-out").index(part)]


def by_width(width, part="test"):
    """The mean accuracy of five networks with so many hidden neurons, on the "train" or the "test" digits."""
    return np.mean(read()["widths"][str(width)], axis=0)[("train", "test").index(part)]


if __name__ == "__main__":
    main()
