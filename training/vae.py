"""Trains the small variational autoencoder that comes with the project: `python -m training.vae`, about four minutes.

Plain NumPy through kb.autograd, on the digits interpolated to 16 x 16 pixels. What it learns to make smaller by a
factor of four is drawn again by latent diffusion. The held-out digits judge it twice: how far the image that comes back
is from the one that went in, and whether the project's classifier still reads it.
"""

import json
import time
from dataclasses import asdict, replace

import numpy as np

from kb.autograd.tensor import value_and_grad
from kb.checkpoints.safetensors import save_file
from kb.checkpoints.shipped import FOLDER, digits_cnn
from kb.checkpoints.vae_config import DOWN, UP
from kb.data import digits
from kb.data.progress import progress
from kb.generation.variational_autoencoder import VAE, VAEConfig, elbo_parts, init_vae
from kb.learning.optimizers import Adam, clip_grad_norm, warmup_cosine
from kb.learning.stochastic_gradient_descent import minibatches
from kb.structure.convolutional_network import cnn_logits

WEIGHTS = FOLDER / "digits_vae.safetensors"
SIZE, SEED = 16, 0
CONFIG = VAEConfig(
    in_channels=1,
    out_channels=1,
    down_block_types=(DOWN,) * 3,
    up_block_types=(UP,) * 3,
    block_out_channels=(16, 24, 24),
    norm_num_groups=8,
    sample_size=SIZE,
)
EPOCHS, BATCH_SIZE, LR, WARMUP_STEPS, MAX_NORM = 30, 32, 3e-3, 50, 1.0
STD = 0.2  # of the decoder's normal distribution; the pixels go from -1 to 1


# ---- the images --------------------------------------------------------------------------------------------------
def load():
    """The digits as images (n, 1, 16, 16) from -1, paper, to 1, ink, with labels: (x, labels) to train on, held out."""
    parts = digits.split(digits.load_digits(), seed=SEED)
    return [(2 * digits.resize(part.images, SIZE)[:, None] - 1, part.labels) for part in parts]


def as_recorded(x):
    """The 8 x 8 image, from 0 to 1, whose enlargement comes closest to this one, as the classifier wants it.

    (n, 1, 16, 16) -> (n, 1, 8, 8): the enlargement is one matrix for rows and columns; this is its pseudo-inverse.
    """
    rows = digits.resize(np.eye(8)[:, :, None].repeat(8, axis=2), SIZE)[:, :, 0].T  # (16, 8)
    back = np.linalg.pinv(rows).astype(x.dtype)
    return np.clip(back @ ((x + 1) / 2) @ back.T, 0, 1)


def accuracy(x, labels):
    """Which share of these images the classifier reads as the digit that they show."""
    return float(np.mean(cnn_logits(digits_cnn(), as_recorded(x)).argmax(axis=1) == labels))


# ---- the run -----------------------------------------------------------------------------------------------------
def loss(params, x, noise, config):
    """Minus the ELBO, in nats per pixel."""
    likelihood, divergence = elbo_parts(params, x, noise, config, STD)
    return np.mean(divergence - likelihood) / x[0].size


def train(x, epochs=EPOCHS, config=CONFIG):
    """The trained weights and the loss of each step."""
    rng, losses = np.random.default_rng(SEED), []
    params = init_vae(config, rng)
    optimizer, latent = Adam(params), (config.latent_channels, SIZE // config.factor, SIZE // config.factor)
    batches = [batch for _ in range(epochs) for batch in minibatches(len(x), BATCH_SIZE, rng)]
    for i, batch in enumerate(progress(batches, label="vae")):
        noise = rng.standard_normal((len(batch), *latent)).astype(x.dtype)
        value, grads = value_and_grad(loss)(params, x[batch], noise, config)
        optimizer.lr = warmup_cosine(i, len(batches), min(WARMUP_STEPS, len(batches) // 10 + 1), LR)
        params = optimizer.step(clip_grad_norm(grads, MAX_NORM)[0])
        losses.append(float(value))
    return params, losses


def judged(vae, x, labels):
    """What the held-out digits say: squared error per pixel, the two parts of the ELBO, and the classifier's share."""
    mean, _ = vae.encode(x)
    noise = np.random.default_rng(SEED).standard_normal(mean.shape).astype(x.dtype)
    likelihood, divergence = elbo_parts(vae.params, x, noise, vae.config, STD)
    back = vae.decode(mean)
    return {
        "squared_error": round(float(np.mean((back - x) ** 2)), 5),
        "variance": round(float(np.mean((x - x.mean(axis=0)) ** 2)), 5),
        "log_likelihood": round(float(likelihood.mean()), 2),
        "kl": round(float(divergence.mean()), 2),
        "accuracy": round(accuracy(back, labels), 4),
        "accuracy_of_the_originals": round(accuracy(x, labels), 4),
    }


def main():
    """Trains, reports and writes WEIGHTS."""
    (x, _), held_out = load()
    start = time.perf_counter()
    params, losses = train(x)
    seconds = time.perf_counter() - start
    mean, logvar = VAE(CONFIG, params).encode(x)
    deviation = float(np.sqrt(np.mean(np.exp(logvar)) + np.var(mean)))
    vae = VAE(replace(CONFIG, scaling_factor=round(1 / deviation, 4)), params)
    facts = {"seed": SEED, "epochs": EPOCHS, "steps": len(losses), "std": STD, "held_out": judged(vae, *held_out)}
    print(f"{sum(p.size for p in params.values()):,} parameters, {len(losses):,} steps in {seconds:.0f} s")
    print(f"loss {losses[0]:.3f} -> {np.mean(losses[-45:]):.3f} nats per pixel; {facts}; latent std {deviation:.4f}")
    save(vae, facts)


def save(vae, facts):
    """Writes the weights, with what they are and how they were made."""
    metadata = {
        "title": "small variational autoencoder, trained on the UCI digits interpolated to 16 x 16",
        "made_by": "python -m training.vae",
        "config": json.dumps(asdict(vae.config)),
        "facts": json.dumps(facts),
    }
    save_file(vae.params, WEIGHTS, metadata)
    print(f"{WEIGHTS.name}: {WEIGHTS.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
