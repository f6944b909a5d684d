"""Digits drawn by the shipped U-Net in the space of codes, without guidance; shared by claims and figures."""

import functools
import itertools

import numpy as np

from figures.digit_noise import network, states
from kb.checkpoints.shipped import digits_vae
from kb.data.captions import DIGITS
from kb.generation.forward_diffusion import alphas_cumprod
from kb.generation.latent_diffusion import generate_image
from kb.generation.reverse_diffusion import ddim_step, timesteps
from training.latent_diffusion import BETAS
from training.vae import accuracy

STEPS = timesteps(1000, 20, "leading", 1)
PROMPTS = tuple(f"a photo of {'an' if digit == 'eight' else 'a'} {digit}" for digit in DIGITS)


def start(count, seed=0):
    """Noise of the size of a code."""
    return np.random.default_rng(seed).standard_normal((count, 4, 4, 4)).astype(np.float32)


def denoiser(context):
    """The network with its prompts: (z, t) -> the noise in z."""
    return lambda z, t: network()(z, int(t), context)


@functools.cache
def path(prompt, every=4, seed=0):
    """The codes (4, 4, 4) at the start and after every fourth step of a walk, and the image (1, 16, 16) at its end."""
    table, z = alphas_cumprod(BETAS), start(1, seed)
    model, met = denoiser(states((prompt,))), [z[0]]
    for i, (t, t_prev) in enumerate(itertools.pairwise([*STEPS.tolist(), -1]), 1):
        z = ddim_step(model(z, t), t, t_prev, z, table)
        met += [z[0]] if i % every == 0 else []
    return met, digits_vae().decode(digits_vae().unscaled(z))[0]


@functools.cache
def drawn(each=10):
    """Images (n, 1, 16, 16) and what was asked for (n): so many of each digit."""
    labels = np.tile(np.arange(10), each)
    vae = digits_vae()
    model = denoiser(states(PROMPTS)[labels])
    return generate_image(model, vae.decode, start(len(labels)), STEPS, BETAS, vae.config.scaling_factor), labels


@functools.cache
def read_as_asked():
    """The share that the classifier reads as what was asked for."""
    return accuracy(*drawn())
