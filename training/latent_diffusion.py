"""What the decoder cannot draw, and what a wrong scale of the codes costs: `python -m training.latent_diffusion`.

Limits: for held-out digits the best code there is, found by gradient descent through the shipped decoder. Scale: codes
made larger or smaller than standard deviation 1, and drawn again from noise by a perfect network that knows them, so
that only the schedule is to blame. The results go into training/latent_diffusion.json.
"""

import json
import time
from pathlib import Path

import numpy as np

from kb.autograd.tensor import value_and_grad
from kb.checkpoints.shipped import digits_vae
from kb.data.progress import progress
from kb.generation.denoising_objective import mixture_epsilon
from kb.generation.forward_diffusion import alphas_cumprod, make_betas
from kb.generation.latent_diffusion import draw_latent
from kb.generation.reverse_diffusion import generate, timesteps
from kb.generation.variational_autoencoder import decode
from kb.learning.optimizers import Adam
from training.vae import load

PATH = Path(__file__).with_name("latent_diffusion.json")
BETAS = make_betas("scaled_linear", 1000, 0.00085, 0.012)  # Stable Diffusion's
IMAGES, SEARCH_STEPS, LR = 64, 400, 0.03
SCALES, CODES, STARTS, STEPS, WIDTH = (0.03, 0.18215, 1.0, 5.49, 20.0), 360, 200, 20, 0.15


# ---- what the decoder can draw -----------------------------------------------------------------------------------
def squared_error(codes, x, vae):
    """Of the decoded codes, {"z": (b, 4, 4, 4)}, per pixel."""
    error = decode(vae.params, codes["z"], vae.config) - x
    return np.mean(error * error)


def best_codes(x, vae, steps=SEARCH_STEPS):
    """The error of the encoder's codes, that after so many steps towards a smaller one, and the last codes."""
    optimizer, gradients = Adam({"z": vae.encode(x)[0]}), value_and_grad(squared_error)
    errors = []
    for i in progress(range(steps + 1), label="best codes"):
        value, grads = gradients(optimizer.params, x, vae)
        errors.append(float(value))
        optimizer.lr = LR * 0.5 * (1 + np.cos(np.pi * i / (steps + 1)))
        optimizer.step(grads)
    return errors[0], errors[-1], optimizer.params["z"]


# ---- what the scale does -----------------------------------------------------------------------------------------
def held_out_codes():
    """(n, 64): the codes of held-out digits with a standard deviation of about 1."""
    vae, x = digits_vae(), load()[1][0][:CODES]
    mean, logvar = vae.encode(x)
    noise = np.random.default_rng(0).standard_normal(mean.shape)
    return draw_latent(mean, logvar, noise, vae.config.scaling_factor).reshape(len(x), -1).astype(np.float64)


def drawn(scale, codes, starts=STARTS):
    """Codes (starts, 64) drawn from noise by DDIM where all codes were multiplied by `scale`, divided by it again.

    The network is exact for a small round Gaussian around each code.
    """
    centres, widths = codes * scale, np.full(len(codes), (WIDTH * scale) ** 2)
    shares, table = np.full(len(codes), 1 / len(codes)), alphas_cumprod(BETAS)

    def exact(x, t):
        return mixture_epsilon(x, centres, widths, shares, t, table)

    noise = np.random.default_rng(1).standard_normal((starts, codes.shape[1]))
    steps = timesteps(1000, STEPS, "leading", 1)
    parts = [generate(exact, part, steps, BETAS) for part in np.array_split(noise, max(1, starts // 20))]
    return np.concatenate(parts) / scale


def judged(found, codes):
    """Their standard deviation, how far they are from the nearest true code, and how many different ones they meet."""
    gap = np.mean((found[:, None] - codes) ** 2, axis=-1)
    return {
        "std": round(float(found.std()), 4),
        "distance": round(float(np.sqrt(gap.min(axis=1).mean())), 4),
        "different": len(np.unique(gap.argmin(axis=1))),
    }


def main():
    """Measures and writes the file."""
    start, codes, x = time.perf_counter(), held_out_codes(), load()[1][0][:IMAGES]
    encoded, best, _ = best_codes(x, digits_vae())
    facts = {
        "images": IMAGES,
        "variance": round(float(np.mean((x - load()[1][0].mean(axis=0)) ** 2)), 5),
        "encoded": round(encoded, 5),
        "best": round(best, 5),
        "scales": SCALES,
        "std_of_codes": round(float(codes.std()), 4),
        "drawn": [judged(drawn(scale, codes), codes) for scale in progress(SCALES, label="scales")],
    }
    PATH.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(facts, f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
