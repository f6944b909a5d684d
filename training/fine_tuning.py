"""Teaches a network that reads upright digits to read tilted ones: `python -m training.fine_tuning`.

The network is the dense one that comes with the project. It sees 30 digits tilted by 30 degrees, once with all of its
weights free to move, and with LoRA at several ranks; a network with random weights sees them too. Of three learning
rates 60 other tilted digits choose the best. Measured is how many tilted digits it then reads, of 360 that nobody saw,
and how many of the same digits upright, which is what it forgets. Ten draws; the means go into
training/fine_tuning.json. It takes about half a minute of one core.
"""

import functools
import json
import math
from pathlib import Path

import numpy as np

from kb.architecture.fine_tuning import count_lora, init_lora, low_rank_share, merge
from kb.autograd.tensor import value_and_grad
from kb.checkpoints.shipped import digits_dense
from kb.data.digits import load_digits, split
from kb.data.progress import progress
from kb.learning.cost_function import cross_entropy
from kb.learning.generalization import move
from kb.learning.optimizers import AdamW, warmup_cosine
from kb.learning.stochastic_gradient_descent import minibatches
from kb.structure.activation_functions import identity, relu
from kb.structure.forward_pass import forward
from kb.structure.multilayer_perceptron import init_mlp

PATH = Path(__file__).with_name("fine_tuning.json")
TRAINING, VALIDATION, DRAWS, ANGLE = 30, 60, 10, math.radians(30)
STEPS, WARMUP_STEPS, BATCH_SIZE, EVERY = 150, 8, 15, 15
RANKS = 1, 2, 4, 8
WHOLE = 3e-3, 1e-2, 3e-2
RATES = {"nothing": WHOLE, "full": WHOLE, "slow": WHOLE[:1], "lora": (1e-2, 3e-2, 1e-1)}
SIZES, MATRICES = (64, 50, 10), ("0.weight", "2.weight")


# ---- the task ----------------------------------------------------------------------------------------------------
def tilted(images):
    """The images (b, rows, cols), turned by 30 degrees."""
    still = np.zeros(len(images), images.dtype)
    return move(images, still + np.asarray(ANGLE, images.dtype), still, still)


@functools.cache
def digits(held_out):
    """The digits as images and labels: those that the network learned from, or those held out."""
    part = split(load_digits(), seed=0)[int(held_out)]
    return part.images, part.labels


@functools.cache
def held_out():
    """The rows of the held-out digits tilted, and upright."""
    images, _ = digits(True)
    return tilted(images).reshape(-1, 64), images.reshape(-1, 64)


def draw(seed):
    """(tilted rows, labels) to train on, and to choose the learning rate by."""
    images, labels = digits(False)
    chosen = np.random.default_rng(seed).permutation(len(labels))[: TRAINING + VALIDATION]
    x, y = tilted(images[chosen]).reshape(-1, 64), labels[chosen]
    return (x[:TRAINING], y[:TRAINING]), (x[TRAINING:], y[TRAINING:])


def logits(params, x):
    """The scores of the network."""
    return forward(params, x, relu, identity)


def accuracy(params, x, labels):
    """The share of digits that are read rightly."""
    return float(np.mean(logits(params, x).argmax(axis=1) == labels))


def both(params):
    """The accuracy on the held-out digits tilted, and upright."""
    _, labels = digits(True)
    return [accuracy(params, x, labels) for x in held_out()]


# ---- the ways to train -------------------------------------------------------------------------------------------
def start(way, seed):
    """What is trained, and how the network's weights are made of it: everything, or updates of a rank."""
    params = digits_dense()
    if isinstance(way, str):
        first = init_mlp(SIZES, np.random.default_rng(seed), "he") if way == "nothing" else params
        return first, lambda trained: trained
    return init_lora(params, MATRICES, way, np.random.default_rng(seed)), lambda trained: merge(params, trained)


def fit(way, rate, seed=0, steps=STEPS):
    """The weights after so many steps, and on the way (step, accuracy tilted, accuracy upright)."""
    (trained, weights), (x, y) = start(way, seed), draw(seed)[0]
    optimizer, rng = AdamW(trained, weight_decay=0.0), np.random.default_rng(seed)
    cost = value_and_grad(lambda trained, x, y: cross_entropy(logits(weights(trained), x), y))
    batches = [batch for _ in range(steps) for batch in minibatches(TRAINING, BATCH_SIZE, rng)][:steps]
    curve = [(0, *both(weights(trained)))]
    for t, batch in enumerate(batches):
        _, grads = cost(trained, x[batch], y[batch])
        optimizer.lr = warmup_cosine(t, steps, min(WARMUP_STEPS, steps - 1), rate)
        trained = optimizer.step(grads)
        if (t + 1) % EVERY == 0 or t + 1 == steps:
            curve.append((t + 1, *both(weights(trained))))
    return weights(trained), curve


def best(way, seed):
    """The run with the learning rate that the validation digits choose: rate, weights, curve."""
    runs = [(rate, *fit(way, rate, seed)) for rate in RATES[way if isinstance(way, str) else "lora"]]
    return max(runs, key=lambda run: accuracy(run[1], *draw(seed)[1]))


# ---- all of it ---------------------------------------------------------------------------------------------------
def main():
    """Runs everything and writes PATH."""
    params, record = digits_dense(), {"curve": {}, "end": {}, "rate": {}, "share": []}
    for way in progress(("nothing", "full", "slow", *RANKS), label="ways"):
        runs = [best(way, seed) for seed in range(DRAWS)]
        record["curve"][str(way)] = np.round(np.mean([curve for _, _, curve in runs], axis=0), 4).tolist()
        record["end"][str(way)] = np.round([curve[-1][1:] for _, _, curve in runs], 4).tolist()
        record["rate"][str(way)] = [rate for rate, _, _ in runs]
        if way == "full":
            updates = [weights["0.weight"] - params["0.weight"] for _, weights, _ in runs]
            shares = [[float(low_rank_share(update, rank)) for rank in range(1, 51)] for update in updates]
            record["share"] = np.round(np.mean(shares, axis=0), 4).tolist()
        print(way, record["curve"][str(way)][-1], record["rate"][str(way)], flush=True)
    PATH.write_text(json.dumps(record) + "\n", encoding="utf-8")


# ---- reading it --------------------------------------------------------------------------------------------------
@functools.cache
def read():
    """What was recorded."""
    return json.loads(PATH.read_text(encoding="utf-8"))


def curve(way):
    """(step, accuracy on tilted digits, accuracy on upright ones), means of the draws.

    way: "full", "nothing" (from random weights), "slow" ("full" with the smallest of its rates), or a rank.
    """
    return np.array(read()["curve"][str(way)])


def reached(way, upright=False):
    """The mean accuracy at the end; for "base" that before it."""
    return curve("full" if way == "base" else way)[0 if way == "base" else -1, 2 if upright else 1]


def ends(way):
    """(accuracy on tilted digits, accuracy on upright ones) of each draw."""
    return np.array(read()["end"][str(way)])


def trainable(way):
    """How many numbers were trained."""
    params = digits_dense()
    if isinstance(way, str):
        return sum(p.size for p in params.values())
    return count_lora([params[name].shape for name in MATRICES], way)


def share(rank):
    """How much of the first layer's update in full fine-tuning a matrix of this rank could have done."""
    return read()["share"][rank - 1]


def usual_rate(way):
    """The learning rate that was chosen most often."""
    rates = read()["rate"][str(way)]
    return max(sorted(set(rates)), key=rates.count)


if __name__ == "__main__":
    main()
