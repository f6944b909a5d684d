"""Trains a small network to name the noise in points of the plane: `python -m training.denoiser`.

The points are those of figures/three_islands.py, where the best possible answer is known: the network is measured
against it. The file goes into kb/data/weights; the same machine makes the same file again.
"""

import time

import numpy as np

from figures.three_islands import ABAR, exact, islands
from kb.autograd.tensor import value_and_grad
from kb.checkpoints.safetensors import save_file
from kb.data import digits
from kb.data.progress import progress
from kb.generation.denoising_objective import denoising_loss
from kb.learning.optimizers import Adam
from kb.structure.activation_functions import identity, silu
from kb.structure.forward_pass import forward
from kb.structure.multilayer_perceptron import init_mlp

SIZES = 5, 64, 64, 2  # two coordinates and three numbers that tell the level
SEED, LR, STEPS, BATCH_SIZE = 0, 4e-3, 4000, 256
PATH = digits.PATH.parent / "weights" / "islands_denoiser.safetensors"


def level_features(t):
    """Three numbers that tell the network which level it sees: sqrt(abar), sqrt(1 - abar), and t / T."""
    return np.stack([np.sqrt(ABAR[t]), np.sqrt(1 - ABAR[t]), (t + 1) / len(ABAR)], axis=-1).astype(np.float32)


def denoiser(params, x, t):
    """The network's answer to the points x (n, 2) at level t, one integer or an array (n): the noise in each."""
    level = np.broadcast_to(level_features(t), (len(x), 3))
    return forward(params, np.concatenate([x, level], axis=1), silu, identity)


def cost(params, x0, noise, t):
    """The denoising objective."""
    return denoising_loss(lambda x, level: denoiser(params, x, level), x0, noise, t, ABAR)


def fit(steps=STEPS, planned=STEPS, label=""):
    """The trained weights and the loss of each step; the learning rate falls along a cosine over `planned` steps."""
    rng, losses = np.random.default_rng(SEED), []
    params = init_mlp(SIZES, rng, "he")
    optimizer, gradients = Adam(params, LR), value_and_grad(cost)
    for k in progress(range(steps), label=label):
        x0 = islands(BATCH_SIZE, rng).astype(np.float32)
        noise = rng.standard_normal(x0.shape).astype(np.float32)
        loss, grads = gradients(optimizer.params, x0, noise, rng.integers(0, len(ABAR), BATCH_SIZE))
        optimizer.lr = LR * 0.5 * (1 + np.cos(np.pi * k / planned))
        optimizer.step(grads)
        losses.append(loss)
    return optimizer.params, np.array(losses)


def losses(model, n=4000, seed=1):
    """The loss of a network on fresh points, averaged over 20 levels: it meets the same points as any other."""
    rng, found = np.random.default_rng(seed), []
    for t in range(24, len(ABAR), 50):
        found.append(float(denoising_loss(model, islands(n, rng), rng.standard_normal((n, 2)), t, ABAR)))
    return float(np.mean(found))


def main():
    """Trains, reports and writes the file."""
    start = time.perf_counter()
    params, losses_of_steps = fit(label="denoiser")
    facts = {
        "seed": str(SEED),
        "steps": str(STEPS),
        "at_step_50": f"{losses_of_steps[50]:.5f}",
        "loss": f"{losses(lambda x, t: denoiser(params, x, t)):.4f}",
        "exact": f"{losses(exact):.4f}",
    }
    save_file(params, PATH, facts)
    print(facts, f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
