"""What skip connections are worth: `python -m training.unet_skips` trains one small U-Net with them and one without.

Both predict the noise in digits of 16 x 16 pixels and get the same start, images, noise and number of steps. In the
second, zeros are joined on where the first finds what its way down kept, so both have the same parameters. What is
measured on held-out digits goes into training/unet_skips.json.
"""

import json
import time
from pathlib import Path

import numpy as np

from figures.unet_walk import walk
from kb.autograd.tensor import value_and_grad
from kb.data.progress import progress
from kb.generation.denoising_objective import to_x0
from kb.generation.forward_diffusion import add_noise, alphas_cumprod, make_betas
from kb.generation.unet import UNetConfig, count_parameters, init_unet
from kb.learning.optimizers import Adam, clip_grad_norm, warmup_cosine
from training.vae import load

PATH = Path(__file__).with_name("unet_skips.json")
CONFIG = UNetConfig(
    sample_size=16,
    in_channels=1,
    out_channels=1,
    down_block_types=("DownBlock2D",) * 3,
    mid_block_type="UNetMidBlock2D",
    up_block_types=("UpBlock2D",) * 3,
    block_out_channels=(16, 32, 32),
    layers_per_block=1,
    norm_num_groups=8,
)
ABAR = alphas_cumprod(make_betas())
SEED, STEPS, BATCH_SIZE, LR, WARMUP_STEPS, MAX_NORM = 0, 800, 32, 2e-3, 50, 1.0
LEVELS = (20, 100, 200, 300, 400, 500, 600, 700, 800, 900)
SHOWN = 300  # the level at which images are kept to look at


def loss(params, x, t, noise, skip):
    """The mean squared error of the predicted noise."""
    error = walk(params, add_noise(x, noise, t, ABAR), t, None, CONFIG, skip=skip).prediction - noise
    return np.mean(error * error)


def train(x, skip, steps=STEPS, planned=STEPS):
    """The weights after so many steps, and the loss of each."""
    rng, losses = np.random.default_rng(SEED), []
    params = init_unet(CONFIG, rng)
    optimizer, gradients = Adam(params), value_and_grad(loss)
    for i in progress(range(steps), label="with skips" if skip else "without"):
        batch = x[rng.integers(0, len(x), BATCH_SIZE)]
        noise = rng.standard_normal(batch.shape).astype(np.float32)
        value, grads = gradients(params, batch, rng.integers(0, len(ABAR), BATCH_SIZE), noise, skip)
        optimizer.lr = warmup_cosine(i, planned, WARMUP_STEPS, LR)
        params = optimizer.step(clip_grad_norm(grads, MAX_NORM)[0])
        losses.append(float(value))
    return params, losses


def by_level(params, x, skip):
    """The loss on these images at each of LEVELS, with the same noise for every network."""
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((len(LEVELS), *x.shape)).astype(np.float32)
    levels = [np.full(len(x), t) for t in LEVELS]
    return [round(float(loss(params, x, t, e, skip)), 4) for t, e in zip(levels, noise, strict=True)]


def noisy(x):
    """These images at the level SHOWN."""
    return add_noise(x, np.random.default_rng(2).standard_normal(x.shape).astype(np.float32), SHOWN, ABAR)


def denoised(params, x, skip):
    """What a network takes for the clean images, given `noisy` ones."""
    prediction = walk(params, noisy(x), SHOWN, None, CONFIG, skip=skip).prediction
    return to_x0(prediction, noisy(x), SHOWN, ABAR)


def met(params, x):
    """What one image (1, 1, 16, 16) meets on its way: [step, its shape, its liveliest channel scaled to -99..99]."""
    found = []
    for name, result in walk(params, x, SHOWN, None, CONFIG).steps:
        channel = max(result[0], key=lambda c: float(c.std()))
        channel = channel - channel.mean()
        found.append([name, list(result.shape[1:]), np.rint(99 * channel / np.abs(channel).max()).astype(int).tolist()])
    return found


def measure(weights):
    """What is recorded of the two networks, {name: their weights}."""
    held_out, labels = load()[1]
    few = held_out[[int(np.flatnonzero(labels == digit)[1]) for digit in (2, 3, 5, 8)]]
    skips = {"with": 1.0, "without": 0.0}
    pictures = {"clean": few, "noisy": noisy(few)}
    pictures |= {name: denoised(weights[name], few, skip) for name, skip in skips.items()}
    return {
        "parameters": count_parameters(CONFIG),
        "steps": STEPS,
        "levels": LEVELS,
        **{name: by_level(weights[name], held_out, skip) for name, skip in skips.items()},
        "cut": by_level(weights["with"], held_out, 0.0),  # trained with skips, which are then taken away
        "met": met(weights["with"], noisy(few)[2:3]),
        "pictures": {
            name: np.rint(np.clip(99 * p[:, 0], -150, 150)).astype(int).tolist() for name, p in pictures.items()
        },
    }


def main():
    """Trains both, measures, and writes the file."""
    x, weights, losses = load()[0][0], {}, {}
    for name, skip in (("with", 1.0), ("without", 0.0)):
        start = time.perf_counter()
        weights[name], losses[name] = train(x, skip)
        print(name, f"{time.perf_counter() - start:.0f} s, {np.mean(losses[name][-100:]):.4f}")
    facts = measure(weights) | {"first_losses": {name: [round(v, 5) for v in losses[name][:2]] for name in losses}}
    PATH.write_text(json.dumps(facts) + "\n", encoding="utf-8")
    print({name: facts[name] for name in ("with", "without", "cut")})


if __name__ == "__main__":
    main()
