"""Trains a noise predictor that hears which digit is asked for: `python -m training.classifier_free_guidance`.

The network of kb.generation.classifier_free_guidance, on the digits of 8 x 8 pixels with grey values from -1 to 1; a
tenth of the labels is replaced by the empty prompt. Beside it, for a quarter of the steps, the same network with and
without that dropout. Then digits are drawn for each of many guidance scales and judged; the results go into
training/classifier_free_guidance.json.
"""

import functools
import json
import time
from pathlib import Path

import numpy as np

from kb.autograd.tensor import value_and_grad
from kb.checkpoints.safetensors import save_file
from kb.checkpoints.shipped import digits_cnn, digits_guided
from kb.data import digits
from kb.data.progress import progress
from kb.generation.classifier_free_guidance import (
    clipped_model,
    conditional_mlp,
    drop_prompts,
    guided_model,
    init_conditional_mlp,
)
from kb.generation.denoising_objective import denoising_loss
from kb.generation.forward_diffusion import alphas_cumprod, make_betas
from kb.generation.reverse_diffusion import generate, timesteps
from kb.learning.optimizers import Adam
from kb.structure.convolutional_network import cnn_logits

PATH = digits.PATH.parent / "weights" / "digits_guided.safetensors"
RECORD = Path(__file__).with_name("classifier_free_guidance.json")
SEED, STEPS, BATCH, LR, DROPOUT = 0, 10000, 128, 2e-3, 0.1
SHORT_STEPS = 2500
EMPTY, PER_CLASS, DDIM_STEPS = 10, 60, 25
SCALES = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0, 12.5, 15.0]
BETAS = make_betas()


def load():
    """Flat digits (n, 64) from -1 to 1 with labels: (x, labels) to train on, (x, labels) held out."""
    parts = digits.split(digits.load_digits(), seed=SEED)
    return [(part.images.reshape(-1, 64) * 2 - 1, part.labels) for part in parts]


def loss(params, x, noise, t, labels):
    """The mean squared error of the named noise."""
    return denoising_loss(lambda xt, t: conditional_mlp(params, xt, t, labels), x, noise, t, alphas_cumprod(BETAS))


def fit(dropout=DROPOUT, steps=STEPS, label=""):
    """The trained weights and the loss of each step; the learning rate falls in a straight line to 0."""
    (x, labels), _ = load()
    rng = np.random.default_rng(SEED)
    params, gradients, losses = init_conditional_mlp(rng), value_and_grad(loss), []
    optimizer = Adam(params, LR)
    for i in progress(range(steps), label=label):
        optimizer.lr = LR * (1 - i / steps)
        pick, t = rng.integers(0, len(x), BATCH), rng.integers(0, len(BETAS), BATCH)
        noise = rng.standard_normal((BATCH, 64)).astype(np.float32)
        asked = drop_prompts(labels[pick], EMPTY, rng.random(BATCH), dropout)
        value, grads = gradients(params, x[pick], noise, t, asked)
        params = optimizer.step(grads)
        losses.append(float(value))
    return params, np.array(losses)


def draw(params, scale, labels, empty=EMPTY, rescale=0.0, clip=True, seed=SEED):
    """One digit for each label, as pixels from -1 to 1 (without `clip` beyond): (n, 64). Equal noise for all scales."""
    x = np.random.default_rng(seed).standard_normal((len(labels), 64)).astype(np.float32)
    model = functools.partial(conditional_mlp, params)
    answer = guided_model(model, labels, np.full_like(labels, empty), scale, rescale)
    answer = clipped_model(answer, alphas_cumprod(BETAS)) if clip else answer
    return generate(answer, x, timesteps(len(BETAS), DDIM_STEPS, "trailing"), BETAS)


def read_by_cnn(x):
    """What the shipped convolutional network takes (n, 64) for."""
    images = np.clip(x / 2 + 0.5, 0, 1).reshape(-1, 1, 8, 8)
    return cnn_logits(digits_cnn(), images).argmax(axis=1)


def distances(x, y):
    """Euclidean distances of all pairs: (n, m)."""
    squares = np.sum(x * x, axis=1)[:, None] + np.sum(y * y, axis=1) - 2 * (x @ y.T)
    return np.sqrt(np.maximum(squares, 0))


def judge(x, labels):
    """What guidance is said to change, measured on samples (n, 64) and the labels that were asked for.

    accuracy: read by the network as what was asked for; neighbour: the same by the nearest of the held-out digits,
    which neither the network nor this one has seen; variance: of the pixels within a class, summed, in grey values
    from 0 to 1; apart: how far the nearest other sample of the class is; hard: the share of pixels that are pure
    paper or pure ink, within 0.02.
    """
    _, (real, real_labels) = load()
    shown = np.clip(x / 2 + 0.5, 0, 1)
    nearest = real_labels[distances(shown, real / 2 + 0.5).argmin(axis=1)]
    classes = [shown[labels == digit] for digit in np.unique(labels)]
    apart = [np.min(distances(c, c) + 1e9 * np.eye(len(c), dtype=c.dtype), axis=1).mean() for c in classes]
    return {
        "accuracy": float(np.mean(read_by_cnn(x) == labels)),
        "neighbour": float(np.mean(nearest == labels)),
        "variance": float(np.mean([c.var(axis=0).sum() for c in classes])),
        "apart": float(np.mean(apart)),
        "hard": float(np.mean((shown < 0.02) | (shown > 0.98))),
    }


def sweep(params, per_class=PER_CLASS, scales=SCALES, **options):
    """The measurements for each scale: name -> list."""
    labels = np.repeat(np.arange(10), per_class)
    rows = [judge(draw(params, s, labels, **options), labels) for s in scales]
    return {name: [round(row[name], 5) for row in rows] for name in rows[0]}


def avoided(params, scale=3.0, per_class=PER_CLASS):
    """The share of each digit among samples without a prompt, and with that digit as the negative prompt: two lists."""
    empty = np.full(10 * per_class, EMPTY)
    plain = read_by_cnn(draw(params, 1.0, empty))
    kept = [read_by_cnn(draw(params, scale, empty[:per_class], digit)) for digit in range(10)]
    return [[float(np.mean(x == d)) for d, x in enumerate(one)] for one in ([plain] * 10, kept)]


@functools.cache
def read():
    """The record."""
    return json.loads(RECORD.read_text(encoding="utf-8"))


def at(name, scale, run="guided"):
    """One measurement of the record."""
    return read()[run][name][read()["scales"].index(scale)]


def train():
    """Trains the network and writes its weights, rounded to float16."""
    start = time.perf_counter()
    params, losses = fit(label="guided")
    metadata = {
        "title": "class-conditional noise predictor for the UCI digits of 8 x 8 pixels, with prompt dropout",
        "made_by": "python -m training.classifier_free_guidance",
        "training": f"{STEPS} steps of Adam, batch {BATCH}, learning rate {LR} falling to 0, dropout {DROPOUT}",
        "seed": str(SEED),
    }
    save_file({name: value.astype(np.float16) for name, value in params.items()}, PATH, metadata)
    seconds = time.perf_counter() - start
    print(f"{PATH.name}: {PATH.stat().st_size:,} bytes, {seconds:.0f} s, loss {losses[-500:].mean():.3f}")


def measure():
    """Draws with the shipped weights, judges and writes the record."""
    params = digits_guided()
    undropped, _ = fit(dropout=0.0, steps=SHORT_STEPS, label="without dropout")
    short, _ = fit(steps=SHORT_STEPS, label="with dropout")
    record = {
        "scales": SCALES,
        "parameters": sum(p.size for p in params.values()),
        "real": judge(*load()[1]),
        "guided": sweep(params),
        "unclipped": sweep(params, PER_CLASS // 3, clip=False),
        "rescaled": sweep(params, PER_CLASS // 3, clip=False, rescale=0.7),
        "undropped": sweep(undropped, PER_CLASS // 3),
        "short": sweep(short, PER_CLASS // 3),
        "avoided": avoided(params),
    }
    RECORD.write_text(json.dumps(record), encoding="utf-8")
    for run in ("guided", "unclipped", "rescaled", "undropped", "short"):
        print(run, "accuracy", record[run]["accuracy"])


if __name__ == "__main__":
    train()
    measure()
